"""A fitted model as plain data: a config, a preparation and named arrays, which is all a file has to hold."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from vaeclust_jax.data import Preparation
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config

OF_CLUSTERS = ("cluster_mean", "cluster_scale", "cluster_share")
"""Arrays beside the parameters; clusters are on their first axis, if the method has any."""
TREE = "tree"
"""Where the arrays of `Run.tree_` are."""


class Packed(NamedTuple):
    """What a fitted model knows, without a function in it."""

    config: Config
    """Resolved."""
    preparation: Preparation
    arrays: Mapping[str, np.ndarray]
    """By the place in the pytree, e.g. "params/centroids"."""


def named_arrays(tree: Any) -> dict[str, np.ndarray]:
    """The leaves of a pytree by their place in it.

    Raises:
        InputError: two parameters (of networks of one's own) whose places read alike.
    """
    named = [(place_of(path), np.asarray(leaf)) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]
    arrays = dict(named)
    if len(arrays) < len(named):
        raise InputError(f"the parameters' names must differ when joined by slashes, got {[name for name, _ in named]}")
    return arrays


def place_of(path: tuple[Any, ...]) -> str:
    """Where a leaf is, as text."""
    return jax.tree_util.keystr(path, simple=True, separator="/")


def check_leaves(config: Config, names: Any) -> None:
    """Whether the method says of every parameter if it belongs to a cluster.

    Args:
        config: of the model.
        names: of its parameters, the first level.

    Raises:
        InputError: one that the method names and that is not there, or one that it does not name.
    """
    method, names = config.method, set(names)
    said = {*method.per_cluster, *method.shared}
    missing, unknown = sorted(set(method.per_cluster) - names), sorted(names - said)
    if missing:
        raise InputError(f"{type(method).__name__}.per_cluster names {missing[0]!r}, which its parameters do not have")
    if unknown:
        raise InputError(
            f"{type(method).__name__} must name {unknown[0]!r} in per_cluster (its arrays have clusters on their first "
            "axis) or in shared"
        )


def reordered(packed: Packed, order: np.ndarray) -> Packed:
    """The same model with its clusters in another order: cluster `order[0]` becomes the first.

    Raises:
        InputError: as `check_leaves`.
    """
    check_leaves(packed.config, [name.split("/")[1] for name in packed.arrays if name.startswith("params/")])
    moved = {*OF_CLUSTERS, *packed.config.method.per_cluster}

    def move(array: np.ndarray) -> np.ndarray:
        parts = array.reshape(len(order), -1, *array.shape[1:])  # components of a cluster stay together
        return parts[order].reshape(array.shape)

    arrays = {
        name: move(array) if name.removeprefix("params/").split("/")[0] in moved else array
        for name, array in packed.arrays.items()
    }
    return packed._replace(arrays=arrays)
