"""The folder that a fit keeps its checkpoints in: whose it is, who may write to it, and what of it may go again."""

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout

from vaeclust_jax.errors import InputError
from vaeclust_jax.shown import in_a_line
from vaeclust_jax.whole_file import put_aside, refuse_link, write_whole

_MOST_SAID = 6
"""Settings that differ."""
DAMAGED = "damaged-"
"""What a checkpoint that cannot be read is called from then on, with its number."""
_UNFINISHED = ".orbax-checkpoint-tmp"
"""In the name of what orbax has not written to the end, and of what is not removed to the end."""


def lock(folder: Path) -> BaseFileLock:
    """Keeps other processes from writing to the folder until it is released, or this process ends in whatever way.

    Raises:
        InputError: another process holds it, or the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        refuse_link(folder / ".lock")
        held = FileLock(folder / ".lock")
        held.acquire(timeout=0)
    except Timeout:
        raise InputError(f"another run is writing to {folder}: wait for it, or choose another folder") from None
    except OSError as error:
        raise _not_writable(folder, error) from error
    return held


def _not_writable(folder: Path, error: OSError) -> InputError:
    return InputError(f"{folder} cannot be written to: {error.strerror or error}")


def check_own(folder: Path) -> None:
    """Check that all in a folder of checkpoints was written by fits: what was not may be read, written over or removed.

    Raises:
        InputError: a link leads out of it, or it holds something else.
    """
    epochs = folder / "epochs"
    for path in (folder / "fit.json", epochs):
        refuse_link(path)
    inside = list(epochs.iterdir()) if epochs.is_dir() else []
    for path in inside:
        refuse_link(path)
    if inside and not (folder / "fit.json").exists():
        raise InputError(f"{epochs} holds what no fit has written: choose another folder for checkpoints")


def check_identity(folder: Path, identity: Mapping[str, Any]) -> None:
    """Check that the checkpoints are of this fit; the first one writes down which it is.

    Raises:
        InputError: they are of another, by what differs; or that cannot be read or written.
    """
    path = folder / "fit.json"
    now = _flat(json.loads(json.dumps(identity)))
    if not path.exists():
        try:
            write_whole(path, json.dumps(identity, indent=2) + "\n")
        except OSError as error:
            raise _not_writable(folder, error) from error
        return
    try:
        before = _flat(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {error}; remove {folder} to start afresh") from error
    different = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    if different:
        few = ", ".join(_other(name, before.get(name), now.get(name)) for name in different[:_MOST_SAID])
        more = len(different) - _MOST_SAID
        raise InputError(f"{folder} holds checkpoints of another fit: {few}{f' and {more} more' if more > 0 else ''}")


def _other(name: str, before: Any, now: Any) -> str:
    if name.startswith("data.") and before is not None and now is not None:  # their hashes say nothing to a person
        return f"{in_a_line(name, 60)} is another"
    return f"{in_a_line(name, 60)} was {in_a_line(before, 60)} and is {in_a_line(now, 60)}"


def _flat(tree: Any, place: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {place: tree}
    return {name: value for key in tree for name, value in _flat(tree[key], f"{place}.{key}" if place else key).items()}


def is_checkpoint(path: Path) -> bool:
    """Whether orbax wrote a folder, to the end or not."""
    return (path / "_CHECKPOINT_METADATA").is_file() or _UNFINISHED in path.name


def remove_checkpoint(path: Path) -> None:
    """Removes what orbax wrote, under a name that still says so where a kill leaves half of it. Links stay."""
    if path.is_symlink() or not is_checkpoint(path):
        return
    with suppress(OSError):  # it is gone, or nobody may
        if _UNFINISHED not in path.name:
            path = put_aside(path, path.with_name(f"{path.name}{_UNFINISHED}"))
    shutil.rmtree(path, ignore_errors=True)


def remove(folder: Path) -> None:
    """Removes what fits have kept in folders of their own under the given one; what is not theirs stays."""
    for fit in [path.parent for path in folder.glob("*/fit.json") if not path.parent.is_symlink()]:
        for path in (*fit.glob("epochs/*"), *fit.glob(f"{DAMAGED}*")):
            remove_checkpoint(path)
        _remove_if_empty(fit / "epochs")
        for path in (fit / ".lock", fit / "fit.json"):  # the last: it says that the folder is a fit's
            path.unlink(missing_ok=True)
        _remove_if_empty(fit)
    (folder / ".lock").unlink(missing_ok=True)
    _remove_if_empty(folder)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # it is not, or is not there
        folder.rmdir()
