"""What several processes of one fit do together: all of them make each of these calls, in the same order."""

from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding


def put(values: Any, sharding: NamedSharding) -> Any:
    """As `jax.device_put`; where other processes have some of the devices, each has all values and puts its part."""
    if sharding.is_fully_addressable:
        return jax.device_put(values, sharding)

    def put_part(value: Any) -> jax.Array:
        if jax.dtypes.issubdtype(getattr(value, "dtype", None), jax.dtypes.prng_key):
            return jax.random.wrap_key_data(put_part(jax.random.key_data(value)))
        host = np.asarray(value)
        return jax.make_array_from_callback(host.shape, sharding, lambda index: host[index])

    return jax.tree.map(put_part, values)


def fetched(tree: Any) -> Any:
    """As `jax.device_get`; all processes call it together, and each gets the whole."""
    if all(getattr(leaf, "is_fully_addressable", True) for leaf in jax.tree.leaves(tree)):
        return jax.device_get(tree)
    from jax.experimental.multihost_utils import process_allgather

    return process_allgather(tree, tiled=True)


def of_first(tree: Any) -> Any:
    """What the first process has, on the host of all: processors may round differently."""
    if jax.process_count() == 1:
        return tree
    from jax.experimental.multihost_utils import broadcast_one_to_all

    return jax.tree.map(np.asarray, broadcast_one_to_all(tree))


def any_of(asked: bool) -> bool:
    """Whether one of the processes is asked."""
    if jax.process_count() == 1:
        return asked
    from jax.experimental.multihost_utils import process_allgather

    return bool(process_allgather(np.array([asked], np.uint8)).any())


def bytes_of_first(own: bytes) -> bytes:
    """What the first process has; the others' own are not looked at."""
    if jax.process_count() == 1:
        return own
    size = int.from_bytes(of_first(np.frombuffer(len(own).to_bytes(8, "little"), np.uint8)).tobytes(), "little")
    padded = np.frombuffer(own.ljust(size, b"\0")[:size], np.uint8)
    return bytes(of_first(padded).tobytes())
