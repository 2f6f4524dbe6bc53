"""The lines of a comparison: one a method of a run, named so that no two on a data set are called the same."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.table import Spread
from vaeclust_jax.metrics import summarise

Rows = Mapping[int | None, Mapping[str, float | None]]
"""Scores by seed; the seed is None where nothing is random."""

_MEASURED = ("input_mean", "input_std")  # on the training rows; they follow from the other settings
_ON_RAW_DATA = (" on pixels", " on features")  # methods that no experiment changes, and what does change them:
_RAW_DATA = ("num_clusters", "image_size", "grey", "scaling", "validation", "stratify", "split_seed")


class Record(NamedTuple):
    """What is read of a run.

    Attributes:
        folder: what it is called, unlike any other.
        experiment, method: names; the method is the one that the run is about.
        dataset, shape: name and shape of all samples.
        version: of vaeclust_jax.
        settings: the config without its sections.
        results: by method and protocol.
    """

    folder: str
    experiment: str
    method: str
    dataset: str
    shape: tuple[int, ...]
    version: str
    settings: Mapping[str, Any]
    results: Mapping[str, Mapping[str, Rows]]


class Line(NamedTuple):
    """What is compared: a method of a run, scored under one protocol."""

    name: str
    run: Record
    rows: Rows

    @property
    def held_out(self) -> tuple[Any, ...]:
        """The settings of the split: equal if the same rows were held out."""
        return tuple(self.run.settings[key] for key in ("validation", "split_seed", "stratify"))

    def spread(self, score: str) -> Spread | None:
        """Mean and deviation of a score over seeds."""
        summary = summarise(list(self.rows.values()))
        mean = summary["mean"][score]
        return None if mean is None else Spread(mean, summary["std"][score])


def lines_of(records: Sequence[Record], protocol: str, every_method: bool) -> dict[str, list[Line]]:
    """The lines by data set.

    What no run is about (Ward on pixels, say) appears once where several runs have the same of it, seed for seed.
    Lines of one name are told apart by the settings that differ, else by the folder. A method gets the same
    settings on every data set, so that it keeps its name over all of them.

    Args:
        records: of the runs.
        protocol: the rows that are scored: "all" or "validation".
        every_method: all methods of each run, not the one alone that it is about.

    Raises:
        InputError: a run has not the protocol.
    """
    lines: dict[str, list[Line]] = {}
    for line in _with_folders(_with_settings(_plain(records, protocol, every_method))):
        lines.setdefault(line.run.dataset, []).append(line)
    return lines


def _plain(records: Sequence[Record], protocol: str, every_method: bool) -> list[Line]:
    found: list[Line] = []
    for run in records:
        for method in run.results if every_method else [run.method]:
            if protocol not in run.results[method]:
                raise InputError(f"protocol must be one that every run has, got {protocol}, which {run.folder} has not")
            alone = method == run.experiment or method.endswith(_ON_RAW_DATA)
            line = Line(method if alone else f"{run.experiment}: {method}", run, run.results[method][protocol])
            if method == run.method or not any(_same(line, other) for other in found):
                found.append(line)
    return found


def _same(line: Line, other: Line) -> bool:
    return (line.run.dataset, line.name, line.rows) == (other.run.dataset, other.name, other.rows)


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
        groups.setdefault((line.run.dataset, line.name), []).append(line)
    return list(groups.values())
