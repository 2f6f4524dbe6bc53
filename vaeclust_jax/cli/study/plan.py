"""What a study file asks for: the words of `vaeclust run` for every method on every data set."""

import hashlib
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from vaeclust_jax.cli.run import parse_run
from vaeclust_jax.errors import InputError
from vaeclust_jax.shown import shortened

_BELONG_TO_STUDY = ("--seeds", "--out", "-o", "--resume", "--dataset", "--help", "-h", "--help-all")


class Cell(NamedTuple):
    """A method on a data set.

    Attributes:
        name: for a person.
        words: after `vaeclust run`.
    """

    name: str
    words: tuple[str, ...]

    @property
    def folder(self) -> str:
        """Of a name that other words do not have: a study file that was changed takes up nothing of before."""
        readable = re.sub(r"[^A-Za-z0-9]+", "-", self.name).strip("-")[:60]
        return f"{readable}-{hashlib.sha256(repr(self.words).encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class StudyFile:
    """What may stand in a study file."""

    methods: list[str]
    """Words after `vaeclust run`: an experiment or a method, and flags of its own."""
    datasets: list[str]
    """A data set or a path, and flags of its own."""
    seeds: int = 5
    """Of every run, as one program."""
    flags: str = ""
    """Of every run."""
    submitit: dict[str, Any] | None = None
    """What `submitit`'s executor is told of a job, such as `timeout_min`, `slurm_partition` and `gpus_per_node`."""


def read_study(path: Path) -> StudyFile:
    """The study of a TOML file.

    Raises:
        InputError: there is none, it is not TOML, or a key is missing, unknown or of another type.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path} is not TOML: {shortened(str(error))}") from error
    return StudyFile(**_checked(path, found))


def cells_of(study: StudyFile) -> list[Cell]:
    """Every method on every data set.

    Raises:
        InputError: words that `vaeclust run` refuses, flags that are the study's to set, or two cells of equal words.
    """
    cells = list(_cells(study))
    for cell in cells:
        try:
            task = parse_run(list(cell.words)).experiment.method.task
        except InputError as error:
            raise InputError(f"{cell.name}: {error}") from error
        if task != "clustering":
            raise InputError(f"{cell.name}: a study compares clusterings, this is of {task}")
    for number, cell in enumerate(cells):
        if cell in cells[:number]:
            raise InputError(f"{cell.name} stands twice in the study")
    return cells


def _cells(study: StudyFile) -> Iterator[Cell]:
    common = _split("flags", study.flags)
    for method in study.methods:
        for dataset in study.datasets:
            (named, *own), (data, *reading) = _split("methods", method), _split("datasets", dataset)
            if data.startswith("-"):
                raise InputError(f"datasets must begin with a data set or a path, got {dataset!r}")
            words = (named, _absolute(data), *own, *reading, *common, "--seeds", str(study.seeds))
            yield Cell(f"{method} on {dataset}", words)


def _absolute(data: str) -> str:
    """A job may run in another folder."""
    return str(Path(data).resolve()) if Path(data).exists() else data


def _split(name: str, line: str) -> list[str]:
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InputError(f"{name} must be words as a shell takes them, got {line!r}: {error}") from error
    if not words and name != "flags":
        raise InputError(f"{name} must not hold an empty word")
    for word in words:
        if word.partition("=")[0] in _BELONG_TO_STUDY:
            raise InputError(f"{name} must be without {word.partition('=')[0]}, which the study sets, got {line!r}")
    return words


def _checked(path: Path, found: Mapping[str, Any]) -> Mapping[str, Any]:
    known = [one.name for one in fields(StudyFile)]
    for key in found:
        if key not in known:
            raise InputError(f"{path} has the key {shortened(repr(key))}; keys are {', '.join(known)}")
    for key in ("methods", "datasets"):
        words = found.get(key)
        if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
            raise InputError(f'{path} must have {key} = ["...", ...], got {shortened(repr(words))}')
    seeds = found.get("seeds", 1)
    if type(seeds) is not int or seeds < 1:
        raise InputError(f"{path}: seeds must be a whole number of at least 1, got {shortened(repr(seeds))}")
    for key, kind, said in (("flags", str, "a line of words"), ("submitit", dict, "a table")):
        if not isinstance(found.get(key, kind()), kind):
            raise InputError(f"{path}: {key} must be {said}, got {shortened(repr(found[key]))}")
    return found
