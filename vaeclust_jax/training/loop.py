"""The loop that runs everything: stages of epochs, for one seed or many as one program."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.errors import TrainingDivergedError
from vaeclust_jax.training.epoch import Progress, begin, epoch_program
from vaeclust_jax.types import Key, Stage, State, Stopping

History = list[dict[str, Any]]
"""A row an epoch and seed: seed (its position), stage, epoch (from 1 in each stage), then the infos by name."""

_CURE = "A lower learning rate is the usual cure."


def stack(trees: Sequence[Any]) -> Any:
    """A list of equal pytrees as one with a new leading axis (seeds)."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def unstack(tree: Any, size: int) -> list[Any]:
    """The inverse of `stack`."""
    return [jax.tree.map(lambda leaf, i=i: leaf[i], tree) for i in range(size)]


def train(
    stages: Sequence[Stage],
    keys: Key,
    x: Float[Array, "n ..."],
    validation: Float[Array, "m ..."],
    *,
    batch_size: int,
    names: Sequence[int],
    on_epoch: Callable[[History], None] | None = None,
) -> tuple[list[list[State]], History]:
    """Runs the stages one after the other for all seeds.

    Args:
        stages: each starts from the state that the one before hands on.
        keys: (S,) one key a seed. What is drawn is a function of (key, stage, epoch, step).
        x: training rows, in the model's units.
        validation: held-out rows, for the stopping rules; may be empty.
        batch_size: rows a gradient step.
        names: the seeds' numbers, for history and messages.
        on_epoch: called on the host after every epoch with its history rows.

    Returns:
        (states[stage][seed], history).

    Raises:
        TrainingDivergedError: a loss or parameter turned non-finite. Its `last_good` is what would have been
            returned, ending with the stage that failed, in the state from before that epoch.
    """
    finished: list[list[State]] = []
    history: History = []
    for number, stage in enumerate(stages):
        start_keys, epoch_keys = _stage_keys(keys, jnp.asarray(number))
        before = finished[-1] if finished else [None] * len(names)
        try:
            first = [stage.start(key, state, x) for key, state in zip(start_keys, before, strict=True)]
        except FloatingPointError as error:
            message = f"training stopped at the start of stage '{stage.name}': {error}. {_CURE}"
            raise TrainingDivergedError(message, last_good=(finished, history)) from error
        progress = _begin_all(stage.stopping)(first)
        progress, failure = _run_epochs(
            stage, epoch_keys, progress, x, validation, batch_size, names, history, on_epoch
        )
        handed_on = jax.vmap(stage.stopping.result)(progress.memory, progress.state)
        finished.append(unstack(handed_on, len(names)))
        if failure:
            raise TrainingDivergedError(failure, last_good=(finished, history))
    return finished, history


# One program each: as single operations they are dozens, which XLA compiles, or reads, one by one.


@jax.jit
def _stage_keys(keys: Key, number: Array) -> tuple[Key, Key]:
    """Of every seed a key for the start of a stage and one for its epochs, (S,) each."""
    of_stage = jax.vmap(lambda key: jax.random.fold_in(key, number))(keys)
    start_keys, epoch_keys = jnp.moveaxis(jax.vmap(jax.random.split)(of_stage), 1, 0)
    return start_keys, epoch_keys


@lru_cache
def _begin_all(stopping: Stopping) -> Callable[[list[State]], Progress]:
    return jax.jit(lambda states: stack([begin(state, stopping) for state in states]))


def _run_epochs(
    stage: Stage,
    keys: Key,
    progress: Progress,
    x: Array,
    validation: Array,
    batch_size: int,
    names: Sequence[int],
    history: History,
    on_epoch: Callable[[History], None] | None,
) -> tuple[Progress, str]:
    """All epochs of a stage, rows appended to `history`; also a sentence about a failure, or ""."""
    program = epoch_program(stage.learner, stage.stopping, batch_size)
    stopped = np.zeros(len(names), bool)
    for epoch in range(1, stage.num_epochs + 1):
        running = np.flatnonzero(~stopped).tolist()
        progress, infos = program(keys, progress, jnp.asarray(epoch), x, validation)
        infos, stopped, failed = jax.device_get((infos, progress.stopped, progress.failed))
        rows: History = [
            {"seed": names[seed], "stage": stage.name, "epoch": epoch}
            | {name: float(values[seed]) for name, values in infos.items()}
            for seed in running
        ]
        history += rows
        if on_epoch is not None:
            on_epoch(rows)
        if failed.any():
            seed = names[int(np.argmax(failed))]
            return progress, _failure(next(row for row in rows if row["seed"] == seed))
        if stopped.all():
            break
    return progress, ""


def _failure(row: dict[str, Any]) -> str:
    bad = [name for name, value in row.items() if isinstance(value, float) and not np.isfinite(value)]
    # A total is non-finite because a part is: name the part.
    parts = [name for name in bad if name not in ("loss", "vae_loss", "val_vae_loss")]
    return (
        f"training stopped: {', '.join(parts or bad) or 'a parameter'} turned non-finite in epoch {row['epoch']} of "
        f"stage '{row['stage']}' (seed {row['seed']}); the state of the epoch before is kept. "
        f"{_CURE}"
    )
