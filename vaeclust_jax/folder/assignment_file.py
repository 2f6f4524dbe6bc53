"""`assignments.csv` read back: the first seed's, which is the one that a page shows."""

import csv
from pathlib import Path
from typing import Literal, NamedTuple

from vaeclust_jax.errors import InputError


class Assignments(NamedTuple):
    """What the first seed says of each sample, in the order of the file.

    Attributes:
        row: numbers of the samples in their file, from 0.
        cluster: ids.
        probability: of the cluster.
        file: names of the samples or of their files; None where they have none.
        names_are: how the column of these is called, as `Dataset.names_are`.
    """

    row: list[int]
    cluster: list[int]
    probability: list[float]
    file: list[str] | None
    names_are: Literal["file", "sample"] = "file"


def read_assignments(path: Path) -> Assignments:
    """What a clustering wrote, up to the second seed.

    Raises:
        InputError: it cannot be read, or is not one of ours.
    """
    table = read_columns(path)
    try:
        names_are: Literal["file", "sample"] = "sample" if "sample" in table and "file" not in table else "file"
        file = table.get(names_are)
        return Assignments(
            [int(one) for one in table["row"]],
            [int(one) for one in table["cluster"]],
            [float(one) for one in table["probability"]],
            file if file is not None and any(file) else None,
            names_are,
        )
    except (ValueError, KeyError) as error:
        raise InputError(f"{path} cannot be read as the assignments of a run: {error!r}") from error


def read_columns(path: Path) -> dict[str, list[str]]:
    """All columns as text, up to the second seed.

    Raises:
        InputError: it cannot be read, or is not one of ours.
    """
    found: list[dict[str, str]] = []
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as lines:
            for one in csv.DictReader(lines):
                if found and one["seed"] != found[0]["seed"]:
                    break
                found.append(one)
        columns = {name: [one[name] or "" for one in found] for name in found[0]} if found else {}
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as the assignments of a run: {error!r}") from error
    if missing := {"seed", "row", "cluster", "probability"} - columns.keys():
        raise InputError(f"{path} cannot be read as the assignments of a run: it has no {min(missing)}")
    return columns
