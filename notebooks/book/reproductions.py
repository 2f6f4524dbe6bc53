"""What papers report beside what was measured, from the committed rows of `python -m benchmarks.runs`.

A page gives each line of a table its name and where it is from, `NAME = RUN / METHOD` or `NAME = RUN / METHOD / ROWS`.
What a source prints is given as it prints it, `NAME = reported: TEXT | TEXT`.
"""

from collections.abc import Iterator, Sequence
from functools import cache

from benchmarks.runs import Run, Values, means_of_groups, read
from notebooks.book.markdown import table
from vaeclust_jax.folder.table import NOT_DEFINED, Table
from vaeclust_jax.folder.typed_json import from_json
from vaeclust_jax.metrics import summarise
from vaeclust_jax.studies.uncertainty import BY_VOTES

_HEADINGS = {
    "acc": "ACC",
    "nmi": "NMI",
    "ari": "ARI",
    "ami": "AMI",
    "silhouette": "silhouette",
    "dead": "dead seeds",
    "auroc": "AUROC",
    "error": "error, all",
    "error_at_80": "error, surest 80 %",
}
_REPORTED = "reported:"


@cache
def runs() -> dict[str, Run]:
    """Every committed row."""
    return read()


def scores(*asked: str) -> str:
    """A table of methods; its columns, then the lines of the page."""
    *columns, lines = asked
    cells = [[name, *(spread(columns, *place) if isinstance(place, tuple) else place)] for name, place in _lines(lines)]
    return table(["", *(_HEADINGS[key] for key in columns)], cells, numbers_from=1)


def measures(*asked: str) -> str:
    """A table of measures of uncertainty, likewise; `NAME = RUN / MEASURE`."""
    *columns, lines = asked
    cells = []
    for name, place in _lines(lines):
        run = runs()[place[0]]
        assert run.uncertainty is not None
        values = run.uncertainty[place[1]]
        shared = run.groups if place[1].startswith("seeds") else 1
        cells.append([name, *(_text(values[key], shared) for key in columns)])
    return table(["", *(_HEADINGS[key] for key in columns)], cells, numbers_from=1)


def calibration(lines: str) -> str:
    """The expected calibration error of the probabilities as trained and as shown; `NAME = RUN`."""
    cells = []
    for name, place in _lines(lines):
        run = runs()[place[0]]
        assert run.calibration is not None
        cells.append([name, *(_text(run.calibration[kind], 1) for kind in ("q at the mean", BY_VOTES))])
    return table(["expected calibration error", "as trained", "at the temperature"], cells, numbers_from=1)


def noticed(lines: str) -> str:
    """How well samples of another data set are told; `NAME = RUN / SCORE`."""
    cells = []
    for name, place in _lines(lines):
        strange = runs()[place[0]].outliers
        assert strange is not None
        cells.append([name, _text(strange[place[1]], 1)])
    return table(["", "AUROC"], cells, numbers_from=1)


def naming(name: str, lines: str) -> str:
    """How well named clusters classify, by the number of labels; `NAME = METHOD / NAMING`."""
    points = runs()[name].naming
    assert points is not None
    labels = sorted({point["labels"] for point in points})
    at = {(point["method"], point["naming"], point["labels"]): point for point in points}
    cells = [
        [name, *(_mean_and_deviation(at[*place, number]["mean"], at[*place, number]["std"]) for number in labels)]
        for name, place in _lines(lines)
    ]
    return table(["labels that name the clusters", *(f"{number:,}" for number in labels)], cells, numbers_from=1)


def chosen(lines: str) -> str:
    """What each criterion says of the number of clusters; `NAME = RUN`."""
    found = [(name, runs()[place[0]].chosen or {}) for name, place in _lines(lines)]
    criteria = list(dict.fromkeys(key for _, of in found for key in of))
    return table(["", *criteria], [[name, *(str(of[key]) for key in criteria)] for name, of in found], numbers_from=1)


def run_table(name: str, which: str) -> str:
    """A table of a run, as the run itself has it."""
    found = _table(name, which).without_empty()
    numbers = [place for place, column in enumerate(found.columns) if column.format != "text"]
    cells = [["" if cell == NOT_DEFINED else cell for cell in row] for row in found.texts()]
    return table([column.name for column in found.columns], cells, numbers_from=min(numbers, default=None))


def run_note(name: str, which: str) -> str:
    """What the run says below a table of its own."""
    return f"{_table(name, which).note}\n"


def _table(name: str, which: str) -> Table:
    tables = from_json(tuple[Table, ...], runs()[name].tables, name)
    return {one.name: one for one in tables}[which]


def findings(name: str) -> str:
    """What the run concludes, in its own words."""
    return "".join(f"- {one}\n" for one in runs()[name].findings or [])


def ran(*names: str) -> str:
    """By which commands, and on what."""
    lines = []
    for run in (runs()[name] for name in names):
        cores = f"{run.threads} core{'s' if run.threads > 1 else ''} of an {run.machine}"
        took = f"{run.cpu_seconds / 60:.0f} min of CPU time on {cores}"
        lines.append(f"- `vaeclust {run.command}`: {took}, commit `{run.commit}`, jax {run.versions['jax']}\n")
    return "".join(lines)


def spread(columns: Sequence[str], name: str, method: str, protocol: str = "all") -> list[str]:
    """Mean and deviation of each score over seeds; where these vote, over their groups."""
    run = runs()[name]
    values: Values = dict(run.scores[method][protocol])
    if "dead" in columns:
        values["dead"] = values["active_units"]
    shared = run.groups if method.endswith("-together") else 1
    return [_dead(values[key]) if key == "dead" else _text(values[key], shared) for key in columns]


def _lines(text: str) -> Iterator[tuple[str, tuple[str, ...] | list[str]]]:
    """Name, and where it is from; or the texts of a source as a list."""
    for line in text.strip().split("\n"):
        name, _, place = (part.strip() for part in line.partition(" = "))
        if place.startswith(_REPORTED):
            yield name, [one.strip() for one in place.removeprefix(_REPORTED).split("|")]
        else:
            yield name, tuple(one.strip() for one in place.split(" / "))


def _text(values: Sequence[float | None], groups: int) -> str:
    """Over seeds; of values that the seeds of a group share, over groups. Empty where one is not defined."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return ""
    summary = summarise([{"": value} for value in (means_of_groups(known, groups) if groups > 1 else known)])
    mean = summary["mean"][""]
    assert mean is not None
    return _mean_and_deviation(mean, summary["std"][""])


def _mean_and_deviation(mean: float, deviation: float | None) -> str:
    return f"{mean:.3f}" if deviation is None else f"{mean:.3f} ± {deviation:.3f}"


def _dead(active: Sequence[float | None]) -> str:
    """The number of seeds without an active latent; empty of methods that have no latents."""
    return "" if None in active else str(sum(value == 0 for value in active))
