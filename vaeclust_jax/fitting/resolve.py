"""What a config means for data: nothing left open, every refusal said, and nothing trained."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from vaeclust_jax.checks import check_unmasked
from vaeclust_jax.data import PrepareConfig, checked_rows, columns_of, subjects_of
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config, check_config, resolve
from vaeclust_jax.fitting.networks import networks_of
from vaeclust_jax.fitting.prepared import Prepared, prepare
from vaeclust_jax.graph.constraints import Constraints
from vaeclust_jax.graph.hints import Hints, check_clusters
from vaeclust_jax.methods.method import About, DataSpec
from vaeclust_jax.networks import NetworkConfig
from vaeclust_jax.training.mesh import Mesh
from vaeclust_jax.types import Heads, Networks, Stage


def prepared_for(
    config: Config, x: Any, split_labels: Any = None, sample_weight: Any = None, *, custom: bool = False
) -> Prepared:
    """The data of a fit: fits with the same preparation may share it, in the place of `x`."""
    raw, columns, pictures = checked_rows(x), columns_of(x), getattr(x, "pictures", None)
    weight = None if sample_weight is None else check_sample_weight(sample_weight, len(raw))
    asked = resolve(config, raw.shape[1:], custom).prepare
    return prepare(asked, raw, split_labels, columns, pictures, weight, subjects_of(x))


class Preparations:
    """A data set, prepared once for all configs that prepare it alike.

    Args:
        x: raw data, as for `fit`.
        labels: (n,) classes, read only for a stratified split.
    """

    def __init__(self, x: Any, labels: Any = None):
        self._x, self._labels = x, labels
        self._known: dict[PrepareConfig, Prepared] = {}

    def of(self, config: Config) -> Prepared:
        """What a fit of the config takes in the place of `x`."""
        if config.prepare not in self._known:
            labels = self._labels if config.prepare.stratify else None
            self._known[config.prepare] = prepared_for(config, self._x, labels)
        return self._known[config.prepare]


def resolved_for(
    config: Config,
    data: Prepared,
    labels: np.ndarray | None = None,
    hints: Constraints | None = None,
    *,
    custom: bool = False,
) -> Config:
    """The config with nothing left open, checked against the data; `hints`: of the training rows.

    Raises:
        InputError: a setting that cannot work.
    """
    preparation, facts = data.preparation, data.facts
    config = replace(resolve(config, preparation.input_shape, custom), prepare=data.config)
    classes = None if labels is None else int(labels.max()) + 1
    by_blocks = data.blocks is not None
    spec = DataSpec(preparation.output_shape, len(data.train_index), facts.low, facts.high, classes, by_blocks)
    if config.method.in_time and config.prepare.split == "random" and config.prepare.validation > 0:
        raise InputError(
            f"the method {type(config.method).__name__} needs split 'last', as rows between others share values with "
            "them, got 'random': set PrepareConfig(split='last'), or validation=0.0 to hold none out"
        )
    if data.weight is not None and not config.method.takes_weights:
        raise InputError(f"the method {type(config.method).__name__} takes no sample_weight: leave it out")
    if labels is not None and not (config.method.takes_partial_labels or config.method.needs_labels):
        raise InputError(f"the method {type(config.method).__name__} takes no partial_labels: leave them out")
    if data.weight is not None and labels is not None and not config.method.needs_labels:
        raise InputError("sample_weight and partial_labels do not go together: leave one of them out")
    if config.method.needs_labels and labels is None:
        raise InputError(f"the method {type(config.method).__name__} learns from labels: give partial_labels (run: y)")
    if config.method.needs_labels and labels is not None and (unknown := int((labels < 0).sum())):
        raise InputError(
            f"the method {type(config.method).__name__} learns from the classes of all rows, got -1 (not known) for "
            f"{unknown} of {len(labels)} in partial_labels"
        )
    config = replace(config, method=config.method.resolved(spec), network=_measured(config, data))
    check_config(config, spec)
    if hints is not None:
        if not config.method.takes_hints:
            raise InputError(f"the method {type(config.method).__name__} takes no hints: vaegraph (GraphDEC) does")
        check_clusters(hints, config.num_clusters)
    return config


def hints_for(hints: Any, data: Prepared) -> Constraints | None:
    """What hints of all rows ask of the training rows.

    Raises:
        InputError: they cannot be used, contradict each other, or are of rows alone that are not trained on.
    """
    if hints is None:
        return None
    if not isinstance(hints, Hints):
        raise InputError(f"hints must be Hints(...), got {type(hints).__name__}")
    of_training = hints.constraints(len(data.rows)).of_rows(data.train_index)
    if not of_training.hinted.any():
        raise InputError("hints must be about training rows, got rows that are held out or of weight 0 alone")
    return of_training


def models_of(
    config: Config,
    data: Prepared,
    labels: np.ndarray | None,
    num_seeds: int,
    hints: Any = None,
    mesh: Mesh | None = None,
) -> dict[str, Heads]:
    """What the models of a fit could be asked, by the stage that ends with each, in their order; nothing is trained.

    Raises:
        InputError: a setting that cannot work.
    """
    check_blocks(data, labels, hints)
    asked = hints_for(hints, data)
    config = resolved_for(config, data, labels, asked)
    networks = networks_of(config, data.preparation.output_shape, None)
    told = None if labels is None else labels[data.train_index]
    stages = config.method.stages(about_of(config, data, networks, told, num_seeds, asked))
    if mesh is not None:
        check_mesh(mesh, config, stages, num_seeds, data)
    return {stage.name: stage.model.heads(networks) for stage in stages if stage.model is not None}


def check_blocks(data: Prepared, labels: Any, hints: Any) -> None:
    """Whether rows that are read by blocks come alone.

    Raises:
        InputError: they do not.
    """
    if data.blocks is not None and (labels is not None or hints is not None):
        raise InputError("rows that are read by blocks take no labels and no hints: fit a part that memory can hold")


def check_mesh(mesh: Any, config: Config, stages: Sequence[Stage], num_seeds: int, data: Prepared) -> None:
    """Whether the stages of a fit can be computed on a mesh.

    Raises:
        InputError: no `Mesh`, devices that are not there, or what does not go over them.
    """
    if not isinstance(mesh, Mesh):
        raise InputError(f"mesh must be Mesh(seeds=..., rows=...), got {mesh!r}")
    mesh.check(num_seeds, config.training.batch_size)
    if mesh.rows > 1 and data.blocks is not None:
        raise InputError(f"rows that are read by blocks are not laid over devices, got the mesh {mesh}: give rows=1")
    apart = [stage.name for stage in stages if stage.learner.by_row is None]
    if mesh.rows > 1 and apart:
        raise InputError(
            f"the method {type(config.method).__name__} cannot lay rows over devices (stage {apart[0]!r}), got the "
            f"mesh {mesh}: give rows=1"
        )


def _measured(config: Config, data: Prepared) -> NetworkConfig:
    """An open `input_mean` and `input_std` are those of the prepared training rows (images), or 0 and 1."""
    network, images = config.network, len(data.preparation.output_shape) == 3
    mean, std = (data.facts.mean, data.facts.std or 1.0) if images else (0.0, 1.0)
    mean = mean if network.input_mean is None else network.input_mean
    std = std if network.input_std is None else network.input_std
    return replace(network, input_mean=mean, input_std=std)


def about_of(
    config: Config,
    data: Prepared,
    networks: Networks,
    labels: np.ndarray | None,
    num_seeds: int,
    hints: Constraints | None = None,
) -> About:
    """What the method's stages are made of; `labels` and `hints`: of the training rows."""
    training = config.training
    return About(
        networks,
        config.network.latent_dim,
        len(data.train_index),
        training.batch_size,
        training.learning_rate,
        training.patience,
        has_validation=len(data.validation_index) > 0,
        labels=labels,
        num_seeds=num_seeds,
        shape=data.preparation.output_shape,
        hints=hints,
    )


def check_partial_labels(y: Any, num_samples: int) -> np.ndarray:
    """Classes of all rows, -1 where none is known.

    Raises:
        InputError: not one whole number of at least -1 a row.
    """
    check_unmasked(y, "partial_labels")
    y = np.asarray(y)
    if y.shape != (num_samples,) or y.dtype.kind not in "iu" or y.min() < -1:
        raise InputError(
            f"partial_labels must be a class from 0 or -1 (not known) for each of {num_samples} rows, "
            f"got {y.dtype} {y.shape}{f' from {y.min()}' if y.size and y.dtype.kind in 'iu' else ''}"
        )
    return y


def check_sample_weight(weight: Any, num_samples: int) -> Float[np.ndarray, " n"]:
    """What each row counts, float64. One that float32 cannot tell from 0 beside the largest is 0.

    Raises:
        InputError: not one finite number of at least 0 a row, or zeros only.
    """
    check_unmasked(weight, "sample_weight")
    try:
        given = np.asarray(weight)
    except ValueError as error:
        raise InputError(f"sample_weight cannot be read as an array: {error}") from error
    if given.shape != (num_samples,) or given.dtype.kind not in "biuf":
        raise InputError(
            f"sample_weight must be a number of at least 0 for each of {num_samples} rows, got {given.dtype} "
            f"{given.shape}"
        )
    found = given.astype(np.float64)
    if not np.isfinite(found).all() or found.min() < 0:
        wrong = found[~(np.isfinite(found) & (found >= 0))][0]
        raise InputError(f"sample_weight must hold finite numbers of at least 0, got {wrong}")
    if found.max() == 0:
        raise InputError("sample_weight must hold a number above zero, got zeros only")
    return np.where(found >= found.max() * float(np.finfo(np.float32).tiny), found, 0.0)
