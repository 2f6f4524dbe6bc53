"""Ctrl-C and SIGTERM between epochs: an exception inside compiled code's callbacks is lost there, or crashes it."""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

from vaeclust_jax.fitting.callback import Callback
from vaeclust_jax.training.loop import History
from vaeclust_jax.training.processes import any_of

T = TypeVar("T")


class Terminated(KeyboardInterrupt):
    """SIGTERM: the machine wants its place back."""


class Interrupt(Callback):
    """The first Ctrl-C or SIGTERM ends the work after the epoch or at the next `checked` call; the second one at once.

    Afterwards signals do what they did before: a process that called the command as a function keeps its own ways.
    """

    def __init__(self) -> None:
        self._asked: type[KeyboardInterrupt] | None = None

    def __enter__(self) -> "Interrupt":
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._asked is not None and kind is None:  # after the last call
            raise self._asked

    def _ask(self, number: int, frame: FrameType | None) -> None:
        kind = Terminated if number == signal.SIGTERM else KeyboardInterrupt
        if self._asked is not None:
            raise kind
        self._asked = kind
        print("vaeclust: stopping after this epoch; Ctrl-C again stops at once", file=sys.stderr)

    def on_epoch(self, rows: History) -> None:
        """Ends the fit, if it was asked to: the last of the callbacks, so that the others were told of the epoch.

        Of several processes all end after the same epoch, whichever was asked.
        """
        if any_of(self._asked is not None):
            raise self._asked or Terminated

    def checked(self, function: Callable[[T], None]) -> Callable[[T], None]:
        """`function` that raises KeyboardInterrupt instead, once the run was asked to end."""

        def instead(argument: T) -> None:
            if self._asked is not None:
                raise self._asked
            function(argument)

        return instead
