"""Checkpoints of a fit over several processes: the first keeps them, and all of them go on from what it has."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import jax
import numpy as np

from vaeclust_jax.errors import InputError
from vaeclust_jax.training.checkpoint import Checkpoint, Keeper, Saved
from vaeclust_jax.training.processes import any_of, bytes_of_first


class KeptByFirst:
    """A `Keeper` in the first process, and what the others do meanwhile: every call is made by all.

    Args:
        checkpoint: as for `Keeper`; the folder is the first process's, and the others need not see it.
        identity: as for `Keeper`.

    Raises:
        InputError: as `Keeper`, in all processes.
    """

    def __init__(self, checkpoint: Checkpoint, identity: Mapping[str, Any]):
        self._keeper: Keeper | None = None
        refusal = ""
        if jax.process_index() == 0:
            try:
                self._keeper = Keeper(checkpoint, identity)
            except InputError as error:
                refusal = str(error)
        if refusal := bytes_of_first(refusal.encode()).decode():
            raise InputError(refusal)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._keeper is not None:
            self._keeper.__exit__(*error)

    def restore(self) -> Saved | None:
        """The newest position that the first can read."""
        saved = None if self._keeper is None else self._keeper.restore()
        return _from_bytes(bytes_of_first(b"" if saved is None else _as_bytes(saved)))

    def offer(self, stage: int, tree: Callable[[], Any], history: Sequence[Mapping[str, Any]]) -> None:
        """As `Keeper.offer`, when the first's clock says so: the tree's parts are in all processes."""
        if any_of(self._keeper is not None and self._keeper.due()):
            self._write(stage, tree(), history)

    def keep(self, stage: int, tree: Callable[[], Any], history: Sequence[Mapping[str, Any]]) -> None:
        """As `Keeper.keep`."""
        if any_of(self._keeper is not None and self._keeper.is_behind()):
            self._write(stage, tree(), history)
        if self._keeper is not None:
            self._keeper.settle()

    def _write(self, stage: int, tree: Any, history: Sequence[Mapping[str, Any]]) -> None:
        if self._keeper is not None:
            self._keeper.write(stage, tree, history)


def _as_bytes(saved: Saved) -> bytes:
    said = {
        "stage": saved.stage,
        "history": saved.history,
        "arrays": [[leaf.dtype.name, leaf.shape] for leaf in saved.leaves],
    }
    head = json.dumps(said).encode()
    return b"".join([len(head).to_bytes(8, "little"), head, *(leaf.tobytes() for leaf in saved.leaves)])


def _from_bytes(found: bytes) -> Saved | None:
    if not found:
        return None
    place = 8 + int.from_bytes(found[:8], "little")
    said = json.loads(found[8:place])
    leaves = []
    for name, shape in said["arrays"]:
        dtype, count = np.dtype(name), int(np.prod(shape))
        leaves.append(np.frombuffer(found, dtype, count, place).reshape(shape))
        place += count * dtype.itemsize
    return Saved(said["stage"], leaves, said["history"])
