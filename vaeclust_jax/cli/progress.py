"""Progress on stderr: a bar a stage with the loss parts; silent with --quiet or where stderr is no terminal."""

import sys
from types import TracebackType

from vaeclust_jax.fitting.callback import Callback
from vaeclust_jax.training.loop import History

# Short, so that bar and losses fit into 80 columns; a narrower terminal wraps the losses, not the bar.
_SHOWN = {"loss": "loss", "reconstruction": "rec", "kl": "kl", "cluster": "cl", "val_loss": "val"}


class Reporter(Callback):
    """A context manager that draws on stderr what it is told."""

    def __init__(self, *, quiet: bool):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        self._quiet = quiet
        self._stage = ""
        self._progress = Progress(
            TextColumn("{task.description:>5}"),
            BarColumn(bar_width=10),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}", table_column=Column(no_wrap=False)),
            console=Console(stderr=True),
            disable=quiet or not sys.stderr.isatty(),
        )

    def __enter__(self) -> "Reporter":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, line: str) -> None:
        """A line about what happens next."""
        self._stage = ""  # the next epoch begins a new bar
        if not self._quiet and sys.stderr.isatty():
            self._progress.console.print(line)

    def on_epoch(self, rows: History) -> None:
        """Advances the stage's bar; losses are means over the seeds still running."""
        stage = rows[0]["stage"]
        if stage != self._stage:
            self._stage = stage
            self._task = self._progress.add_task(stage, total=rows[0]["num_epochs"], losses="")
        means = {name: sum(row[name] for row in rows) / len(rows) for name in _SHOWN if name in rows[0]}
        losses = " ".join(f"{_SHOWN[name]} {mean:.4g}" for name, mean in means.items())
        self._progress.update(self._task, completed=rows[0]["epoch"], losses=losses)
