"""A vision transformer that classifies MNIST, and forty sizes of it, ranked on held-out rows.

    vaeclust run course-vit                                        # 128 wide, 8 blocks, 128 in each block's MLP
    vaeclust run course-vit --dim 32 --depth 4 --mlp-dim 64        # any other cell
    vaeclust run course-vit-grid                                   # all forty in full: hours on a GPU
    vaeclust run course-vit-grid --quick                           # digits, 2 epochs each, every fifth cell
    vaeclust run course-vit-grid --dataset digits --patch 2 --batch-size 32 --epochs 2    # all forty in that form
    vaeclust run course-attention --quick                          # what patches look at

The source has 8 heads, 128 rows a step and 20 epochs. It reports for each cell its accuracy on the test part (.9778 to
.9871) and seconds; the best is 128 wide with 8 blocks and 128 in each MLP. It does not say the patch, the optimiser, or
how a cell was chosen. Here patches are of 4 x 4 pixels, Adam has 5e-4, and the cell with the best accuracy on held-out
rows is scored on the test part, alone and once. The encoder's mean is the last hidden layer, as wide as a token.

The second arm sees random views of the images, which the source does not say that it had.

The grid goes on where it was ended (`--resume`), cell by cell.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import Config, TrainingConfig, with_method
from vaeclust_jax.methods.classifier import Classifier
from vaeclust_jax.networks import ViT
from vaeclust_jax.studies.experiment import Arm, Experiment, Sized, unchanged, with_network


class Cell(NamedTuple):
    """A cell of the source's table: sizes, and the accuracy on the test part and the seconds that it reports."""

    dim: int
    depth: int
    mlp_dim: int
    accuracy: float
    seconds: float

    @property
    def name(self) -> str:
        """As its arm is called."""
        return f"{self.dim}/{self.depth}/{self.mlp_dim}"

    def configure(self, config: Config) -> Config:
        """`Arm.configure`."""
        return with_network(config, dim=self.dim, depth=self.depth, mlp_dim=self.mlp_dim, latent_dim=self.dim)


CELLS = (
    Cell(128, 8, 128, 0.9871, 351.1),
    Cell(128, 6, 256, 0.9863, 309.6),
    Cell(128, 4, 512, 0.9860, 455.0),
    Cell(256, 4, 512, 0.9859, 730.3),
    Cell(128, 8, 64, 0.9857, 351.4),
    Cell(64, 8, 128, 0.9856, 356.4),
    Cell(64, 4, 128, 0.9851, 264.4),
    Cell(64, 8, 256, 0.9849, 355.6),
    Cell(64, 6, 128, 0.9847, 310.6),
    Cell(32, 8, 128, 0.9845, 350.2),
    Cell(128, 6, 128, 0.9842, 500.1),
    Cell(128, 8, 256, 0.9841, 352.6),
    Cell(256, 8, 64, 0.9839, 999.3),
    Cell(128, 10, 64, 0.9838, 710.6),
    Cell(128, 6, 64, 0.9837, 311.1),
    Cell(128, 4, 256, 0.9837, 270.3),
    Cell(32, 10, 256, 0.9835, 605.7),
    Cell(64, 8, 64, 0.9835, 356.8),
    Cell(64, 4, 64, 0.9834, 281.3),
    Cell(128, 10, 128, 0.9833, 758.1),
    Cell(32, 8, 256, 0.9833, 353.7),
    Cell(128, 4, 128, 0.9833, 269.3),
    Cell(64, 6, 256, 0.9831, 461.7),
    Cell(256, 10, 128, 0.9831, 1302.0),
    Cell(128, 4, 64, 0.9829, 268.8),
    Cell(32, 8, 64, 0.9829, 351.6),
    Cell(256, 8, 128, 0.9827, 1067.3),
    Cell(64, 6, 64, 0.9827, 309.7),
    Cell(32, 8, 512, 0.9820, 529.6),
    Cell(32, 6, 128, 0.9819, 311.4),
    Cell(32, 6, 64, 0.9816, 313.3),
    Cell(64, 4, 256, 0.9816, 267.8),
    Cell(256, 10, 256, 0.9815, 1432.3),
    Cell(32, 6, 256, 0.9809, 403.2),
    Cell(32, 4, 512, 0.9808, 301.9),
    Cell(32, 4, 256, 0.9808, 266.2),
    Cell(64, 4, 512, 0.9807, 358.5),
    Cell(32, 4, 128, 0.9798, 266.7),
    Cell(32, 4, 64, 0.9788, 268.2),
    Cell(32, 6, 512, 0.9778, 418.6),
)
"""As the source reports them, the best first."""
_EVERY = 5
"""Each cell is a program of its own, so that forty take long to compile."""


def _quick(epochs: int) -> Callable[[Experiment], Experiment]:
    def quick(experiment: Experiment) -> Experiment:
        assert isinstance(experiment.network, ViT)
        network = replace(experiment.network, patch=2)
        training = TrainingConfig(batch_size=32, learning_rate=1e-3)
        method = Classifier(epochs=epochs)
        return replace(experiment, dataset="digits", network=network, training=training, method=method)

    return quick


def _grid(cells: tuple[Cell, ...]) -> dict[str, Any]:
    """The arms of the cells, and their sizes."""
    return {
        "arms": {cell.name: Arm(cell.configure) for cell in cells},
        "chooses": tuple(Sized(cell.name, cell.accuracy, cell.seconds) for cell in cells),
    }


EXPERIMENT = Experiment(
    name="course-vit",
    summary="vision transformer that classifies MNIST, at most 20 epochs",
    dataset="mnist",
    arms={"vit": Arm(unchanged), "vit, views": Arm(lambda config: with_method(config, augment=1.0))},
    prepare=PrepareConfig(validation=1 / 12),
    method=Classifier(epochs=20),
    network=ViT(patch=4, dim=128, depth=8, mlp_dim=128, heads=8, latent_dim=128),
    training=TrainingConfig(batch_size=128, learning_rate=5e-4),
    quick=_quick(15),
)

GRID = replace(
    EXPERIMENT,
    name="course-vit-grid",
    summary="forty sizes of course-vit, ranked on held-out rows, the best of them tested",
    **_grid(CELLS),
    quick=lambda experiment: replace(_quick(2)(experiment), **_grid(CELLS[::_EVERY])),
)

ATTENTION = replace(
    EXPERIMENT,
    name="course-attention",
    summary="a small vision transformer, and what its patches look at",
    arms={"vit": Arm(unchanged)},
    network=ViT(patch=4, dim=32, depth=4, mlp_dim=64, heads=8, latent_dim=32),
    quick=_quick(30),
)
