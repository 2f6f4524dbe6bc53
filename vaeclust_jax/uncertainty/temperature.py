"""Make the assignment probabilities honest with one number: q_T = softmax(log q / T).

Source: Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks", section 4.2. A
temperature above 1 flattens an over-confident assignment, one below 1 sharpens. No cluster assignment changes.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.uncertainty.ensemble import align

BOUNDS = (1e-2, 1e2)
"""Temperatures that are searched."""


def scale(log_q: ArrayLike, temperature: float) -> NDArray[np.floating]:
    """log softmax(log q / T) of each row.

    Args:
        log_q: shape (n, K) or (M, n, K), log-probabilities (nats) or logits of the clusters, finite.
        temperature: T > 0.

    Returns:
        Log-probabilities of the shape and floating type of `log_q`.

    Raises:
        InputError: T is not a finite number above 0, or `log_q` is empty or not finite.
    """
    if not 0 < temperature < math.inf:
        raise InputError(f"temperature must be a finite number above 0, got {temperature}.")
    logits = _check_log_q(log_q)
    with np.errstate(over="ignore"):  # a probability of 0
        return _log_softmax(logits.astype(np.float64), float(temperature)).astype(logits.dtype)


def checked_temperature(value: Any) -> float:
    """T as a file holds it, of whom it may be.

    Raises:
        ValueError: not a number among those that are searched.
    """
    if type(value) not in (int, float) or not BOUNDS[0] <= value <= BOUNDS[1]:
        raise ValueError("its temperature is no number from 0.01 to 100")
    return float(value)


def fit_temperature(log_q: ArrayLike, labels: ArrayLike) -> float | None:
    """Find the T under which known labels are most likely: least mean negative log-likelihood of q_T.

    The likelihood is log-concave in 1 / T, so there is one best T, where the mean of log q at the label equals
    the mean of log q expected under q_T. Labels that chose the model or matched its clusters make it look better
    than it is. Few labels leave T uncertain; fits to resampled ones show how much.

    Args:
        log_q: shape (n, K) or (M, n, K) for M models that share one T; log-probabilities or logits, finite.
        labels: shape (n,) or (M, n), the cluster that each sample belongs to, that is its class after classes
            were matched to clusters; -1 where unknown, which is ignored.

    Returns:
        None when the best T is not inside 1e-2 to 1e2. This is so when every label is the most probable cluster,
        as can happen with few labels: any T is beaten by a smaller one. And when the labels agree with q no better
        than chance, or all clusters are equally probable.

    Raises:
        InputError: the shapes do not fit, a label is no cluster or none is known, or `log_q` is not finite.
    """
    logits = _check_log_q(log_q)
    clusters = logits.shape[-1]
    known = _check_clusters("labels", labels, clusters)
    if known.shape not in (logits.shape[:-1], logits.shape[-2:-1]):
        raise InputError(f"labels must have one entry per row of log_q {logits.shape}, got shape {known.shape}.")
    known = np.broadcast_to(known, logits.shape[:-1]).ravel()
    return _most_likely(logits.reshape(-1, clusters), (known[:, None] == np.arange(clusters)).astype(np.int64))


def stability_temperature(log_q: ArrayLike, votes: ArrayLike) -> float | None:
    """Find the T under which the confidence agrees best with how often others give the same cluster.

    As `fit_temperature`, with the votes as labels, so no class is needed. What that can calibrate is the
    probability that another voter agrees: a model that is sure where other seeds differ is over-confident, and T
    rises. That is the probability of being correct only if the votes on a sample spread as its true class does, that
    is if the voters together are calibrated (Jiang et al. 2022, "Assessing generalization of SGD via
    disagreement"). An error that all voters share is invisible: where all seeds merge two classes they agree, and
    the confidence stays high. Draws from one model test it by itself only: draws from q give T = 1, whatever is true.

    Args:
        log_q: shape (n, K), log-probabilities or logits, finite.
        votes: shape (S, n), the cluster of each sample according to S other seeds or stochastic draws, with the
            clusters of other seeds matched to these beforehand; -1 for no vote. Each vote counts the same.

    Returns:
        None when the best T is not inside 1e-2 to 1e2, above all when all votes are for the most probable cluster.

    Raises:
        InputError: as `fit_temperature`.
    """
    logits = _check_log_q(log_q)
    if logits.ndim != 2:
        raise InputError(f"log_q must have shape (samples, clusters), got {logits.shape}.")
    n, clusters = logits.shape
    cast = _check_clusters("votes", votes, clusters)
    if cast.ndim != 2 or cast.shape[1] != n:
        raise InputError(f"votes must have shape (voters, {n}), got {cast.shape}.")
    given = cast >= 0
    cells = np.broadcast_to(np.arange(n), cast.shape)[given] * clusters + cast[given]
    return _most_likely(logits, np.bincount(cells, minlength=n * clusters).reshape(n, clusters))


def temperatures_by_votes(log_q: ArrayLike) -> list[float | None]:
    """The temperature of every seed, fitted to the votes of the others: `stability_temperature`.

    Args:
        log_q: (S, n, K), log-probabilities of the same samples, one a seed; clusters need not be matched.

    Returns:
        None for a seed whose best T is not inside 1e-2 to 1e2; all None of one seed, which has no other.

    Raises:
        InputError: as `align`.
    """
    q = np.exp(log_q)
    if len(q) < 2:
        return [None] * len(q)
    of_others = (np.delete(align(q, own), number, axis=0).argmax(axis=2) for number, own in enumerate(q))
    return [stability_temperature(own, votes) for own, votes in zip(np.asarray(log_q), of_others, strict=True)]


def _most_likely(logits: NDArray[np.floating], counts: NDArray[np.int64]) -> float | None:
    """Find the T > 0 with the largest sum(counts * log q_T), from arrays of shape (n, K)."""
    from scipy.optimize import brentq

    exact = logits.astype(np.float64)
    total = counts.sum(axis=1, keepdims=True)
    share = counts / np.maximum(total, 1)
    # differences, not two means: where every label is the most probable cluster, none is above 0
    gaps = exact - (share * exact).sum(axis=1, keepdims=True)

    def slope(log_temperature: float) -> float:
        """d/d(1/T) of the mean negative log-likelihood; it rises with 1/T, and its root is the minimum."""
        q = np.exp(_log_softmax(exact, math.exp(log_temperature)))
        return float((total * q * gaps).sum() / total.sum())

    low, high = map(math.log, BOUNDS)
    if not slope(high) < 0 < slope(low):
        return None
    return math.exp(brentq(slope, low, high))


def _log_softmax(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Subtract the maximum before dividing, so that a small T makes -inf of other clusters only."""
    from scipy.special import log_softmax

    return log_softmax((logits - logits.max(axis=-1, keepdims=True)) / temperature, axis=-1)


def _check_log_q(log_q: ArrayLike) -> NDArray[np.floating]:
    checked = np.asarray(log_q)
    if not np.issubdtype(checked.dtype, np.floating):
        checked = checked.astype(np.float64)
    if checked.ndim not in (2, 3) or not checked.size:
        raise InputError(f"log_q must have shape (samples, clusters), not empty, got {checked.shape}.")
    if not np.isfinite(checked).all():
        raise InputError("log_q must hold finite numbers only, got NaN or infinity.")
    return checked


def _check_clusters(name: str, values: ArrayLike, clusters: int) -> NDArray[np.integer]:
    checked = np.asarray(values)
    if not np.issubdtype(checked.dtype, np.integer):
        raise InputError(f"{name} must hold whole numbers of an integer type, got {checked.dtype}.")
    if not checked.size or checked.min() < -1 or checked.max() >= clusters:
        raise InputError(f"{name} must hold clusters from 0 to {clusters - 1}, or -1, and not be empty.")
    if (checked == -1).all():
        raise InputError(f"{name} must hold at least one cluster, got -1 only.")
    return checked
