"""Ctrl-C between epochs: an exception raised inside compiled code's callbacks is lost there, or crashes it."""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


class Interrupt:
    """The first Ctrl-C ends the run at the next `checked` call; the second one ends it at once."""

    def __init__(self) -> None:
        self._asked = False
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        print("vaeclust: stopping after this epoch; Ctrl-C again stops at once", file=sys.stderr)

    def checked(self, function: Callable[[T], None]) -> Callable[[T], None]:
        """`function` that raises KeyboardInterrupt instead, once Ctrl-C was pressed."""

        def instead(argument: T) -> None:
            if self._asked:
                raise KeyboardInterrupt
            function(argument)

        return instead
