"""What the methods reach, from the committed rows of `python -m benchmarks.quality`."""

from functools import cache
from pathlib import Path
from statistics import fmean

from benchmarks.quality.methods import METHODS, is_floor
from benchmarks.quality.rows import Row, read
from notebooks.book.markdown import table

ROWS = Path(__file__).parent.parent.parent / "benchmarks" / "results" / "quality" / "rows.json"
COST_OF = ("digits", "mnist-test")
"""Data sets whose CPU seconds are the cost: 1,797 and 10,000 rows."""

CHOICES = {
    "vaegraph": ("[GraphDEC](methods/graph.md)", "`vaeclust run`", "the best clusters are wanted"),
    "VAE + mixture": ("[VAEMixture](methods/mixture.md)", "`vaeclust run mixture`", "densities or samples are wanted"),
    "VAE+DEC": ("[DEC](methods/dec.md)", "`vaeclust run vaedec`", "compact clusters in the latents are wanted"),
    "IDEC": ("[IDEC](methods/dec.md)", "`vaeclust run idec`", "an autoencoder is wanted, not a VAE"),
    "VaDE": ("[VaDE](methods/vade.md)", "`vaeclust run vade`", "the mixture is to be trained with the networks"),
    "VAE + k-means": ("[VAEKMeans](methods/kmeans.md)", "`vaeclust run kmeans`", "a baseline on latents is wanted"),
    "neighbour graph": ("the neighbour graph of the values", "part of the floor", "there is no time to train"),
    "spectral": ("spectral clustering", "scikit-learn", "there is no time to train, and no new rows come"),
    "Ward": ("Ward's agglomeration", "scikit-learn", "as above, and clusters are not thin"),
    "k-means": ("k-means", "scikit-learn", "a floor is wanted in a second"),
}
"""By row of the table of quality: name, how to run it, and when to take it."""


@cache
def rows() -> tuple[Row, ...]:
    """Every committed row."""
    return tuple(row for row in read(ROWS) if row.method in METHODS)


def datasets() -> list[str]:
    """Those with rows, in the order of the file."""
    return list(dict.fromkeys(row.dataset for row in rows()))


def mean(method: str, dataset: str, score: str) -> float | None:
    """Over the seeds; None where nothing was measured."""
    found = [getattr(row, score) for row in rows() if (row.method, row.dataset) == (method, dataset)]
    there = [value for value in found if value is not None]
    return fmean(there) if there else None


def shown(value: float | None, digits: int = 3) -> str:
    """A figure as a cell."""
    return "" if value is None else f"{value:.{digits}f}"


def floor(dataset: str) -> float:
    """The highest mean accuracy of a method without a network."""
    shallow = filter(is_floor, METHODS)
    return max(value for name in shallow if (value := mean(name, dataset, "acc")) is not None)


def shared() -> list[str]:
    """The data sets that every method of `CHOICES` was scored on: means over others do not compare."""
    return [one for one in datasets() if all(mean(method, one, "acc") is not None for method in CHOICES)]


def decision() -> str:
    """Which method, when, at what cost, with what accuracy to expect."""
    found, common = [], shared()
    for method, (name, how, when) in CHOICES.items():
        reached = {one: value for one in datasets() if (value := mean(method, one, "acc")) is not None}
        ahead = sum(value > floor(one) for one, value in reached.items())
        deep = METHODS[method].method is not None
        cost = " / ".join(shown(mean(method, one, "seconds"), 0) for one in COST_OF)
        of_common = [reached[one] for one in common]
        expected = f"{fmean(of_common):.2f} ({min(of_common):.2f} to {max(of_common):.2f})"
        found.append([f"{name}<br>{how}", when, expected, f"{ahead} of {len(reached)}" if deep else "", cost])
    return table(["method", "take it when", "ACC: mean (range)", "ahead of floor", "CPU s"], found, numbers_from=2)


def accuracies(score: str = "acc") -> str:
    """A score of every method on every data set."""
    cells = [[method, *(shown(mean(method, one, score)) for one in datasets())] for method in METHODS]
    return table(["method", *datasets()], [row for row in cells if any(row[1:])], numbers_from=1)
