"""Whether the values of a series are as far from each other in time as they are in its column."""

from typing import TYPE_CHECKING

import numpy as np

from vaeclust_jax.data.column_names import FEWEST
from vaeclust_jax.data.kinds import finite, is_text, is_time, seconds

if TYPE_CHECKING:
    import pyarrow

_LONGEST = 1.5
"""Of the shortest step: months are even, days without weekends are not."""


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
        elif (ratio := steps.max() / steps.min()) > _LONGEST:
            said.append(
                f"column {name!r} grows by uneven steps, the longest {ratio:.3g} times the shortest: fill the gaps, as "
                "the values of a series are read as evenly apart"
            )
    return said


def _steps(column: "pyarrow.ChunkedArray", first: bool) -> np.ndarray | None:
    """Between times, or the whole numbers of a first column that only grow or fall; None of anything else."""
    if is_text(column.type) or column.null_count or len(column) < FEWEST:
        return None
    if is_time(column.type):
        times = seconds(column)
        return None if times is None else np.diff(times)
    numbers = finite(column) if first else None
    if numbers is None or (numbers != np.round(numbers)).any():
        return None
    steps = np.diff(numbers)
    return steps if (steps > 0).all() or (steps < 0).all() else None
