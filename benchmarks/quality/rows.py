"""The rows that were measured: one file, written again after each, so that a run that ends early loses nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder import write_json

R = TypeVar("R")


class Row(NamedTuple):
    """A method on a data set, of one seed."""

    dataset: str
    method: str
    seed: int
    setting: str
    """Of the method; rows of another setting than today's are measured again."""
    acc: float
    nmi: float
    ari: float
    seconds: float
    """CPU seconds of fit and prediction, all cores together, compilation included."""
    commit: str | None
    auroc: float | None = None
    """Of the entropy of q(c | x), as it flags wrong assignments; None where there is none, or nothing is wrong."""


def spread(mean: float | None, std: float | None, digits: int = 3) -> str:
    """A mean and its deviation over seeds; of one seed the mean alone."""
    return f"{mean:.{digits}f}" if std is None else f"{mean:.{digits}f} ± {std:.{digits}f}"


def read(path: Path) -> list[Row]:
    """The rows of the quality table, as `read_as`."""
    return read_as(Row, path, "the quality table")


def read_as(kind: Callable[..., R], path: Path, table: str) -> list[R]:
    """The rows of a file; none where there is no file.

    Args:
        kind: what a row becomes, of its fields by name.
        path: the file.
        table: that the rows are of.

    Raises:
        InputError: damaged, or not one of ours.
    """
    if not path.exists():
        return []
    try:
        return [kind(**fields) for fields in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} cannot be read as rows of {table}: {error}") from error


def keep(path: Path, row: Row) -> None:
    """Adds a row to the file, in place of an older one of the same data set, method and seed."""
    rows: dict[Any, Row] = {old[:3]: old for old in read(path)}
    rows[row[:3]] = row
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, [one._asdict() for one in rows.values()])
