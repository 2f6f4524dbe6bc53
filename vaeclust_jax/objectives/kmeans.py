"""k-means as one compiled program: k-means++, Lloyd's iterations, restarts; under `vmap` for seeds or data sets.

Source: Lloyd, Least Squares Quantization in PCM, 1982; Arthur and Vassilvitskii, k-means++: The Advantages of Careful
Seeding, 2007, with the greedy choice among 2 + log K candidates. Convergence and empty clusters are those of
scikit-learn's `KMeans`, so that the same start ends in the same clustering.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from vaeclust_jax.checks import is_whole
from vaeclust_jax.errors import InputError
from vaeclust_jax.for_each import for_each
from vaeclust_jax.objectives.average import average
from vaeclust_jax.random import as_numbers
from vaeclust_jax.types import Key

_product = partial(jnp.matmul, precision="highest")  # else an accelerator may keep 10 bits of a float32
_FEW = 16
"""Clusters of which a CPU finds the nearest faster in one pass over the samples than in one a cluster."""
_BLOCK = 1024
"""Samples that are summed up one after the other: float32 keeps four digits at least."""


class KMeans(NamedTuple):
    """A clustering of x (n, l)."""

    centroids: Float[Array, "k l"]
    labels: Int[Array, " n"]
    """Of the nearest centroid; the first one of equally near ones."""
    inertia: Float[Array, ""]
    """Sum of squared distances to the nearest centroid, times what each sample counts."""
    iterations: Int[Array, ""]


def kmeans(
    key: Key,
    x: Float[Array, "n l"],
    num_clusters: int,
    num_restarts: int = 10,
    tolerance: float = 1e-4,
    max_iterations: int = 300,
    weight: Float[Array, " n"] | None = None,
) -> KMeans:
    """The best of several runs from k-means++ starts, by inertia.

    Works inside `jit` and `vmap`, where values of x cannot be checked.

    Args:
        key: of `jax.random.key`.
        x: finite vectors, at least K of them.
        num_clusters: K.
        num_restarts: runs.
        tolerance: a run ends when its labels stay, or when the squared move of all centroids together is at most
            this times the mean variance of the features.
        max_iterations: of one run.
        weight: above 0, what each sample counts: one of weight 2 as two of them. None: all the same.

    Raises:
        InputError: x is not finite vectors, there are fewer than K, or a number is out of range.
    """
    x = check_vectors(x, "num_clusters", num_clusters)
    check_loop(tolerance, max_iterations, num_restarts)
    return _kmeans(key, x, tolerance, num_clusters, num_restarts, max_iterations, weight)


def lloyd(
    centroids: Float[Array, "k l"],
    x: Float[Array, "n l"],
    tolerance: float = 1e-4,
    max_iterations: int = 300,
    weight: Float[Array, " n"] | None = None,
) -> KMeans:
    """One run from given centroids, see `kmeans`.

    Raises:
        InputError: as for `kmeans`.
    """
    x = check_vectors(x, "centroids", len(centroids))
    centroids = jnp.asarray(centroids, x.dtype)
    if centroids.shape[1:] != x.shape[1:]:
        raise InputError(f"centroids must have the features of x, {x.shape[1]}, got {centroids.shape[-1]}.")
    check_loop(tolerance, max_iterations)
    return _lloyd(centroids, x, tolerance, max_iterations, weight)


@partial(jax.jit, static_argnames=("num_clusters", "num_restarts", "max_iterations"))
def _kmeans(
    key: Key,
    x: Float[Array, "n l"],
    tolerance: float,
    num_clusters: int,
    num_restarts: int,
    max_iterations: int,
    weight: Float[Array, " n"] | None,
) -> KMeans:
    def run(key: Key) -> KMeans:
        return _lloyd(plus_plus(key, x, num_clusters, weight), x, tolerance, max_iterations, weight)

    runs = for_each(run, jax.random.split(key, num_restarts))
    return jax.tree.map(lambda values: values[jnp.argmin(runs.inertia)], runs)


@partial(jax.jit, static_argnames="num_clusters")
def plus_plus(
    key: Key, x: Float[Array, "n l"], num_clusters: int, weight: Float[Array, " n"] | None = None
) -> Float[Array, "k l"]:
    """K of the samples, far apart: each next one by its squared distance to those before, times what it counts.

    The best of 2 + log K candidates is taken, the one that leaves the least inertia.
    """
    num_candidates = 2 + int(np.log(num_clusters))
    columns = x.T
    first_key, others_key = jax.random.split(key)
    if weight is None:
        first = x[jax.random.randint(first_key, (), 0, len(x))]
    else:
        first = jax.random.choice(first_key, x, p=weight / weight.sum())

    numbers, key_again = as_numbers(jax.random.split(others_key, num_clusters - 1))

    def choose(nearest: Float[Array, " n"], numbers: Array) -> tuple[Float[Array, " n"], Float[Array, " l"]]:
        cumulated = jnp.cumsum(_counted(nearest, weight))
        drawn = jax.random.uniform(key_again(numbers), (num_candidates,), x.dtype) * cumulated[-1]
        candidates = x[jnp.clip(jnp.searchsorted(cumulated, drawn), max=len(x) - 1)]
        left = jax.lax.map(lambda one: jnp.minimum(nearest, _squared_distances(columns, one)), candidates)
        best = jnp.argmin(_counted(left, weight).sum(axis=1))
        return left[best], candidates[best]

    start = _squared_distances(columns, first)
    _, others = jax.lax.scan(choose, start, numbers)
    return jnp.concatenate([first[None], others])


class _Progress(NamedTuple):
    centroids: Float[Array, "k l"]
    labels: Int[Array, " n"]
    iterations: Int[Array, ""]
    moving: Bool[Array, ""]


@partial(jax.jit, static_argnames="max_iterations")
def _lloyd(
    centroids: Float[Array, "k l"],
    x: Float[Array, "n l"],
    tolerance: float,
    max_iterations: int,
    weight: Float[Array, " n"] | None = None,
) -> KMeans:
    centre = average(x, weight)  # products and sums of centred samples keep their digits
    x = x - centre[None]
    rows = jnp.concatenate([x, jnp.ones((len(x), 1), x.dtype)], axis=1)
    columns = rows.T
    variance = jnp.var(columns[:-1], axis=1) if weight is None else average(jnp.square(x), weight)
    allowed = tolerance * variance.mean()
    squares = _squared_distances(columns[:-1], jnp.zeros_like(centre))
    counted = rows if weight is None else rows * weight[:, None]

    def iterate(now: _Progress) -> _Progress:
        labels, distances = _assign(now.centroids, columns, squares)
        centroids = _update(len(now.centroids), counted, labels, distances)
        moving = jnp.any(labels != now.labels) & (jnp.square(centroids - now.centroids).sum() > allowed)
        return _Progress(centroids, labels, now.iterations + 1, moving)

    start = _Progress(centroids - centre[None], jnp.full(len(x), -1), jnp.zeros((), int), jnp.ones((), bool))
    end = jax.lax.while_loop(lambda now: now.moving & (now.iterations < max_iterations), iterate, start)
    labels, _ = _assign(end.centroids, columns, squares)
    squares_left = jnp.square(x - end.centroids[labels])  # by differences: all digits
    inertia = (squares_left if weight is None else squares_left * weight[:, None]).sum()
    return KMeans(end.centroids + centre[None], labels, inertia, end.iterations)


def _counted(values: Float[Array, "... n"], weight: Float[Array, " n"] | None) -> Float[Array, "... n"]:
    return values if weight is None else values * weight


def _squared_distances(columns: Float[Array, "l n"], point: Float[Array, " l"]) -> Float[Array, " n"]:
    """The sum is a product with ones: over a short axis, XLA's own sum is many times slower on a CPU."""
    return _product(jnp.ones(len(columns), columns.dtype), jnp.square(columns - point[:, None]))


def _assign(
    centroids: Float[Array, "k l"], columns: Float[Array, "l+1 n"], squares: Float[Array, " n"]
) -> tuple[Int[Array, " n"], Float[Array, " n"]]:
    """The nearest centroid of each sample, and its squared distance: |x|^2 - 2 max_k (x c_k - |c_k|^2 / 2).

    Args:
        centroids: c_k.
        columns: the samples x, with a row of ones below.
        squares: |x|^2.
    """
    halves = 0.5 * jnp.square(centroids).sum(axis=1, keepdims=True)
    scores = _product(jnp.concatenate([centroids, -halves], axis=1), columns)
    if len(centroids) <= _FEW:
        return jnp.argmax(scores, axis=0), jnp.maximum(squares - 2 * scores.max(axis=0), 0)

    def visit(best: tuple[Array, Array], item: tuple[Array, Array]) -> tuple[tuple[Array, Array], None]:
        (labels, highest), (cluster, score) = best, item
        return (jnp.where(score > highest, cluster, labels), jnp.maximum(score, highest)), None

    start = (jnp.zeros(len(squares), int), jnp.full_like(squares, -jnp.inf))
    (labels, highest), _ = jax.lax.scan(visit, start, (jnp.arange(len(centroids)), scores))
    return labels, jnp.maximum(squares - 2 * highest, 0)


def _update(
    num_clusters: int, counted: Float[Array, "n l+1"], labels: Int[Array, " n"], distances: Float[Array, " n"]
) -> Float[Array, "k l"]:
    """Means of the clusters; an empty one moves to a sample that is farthest from its centroid.

    Args:
        num_clusters: K.
        counted: the samples with a column of ones, times what each counts.
        labels: their clusters.
        distances: their squared distances to the centroids.
    """
    sums = _relocate(_sums(num_clusters, counted, labels), counted, labels, distances)
    counts = sums[:, -1:]
    means = sums[:, :-1] / jnp.where(counts > 0, counts, 1)
    # Empty even so, as with fewer distinct samples than clusters: scikit-learn puts it on the largest cluster.
    return jnp.where(counts > 0, means, means[jnp.argmax(counts)][None])


def _sums(num_clusters: int, counted: Float[Array, "n l+1"], labels: Int[Array, " n"]) -> Float[Array, "k l+1"]:
    """Of the samples of each cluster."""

    def in_turn(counted: Array, labels: Array) -> Array:
        block = max(_BLOCK, 8 * num_clusters)  # so that the sums of all blocks are smaller than the samples
        num_blocks = -(-len(counted) // block)
        place = labels + num_clusters * (jnp.arange(len(counted)) // block)
        sums = jax.ops.segment_sum(counted, place, num_blocks * num_clusters)
        return sums.reshape(num_blocks, num_clusters, -1).sum(axis=0)

    def by_product(counted: Array, labels: Array) -> Array:  # a scatter has no order on an accelerator
        return _product((labels[None] == jnp.arange(num_clusters)[:, None]).astype(counted.dtype), counted)

    return jax.lax.platform_dependent(counted, labels, cpu=in_turn, default=by_product)


def _relocate(
    sums: Float[Array, "k l+1"], counted: Float[Array, "n l+1"], labels: Int[Array, " n"], distances: Float[Array, " n"]
) -> Float[Array, "k l+1"]:
    """Hands every empty cluster the farthest sample not yet handed out, taken from the cluster it was in."""

    def hand_over(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        sums, left, empty = state
        cluster, far = jnp.argmax(empty), jnp.argmax(left)
        sample = counted[far]
        return (
            sums.at[labels[far]].add(-sample).at[cluster].set(sample),
            left.at[far].set(-1),
            empty.at[cluster].set(False),
        )

    # A loop, not a sort of all distances: under `vmap` it runs as often as the neediest run has empty clusters.
    empty = (sums[:, -1] == 0) & (distances.max() > 0)
    return jax.lax.while_loop(lambda state: state[-1].any(), hand_over, (sums, distances, empty))[0]


def check_vectors(x: Any, name: str, num_clusters: int) -> Float[Array, "n l"]:
    """`x` as an array of floats.

    Args:
        x: should be finite vectors, at least K; inside `jit` values cannot be checked.
        name: of the argument that gave K, for the message.
        num_clusters: K.

    Raises:
        InputError: they are not.
    """
    if not is_whole(num_clusters) or num_clusters < 1:
        raise InputError(f"{name} must be a whole number of at least 1, got {num_clusters!r}.")
    x = jnp.asarray(x)
    if x.ndim != 2 or x.size == 0 or not jnp.issubdtype(x.dtype, jnp.number) or jnp.iscomplexobj(x):
        raise InputError(f"x must be numbers of shape (samples, features), not empty, got {x.dtype} of {x.shape}.")
    if len(x) < num_clusters:
        raise InputError(f"{name} must be at most the number of samples, {len(x)}, got {num_clusters}.")
    if not isinstance(x, jax.core.Tracer) and not np.isfinite(x).all():
        raise InputError("x must hold finite numbers only, got NaN or infinity.")
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(float)


def check_loop(tolerance: float, max_iterations: int, num_restarts: int = 1) -> None:
    """What a loop of restarts and iterations may be given.

    Raises:
        InputError: the tolerance is not above 0, or there is nothing to do.
    """
    if not tolerance > 0:
        raise InputError(f"tolerance must be above 0, got {tolerance!r}.")
    for name, value in {"max_iterations": max_iterations, "num_restarts": num_restarts}.items():
        if not is_whole(value) or value < 1:
            raise InputError(f"{name} must be a whole number of at least 1, got {value!r}.")
