"""Ctrl-C and SIGTERM end work between epochs, and afterwards do what they did before."""

import signal
from collections.abc import Callable

import pytest

from vaeclust_jax.cli.interrupt import Interrupt, Terminated

SIGNALS = pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)


def work(said: list[str], *steps: str | signal.Signals) -> None:
    """Says what is a word and raises what is a signal."""
    with Interrupt() as interrupt:
        say: Callable[[str], None] = interrupt.checked(said.append)
        for step in steps:
            if isinstance(step, str):
                say(step)
            else:
                signal.raise_signal(step)
        said.append("end")


@SIGNALS
def test_the_next_checked_call_ends_the_work(number: signal.Signals, kind: type[BaseException]) -> None:
    before, said = signal.getsignal(number), []
    with pytest.raises(kind):
        work(said, "first", number, "second")
    assert said == ["first"]
    assert signal.getsignal(number) is before


@SIGNALS
def test_after_the_last_call_the_work_ends_and_then_it_is_said(
    number: signal.Signals, kind: type[BaseException]
) -> None:
    said: list[str] = []
    with pytest.raises(kind):
        work(said, "only", number)
    assert said == ["only", "end"]


def test_the_second_one_ends_at_once() -> None:
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        work(said, signal.SIGINT, signal.SIGINT, "never")
    assert not said


def test_work_that_nobody_ended_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    work(said, "first", "second")
    assert said == ["first", "second", "end"]
    assert capsys.readouterr() == ("", "")
