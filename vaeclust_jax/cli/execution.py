"""How a run is carried out, which is no setting of its model: on which devices, and how often it is kept."""

from typing import Any

from vaeclust_jax.errors import InputError


def mesh_of(devices: int | None, text: str | None, num_seeds: int) -> Any:
    """The `Mesh` that was asked for, or the devices of several processes; None: nobody asked, and there is one.

    Args:
        devices: `--devices`.
        text: `--mesh`.
        num_seeds: to lay over the devices.

    Raises:
        InputError: no such mesh, or one of another number of devices.
    """
    import jax  # which takes long

    from vaeclust_jax.training.mesh import Mesh

    if text is None and devices is None and jax.process_count() > 1:
        devices = jax.device_count()
    if text is None:
        return None if devices is None else Mesh.of_devices(devices, num_seeds)
    mesh = Mesh.of_text(text)
    if devices not in (None, mesh.num_devices):
        raise InputError(
            f"the mesh {mesh} is {mesh.num_devices} devices, and --devices says {devices}: leave one of them out"
        )
    return mesh


def check_checkpoints(epochs: int | None, minutes: float) -> None:
    """Whether checkpoints can be so far apart.

    Raises:
        InputError: they cannot.
    """
    if epochs is not None and epochs < 1:
        raise InputError(f"checkpoint_epochs must be at least 1, got {epochs}")
    if not minutes > 0:
        raise InputError(f"checkpoint_minutes must be positive, got {minutes}")
