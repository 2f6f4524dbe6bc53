"""The command in this process, and what its answer may be."""

import io
import os
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import NamedTuple
from unittest.mock import patch

import jax

from tests.campaigns.mutate import check_sentence
from vaeclust_jax import cli

TINY = ("--network", "mlp", "--hidden", "16", "--latent-dim", "2", "--batch-size", "32")
_CACHED = "jax_enable_compilation_cache"


class Answer(NamedTuple):
    """Exit code, and what was printed."""

    code: int
    out: str
    err: str


class Reached(BaseException):
    """What a trial does not wait for: a fit, and what follows it."""


def vaeclust(*argv: object) -> Answer:
    """Calls the command, which leaves jax's settings as they were."""
    out, err, cached = io.StringIO(), io.StringIO(), jax.config.values[_CACHED]
    with (
        patch.object(sys, "argv", ["vaeclust", *map(str, argv)]),
        redirect_stdout(out),
        redirect_stderr(err),
        _of_processes() as said,
    ):
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        finally:
            jax.config.update(_CACHED, cached)
    return Answer(code, out.getvalue(), "".join(said) + err.getvalue())


@contextmanager
def _of_processes() -> Iterator[list[str]]:
    """What processes that the command starts, as it does with `--coordinator`, write to the standard error."""
    said: list[str] = []
    usual = os.dup(2)
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(usual, 2)
            os.close(usual)
            written.seek(0)
            said.append(written.read().decode())


def check_answer(answer: Answer, *shown: object, codes: Collection[int] = (0, 2)) -> str:
    """Checks an answer: a documented code, and one sentence where there is a mistake.

    Args:
        answer: of the command.
        shown: paths in it, which may be long.
        codes: that are allowed.

    Returns:
        How it ended, in a word.
    """
    assert answer.code in codes, f"code {answer.code}: {answer.err[-1500:]}"
    assert "Traceback" not in answer.err, answer.err[-1500:]
    if answer.code == 0:
        return "works"
    before, _, sentence = answer.err.removesuffix("\n").rpartition("vaeclust: ")
    assert not before or before.endswith("\n"), answer.err[-1500:]
    assert "vaeclust: " in answer.err, f"no sentence: {answer.err[-1500:]!r}"
    check_sentence(sentence, *shown)
    return "refused"
