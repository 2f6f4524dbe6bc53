"""Files that are either whole or not there: whatever the library writes, it writes through here."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


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
    # A name of its own for each writer: threads share a process's number, and containers may.
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.unfinished")
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


@contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """`whole_file` for another library that writes by itself: where to, before it takes the place of the given one."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.unfinished")
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
