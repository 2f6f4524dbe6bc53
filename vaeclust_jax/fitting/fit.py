"""`fit`: data in, a fitted model out, for one seed or many as one program."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vaeclust_jax.errors import InputError, TrainingDivergedError
from vaeclust_jax.fitting.callback import Callback, Callbacks
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.doubts import warn_of
from vaeclust_jax.fitting.identity import check_same, identity_of
from vaeclust_jax.fitting.memory import check_memory
from vaeclust_jax.fitting.networks import check_custom, networks_of
from vaeclust_jax.fitting.packed import check_leaves
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.progress import shown
from vaeclust_jax.fitting.reached import models_reached
from vaeclust_jax.fitting.resolve import (
    about_of,
    check_blocks,
    check_mesh,
    check_partial_labels,
    hints_for,
    prepared_for,
    resolved_for,
)
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.keys import as_key, checked_seeds
from vaeclust_jax.methods.starts import first_shapes_of
from vaeclust_jax.training.checkpoint import Checkpoint, Keeper
from vaeclust_jax.training.encodings import TrainingRows
from vaeclust_jax.training.epoch import Data
from vaeclust_jax.training.kept_by_first import KeptByFirst
from vaeclust_jax.training.loop import stage_keys, train
from vaeclust_jax.training.mesh import Mesh
from vaeclust_jax.types import Key, Networks, Stage, State

_FAR = 100.0
"""Standardised values beyond it are outliers', and overflow where a learning rate is not to blame."""


def fit(
    config: Config,
    x: Any,
    key: Key | int,
    *,
    networks: Networks | None = None,
    split_labels: Any = None,
    partial_labels: Any = None,
    sample_weight: Any = None,
    hints: Hints | None = None,
    checkpoint: Checkpoint | None = None,
    mesh: Mesh | None = None,
    callbacks: Sequence[Callback] = (),
    verbose: bool = False,
) -> Run:
    """Fits the config's method to `x`.

    Args:
        config: all settings; `Config(DEC(num_clusters=10))` is enough.
        x: images (n, H, W) or (n, H, W, C), uint8 or floats in [0, 1]; or vectors (n, F) of any finite floats, as an
            array, a sparse matrix, a frame of pandas, polars or pyarrow, or a `data.Dataset`; the model keeps the
            names of columns. A `numpy.memmap` or an array of Zarr of more than 256 MB stays in its file, and is read
            while it is trained on. An array of Zarr, and more than 2^20 rows of any file, are read by blocks
            (`training.shuffled`): see "Data larger than memory" in the book.
        key: of `jax.random.key`, or a whole number, which stands for its key; the same key gives the same bits on a
            CPU.
        networks: an encoder and a decoder of one's own instead of the config's.
        split_labels: (n,) classes, read only for a stratified split (`prepare.stratify`).
        partial_labels: (n,) classes from 0, -1 where none is known: the VAE is then semi-supervised, and keeps the
            known samples of a class together. Of rows held out for validation they are not read. A supervised method
            learns from those of all rows, none of them -1, and stops by those held out. Methods without either refuse
            them.
        sample_weight: (n,) finite numbers of at least 0, what each row counts: one of weight 2 as two rows, one of
            weight 0 is neither trained on nor held out. Of a batch they weigh the losses, over all rows k-means, EM,
            targets, graphs and scaling. The number of steps does not depend on them.
        hints: what a person knows of some rows, for `GraphDEC`: it is then semi-supervised. Of rows held out for
            validation they are not read.
        checkpoint: where to keep how far training is; the same call goes on from there, bit for bit, if it was ended.
            Of several processes the first keeps it; all of them, or as many others, go on.
        mesh: devices to lay seeds and rows over; None: all is on jax's first. It need not be that of the call which
            wrote the checkpoint. Where several processes have joined by `jax.distributed`, all devices of all of them;
            each makes the same call and gets the models.
        callbacks: are told of the start, of every epoch and of the end, in their order.
        verbose: show a bar a stage with its losses, on stderr or in a notebook.

    Returns:
        The fitted model.

    Raises:
        InputError: data or settings that cannot be used; one sentence, before any training.
        TrainingDivergedError: a loss turned non-finite; `last_good` holds {stage: [Run]} of the state before.

    Example:
        >>> x = np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0)
        >>> config = vc.Config(vc.VAEKMeans(2, pretrain_epochs=1), network=vc.MLP(hidden=(8,)))
        >>> run = vc.fit(config, x, 0)
        >>> run.predict(x).shape
        (60,)
    """
    keys = as_key(key)[None]
    with shown(verbose, callbacks) as told:
        stages = _fit(
            config, x, keys, [0], networks, split_labels, partial_labels, sample_weight, hints, checkpoint, mesh, told
        )
    runs = list(stages.values())[-1]
    warn_of(runs)
    return runs[0]


def fit_seeds(
    config: Config,
    x: Any,
    seeds: Sequence[int],
    *,
    networks: Networks | None = None,
    split_labels: Any = None,
    partial_labels: Any = None,
    sample_weight: Any = None,
    hints: Hints | None = None,
    checkpoint: Checkpoint | None = None,
    mesh: Mesh | None = None,
    callbacks: Sequence[Callback] = (),
    verbose: bool = False,
) -> list[Run]:
    """`fit` for every seed, as one program; the arguments are those of `fit`.

    All seeds share the split. A seed that stops early is frozen while the others go on.

    Args:
        seeds: distinct whole numbers; a seed s stands for `jax.random.key(s)`.

    Returns:
        One `Run` a seed, in their order.

    Example:
        >>> x = np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0)
        >>> config = vc.Config(vc.VAEKMeans(2, pretrain_epochs=1), network=vc.MLP(hidden=(8,)))
        >>> runs = vc.fit_seeds(config, x, seeds=range(3))
        >>> vc.uncertainty.align([run.predict_proba(x) for run in runs]).shape
        (3, 60, 2)
    """
    with shown(verbose, callbacks) as told:
        stages = fit_stages(
            config,
            x,
            seeds,
            networks=networks,
            split_labels=split_labels,
            partial_labels=partial_labels,
            sample_weight=sample_weight,
            hints=hints,
            checkpoint=checkpoint,
            mesh=mesh,
            callbacks=told,
        )
    runs = list(stages.values())[-1]
    warn_of(runs)
    return runs


def fit_stages(
    config: Config,
    x: Any,
    seeds: Sequence[int],
    *,
    networks: Networks | None = None,
    split_labels: Any = None,
    partial_labels: Any = None,
    sample_weight: Any = None,
    hints: Hints | None = None,
    checkpoint: Checkpoint | None = None,
    mesh: Mesh | None = None,
    callbacks: Sequence[Callback] = (),
) -> dict[str, list[Run]]:
    """`fit_seeds`, keeping every stage that ends with a model: {"kmeans": runs, "joint": runs}, in their order.

    "kmeans" is k-means on the latents of the VAE before any joint training, at no further cost; "mixture" or "graph"
    stands between the two where the joint stage starts from it.
    """
    seeds = checked_seeds(seeds)
    keys = jax.vmap(jax.random.key)(jnp.asarray(seeds, jnp.uint32))
    return _fit(
        config,
        x,
        keys,
        seeds,
        networks,
        split_labels,
        partial_labels,
        sample_weight,
        hints,
        checkpoint,
        mesh,
        callbacks,
    )


def _fit(
    config: Config,
    x: Any,
    keys: Key,
    names: Sequence[int],
    networks: Networks | None,
    split_labels: Any,
    partial_labels: Any,
    sample_weight: Any,
    hints: Hints | None,
    checkpoint: Checkpoint | None,
    mesh: Mesh | None,
    callbacks: Sequence[Callback],
) -> dict[str, list[Run]]:
    if not isinstance(config, Config):
        raise InputError(f"config must be a Config, such as Config(DEC(num_clusters=10)), got {repr(config)[:100]}")
    if not (networks is None or isinstance(networks, Networks)):
        raise InputError(f"networks must be Networks(encoder, decoder), got {type(networks).__name__}")
    if not (checkpoint is None or isinstance(checkpoint, Checkpoint)):
        raise InputError(f"checkpoint must be Checkpoint(folder), got {checkpoint!r}")
    listeners = Callbacks(callbacks)
    if isinstance(x, Prepared):
        assert sample_weight is None, "prepared rows have theirs"
        data = x
    else:
        data = prepared_for(config, x, split_labels, sample_weight, custom=networks is not None)
    check_blocks(data, partial_labels, hints)
    known = None if partial_labels is None else check_partial_labels(partial_labels, len(data.rows))
    asked = hints_for(hints, data)
    config = resolved_for(config, data, known, asked, custom=networks is not None)
    both = networks_of(config, data.preparation.output_shape, networks)
    if networks is not None:
        seen = config.method.network_shape(data.preparation.output_shape, config.network.latent_dim)
        check_custom(both, config.network.latent_dim, seen)
    told = None if known is None else known[data.train_index]
    stages = config.method.stages(about_of(config, data, both, told, len(names), asked))
    firsts = [first_shapes_of(stage.learner) for stage in stages]
    for stage, first in zip(stages, firsts, strict=True):
        if stage.model is not None:
            check_leaves(replace(config, method=stage.model), first.params)
    if mesh is not None:
        check_mesh(mesh, config, stages, len(names), data)
    check_memory(firsts, len(names), mesh)
    supervised = config.method.needs_labels
    y, held_out_y = (
        (None, None) if known is None or not supervised
        else (jnp.asarray(known[index], jnp.int32) for index in (data.train_index, data.validation_index))
    )  # fmt: skip
    whole = mesh is None or mesh.rows == 1  # on a device
    train_x, validation_x = (data.train, data.validation) if whole else (data.train_on_host, data.validation_on_host)
    rows = TrainingRows(train_x, y, data.train_index, data.encodings, data.train_weight, data.shuffled)
    counts = None if data.validation_weight is None else jnp.asarray(data.validation_weight)
    with _keeper(checkpoint, mesh, config, keys, data, told, hints) as keeper, listeners.listening(config, names):
        try:
            states, history = train(
                stages,
                keys,
                rows,
                Data(validation_x, held_out_y, counts),
                batch_size=config.training.batch_size,
                names=names,
                halvings=config.training.halvings,
                keeper=keeper,
                on_epoch=listeners.on_epoch,
                mesh=mesh,
            )
        except TrainingDivergedError as error:
            states, history = error.last_good
            reached = _with_clusters(stages, keys, states, rows)
            error.last_good = models_reached(config, data, both, stages, reached, names, history, hints)
            if (largest := max(-data.facts.low, data.facts.high)) > _FAR:
                error.args = (f"{error} But prepared values reach {largest:.3g}: look for outliers first.",)
            raise
        except (jax.errors.JaxRuntimeError, ValueError):  # what a program makes of an error on the host
            if data.shuffled is not None and data.shuffled.error is not None:
                raise data.shuffled.error from None
            raise
        fitted = models_reached(config, data, both, stages, states, names, history, hints)
    listeners.on_end(next(reversed(fitted.values()), []))
    return fitted


def _with_clusters(
    stages: Sequence[Stage], keys: Key, states: Sequence[Sequence[State]], rows: TrainingRows
) -> list[Sequence[State]]:
    """After a failure: where nothing reached is a model yet, the one that only has to be started, if it can be."""
    states = list(states)
    reached = len(states)
    if reached == len(stages) or any(stage.model is not None for stage in stages[:reached]):
        return states
    following = stages[reached]
    if states and following.model is not None and following.num_epochs == 0:
        start_keys, _ = stage_keys(keys, jnp.asarray(reached))
        with suppress(FloatingPointError):  # nothing that could be asked is left
            states.append(following.start(start_keys, states[-1], rows))
    return states


def _keeper(
    checkpoint: Checkpoint | None,
    mesh: Mesh | None,
    config: Config,
    keys: Key,
    data: Prepared,
    known: np.ndarray | None,
    hints: Hints | None,
) -> AbstractContextManager[Keeper | KeptByFirst | None]:
    several = mesh is not None and jax.process_count() > 1
    if checkpoint is None and not several:
        return nullcontext()
    identity = identity_of(config, keys, data, known, hints)
    if several:
        check_same({**identity, "checkpoint": checkpoint is not None})
    if checkpoint is None:
        return nullcontext()
    return (KeptByFirst if several else Keeper)(checkpoint, identity)
