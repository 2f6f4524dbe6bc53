"""Scores methods on data sets; what is in the file already is not measured again."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.special import entr

from benchmarks.machine import commit
from benchmarks.quality.arguments import parsed
from benchmarks.quality.datasets import DATASETS, DEVELOPED_ON, NUM_CLASSES, dataset
from benchmarks.quality.methods import METHODS, as_text, available, cluster, setting_of, together
from benchmarks.quality.rows import Row, keep, read
from benchmarks.quality.table import current, page
from benchmarks.quality.views import asks, file_beside, strength
from benchmarks.quality.views import read as read_views
from vaeclust_jax.data import Dataset
from vaeclust_jax.errors import InputError
from vaeclust_jax.studies.assignments import Answer
from vaeclust_jax.studies.scores import score_methods
from vaeclust_jax.uncertainty import error_auroc
from vaeclust_jax.uncertainty.selective import correctness
from vaeclust_jax.whole_file import write_whole

BENCHMARKS = Path(__file__).parent.parent
SMALL, MANY, FEW = 2000, 5, 3  # rows up to which there are five seeds, else three
LARGE = 50_000  # above which there is one
_QUICK_ROWS = 200


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument(
        "--datasets", nargs="+", choices=list(DATASETS), default=list(DEVELOPED_ON),
        help="by default those the library was developed on: the others are scored once, with everything frozen",
    )  # fmt: skip
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=available())
    parser.add_argument("--seeds", nargs="+", type=int, help="by default 0 to 4, of large sets 0 to 2, of whole ones 0")
    args = parsed(parser, argv)
    rows = BENCHMARKS / "results" / "quality" / "rows.json" if args.out is None else args.out / "rows.json"
    written = BENCHMARKS / "quality.md" if args.out is None else args.out / "quality.md"
    for name in args.datasets:
        _score(name, args.methods, args.seeds, rows, written, args.quick)
    _write(rows, written, args.quick)
    print(written)


def _score(
    name: str, methods: Sequence[str], seeds: Sequence[int] | None, path: Path, written: Path, quick: bool
) -> None:
    whole = dataset(name)
    assert whole.y is not None
    n = min(len(whole.x), _QUICK_ROWS) if quick else len(whole.x)
    few = range(1 if quick or n > LARGE else MANY if n <= SMALL else FEW)
    for seed in few if seeds is None else seeds:
        for group in together(methods, NUM_CLASSES[name], quick):
            there = {row[:3] for row in current(read(path), quick)}
            missing = [method for method in group if (name, method, seed) not in there]
            if missing:
                x, k = whole.x[:n], NUM_CLASSES[name]
                augment = strength(file_beside(path), name, x, k, quick) if asks(missing[0]) else 0.0
                for row in _measured(name, x, whole.y[:n], missing, seed, quick, augment):
                    keep(path, row)
                    print(f"{name} {row.method} seed {seed}: ACC {row.acc:.3f}, {row.seconds:.0f} s", file=sys.stderr)
                _write(path, written, quick)


def _measured(
    name: str, x: np.ndarray, y: np.ndarray, methods: Sequence[str], seed: int, quick: bool, augment: float
) -> list[Row]:
    started = time.process_time()
    found = cluster(methods, x, NUM_CLASSES[name], seed, quick, augment)
    seconds = round(time.process_time() - started, 3)  # of 200 rows milliseconds
    answers, rows = {method: [one] for method, one in found.items()}, []
    results = score_methods(answers, {"all": np.arange(len(x))}, Dataset(x, y, name), [seed])
    for method, one in found.items():
        (scored,) = results[method]["all"].seeds
        acc, nmi, ari = (round(value or 0.0, 4) for value in (scored.acc, scored.nmi, scored.ari))
        setting = as_text(setting_of(method, NUM_CLASSES[name], quick))
        rows.append(Row(name, method, seed, setting, acc, nmi, ari, seconds, commit(), _auroc(y, one)))
    return rows


def _auroc(y: np.ndarray, found: Answer) -> float | None:
    """As `Row.auroc`."""
    if found.log_q is None:
        return None
    auroc = error_auroc(correctness(y, found.labels), entr(np.exp(found.log_q)).sum(axis=1))
    return None if auroc is None else round(auroc, 4)


def _write(path: Path, written: Path, quick: bool) -> None:
    write_whole(written, page(current(read(path), quick), read_views(file_beside(path), quick)))


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"benchmarks.quality: {error}")
