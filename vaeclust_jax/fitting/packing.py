"""A fitted model as plain data and back: a config, a preparation and named arrays, which is all a file has to hold."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vaeclust_jax.data import Preparation
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config, check_settings
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.fitting.stages import clustering_learner, networks_of
from vaeclust_jax.types import Key, Networks, Params, State

_LARGEST_SAMPLE = 2**26
"""Values: no model of ours is near it, and what checks a preparation makes one sample."""


class Packed(NamedTuple):
    """What a fitted model knows, without a function in it."""

    config: Config
    """Resolved."""
    preparation: Preparation
    arrays: Mapping[str, np.ndarray]
    """By the place in the pytree, e.g. "params/centroids"."""


def pack(run: Run) -> Packed:
    """The model as plain data.

    Raises:
        InputError: two parameters (of networks of one's own) whose places read alike.
    """
    clusters = {name: getattr(run, name) for name in ("cluster_mean", "cluster_scale", "cluster_share")}
    tree = {"params": run.params, **clusters}
    named = [(_place(path), np.asarray(leaf)) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]
    arrays = dict(named)
    if len(arrays) < len(named):
        raise InputError(f"the parameters' names must differ when joined by slashes, got {[name for name, _ in named]}")
    return Packed(run.config, run.preparation, arrays)


def unpack(packed: Packed, networks: Networks | None = None) -> Run:
    """The model that was packed, on this machine's default device.

    Args:
        packed: from `pack`, or read from a file: nothing in it is trusted.
        networks: the encoder and decoder of one's own that the model was fitted with, if it was.

    Raises:
        InputError: arrays of another model than the config's.
    """
    config, preparation, arrays = packed
    _check_preparation(config, preparation, arrays)
    learner = clustering_learner(config, networks_of(config, preparation.output_shape, networks), 1)
    components, latent_dim = _num_components(config), config.network.latent_dim
    like = {
        "params": _shapes(learner.init),
        "cluster_mean": jax.ShapeDtypeStruct((components, latent_dim), jnp.float32),
        "cluster_scale": jax.ShapeDtypeStruct((components, latent_dim, latent_dim), jnp.float32),
        "cluster_share": jax.ShapeDtypeStruct((components,), jnp.float32),
    }
    places, structure = jax.tree_util.tree_flatten_with_path(like)
    wanted = {_place(path): (leaf.shape, str(leaf.dtype)) for path, leaf in places}
    got = {name: (array.shape, str(array.dtype)) for name, array in arrays.items()}
    if got != wanted:
        name = next(name for name in [*wanted, *got] if got.get(name) != wanted.get(name))
        raise InputError(f"its arrays are of another model: {name} must be {wanted.get(name)}, got {got.get(name)}")
    tree = jax.tree_util.tree_unflatten(structure, [arrays[_place(path)] for path, _ in places])
    params = jax.tree.map(jnp.asarray, tree["params"])
    return Run(config, preparation, learner, params, tree["cluster_mean"], tree["cluster_scale"], tree["cluster_share"])


def reordered(packed: Packed, order: np.ndarray) -> Packed:
    """The same model with its clusters in another order: cluster `order[0]` becomes the first."""
    per_cluster = ("params/centroids", "params/prototypes", "params/mixture/", "cluster_")

    def move(array: np.ndarray) -> np.ndarray:
        parts = array.reshape(len(order), -1, *array.shape[1:])  # components of a cluster stay together
        return parts[order].reshape(array.shape)

    arrays = {name: move(array) if name.startswith(per_cluster) else array for name, array in packed.arrays.items()}
    return packed._replace(arrays=arrays)


@lru_cache
def _shapes(init: Callable[[Key], State]) -> Params:
    """Of a learner's parameters: nothing is computed."""
    return jax.eval_shape(init, jax.random.key(0)).params


def _place(path: tuple[Any, ...]) -> str:
    return jax.tree_util.keystr(path, simple=True, separator="/")


def _num_components(config: Config) -> int:
    return config.num_clusters * (config.model.num_prototypes if config.model.clustering == "graph" else 1)


def _check_preparation(config: Config, preparation: Preparation, arrays: Mapping[str, np.ndarray]) -> None:
    """Before anything as large as the config says is made."""
    if arrays["cluster_mean"].shape != (_num_components(config), config.network.latent_dim):
        raise InputError(f"its arrays are of another model: cluster_mean has shape {arrays['cluster_mean'].shape}")
    for shape in (preparation.input_shape, preparation.output_shape):
        if not 1 <= np.prod(shape, dtype=float) <= _LARGEST_SAMPLE:
            raise InputError(f"its samples have an impossible shape, {shape}")
    for values in (preparation.offset, preparation.scale):
        if values is not None and values.shape != preparation.input_shape:
            raise InputError(f"its scaling is of {values.shape} features for samples of {preparation.input_shape}")
    sample = preparation.apply(np.zeros((1, *preparation.input_shape), np.float32))
    if sample.shape[1:] != preparation.output_shape:
        raise InputError(f"its preparation gives {sample.shape[1:]}, its networks take {preparation.output_shape}")
    if config.network.input_mean is None or config.network.input_std is None:
        raise InputError("its input_mean and input_std are missing")
    check_settings(config, preparation.output_shape)
