"""Images with a region missing, restored: how large the error is, beside the mean image and the nearest row."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.density import Restoration
from vaeclust_jax.keys import PASSES, key_of
from vaeclust_jax.methods.boltzmann import BoltzmannMethod
from vaeclust_jax.methods.restoring import restore
from vaeclust_jax.streamed import spaced

STEPS = 500
_MOST = 200  # held-out rows that are restored
_SMALL, _LARGE, _OF = 12, 16, 28  # rows of a digit of MNIST, of all its rows


def regions(height: int, width: int) -> dict[str, Bool[np.ndarray, "h w"]]:
    """What is missing, by name: 12 and 16 of 28 rows at the top, 12 of 28 on each other side, and the middle.

    Every region leaves something and takes something, of images of at least two pixels a side.
    """

    def part(share: int, side: int) -> int:
        return min(max(round(share / _OF * side), 1), side - 1)

    rows, columns = np.arange(height)[:, np.newaxis], np.arange(width)[np.newaxis]
    small = part(_SMALL, height), part(_SMALL, width)
    above, before = (height - small[0]) // 2, (width - small[1]) // 2
    inside = (rows >= above) & (rows < above + small[0]) & (columns >= before) & (columns < before + small[1])
    everywhere = np.ones((height, width), bool)
    return {
        f"top {small[0]} rows": everywhere & (rows < small[0]),
        f"top {part(_LARGE, height)} rows": everywhere & (rows < part(_LARGE, height)),
        "bottom": everywhere & (rows >= height - small[0]),
        "left": everywhere & (columns < small[1]),
        "right": everywhere & (columns >= width - small[1]),
        "middle": inside,
    }


def restorations(runs: Sequence[Run], seeds: Sequence[int], data: Prepared) -> tuple[Restoration, ...]:
    """The errors of a method on some held-out images, a row a region; none of other samples."""
    shape = data.preparation.output_shape
    if len(shape) != 3 or shape[2] != 1 or min(shape[:2]) < 2:
        return ()
    method = method_of(runs[0])
    x = as_units(method, data, data.validation_index, _MOST)
    train = as_units(method, data, data.train_index, len(data.train_index))
    found = []
    for region, missing in regions(*shape[:2]).items():
        gone = missing.ravel()
        guesses = [restored(run, seed, x, gone) for run, seed in zip(runs, seeds, strict=True)]
        errors = [((guess - x)[:, gone] ** 2).mean() for guess in guesses]
        nearest = train[_nearest(x[:, ~gone], train[:, ~gone])]
        found.append(
            Restoration(
                region=region,
                machine=float(np.mean(errors)),
                mean_image=float(((train.mean(axis=0) - x)[:, gone] ** 2).mean()),
                neighbour=float(((nearest - x)[:, gone] ** 2).mean()),
            )
        )
    return tuple(found)


def restored(
    run: Run, seed: int, x: Float[np.ndarray, "n v"], gone: Bool[np.ndarray, " v"], steps: int = STEPS
) -> Float[np.ndarray, "n v"]:
    """Rows with the units that are gone restored."""
    method = method_of(run)
    return restore(key_of(seed, PASSES), method.machine(run.params), np.where(gone, 0, x), ~gone, steps)


def as_units(method: BoltzmannMethod, data: Prepared, index: np.ndarray, most: int) -> Float[np.ndarray, "n v"]:
    """Some of the rows as the machine's units, evenly spaced: data sets may be sorted by class."""
    return np.asarray(method.units(jnp.asarray(data.rows[index[spaced(len(index), most)]])), np.float32)


def _nearest(x: Float[np.ndarray, "n k"], among: Float[np.ndarray, "m k"]) -> np.ndarray:
    squares = (among**2).sum(axis=1) - 2 * x @ among.T
    return squares.argmin(axis=1)


def damaged(x: Float[np.ndarray, "n v"], gone: Bool[np.ndarray, " v"]) -> Float[np.ndarray, "n v"]:
    """Rows as they are shown with a region missing: grey there."""
    return np.where(gone, np.float32(0.5), x)


def method_of(run: Run) -> BoltzmannMethod:
    """The method of a run of this task.

    Raises:
        InputError: it has no energy.
    """
    if not isinstance(run.config.method, BoltzmannMethod):
        raise InputError(f"the task density asks a BoltzmannMethod, got {type(run.config.method).__name__}")
    return run.config.method
