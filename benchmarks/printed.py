"""What documents may print: figures that committed rows have.

A document names the rows that its figures are of in a comment, `<!-- rows: NAME / METHOD, METHOD; NAME ... -->`, which
holds up to the next comment or heading. `figures` is what it may then print; tests/benchmarks/test_printed.py looks.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from benchmarks.quality.rows import read as read_quality
from benchmarks.quality.table import over_sets
from benchmarks.results import FOLDER
from benchmarks.runs import means_of_groups, read
from benchmarks.table import cells
from vaeclust_jax.metrics import summarise, t_interval

QUALITY = FOLDER / "quality" / "rows.json"
HINTS = FOLDER / "quality" / "hints.json"
SUGGESTED = FOLDER / "quality" / "suggested.json"
TIMES = (FOLDER / "cpu-2.json", FOLDER / "cpu-2-epyc.json")
FIGURE = re.compile(r"(?<![\d.,])[01]?\.\d{3}(?!\d|,\d)")
NO_ROW = "No row is kept of the figures of this section."
NO_ROWS = "No row is kept of the figures of this page."
"""They stand as they were measured once."""
_EXCUSED = re.compile(r"\[\^norow\]|no result file is kept|reports? |reported|[Pp]ublished")
_ROWS = re.compile(r"<!-- rows: (.*?) -->")


def figures(asked: str) -> set[str]:
    """Everything that may be printed of rows, to three decimals: means, deviations, intervals; of one seed its scores.

    Args:
        asked: "NAME" of a run, or "NAME / METHOD, METHOD" for some of its methods; "quality", or "quality / DATASET,
            DATASET", for the rows of `benchmarks.quality`; "over sets", for their means over sets; "hints", for those
            of `benchmarks.quality.hints`, each by itself, too; "suggested", for those of
            `benchmarks.quality.suggested`; "times", for those of `benchmarks`.

    Raises:
        KeyError: there is no such row.
    """
    name, _, rest = (part.strip() for part in asked.partition("/"))
    only = [part.strip() for part in rest.split(",")] if rest else None
    if name == "times":
        rows = [row for path in TIMES for row in json.loads(path.read_text(encoding="utf-8"))["rows"]]
        return {text for row in rows for text in FIGURE.findall(" ".join((*cells(row), row["note"] or "")))}
    if name == "hints":
        errors: dict[tuple[str, int], list[float | None]] = {}
        for row in json.loads(HINTS.read_text(encoding="utf-8")):
            errors.setdefault((row["method"], row["labels"]), []).append(row["error"])
        every = [*errors.values(), *([one] for of in errors.values() for one in of)]
        return {text for values in every for text in _texts(values)}
    if name == "suggested":
        told = json.loads(SUGGESTED.read_text(encoding="utf-8"))
        return {text for how in ("without", "suggested", "random") for text in _texts([row[how] for row in told])}
    if name == "over sets":
        return set(FIGURE.findall(over_sets(read_quality(QUALITY))))
    if name == "quality":
        return {text for values in _of_quality(only) for text in _texts(values)}
    run = read()[name]
    methods = [run.scores[method] for method in only or run.scores]
    columns = [values for protocols in methods for of in protocols.values() for values in of.values()]
    columns += [list(values) for method, values in (run.classified or {}).items() if only is None or method in only]
    if only is None:
        columns += [_known(values) for of in (run.uncertainty or {}).values() for values in of.values()]
    if run.groups > 1:
        columns += [means_of_groups(_known(values), run.groups) for values in columns]
    return {text for values in columns for text in _texts(values)}


def _of_quality(datasets: Sequence[str] | None) -> Iterator[list[float | None]]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in json.loads(QUALITY.read_text(encoding="utf-8")):
        if datasets is None or row["dataset"] in datasets:
            groups.setdefault((row["dataset"], row["method"]), []).append(row)
    for rows in groups.values():
        yield from ([row[key] for row in rows] for key in ("acc", "nmi", "ari"))
        yield _known(row.get("auroc") for row in rows)


def _texts(values: Sequence[float | None]) -> Iterator[str]:
    known = _known(values)
    if len(known) < len(values) or not known:
        return
    summary = summarise([{"": value} for value in known])
    interval = t_interval(known, limits=(-1.0, 1.0))
    for value in (summary["mean"][""], summary["std"][""], *(interval or ())):
        if value is not None:
            yield f"{value:.3f}"


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def without_row(text: str) -> list[str]:
    """The lines of a document with a figure that neither has a row nor says that none is kept.

    Args:
        text: Markdown. A section that says `NO_ROW` has none, nor has a page that says `NO_ROWS`, a line with the
            footnote `[^norow]`, or one of what a source reports.
    """
    if NO_ROWS in text:
        return []
    found = []
    for section in re.split(r"^(?=#)", text, flags=re.MULTILINE):
        rows: set[str] = set()
        for line in section.split("\n") if NO_ROW not in section else ():
            if marker := _ROWS.fullmatch(line.strip()):
                rows = set().union(*map(figures, marker[1].split(";")))
                continue
            shown = {f"0{one}" if one.startswith(".") else one for one in FIGURE.findall(line)}
            if shown - rows and not _EXCUSED.search(line):
                found.append(line)
    return found
