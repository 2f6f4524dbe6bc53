"""Fitted models read back: from a file of one's own, or from a run's folder."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from vaeclust_jax.data import Preparation
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config, check_config
from vaeclust_jax.fitting.history import checked_history
from vaeclust_jax.fitting.model_file import read_model, shortened
from vaeclust_jax.fitting.networks import networks_of
from vaeclust_jax.fitting.packed import OF_CLUSTERS, TREE, Packed, check_leaves, place_of
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.forked import check_not_forked
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.graph.tree import Merges, Tree
from vaeclust_jax.methods.method import About, DataSpec
from vaeclust_jax.methods.starts import first_shapes_of
from vaeclust_jax.networks import CustomNetwork
from vaeclust_jax.types import Heads, Networks, Params
from vaeclust_jax.uncertainty.temperature import checked_temperature

_SUFFIX = ".vaeclust"
_LARGEST = float(np.finfo(np.float32).max)


def unpack(packed: Packed, networks: Networks | None = None) -> Run:
    """The model that was packed, on this machine's default device.

    Args:
        packed: of a run, or read from a file: nothing in it is trusted.
        networks: the encoder and decoder of one's own that the model was fitted with, if it was.

    Raises:
        InputError: arrays of another model than the config's.
    """
    check_not_forked()
    config, preparation, arrays = packed
    _check_preparation(config, preparation, arrays)
    both = networks_of(config, preparation.output_shape, networks)
    heads, params = config.method.heads(both), _params_like(config, preparation.output_shape, both)
    check_leaves(config, params)
    like = {"params": params, **_clusters_like(config, heads, params), **_tree_like(config, arrays)}
    places, structure = jax.tree_util.tree_flatten_with_path(like)
    wanted = {place_of(path): (leaf.shape, str(leaf.dtype)) for path, leaf in places}
    got = {name: (array.shape, str(array.dtype)) for name, array in arrays.items()}
    if got != wanted:
        name = next(name for name in [*wanted, *got] if got.get(name) != wanted.get(name))
        raise InputError(f"its arrays are of another model: {name} must be {wanted.get(name)}, got {got.get(name)}")
    tree = jax.tree_util.tree_unflatten(structure, [arrays[place_of(path)] for path, _ in places])
    params = jax.tree.map(jnp.asarray, tree["params"])
    run = Run(config, preparation, heads, params, *(tree.get(name) for name in OF_CLUSTERS))
    return replace(run, tree_=_tree(tree[TREE])) if TREE in tree else run


def _params_like(config: Config, shape: tuple[int, ...], networks: Networks) -> Params:
    """Shapes and types of the parameters: nothing is computed."""
    about = About(networks, config.network.latent_dim, 1, 1, 1e-3, 1, False, shape=shape)
    return first_shapes_of(config.method.stages(about)[-1].learner).params


def _clusters_like(config: Config, heads: Heads, params: Params) -> dict[str, jax.ShapeDtypeStruct]:
    if heads.assign is None:
        return {}
    count, size = _num_components(config, heads, params), config.network.latent_dim
    shapes = ((count, size), (count, size, size), (count,))
    return {name: jax.ShapeDtypeStruct(shape, jnp.float32) for name, shape in zip(OF_CLUSTERS, shapes, strict=True)}


def _tree_like(config: Config, arrays: Mapping[str, np.ndarray]) -> dict[str, dict[str, jax.ShapeDtypeStruct]]:
    """Of as many samples and micro-clusters as the arrays have; older files have no tree."""
    groups, means = (arrays.get(f"{TREE}/{name}") for name in ("groups", "means"))
    if not config.method.follows_graph or groups is None or means is None:
        return {}
    n, m = groups.size, max(means.size // config.network.latent_dim, 1)
    shapes = {"groups": (n,), "pairs": (m - 1, 2), "heights": (m - 1,), "means": (m, config.network.latent_dim)}
    dtypes = {"groups": jnp.int32, "pairs": jnp.int32, "heights": jnp.float32, "means": jnp.float32}
    return {TREE: {name: jax.ShapeDtypeStruct(shape, dtypes[name]) for name, shape in shapes.items()}}


def _tree(arrays: Mapping[str, np.ndarray]) -> Tree:
    tree = Tree(Merges(*(arrays[name] for name in Merges._fields)), arrays["means"])
    tree.check()
    return tree


def _num_components(config: Config, heads: Heads, params: Params) -> int:
    if heads.centres is None:
        return config.num_clusters
    return int(np.prod(jax.eval_shape(heads.centres, params).shape[:2]))


def _check_preparation(config: Config, preparation: Preparation, arrays: Mapping[str, np.ndarray]) -> None:
    """Before anything as large as the config says is made."""
    clusters = getattr(config.method, "num_clusters", None)
    if clusters is not None:
        count, size = (*arrays["cluster_mean"].shape, 0)[:2]
        if count < clusters or size != config.network.latent_dim:
            raise InputError(f"its arrays are of another model: cluster_mean has shape {arrays['cluster_mean'].shape}")
    preparation.check()
    mean, std = config.network.input_mean, config.network.input_std
    if mean is None or std is None or not (abs(mean) < _LARGEST and 0 < std < _LARGEST):
        raise InputError("its input_mean and input_std must be finite numbers, the latter positive")
    if unreal := [name for name, array in arrays.items() if array.dtype.kind == "f" and not np.isfinite(array).all()]:
        raise InputError(f"its arrays must be finite, and {unreal[0][:60]} is not")
    check_config(config, DataSpec(preparation.output_shape))


def load(path: str | os.PathLike[str], *, seed: int | None = None, networks: Networks | None = None) -> Run:
    """Reads a fitted model, onto whatever device is there; files of strangers are safe to read.

    Args:
        path: the file that `Run.save` wrote, or a run's folder of the command line.
        seed: which of a run's seeds; default the first.
        networks: the encoder and decoder of one's own that the model was fitted with, if it was.

    Raises:
        InputError: no model there, another format, a damaged file, or networks missing, of another model or not asked
            for.

    Example:
        >>> x = np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0)
        >>> run = vc.fit(vc.Config(vc.VAEKMeans(2, pretrain_epochs=1), network=vc.MLP(hidden=(8,))), x, 0)
        >>> run.save("blobs.vaeclust")
        >>> bool((vc.load("blobs.vaeclust").predict(x) == run.predict(x)).all())
        True
    """
    if not (networks is None or isinstance(networks, Networks)):
        raise InputError(f"networks must be Networks(encoder, decoder), got {type(networks).__name__}")
    try:
        file = _model_file(Path(path), seed)
    except OSError as error:  # such as a name that is too long
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    packed, more = read_model(file)
    custom = isinstance(packed.config.network, CustomNetwork)
    if custom and networks is None:
        raise InputError(f"{file} was fitted with networks of its own: load(path, networks=Networks(...))")
    if networks is not None and not custom:
        kind = type(packed.config.network).__name__
        raise InputError(f"{file} was fitted with the network {kind}, which it holds: leave networks out")
    try:
        history = checked_history(more.get("history", []))  # older files have none, as of what follows
        temperature = checked_temperature(more.get("temperature", 1.0))
        hints = Hints.of(more["hints"]) if "hints" in more else None
        return replace(unpack(packed, networks), history=history, temperature=temperature, hints=hints)
    except Exception as error:  # a manifest may say anything
        fault = "does not fit these networks, or is damaged" if custom else "is damaged"
        raise InputError(f"{file} {fault}: {shortened(error)}") from error


def seed_file(run_folder: Path, seed: int) -> Path:
    """Where a run of the command line keeps the model of a seed."""
    return run_folder / "model" / f"seed-{seed}{_SUFFIX}"


def _model_file(path: Path, seed: int | None) -> Path:
    if path.is_file():
        if seed is not None:
            raise InputError(f"seed chooses among the models of a run, but {path} is a single model; got seed {seed}")
        return path
    numbers = [file.name.removeprefix("seed-").removesuffix(_SUFFIX) for file in (path / "model").glob("seed-*")]
    seeds = sorted(int(number) for number in numbers if number.isdecimal() and seed_file(path, int(number)).is_file())
    if not path.exists():
        raise InputError(f"{path} holds no model: there is no such file or folder")
    if not seeds:
        raise InputError(f"{path} holds no model: give the folder of a run that finished, or a file of Run.save")
    if seed is not None and seed not in seeds:
        raise InputError(f"seed must be one of {', '.join(map(str, seeds))} in {path}, got {seed}")
    return seed_file(path, seeds[0] if seed is None else seed)
