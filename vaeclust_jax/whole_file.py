"""Files that are either whole or not there: whatever the library writes, it writes through here."""

import itertools
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from vaeclust_jax.errors import InputError

_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{8}\.unfinished", re.DOTALL)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of the given one when all is on disk, and is removed if not.

    It lies beside the given one, because a rename is atomic only within one file system. A device or a pipe is not
    replaced: it is written to.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    unfinished = _unfinished(path)
    try:
        with unfinished.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the new name with nothing in it
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise


def _unfinished(path: Path) -> Path:
    """A name of its own for each writer: threads share a process's number, and containers may."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.unfinished")


def sweep(folder: Path) -> None:
    """Removes what writers left under a folder that nobody writes to any more, when they were killed."""
    for path in folder.glob("**/.*.unfinished"):
        if path.is_file() and _UNFINISHED.fullmatch(path.name):
            path.unlink(missing_ok=True)


def put_aside(path: Path, name: Path) -> Path:
    """Gives it another name, `name-1` or the next that is free, which is returned."""
    names = (name.with_name(f"{name.name}-{count}") for count in itertools.count(1))
    free = next(other for other in names if not other.exists())
    os.rename(path, free)
    return free


def refuse_link(path: Path) -> None:
    """Check that a name in a folder of ours does not lead out of it.

    Raises:
        InputError: it is a link.
    """
    if path.is_symlink():
        raise InputError(f"{path} is a link to somewhere else, which is left alone: remove the link first")


@contextmanager
def growing_file(path: Path) -> Iterator[BinaryIO]:
    """A log, which another process adds lines to: it is never written whole, and a link is refused.

    Raises:
        InputError: it is a link.
    """
    refuse_link(path)
    with path.open("ab") as file:
        yield file


@contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """`whole_file` for another library that writes by itself: where to, before it takes the place of the given one."""
    unfinished = _unfinished(path)
    try:
        yield unfinished
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file whole or not at all.

    Args:
        path: the file; replaced if it exists.
        content: text is written as UTF-8, and file names in it that are not UTF-8 as the bytes they are.
    """
    with whole_file(path) as file:
        file.write(content.encode("utf-8", errors="surrogateescape") if isinstance(content, str) else content)
