"""Where samples of classes that a model has never seen end up among its clusters."""

from collections.abc import Sequence

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.uncertainty import LandingOfSeed, LandingRecord
from vaeclust_jax.folder.table import Column, Spread, Table
from vaeclust_jax.studies.assignments import Answer


def landing(
    runs: Sequence[Run], answers: Sequence[Answer], dataset: Dataset, others: Dataset
) -> tuple[LandingRecord, ...]:
    """For each class of the others: the cluster that takes most of it, and whose cluster that is.

    Args:
        runs: of one method, one a seed.
        answers: theirs on `dataset`.
        dataset: labelled; what the model knows.
        others: labelled; what it has never seen.
    """
    assert others.y is not None, "labelled"
    rows = []
    for number in np.unique(others.y):
        x = others.x[others.y == number]
        seeds = tuple(_of_seed(run, found.labels, dataset, x) for run, found in zip(runs, answers, strict=True))
        rows.append(LandingRecord(class_=_name(others, number), samples=len(x), seeds=seeds))
    return tuple(rows)


def _of_seed(run: Run, labels: np.ndarray, dataset: Dataset, x: np.ndarray) -> LandingOfSeed:
    assert dataset.y is not None, "labelled"
    counts = np.bincount(run.predict(x))
    cluster = counts.argmax()
    share = float(counts[cluster] / len(x))
    own = dataset.y[labels == cluster]
    if len(own) == 0:
        return LandingOfSeed(share=share, known=None, known_share=None)
    by_class = np.bincount(own)
    known = int(by_class.argmax())
    return LandingOfSeed(share=share, known=_name(dataset, known), known_share=float(by_class[known] / len(own)))


def landing_table(name: str, rows: Sequence[LandingRecord]) -> Table:
    """The records of `landing` on the data set of this name, a row a class."""
    table = []
    for row in rows:
        known = [seed.known for seed in row.seeds]
        counted = {one: known.count(one) for one in dict.fromkeys(known)}
        beside = ", ".join(f"{one or 'nobody'} ({count})" if len(known) > 1 else one or "nobody"
                           for one, count in counted.items())  # fmt: skip
        shares = [seed.known_share for seed in row.seeds if seed.known_share is not None]
        spreads = (_spread([seed.share for seed in row.seeds]), _spread(shares))
        table.append((row.class_, row.samples, spreads[0], beside, spreads[1]))
    columns = (
        Column("class", "text"),
        Column("samples", "integer"),
        Column("in one cluster"),
        Column("which is that of", "text"),
        Column("of its rows"),
    )
    note = (
        "Of each class the share in the cluster that holds most of it, and the known class that most of that cluster's "
        "own rows have (in brackets: for how many seeds); mean ± deviation over seeds."
    )
    return Table("landing", f"Where do samples of {name} land?", columns, tuple(table), note)


def _spread(values: Sequence[float]) -> Spread | None:
    if not values:
        return None
    return Spread(float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None)


def _name(dataset: Dataset, number: int) -> str:
    return str(number) if dataset.class_names is None else dataset.class_names[number]
