"""How stages start: random weights, k-means centroids from a trained encoder, or where the one before ended."""

import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from vaeclust_jax.compiling import quick_to_compile
from vaeclust_jax.data.moments import moments
from vaeclust_jax.errors import InputError
from vaeclust_jax.objectives.em import fit_mixture
from vaeclust_jax.objectives.mixture import CovarianceType, Mixture, e_step
from vaeclust_jax.random import normal
from vaeclust_jax.types import Heads, Info, Key, Learner, Params, Rows, State

Start = Callable[[Key, Sequence[State | None], Rows], list[State]]
"""`Stage.start`."""


def of_each_seed(start: Callable[[Key, State | None, Rows], State]) -> Start:
    """The start of one seed for all of them, which do not see each other."""
    return lambda keys, before, rows: [start(key, state, rows) for key, state in zip(keys, before, strict=True)]


def seed_from_key(key: Key) -> int:
    """A seed for libraries that take integers (scikit-learn)."""
    return int(jax.random.randint(key, (), 0, np.iinfo(np.int32).max))


def kmeans_centroids(
    key: Key, latents: Float[np.ndarray, "n l"], num_clusters: int, weight: Float[np.ndarray, " n"] | None = None
) -> Float[np.ndarray, "k l"]:
    """Centroids of scikit-learn's k-means (k-means++, 10 restarts); rows count by weight.

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
        model = KMeans(num_clusters, n_init=10, random_state=seed_from_key(key)).fit(latents, sample_weight=weight)
    return model.cluster_centers_.astype(np.float32)


# Programs are kept with their learner: fits of one config, one after the other, compile them once, and hold them once.


@lru_cache
def first_state_of(learner: Learner) -> Callable[[Key], State]:
    """`init`, compiled."""
    return jax.jit(learner.init, compiler_options=quick_to_compile())


@lru_cache
def first_shapes_of(learner: Learner) -> State:
    """Shapes and types of what `init` gives; nothing is computed."""
    return jax.eval_shape(learner.init, jax.random.key(0))


def from_scratch(learner: Learner) -> Start:
    """Random weights."""
    init = first_state_of(learner)
    return of_each_seed(lambda key, before, rows: init(key))


@lru_cache
def without_weights(learner: Learner) -> Callable[[Key], State]:
    """First states for a start that brings parameters: of those they have the shapes alone.

    What nobody asks for is not compiled, and random weights are half of what XLA compiles of a first state.
    """
    rest = jax.jit(lambda key: learner.init(key)._replace(params=None))
    return lambda key: rest(key)._replace(params=first_shapes_of(learner).params)


@lru_cache
def _refresh_of(learner: Learner) -> Callable[..., tuple[State, Info]]:
    return jax.jit(learner.end_epoch)


def carry_on(keys: Key, before: Sequence[State | None], rows: Rows) -> list[State]:
    """The states that the stage before handed on, as they are."""
    states = [state for state in before if state is not None]
    assert len(states) == len(before), "the first stage has nothing to carry on"
    return states


def with_own_weights(start: Start) -> Start:
    """As `start`, but weights that both stages have, such as beta, begin anew."""
    return lambda keys, before, rows: start(
        keys, [None if state is None else state._replace(control={}) for state in before], rows
    )


def from_kmeans(learner: Learner, heads: Heads, num_clusters: int) -> Start:
    """Networks of the stage before, centroids by k-means on the means of all training rows.

    Weights that both stages have, such as beta, go on where they were; the optimiser starts afresh.
    """

    def clusters(key: Key, before: Params, rows: Rows) -> Params:
        latents = rows.encode(heads, before)[0]
        return {"centroids": jnp.asarray(kmeans_centroids(key, latents, num_clusters, rows.weight))}

    return from_clusters(learner, clusters)


def from_centroids(learner: Learner) -> Start:
    """Networks and centroids of the stage before, the target from them; weights and optimiser as `from_kmeans`."""
    return from_clusters(learner, lambda key, before, rows: {})


def from_mixture(
    learner: Learner,
    heads: Heads,
    num_clusters: int,
    covariance_type: CovarianceType,
    params_of: Callable[[Mixture], Params],
    of_posteriors: bool = False,
    of_draws: bool = False,
) -> Start:
    """As `from_kmeans`, with a Gaussian mixture: the best of ten runs of EM on the means of all training rows.

    Args:
        learner: of the stage.
        heads: of a model with the same encoder.
        num_clusters: K.
        covariance_type: of the mixture.
        params_of: the mixture as the learner's parameters.
        of_draws: EM sees a draw of each row's posterior in place of its mean.
        of_posteriors: the components have the rows' own variances, too (`with_posteriors`), as a prior needs.
    """

    def clusters(key: Key, before: Params, rows: Rows) -> Params:
        latents, logvar = rows.encode(heads, before)
        if not np.isfinite(latents).all():
            raise FloatingPointError("latents of training rows are not finite")
        if of_draws:
            noise_key, key = jax.random.split(key)
            latents = latents + np.exp(0.5 * logvar) * np.asarray(normal(noise_key, latents.shape))
        found = latent_mixture(key, latents, num_clusters, covariance_type, rows.weight)
        return params_of(with_posteriors(found, latents, logvar, rows.weight) if of_posteriors else found)

    return from_clusters(learner, clusters)


def latent_mixture(
    key: Key,
    latents: Float[np.ndarray, "n l"],
    num_clusters: int,
    covariance_type: CovarianceType,
    weight: Float[np.ndarray, " n"] | None = None,
) -> Mixture:
    """The best of ten runs of EM; rows count by weight.

    Where float32 cannot tell the full covariance of a few latents from a singular one, their variances get a hundredth
    of the latents' deviation more.
    """
    z = jnp.asarray(latents)
    settings: Any = {"num_restarts": 10, "weight": None if weight is None else jnp.asarray(weight)}
    try:
        return fit_mixture(jax.random.clone(key), z, num_clusters, covariance_type, **settings).mixture
    except InputError:
        variance = latents.var(axis=0) if weight is None else moments(latents, 0, weight)[1] ** 2
        wider = 1e-4 * float(variance.mean())
        return fit_mixture(key, z, num_clusters, covariance_type, regularisation=wider, **settings).mixture


def with_posteriors(
    mixture: Mixture,
    mean: Float[np.ndarray, "n l"],
    logvar: Float[np.ndarray, "n l"],
    weight: Float[np.ndarray, " n"] | None = None,
) -> Mixture:
    """A diagonal mixture of codes' means as one of the codes: each component's variance and the mean of its rows' own.

    A dimension that an encoder does not use has means of next to no variance and codes of variance 1: a prior of the
    former would cost hundreds of nats, and tear clusters apart that were good.
    """
    share = np.exp(np.asarray(jax.jit(e_step)(mixture, jnp.asarray(mean))[0], np.float64))
    if weight is not None:
        share *= weight[:, np.newaxis]
    own = share.T @ np.exp(logvar.astype(np.float64)) / np.maximum(share.sum(axis=0), 1e-9)[:, np.newaxis]
    return mixture._replace(covariances=mixture.covariances + jnp.asarray(own, jnp.float32))


def from_clusters(learner: Learner, clusters: Callable[[Key, Params, Rows], Params]) -> Start:
    """Networks of the stage before; of the clusters (key, params before, training rows) -> params."""
    init, refresh = without_weights(learner), _refresh_of(learner)

    def start(key: Key, before: State | None, rows: Rows) -> State:
        assert before is not None, "clusters need a trained encoder"
        init_key, clusters_key = jax.random.split(key)
        params = {**before.params, **clusters(clusters_key, before.params, rows)}
        state = init(init_key)
        state = state._replace(params=params, control=shared_weights(state, before))
        weights = () if rows.weight is None else (jnp.asarray(rows.weight),)
        return refresh(state, rows.x, jnp.zeros((), jnp.int32), {}, *weights)[0]

    return of_each_seed(start)


def shared_weights(fresh: State, trained: State) -> dict[str, Any]:
    """`State.control`: weights that both stages have go on where they were."""
    return {name: trained.control.get(name, value) for name, value in fresh.control.items()}
