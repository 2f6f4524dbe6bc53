"""What a few labels are worth: errors of the rows that nobody labelled, of methods that are told some classes.

python -m benchmarks.quality.hints                 # goes on where it was; writes hints.md
python -m benchmarks.quality.hints --quick --out folder
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.semi_supervised import LabelSpreading

from benchmarks.machine import commit, this_machine
from benchmarks.quality.arguments import parsed
from benchmarks.quality.datasets import NUM_CLASSES, dataset
from benchmarks.quality.rows import read_as
from vaeclust_jax import Config, Hints, VAEKMeans, fit
from vaeclust_jax.data import fit_preparation
from vaeclust_jax.fitting.config import with_method
from vaeclust_jax.folder import write_json
from vaeclust_jax.metrics import scores, summarise
from vaeclust_jax.selection.cluster import default_config
from vaeclust_jax.whole_file import write_whole

BENCHMARKS = Path(__file__).parent.parent
SIDES = {"digits": 8}
"""Data that the library was developed on, and the side of their images, in pixels."""
LABELS, SEEDS = (0, 1, 5, 20), 5
_QUICK = {"pretrain_epochs": 2, "joint_epochs": 2}


class Row(NamedTuple):
    """A method that is told so many labels a class."""

    dataset: str
    method: str
    labels: int
    seed: int
    error: float
    """Of the rows without a label."""
    seconds: float
    """CPU seconds of the fit, all cores together, compilation included."""
    commit: str | None
    machine: str


def told(y: np.ndarray, labels: int, seed: int) -> np.ndarray:
    """So many random rows of each class with their class, -1 elsewhere; the same for every method."""
    rng, known = np.random.default_rng(seed), np.full(len(y), -1)
    for one in np.unique(y):
        known[rng.permutation(np.flatnonzero(y == one))[:labels]] = one
    return known


def config_of(name: str, quick: bool) -> Config:
    """The default without views, of small images."""
    config = with_method(default_config(NUM_CLASSES[name]), augment=0.0, **(_QUICK if quick else {}))
    return replace(config, prepare=replace(config.prepare, image_size=(SIDES[name], SIDES[name])))


def _vaegraph(name: str, x: np.ndarray, known: np.ndarray, seed: int, quick: bool) -> tuple[np.ndarray, bool]:
    some = bool((known >= 0).any())
    return fit(config_of(name, quick), x, seed, hints=Hints(known) if some else None).predict(x), some


def _dynamic_beta(name: str, x: np.ndarray, known: np.ndarray, seed: int, quick: bool) -> tuple[np.ndarray, bool]:
    """A VAE that keeps known classes together under a dynamic beta, then k-means: two labels a class at least."""
    method = VAEKMeans(NUM_CLASSES[name], beta="dynamic", pretrain_epochs=2 if quick else 50)
    some = known if (known >= 0).any() else None
    return fit(replace(config_of(name, quick), method=method), x, seed, partial_labels=some).predict(x), False


def _spreading(name: str, x: np.ndarray, known: np.ndarray, seed: int, quick: bool) -> tuple[np.ndarray, bool]:
    values = fit_preparation(x, config_of(name, quick).prepare).apply(x).reshape(len(x), -1)
    return LabelSpreading(kernel="knn", n_neighbors=7, max_iter=200).fit(values, known).transduction_, True


class _Method(NamedTuple):
    ask: Callable[[str, np.ndarray, np.ndarray, int, bool], tuple[np.ndarray, bool]]
    """Labels of all rows, and whether their numbers are those of the classes; else they are matched to these."""
    least: int
    """Labels of a class that it needs, if any."""
    without: bool
    """Whether it needs none at all."""


METHODS = {
    "vaegraph": _Method(_vaegraph, 1, True),
    "DynamicBetaVAE + k-means": _Method(_dynamic_beta, 2, True),
    "label spreading on pixels": _Method(_spreading, 1, False),
}


def _measured(name: str, method: str, labels: int, seed: int, quick: bool) -> Row:
    whole = dataset(name)
    assert whole.y is not None
    rows = slice(200 if quick else None)
    x, y = whole.x[rows], np.asarray(whole.y[rows])
    known = told(y, labels, seed)
    started = time.process_time()
    found, numbered = METHODS[method].ask(name, x, known, seed, quick)
    seconds = round(time.process_time() - started, 1)
    rest, here = known < 0, this_machine()
    machine = f"{here.name}, {here.cores} cores"
    right = float((found[rest] == y[rest]).mean()) if numbered else scores(y[rest], found[rest], None)["acc"] or 0.0
    return Row(name, method, labels, seed, round(1 - right, 4), seconds, commit(), machine)


def page(rows: Sequence[Row]) -> str:
    """`hints.md`."""
    lines = [
        "# What a few labels are worth\n",
        "```bash\npython -m benchmarks.quality.hints\n```\n",
        "Errors of the rows that nobody labelled, as means ± standard deviation over "
        f"{SEEDS} seeds, each with other labelled rows.",
        "All methods are told the same rows, drawn at random from each class.",
        "`vaegraph` is as it is by default, without views.",
        "With labels its clusters have the numbers of the classes, as those of label spreading; others are matched.",
        "Digits have 8 x 8 pixels.",
        "Labels of digits were in view while the method was made.\n",
        f"Machines: {', '.join(sorted({row.machine for row in rows}))}. A dash: the method cannot use so few.\n",
        f"| data | method | {' | '.join(f'{labels} a class' for labels in LABELS)} |",
        f"| --- | --- | {' | '.join('---:' for _ in LABELS)} |",
    ]
    for name in dict.fromkeys(row.dataset for row in rows):
        for method in METHODS:
            cells = [error_cell([row.error for row in rows if row[:3] == (name, method, labels)]) for labels in LABELS]
            lines.append(f"| {name} | {method} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def error_cell(errors: Sequence[float]) -> str:
    """Mean ± standard deviation; a dash where there are none."""
    if not errors:
        return "\N{EN DASH}"
    found = summarise([{"error": error} for error in errors])
    mean, std = found["mean"]["error"], found["std"]["error"]
    return f"{mean:.3f}" if std is None else f"{mean:.3f} ± {std:.3f}"


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.hints", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--datasets", nargs="+", choices=list(SIDES), default=list(SIDES))
    args = parsed(parser, argv)
    folder = BENCHMARKS if args.out is None else args.out
    path = folder / "results" / "quality" / "hints.json"
    for name in args.datasets[:1] if args.quick else args.datasets:
        for seed in range(1 if args.quick else SEEDS):
            for method, about in METHODS.items():
                for labels in LABELS:
                    asked = about.without if labels == 0 else labels >= about.least
                    rows = read_as(Row, path, "the table of hints")
                    if asked and (name, method, labels, seed) not in {row[:4] for row in rows}:
                        row = _measured(name, method, labels, seed, args.quick)
                        path.parent.mkdir(parents=True, exist_ok=True)
                        write_json(path, [one._asdict() for one in (*rows, row)])
                        write_whole(folder / "hints.md", page([*rows, row]))
                        print(f"{name} {method} {labels} labels, seed {seed}: {row.error:.3f}", file=sys.stderr)
    print(folder / "hints.md")


if __name__ == "__main__":
    main()
