"""What is written of a study, each file whole or not at all, and when."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vaeclust_jax.data import Dataset
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.config_json import config_to_json
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.fitting.serialisation import seed_file
from vaeclust_jax.folder import (
    LatentMap,
    Table,
    write_assignments,
    write_figure_list,
    write_history,
    write_json,
    write_map,
    write_tables,
)
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.plots import save_figures
from vaeclust_jax.studies.experiment import Experiment
from vaeclust_jax.studies.task import Drawn, Measured
from vaeclust_jax.training.checkpoint import Checkpoint
from vaeclust_jax.training.checkpoint_folder import remove
from vaeclust_jax.whole_file import refuse_link, sweep

_TIMING = "timing.json"
SHALLOW = "shallow.csv"
"""What methods without a network found on the data, with the first seed: a row a sample, a column a method."""
_HINTS = {"labels": "rows", "must_link": "must_link", "cannot_link": "cannot_link"}


class Clock:
    """Wall seconds by part; kept out of the other files, so that equal runs write equal bytes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last, self._name = time.perf_counter(), ""

    def begin(self, name: str) -> None:
        """Ends the part before and begins one."""
        now = time.perf_counter()
        if self._name:
            self.seconds[self._name] = round(self.seconds.get(self._name, 0.0) + now - self._last, 2)
        self._last, self._name = now, name


def write_config(
    folder: Path,
    experiment: Experiment,
    config: Config,
    dataset: Dataset,
    seeds: Sequence[int],
    hints: Hints | None = None,
) -> None:
    """`config.json`, before anything is trained; `hints.csv` beside it, if there is one, holds the hints themselves.

    Raises:
        InputError: the models would be written through a link.
    """
    refuse_link(seed_file(folder, 0).parent)
    columns = None if dataset.columns is None else dataset.columns.to_json()
    record: dict[str, Any] = {"experiment": experiment.name, "dataset": dataset.name, "seeds": list(seeds)}
    record["data"] = {"taken": list(dataset.said), "columns": columns}
    if hints is not None:
        given = hints.record()
        record["hints"] = {"names": given["names"], "sha256": hints.digest}
        record["hints"] |= {name: len(given[of]) for name, of in _HINTS.items()}
    write_json(folder / "config.json", {**record, "config": config_to_json(config)})


def keep_fitted(folder: Path, runs: Sequence[Run], seeds: Sequence[int]) -> None:
    """`history.csv`, and a model a seed."""
    write_history(folder / "history.csv", [row for run in runs for row in run.history])
    for seed, run in zip(seeds, runs, strict=True):
        run.save(seed_file(folder, seed))


def write_measured(folder: Path, measured: Measured, tables: Sequence[Table], seeds: Sequence[int]) -> None:
    """`assignments.csv`, `shallow.csv`, `metrics.json` and `tables.json`, and models that measuring changed."""
    if measured.models is not None:
        keep_fitted(folder, measured.models, seeds)
    if measured.columns is not None:
        write_assignments(folder / "assignments.csv", measured.columns)
    if measured.beside is not None:
        write_assignments(folder / SHALLOW, measured.beside)
    write_json(folder / "metrics.json", measured.metrics.record())
    write_tables(folder / "tables.json", list(tables))


def write_drawn(folder: Path, drawn: Drawn) -> None:
    """The figures, each when it is drawn, their list, and the map."""
    entries = []
    for one in drawn:
        if isinstance(one, LatentMap):
            write_map(folder / "map.npz", one)
        else:
            name, picture = one
            save_figures(folder, {name: picture.figure})
            entries.append(picture.entry(name))
    write_figure_list(folder / "figures.json", entries)


def write_end(folder: Path, clock: Clock, checkpoint: Checkpoint | None) -> None:
    """`timing.json`: all is written, and what only helped to get there goes."""
    clock.begin("")
    write_json(folder / _TIMING, clock.seconds)
    tidy(folder, None if checkpoint is None else checkpoint.folder)


def has_ended(folder: Path) -> bool:
    """Whether all of the run in a folder is written."""
    return (folder / _TIMING).exists()


def tidy(folder: Path, checkpoints: Path | None) -> None:
    """Removes from the folder of a run that has ended its checkpoints, and what killed processes left of files."""
    sweep(folder)
    if checkpoints is not None:
        remove(checkpoints)
