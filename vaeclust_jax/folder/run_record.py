"""What a run's folder says about the run, read back for the page."""

from pathlib import Path
from typing import Any, NamedTuple

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.assignment_file import Assignments, read_assignments
from vaeclust_jax.folder.figure_list import FigureEntry, read_figure_list
from vaeclust_jax.folder.map_file import LatentMap, read_map
from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.folder.records.metrics_file import read_metrics, read_object
from vaeclust_jax.folder.records.repetitions import REPETITIONS
from vaeclust_jax.folder.records.task import TaskRecord
from vaeclust_jax.folder.table import Table, read_tables
from vaeclust_jax.folder.typed_json import from_json, read_json


class RunRecord(NamedTuple):
    """A run as its folder holds it.

    Attributes:
        folder: where it is.
        config: of `config.json`.
        metrics: of `metrics.json`.
        tables, figures: in the order in which they are shown; the figures are there.
        timing: wall seconds by part; None where they were not taken.
        latent_map: None where none was made.
        assignments: of the first seed of a clustering; None where there are none.
        command: the words after `vaeclust run`; None of a run that was started from Python.
    """

    folder: Path
    config: dict[str, Any]
    metrics: TaskRecord
    tables: list[Table]
    figures: list[FigureEntry]
    timing: dict[str, float] | None
    latent_map: LatentMap | None
    assignments: Assignments | None
    command: tuple[str, ...] | None


def read_run(folder: Path) -> RunRecord:
    """Read the folder of a run that finished.

    Raises:
        InputError: no such folder, no folder of a run, one of several runs, of a run that did not finish or of another
            version, or a damaged one.
    """
    config, metrics = read_config_and_metrics(folder)
    for name in ("tables.json", "figures.json"):
        if not (folder / name).is_file():
            raise InputError(f"the run in {folder} did not finish: {name} is missing")
    figures = read_figure_list(folder / "figures.json")
    for figure in figures:
        if not (folder / figure.file).is_file():
            raise InputError(f"the run in {folder} did not finish: {figure.file} is missing")
    clusters = isinstance(metrics, ClusteringRecord) and (folder / "assignments.csv").is_file()
    return RunRecord(
        folder,
        config,
        metrics,
        read_tables(folder / "tables.json"),
        figures,
        _read_timing(folder / "timing.json") if (folder / "timing.json").is_file() else None,
        read_map(folder / "map.npz") if (folder / "map.npz").is_file() else None,
        read_assignments(folder / "assignments.csv") if clusters else None,
        _read_command(folder / "arguments.json") if (folder / "arguments.json").is_file() else None,
    )


def read_config_and_metrics(folder: Path) -> tuple[dict[str, Any], TaskRecord]:
    """What `config.json` and `metrics.json` of a run hold.

    Raises:
        InputError: no such folder, no folder of a run, one of several, one that did not finish, or a damaged one.
    """
    if not folder.is_dir():
        raise InputError(f"RUN_DIR must be the folder of a run, got {folder}, which {_what_it_is(folder)}")
    if (several := sorted(folder.glob("*-0/config.json"))) and (folder / REPETITIONS).is_file():
        raise InputError(f"{folder} holds several runs: give the folder of one, such as {several[0].parent}")
    if not (folder / "config.json").is_file():
        raise InputError(f"RUN_DIR must be the folder of a run, got {folder}, which holds no config.json")
    if not (folder / "metrics.json").is_file():
        raise InputError(f"the run in {folder} did not finish: metrics.json is missing")
    config = read_object(folder / "config.json")
    from_json(dict[str, Any], config.get("config", {}), folder / "config.json", "config")
    return config, read_metrics(folder / "metrics.json")


def _read_timing(path: Path) -> dict[str, float]:
    return from_json(dict[str, float], read_object(path), path)


def _read_command(path: Path) -> tuple[str, ...]:
    return from_json(tuple[str, ...], read_json(path), path)


def _what_it_is(path: Path) -> str:
    return "is a file" if path.exists() else "does not exist"
