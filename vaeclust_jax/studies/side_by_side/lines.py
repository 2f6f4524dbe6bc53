"""The lines of a comparison: one a method of a run, named so that no two on a data set are called the same."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.records.clustering import ClusteringRecord, SeedScores
from vaeclust_jax.folder.records.scores import Origin
from vaeclust_jax.folder.table import Spread, spread
from vaeclust_jax.metrics import summarise

Rows = Mapping[int | None, SeedScores]
"""Scores by seed; the seed is None where nothing is random."""

_MEASURED = ("input_mean", "input_std")  # on the training rows; they follow from the other settings
_ON_RAW_DATA = (" on pixels", " on features")  # methods that no experiment changes, and what does change them:
_RAW_DATA = ("num_clusters", "image_size", "grey", "scaling", "validation", "stratify", "split_seed")


class FinishedRun(NamedTuple):
    """A run to be compared.

    Attributes:
        folder: what it is called, unlike any other.
        metrics: its record.
        settings: the config without its sections.
    """

    folder: str
    metrics: ClusteringRecord
    settings: Mapping[str, Any]


class Line(NamedTuple):
    """What is compared: a method of a run, scored under one protocol."""

    name: str
    run: FinishedRun
    rows: Rows
    origin: Origin

    @property
    def dataset(self) -> str:
        """Its name."""
        return self.run.metrics.dataset.name

    @property
    def held_out(self) -> tuple[Any, ...]:
        """The settings of the split: equal if the same rows were held out."""
        return tuple(self.run.settings[key] for key in ("validation", "split_seed", "stratify"))

    def spread(self, score: str) -> Spread | None:
        """Mean and deviation of a score over seeds."""
        summary = summarise([{score: getattr(row, score)} for row in self.rows.values()])
        return spread(summary["mean"][score], summary["std"][score])


def lines_of(runs: Sequence[FinishedRun], protocol: str, every_method: bool) -> dict[str, list[Line]]:
    """The lines by data set.

    What no run is about (Ward on pixels, say) appears once where several runs have the same of it, seed for seed.
    Lines of one name are told apart by the settings that differ, else by the folder. A method gets the same
    settings on every data set, so that it keeps its name over all of them.

    Args:
        runs: of which there may be several on one data set.
        protocol: the rows that are scored: "all" or "validation".
        every_method: all methods of each run, not the one alone that it is about.

    Raises:
        InputError: a run has not the protocol.
    """
    lines: dict[str, list[Line]] = {}
    for line in _with_folders(_with_settings(_plain(runs, protocol, every_method))):
        lines.setdefault(line.dataset, []).append(line)
    return lines


def _plain(runs: Sequence[FinishedRun], protocol: str, every_method: bool) -> list[Line]:
    found: list[Line] = []
    for run in runs:
        metrics = run.metrics
        for method in metrics.results if every_method else [metrics.method]:
            if protocol not in metrics.results[method]:
                raise InputError(f"protocol must be one that every run has, got {protocol}, which {run.folder} has not")
            alone = method == metrics.experiment or method.endswith(_ON_RAW_DATA)
            rows = {row.seed: row for row in metrics.results[method][protocol].seeds}
            name = method if alone else f"{metrics.experiment}: {method}"
            line = Line(name, run, rows, metrics.origin(method))
            if method == metrics.method or not any(_same(line, other) for other in found):
                found.append(line)
    return found


def _same(line: Line, other: Line) -> bool:
    return (line.dataset, line.name, line.rows) == (other.dataset, other.name, other.rows)


def _with_settings(lines: Sequence[Line]) -> list[Line]:
    differing: dict[str, dict[str, None]] = {line.name: {} for line in lines}  # dicts keep the order of the config
    for alike in _alike(lines):
        line_name, first = alike[0].name, alike[0].run.settings
        for key in (key for line in alike for key in line.run.settings if _matters(key, line_name)):
            if any(line.run.settings.get(key) != first.get(key) for line in alike):
                differing[line_name][key] = None
    return [_renamed(line, list(differing[line.name])) for line in lines]


def _matters(key: str, name: str) -> bool:
    return key in _RAW_DATA if name.endswith(_ON_RAW_DATA) else key not in _MEASURED


def _renamed(line: Line, keys: Sequence[str]) -> Line:
    texts = [f"{key.replace('_', ' ')} {_value(line.run.settings.get(key))}" for key in keys]
    return line._replace(name=f"{line.name} ({', '.join(texts)})") if texts else line


def _value(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def _with_folders(lines: Sequence[Line]) -> list[Line]:
    clashing = {id(line) for alike in _alike(lines) if len(alike) > 1 for line in alike}
    return [line._replace(name=f"{line.name} in {line.run.folder}") if id(line) in clashing else line for line in lines]


def _alike(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines of one name on one data set."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.dataset, line.name), []).append(line)
    return list(groups.values())
