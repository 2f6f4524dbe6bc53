"""What is missing from rows, as a Boltzmann machine holds it likely beside what is known."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from vaeclust_jax.errors import InputError
from vaeclust_jax.objectives.rbm import RBMParams, restored
from vaeclust_jax.types import Key


def restore(
    key: Key,
    machine: RBMParams,
    visible: Float[np.ndarray, "n v"],
    known: Bool[np.ndarray, "n v"] | Bool[np.ndarray, " v"],
    steps: int = 1000,
) -> Float[np.ndarray, "n v"]:
    """Rows whose unknown units are the mean of what the machine holds likely beside the known ones.

    Args:
        key: of the Gibbs chains, one a row.
        machine: whose first visible units are the data's.
        visible: the rows, with known units in [0, 1]; unknown ones may have any values.
        known: which units keep their values, of all rows or of each.
        steps: of each chain, of which the first half is passed over.

    Raises:
        InputError: a mask of another shape, one by which everything or nothing is known, or known values that are not
            in [0, 1].
    """
    known = np.asarray(known)
    if known.dtype != bool or known.shape not in (visible.shape, visible.shape[1:]):
        raise InputError(
            f"known must be True or False for each of {visible.shape[1]} values, got {known.dtype} {known.shape}"
        )
    known = np.broadcast_to(known, visible.shape)
    if known.all():
        raise InputError("known is True everywhere: nothing is missing, leave restoring out")
    if not known.any(axis=1).all():
        raise InputError("known is False for a whole row: of nothing, new samples can be drawn instead")
    if (wrong := known & ~((visible >= 0) & (visible <= 1))).any():  # NaN is neither
        row = int(wrong.any(axis=1).argmax())
        raise InputError(
            f"visible must lie in [0, 1] where it is known, got {visible[row][wrong[row]][0]:.4g} in row {row}: give "
            "rows as the machine was trained on them, those of run.prepare"
        )
    if steps < 1:
        raise InputError(f"steps must be at least 1, got {steps}")
    n, more = len(visible), len(machine.visible) - visible.shape[1]
    start = jnp.where(known, visible, jax.nn.sigmoid(machine.visible[: visible.shape[1]]))
    start = jnp.concatenate([start, jnp.full((n, more), 0.5)], axis=1)
    held = jnp.concatenate([jnp.asarray(known), jnp.zeros((n, more), bool)], axis=1)
    return np.asarray(restored(key, machine, start, held, steps)[:, : visible.shape[1]])
