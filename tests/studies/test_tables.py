"""The record of a study and its tables: which there are, and that their cells are the record's figures."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.studies.made_assignments import floats_in, made_answer, made_dataset, made_model, soft
from vaeclust_jax.experiments import EXPERIMENTS
from vaeclust_jax.folder import write_json
from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.folder.records.scores import SeedScores
from vaeclust_jax.folder.table import Spread, Table, cell_text
from vaeclust_jax.metrics import NumClusters, t_interval
from vaeclust_jax.selection.augment import AugmentChoice, Tried
from vaeclust_jax.selection.num_clusters import Choice
from vaeclust_jax.studies.assignments import Answer
from vaeclust_jax.studies.design import SHARED, VOTED
from vaeclust_jax.studies.records import metrics_of
from vaeclust_jax.studies.scores import SCORES, against_the_floor, result_of
from vaeclust_jax.studies.tables import tables_of

K, N = 3, 60
Y = np.arange(N) % K
IMAGES = np.random.default_rng(0).random((N, 4, 4, 1), dtype=np.float32)
OUTLIERS = {
    "dataset": "digits", "known": 12, "strange": 500, "mean": {"negative ELBO": 0.9, "latent variance": None},
    "std": {"negative ELBO": 0.01, "latent variance": None}, "seeds": [],
}  # fmt: skip


def labels(share: float, rng: int) -> np.ndarray:
    """Correct but for about this share."""
    drawn = np.random.default_rng(rng)
    return np.where(drawn.random(N) < share, drawn.integers(0, K, N), Y)


def deep(share: float, rng: int) -> Answer:
    confidence = np.random.default_rng(rng).uniform(0.4, 0.99, N)
    return made_answer(soft(labels(share, rng), confidence, K), entropy=1 - confidence)


def study(
    seeds: range = range(4, 7),
    *,
    y: np.ndarray | None = Y,
    x: np.ndarray = IMAGES,
    name: str = "coil20",
    experiment: str = "vaedec-coil20",
    shallow: bool = True,
    choice: Choice | None = None,
    views: AugmentChoice | None = None,
    share: float = 0.2,
    **changes: Any,
) -> dict[str, Any]:
    known = EXPERIMENTS[experiment]
    answers = {
        method: [deep(share + 0.2 * number, 10 * number + seed) for seed in seeds]
        for number, method in enumerate(known.arms)
    }
    if shallow:
        answers["k-means on pixels"] = [Answer(labels(0.8, seed), K) for seed in seeds]
        answers["ward on pixels"] = [Answer(labels(0.7, 0), K)]
    runs = [made_model(x, K, **changes) for _ in seeds]
    dataset = made_dataset(x, y, name=name)
    fits = {method: int(method.startswith("deterministic")) for method in known.arms}
    return metrics_of(known, runs, answers, dataset, seeds, fits=fits, choice=choice, views=views).record()


@pytest.fixture(scope="module")
def full() -> dict[str, Any]:
    return study() | {"outliers": OUTLIERS}


@pytest.fixture(scope="module")
def one_seed() -> dict[str, Any]:
    return study(range(4, 5))


@pytest.fixture(scope="module")
def unlabelled() -> dict[str, Any]:
    return study(y=None)


def by_name(metrics: dict[str, Any]) -> dict[str, Table]:
    tables = tables_of(ClusteringRecord.of(metrics))
    assert len({table.name for table in tables}) == len(tables)
    return {table.name: table for table in tables}


# The record ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["full", "one_seed", "unlabelled"])
def test_the_record_is_strict_json_without_a_nan(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    metrics = request.getfixturevalue(which)
    assert len(floats_in(metrics)) > 50
    assert all(map(math.isfinite, floats_in(metrics)))
    write_json(tmp_path / "metrics.json", metrics)
    read = json.loads((tmp_path / "metrics.json").read_text(), parse_constant=pytest.fail)
    assert read == json.loads(json.dumps(metrics))
    assert ClusteringRecord.of(read).record() == read
    assert tables_of(ClusteringRecord.of(read)) == tables_of(ClusteringRecord.of(metrics))


def test_choices_are_recorded_as_they_were_made() -> None:
    three, none = [0.5, 0.4, 0.3], [float("nan")] * 3
    curve = NumClusters([2, 3, 4], three, three, three, three, none, {"bic": 3, "gap": 2})
    choice = Choice(3, "bic", curve, "3 of 2 to 4.")
    views = AugmentChoice(1.0, (Tried(0.0, 0.8, 0.1, 0.5), Tried(1.0, 0.9, 0.1, 0.5)), "augment 1.")
    record = study(choice=choice, views=views)
    expected = {**choice.record(), "curve": {**curve._asdict(), "gap_error": [None] * 3}}
    assert record["num_clusters_choice"] == expected
    assert record["augment_choice"] == views.record()
    assert record["findings"][1:3] == ["3 of 2 to 4.", "augment 1."]
    assert ClusteringRecord.of(json.loads(json.dumps(record))).record() == record


def test_a_method_in_which_nothing_is_random_has_no_seed(full: dict[str, Any]) -> None:
    assert [row["seed"] for row in full["results"]["ward on pixels"]["all"]["seeds"]] == [None]
    assert [row["seed"] for row in full["results"]["k-means on pixels"]["all"]["seeds"]] == [4, 5, 6]
    assert full["shallow"] == ["k-means on pixels", "ward on pixels"]


def test_the_first_finding_holds_the_method_against_the_floor(full: dict[str, Any], unlabelled: dict[str, Any]) -> None:
    first = full["findings"][0]
    assert first.startswith(f"{full['method']} is ")
    for key in ("acc", "nmi"):
        means = {name: full["results"][name]["all"]["mean"][key] for name in full["shallow"]}
        best = max(means, key=means.__getitem__)
        assert (
            f"{SCORES[key]} {full['mean'][key]:.3f} ± {full['std'][key]:.3f} against {means[best]:.3f} ({best})"
            in first
        )
    assert not [sentence for sentence in unlabelled["findings"] if "without a network" in sentence]


@pytest.mark.parametrize(
    ("acc", "nmi", "says"),
    [
        (0.6, 0.7, "better than every method without a network"),
        (0.8, 0.9, "as good as the best method without a network"),
        (0.809, 0.909, "as good as the best method without a network"),
        (0.809, 0.7, "as good as the best method without a network, and better in NMI"),
        (0.82, 0.7, "below the best method without a network in ACC"),
        (0.6, 0.92, "below the best method without a network in NMI"),
        (0.82, 0.92, "below the best method without a network in ACC and NMI"),
    ],
)
def test_how_a_method_stands_to_the_floor_is_said_in_words(acc: float, nmi: float, says: str) -> None:
    """One shallow method has the best ACC, another the best NMI; what stands on the VAE's latents does not count."""
    scores = {
        "deep": (0.8, 0.9),
        "ward on pixels": (acc, 0.1),
        "spectral on pixels": (0.1, nmi),
        "ward on VAE latents": (1, 1),
    }
    results = {}
    for name, (first, second) in scores.items():
        measured = {**dict.fromkeys(SCORES), "acc": first, "nmi": second}
        results[name] = {"all": result_of([SeedScores(seed=0, **measured, populated_clusters=3, active_units=2)])}
    (sentence,) = against_the_floor(results, "deep", list(scores)[1:])
    figures = f"ACC 0.800 against {acc:.3f} (ward on pixels), NMI 0.900 against {nmi:.3f} (spectral on pixels)"
    assert sentence == f"deep is {says}: {figures}."


def test_what_is_reported_is_of_its_data_set_alone(full: dict[str, Any]) -> None:
    assert full["reported_runs"] == 5
    assert {row["method"] for row in full["reported"]} == {"vaedec", "deterministic-vae-kmeans"}
    elsewhere = study(range(4, 5), name="coil100")
    assert (elsewhere["reported"], elsewhere["reported_runs"], elsewhere["reported_tests"]) == ([], None, None)
    assert not [sentence for sentence in elsewhere["findings"] if "reported" in sentence or "source" in sentence]


def test_the_findings_end_with_what_uncertainty_gains(full: dict[str, Any], unlabelled: dict[str, Any]) -> None:
    named = ("Assignment entropy", "Latent variance", "Seeds: instability")
    sentences = full["findings"][-3:]
    for name, sentence in zip(named, sentences, strict=True):
        mean = full["uncertainty"]["measures"][name[0].lower() + name[1:]]["mean"]
        assert sentence == (
            f"{name} flags wrong assignments with AUROC {mean['auroc']:.3f}; keeping the surest 80 % takes the error "
            f"from {mean['error']:.3f} to {mean['error_at_80']:.3f}."
        )
    without = unlabelled["findings"]
    assert without[0].startswith("vaedec is above the reported figure in silhouette ")
    assert not [
        sentence for sentence in without if "ACC 0" in sentence or "flags" in sentence or " against " in sentence
    ]


# Which tables there are ------------------------------------------------------------------------------


def test_several_seeds_with_labels_have_every_table(full: dict[str, Any]) -> None:
    assert list(by_name(full)) == [
        "scores", "clusters", "reported", "reported-tests", "comparisons", "shallow", "intervals", "uncertainty",
        "correlations", "calibration", "outliers", "seeds",
    ]  # fmt: skip


def test_one_seed_has_no_intervals(one_seed: dict[str, Any]) -> None:
    assert list(by_name(one_seed)) == [
        "scores", "clusters", "reported", "reported-tests", "comparisons", "shallow", "uncertainty", "correlations",
        "calibration", "seeds",
    ]  # fmt: skip


def test_without_labels_there_is_no_table_of_what_needs_them(unlabelled: dict[str, Any]) -> None:
    tables = by_name(unlabelled)
    assert list(tables) == ["scores", "clusters", "reported", "reported-tests", "comparisons", "intervals", "seeds"]
    assert {row[1] for row in tables["comparisons"].rows} == {"silhouette"}
    assert all(table.rows for table in tables.values())
    assert {row[2] for row in tables["reported"].rows} == {"silhouette"}
    for name in ("scores", "seeds", "intervals"):  # nothing is shown of what is not defined
        assert [column.name for column in tables[name].columns if column.name in SCORES.values()] == ["silhouette"]
        assert {row[0] for row in tables[name].rows} == set(unlabelled["results"]) - set(unlabelled["shallow"])


def test_without_a_source_or_anything_to_compare_with_there_are_no_such_tables() -> None:
    vectors = study(
        range(2), x=np.random.default_rng(0).normal(size=(N, 5)), name="mine", experiment="vaedec", shallow=False
    )
    assert list(by_name(vectors)) == [
        "scores", "clusters", "comparisons", "intervals", "uncertainty", "correlations", "calibration", "seeds",
    ]  # fmt: skip
    assert vectors["dataset"]["shape"] == [N, 5]


# Their cells -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["full", "one_seed", "unlabelled"])
def test_scores_are_means_and_deviations_of_every_method_and_protocol(
    which: str, request: pytest.FixtureRequest
) -> None:
    metrics = request.getfixturevalue(which)
    table = by_name(metrics)["scores"]
    shallow = metrics["shallow"] if which == "unlabelled" else ()
    scored = [(m, p) for m, of in metrics["results"].items() if m not in shallow for p in of]
    assert [row[:2] for row in table.rows] == scored
    keys = {title: key for key, title in SCORES.items()}
    shown = [keys[column.name] for column in table.columns[2:-1]]
    assert shown == (["silhouette"] if which == "unlabelled" else list(SCORES))
    for method, protocol, *cells, count in table.rows:
        result = metrics["results"][method][protocol]
        assert count == len(result["seeds"])
        for key, cell in zip(shown, cells, strict=True):
            values = [row[key] for row in result["seeds"]]
            if None in values:
                assert cell is None
                continue
            assert cell.mean == pytest.approx(np.mean(values))
            assert cell.std == (pytest.approx(np.std(values, ddof=1)) if count > 1 else None)


def test_every_seed_is_listed_and_none_is_picked(full: dict[str, Any]) -> None:
    rows = by_name(full)["seeds"].rows
    expected = [
        (method, protocol, row["seed"], *(row[key] for key in SCORES))
        for method, protocols in full["results"].items()
        for protocol, result in protocols.items()
        for row in result["seeds"]
    ]
    assert list(rows) == expected
    assert len(rows) == 2 * (4 * 3 + 1)


def test_intervals_are_of_methods_with_several_seeds(full: dict[str, Any]) -> None:
    table = by_name(full)["intervals"]
    assert "ward on pixels" not in {row[0] for row in table.rows}
    low, high = full["results"]["vaedec"]["all"]["interval"]["acc"]
    assert table.rows[0][:3] == ("vaedec", "all", f"[{low:.3f}, {high:.3f}]")
    assert low <= full["mean"]["acc"] <= high
    values = [row["acc"] for row in full["results"]["vaedec"]["all"]["seeds"]]
    assert (low, high) == pytest.approx(t_interval(values, limits=(0, 1)))


def test_what_has_no_interval_says_why_in_the_record_alone(full: dict[str, Any], one_seed: dict[str, Any]) -> None:
    assert full["results"]["ward on pixels"]["all"]["no_interval"] == {
        **dict.fromkeys(SCORES, "a single value"), "silhouette": "a score is not defined",
    }  # fmt: skip
    assert "no_interval" not in full["results"]["vaedec"]["all"]
    assert "a single value" not in str(by_name(one_seed))


def test_seeds_that_voted_have_no_interval_and_their_deviation_is_explained() -> None:
    voted = study(experiment="vaegraph", name="made")
    for method, of in voted["results"].items():
        together = method.endswith("together")
        assert voted["origins"][method]["together"] == together
        assert (of["all"]["interval"]["acc"] is None) == (together or method == "ward on pixels")
        assert not together or of["all"]["no_interval"]["acc"] == VOTED
    tables = by_name(voted)
    assert "vaegraph-together and vae-graph-together learned from each other" in tables["scores"].note
    assert VOTED in tables["comparisons"].note


def test_comparisons_are_of_the_models_and_the_shallow_methods_apart(full: dict[str, Any]) -> None:
    tables = by_name(full)
    assert [row[0] for row in tables["comparisons"].rows] == ["vae-kmeans"] * 4 + ["deterministic-vae-kmeans"] * 4
    assert [row[0] for row in tables["shallow"].rows] == ["k-means on pixels"] * 3 + ["ward on pixels"] * 3
    for number, table, row, name in ((4, "comparisons", 4, "paired"), (8, "shallow", 0, "welch")):
        found = full["comparisons"][number]
        low, high = found["interval"]["low"], found["interval"]["high"]
        assert tables[table].rows[row] == (
            found["second"], "ACC", found["difference"], f"[{low:+.3f}, {high:+.3f}]", name.replace("w", "W"),
            found[name]["statistic"], found[name]["df"], found[name]["p"], found[f"{name}_holm"], found["hedges_g"],
        )  # fmt: skip
    shared = full["comparisons"][0]
    assert (shared["second"], shared["reason"]) == ("vae-kmeans", SHARED)
    assert tables["comparisons"].rows[0][4:9] == (None,) * 5
    assert f"No test of vaedec and vae-kmeans: {SHARED}." in tables["comparisons"].note
    found = shared
    acc = [[row["acc"] for row in full["results"][name]["all"]["seeds"]] for name in ("vaedec", "vae-kmeans")]
    assert found["difference"] == pytest.approx(np.mean(acc[0]) - np.mean(acc[1]))


def test_one_seed_shows_differences_and_no_test(one_seed: dict[str, Any]) -> None:
    for name in ("comparisons", "shallow"):
        table = by_name(one_seed)[name]
        assert [column.name for column in table.columns] == ["against", "score", "difference"]
        assert None not in {cell for row in table.rows for cell in row}
    table = by_name(one_seed)["reported"]
    assert "Welch p" not in {column.name for column in table.columns}
    reported = table.rows
    assert all(isinstance(row[4], Spread) and row[4].std is None for row in reported)


def test_reported_and_measured_stand_side_by_side(full: dict[str, Any]) -> None:
    row = by_name(full)["reported"].rows[0]
    mean, std = full["mean"]["acc"], full["std"]["acc"]
    assert row[:5] == ("vaedec", "all", "ACC", Spread(0.85, 0.02), Spread(mean, std))
    assert row[5] == pytest.approx(mean - 0.85)
    assert row[6:] == (full["reported"][0]["p"], full["reported"][0]["holm"])
    tests = by_name(full)["reported-tests"]
    assert [row[0] for row in tests.rows] == ["ACC", "NMI", "ARI", "silhouette"]
    assert tests.rows[0][1:3] == (4.5, 0.001)
    assert [cell_text(row[3], "score") for row in tests.rows] == ["6.202", "7.670", "6.718", "12.403"]


def test_uncertainty_is_by_measure_and_the_ensemble_is_said_to_be_one(full: dict[str, Any]) -> None:
    table = by_name(full)["uncertainty"]
    measures = full["uncertainty"]["measures"]
    names = [row[0] for row in table.rows]
    assert names[: len(measures)] == list(measures)
    assert [name for name in names if "ensemble" in str(name)] == [
        f"{name} (of the ensemble's own errors)" for name in measures if name.startswith("seeds:")
    ]
    mean = measures["entropy over passes"]["mean"]
    cells = table.rows[names.index("entropy over passes")][1:]
    assert [cell.mean for cell in cells] == [  # type: ignore[union-attr]
        mean[key] for key in ("auroc", "aurc", "excess_aurc", "error", "error_at_80")
    ]
    assert f"ACC {full['uncertainty']['ensemble']['acc']:.3f}" in table.note


def test_one_seed_has_no_ensemble_in_its_table(one_seed: dict[str, Any]) -> None:
    table = by_name(one_seed)["uncertainty"]
    assert "ensemble" not in str(table)
    assert len(table.rows) == 4


def test_the_largest_p_of_the_seeds_is_shown(full: dict[str, Any]) -> None:
    table = by_name(full)["correlations"]
    row = next(row for row in table.rows if row[0] == "entropy over passes")
    seeds = full["uncertainty"]["measures"]["entropy over passes"]["seeds"]
    assert row[-2:] == (max(one["welch_p"] for one in seeds), max(one["mann_whitney_p"] for one in seeds))
    low, high = (seeds[0][f"point_biserial_{end}"] for end in ("low", "high"))
    assert row[5] == f"[{low:.2f}, {high:.2f}]"
    constant = next(row for row in table.rows if row[0] == "latent variance")
    assert constant[1:3] == (None, None)
    assert constant[5] is None


def test_calibration_and_outliers_are_rows_by_kind(full: dict[str, Any]) -> None:
    tables = by_name(full)
    calibration = full["uncertainty"]["calibration"]
    assert [row[0] for row in tables["calibration"].rows] == list(calibration)
    first = calibration["q at the mean"]
    assert tables["calibration"].rows[0][1] == Spread(first["mean"]["ece"], first["std"]["ece"])
    assert tables["calibration"].rows[0][4] is None
    assert tables["outliers"].rows == (("negative ELBO", Spread(0.9, 0.01)), ("latent variance", None))
    assert "12 held-out samples against 500 of digits" in tables["outliers"].note
