"""How far a fit is: a bar a stage with the loss parts, on stderr or in a notebook."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from vaeclust_jax.fitting.callback import Callback, Callbacks
from vaeclust_jax.training.loop import History

# Short, so that bar and losses fit into 80 columns; a narrower terminal wraps the losses, not the bar.
_SHOWN = {"loss": "loss", "reconstruction": "rec", "kl": "kl", "cluster": "cl", "val_loss": "val"}
_SECONDS = 0.2
"""Between two looks of a cell."""


class Bars(Callback):
    """A context manager whose `on_epoch` draws; where there is no terminal, once, at the end."""

    def __init__(self, *, hidden: bool = False):
        from rich.console import Console  # takes long to import
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        self._stage = ""
        self._cell: Any = None
        """Of a notebook."""
        self._last = 0.0
        self._progress = Progress(
            TextColumn("{task.description:>5}"),
            BarColumn(bar_width=10),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}", table_column=Column(no_wrap=False)),
            console=Console(stderr=True),
            disable=hidden,
        )

    def __enter__(self) -> Self:
        if self._progress.console.is_jupyter and not self._progress.disable:
            from IPython.display import display  # what rich draws by itself needs ipywidgets, and is gone when saved

            self._cell = display(self._progress, display_id=True)
        else:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._show_in_cell()
        self._progress.stop()

    def on_epoch(self, rows: History) -> None:
        """Advances the stage's bar; losses are means over the seeds still running."""
        stage = rows[0]["stage"]
        if stage != self._stage:
            self._stage = stage
            self._task = self._progress.add_task(stage, total=rows[0]["num_epochs"], losses="")
        means = {name: sum(row[name] for row in rows) / len(rows) for name in _SHOWN if name in rows[0]}
        losses = " ".join(f"{_SHOWN[name]} {mean:.4g}" for name, mean in means.items())
        self._progress.update(self._task, completed=rows[0]["epoch"], losses=losses)
        if time.monotonic() - self._last > _SECONDS:
            self._show_in_cell()

    def _show_in_cell(self) -> None:
        if self._cell is not None:
            self._cell.update(self._progress)
            self._last = time.monotonic()


@contextmanager
def shown(verbose: bool, callbacks: Sequence[Callback]) -> Iterator[Sequence[Callback]]:
    """The callbacks, and bars before them if they are wanted."""
    Callbacks(callbacks)  # refused before anything is drawn
    if not verbose:
        yield callbacks
        return
    with Bars() as bars:
        yield [bars, *callbacks]
