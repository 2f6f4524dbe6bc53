"""Which test fits two methods, by where their seeds come from, and why some pairs have none.

A test over seeds needs seeds that are independent of each other, and two trainings to compare.
"""

from vaeclust_jax.folder.records.scores import Origin
from vaeclust_jax.metrics import Comparison, compare
from vaeclust_jax.metrics.statistics import Scores

VOTED = "seeds that learn from each other are one vote, not independent ones: --groups gives several"
SHARED = "both are read off one training"
MATCHED = "on held-out rows clusters are matched to classes anew"
BY_DESIGN = (VOTED, SHARED, MATCHED)


def why_untested(first: Origin, second: Origin, *, one_run: bool, protocol: str, metric: str) -> str | None:
    """Why no test over seeds fits two methods; None where one does.

    Args:
        first, second: where their seeds come from.
        one_run: whether both are of the same run.
        protocol: the rows that are scored.
        metric: the score.
    """
    if first.together or second.together:
        return VOTED
    if one_run and first.fit is not None and first.fit == second.fit:
        return SHARED
    return why_unreported(protocol, metric)


def why_unreported(protocol: str, metric: str) -> str | None:
    """Why a score is held against no other figure: ACC of few rows profits from a match that is made on them."""
    return MATCHED if metric == "acc" and protocol != "all" else None


def tested(a: Scores, b: Scores, *, paired: bool, untested: str | None) -> Comparison:
    """`compare`, without a test where none fits.

    Two methods of one training keep the interval of their difference, whose pairs are independent over seeds.

    Args:
        a, b: the scores of two methods.
        paired: whether a[i] and b[i] share a seed.
        untested: of `why_untested`.
    """
    found = compare(a, b, paired=paired)
    if untested is None or found.reason is not None:
        return found
    if untested == SHARED:
        return found._replace(welch=None, paired=None, reason=untested)
    return Comparison(found.difference, reason=untested)
