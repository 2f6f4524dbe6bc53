"""`fit`: data in, a clustered model out, for one seed or many as one program."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict, replace
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np

from vaeclust_jax.checks import is_whole
from vaeclust_jax.data import (
    MappedRows,
    Preparation,
    PrepareConfig,
    Rows,
    checked_rows,
    fit_preparation,
    split_rows,
)
from vaeclust_jax.data.mapped import chunks
from vaeclust_jax.errors import InputError, TrainingDivergedError
from vaeclust_jax.fitting.config import Config, check_config, measure_input, resolve_kind
from vaeclust_jax.fitting.run import Run, components
from vaeclust_jax.fitting.stages import check_custom, check_partial_labels, networks_of, plan
from vaeclust_jax.streamed import Streamed
from vaeclust_jax.training.checkpoint import Checkpoint, Keeper
from vaeclust_jax.training.loop import History, train
from vaeclust_jax.training.rows import by_chunk, encode_rows
from vaeclust_jax.types import Key, Learner, Networks, Params, Stage, State, Together

OnEpoch = Callable[[History], None]


def fit(
    config: Config,
    x: Any,
    key: Key,
    *,
    networks: Networks | None = None,
    split_labels: Any = None,
    partial_labels: Any = None,
    checkpoint: Checkpoint | None = None,
    on_epoch: OnEpoch | None = None,
) -> Run:
    """Clusters `x` with a VAE+DEC.

    Args:
        config: all settings; `Config(num_clusters=10)` is enough.
        x: images (n, H, W) or (n, H, W, C), uint8 or floats in [0, 1]; or vectors (n, F) of any finite floats. A
            `numpy.memmap` of more than 256 MB stays in its file: every batch is read when it is trained on.
        key: of `jax.random.key`; the same key gives the same bits on a CPU.
        networks: an encoder and a decoder of one's own instead of the config's.
        split_labels: (n,) classes, read only for a stratified split (`prepare.stratify`).
        partial_labels: (n,) classes from 0, -1 where none is known: the VAE is then semi-supervised, and keeps the
            known samples of a class together. Of rows held out for validation they are not read.
        checkpoint: where to keep how far training is; the same call goes on from there, bit for bit, if it was ended.
        on_epoch: called after every epoch with its history rows.

    Returns:
        The fitted model.

    Raises:
        InputError: data or settings that cannot be used; one sentence, before any training.
        TrainingDivergedError: a loss turned non-finite; `last_good` holds {stage: [Run]} of the state before.
    """
    if not (isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and key.shape == ()):
        raise InputError(f"key must be one key of jax.random.key, got {type(key).__name__} {np.shape(key)}")
    stages = _fit(config, x, key[None], [0], networks, split_labels, partial_labels, checkpoint, on_epoch)
    return list(stages.values())[-1][0]


def fit_seeds(
    config: Config,
    x: Any,
    seeds: Sequence[int],
    *,
    networks: Networks | None = None,
    split_labels: Any = None,
    partial_labels: Any = None,
    checkpoint: Checkpoint | None = None,
    on_epoch: OnEpoch | None = None,
) -> list[Run]:
    """`fit` for every seed, as one program; the arguments are those of `fit`.

    All seeds share the split. A seed that stops early is frozen while the others go on.

    Args:
        seeds: distinct whole numbers; a seed s stands for `jax.random.key(s)`.

    Returns:
        One `Run` a seed, in their order.
    """
    stages = fit_stages(
        config,
        x,
        seeds,
        networks=networks,
        split_labels=split_labels,
        partial_labels=partial_labels,
        checkpoint=checkpoint,
        on_epoch=on_epoch,
    )
    return list(stages.values())[-1]


def fit_stages(
    config: Config,
    x: Any,
    seeds: Sequence[int],
    *,
    networks: Networks | None = None,
    split_labels: Any = None,
    partial_labels: Any = None,
    checkpoint: Checkpoint | None = None,
    on_epoch: OnEpoch | None = None,
) -> dict[str, list[Run]]:
    """`fit_seeds`, keeping every stage that can cluster: {"kmeans": runs, "joint": runs}.

    "kmeans" is k-means on the latents of the VAE before any joint training, at no further cost; "mixture" or "graph"
    stands between the two where the joint stage starts from it.
    """
    seeds = list(seeds) if isinstance(seeds, Iterable) else [str(seeds)]
    if (
        not seeds
        or not all(map(is_whole, seeds))
        or len(set(seeds)) < len(seeds)
        or min(seeds) < 0
        or max(seeds) >= 2**32
    ):
        raise InputError(f"seeds must be distinct whole numbers from 0 to 2**32 - 1, at least one, got {seeds}")
    keys = jax.vmap(jax.random.key)(jnp.asarray(seeds, jnp.uint32))
    return _fit(config, x, keys, seeds, networks, split_labels, partial_labels, checkpoint, on_epoch)


class _Data(NamedTuple):
    """Prepared rows and where they came from."""

    preparation: Preparation
    train_index: np.ndarray
    validation_index: np.ndarray
    train: Rows
    validation: Rows


def _prepare(config: PrepareConfig, raw: Rows, split_labels: Any) -> _Data:
    train_index, validation_index = split_rows(len(raw), config, split_labels)
    preparation = fit_preparation(raw[train_index], config)
    train = preparation.rows(raw[train_index])
    empty = np.zeros((0, *train.shape[1:]), np.float32)
    validation = preparation.rows(raw[validation_index]) if len(validation_index) else empty
    for part in (train, validation):  # what cannot be read or prepared is said before any training
        for _ in chunks(part):
            pass
    return _Data(preparation, train_index, validation_index, train, validation)


def _for_programs(rows: Rows) -> jax.Array:
    """On the device, or what stands for an array there."""
    return cast(jax.Array, Streamed(rows)) if isinstance(rows, MappedRows) else jnp.asarray(rows)


def _fit(
    config: Config,
    x: Any,
    keys: Key,
    names: Sequence[int],
    networks: Networks | None,
    split_labels: Any,
    partial_labels: Any,
    checkpoint: Checkpoint | None,
    on_epoch: OnEpoch | None,
) -> dict[str, list[Run]]:
    if not isinstance(config, Config):
        raise InputError(f"config must be a Config, got {config!r}")
    if not (networks is None or isinstance(networks, Networks)):
        raise InputError(f"networks must be Networks(encoder, decoder), got {type(networks).__name__}")
    raw = checked_rows(x)
    config = resolve_kind(config, raw, custom=networks is not None)
    data = _prepare(config.prepare, raw, split_labels)
    config = measure_input(config, data.train)
    check_config(config, data.train)
    both = networks_of(config, data.preparation.output_shape, networks)
    if networks is not None:
        check_custom(both, config.network.latent_dim, data.preparation.output_shape)
    known = None if partial_labels is None else check_partial_labels(partial_labels, len(raw))[data.train_index]
    has_validation = len(data.validation) > 0
    stages = plan(config, both, len(data.train), has_validation, labels=known, num_seeds=len(names))
    train_rows = _for_programs(data.train)
    try:
        with _keeper(checkpoint, config, keys, data, known) as keeper:
            states, history = train(
                stages,
                keys,
                train_rows,
                _for_programs(data.validation),
                batch_size=config.training.batch_size,
                names=names,
                halvings=config.training.halvings,
                keeper=keeper,
                on_epoch=on_epoch,
            )
    except TrainingDivergedError as error:
        states, history = error.last_good
        if len(states) == 1:  # a VAE alone cannot cluster: k-means on what it had learned
            starts = zip(keys, states[0], strict=True)
            with suppress(FloatingPointError):  # nothing that could cluster is left
                kmeans = stages[1].start  # with the key of its stage, which was never reached
                assert not isinstance(kmeans, Together)
                states = [*states, [kmeans(jax.random.fold_in(key, 1), state, train_rows) for key, state in starts]]
        error.last_good = _runs(config, data, stages, states, names, history)
        raise
    return _runs(config, data, stages, states, names, history)


def _keeper(
    checkpoint: Checkpoint | None, config: Config, keys: Key, data: _Data, known: np.ndarray | None
) -> AbstractContextManager[Keeper | None]:
    """What a checkpoint must have in common with the fit that goes on from it: everything but the networks' code."""
    if checkpoint is None:
        return nullcontext()
    rows = {"train": data.train, "validation": data.validation, "partial_labels": known}
    identity = {
        **asdict(config),
        "keys": jax.random.key_data(keys).tolist(),
        "data": {name: None if array is None else _digest(array) for name, array in rows.items()},
    }
    return Keeper(checkpoint, identity)


def _digest(rows: Rows) -> str:
    found = hashlib.sha256()
    for part in chunks(rows):
        found.update(np.ascontiguousarray(part).tobytes())
    return found.hexdigest()


def _runs(
    config: Config,
    data: _Data,
    stages: Sequence[Stage],
    states: Sequence[Sequence[State]],
    names: Sequence[int],
    history: History,
) -> dict[str, list[Run]]:
    """A `Run` a seed for every stage reached that can cluster."""
    kmeans = replace(config, model=replace(config.model, clustering="dec"))  # whatever comes after it
    of_seed = {name: [row for row in history if row["seed"] == name] for name in names}
    return {
        stage.name: [
            _run(kmeans if stage.name == "kmeans" else config, data, stage.learner, state.params, of_seed[name])
            for state, name in zip(of_stage, names, strict=True)
        ]
        for stage, of_stage in zip(stages, states, strict=False)
        if stage.learner.log_assign is not None
    }


def _run(config: Config, data: _Data, learner: Learner, params: Params, history: History) -> Run:
    assert learner.log_assign is not None
    mean, logvar = encode_rows(learner, params, data.train)
    labels = by_chunk(learner.log_assign, params, mean).argmax(axis=1)
    shapes = components(params, mean, logvar, labels)
    return Run(config, data.preparation, learner, params, *shapes, data.train_index, data.validation_index, history)
