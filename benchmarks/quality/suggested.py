"""Whether the rows that `vaeclust suggest` lists are worth more than as many random ones.

python -m benchmarks.quality.suggested             # goes on where it was; writes suggested.md
python -m benchmarks.quality.suggested --quick --out folder
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import entr

from benchmarks.machine import commit, this_machine
from benchmarks.quality.arguments import parsed
from benchmarks.quality.datasets import dataset
from benchmarks.quality.hints import BENCHMARKS, SIDES, config_of, error_cell
from benchmarks.quality.rows import read_as
from vaeclust_jax import Hints, fit
from vaeclust_jax.folder import write_json
from vaeclust_jax.graph.suggested import suggested
from vaeclust_jax.graph.tree import cuttable
from vaeclust_jax.metrics import accuracy
from vaeclust_jax.whole_file import write_whole

NUMBERS, SEEDS = (20,), 5


class Row(NamedTuple):
    """One seed: errors of the rows that neither list holds, of a fit without labels and of one with each list."""

    dataset: str
    number: int
    """Rows whose class is told."""
    seed: int
    without: float
    suggested: float
    random: float
    commit: str | None
    machine: str


def _measured(name: str, number: int, seed: int, quick: bool) -> Row:
    whole = dataset(name)
    assert whole.y is not None
    rows = slice(200 if quick else None)
    x, y, config = whole.x[rows], np.asarray(whole.y[rows]), config_of(name, quick)
    run = fit(config, x, seed)
    asked = suggested(cuttable(run.tree_), entr(run.predict_proba(x)).sum(axis=1), number)
    drawn = np.random.default_rng(seed).permutation(len(y))[:number]
    rest = ~np.isin(np.arange(len(y)), (*asked, *drawn))

    def error(labels: np.ndarray) -> float:
        return round(1 - float(accuracy(y[rest], labels[rest])), 4)

    def with_classes(known: np.ndarray) -> float:
        labels = np.full(len(y), -1)
        labels[known] = y[known]
        return error(fit(config, x, seed, hints=Hints(labels)).predict(x))

    here = this_machine()
    found = error(run.predict(x)), with_classes(asked), with_classes(drawn)
    return Row(name, number, seed, *found, commit(), f"{here.name}, {here.cores} cores")


def page(rows: Sequence[Row]) -> str:
    """`suggested.md`."""
    lines = [
        "# What to label\n",
        "```bash\npython -m benchmarks.quality.suggested\n```\n",
        "Errors of `vaegraph` on rows that neither list holds, as means ± standard deviation over the seeds.",
        "`vaeclust suggest` listed rows of the run without labels; the random ones are drawn from all rows.",
        "Both fits with classes have the same seed as the one without.",
        "Images have 8 x 8 pixels, and there are no views.",
        "Labels of these sets were in view while the method was made.\n",
        f"Machines: {', '.join(sorted({row.machine for row in rows}))}.\n",
        "| data | rows told | seeds | without labels | random rows | suggested rows | seeds it is better in |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, number in dict.fromkeys(row[:2] for row in rows):
        own = [row for row in rows if row[:2] == (name, number)]
        cells = [error_cell([getattr(row, column) for row in own]) for column in ("without", "random", "suggested")]
        better = sum(row.suggested < row.random for row in own)
        lines.append(f"| {name} | {number} | {len(own)} | {' | '.join(cells)} | {better} |")
    return "\n".join([*lines, ""])


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.suggested", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--datasets", nargs="+", choices=list(SIDES), default=list(SIDES))
    args = parsed(parser, argv)
    folder = BENCHMARKS if args.out is None else args.out
    path = folder / "results" / "quality" / "suggested.json"
    for name in args.datasets[:1] if args.quick else args.datasets:
        for number in NUMBERS[:1] if args.quick else NUMBERS:
            for seed in range(1 if args.quick else SEEDS):
                rows = read_as(Row, path, "the table of suggestions")
                if (name, number, seed) not in {row[:3] for row in rows}:
                    row = _measured(name, number, seed, args.quick)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    write_json(path, [one._asdict() for one in (*rows, row)])
                    write_whole(folder / "suggested.md", page([*rows, row]))
                    print(f"{name} {number} seed {seed}: {row.suggested} against {row.random}", file=sys.stderr)
    print(folder / "suggested.md")


if __name__ == "__main__":
    main()
