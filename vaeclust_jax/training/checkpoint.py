"""Where a training run is, on disk: written beside training, whole or not at all, and read back bit for bit."""

import hashlib
import json
import logging
import math
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import jax
import numpy as np

from vaeclust_jax.checks import check_types
from vaeclust_jax.errors import InputError
from vaeclust_jax.training.checkpoint_folder import DAMAGED, check_identity, check_own, lock, remove_checkpoint
from vaeclust_jax.whole_file import put_aside

_log = logging.getLogger(__name__)
_ORBAX_LOG = logging.getLogger("absl")
_SECONDS_TO_COMPLAIN = 10
_FORMAT = 3
"""In 1 the digest was of the arrays alone; in 2 each array was one of orbax's."""


@dataclass(frozen=True)
class Checkpoint:
    """Where and how often a fit is kept; a fit that finds checkpoints of its own there goes on from the newest.

    Example:
        >>> x = np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0)
        >>> config = vc.Config(vc.VAEKMeans(2, pretrain_epochs=1), network=vc.MLP(hidden=(8,)))
        >>> run = vc.fit(config, x, 0, checkpoint=vc.Checkpoint("checkpoints", every_epochs=1))
        >>> len(run.history)
        1
    """

    folder: Path
    """Made if need be; for one fit at a time."""
    every_epochs: int | None = None
    """Epochs between two checkpoints; None: by the clock alone."""
    every_minutes: float = 5.0
    """Minutes between two checkpoints."""
    keep: int = 2
    """How many of the last ones stay; the one with the lowest validation loss stays too."""

    def __post_init__(self) -> None:
        if isinstance(self.folder, str):
            object.__setattr__(self, "folder", Path(self.folder))
        check_types(self)
        for name, value in {"every_epochs": self.every_epochs, "keep": self.keep}.items():
            if value is not None and value < 1:
                raise InputError(f"{name} must be at least 1, got {value}")
        if not self.every_minutes > 0:
            raise InputError(f"every_minutes must be positive, got {self.every_minutes}")


class Saved(NamedTuple):
    """A position as it was read: arrays without their tree, which the stages rebuild."""

    stage: int
    leaves: list[np.ndarray]
    history: list[dict[str, Any]]


class Keeper:
    """A context manager that holds the folder's lock and its checkpoints.

    Args:
        checkpoint: where and how often.
        identity: of the fit, as JSON: what must not differ between the run that wrote and the one that reads.

    Raises:
        InputError: another run holds the folder, it holds checkpoints of another fit or what no fit wrote, a link leads
            out of it, or it cannot be written to.
    """

    def __init__(self, checkpoint: Checkpoint, identity: Mapping[str, Any]):
        self._checkpoint = checkpoint
        folder = Path(checkpoint.folder).absolute()
        self._lock = lock(folder)
        try:
            check_own(folder)
            check_identity(folder, identity)
        except BaseException:
            self._lock.release()
            raise
        self._folder = folder / "epochs"
        self._manager: Any = None
        self._losses: dict[int, float] = {}
        self._number = max(self._numbers(), default=0)
        self._last = (self._number, time.monotonic())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self.settle()
        self._close()
        self._lock.release()

    def restore(self) -> Saved | None:
        """The newest position that can be read; None where there is none."""
        for number in sorted(self._numbers(), reverse=True):
            try:
                saved = self._read(number)
            except Exception as error:  # a damaged file can fail in any way
                _log.warning("checkpoint %s is damaged, the one before is taken: %s", number, _short(error))
                self._close()
                put_aside(self._folder / str(number), self._folder.with_name(f"{DAMAGED}{number}"))
            else:
                self._number = number
                self._last = (number, time.monotonic())
                return saved
        return None

    def offer(self, stage: int, tree: Callable[[], Any], history: Sequence[Mapping[str, Any]]) -> None:
        """Called after every epoch; keeps the position if it is time to, and asks for the tree then alone."""
        if self.due():
            self.write(stage, tree(), history)

    def keep(self, stage: int, tree: Callable[[], Any], history: Sequence[Mapping[str, Any]]) -> None:
        """Keeps the position now, and returns once it is on disk."""
        if self.is_behind():
            self.write(stage, tree(), history)
        self.settle()

    def due(self) -> bool:
        """Counts an epoch; whether it is time to keep the position."""
        self._number += 1
        number, when = self._last
        every = self._checkpoint.every_epochs
        by_count = every is not None and self._number - number >= every
        return by_count or time.monotonic() - when >= 60 * self._checkpoint.every_minutes

    def is_behind(self) -> bool:
        """Whether epochs were counted since the last position was kept."""
        return self._last[0] != self._number or not self._numbers()

    def write(self, stage: int, tree: Any, history: Sequence[Mapping[str, Any]]) -> None:
        """Starts to write; what goes wrong is said, and training goes on."""
        import orbax.checkpoint as ocp

        self.settle()
        self._last = (self._number, time.monotonic())
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]
        kinds = [[leaf.dtype.name, *leaf.shape] for leaf in leaves]
        said = {"format": _FORMAT, "stage": stage, "history": list(history), "arrays": kinds}
        # A copy: training gives its own arrays away.
        packed = np.concatenate([np.ravel(leaf).view(np.uint8) for leaf in leaves])
        record = {**said, "digest": _digest(packed, said)}
        try:
            self._open().save(
                self._number,
                args=ocp.args.Composite(
                    # One array: where one of many cannot be written, orbax leaves the others to complain by themselves.
                    arrays=ocp.args.StandardSave({"packed": packed}),
                    record=ocp.args.JsonSave(record),
                ),
                force=True,
            )
        except Exception as error:  # whatever the disk says
            self._give_up(error)
        else:
            self._losses[self._number] = _loss(history)

    def settle(self) -> None:
        """Waits for what is being written, then removes what need not stay."""
        if self._manager is None:
            return
        try:
            self._manager.wait_until_finished()
            numbers = sorted(self._numbers())
            best = min(numbers, key=lambda number: self._losses.get(number, np.inf), default=None)
            for number in numbers[: -self._checkpoint.keep]:
                if number != best:
                    remove_checkpoint(self._folder / str(number))
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        _log.warning("no checkpoint could be written, training goes on without it: %s", _short(error))
        self._close()

    def _close(self) -> None:
        if self._manager is not None:
            with suppress(Exception):  # what went wrong was said
                self._manager.close()
            self._manager = None
            for thread in threading.enumerate():  # those that a failed save leaves behind complain later than it
                if type(thread).__module__.startswith("orbax."):
                    threading.Thread.join(thread, _SECONDS_TO_COMPLAIN)  # their own raises what was said
            _ORBAX_LOG.removeFilter(_said_here)

    def _open(self) -> Any:
        import orbax.checkpoint as ocp

        if self._manager is None:
            _ORBAX_LOG.addFilter(_said_here)
            self._folder.mkdir(exist_ok=True)
            alone = ocp.options.MultiprocessingOptions(
                primary_host=jax.process_index(), active_processes={jax.process_index()}
            )
            options = ocp.CheckpointManagerOptions(
                create=False, cleanup_tmp_directories=True, enable_async_checkpointing=True,
                multiprocessing_options=alone,
            )  # fmt: skip
            self._manager = ocp.CheckpointManager(self._folder, options=options)
        return self._manager

    def _numbers(self) -> list[int]:
        """Of the checkpoints that are whole: orbax writes them under another name first."""
        folders = self._folder.iterdir() if self._folder.is_dir() else ()
        return [int(path.name) for path in folders if path.name.isdecimal()]

    def _read(self, number: int) -> Saved:
        import orbax.checkpoint as ocp

        args = ocp.args.Composite(arrays=ocp.args.StandardRestore(), record=ocp.args.JsonRestore())
        found = self._open().restore(number, args=args)
        record, packed = found["record"], np.asarray(found["arrays"]["packed"])
        digest = record.pop("digest")
        if record["format"] != _FORMAT or digest != _digest(packed, record):
            raise ValueError("it is not as it was written")
        self._losses[number] = _loss(record["history"])
        return Saved(record["stage"], _unpacked(packed, record["arrays"]), record["history"])


def refill(tree: Any, leaves: list[np.ndarray]) -> Any:
    """The tree with its leaves taken from the front of a list.

    Raises:
        InputError: they are not of its shapes.
    """
    old, structure = jax.tree.flatten(tree)
    new = [leaves.pop(0) for _ in old] if len(leaves) >= len(old) else []
    for place, (before, now) in enumerate(zip(old, new, strict=False)):
        if before.shape != now.shape or before.dtype != now.dtype:
            raise InputError(f"the checkpoint is of another fit: array {place} is {now.dtype} {now.shape}")
    if len(new) < len(old):
        raise InputError("the checkpoint is of another fit: it has fewer arrays")
    # What is on the host stays there.
    as_before = [
        now if isinstance(before, np.ndarray) else jax.numpy.asarray(now) for before, now in zip(old, new, strict=True)
    ]
    return jax.tree.unflatten(structure, as_before)


def _unpacked(packed: np.ndarray, kinds: Sequence[Sequence[Any]]) -> list[np.ndarray]:
    """The arrays, each of its own memory, of their names of types and shapes."""
    leaves, start = [], 0
    for name, *shape in kinds:
        dtype = np.dtype(name)
        end = start + dtype.itemsize * math.prod(shape)
        leaves.append(packed[start:end].copy().view(dtype).reshape(shape))
        start = end
    return leaves


def _digest(packed: np.ndarray, said: Mapping[str, Any]) -> str:
    found = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    found.update(packed.data)
    return found.hexdigest()


def _loss(history: Sequence[Mapping[str, Any]]) -> float:
    """Of the last epoch: the mean validation loss of the seeds, or the training loss where no rows are held out."""
    if not history:
        return np.inf
    last = [row for row in history if (row["stage"], row["epoch"]) == (history[-1]["stage"], history[-1]["epoch"])]
    return float(np.mean([row.get("val_loss", row["loss"]) for row in last]))


def _said_here(record: logging.LogRecord) -> bool:
    """Whether the log may show it: orbax has several hundred lines for a full disk, for which we have one."""
    return "orbax" not in Path(record.pathname).parts


def _short(error: Exception) -> str:
    code = re.search(r"os_error_code='(\d+)'", str(error))
    text = os.strerror(int(code[1])) if code else " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]} ..."
