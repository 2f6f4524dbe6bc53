"""Progress on stderr: bars and lines; silent with --quiet or where stderr is no terminal."""

import sys

from vaeclust_jax.fitting.progress import Bars


class Reporter(Bars):
    """`Bars` with lines between them."""

    def __init__(self, *, quiet: bool):
        self._quiet = quiet
        super().__init__(hidden=quiet or not sys.stderr.isatty())

    def say(self, line: str) -> None:
        """A line about what happens next."""
        self._stage = ""  # the next epoch begins a new bar
        if not self._quiet and sys.stderr.isatty():
            self._progress.console.print(line)
