"""Whether the values of a series are as far from each other in time as they are in its column."""

from typing import TYPE_CHECKING

import numpy as np

from vaeclust_jax.data.column_names import FEWEST
from vaeclust_jax.data.kinds import finite, is_text, is_time, seconds

if TYPE_CHECKING:
    import pyarrow

_LONGEST = 1.5
"""Of the shortest step: months are even, days without weekends are not."""
_WRITTEN = tuple(
    f"{date}{time}"
    for date in ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y-%m", "%m/%Y", "%b %Y")
    for time in ("", " %H:%M", " %H:%M:%S")
)
"""Dates that readers leave as text."""


def said_of_steps(table: "pyarrow.Table", series: str) -> list[str]:
    """Sentences on the columns beside a series that may say when its values were, and do not grow by even steps."""
    said = []
    for place, name in enumerate(table.column_names):
        steps = None if name == series else _steps(table[name], first=place == 0)
        if steps is None:
            continue
        if not (steps > 0).all():
            said.append(
                f"column {name!r} does not grow: a series is read from its first row on, so sort the rows by it"
            )
        elif (ratio := _unevenness(steps)) > _LONGEST:
            said.append(
                f"column {name!r} grows by uneven steps, the longest {ratio:.3g} times the shortest: fill the gaps, as "
                "the values of a series are read as evenly apart"
            )
    return said


def _unevenness(steps: np.ndarray) -> float:
    return float(steps.max() / steps.min()) if (steps > 0).all() else np.inf


def _steps(column: "pyarrow.ChunkedArray", first: bool) -> np.ndarray | None:
    """Between times, or the whole numbers of a first column that only grow or fall; None of anything else."""
    if column.null_count or len(column) < FEWEST:
        return None
    if is_text(column.type):
        return _written_steps(column.cast("string"))
    if is_time(column.type):
        times = seconds(column)
        return None if times is None else np.diff(times)
    numbers = finite(column) if first else None
    if numbers is None or (numbers != np.round(numbers)).any():
        return None
    steps = np.diff(numbers)
    return steps if (steps > 0).all() or (steps < 0).all() else None


def _written_steps(column: "pyarrow.ChunkedArray") -> np.ndarray | None:
    """Between dates that are text, of 1/2/2020 in the order that is most even; None of any other text."""
    from pyarrow import compute

    found = []
    for form in _WRITTEN:
        if compute.strptime(column[:1], form, "s", error_is_null=True).null_count:
            continue
        times = compute.strptime(column, form, "s", error_is_null=True)
        if not times.null_count:
            found.append(np.diff(times.cast("int64").to_numpy().astype(np.float64)))
    return min(found, key=_unevenness, default=None)
