"""Whether a fit can be in memory at all, asked before anything is computed."""

import math
from collections.abc import Sequence

import jax

from vaeclust_jax.errors import InputError
from vaeclust_jax.machine import memory
from vaeclust_jax.training.mesh import Mesh
from vaeclust_jax.types import State


def check_memory(states: Sequence[State], num_seeds: int, mesh: Mesh | None = None) -> None:
    """Refuses states that the machine cannot hold once: a system that runs out of memory ends the process unasked.

    Args:
        states: of one seed, a stage each, as `jax.eval_shape` gives them.
        num_seeds: trained as one program, so that all of them are in memory.
        mesh: of the devices that train; None: the first.

    Raises:
        InputError: says what a seed takes, and what there is.
    """
    room = _memory(1 if mesh is None else mesh.num_devices)
    for state in states:
        of_one = sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
        if room is not None and of_one * num_seeds > room:
            raise InputError(
                f"training needs {of_one * num_seeds / 1e9:,.1f} GB at least ({of_one / 1e9:,.1f} GB a seed), and "
                f"there are {room / 1e9:,.1f} GB: make the network smaller (latent_dim, hidden), or take fewer seeds"
            )


def _memory(num_devices: int) -> int | None:
    """Bytes of the devices that train; None where the system does not say."""
    devices = jax.local_devices()[:num_devices]
    if devices[0].platform != "cpu":
        stats = [device.memory_stats() for device in devices]
        return sum(one["bytes_limit"] for one in stats) if all(stats) else None
    return memory()
