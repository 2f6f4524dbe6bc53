"""M1: EM for mixtures of Gaussians, and M2: k-means, with ten restarts each, against scikit-learn.

scikit-learn runs on one thread and on all of them: which is faster depends on the machine, and the fastest counts.
Both get the same float32 samples, the same criterion of convergence and, where a row says so, the same starts.
"""

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.cluster import KMeans as PeerKMeans
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from benchmarks.case import Case, Effort, Row
from benchmarks.fastest import OURS, against_fastest
from benchmarks.timing import measure
from vaeclust_jax.objectives.em import MixtureFit, em_from, fit_mixture
from vaeclust_jax.objectives.kmeans import KMeans, kmeans, lloyd, plus_plus
from vaeclust_jax.objectives.mixture import Mixture, m_step

RESTARTS = 10
LIKELIHOOD, INERTIA = 1e-5, 1e-4
"""What a result from the same start may differ by, relative to the peer's."""


def overlapping_blobs(n: int, num_features: int, num_clusters: int) -> np.ndarray:
    """(n, l) float32 of clusters with covariances of their own, near enough for EM to take tens of steps."""
    rng = np.random.default_rng(0)
    centres = 1.2 * rng.normal(size=(num_clusters, num_features))
    roots = 0.35 * rng.normal(size=(num_clusters, num_features, num_features)) + 0.5 * np.eye(num_features)
    labels = rng.integers(0, num_clusters, n)
    noise = np.einsum("nij,nj->ni", roots[labels], rng.normal(size=(n, num_features)))
    return (centres[labels] + noise).astype(np.float32)


def check_mixtures(ours: MixtureFit, peers: list[GaussianMixture]) -> None:
    """Holds mixtures from the same starts against each other, ours stacked.

    Raises:
        AssertionError: another likelihood or number of steps.
    """
    bounds = np.asarray(ours.history)[:, -1]
    expected = np.array([peer.lower_bound_ for peer in peers])
    assert np.allclose(bounds, expected, rtol=LIKELIHOOD), f"likelihoods must be {expected}, got {bounds}"
    steps = [peer.n_iter_ for peer in peers]
    assert np.abs(ours.iterations - np.array(steps)).max() <= 1, f"steps must be {steps}, got {ours.iterations}"


def check_inertia(ours: np.ndarray, peers: np.ndarray) -> None:
    """Holds sums of squares from the same starts against each other.

    Raises:
        AssertionError: they differ.
    """
    assert np.allclose(ours, peers, rtol=INERTIA), f"inertia must be {peers}, got {ours}"


def _by_threads(fit: Callable[[], Any]) -> dict[str, Callable[[], Any]]:
    """The same on one thread and on all."""

    def limited(threads: int | None) -> Any:
        with threadpool_limits(threads), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # not converged, in a smoke run
            return fit()

    return {"scikit-learn, one thread": partial(limited, 1), "scikit-learn, all threads": partial(limited, None)}


def _mixture_rows(effort: Effort) -> Iterator[Row]:
    # Among fewer samples a component has no more than features, and float32 decides where EM ends.
    n, l, k = (2000 if effort.smoke else 6000 if effort.name == "quick" else 60_000), 8, 10  # noqa: E741
    x = overlapping_blobs(n, l, k)
    what, repetitions = (
        f"EM, full covariances, {n} x {l}, K = {k}, {RESTARTS} restarts",
        max(1, effort.repetitions // 3),
    )
    starts = _starts(jnp.asarray(x), k)
    from_starts = jax.jit(lambda starts, x: jax.lax.map(lambda start: em_from(start, x), starts))
    peers = _by_threads(lambda: [_peer_mixture(start).fit(x) for start in _unstacked(starts)])
    found, expected = from_starts(starts, x), next(iter(peers.values()))()
    check_mixtures(found, expected)
    yield against_fastest(
        measure({OURS: lambda: from_starts(starts, x), **peers}, repetitions),
        case="M1",
        what=f"{what}, from the same starts",
        unit="s",
        target=5.0,
        note=f"{int(found.iterations.sum())} steps in all",
    )
    peer = GaussianMixture(k, n_init=RESTARTS, random_state=0)
    ours = partial(fit_mixture, jax.random.key(0), jnp.asarray(x), k, num_restarts=RESTARTS)
    yield against_fastest(
        measure({OURS: ours, **_by_threads(lambda: peer.fit(x))}, repetitions),
        case="M1",
        what=f"{what}, k-means starts of their own included",
        unit="s",
        target=5.0,
        note=f"mean log-likelihood {float(ours().log_likelihood):.4f}, the peer's {peer.score(x):.4f} nats",
    )


def _starts(x: jax.Array, k: int) -> Mixture:
    """Mixtures from single runs of k-means, stacked."""

    def start(key: jax.Array) -> Mixture:
        labels = kmeans(key, x, k, num_restarts=1).labels
        return m_step(jnp.log(jax.nn.one_hot(labels, k, dtype=x.dtype)), x)

    return jax.lax.map(start, jax.random.split(jax.random.key(0), RESTARTS))


def _unstacked(starts: Mixture) -> list[Mixture]:
    return [Mixture(*parts) for parts in zip(*map(np.asarray, starts), strict=True)]


def _peer_mixture(start: Mixture) -> GaussianMixture:
    weights = np.exp(start.log_weights)
    precisions = np.linalg.inv(start.covariances.astype(float))
    return GaussianMixture(
        len(weights),
        weights_init=weights / weights.sum(),
        means_init=start.means,
        precisions_init=((precisions + precisions.transpose(0, 2, 1)) / 2).astype(start.means.dtype),
    )


def _kmeans_rows(effort: Effort) -> Iterator[Row]:
    large = 600 if effort.smoke else 6000 if effort.name == "quick" else 60_000
    for n, l, k in ((large, 10, 10), (600 if effort.smoke else 1440, 10, 20)):  # noqa: E741
        x = jnp.asarray(overlapping_blobs(n, l, k))
        rows, what = np.asarray(x), f"k-means, {n} x {l}, K = {k}, {RESTARTS} restarts"
        starts = jax.vmap(lambda key, x=x, k=k: plus_plus(key, x, k))(jax.random.split(jax.random.key(0), RESTARTS))
        from_starts = jax.jit(lambda starts, x: jax.lax.map(lambda start: lloyd(start, x), starts))
        peers = _by_threads(partial(_peer_from, np.asarray(starts), rows))
        found: KMeans = from_starts(starts, x)
        check_inertia(np.asarray(found.inertia), np.array([run.inertia_ for run in next(iter(peers.values()))()]))
        yield against_fastest(
            measure({OURS: partial(from_starts, starts, x), **peers}, effort.repetitions),
            case="M2",
            what=f"{what}, from the same starts",
            unit="ms",
            target=1.0,
            note=f"{int(found.iterations.sum())} iterations in all",
        )
        peer = PeerKMeans(k, n_init=RESTARTS, random_state=0)
        ours = partial(kmeans, jax.random.key(0), x, k, RESTARTS)
        yield against_fastest(
            measure({OURS: ours, **_by_threads(partial(peer.fit, rows))}, effort.repetitions),
            case="M2",
            what=f"{what}, k-means++ included",
            unit="ms",
            target=1.0,
            note=f"inertia {float(ours().inertia):.5g}, the peer's {peer.inertia_:.5g}",
        )


def _peer_from(starts: np.ndarray, x: np.ndarray) -> list[PeerKMeans]:
    return [PeerKMeans(len(start), init=start, n_init=1).fit(x) for start in starts]


CASES = [
    Case("M1", "mixtures of Gaussians by EM, against scikit-learn", _mixture_rows, in_quick=False),
    Case("M2", "k-means, against scikit-learn", _kmeans_rows, in_quick=False),
]
