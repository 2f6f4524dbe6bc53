"""Weights & Biases: `wandb sync RUN_DIR/wandb/offline-run-*`."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vaeclust_jax.trackers.tracker import PROJECT, Series, Tracker


class WandB(Tracker):
    """A run of Weights & Biases for each seed, in a group with the folder's name, under `wandb/` in the folder.

    Nothing is sent unless the environment says so: `WANDB_MODE` is `offline` where it is not set. Of an offline run a
    killed process may leave nothing readable: one that goes on with it writes it anew, from its first epoch.
    """

    package = "wandb"

    @property
    def shown_by(self) -> str:
        """The command that shows what is written."""
        return f"wandb sync {self.folder / 'wandb' / 'offline-run-*'}"

    def _open(self, name: str, settings: Mapping[str, Any]) -> Series:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # reports would go out in offline mode, too
        os.environ.setdefault("WANDB_SILENT", "true")
        import wandb

        identity = self._identity(name)
        earlier = list(self.folder.glob(f"wandb/offline-run-*-{identity}*"))
        if earlier and not self._resume:
            raise self._taken(name)
        for path in earlier:
            shutil.rmtree(path)
        run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            mode=os.environ.get("WANDB_MODE", "offline"),
            group=self.folder.name,
            name=name,
            id=identity,
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
        self.written = max(run.starting_step - 1, 0)  # of an offline run 0

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        self._run.log(scalars, step=step, commit=True)

    def keep(self, figures: Sequence[Path], models: Sequence[Path]) -> None:
        import wandb

        self._run.log({path.stem: wandb.Image(str(path)) for path in figures})
        for path in models:
            self._run.save(path, base_path=self._folder, policy="now")

    def close(self, whole: bool) -> None:
        self._run.finish(exit_code=0 if whole else 1)
