"""Trackio: `trackio show --project vaeclust`."""

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from vaeclust_jax.trackers.tracker import PROJECT, Series, Tracker


class Trackio(Tracker):
    """A run of Trackio for each seed, in a group with the folder's name, in Trackio's own folder (`TRACKIO_DIR`).

    Nothing is sent unless the environment names a Space or a server (`TRACKIO_SPACE_ID`, `TRACKIO_SERVER_URL`).
    """

    package = "trackio"

    @property
    def shown_by(self) -> str:
        """The command that shows what is written."""
        return f"trackio show --project {PROJECT}"

    def _open(self, name: str, settings: Mapping[str, Any]) -> Series:
        import trackio

        with redirect_stdout(StringIO()):
            run = trackio.init(
                PROJECT,
                name=f"{self.folder.name}/{name}",
                group=self.folder.name,
                config=dict(settings),
                resume="allow",
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )
        trackio.context_vars.current_run.set(None)  # the next seed's `init` would end it
        return _Run(run)


class _Run(Series):
    def __init__(self, run: Any):
        self._run = run
        self.written = max(run._next_step - 1, 0)  # read from its database or its server

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        self._run.log(dict(scalars), step=step)

    def keep(self, figures: Sequence[Path], models: Sequence[Path]) -> None:
        import trackio

        self._run.log({path.stem: trackio.Image(str(path)) for path in figures}, step=0)
        for path in models:
            self._run.log_artifact(path, type="model")

    def close(self, whole: bool) -> None:
        with redirect_stdout(StringIO()):
            self._run.finish()
