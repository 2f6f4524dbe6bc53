"""One classifier of many: ranked on held-out rows, scored once; and the figures of its sizes and of its attention."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import squares
from vaeclust_jax.data import Dataset
from vaeclust_jax.experiments import EXPERIMENTS
from vaeclust_jax.experiments.course_vit import CELLS, GRID
from vaeclust_jax.folder.records.metrics_file import read_metrics
from vaeclust_jax.studies.classification import hold_back
from vaeclust_jax.studies.execute import execute, parts_of
from vaeclust_jax.studies.experiment import Arm, Sized

X, Y = squares()


def test_the_cells_are_the_sources() -> None:
    """Means by width as its table has them, and the ends of its list."""
    assert len({cell.name for cell in CELLS}) == len(CELLS) == 40
    means = {dim: np.mean([cell.accuracy for cell in CELLS if cell.dim == dim]) for dim in (32, 64, 128, 256)}
    np.testing.assert_allclose(list(means.values()), [0.9814, 0.9835, 0.9845, 0.9834], atol=1e-4)
    assert (CELLS[0].name, CELLS[0].accuracy, CELLS[0].seconds) == ("128/8/128", 0.9871, 351.1)
    assert [cell.accuracy for cell in CELLS] == sorted((cell.accuracy for cell in CELLS), reverse=True)


def test_each_cell_is_an_arm_with_its_sizes() -> None:
    config = vc.Config(GRID.method, GRID.prepare, GRID.network, GRID.training)
    for cell in CELLS:
        network = GRID.arms[cell.name].configure(config).network
        assert (network.dim, network.depth, network.mlp_dim, network.heads) == (cell.dim, cell.depth, cell.mlp_dim, 8)
        network.check((28, 28, 1))


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if EXPERIMENTS[name].quick is not None])
def test_a_quick_form_is_of_digits_and_fits_them(name: str) -> None:
    quick = EXPERIMENTS[name].quick(EXPERIMENTS[name])
    if quick.dataset == "digits":
        size = quick.prepare.image_size
        shape = (*size, 1) if isinstance(size, tuple) else (8, 8, 1)
        quick.network.resolved(shape).check(shape)


@pytest.mark.long
def test_the_best_on_held_out_rows_alone_is_scored(tmp_path: Path) -> None:
    small = vc.ViT(patch=4, dim=8, depth=1, mlp_dim=8, heads=2, latent_dim=8)
    arms = {
        "blind": Arm(lambda config: replace(config, network=replace(config.network, input_std=1e6))),
        "seeing": Arm(lambda config: config),
    }
    sized = (Sized("blind", 0.9, 10.0), Sized("seeing", 0.8, 5.0))
    experiment = replace(EXPERIMENTS["course-vit"], arms=arms, chooses=sized)
    config = vc.Config(
        vc.METHODS["classifier"](epochs=8), vc.PrepareConfig(), small, vc.TrainingConfig(16, learning_rate=0.01)
    )
    dataset = Dataset(X[..., None], Y, "tiny", num_classes=3, source="made up")
    parts = parts_of(experiment, config, dataset)
    record, tables = execute(experiment, config, parts, (4, 9), tmp_path, say=lambda line: None)
    assert read_metrics(tmp_path / "metrics.json") == record
    assert [one.arm for one in record.candidates] == ["seeing", "blind"]
    assert list(record.results) == [record.method] == ["seeing"]
    assert [table.name for table in tables] == ["scores", "candidates"]
    fitted, _ = hold_back(dataset)
    kept = [vc.load(tmp_path, seed=seed) for seed in (4, 9)]
    assert all(run.config.network.input_std < 1e6 for run in kept), "the models kept are those of the best"
    rows = vc.data.split_rows(len(fitted.x), kept[0].config.prepare)[1]
    shares = [(run.predict(fitted.x[rows]) == fitted.y[rows]).mean() for run in kept]
    assert record.candidates[0].accuracy == pytest.approx(np.mean(shares))
    assert {"attention.png", "sizes.png"} <= {path.name for path in tmp_path.glob("*.png")}
