"""Weights & Biases: `wandb sync RUN_DIR/wandb/offline-run-*`."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vaeclust_jax.trackers.tracker import PROJECT, Series, Tracker
from vaeclust_jax.whole_file import write_whole


class WandB(Tracker):
    """A run of Weights & Biases for each seed, in a group with the folder's name, under `wandb/` in the folder.

    Nothing is sent unless the environment says so: `WANDB_MODE` is `offline` where it is not set.
    """

    package = "wandb"

    @property
    def shown_by(self) -> str:
        """The command that shows what is written."""
        return f"wandb sync --append {self.folder / 'wandb' / 'offline-run-*'}"

    def _open(self, name: str, settings: Mapping[str, Any]) -> Series:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # reports would go out in offline mode, too
        os.environ.setdefault("WANDB_SILENT", "true")
        import wandb

        run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            mode=os.environ.get("WANDB_MODE", "offline"),
            group=self.folder.name,
            name=name,
            id=self._identity(name),
            resume="allow",
            reinit="create_new",
            dir=self.folder,
            config=dict(settings),
            settings=wandb.Settings(console="off"),
        )
        return _Run(run, self.folder)


class _Run(Series):
    def __init__(self, run: Any, folder: Path):
        self._run, self._folder = run, folder
        self._last = folder / "wandb" / f"{run.id}.step"  # an offline run cannot be asked
        self.written = int(self._last.read_text()) if self._last.exists() else 0

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        self._run.log(scalars, step=step, commit=True)
        write_whole(self._last, str(step))

    def keep(self, figures: Sequence[Path], models: Sequence[Path]) -> None:
        import wandb

        self._run.log({path.stem: wandb.Image(str(path)) for path in figures})
        for path in models:
            self._run.save(path, base_path=self._folder, policy="now")

    def close(self, whole: bool) -> None:
        self._run.finish(exit_code=0 if whole else 1)
