"""Files that are either whole or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file beside its final name and move it there at the end.

    Args:
        path: the file; replaced if it exists.
        content: text is written as UTF-8, and file names in it that are not UTF-8 as the bytes they are.
    """
    if isinstance(content, str):
        content = content.encode("utf-8", errors="surrogateescape")
    with unfinished_file(path) as unfinished:
        unfinished.write_bytes(content)


@contextmanager
def unfinished_file(path: Path) -> Iterator[Path]:
    """A name beside the given one whose file takes its place when all was written, and is removed if not."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
