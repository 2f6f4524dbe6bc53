"""What is handed in as a file of a table and is none: addresses, web pages, workbooks and archives."""

import os
import re
from pathlib import Path

from vaeclust_jax.errors import InputError

_OTHERS = {
    b"\x1f\x8b": "gzip packed it: let its name end in .csv.gz",
    b"pk\x03\x04": "it is a workbook or an archive: export the sheet as CSV, or unpack it",
    b"<!doctype html": "it is a web page: download the file that the page links to",
    b"%%matrixmarket": "it is a sparse matrix by coordinates: read it with scipy.io.mmread, and pass the matrix",
    b'{"': "it is JSON: write it as a table",
    b"[{": "it is JSON: write it as a table",
    b"<html": "it is a web page: download the file that the page links to",
}
"""How other files begin, in small letters."""


def no_text(content: bytes) -> str:
    """What a file holds in the place of a table of text; "" if it may hold one."""
    begins = content[:200].lstrip().lower()
    why = next((why for mark, why in _OTHERS.items() if begins.startswith(mark)), "")
    return why or ("it holds bytes that are no text; save it as UTF-8" if b"\0" in content[:100_000] else "")


def checked_path(name: object) -> Path:
    """A name of files as a path.

    Raises:
        InputError: it is no name, an address, or standard input.
    """
    if not isinstance(name, str | os.PathLike):
        raise InputError(f"load reads names and files, got {type(name).__name__}: pass samples to cluster or fit")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", str(name)):
        raise InputError(f"{str(name)[:100]} is an address, and only files are read: download it first")
    if str(name) == "-":
        raise InputError("standard input is not read: write it to a file, and give its name")
    return Path(os.path.expanduser(name))
