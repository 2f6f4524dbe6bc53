"""Words as a dataclass, by tyro, whose box about a mistake becomes one sentence."""

import io
import re
from contextlib import redirect_stderr
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

import tyro

from vaeclust_jax.errors import InputError
from vaeclust_jax.shown import shortened

_NEITHER = (MISSING, MISSING)
_MISTAKES = {
    r"no type matching (?P<kinds>.+) could be instantiated from \[(?P<got>.*)\]": None,
    r"invalid literal for int\(\) with base 10: (?P<got>.*)": "INT",
    r"could not convert string to float: (?P<got>.*)": "FLOAT",
}
"""What tyro and Python say of a value that does not fit, and of which kind it should be."""
_KINDS = {"INT": "a whole number", "FLOAT": "a number", "{None}": "none", "{INT INT}": "two whole numbers"}


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
        said = _plainly(_first_sentence(box.getvalue()))
        if said.startswith("Missing from ") and is_dataclass(kind):
            needed = [one.name for one in fields(kind) if (one.default, one.default_factory) == _NEITHER]
            said = f"{prog} needs {' and '.join(_shown(name, get_type_hints(kind)[name]) for name in needed)}"
        raise InputError(f"{said}; see {prog} --help") from None


def _first_sentence(box: str) -> str:
    """What stands between the title and the next empty line or rule."""
    lines = [line.strip("│ ") for line in box.splitlines()[1:]]
    end = next((number for number, line in enumerate(lines) if line.strip("─╰╯") == ""), len(lines))
    return " ".join(lines[:end]).rstrip(".")


def _shown(name: str, hint: Any) -> str:
    """A positional argument: its choices where there are a few, else its name."""
    return " or ".join(get_args(hint)) if get_origin(hint) is Literal else name.upper()


def _plainly(sentence: str) -> str:
    """The same without the words of a parser for types and counts."""
    sentence = sentence.replace("Expected 1 values", "Expected one value")
    for pattern, kinds in _MISTAKES.items():
        if found := re.fullmatch(rf"Error parsing (?P<flag>\S+): {pattern}", sentence):
            words = [_KINDS.get(kind, kind.strip("{}")) for kind in (kinds or found["kinds"]).split("|")]
            sentence = f"{found['flag']} must be {' or '.join(words)}, got {found['got']}"
    return shortened(sentence)
