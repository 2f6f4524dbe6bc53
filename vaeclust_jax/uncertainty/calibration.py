"""Are the probabilities honest: of the assignments held to be 80 % sure, are 80 % correct?

Proper scores need nothing from here: scikit-learn has `log_loss` and `brier_score_loss`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.errors import InputError


class Reliability(NamedTuple):
    """The reliability diagram over its b populated bins, from low to high confidence.

    Attributes:
        confidence: shape (b,), the mean probability in each bin.
        accuracy: shape (b,), the share of correct assignments.
        count: shape (b,), samples.
        low: shape (b,), lower end of Wilson's 95 % interval of the accuracy.
        high: shape (b,), its upper end.
        ece: expected calibration error, sum_b count_b / n |accuracy_b - confidence_b|.
        mce: maximum calibration error, max_b |accuracy_b - confidence_b|.
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    count: NDArray[np.int64]  # type: ignore[assignment]  # hides tuple.count, which nobody calls
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    ece: float
    mce: float


def reliability(probability: ArrayLike, correct: ArrayLike, num_bins: int = 15) -> Reliability:
    """Compare the confidence with the accuracy, bin by bin.

    Source: Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks", Eq. 3 and 5, with
    bins ((b - 1) / B, b / B] of equal width; a probability of 0 is in the first. Chance alone leaves an error
    of about sqrt(accuracy (1 - accuracy) / count) in every bin, so the ECE of an honest model is above 0 and
    falls with the number of samples, and the MCE is mostly that of the smallest bin: see the intervals.

    Args:
        probability: shape (n,), the probability of the chosen cluster, in [0, 1].
        correct: shape (n,), whether each assignment is correct.
        num_bins: B, at least 1; those without samples are left out.

    Raises:
        InputError: the arguments are empty, of different lengths, not finite or out of range, or `correct` is
            not boolean.
    """
    from scipy.stats import binomtest

    values, right = check_scored("probability", probability, correct)
    if num_bins < 1:
        raise InputError(f"num_bins must be at least 1, got {num_bins}.")
    if values.min() < 0 or values.max() > 1 + 1e-6:  # a sum of float32 may end above 1
        raise InputError(f"probability must lie in [0, 1], got values from {values.min()} to {values.max()}.")
    inner_edges = np.linspace(0, 1, num_bins + 1)[1:-1]
    _, bin_of, count = np.unique(np.searchsorted(inner_edges, values), return_inverse=True, return_counts=True)
    confidence = np.bincount(bin_of, weights=values) / count
    num_right = np.bincount(bin_of, weights=right)
    accuracy = num_right / count
    gap = np.abs(accuracy - confidence)
    intervals = [
        binomtest(int(k), int(n)).proportion_ci(0.95, method="wilson") for k, n in zip(num_right, count, strict=True)
    ]
    low, high = np.array(intervals).T
    ece = float(np.average(gap, weights=count))
    return Reliability(confidence, accuracy, count, low, high, ece, float(gap.max()))


def expected_calibration_error(probability: ArrayLike, correct: ArrayLike, num_bins: int = 15) -> float:
    """ECE: the mean distance of confidence and accuracy over bins, in [0, 1]; see `reliability`.

    Args:
        probability: shape (n,), the probability of the chosen cluster, in [0, 1].
        correct: shape (n,), whether each assignment is correct.
        num_bins: bins of equal width.

    Raises:
        InputError: as `reliability`.
    """
    return reliability(probability, correct, num_bins).ece


def check_scored(name: str, values: ArrayLike, correct: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Check a number per sample and whether its assignment is correct, and return both as arrays.

    Args:
        name: what `values` are called, for the message.
        values: shape (n,), finite.
        correct: shape (n,), boolean.

    Raises:
        InputError: empty, of different lengths, not finite, or `correct` is not boolean.
    """
    checked, right = check_numbers(name, values), np.asarray(correct)
    if right.dtype != np.bool_:
        raise InputError(f"correct must hold True or False, got {right.dtype}.")
    if right.shape != checked.shape:
        raise InputError(f"correct must have shape {checked.shape} like {name}, got {right.shape}.")
    return checked, right


def check_numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Check a number per sample, and return them as an array.

    Args:
        name: what `values` are called, for the message.
        values: shape (n,), finite.

    Raises:
        InputError: empty, not one-dimensional or not finite.
    """
    checked = np.asarray(values, dtype=np.float64)
    if checked.ndim != 1 or not checked.size:
        raise InputError(f"{name} must be one-dimensional and not empty, got shape {checked.shape}.")
    if not np.isfinite(checked).all():
        raise InputError(f"{name} must hold finite numbers only, got NaN or infinity.")
    return checked
