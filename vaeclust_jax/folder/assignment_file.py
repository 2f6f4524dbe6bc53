"""`assignments.csv` read back: the first seed's, which is the one that a page shows."""

import csv
from pathlib import Path
from typing import NamedTuple

from vaeclust_jax.errors import InputError


class Assignments(NamedTuple):
    """What the first seed says of each sample, in the order of the file.

    Attributes:
        row: numbers of the samples in their file, from 0.
        cluster: ids.
        probability: of the cluster.
        file: names of the samples' files; None where they have none.
    """

    row: list[int]
    cluster: list[int]
    probability: list[float]
    file: list[str] | None


def read_assignments(path: Path) -> Assignments:
    """What a clustering wrote, up to the second seed.

    Raises:
        InputError: it cannot be read, or is not one of ours.
    """
    found = Assignments([], [], [], [])
    assert found.file is not None
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as lines:
            rows = csv.DictReader(lines)
            first = None
            for one in rows:
                first = one["seed"] if first is None else first
                if one["seed"] != first:
                    break
                found.row.append(int(one["row"]))
                found.cluster.append(int(one["cluster"]))
                found.probability.append(float(one["probability"]))
                found.file.append(one.get("file") or "")
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as the assignments of a run: {error!r}") from error
    if not found.row:
        raise InputError(f"{path} cannot be read as the assignments of a run: it has no rows")
    return found if any(found.file) else found._replace(file=None)
