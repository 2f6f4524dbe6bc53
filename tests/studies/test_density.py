"""Studies of densities: likelihoods on held-out rows, restored regions, and what is written."""

from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import bernoulli
from sklearn.linear_model import LogisticRegression

import vaeclust_jax as vc
from vaeclust_jax.data import Dataset
from vaeclust_jax.experiments import EXPERIMENTS, experiment_of
from vaeclust_jax.fitting.resolve import Preparations
from vaeclust_jax.folder import Table
from vaeclust_jax.folder.records.density import SeedDensityScores
from vaeclust_jax.folder.records.metrics_file import read_metrics
from vaeclust_jax.methods import rbm
from vaeclust_jax.objectives.rbm import Chain, RBMParams, log_partition
from vaeclust_jax.studies import density, density_figures
from vaeclust_jax.studies.density import DENSITY
from vaeclust_jax.studies.execute import execute, parts_of
from vaeclust_jax.studies.experiment import Arm, unchanged
from vaeclust_jax.studies.few_labels import few_labels
from vaeclust_jax.studies.restoration import regions

SEEDS = (4, 9)


def bands() -> Dataset:
    """6 x 6 images with a bright band in one of three places."""
    draws = np.random.default_rng(1)
    y = np.arange(90) % 3
    x = draws.integers(0, 60, (90, 6, 6, 1))
    for row, label in enumerate(y):
        x[row, 2 * label : 2 * label + 2] += 180
    return Dataset(x.astype(np.uint8), y, "bands", num_classes=3, source="made up")


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], list[Table]]:
    """With few temperatures: what is tested is which rows and models the estimates are of."""
    folder = tmp_path_factory.mktemp("rbm")
    experiment = replace(experiment_of("rbm"), arms={"rbm": Arm(unchanged)})
    config = vc.Config(
        vc.RBM(5, epochs=20), vc.PrepareConfig(image_size=None), training=vc.TrainingConfig(16, learning_rate=0.1)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(density, "_TEMPERATURES", (200, 200))
        record, tables = execute(
            experiment, config, parts_of(experiment, config, bands()), SEEDS, folder, say=lambda line: None
        )
    assert read_metrics(folder / "metrics.json") == record
    return folder, record.record(), tables


@pytest.mark.long
def test_likelihoods_are_those_of_held_out_rows(studied: tuple[Path, dict[str, Any], list[Table]]) -> None:
    folder, record, _ = studied
    x = bands().x
    for seed, row in zip(SEEDS, record["seeds"], strict=True):
        run = vc.load(folder, seed=seed)
        train, held_out = vc.data.split_rows(len(x), run.config.prepare)
        method = run.config.method
        assert isinstance(method, vc.RBM)
        log_z = float(log_partition(method.machine(run.params)))
        for rows, name in ((held_out, "exact"), (train, "train")):
            units = jnp.asarray((x[rows] / 255 >= 0.5).reshape(len(rows), -1), jnp.float32)
            wanted = -float(method.energy(run.params, units).mean()) - log_z
            assert row[name] == pytest.approx(wanted, abs=1e-3 if name == "exact" else 0.5)
        assert row["log_likelihood"] == pytest.approx(row["exact"], abs=0.5)
        assert row["reverse"] == pytest.approx(row["exact"], abs=1.5)


@pytest.mark.long
def test_what_units_without_connections_have_is_beside_it(studied: tuple[Path, dict[str, Any], list[Table]]) -> None:
    folder, record, _ = studied
    units = (bands().x / 255 >= 0.5).reshape(90, -1)
    train, held_out = vc.data.split_rows(90, vc.load(folder, seed=SEEDS[0]).config.prepare)
    law = bernoulli(np.clip(units[train].mean(axis=0), 1e-3, 1 - 1e-3))
    assert record["mean"]["independent"] == pytest.approx(law.logpmf(units[held_out]).sum(axis=1).mean(), abs=1e-3)
    assert not any("nothing of use" in line for line in record["warnings"])


def test_a_machine_that_learned_nothing_of_use_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(density, "_TEMPERATURES", (200, 200))
    data = Preparations(bands(), None).of(vc.Config(vc.RBM(4), vc.PrepareConfig(image_size=None)))
    run = vc.fit(vc.Config(vc.RBM(4, epochs=5), training=vc.TrainingConfig(16, learning_rate=0.1)), bands().x, 0)
    sentence = "less likely under rbm with seed 3 than under units without connections"
    for of, said in ((run, False), (replace(run, params=jax.tree.map(jnp.negative, run.params)), True)):
        row = SeedDensityScores(seed=3, **asdict(density.judged(of, data)))
        assert any(sentence in line for line in density._doubts("rbm", row)) == said


@pytest.mark.parametrize(
    ("forward", "reverse", "exact", "apart", "reversed_order"),
    [
        (-190.5, -165.3, -209.12, "25.2 nats apart", True),
        (-70.0, -73.0, None, "3.0 nats apart", False),
        (-73.0, -73.5, -73.2, None, False),
    ],
)
def test_two_directions_that_disagree_bound_nothing(
    forward: float, reverse: float, exact: float | None, apart: str | None, reversed_order: bool
) -> None:
    rest = {"train": None, "deviation": None, "pseudo": None, "independent": -300.0}
    row = SeedDensityScores(seed=3, log_likelihood=forward, reverse=reverse, exact=exact, **rest)
    said = " ".join(density._doubts("rbm", row))
    assert bool(apart) == bool(said)
    assert apart is None or (apart in said and "neither can be believed" in said and "may lie outside both" in said)
    assert ("exactly it is -209.12 nats." in said) == (exact == -209.12)
    assert ("the reverse chains had not reached the machine's own samples" in said) == reversed_order


@pytest.mark.long
def test_regions_are_restored_better_than_by_the_mean_image(
    studied: tuple[Path, dict[str, Any], list[Table]],
) -> None:
    folder, record, tables = studied
    assert [row["region"] for row in record["restored"]] == list(regions(6, 6))
    top = record["restored"][0]
    assert top["machine"] < top["mean_image"]
    assert [table.name for table in tables] == ["scores", "restored", "few-labels"]
    names = {"chains", "few_labels", "components_rbm", "gibbs_rbm", "loss_parts_rbm", "restored_rbm", "samples_rbm"}
    assert {path.stem for path in folder.glob("*.png")} == names


@pytest.mark.long
def test_features_with_few_labels_are_scored_on_rows_that_nothing_saw(
    studied: tuple[Path, dict[str, Any], list[Table]],
) -> None:
    folder, record, _ = studied
    x, y = bands().x.reshape(90, -1), bands().y
    run = vc.load(folder, seed=SEEDS[0])
    train, held_out = vc.data.split_rows(90, run.config.prepare)
    assert [row["labels"] for row in record["few_labels"]] == [1, 3, 10]
    assert record["protocol"]["labels_used_for"] == "scoring features alone"
    units = (x / 255 >= 0.5).astype(float)
    assert y is not None
    last = record["few_labels"][-1]
    for name, features in (("values", units), ("rbm", run.embed(bands().x))):
        accuracies = []
        for draw in range(20):  # other draws of the labelled rows: the same mean
            random = np.random.default_rng(draw)
            rows = [random.choice(np.flatnonzero(y[train] == one), 10, replace=False) for one in range(3)]
            known = train[np.concatenate(rows)]
            accuracies.append(
                LogisticRegression().fit(features[known], y[known]).score(features[held_out], y[held_out])
            )
        error = np.hypot(np.std(accuracies), last["deviation"][name]) / np.sqrt(10)
        assert last["accuracy"][name] == pytest.approx(np.mean(accuracies), abs=4 * error + 1e-6), name
    assert set(last["accuracy"]) == {"rbm", "values"}


@pytest.mark.parametrize("y", [None, np.zeros(90, int)], ids=["no labels", "one class"])
def test_without_classes_there_is_nothing_to_learn_from_few_labels(y: np.ndarray | None) -> None:
    data = Preparations(replace(bands(), y=y), None).of(vc.Config(vc.RBM(2)))
    assert few_labels({}, {"rbm": data}, replace(bands(), y=y), [0]) == ()


def test_regions_leave_something_and_take_something() -> None:
    for shape in ((2, 2), (3, 5), (8, 8), (28, 28)):
        for name, missing in regions(*shape).items():
            assert missing.shape == shape, name
            assert 0 < missing.sum() < missing.size, name
    of_mnist = regions(28, 28)
    assert [int(missing.sum()) for missing in of_mnist.values()] == [336, 448, 336, 336, 336, 144]
    assert of_mnist["top 16 rows"][:16].all()


def test_without_held_out_rows_nothing_is_judged(tmp_path: Path) -> None:
    experiment = experiment_of("rbm")
    config = vc.Config(vc.RBM(2, epochs=1), vc.PrepareConfig(validation=0.0))
    with pytest.raises(vc.InputError, match="a density is judged by held-out rows, at least one"):
        execute(experiment, config, parts_of(experiment, config, bands()), [0], tmp_path, say=lambda line: None)
    assert not list(tmp_path.iterdir())


def test_the_experiments_have_a_quick_form_without_download() -> None:
    for name in ("course-rbm", "course-rbm-scan", "course-dbm"):
        experiment = EXPERIMENTS[name]
        assert experiment.quick is not None
        quick = experiment.quick(experiment)
        assert quick.dataset == "digits"
        config = vc.Config(quick.method, quick.prepare, quick.network, quick.training)
        for arm in quick.arms.values():
            assert arm.configure(config).method.task == "density"
    scan = EXPERIMENTS["course-rbm-scan"]
    assert scan.quick is not None
    assert (len(scan.arms), len(scan.quick(scan).arms)) == (18, 8)
    assert DENSITY.needs == ("score", "sample")


def test_chains_without_data_walk_on_from_where_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    run = vc.fit(vc.Config(vc.RBM(4, epochs=1), vc.PrepareConfig(validation=0.2)), bands().x, 0)
    walked: list[tuple[int, bool]] = []
    real, last = density_figures.gibbs, []

    def gibbs(key: jax.Array, machine: RBMParams, start: jax.Array, steps: int) -> Chain:
        walked.append((steps, start is last[-1].visible))
        last.append(real(key, machine, start, steps))
        return last[-1]

    def sample(key: jax.Array, machine: RBMParams, number: int, steps: int) -> Chain:
        walked.append((steps, True))
        last.append(rbm.sample(key, machine, number, steps))
        return last[-1]

    monkeypatch.setattr(density_figures, "gibbs", gibbs)
    monkeypatch.setattr(density_figures, "sample", sample)
    found = density_figures._sampled({"rbm": run}, 0, SimpleNamespace(preparation=run.preparation))
    assert walked == [(1, True), (9, True), (990, True)]
    assert list(found) == ["rbm, 1 step", "rbm, 10 steps", "rbm, 1000 steps"]
    for chain, shown in zip(last, found.values(), strict=True):
        np.testing.assert_array_equal(shown, np.asarray(chain.mean).reshape(10, 6, 6, 1))
