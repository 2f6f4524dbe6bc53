"""`vaeclust compare`."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from vaeclust_jax.cli.parsing import parsed
from vaeclust_jax.errors import InputError
from vaeclust_jax.folder import check_writable, export_tables, print_tables, write_tables
from vaeclust_jax.folder.latest import run_at
from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.folder.run_record import read_config_and_metrics
from vaeclust_jax.plots import critical_difference_diagram, save_figures
from vaeclust_jax.studies.side_by_side.lines import FinishedRun
from vaeclust_jax.studies.side_by_side.runs import SideBySide, compare_runs


@dataclass(frozen=True)
class Arguments:
    """Puts runs side by side: scores, tests of every pair, ranks over data sets where there are several.

    A run is its experiment's named method; runs of one name are told apart by the settings that differ.
    """

    run_dir: tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="RUN_DIR ...")]]
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
    args = parsed(Arguments, argv, "vaeclust compare")
    runs = read_runs([run_at(folder) for folder in args.run_dir])
    found = compare_runs(runs, score=args.score, protocol=args.protocol, every_method=args.every_method)
    if args.out is not None:
        check_writable(args.out)
        if any(args.out.iterdir()):
            raise InputError(f"out must be a new or empty folder, got {args.out}, which holds files")
        write_comparison(args.out, found)
    show(found)
    if args.out is not None:
        print(args.out)


def show(found: SideBySide) -> None:
    """Prints the tables and what they say."""
    print_tables(found.tables)
    for finding in found.findings:
        print(finding)
    for warning in found.warnings:
        print(f"warning: {warning}")


def read_runs(folders: Sequence[Path]) -> list[FinishedRun]:
    """What there is to compare in the folders of runs.

    Raises:
        InputError: a folder is given twice, is not one of a clustering that finished, or is of another version.
    """
    whole = [Path(os.path.abspath(folder)) for folder in folders]  # "." has no name
    for folder, count in Counter(folder.resolve() for folder in whole).items():
        if count > 1:
            raise InputError(f"RUN_DIR must be different folders, got {folder} {count} times")
    names = Counter(folder.name for folder in whole)
    return [_read(folder, folder.name if names[folder.name] == 1 else str(folder)) for folder in whole]


def _read(folder: Path, name: str) -> FinishedRun:
    config, metrics = read_config_and_metrics(folder)
    if not isinstance(metrics, ClusteringRecord):
        raise InputError(f"RUN_DIR must be the folders of clusterings, got {folder}, which is of {metrics.task}")
    return FinishedRun(name, metrics, _settings(folder, config))


def _settings(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    """The config without its sections.

    Raises:
        InputError: it does not say which rows were held out.
    """
    settings: dict[str, Any] = {}
    sections = config.get("config")
    for key, value in sections.items() if isinstance(sections, dict) else ():
        settings.update(value if isinstance(value, dict) else {key: value})
    if not {"validation", "split_seed", "stratify"} <= settings.keys():
        raise InputError(f"{folder} was written by another version of vaeclust_jax: run it again")
    return settings


def write_comparison(folder: Path, found: SideBySide) -> None:
    """The tables as Markdown, LaTeX and CSV, and a picture of the ranks, into a folder that is there."""
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
