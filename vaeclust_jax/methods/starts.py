"""How stages start: random weights, k-means centroids from a trained encoder, or where the one before ended."""

import warnings
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.errors import InputError
from vaeclust_jax.objectives.em import fit_mixture
from vaeclust_jax.objectives.mixture import CovarianceType, Mixture, e_step
from vaeclust_jax.training.rows import encode_rows
from vaeclust_jax.types import Key, Learner, Params, State

Start = Callable[[Key, State | None, Array], State]


def seed_from_key(key: Key) -> int:
    """A seed for libraries that take integers (scikit-learn)."""
    return int(jax.random.randint(key, (), 0, np.iinfo(np.int32).max))


def kmeans_centroids(key: Key, latents: Float[np.ndarray, "n l"], num_clusters: int) -> Float[np.ndarray, "k l"]:
    """Centroids of scikit-learn's k-means (k-means++, 10 restarts).

    On one thread: its float sums depend on the order of threads, and the same key must give the same bits.

    Raises:
        FloatingPointError: latents are not finite.
    """
    if not np.isfinite(latents).all():  # the last step of the stage before overflowed
        raise FloatingPointError("latents of training rows are not finite")
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of fewer distinct points: empty clusters are counted
        model = KMeans(num_clusters, n_init=10, random_state=seed_from_key(key)).fit(latents)
    return model.cluster_centers_.astype(np.float32)


def from_scratch(learner: Learner) -> Start:
    """Random weights."""
    return lambda key, before, x: learner.init(key)


def carry_on(key: Key, before: State | None, x: Array) -> State:
    """The state that the stage before handed on, as it is."""
    assert before is not None, "the first stage has nothing to carry on"
    return before


def with_own_weights(start: Start) -> Start:
    """As `start`, but weights that both stages have, such as beta, begin anew."""
    return lambda key, before, x: start(key, None if before is None else before._replace(control={}), x)


def from_kmeans(learner: Learner, num_clusters: int) -> Start:
    """Networks of the stage before, centroids by k-means on the means of all training rows, the target from them.

    Weights that both stages have, such as beta, go on where they were; the optimiser starts afresh.
    """

    def clusters(key: Key, before: Params, x: Array) -> Params:
        return {"centroids": jnp.asarray(kmeans_centroids(key, encode_rows(learner, before, x)[0], num_clusters))}

    return from_clusters(learner, clusters)


def from_mixture(
    learner: Learner,
    num_clusters: int,
    covariance_type: CovarianceType,
    params_of: Callable[[Mixture], Params],
    of_posteriors: bool = False,
) -> Start:
    """As `from_kmeans`, with a Gaussian mixture: the best of ten runs of EM on the means of all training rows.

    Args:
        learner: of the stage.
        num_clusters: K.
        covariance_type: of the mixture.
        params_of: the mixture as the learner's parameters.
        of_posteriors: the components have the rows' own variances, too (`with_posteriors`), as a prior needs.
    """

    def clusters(key: Key, before: Params, x: Array) -> Params:
        latents, logvar = encode_rows(learner, before, x)
        if not np.isfinite(latents).all():
            raise FloatingPointError("latents of training rows are not finite")
        found = latent_mixture(key, latents, num_clusters, covariance_type)
        return params_of(with_posteriors(found, latents, logvar) if of_posteriors else found)

    return from_clusters(learner, clusters)


def latent_mixture(
    key: Key, latents: Float[np.ndarray, "n l"], num_clusters: int, covariance_type: CovarianceType
) -> Mixture:
    """The best of ten runs of EM.

    Where float32 cannot tell the full covariance of a few latents from a singular one, their variances get a hundredth
    of the latents' deviation more.
    """
    z = jnp.asarray(latents)
    try:
        return fit_mixture(key, z, num_clusters, covariance_type, num_restarts=10).mixture
    except InputError:
        wider = 1e-4 * float(latents.var(axis=0).mean())
        return fit_mixture(key, z, num_clusters, covariance_type, num_restarts=10, regularisation=wider).mixture


def with_posteriors(mixture: Mixture, mean: Float[np.ndarray, "n l"], logvar: Float[np.ndarray, "n l"]) -> Mixture:
    """A diagonal mixture of codes' means as one of the codes: each component's variance and the mean of its rows' own.

    A dimension that an encoder does not use has means of next to no variance and codes of variance 1: a prior of the
    former would cost hundreds of nats, and tear clusters apart that were good.
    """
    share = np.exp(np.asarray(e_step(mixture, jnp.asarray(mean))[0], np.float64))
    own = share.T @ np.exp(logvar.astype(np.float64)) / np.maximum(share.sum(axis=0), 1e-9)[:, np.newaxis]
    return mixture._replace(covariances=mixture.covariances + jnp.asarray(own, jnp.float32))


def from_clusters(learner: Learner, clusters: Callable[[Key, Params, Array], Params]) -> Start:
    """Networks of the stage before; of the clusters (key, params before, all training rows) -> params."""
    refresh = jax.jit(learner.end_epoch)

    def start(key: Key, before: State | None, x: Float[Array, "n ..."]) -> State:
        assert before is not None, "clusters need a trained encoder"
        init_key, clusters_key = jax.random.split(key)
        params = {**before.params, **clusters(clusters_key, before.params, x)}
        state = learner.init(init_key)
        shared = {name: before.control.get(name, fresh) for name, fresh in state.control.items()}
        return refresh(state._replace(params=params, control=shared), x, jnp.zeros((), jnp.int32), {})[0]

    return start
