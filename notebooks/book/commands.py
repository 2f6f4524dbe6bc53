"""What the command line says of itself."""

import contextlib
import io
import os
from unittest import mock

from vaeclust_jax.cli.commands import dispatch

_WIDTH = "100"


def usage() -> str:
    """Of `vaeclust` alone."""
    return _fenced(said([]))


def command(*words: str) -> str:
    """The help of one command: `run --help`."""
    return _fenced(said(list(words)))


def said(argv: list[str]) -> str:
    """What the command prints, in a terminal of 100 columns without colours."""
    caught = io.StringIO()
    plain = {"COLUMNS": _WIDTH, "NO_COLOR": "1", "TERM": "dumb"}
    with mock.patch.dict(os.environ, plain), contextlib.redirect_stdout(caught), contextlib.suppress(SystemExit):
        dispatch(argv)
    return caught.getvalue().strip()


def _fenced(text: str) -> str:
    return f"```text\n{text}\n```\n"
