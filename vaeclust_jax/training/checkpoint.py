"""Arrays on disk through orbax, restored onto whatever device is there."""

from pathlib import Path
from typing import Any

import jax


def save_arrays(folder: Path, tree: Any) -> None:
    """Writes a pytree of arrays into `folder`, which orbax makes; it appears whole or not at all."""
    import orbax.checkpoint as ocp

    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder.absolute(), tree)


def restore_arrays(folder: Path, like: Any) -> Any:
    """Reads a pytree with the structure, shapes and dtypes of `like` onto this machine's default device.

    Raises:
        ValueError, KeyError, OSError: from orbax, if the folder holds something else.
    """
    import orbax.checkpoint as ocp

    # Without a sharding orbax asks for the devices that wrote the arrays.
    here = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    abstract = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=here), like)
    with ocp.StandardCheckpointer() as checkpointer:
        return checkpointer.restore(folder.absolute(), abstract)
