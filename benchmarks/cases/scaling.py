"""T8: how the time of an epoch, the time of a whole fit, and their memory grow with the data and the model."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benchmarks.case import Case, Effort, Measured, Row
from benchmarks.grow import FEATURES, WORK, Size, peak_bytes, slope, slope_beyond_first
from benchmarks.growth_figure import Line, write_growth
from benchmarks.machine import this_machine
from benchmarks.results import FOLDER
from benchmarks.timing import measure, measured

TARGET = 1.1
"""Largest exponent over the top decade."""
_VISIBLE = 50e6
"""Bytes by which the peaks of equal processes hardly differ."""
_ROW_BYTES = 4 * FEATURES


class Axis(NamedTuple):
    """One thing that grows while the rest stays."""

    work: str
    """What is done: "epoch" or "fit"."""
    varied: str
    """A field of `Size`."""
    sizes: tuple[int, ...]
    """Ascending; the last decade of them counts."""
    expected: str
    """The exponent by the mathematics."""
    why: str
    target: float | None = TARGET
    repetitions: int = 3
    """At most."""
    centre: Size = Size(rows=10_000)
    """What does not grow."""

    @property
    def points(self) -> list[Size]:
        """The sizes measured."""
        return [self.centre._replace(**{self.varied: size}) for size in self.sizes]

    @property
    def name(self) -> str:
        """What the table and the figure call it."""
        return f"{self.work} against {self.varied}"


ROWS = Axis(
    "epoch",
    "rows",
    (1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000),
    expected="1",
    why="every row is visited once, and once more by the target refresh",
)
CLUSTERS = Axis(
    "epoch",
    "clusters",
    (2, 10, 30, 100, 300, 1000),
    expected="at most 1",
    why="distances and P grow with it, the networks do not",
)
LATENT = Axis(
    "epoch",
    "latent_dim",
    (2, 8, 26, 64, 128, 256),
    expected="at most 1",
    why="two heads, a layer and distances grow with it, the wider layers do not",
    target=None,
)
SEEDS = Axis("epoch", "seeds", (1, 2, 4, 8, 16, 32), expected="1", why="each seed has networks and steps of its own")
FIT = Axis(
    "fit",
    "rows",
    (1000, 10_000, 30_000, 100_000, 300_000),
    expected="1",
    why="epochs, k-means and passes visit every row; k-means finds the ten clusters that are there",
    repetitions=1,
)
FIT_CLUSTERS = Axis(
    "fit",
    "clusters",
    (10, 30, 100, 300, 1000),
    expected="at most 1",
    why="k-means and P grow with it, and k-means cuts ten clusters up; the networks do not grow",
    repetitions=1,
)
FULL = (ROWS, CLUSTERS, LATENT, SEEDS, FIT, FIT_CLUSTERS)
QUICK = tuple(
    axis._replace(sizes=sizes, centre=Size(rows=1000))
    for axis, sizes in zip((ROWS, SEEDS), ((1000, 10_000), (1, 8)), strict=True)
)
SMOKE = (ROWS._replace(sizes=(20, 200)),)


def time_row(axis: Axis, effort: Effort) -> Row:
    """The exponent of the seconds of all sizes, which run in turn."""
    repetitions = min(axis.repetitions, effort.repetitions)
    functions = {str(size): WORK[axis.work](point) for size, point in zip(axis.sizes, axis.points, strict=True)}
    seconds = list(measure(functions, repetitions).values())
    fast, middle, slow = (slope(axis.sizes, [taken[part] for taken in seconds]) for part in (1, 0, 2))
    smallest, largest = seconds[0].median, seconds[-1].median
    return Row(
        case="T8",
        what=f"exponent of time: {axis.name} (expected {axis.expected})",
        unit="",
        ours=Measured(middle, min(fast, middle, slow), max(fast, middle, slow), repetitions),
        target=axis.target,
        note=f"{axis.why}; {smallest:.2g} s at {axis.sizes[0]}, {largest:.2g} s at {axis.sizes[-1]}",
        details={"sizes": axis.sizes, "seconds": [taken._asdict() for taken in seconds], "rest": axis.centre._asdict()},
    )


def memory_row(axis: Axis, peaks: Sequence[int]) -> Row:
    """The exponent of what each size holds beyond the smallest one; or how much it is, where that is too little."""
    grown = peaks[-1] - peaks[0]
    per_unit = grown / (axis.sizes[-1] - axis.sizes[0])
    floor = f" ({_ROW_BYTES} of them the row itself)" if axis.varied == "rows" else ""
    each = f"{per_unit:,.0f} bytes for each of the {axis.varied}{floor}; {peaks[0] / 1e6:.0f} MB at {axis.sizes[0]}"
    shared = {"case": "T8", "details": {"sizes": axis.sizes, "peak_bytes": list(peaks), "rest": axis.centre._asdict()}}
    if grown < _VISIBLE:
        what = f"memory: {axis.name}, more at {axis.sizes[-1]} than at {axis.sizes[0]}"
        return Row(what=what, unit="MB", ours=measured([grown]), note=f"too little for an exponent; {each}", **shared)
    return Row(
        what=f"exponent of memory: {axis.name} (expected {axis.expected})",
        unit="",
        ours=measured([slope_beyond_first(axis.sizes, peaks)]),
        target=axis.target,
        note=each,
        **shared,
    )


def _run(effort: Effort) -> Iterator[Row]:
    axes = SMOKE if effort.smoke else FULL if effort.full else QUICK
    rows = []
    for axis in axes:
        rows.append(time_row(axis, effort))
        yield rows[-1]
        if effort.full:
            rows.append(memory_row(axis, [peak_bytes(axis.work, point) for point in axis.points]))
            yield rows[-1]
    if effort.full:
        write_growth(FOLDER / f"scaling-{this_machine().label}.png", _panels(axes, rows))


def _panels(axes: Sequence[Axis], rows: Sequence[Row]) -> dict[str, list[Line]]:
    """The lines of the figure, from the two rows of each axis."""
    times, memories = [], []
    for axis, time, memory in zip(axes, rows[::2], rows[1::2], strict=True):
        seconds = [taken["median"] for taken in time.details["seconds"]]
        times.append(Line(axis.name, axis.sizes, seconds, time.ours.median))
        if memory.unit == "":
            first, *later = memory.details["peak_bytes"]
            grown = [(peak - first) / 1e9 for peak in later]
            memories.append(Line(axis.name, axis.sizes[1:], grown, memory.ours.median))
    return {"seconds": times, "GB beyond the smallest size": memories}


CASES = [Case("T8", "growth of time and memory with rows, clusters, latent size and seeds", _run)]
