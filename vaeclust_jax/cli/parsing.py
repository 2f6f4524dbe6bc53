"""Words as a dataclass, by tyro, whose box about a mistake becomes one sentence."""

import io
from contextlib import redirect_stderr
from typing import Any

import tyro

from vaeclust_jax.errors import InputError
from vaeclust_jax.shown import shortened


def parsed(kind: Any, argv: list[str], prog: str, **more: Any) -> Any:
    """`tyro.cli`.

    Args:
        kind: the dataclass.
        argv: the words after the command.
        prog: the command.
        more: what else tyro takes.

    Raises:
        InputError: words that do not fit.
    """
    box = io.StringIO()
    try:
        with redirect_stderr(box):
            return tyro.cli(kind, args=argv, prog=prog, **more)
    except SystemExit as end:
        if not end.code:
            raise  # --help
        raise InputError(f"{_first_sentence(box.getvalue())}; see {prog} --help") from None


def _first_sentence(box: str) -> str:
    """What stands between the title and the next empty line or rule."""
    lines = [line.strip("│ ") for line in box.splitlines()[1:]]
    end = next((number for number, line in enumerate(lines) if line.strip("─╰╯") == ""), len(lines))
    return shortened(" ".join(lines[:end]).rstrip("."))
