"""How a run is carried out, which is no setting of its model: on which devices, and how often it is kept."""

import math
from typing import Any

from vaeclust_jax.errors import InputError

_SHARE = 0.25
"""Of memory, that copies of the rows may take where nobody asked for devices: each device has its own."""


def mesh_of(devices: int | None, text: str | None, num_seeds: int) -> Any:
    """The `Mesh` that was asked for, else seeds over the cores of a CPU or the devices of several processes.

    A CPU is made as many devices as are asked for, up to its cores: small products leave all but one of them idle.

    Args:
        devices: `--devices`.
        text: `--mesh`.
        num_seeds: to lay over the devices.

    Returns:
        None: nobody asked, and one device is all there is to use.

    Raises:
        InputError: no such mesh, or one of another number of devices.
    """
    import jax  # which takes long

    from vaeclust_jax.training.mesh import Mesh, made_of_cores

    mesh = None if text is None else Mesh.of_text(text)
    if mesh is not None and devices not in (None, mesh.num_devices):
        raise InputError(
            f"the mesh {mesh} is {mesh.num_devices} devices, and --devices says {devices}: leave one of them out"
        )
    asked = devices if mesh is None else mesh.num_devices
    if jax.distributed.is_initialized():
        return mesh or Mesh.of_devices(jax.device_count() if asked is None else asked, num_seeds)
    if asked is None:
        of_cores = Mesh.of_cores(num_seeds)
        return of_cores if of_cores.seeds > 1 else None
    made_of_cores(asked)
    return mesh or Mesh.of_devices(asked, num_seeds)


def has_room(mesh: Any, num_rows: int, shape: tuple[int, ...]) -> bool:
    """Whether every device of a mesh may have a copy of so many samples of a shape, without anybody having asked."""
    from vaeclust_jax.machine import memory

    room = memory()
    return room is None or 4 * num_rows * math.prod(shape) * mesh.num_devices <= _SHARE * room


def check_checkpoints(epochs: int | None, minutes: float) -> None:
    """Whether checkpoints can be so far apart.

    Raises:
        InputError: they cannot.
    """
    if epochs is not None and epochs < 1:
        raise InputError(f"checkpoint_epochs must be at least 1, got {epochs}")
    if not minutes > 0:
        raise InputError(f"checkpoint_minutes must be positive, got {minutes}")
