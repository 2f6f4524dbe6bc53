"""`vaeclust compare`."""

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tyro

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder import check_writable, export_tables, print_tables, write_tables
from vaeclust_jax.folder.run_record import read_config_and_metrics
from vaeclust_jax.plots import critical_difference_diagram, save_figures
from vaeclust_jax.studies.scores import SCORES
from vaeclust_jax.studies.side_by_side.lines import Record, Rows
from vaeclust_jax.studies.side_by_side.runs import SideBySide, compare_runs


@dataclass(frozen=True)
class Arguments:
    """Puts runs side by side: scores, tests of every pair, ranks over data sets where there are several.

    A run is its experiment's named method; runs of one name are told apart by the settings that differ.
    """

    run_dir: tyro.conf.Positional[tuple[Path, ...]]
    """Two folders or more that `vaeclust run` printed."""
    score: Literal["nmi", "acc", "ari", "ami"] = "nmi"
    """What pairs are tested in and ranks are made from."""
    protocol: Literal["all", "validation"] = "all"
    """The rows that are scored: all, or those that were held out."""
    every_method: bool = False
    """All methods of each run, such as k-means on pixels."""
    out: Path | None = None
    """A new or empty folder for the tables as Markdown, LaTeX and CSV, and a picture of the ranks."""


def compare(argv: list[str]) -> None:
    """Runs the command."""
    args = tyro.cli(Arguments, args=argv, prog="vaeclust compare")
    records = read_records(args.run_dir)
    found = compare_runs(records, score=args.score, protocol=args.protocol, every_method=args.every_method)
    if args.out is not None:
        _write(args.out, found)
    print_tables(found.tables)
    for finding in found.findings:
        print(finding)
    for warning in found.warnings:
        print(f"warning: {warning}")
    if args.out is not None:
        print(args.out)


def read_records(folders: Sequence[Path]) -> list[Record]:
    """What there is to compare in the folders of runs.

    Raises:
        InputError: a folder is given twice, is not one of a run that finished, or is of another version.
    """
    whole = [Path(os.path.abspath(folder)) for folder in folders]  # "." has no name
    for folder, count in Counter(folder.resolve() for folder in whole).items():
        if count > 1:
            raise InputError(f"RUN_DIR must be different folders, got {folder} {count} times")
    names = Counter(folder.name for folder in whole)
    return [_read(folder, folder.name if names[folder.name] == 1 else str(folder)) for folder in whole]


def _read(folder: Path, name: str) -> Record:
    config, metrics = read_config_and_metrics(folder)
    try:
        return _record(name, config, metrics)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder} was written by another version of vaeclust_jax: run it again") from error


def _record(name: str, config: Mapping[str, Any], metrics: Mapping[str, Any]) -> Record:
    settings: dict[str, Any] = {}
    for key, value in config["config"].items():
        settings.update(value if isinstance(value, dict) else {key: value})
    results = {
        method: {protocol: _rows(result["seeds"]) for protocol, result in protocols.items()}
        for method, protocols in metrics["results"].items()
    }
    record = Record(
        folder=name,
        experiment=_text(metrics["experiment"]),
        method=_text(metrics["method"]),
        dataset=_text(metrics["dataset"]["name"]),
        shape=tuple(map(int, metrics["dataset"]["shape"])),
        version=_text(metrics["versions"]["vaeclust_jax"]),
        settings=settings,
        results=results,
    )
    missing = {"validation", "split_seed", "stratify"} - settings.keys()
    if missing or "all" not in results[record.method]:
        raise KeyError(*missing)
    return record


def _rows(rows: Sequence[Mapping[str, Any]]) -> Rows:
    found = {row["seed"]: {key: _number(row[key]) for key in SCORES} for row in rows}
    if not found or len(found) < len(rows) or (None in found and len(found) > 1):
        raise ValueError("seeds must differ")
    return found


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if not math.isfinite(value):
        raise ValueError(f"a score must be finite, got {value!r}")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a name must be text, got {value!r}")
    return value


def _write(folder: Path, found: SideBySide) -> None:
    check_writable(folder)
    if any(folder.iterdir()):
        raise InputError(f"out must be a new or empty folder, got {folder}, which holds files")
    write_tables(folder / "tables.json", found.tables)
    export_tables(folder)
    if found.ranks is not None:
        picture = critical_difference_diagram(
            found.ranks.ranks,
            found.ranks.methods,
            critical_difference=found.ranks.critical_difference,
            groups=found.ranks.groups,
        )
        save_figures(folder, {"ranks": picture})
