"""How many clusters do vectors have? Answers that read no label, over a range of numbers.

- BIC of a Gaussian mixture with full covariances (Schwarz 1978), lowest: how many Gaussians describe the density. A
  cluster that is no Gaussian counts as several.
- Stability (after Ben-Hur, Elisseeff and Guyon 2002): do clusterings of the vectors of different seeds agree on the
  samples? Few clusters often do, so it is the largest number that is within 0.02 of the most stable one.
- Silhouette (Rousseeuw 1987), highest: how much nearer is the own cluster than the next one?
- Gap (Tibshirani, Walther and Hastie 2001): the smallest number whose dispersion, against that of samples spread
  evenly, is within a standard error of the next one's.
- Layers, longest, where a graph of the vectors is merged: over what factor of heights does the tree have so many
  clusters (as HDBSCAN asks of each cluster, Campello, Moulavi and Sander 2013)?

Stability, silhouette and gap are of k-means; BIC, silhouette and gap are of the first seed's vectors. But for layers,
all is scikit-learn's: a number of clusters is a shape, and each would compile anew.
"""

import warnings
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.checks import is_whole
from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics.clustering import check_latents, silhouette_of

MAX_SAMPLES = 5000
"""More are thinned out at random: the answers are of shapes, not of counts, and time grows with them."""
_RESTARTS = 3
_REFERENCES = 10  # of evenly spread samples
_REGULARISATION = 1e-6  # of the mean variance
_AS_STABLE = 0.02


class NumClusters(NamedTuple):
    """Criteria by number of clusters, and what each of them says.

    Attributes:
        candidates: K, ascending.
        bic: nats times two, lower is better.
        stability: mean adjusted Rand index between seeds, at most 1.
        silhouette: in [-1, 1], higher is better.
        gap: nats, see above.
        gap_error: its standard error.
        layers: log of the factor, see above; None where there is no graph.
        best: by criterion, the number it says.
    """

    candidates: list[int]
    bic: list[float]
    stability: list[float]
    silhouette: list[float]
    gap: list[float]
    gap_error: list[float]
    best: dict[str, int]
    layers: list[float] | None = None


def num_clusters_curve(
    seeds: Sequence[Float[np.ndarray, "n l"]],
    candidates: Sequence[int],
    seed: int,
    layers: Sequence[Float[np.ndarray, " c"]] = (),
) -> NumClusters:
    """All criteria over the candidates.

    Args:
        seeds: of two seeds or more, finite vectors of the same samples.
        candidates: see `check_candidates`.
        seed: of starts and references.
        layers: of trees, how long 2, 3, ... clusters last (`graph.tree.layers_of`); they are averaged. None where
            there is no graph.

    Raises:
        InputError: vectors or candidates that cannot be used.
    """
    vectors = [check_latents("seeds", z).astype(np.float64) for z in seeds]
    lengths = {len(z) for z in vectors}
    if len(vectors) < 2 or len(lengths) > 1:
        raise InputError(
            f"vectors must be of the same samples and of at least two seeds, "
            f"got {len(vectors)} of {sorted(lengths)} samples"
        )
    numbers = check_candidates(candidates, lengths.pop())
    rng = np.random.default_rng(seed)
    if len(vectors[0]) > MAX_SAMPLES:
        rows = rng.choice(len(vectors[0]), MAX_SAMPLES, replace=False)
        vectors = [z[rows] for z in vectors]
    z = vectors[0]
    import sklearn.cluster  # noqa: F401  # before the limit, which is of what is loaded
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no convergence, or fewer distinct points than clusters: the curve shows it
        fits = [_kmeans(z, k, seed) for k in numbers]
        bic = [_bic(z, k, seed) for k in numbers]
        others = [[_kmeans(other, k, seed)[0] for other in vectors[1:]] for k in numbers]
        stability = [_agreement([own, *rest]) for (own, _), rest in zip(fits, others, strict=True)]
        references = [_spread_evenly(rng, z) for _ in range(_REFERENCES)]
        expected = np.array([[np.log(_kmeans(r, k, seed)[1]) for k in numbers] for r in references])
        silhouette = [_silhouette(z, labels, seed) for labels, _ in fits]
    gap = expected.mean(axis=0) - np.log([inertia for _, inertia in fits])
    error = expected.std(axis=0) * np.sqrt(1 + 1 / _REFERENCES)
    best = {
        "bic": numbers[int(np.argmin(bic))],
        "stability": max(
            k for k, value in zip(numbers, stability, strict=True) if value >= max(stability) - _AS_STABLE
        ),
        "silhouette": numbers[int(np.argmax(silhouette))],
        "gap": numbers[_first_within(gap, error)],
    }
    lasting = [float(np.mean([_lasts(one, k) for one in layers])) for k in numbers] if layers else None
    if lasting is not None:
        best["layers"] = numbers[int(np.argmax(lasting))]
    return NumClusters(numbers, bic, stability, silhouette, gap.tolist(), error.tolist(), best, lasting)


def check_candidates(candidates: Sequence[int], num_samples: int) -> list[int]:
    """Numbers of clusters to try, ascending.

    Raises:
        InputError: not at least two whole numbers from 2, all below half the number of samples.
    """
    numbers = list(candidates)
    if all(map(is_whole, numbers)):
        numbers = sorted(set(numbers))
        if len(numbers) >= 2 and numbers[0] >= 2 and 2 * numbers[-1] < num_samples:
            return numbers
    raise InputError(
        f"candidates must be at least two whole numbers from 2, below half of the {num_samples} samples, got {numbers}"
    )


def _lasts(layers: Float[np.ndarray, " c"], k: int) -> float:
    """How long k clusters last; 0 of more than there are to merge."""
    return float(layers[k - 2]) if k - 2 < len(layers) else 0.0


def _kmeans(z: np.ndarray, k: int, seed: int) -> tuple[Int[np.ndarray, " n"], float]:
    from sklearn.cluster import KMeans

    found = KMeans(k, n_init=_RESTARTS, random_state=seed).fit(z)
    return found.labels_, max(float(found.inertia_), np.finfo(float).tiny)  # 0 of duplicates, and it has a logarithm


def _bic(z: np.ndarray, k: int, seed: int) -> float:
    from sklearn.mixture import GaussianMixture

    ridge = max(_REGULARISATION * float(z.var(axis=0).mean()), np.finfo(float).tiny)
    return float(GaussianMixture(k, n_init=_RESTARTS, reg_covar=ridge, random_state=seed).fit(z).bic(z))


def _silhouette(z: np.ndarray, labels: np.ndarray, seed: int) -> float:
    found = silhouette_of(labels, z, seed)
    return -1.0 if found is None else found


def _agreement(labels: Sequence[np.ndarray]) -> float:
    from sklearn.metrics import adjusted_rand_score

    return float(np.mean([adjusted_rand_score(one, other) for one, other in combinations(labels, 2)]))


def _spread_evenly(rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
    """As many samples, uniform over a box along the principal axes of z."""
    centre = z.mean(axis=0)
    _, _, axes = np.linalg.svd(z - centre, full_matrices=False)
    turned = (z - centre) @ axes.T
    return rng.uniform(turned.min(axis=0), turned.max(axis=0), turned.shape) @ axes + centre


def _first_within(gap: np.ndarray, error: np.ndarray) -> int:
    """The first position whose gap is at least the next one's less its error; the last one, if there is none."""
    within = gap[:-1] >= gap[1:] - error[1:]
    return int(np.argmax(within)) if within.any() else len(gap) - 1
