"""How a fit lies on a mesh: its seeds over devices, and its rows over the devices of a seed.

Seeds do not see each other, so that devices along `seeds` exchange nothing. Along `rows` lie the training rows, those
held out, and what `State.memory` holds of a row; a batch is the one of a single device, divided. Everything else is the
same on all devices of a seed. XLA sums over devices where the mathematics sums over rows.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import PartitionSpec
from jaxtyping import Array, Float, Int

from vaeclust_jax.streamed import Streamed
from vaeclust_jax.training.mesh import ROWS, SEEDS, Mesh
from vaeclust_jax.training.processes import fetched, put
from vaeclust_jax.types import Key

_WHOLE, _BY_SEED, _BY_ROW = PartitionSpec(), PartitionSpec(SEEDS), PartitionSpec(ROWS)
_BY_SEED_AND_ROW = PartitionSpec(SEEDS, ROWS)


@jax.tree_util.register_pytree_node_class
class LaidRows:
    """Rows (n, ...) of which each device along `rows` has a part; inside the programs of a mesh alone.

    It stands where an array would: an index gives those rows, on the devices that compute them.

    Args:
        array: the rows, then rows of zeros up to a number that divides.
        num_rows: n.
        num_parts: devices along `rows`.
    """

    def __init__(self, array: Array, num_rows: int, num_parts: int):
        self.array, self._num_rows, self._num_parts = array, num_rows, num_parts

    def tree_flatten(self) -> tuple[tuple[Array], tuple[int, int]]:
        """For jax."""
        return (self.array,), (self._num_rows, self._num_parts)

    @classmethod
    def tree_unflatten(cls, sizes: tuple[int, int], arrays: tuple[Array]) -> Self:
        """For jax."""
        return cls(*arrays, *sizes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Without the zeros."""
        return (self._num_rows, *self.array.shape[1:])

    def __len__(self) -> int:
        return self._num_rows

    def __getitem__(self, index: Int[Array, " b"]) -> Float[Array, "b ..."]:
        return rows_of(self.array, index)

    def map_chunks(self, function: Callable[[Array], Array], rows_at_once: int) -> Float[Array, "m k"]:
        """`function` of all rows, the zeros included: each device its own, a chunk at a time."""
        parts, (size, *shape) = self._num_parts, self.array.shape
        own = size // parts
        chunk = math.ceil(own / math.ceil(own / rows_at_once))
        starts = jnp.minimum(jnp.arange(0, own, chunk), own - chunk)  # the last one overlaps the one before
        x = _laid(self.array.reshape(parts, own, *shape))
        answer = jax.eval_shape(function, jax.ShapeDtypeStruct((parts * chunk, *shape), self.array.dtype))

        def visit(found: Array, start: Array) -> tuple[Array, None]:
            rows = _laid(lax.dynamic_slice_in_dim(x, start, chunk, axis=1).reshape(parts * chunk, *shape))
            values = _laid(function(rows)).reshape(parts, chunk, *answer.shape[1:])
            return lax.dynamic_update_slice_in_dim(found, values, start, axis=1), None

        found = _laid(jnp.zeros((parts, own, *answer.shape[1:]), answer.dtype))
        return _laid(lax.scan(visit, found, starts)[0].reshape(size, *answer.shape[1:]))


def rows_of(array: Float[Array, "n ..."], index: Int[Array, " b"]) -> Float[Array, "b ..."]:
    """`array[index]` of what has a training row an entry, wherever its rows are; the index is on every device.

    Where rows are laid over devices, each gives those that it has, and gets its part of the batch: one
    reduce-scatter of the batch, which sums a number and zeros.
    """
    mesh = jax.sharding.get_abstract_mesh()
    if mesh.shape.get(ROWS, 1) == 1:
        return array[index]

    def of_own(own: Array, index: Array) -> Array:
        place = index - lax.axis_index(ROWS) * len(own)
        mine = ((place >= 0) & (place < len(own))).reshape(-1, *(1,) * (own.ndim - 1))
        there = jnp.where(mine, own[jnp.clip(place, 0, len(own) - 1)], jnp.zeros((), own.dtype))
        return lax.psum_scatter(there, ROWS, tiled=True)

    return jax.shard_map(
        of_own, in_specs=(_BY_ROW, _WHOLE), out_specs=_BY_ROW, axis_names={ROWS}, check_vma=False
    )(array, index)  # fmt: skip


def _laid(array: Array) -> Array:
    """The same array, its first axis over the devices along `rows`."""
    return lax.with_sharding_constraint(array, _BY_ROW)


def lay_data(mesh: Mesh, data: Any) -> Any:
    """A `Data` whose rows are on the host, or `Streamed`, as the programs of a mesh read it."""
    x, weight, num_rows = data.x, data.weight, data.x.shape[0]
    size = num_rows + -num_rows % mesh.rows
    if mesh.rows > 1 and num_rows:

        def part(index: Any) -> np.ndarray:  # slices
            start, stop, _ = index[0].indices(size)
            there = np.arange(start, max(start, min(stop, num_rows)))
            rows = np.asarray(x[there]) if len(there) else np.zeros((0, *x.shape[1:]), x.dtype)
            return _filled_up(rows, stop - start - len(rows))

        array = jax.make_array_from_callback((size, *x.shape[1:]), mesh.sharding(_BY_ROW), part, dtype=x.dtype)
        x = LaidRows(array, num_rows, mesh.rows)
    elif not isinstance(x, Streamed):
        x = put(x, mesh.sharding(_WHOLE))
    if size > num_rows:
        weight = _filled_up(np.ones(num_rows, np.float32) if weight is None else np.asarray(weight), size - num_rows)
    y, weight = put((data.y, weight), mesh.sharding(_WHOLE))
    return data._replace(x=x, y=y, weight=weight)


def _filled_up(values: np.ndarray, number: int, axis: int = 0) -> np.ndarray:
    """So many zeros behind the last of the rows."""
    return np.pad(values, [(0, number if place == axis else 0) for place in range(values.ndim)])


class Layout(NamedTuple):
    """How what a stage computes with lies on a mesh.

    Attributes:
        mesh: the devices.
        by_row: `Learner.by_row`.
        num_seeds, num_rows: before they are filled up to numbers that divide: with copies of the last seed that have
            stopped, and with rows that count 0.
    """

    mesh: Mesh
    by_row: tuple[str, ...]
    num_seeds: int
    num_rows: int

    def keys(self, keys: Key) -> Key:
        """One a seed, (S,)."""
        return put(keys[self._seeds], self.mesh.sharding(_BY_SEED))

    def lay(self, progress: Any) -> Any:
        """The `Progress` of all seeds, stacked, on the host."""

        def laid(path: Any, leaf: np.ndarray) -> Array:
            if not self._is_by_row(path):
                return put(leaf[self._seeds], self.mesh.sharding(_BY_SEED))
            filled = _filled_up(leaf[self._seeds], -leaf.shape[1] % self.mesh.rows, axis=1)
            return put(filled, self.mesh.sharding(_BY_SEED_AND_ROW))

        laid_out = jax.tree_util.tree_map_with_path(laid, progress)
        copies = put(np.arange(len(self._seeds)) >= self.num_seeds, self.mesh.sharding(_BY_SEED))
        return laid_out._replace(stopped=laid_out.stopped | copies)

    def back(self, progress: Any) -> Any:
        """What `lay` was given, as it is now."""

        def there(path: Any, leaf: np.ndarray) -> np.ndarray:
            values = leaf[: self.num_seeds]
            return values[:, : self.num_rows] if self._is_by_row(path) else values

        return jax.tree_util.tree_map_with_path(there, fetched(progress))

    def program(self, epoch: Callable[..., tuple[Any, Any]]) -> Callable[..., tuple[Any, Any]]:
        """(keys, progress, *what seeds share) -> (progress, infos), of which each device computes its own seeds."""
        # Without rows to lay nothing is left to XLA: each device runs the program of a single one.
        axes = {SEEDS} if self.mesh.rows > 1 else {SEEDS, ROWS}

        def laid(keys: Key, progress: Any, *shared: Any) -> tuple[Any, Any]:
            in_specs = (_BY_SEED, _BY_SEED, *(_WHOLE for _ in shared))
            of_devices = jax.shard_map(
                epoch, mesh=self.mesh.of_jax, in_specs=in_specs, out_specs=_BY_SEED, axis_names=axes, check_vma=False
            )
            after, infos = of_devices(keys, progress, *shared)
            return jax.tree_util.tree_map_with_path(stays, after), infos

        def stays(path: Any, leaf: Array) -> Array:
            if not self._is_by_row(path):
                return leaf
            return lax.with_sharding_constraint(leaf, self.mesh.sharding(_BY_SEED_AND_ROW))

        return laid

    @property
    def _seeds(self) -> Int[np.ndarray, " s"]:
        """Which seed is where: each device along `seeds` has as many."""
        most = self.num_seeds + -self.num_seeds % self.mesh.seeds
        return np.minimum(np.arange(most), self.num_seeds - 1)

    def _is_by_row(self, path: Any) -> bool:
        place = jax.tree_util.keystr(path, simple=True, separator="/")
        return self.mesh.rows > 1 and place.removeprefix("state/memory/") in self.by_row
