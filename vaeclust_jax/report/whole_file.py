"""Files of bytes or text that are either whole or not there, as `run_folder` writes its own."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file beside its final name and move it there at the end.

    Args:
        path: the file; replaced if it exists.
        content: text is written as UTF-8, and file names in it that are not UTF-8 as the bytes they are.
    """
    if isinstance(content, str):
        content = content.encode("utf-8", errors="surrogateescape")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
