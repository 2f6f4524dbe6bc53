"""Methods ranked over several data sets.

After Demsar 2006, "Statistical comparisons of classifiers over multiple data sets".
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from vaeclust_jax.folder.table import Column, Table, cell_text
from vaeclust_jax.metrics import Outcome, average_ranks, critical_difference, friedman, groups_not_different
from vaeclust_jax.studies.side_by_side.lines import Line
from vaeclust_jax.studies.tests import ALPHA


class Ranks(NamedTuple):
    """Methods by their average rank over data sets (Demsar 2006).

    Attributes:
        methods: those with the score on all the data sets, the best first.
        datasets: those on which any method has the score.
        ranks: one a method; 1 is the best.
        friedman: are the methods alike?
        critical_difference: of Nemenyi's test.
        groups: positions of methods that it does not tell apart.
    """

    methods: list[str]
    datasets: list[str]
    ranks: list[float]
    friedman: Outcome | None
    critical_difference: float
    groups: list[tuple[int, ...]]


def rank_lines(lines: Mapping[str, Sequence[Line]], score: str) -> Ranks | None:
    """Ranks the methods that were run on all data sets, by the mean over seeds of a score.

    Args:
        lines: by data set; a method has one name on all of them.
        score: a key of `SCORES`.

    Returns:
        None for fewer than three methods or two data sets.
    """
    spreads = {dataset: {line.name: line.spread(score) for line in those} for dataset, those in lines.items()}
    means = {
        dataset: {name: one.mean for name, one in of.items() if one is not None} for dataset, of in spreads.items()
    }
    means = {dataset: of for dataset, of in means.items() if of}
    methods = [name for name in next(iter(means.values()), {}) if all(name in of for of in means.values())]
    if len(means) < 2 or len(methods) < 3:
        return None
    table = np.array([[of[name] for name in methods] for of in means.values()])
    ranks = average_ranks(table)
    order = np.argsort(ranks, kind="stable")
    ordered = ranks[order].tolist()
    difference = critical_difference(len(methods), len(means))
    groups = groups_not_different(ordered, difference)
    return Ranks([methods[one] for one in order], list(means), ordered, friedman(table), difference, groups)


def rank_tables(ranks: Ranks, score: str) -> list[Table]:
    """The ranks, and the tests whether they differ; `score` as it is written."""
    return [_ranks_table(ranks, score), _tests_table(ranks)]


def _ranks_table(ranks: Ranks, score: str) -> Table:
    rows = tuple(
        (name, rank, " ".join(str(number) for number, group in enumerate(ranks.groups, 1) if position in group))
        for position, (name, rank) in enumerate(zip(ranks.methods, ranks.ranks, strict=True))
    )
    columns = (Column("method", "text"), Column("average rank"), Column("group", "text"))
    note = (
        f"Of the methods run on all of {', '.join(ranks.datasets)}, by the mean over seeds; 1 is the best. Methods of "
        f"a group are not told apart: their ranks differ by less than {ranks.critical_difference:.3f}."
    )
    return Table("ranks", f"Average rank by {score} over {len(ranks.datasets)} data sets", columns, rows, note)


def _tests_table(ranks: Ranks) -> Table:
    test = ranks.friedman
    statistics = (None, None, None) if test is None else (test.statistic, test.df, test.p)
    row = (len(ranks.methods), len(ranks.datasets), *statistics, ranks.critical_difference)
    columns = (
        *(Column(heading, "integer") for heading in ("methods", "data sets")),
        *(Column(heading) for heading in ("Friedman chi-square", "df")),
        *(Column("p", "p"), Column("Nemenyi critical difference")),
    )
    note = (
        f"Demsar 2006. Friedman: are all methods alike? Critical difference: of average ranks, at {ALPHA:g}, for all "
        "pairs; it counts where Friedman's test finds a difference. With few data sets both have little power, and "
        "Friedman's p is rough below about 10 data sets and 5 methods."
    )
    return Table("rank-tests", "Do the ranks differ?", columns, (row,), note)


def best_rank(ranks: Ranks, score: str) -> str:
    """Which method is ahead over the data sets, and whether the tests show that methods differ."""
    methods, datasets = len(ranks.methods), len(ranks.datasets)
    best = [name for name, rank in zip(ranks.methods, ranks.ranks, strict=True) if rank == ranks.ranks[0]]
    ahead = f"{' and '.join(best)} {'has' if len(best) == 1 else 'have'} the best average rank by {score}"
    if ranks.friedman is None:
        verdict = "every data set ties all methods, and Friedman's test is not defined"
    elif ranks.friedman.p < ALPHA:
        verdict = f"Friedman's test finds a difference between methods (p {cell_text(ranks.friedman.p, 'p')})"
    else:
        verdict = f"Friedman's test shows no difference between methods (p {cell_text(ranks.friedman.p, 'p')})"
    sentence = f"Over {datasets} data sets, {ahead}, {ranks.ranks[0]:.2f} of {methods}; {verdict}."
    if ranks.critical_difference > methods - 1:
        sentence += f" Nemenyi's test can tell no {methods} methods apart on {datasets} data sets."
    return sentence
