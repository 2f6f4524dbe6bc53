"""Two methods compared in every way that fits their scores."""

from typing import NamedTuple

from vaeclust_jax.metrics.statistics import (
    Interval,
    Outcome,
    Scores,
    bootstrap_interval,
    hedges_g,
    mean_difference,
    paired_differences,
    paired_effect,
    paired_t,
    sign_flip,
    welch,
)


class Comparison(NamedTuple):
    """How two methods differ; what is paired is None for independent samples.

    Attributes:
        difference: mean of a - mean of b.
        interval: 95 % `bootstrap_interval` of the mean paired difference.
        welch, paired, sign_flip, hedges_g, paired_effect: of the functions `welch`, `paired_t` and so on; `welch`
            and `hedges_g` do not use the pairs.
    """

    difference: float | None
    interval: Interval | None
    welch: Outcome | None
    paired: Outcome | None
    sign_flip: Outcome | None
    hedges_g: float | None
    paired_effect: float | None


def compare(a: Scores, b: Scores, *, paired: bool = True) -> Comparison:
    """Compare the scores of two methods in every way that fits.

    Args:
        a, b: the scores of two methods, one per seed or dataset.
        paired: whether a[i] and b[i] share a seed or a dataset.

    Raises:
        InputError: the lengths differ although `paired`, or the scores are not a sequence of numbers.
    """
    differences = paired_differences(a, b) if paired else None
    return Comparison(
        difference=mean_difference(a, b),
        interval=None if differences is None else bootstrap_interval(differences.tolist()),
        welch=welch(a, b),
        paired=paired_t(a, b) if paired else None,
        sign_flip=sign_flip(a, b) if paired else None,
        hedges_g=hedges_g(a, b),
        paired_effect=paired_effect(a, b) if paired else None,
    )
