"""VaDE's loss as the learner computes it, networks included: its parts against integrals, the whole against log p."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from tests.objectives.test_vade import log_prior
from vaeclust_jax import networks
from vaeclust_jax.methods.vade_learner import params_of, prior_of, vade, vade_heads
from vaeclust_jax.objectives.vade import Prior
from vaeclust_jax.types import Batch, Info, Learner, Network, Networks, State

N, K, L, F = 64, 3, 2, 8
BATCHES, COPIES = 25, 2000
DRAWS = BATCHES * COPIES
MLP = networks.MLP(latent_dim=L, hidden=(8,)).build((F,))
HEADS = vade_heads(MLP, "bernoulli")

both = pytest.mark.parametrize("q_from", ["mean", "sample"])


class Mean(NamedTuple):
    """Averages of independent draws, and their standard errors."""

    value: np.ndarray
    error: np.ndarray


def mean_of(draws: np.ndarray) -> Mean:
    draws = np.asarray(draws, np.float64)
    return Mean(draws.mean(axis=0), draws.std(axis=0, ddof=1) / np.sqrt(len(draws)))


def parts_of(learner: Learner, state: State, x: np.ndarray) -> dict[str, Mean]:
    """The learner's loss parts of every row of x, averaged over its noise."""

    def evaluate(key: jax.Array, row: jax.Array) -> Info:
        copies = jnp.broadcast_to(row, (COPIES, F))
        return learner.evaluate(key, state, Batch(copies, None, jnp.zeros(COPIES, int), jnp.ones(COPIES)))

    keys = jax.random.split(jax.random.key(1), (BATCHES, len(x)))
    found = jax.jit(jax.vmap(jax.vmap(evaluate), (0, None)))(keys, jnp.asarray(x, jnp.float32))
    return {name: mean_of(values) for name, values in found.items()}


def check_equal(found: Mean, expected: Mean) -> None:
    """Within 3 standard errors, and rounding."""
    assert (abs(found.value - expected.value) < 3 * np.hypot(found.error, expected.error) + 1e-5).all()


def patterns() -> np.ndarray:
    """Binary vectors (N, F) of three kinds, with some bits flipped."""
    rng = np.random.default_rng(0)
    kinds = np.array([[1, 1, 1, 0, 0, 0, 1, 0], [0, 0, 1, 1, 1, 0, 0, 1], [1, 0, 0, 0, 1, 1, 0, 0]])
    return kinds[np.arange(N) % 3] ^ (rng.random((N, F)) < 0.1)


def learner_of(q_from: str, networks: Networks = MLP, num_clusters: int = K, likelihood: str = "bernoulli") -> Learner:
    return vade(
        networks,
        num_clusters=num_clusters,
        num_samples=N,
        latent_dim=L,
        likelihood=likelihood,
        q_from=q_from,
        learning_rate=1e-2,
    )


@pytest.fixture(scope="module")
def trained() -> State:
    """A Bernoulli model of the patterns, its bound near log p(x); the mixture stays, so that clusters stay apart."""
    learner = learner_of("mean")
    means, logvars = [[2.0, 0.0], [-1.0, 1.5], [-1.0, -1.0]], [[-1.0, 0.0], [-0.5, -1.5], [0.0, -0.5]]
    prior = params_of(Prior(*map(jnp.array, ([0.5, 0.0, -0.5], means, logvars))))
    batch = Batch(jnp.asarray(patterns(), jnp.float32), None, jnp.arange(N), jnp.ones(N))

    def step(state: State, key: jax.Array) -> tuple[State, None]:
        moved, _ = learner.step(key, state._replace(params={**state.params, **prior}), batch)
        return moved._replace(params={**moved.params, **prior}), None

    keys = jax.random.split(jax.random.key(2), 500)
    return jax.jit(lambda state: jax.lax.scan(step, state, keys)[0])(learner.init(jax.random.key(0)))


def log_likelihood(state: State, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """log p(x | z) of Bernoulli bits; z (..., L), x (..., F)."""
    p = np.asarray(HEADS.decode(state.params, z.reshape(-1, L)), np.float64).reshape(*z.shape[:-1], F)
    return stats.bernoulli.logpmf(x, p).sum(axis=-1)


@pytest.mark.long
@both
def test_every_part_is_its_integral(trained: State, q_from: str) -> None:
    """Codes and clusters are drawn from q(z, c | x): every expectation in the bound by Monte Carlo."""
    learner, prior, x = learner_of(q_from), prior_of(trained.params), patterns()[:5]
    mean, logvar = (np.asarray(part, np.float64) for part in HEADS.encode(trained.params, jnp.asarray(x)))
    rng = np.random.default_rng(4)
    z, other = mean + np.exp(logvar / 2) * rng.normal(size=(2, DRAWS, len(x), L))

    # Given x, code and cluster are independent: a cluster from a sample is that of another code.
    joint = log_prior(prior, other if q_from == "sample" else np.broadcast_to(mean, other.shape))
    log_q = joint - special.logsumexp(joint, axis=-1, keepdims=True)
    c = (log_q + rng.gumbel(size=log_q.shape)).argmax(axis=-1)[..., None]
    log_weights = special.log_softmax(np.asarray(prior.logits, np.float64))
    cluster = np.take_along_axis(log_q - log_weights, c, axis=-1)[..., 0]
    code = stats.norm.logpdf(z, mean, np.exp(logvar / 2)).sum(axis=-1)
    code -= np.take_along_axis(log_prior(prior, z) - log_weights, c, axis=-1)[..., 0]

    found = parts_of(learner, trained, x)
    check_equal(found["reconstruction"], mean_of(-log_likelihood(trained, x, z)))
    check_equal(found["cluster"], mean_of(cluster))
    check_equal(found["kl"], mean_of(code + cluster))


@both
def test_the_loss_bounds_the_log_probability(trained: State, q_from: str) -> None:
    """log p(x) by importance sampling; draws of the prior miss nothing, wherever the encoder looks."""
    learner, prior, x = learner_of(q_from), prior_of(trained.params), patterns()[:5]
    rng = np.random.default_rng(0)
    c = rng.choice(K, DRAWS, p=special.softmax(np.asarray(prior.logits, np.float64)))
    z = rng.normal(np.asarray(prior.means)[c], np.exp(np.asarray(prior.logvars) / 2)[c])
    p = mean_of(np.exp(np.stack([log_likelihood(trained, row, z) for row in x], axis=1)))
    loss = parts_of(learner, trained, x)["loss"]
    gap, error = loss.value + np.log(p.value), np.hypot(loss.error, p.error / p.value)
    assert (gap > -3 * error).all()
    assert np.median(gap) < 0.5  # nats: too near for half a part to be left out


def _encode(params: dict[str, jax.Array], x: jax.Array) -> tuple[jax.Array, jax.Array]:
    mean = x @ params["w"] + params["b"]
    return mean, jnp.broadcast_to(params["logvar"], mean.shape)


def test_the_bound_is_tight_at_the_exact_posterior() -> None:
    """x | z ~ N(z W, noise^2), the rows of W orthogonal; a second cluster so far away that q(c | x) is sure."""
    rng = np.random.default_rng(0)
    w = np.array([[2.0], [0.5]]) * np.linalg.qr(rng.normal(size=(F, L)))[0].T
    means, variances = np.array([[1.0, -2.0], [60.0, 60.0]]), np.array([[0.5, 2.0], [1.0, 1.0]])
    weights, noise = np.array([0.3, 0.7]), 0.7
    x = means[0] @ w + rng.normal(size=(5, F))
    precision = np.square(w).sum(axis=1) / noise**2 + 1 / variances[0]
    posterior = {
        "w": w.T / noise**2 / precision,
        "b": means[0] / variances[0] / precision,
        "logvar": -np.log(precision),
    }
    params = {
        "encoder": posterior,
        "decoder": {"w": w},
        "likelihood": {"log_std": np.log(noise)},
        **params_of(Prior(np.log(weights), means, np.log(variances))),
    }
    networks = Networks(Network(lambda key: {}, _encode), Network(lambda key: {}, lambda params, z: z @ params["w"]))
    learner = learner_of("mean", networks, 2, "gaussian")
    state = learner.init(jax.random.key(0))
    loss = parts_of(learner, state._replace(params=jax.tree.map(jnp.float32, params)), x)["loss"]

    evidence = special.logsumexp(
        [
            np.log(weight) + stats.multivariate_normal(mean @ w, w.T * variance @ w + noise**2 * np.eye(F)).logpdf(x)
            for weight, mean, variance in zip(weights, means, variances, strict=True)
        ],
        axis=0,
    )
    check_equal(loss, Mean(-evidence, np.zeros(5)))
    assert (loss.error < 0.01).all()
