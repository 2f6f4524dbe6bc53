"""The loop that runs everything: stages of epochs, for one seed or many as one program."""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from vaeclust_jax.errors import TrainingDivergedError
from vaeclust_jax.training.checkpoint import Keeper, refill
from vaeclust_jax.training.epoch import Data, Progress, begin, epoch_program
from vaeclust_jax.training.kept_by_first import KeptByFirst
from vaeclust_jax.training.layout import Layout, lay_data
from vaeclust_jax.training.mesh import Mesh
from vaeclust_jax.training.processes import fetched, of_first
from vaeclust_jax.types import Key, Rows, Stage, State, Stopping

History = list[dict[str, Any]]
"""A row an epoch and seed: seed (its position), stage, epoch (from 1 in each stage), then the infos by name."""

_log = logging.getLogger(__name__)

_CURE = "A lower learning rate is the usual cure."


def stack(trees: Sequence[Any]) -> Any:
    """A list of equal pytrees as one with a new leading axis (seeds)."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


@partial(jax.jit, static_argnames="size")
def unstack(tree: Any, size: int) -> list[Any]:
    """The inverse of `stack`."""
    return [jax.tree.map(lambda leaf, i=i: leaf[i], tree) for i in range(size)]


def train(
    stages: Sequence[Stage],
    keys: Key,
    rows: Rows,
    validation: Data,
    *,
    batch_size: int,
    names: Sequence[int],
    halvings: int = 0,
    keeper: Keeper | KeptByFirst | None = None,
    on_epoch: Callable[[History], None] | None = None,
    mesh: Mesh | None = None,
) -> tuple[list[list[State]], History]:
    """Runs the stages one after the other for all seeds.

    Args:
        stages: each starts from the states that the one before hands on.
        keys: (S,) one key a seed. What is drawn is a function of (key, stage, epoch, step).
        rows: training rows, in the model's units.
        validation: held-out rows, for the stopping rules; may be empty.
        batch_size: rows a gradient step.
        names: the seeds' numbers, for history and messages.
        halvings: how often, in each stage, a seed takes back an epoch that turned non-finite and tries it again with
            half the learning rate.
        keeper: keeps where training is, and says where an earlier run of the same call was: that one goes on.
        on_epoch: called on the host after every epoch with its history rows, and the `num_epochs` of the stage; first
            with those of the earlier run.
        mesh: devices to lay seeds and rows over; None: all is on one. It has been checked.

    Returns:
        (states[stage][seed], history).

    Raises:
        TrainingDivergedError: a loss or parameter turned non-finite once too often. Its `last_good` is what would have
            been returned, ending with the stage that failed, in the state from before that epoch.
    """
    finished: list[list[State]] = []
    data = (Data(rows.x, rows.y, None if rows.weight is None else jnp.asarray(rows.weight)), validation)
    if mesh is not None:
        data = (lay_data(mesh, data[0]), lay_data(mesh, data[1]))
    saved = None if keeper is None else keeper.restore()
    history: History = [] if saved is None else saved.history
    if on_epoch is not None:
        _tell_again(history, stages, on_epoch)
    for number, stage in enumerate(stages):
        start_keys, epoch_keys = stage_keys(keys, jnp.asarray(number))
        before = finished[-1] if finished else [None] * len(names)
        try:
            first = stage.start(start_keys, before, rows)
        except FloatingPointError as error:
            message = f"training stopped at the start of stage '{stage.name}': {error}. {_CURE}"
            raise TrainingDivergedError(message, last_good=(finished, history)) from error
        if saved is not None and number < saved.stage:  # the start gives the tree, the checkpoint its leaves
            finished.append(refill(first, saved.leaves))
            continue
        layout = None if mesh is None else Layout(mesh, stage.learner.by_row or (), len(names), rows.x.shape[0])
        begun = _begin_all if layout is None else _begin_on_host
        progress = begun(stage.stopping)(first, jnp.asarray(halvings))
        if saved is not None and number == saved.stage:
            progress = refill(progress, saved.leaves)
        at = _Place(number, finished, history, keeper, layout)
        train_rows = data[0]._replace(blocks=rows.blocks if stage.learner.by_blocks else None)
        of_stage = (train_rows, data[1])
        progress, failure = _run_epochs(stage, epoch_keys, progress, of_stage, batch_size, names, at, on_epoch)
        if keeper is not None and number == len(stages) - 1 and not failure:
            keeper.keep(number, partial(at.tree, progress), history)
        finished.append(_handed_on(stage.stopping, progress, len(names), layout))
        if failure:
            raise TrainingDivergedError(failure, last_good=(finished, history))
    return finished, history


def _tell_again(history: History, stages: Sequence[Stage], on_epoch: Callable[[History], None]) -> None:
    for stage in stages:
        of_stage = [row for row in history if row["stage"] == stage.name]
        for _, rows in groupby(of_stage, key=itemgetter("epoch")):
            on_epoch(_told(rows, stage))


def _told(rows: Iterable[dict[str, Any]], stage: Stage) -> History:
    return [{**row, "num_epochs": stage.num_epochs} for row in rows]


class _Place(NamedTuple):
    """Where in the run a stage is."""

    stage: int
    finished: list[list[State]]
    history: History
    keeper: Keeper | KeptByFirst | None
    layout: Layout | None

    def tree(self, progress: Progress) -> Any:
        """What a checkpoint holds, which does not depend on the devices."""
        return self.finished, progress if self.layout is None else self.layout.back(progress)


# One program each: as single operations they are dozens, which XLA compiles, or reads, one by one.


@jax.jit
def stage_keys(keys: Key, number: Array) -> tuple[Key, Key]:
    """Of every seed a key for the start of a stage and one for its epochs, (S,) each."""
    of_stage = jax.vmap(lambda key: jax.random.fold_in(key, number))(keys)
    pairs = jax.vmap(jax.random.split)(of_stage)
    return pairs[:, 0], pairs[:, 1]


@lru_cache
def _begin_all(stopping: Stopping) -> Callable[[list[State], Array], Progress]:
    return jax.jit(lambda states, halvings: stack([begin(state, stopping, halvings) for state in states]))


def _begin_on_host(stopping: Stopping) -> Callable[[list[State], Array], Progress]:
    """As `_begin_all`, for a mesh: no device has room for all of it."""

    def begin_all(states: list[State], halvings: Array) -> Progress:
        begun = [begin(state, stopping, int(halvings)) for state in jax.device_get(states)]
        return of_first(jax.tree.map(lambda *leaves: np.stack(leaves), *begun))

    return begin_all


def _handed_on(stopping: Stopping, progress: Progress, size: int, layout: Layout | None) -> list[State]:
    """The states with which a stage ends; those of a mesh are on the host, but for what is asked of a model."""
    if layout is None:
        return unstack(jax.vmap(stopping.result)(progress.memory, progress.state), size)
    apart = [jax.tree.map(lambda leaf, i=i: leaf[i, ...], progress) for i in range(size)]
    states = [stopping.result(one.memory, one.state) for one in apart]
    return [state._replace(params=jax.tree.map(jnp.asarray, state.params)) for state in states]


def _run_epochs(
    stage: Stage,
    keys: Key,
    progress: Progress,
    data: tuple[Data, Data],
    batch_size: int,
    names: Sequence[int],
    at: _Place,
    on_epoch: Callable[[History], None] | None,
) -> tuple[Progress, str]:
    """All epochs of a stage, rows appended to its history; also a sentence about a failure, or ""."""
    program = epoch_program(stage.learner, stage.stopping, batch_size, at.layout)
    last, failure = jnp.asarray(stage.num_epochs), ""
    if at.layout is not None:
        keys, progress = at.layout.keys(keys), at.layout.lay(progress)
    seen = fetched(_seen(progress))
    while not (seen.stopped | (seen.epoch >= stage.num_epochs)).all():
        progress, infos = program(keys, progress, last, *data)
        infos, now = fetched((infos, _seen(progress)))
        rows: dict[int, dict[str, Any]] = {
            seed: {"seed": names[seed], "stage": stage.name, "epoch": int(seen.epoch[seed]) + 1}
            | {name: float(values[seed]) for name, values in infos.items()}
            for seed in range(len(names))
        }
        for seed in np.flatnonzero(now.halvings < seen.halvings).tolist():
            _log.warning(
                "%s; it is tried again with half the learning rate (%d more times at most)",
                _what_failed(rows[seed]), now.halvings[seed],
            )  # fmt: skip
        done = [rows[seed] for seed in np.flatnonzero(now.epoch > seen.epoch).tolist()]
        at.history.extend(done)
        seen = now
        if seen.failed.any():
            bad = [rows[seed] for seed in np.flatnonzero(seen.failed).tolist()]
            at.history.extend(bad)
            failure = f"training stopped: {_what_failed(bad[0])}; the state of the epoch before is kept. {_CURE}"
            break
        try:
            if at.keeper is not None:
                at.keeper.offer(at.stage, partial(at.tree, progress), at.history)
            if on_epoch is not None and done:
                on_epoch(_told(done, stage))
        except BaseException as error:
            # Of several processes one that failed is alone; to end on request, they agree upon (`cli.interrupt`).
            together = jax.process_count() == 1 or isinstance(error, KeyboardInterrupt)
            if at.keeper is not None and together:
                at.keeper.keep(at.stage, partial(at.tree, progress), at.history)
            raise
    return progress if at.layout is None else at.layout.back(progress), failure


class _Seen(NamedTuple):
    """What the host looks at after an epoch, (S,) each."""

    epoch: Array | np.ndarray
    halvings: Array | np.ndarray
    stopped: Array | np.ndarray
    failed: Array | np.ndarray


def _seen(progress: Progress) -> _Seen:
    return _Seen(progress.epoch, progress.halvings, progress.stopped, progress.failed)


def _what_failed(row: dict[str, Any]) -> str:
    bad = [name for name, value in row.items() if isinstance(value, float) and not np.isfinite(value)]
    # A total is non-finite because a part is: name the part.
    parts = [name for name in bad if name not in ("loss", "vae_loss", "val_loss")]
    return (
        f"{', '.join(parts or bad) or 'a parameter'} turned non-finite in epoch {row['epoch']} of stage "
        f"'{row['stage']}' (seed {row['seed']})"
    )
