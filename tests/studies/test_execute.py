"""What a run leaves in its folder, and what labels may and may not do."""

import csv
import json
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import K, N, blobs, config
from tests.studies.conftest import Execute, Executed, tiny
from tests.studies.made_assignments import floats_in
from vaeclust_jax.baselines.shallow import SHALLOW
from vaeclust_jax.experiments import DEFAULT, EXPERIMENTS
from vaeclust_jax.fitting.config_json import config_from_json
from vaeclust_jax.fitting.resolve import prepared_for
from vaeclust_jax.folder.figure_list import read_figure_list
from vaeclust_jax.folder.map_file import read_map
from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.folder.table import read_tables
from vaeclust_jax.studies import assignments
from vaeclust_jax.studies.execute import execute, parts_of
from vaeclust_jax.studies.experiment import Arm, unchanged
from vaeclust_jax.studies.scores import idle_labels
from vaeclust_jax.studies.tables import tables_of

SCORES = ["acc", "nmi", "ari", "ami", "silhouette"]
FLOOR = [
    "k-means on pixels", "pca-gmm on pixels", "pca-gmm on VAE latents", "ward on pixels", "ward on VAE latents",
    "spectral on pixels", "spectral on VAE latents", "graph on pixels",
]  # fmt: skip
PNG = b"\x89PNG\r\n\x1a\n"
WITH_LABELS = {
    "assignment_entropy_correctness", "confusion", "latent_variance_correctness", "map_by_class", "reliability",
    "risk_coverage",
}  # fmt: skip
FIGURES = WITH_LABELS | {
    "assignment_entropy_histogram", "certain", "clusters", "confidence", "decoded", "latent_variance_histogram",
    "loss_parts", "map_by_cluster", "map_by_confidence", "reconstructions",
}  # fmt: skip


def strict_json(path: Path) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{path.name} holds {name}")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])


def test_every_file_is_there_and_whole(two_seeds: Executed) -> None:
    names = {path.name for path in two_seeds.folder.iterdir()}
    assert names == {f"{name}.{ending}" for name in FIGURES for ending in ("png", "svg")} | {
        "assignments.csv", "config.json", "figures.json", "history.csv", "map.npz", "metrics.json", "model",
        "shallow.csv", "tables.json", "timing.json",
    }  # fmt: skip
    for name in FIGURES:
        content = (two_seeds.folder / f"{name}.png").read_bytes()
        assert content.startswith(PNG)
        assert len(content) > 2000
    assert sorted(path.name for path in (two_seeds.folder / "model").iterdir()) == [
        "seed-4.vaeclust",
        "seed-9.vaeclust",
    ]


def test_config_json_holds_the_resolved_config_and_comes_back(two_seeds: Executed) -> None:
    record = strict_json(two_seeds.folder / "config.json")
    found = config_from_json(record["config"])
    assert found == vc.load(two_seeds.folder).config
    assert (type(found.network), found.method.likelihood, found.prepare.scaling) == (vc.MLP, "bernoulli", "none")
    train, _ = vc.data.split_rows(N, found.prepare)
    assert found.network.input_mean == pytest.approx(tiny().x[train].mean() / 255, rel=1e-5)
    assert (record["experiment"], record["dataset"], record["seeds"]) == ("vaedec", "tiny", [4, 9])


def test_metrics_json_is_what_execute_returns(two_seeds: Executed) -> None:
    assert strict_json(two_seeds.folder / "metrics.json") == json.loads(json.dumps(two_seeds.metrics))
    assert ClusteringRecord.of(two_seeds.metrics).record() == two_seeds.metrics
    assert len(floats_in(two_seeds.metrics)) > 500
    assert np.isfinite(floats_in(two_seeds.metrics)).all()


def test_tables_json_is_what_execute_returns(two_seeds: Executed) -> None:
    assert read_tables(two_seeds.folder / "tables.json") == two_seeds.tables
    assert two_seeds.tables == tables_of(ClusteringRecord.of(two_seeds.metrics))


def test_figures_json_says_something_about_every_figure(two_seeds: Executed) -> None:
    entries = read_figure_list(two_seeds.folder / "figures.json")
    assert sorted(entry.file for entry in entries) == sorted(f"{name}.png" for name in FIGURES)
    assert all(entry.section and entry.title and entry.caption for entry in entries)
    shown = " ".join(entry.title for entry in entries)
    assert "vaedec, seed 4" in shown  # the first, whichever is the best
    assert "seed 9" not in shown


def test_the_map_holds_what_the_assignments_say(two_seeds: Executed) -> None:
    found = read_map(two_seeds.folder / "map.npz")
    rows = table(two_seeds.folder / "assignments.csv")[:N]
    np.testing.assert_array_equal(found.row, np.arange(N))
    np.testing.assert_array_equal(found.cluster, column(rows, "cluster"))
    np.testing.assert_array_equal(found.y, tiny().y)
    for name in ("probability", "latent_variance", "mutual_information"):
        np.testing.assert_allclose(getattr(found, name), column(rows, name), atol=1e-6)
    assert found.thumbnails.shape == (N, 8, 8, 1)
    np.testing.assert_array_equal(found.thumbnails, tiny().x)
    assert found.correct.mean() == pytest.approx(two_seeds.metrics["seeds"][0]["acc"])
    assert found.class_names.tolist() == ["a", "b", "c"]


def test_the_mean_holds_the_scores_alone_and_is_the_mean_of_the_seeds(two_seeds: Executed) -> None:
    metrics = two_seeds.metrics
    assert list(metrics["mean"]) == SCORES
    assert [row["seed"] for row in metrics["seeds"]] == [4, 9]
    for name in SCORES:
        values = [row[name] for row in metrics["seeds"]]
        assert metrics["mean"][name] == pytest.approx(sum(values) / 2, rel=1e-12)
        assert metrics["std"][name] == pytest.approx(abs(values[0] - values[1]) / np.sqrt(2), abs=1e-12)


def test_every_method_and_protocol_is_scored(two_seeds: Executed) -> None:
    results = two_seeds.metrics["results"]
    assert list(results) == ["vaedec", "vae-kmeans", *FLOOR]
    assert two_seeds.metrics["shallow"] == FLOOR
    for method in results.values():
        assert list(method) == ["all", "validation"]
        for protocol in method.values():
            assert list(protocol["mean"]) == SCORES
    assert results["vaedec"]["all"]["mean"] == two_seeds.metrics["mean"]
    assert two_seeds.metrics["method"] == "vaedec"


@pytest.mark.long
def test_one_seed_has_no_spread(one_seed: Executed) -> None:
    assert one_seed.metrics["std"] == dict.fromkeys(SCORES)
    assert one_seed.metrics["mean"]["acc"] == one_seed.metrics["seeds"][0]["acc"]


def test_scores_are_those_of_the_written_assignments(one_seed: Executed) -> None:
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    rows = table(one_seed.folder / "assignments.csv")
    y, labels = column(rows, "class").astype(int), column(rows, "cluster").astype(int)
    assert one_seed.metrics["mean"]["nmi"] == pytest.approx(normalized_mutual_info_score(y, labels))
    held_out = np.array([row["part"] == "validation" for row in rows])
    validation = one_seed.metrics["results"]["vaedec"]["validation"]["mean"]
    assert validation["ari"] == pytest.approx(adjusted_rand_score(y[held_out], labels[held_out]))
    best = max(
        np.mean([mapping[label] == truth for label, truth in zip(labels, y, strict=True)])
        for mapping in (dict(enumerate(p)) for p in _permutations(K))
    )
    assert one_seed.metrics["mean"]["acc"] == pytest.approx(best)


def test_what_methods_without_a_network_found_is_handed_out(one_seed: Executed) -> None:
    from sklearn.metrics import adjusted_rand_score

    beside, own = table(one_seed.folder / "shallow.csv"), table(one_seed.folder / "assignments.csv")
    assert column(beside, "row").tolist() == column(own, "row").tolist()
    names = [name for name in one_seed.metrics["shallow"] if not name.endswith(" on VAE latents")]
    assert list(beside[0]) == ["row", *names]
    y = column(own, "class")
    for name in names:
        scored = one_seed.metrics["results"][name]["all"]["seeds"][0]["ari"]
        assert adjusted_rand_score(y, column(beside, name)) == pytest.approx(scored)


def _permutations(size: int) -> Any:
    from itertools import permutations

    return permutations(range(size))


def test_assignments_are_those_of_the_saved_models_at_the_temperature_of_the_votes(two_seeds: Executed) -> None:
    temperatures = list(two_seeds.metrics["uncertainty"]["temperatures"])
    assert 1 not in temperatures
    assert None not in temperatures
    rows = table(two_seeds.folder / "assignments.csv")
    assert len(rows) == 2 * N
    for number, seed in enumerate((4, 9)):
        part = rows[number * N : (number + 1) * N]
        assert {row["seed"] for row in part} == {str(seed)}
        np.testing.assert_array_equal(column(part, "row"), np.arange(N))
        model = vc.load(two_seeds.folder, seed=seed)
        assert model.temperature == temperatures.pop(0)
        q = model.predict_proba(tiny().x).astype(np.float64)
        np.testing.assert_array_equal(column(part, "cluster"), q.argmax(axis=1))
        np.testing.assert_allclose(column(part, "probability"), q.max(axis=1), atol=1e-6)
        np.testing.assert_allclose(column(part, "entropy"), -(q * np.log(q)).sum(axis=1), atol=1e-5)
        np.testing.assert_array_equal(column(part, "class"), tiny().y)
        assert [row["part"] for row in part].count("validation") == N // 5


def test_the_columns_of_uncertainty_are_those_of_the_saved_models(two_seeds: Executed) -> None:
    """But for the draws: every model is asked again, with ten times as many."""
    rows = table(two_seeds.folder / "assignments.csv")
    for number, seed in enumerate((4, 9)):
        part = rows[number * N : (number + 1) * N]
        found = vc.load(two_seeds.folder, seed=seed).uncertainty(tiny().x, jax.random.key(0), 1000)
        np.testing.assert_allclose(column(part, "latent_variance"), found.latent_variance, rtol=0.8)
        assert column(part, "latent_variance").mean() == pytest.approx(found.latent_variance.mean(), rel=0.05)
        assert column(part, "mutual_information").mean() == pytest.approx(found.mutual_information.mean(), rel=0.1)
        assert np.corrcoef(column(part, "mutual_information"), found.mutual_information)[0, 1] > 0.5
    assert two_seeds.metrics["uncertainty"]["pass_check"] == pytest.approx(1, abs=0.05)


def test_the_part_is_that_of_the_split(one_seed: Executed) -> None:
    prepare = config_from_json(strict_json(one_seed.folder / "config.json")["config"]).prepare
    _, validation = vc.data.split_rows(N, prepare)
    rows = table(one_seed.folder / "assignments.csv")
    assert [int(row["row"]) for row in rows if row["part"] == "validation"] == validation.tolist()


def test_history_has_a_row_an_epoch_and_seed(two_seeds: Executed) -> None:
    rows = table(two_seeds.folder / "history.csv")
    expected = {(s, stage, e) for s in "49" for stage in ("vae", "joint") for e in "12"}
    assert {(row["seed"], row["stage"], row["epoch"]) for row in rows} == expected
    assert len(rows) == len(expected)
    assert np.isfinite(column(rows, "loss")).all()


def test_equal_runs_write_equal_bytes(carry_out: Execute, one_seed: Executed) -> None:
    again = carry_out(tiny(), draw=False)
    for name in ("assignments.csv", "history.csv", "metrics.json", "config.json", "tables.json"):
        assert (again.folder / name).read_bytes() == (one_seed.folder / name).read_bytes(), name


def test_labels_cannot_leak_into_training(carry_out: Execute, one_seed: Executed) -> None:
    y = np.random.default_rng(0).permutation(tiny().y)
    permuted = carry_out(tiny(y), draw=False)
    first, second = (table(run.folder / "assignments.csv") for run in (one_seed, permuted))
    changed = [name for name in first[0] if [a[name] for a in first] != [b[name] for b in second]]
    assert list(first[0]) == [
        "seed", "row", "part", "cluster", "probability", "entropy", "mutual_information", "latent_variance", "class",
    ]  # fmt: skip
    assert changed == ["class"]
    assert (permuted.folder / "history.csv").read_bytes() == (one_seed.folder / "history.csv").read_bytes()
    assert permuted.metrics["mean"]["acc"] != one_seed.metrics["mean"]["acc"]
    assert permuted.metrics["mean"]["silhouette"] == one_seed.metrics["mean"]["silhouette"]
    assert "alone" in one_seed.metrics["protocol"]["labels_used_for"]


@pytest.mark.long
def test_without_labels_there_are_no_scores_against_them(carry_out: Execute, one_seed: Executed) -> None:
    names = tuple(f"é {row}.png" for row in range(N))
    run = carry_out(replace(tiny(), y=None, class_names=None, row_names=names))
    mean = strict_json(run.folder / "metrics.json")["mean"]
    assert [mean[name] for name in SCORES[:4]] == [None] * 4
    assert mean["silhouette"] == one_seed.metrics["mean"]["silhouette"]
    rows = table(run.folder / "assignments.csv")
    assert "class" not in rows[0]
    assert [row["file"] for row in rows] == list(names)
    labelled = table(one_seed.folder / "assignments.csv")
    for name in ("cluster", "probability", "entropy", "mutual_information", "latent_variance"):
        assert [row[name] for row in rows] == [row[name] for row in labelled], name
    assert (run.folder / "history.csv").read_bytes() == (one_seed.folder / "history.csv").read_bytes()
    assert {path.name for path in one_seed.folder.iterdir()} - {path.name for path in run.folder.iterdir()} == {
        f"{name}.{ending}" for name in WITH_LABELS for ending in ("png", "svg")
    }
    assert set(run.metrics["uncertainty"]) == {"seed_agreement", "pass_check"}
    assert [each.name for each in run.tables] == ["scores", "clusters", "comparisons", "seeds"]
    captions = " ".join(entry.caption for entry in read_figure_list(run.folder / "figures.json"))
    assert not re.search("correct|wrong|class", captions)
    assert read_map(run.folder / "map.npz").correct is None
    assert run.metrics["protocol"]["labels_used_for"] == "there are none"


@pytest.mark.long
def test_a_stratified_split_is_said(carry_out: Execute) -> None:
    protocol = carry_out(tiny(), stratify=True, draw=False).metrics["protocol"]
    assert "stratified split" in protocol["fitted_on"]
    assert "stratified split" in protocol["labels_used_for"]


def test_what_the_shallow_floor_left_out_is_warned_of(carry_out: Execute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHALLOW, "spectral", SHALLOW["spectral"]._replace(max_samples=N - 1))
    run = carry_out(tiny(), draw=False)
    assert list(run.metrics["results"])[2:] == [name for name in FLOOR if "spectral" not in name]
    assert f"spectral was left out: {N} samples are more than the {N - 1} it is run for" in run.metrics["warnings"]


def test_eigenvectors_of_many_codes_on_a_line_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignments, "_LONG", N - 1)
    data, line = prepared_for(config(), blobs()[0]), np.zeros((N, 3), np.float32)
    line[:, 1] = np.arange(N)
    spread = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)
    found, skipped = assignments.floor(data, 3, [spread, line], [4, 7], ["k-means", "spectral"])
    assert [name for name in found if name.startswith("spectral")] == ["spectral on features"]
    assert skipped == [
        "spectral on VAE latents was left out: of seed 7 1 of 3 latent units is active, and eigenvectors of codes on a "
        "line take minutes"
    ]
    found, skipped = assignments.floor(data, 3, [spread, spread], [4, 7], ["spectral"])
    assert "spectral on VAE latents" in found
    assert skipped == []


class Unread:
    """Labels that must not be looked at."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"labels were asked for {name}")


@pytest.mark.long
def test_another_data_set_is_told_apart_without_its_labels(carry_out: Execute, one_seed: Executed) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (N, 8, 8, 1), dtype=np.uint8)
    others = replace(tiny(), x=noise, y=None, name="noise")
    run = carry_out(tiny(), others=others, draw=False)
    found = strict_json(run.folder / "metrics.json")["outliers"]
    assert (found["dataset"], found["known"], found["strange"]) == ("noise", N // 5, N)
    assert [row["seed"] for row in found["seeds"]] == [4]
    assert all(0 <= auroc <= 1 for auroc in found["mean"].values())
    without = {**run.metrics, "outliers": None}
    assert without == one_seed.metrics
    assert [each.name for each in run.tables if each not in one_seed.tables] == ["outliers"]

    labelled = carry_out(tiny(), others=replace(others, y=np.arange(N) % 3), draw=False)
    landed = labelled.metrics["outliers"].pop("landing")
    assert labelled.metrics == run.metrics, "labels say where classes landed, and nothing else"
    assert [(row["class"], row["samples"]) for row in landed] == [(name, N // 3) for name in "abc"]
    assert [each.name for each in labelled.tables if each not in run.tables] == ["landing"]


def carry_out_in(folder: Path, settings: vc.Config, **more: Any) -> None:
    experiment = EXPERIMENTS["vaedec"]
    execute(experiment, settings, parts_of(experiment, settings, tiny()), [4], folder, **more)


def test_an_arm_of_a_stage_that_is_not_there_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    mistyped = replace(EXPERIMENTS["vaedec"], arms={"vaedec": Arm(unchanged, "jiont")})
    settings = config(network="mlp")
    with pytest.raises(vc.InputError, match="vaedec is read off after stage 'jiont', but stages are kmeans, joint"):
        execute(mistyped, settings, parts_of(mistyped, settings, tiny()), [4], tmp_path, say=pytest.fail)
    assert list(tmp_path.iterdir()) == []


def test_another_data_set_of_another_kind_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    others = replace(tiny(), x=np.zeros((5, 9, 8, 1), np.uint8), name="tall")
    with pytest.raises(vc.InputError) as caught:
        carry_out_in(tmp_path, config(), say=pytest.fail, others=others)
    assert str(caught.value) == "outliers must be samples like those of tiny, (8, 8, 1), got tall, (9, 8, 1)"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_without_held_out_rows_all_are_fitted_on(carry_out: Execute) -> None:
    metrics = carry_out(tiny(), validation=0).metrics
    assert metrics["protocol"]["fitted_on"] == f"all {N} rows"
    assert list(metrics["results"]["vaedec"]) == ["all"]


@pytest.mark.long
def test_labels_that_weigh_nothing_are_warned_of() -> None:
    x, y = blobs()
    known = np.where(np.arange(len(x)) < 12, y, -1)
    late, early = (vc.VAEKMeans(3, supervision=one, pretrain_epochs=2) for one in ("two-level", "two-level:warmup=1"))
    said = "labels weighed nothing in any epoch, so that the fit is one without them: train for more epochs"
    with pytest.warns(vc.InputWarning, match=said) as caught:
        runs = {"late": vc.fit_seeds(vc.Config(late), x, [0], partial_labels=known)}
    assert caught[0].filename == __file__
    with pytest.warns(vc.InputWarning, match=said) as caught:
        vc.fit(vc.Config(late), x, 0, partial_labels=known)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", vc.InputWarning)
        runs["from the start"] = [vc.fit(vc.Config(early), x, 0, partial_labels=known)]
        runs["told nothing"] = [vc.fit(vc.Config(late), x, 0)]
    (sentence,) = idle_labels(runs)
    assert sentence.startswith("late: its labels weighed nothing in any epoch")


@pytest.mark.long
def test_the_record_has_the_arms_whose_labels_weigh_nothing(
    carry_out: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = EXPERIMENTS["dynamic-beta-insects"]
    arms = {name: whole.arms[name] for name in ("dynamic-beta", "dynamic-beta, 10% labelled")}
    monkeypatch.setitem(EXPERIMENTS, "two-arms", replace(whole, arms=arms, shallow=("k-means",), outliers=None))
    many = replace(tiny(), x=np.tile(tiny().x, (2, 1, 1, 1)), y=np.tile(np.asarray(tiny().y), 2))
    run = carry_out(many, name="two-arms", draw=False, pretrain_epochs=5)
    warned = [line.partition(":")[0] for line in run.metrics["warnings"] if "its labels weighed nothing" in line]
    assert warned == ["dynamic-beta, 10% labelled"]


@pytest.mark.long
def test_empty_clusters_and_posterior_collapse_are_warned_of(carry_out: Execute) -> None:
    run = carry_out(replace(tiny(), x=np.repeat(tiny().x[:2], N // 2, axis=0)), beta=1e4)
    warnings = strict_json(run.folder / "metrics.json")["warnings"]
    populated = run.metrics["seeds"][0]["populated_clusters"]
    active = run.metrics["seeds"][0]["active_units"]
    assert populated < K
    assert active < 2
    assert f"seed 4: {populated} of {K} clusters have members" in warnings
    assert any(f"{active} of 2 latent units are active (posterior collapse)" in warning for warning in warnings)


def test_a_healthy_run_has_no_warnings(carry_out: Execute) -> None:
    assert carry_out(tiny(), pretrain_epochs=15, beta=0.1, draw=False).metrics["warnings"] == []


@pytest.mark.long
def test_without_a_joint_stage_the_named_method_is_k_means(carry_out: Execute) -> None:
    run = carry_out(tiny(), joint_epochs=0)
    assert run.metrics["results"]["vaedec"] == run.metrics["results"]["vae-kmeans"]


@pytest.mark.slow
def test_the_coil20_experiment_adds_a_deterministic_baseline(carry_out: Execute, one_seed: Executed) -> None:
    run = carry_out(tiny(), name="vaedec-coil20")
    assert list(run.metrics["results"]) == ["vaedec", "vae-kmeans", "deterministic-vae-kmeans", *FLOOR]
    assert run.metrics["results"]["vaedec"] == one_seed.metrics["results"]["vaedec"]
    assert (run.folder / "loss_parts_baseline.png").exists()  # of another training than that of the named method


def test_the_experiments_have_the_names_they_are_listed_under() -> None:
    assert list(EXPERIMENTS) == [experiment.name for experiment in EXPERIMENTS.values()]
    assert DEFAULT in EXPERIMENTS


def test_a_divergence_leaves_config_history_and_model(tmp_path: Path) -> None:
    settings = config(network="mlp", input_mean=0.3, input_std=0.3, learning_rate=1e30)
    with pytest.raises(vc.TrainingDivergedError):
        carry_out_in(tmp_path, settings, say=lambda line: None)
    assert {path.name for path in tmp_path.iterdir()} >= {"config.json", "history.csv", "model"}
    assert not (tmp_path / "metrics.json").exists()
    assert table(tmp_path / "history.csv")[-1]["stage"] == "vae"
    q = vc.load(tmp_path, seed=4).predict_proba(tiny().x)
    np.testing.assert_allclose(q.sum(axis=1), 1, atol=1e-5)
