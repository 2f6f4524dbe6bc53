"""What a run's folder says about the run, read back for the page."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.figure_list import FigureEntry, read_figure_list
from vaeclust_jax.folder.map_file import LatentMap, read_map
from vaeclust_jax.folder.table import Table, read_tables

SCHEMA = 2
"""Of `metrics.json`; files without one are of schema 1, which had no tasks."""

_METRICS = {
    **dict.fromkeys(("experiment", "method"), str),
    **dict.fromkeys(("dataset", "protocol", "mean", "std", "versions"), dict),
    **dict.fromkeys(("seeds", "warnings", "findings"), list),
}


class RunRecord(NamedTuple):
    """A run as its folder holds it.

    Attributes:
        folder: where it is.
        config, metrics: of `config.json` and `metrics.json`.
        tables, figures: in the order in which they are shown; the figures are there.
        timing: wall seconds by part; None where they were not taken.
        latent_map: None where none was made.
    """

    folder: Path
    config: dict[str, Any]
    metrics: dict[str, Any]
    tables: list[Table]
    figures: list[FigureEntry]
    timing: dict[str, float] | None
    latent_map: LatentMap | None


def read_run(folder: Path) -> RunRecord:
    """Read the folder of a run that finished.

    Raises:
        InputError: no such folder, no folder of a run, one of a run that did not finish, one of another
            version, or a damaged one.
    """
    config, metrics = read_config_and_metrics(folder)
    if not isinstance(schema := metrics.get("schema", 1), int) or schema > SCHEMA:
        raise InputError(
            f"{folder} was written by a newer vaeclust_jax, whose records this one cannot read: upgrade it"
        )
    if not (folder / "tables.json").is_file() and "findings" not in metrics:
        raise InputError(f"{folder} was written by an older vaeclust_jax: run it again")
    for name in ("tables.json", "figures.json"):
        if not (folder / name).is_file():
            raise InputError(f"the run in {folder} did not finish: {name} is missing")
    unknown = _unknown(metrics)
    if unknown:
        path = folder / "metrics.json"
        raise InputError(f"{path} was written by another version: this one cannot read its {', '.join(unknown)}")
    figures = read_figure_list(folder / "figures.json")
    for figure in figures:
        if not (folder / figure.file).is_file():
            raise InputError(f"the run in {folder} did not finish: {figure.file} is missing")
    return RunRecord(
        folder,
        config,
        metrics,
        read_tables(folder / "tables.json"),
        figures,
        _read_object(folder / "timing.json") if (folder / "timing.json").is_file() else None,
        read_map(folder / "map.npz") if (folder / "map.npz").is_file() else None,
    )


def read_config_and_metrics(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `config.json` and `metrics.json` of a run hold.

    Raises:
        InputError: no such folder, no folder of a run, one of a run that did not finish, or a damaged one.
    """
    if not folder.is_dir():
        raise InputError(f"RUN_DIR must be the folder of a run, got {folder}, which {_what_it_is(folder)}")
    if not (folder / "config.json").is_file():
        raise InputError(f"RUN_DIR must be the folder of a run, got {folder}, which holds no config.json")
    if not (folder / "metrics.json").is_file():
        raise InputError(f"the run in {folder} did not finish: metrics.json is missing")
    return _read_object(folder / "config.json"), _read_object(folder / "metrics.json")


def _read_object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON of a run: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} must hold an object, got {type(found).__name__}")
    return found


def _unknown(metrics: dict[str, Any]) -> list[str]:
    """The parts of `metrics.json` that are missing or not of the form that we know."""
    unknown = [key for key, kind in _METRICS.items() if not isinstance(metrics.get(key), kind)]
    if metrics.get("task", "clustering") == "clustering" and not isinstance(metrics.get("num_clusters"), int):
        unknown.append("num_clusters")
    if "seeds" not in unknown and not all(isinstance(row, dict) and "seed" in row for row in metrics["seeds"]):
        unknown.append("seeds")
    if "dataset" not in unknown and not {"name", "source", "shape"} <= metrics["dataset"].keys():
        unknown.append("dataset")
    return unknown


def _what_it_is(path: Path) -> str:
    return "is a file" if path.exists() else "does not exist"
