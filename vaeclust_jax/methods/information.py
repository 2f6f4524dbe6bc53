"""IMSAT: clusters that say as much as they can of the samples, and that small moves do not change.

The network's encoder, and a linear layer with K answers on its code, minimise

    L = E KL(q(x) || q(x + r)) + weight (E H(q(x)) - balance H(E q(x))),

r the move that changes a row's q most, of a length that is its own. The decoder reads the codes and passes no gradient
back: it shows clusters, and has no say in them.

Source: Hu et al., Learning Discrete Representations via Information Maximizing Self-Augmented Training, 2017. Unlike
the source's, these networks have no batch normalisation; E q(x) is of a batch, as there.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Literal, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.control.constant import constant
from vaeclust_jax.data.mapped import Rows as HostRows
from vaeclust_jax.data.mapped import chunks
from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.method import About, DataSpec, Method, check_at_least
from vaeclust_jax.methods.settings import check_fits, likelihood_for
from vaeclust_jax.methods.starts import Start, first_state_of
from vaeclust_jax.methods.vae import (
    first_state,
    gradient_step,
    halved_learning_rate,
    vae,
    weighted_mean,
    with_numbers,
)
from vaeclust_jax.objectives.dec import assignment_entropy
from vaeclust_jax.objectives.elbo import LIKELIHOODS
from vaeclust_jax.objectives.information import adversarial_move, instability, marginal_entropy
from vaeclust_jax.random import truncated_normal
from vaeclust_jax.training.layout import rows_of
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Batch, Heads, Info, Key, Learner, Networks, Params, Rows, Stage, State

NEIGHBOURS = 10
"""A row's move is a share of the distance to the last of so many neighbours (Hu et al. 2017, section 4.1)."""
_LOGVAR = -20.0
"""Codes are points: their variance is next to nothing."""


class Reach(NamedTuple):
    """What a row's neighbours say of how far it may be moved; a constant of the stage."""

    distance: Float[Array, " n"]
    """To its tenth neighbour among the training rows, in the units of prepared rows."""


@dataclass(frozen=True)
class InformationMax(Method):
    """IMSAT: clusters that say most of the samples, and that small adversarial moves do not change; no autoencoder.

    Example:
        >>> vc.Config(vc.InformationMax(10, epochs=100)).method.num_clusters
        10
    """

    per_cluster: ClassVar[tuple[str, ...]] = ("kernel", "bias")

    num_clusters: int
    """K, the number of clusters, all of which are used about equally often."""
    likelihood: Literal["auto", "bernoulli", "gaussian", "squared"] = "auto"
    """Of what the decoder reads off the codes. No cluster depends on it. auto: bernoulli for images (pixels in [0, 1]),
    gaussian for vectors; squared: the squared error."""
    weight: float = 0.1
    """Of the information that clusters have of samples, against how little moves change them."""
    balance: float = 4.0
    """Of the entropy of the clusters' sizes within that information: above 1 sizes are drawn to be equal."""
    radius: float = 0.25
    """How far samples are moved, as a share of the distance to their tenth neighbour."""
    epochs: int = 50
    """Epochs, all of which are run."""

    def resolved(self, data: DataSpec) -> Self:  # noqa: D102
        return replace(self, likelihood=likelihood_for(data)) if self.likelihood == "auto" else self

    def check(self, data: DataSpec) -> None:  # noqa: D102
        check_at_least(self, num_clusters=1, epochs=1)
        for name in ("weight", "balance", "radius"):
            value = getattr(self, name)
            if not 0 <= value < np.inf:
                raise InputError(f"{name} must be at least 0 and finite, got {value}")
        check_fits(data, self.num_clusters, self.likelihood)
        if data.num_samples is not None and data.num_samples <= NEIGHBOURS:
            raise InputError(f"IMSAT needs more than {NEIGHBOURS} training samples, got {data.num_samples}")

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        learner = imsat(
            about.networks,
            num_clusters=self.num_clusters,
            num_samples=about.num_samples,
            latent_dim=about.latent_dim,
            likelihood=self.likelihood,
            weight=self.weight,
            balance=self.balance,
            radius=self.radius,
            learning_rate=about.learning_rate,
        )
        return [Stage("imsat", learner, self.epochs, _from_neighbours(learner), NEVER, self)]

    def heads(self, networks: Networks) -> Heads:  # noqa: D102
        return _heads(networks, self.likelihood)

    def objective(
        self, heads: Heads, params: Params, x: HostRows, weight: Float[np.ndarray, " n"] | None = None
    ) -> float:
        """The information alone, of all rows: moves need the neighbours of each row."""
        log_q = jnp.concatenate([_log_assign(params, _encode(heads, params, rows)) for rows in chunks(x)])
        counts = jnp.ones(len(log_q)) if weight is None else jnp.asarray(weight)
        conditional = jnp.average(assignment_entropy(log_q), weights=counts)
        return float(self.weight * (conditional - self.balance * marginal_entropy(log_q, counts)))


def _encode(heads: Heads, params: Params, rows: np.ndarray) -> Array:
    assert heads.encode is not None
    return heads.encode(params, jnp.asarray(rows))[0]


def _log_assign(params: Params, z: Float[Array, "... l"]) -> Float[Array, "... k"]:
    """`Heads.assign`: a linear layer, clusters on the first axis of its kernel."""
    logits = z @ params["kernel"].T
    return jax.nn.log_softmax(logits + jax.lax.broadcast_to_rank(params["bias"], logits.ndim), axis=-1)


@lru_cache
def _heads(networks: Networks, likelihood_name: str) -> Heads:
    likelihood = LIKELIHOODS[likelihood_name]

    def encode(params: Params, x: Array) -> tuple[Array, Array]:
        mean = networks.encoder.apply(params["encoder"], x)[0]
        return mean, jnp.full_like(mean, _LOGVAR)

    def score(key: Key, params: Params, x: Array) -> Array:
        return likelihood.nll(params["likelihood"], x, networks.decoder.apply(params["decoder"], encode(params, x)[0]))

    return Heads(
        encode=encode,
        decode=lambda params, z: likelihood.mean(networks.decoder.apply(params["decoder"], z)),
        assign=_log_assign,
        score=score,
    )


def _from_neighbours(learner: Learner) -> Start:
    """Random weights, and the distance of every row to its tenth neighbour, found once for all seeds."""
    init = first_state_of(learner)

    def start(keys: Key, before: object, rows: Rows) -> list[State]:
        from vaeclust_jax.graph.neighbours import nearest  # scipy takes long to import

        x = np.asarray(rows.x[np.arange(len(rows.x))])
        reach = Reach(jnp.asarray(nearest(x.reshape(len(x), -1), NEIGHBOURS)[0][:, -1], jnp.float32))
        return [init(key)._replace(memory=reach) for key in keys]

    return start


@lru_cache
def _static(networks: Networks, likelihood_name: str) -> Learner:
    likelihood = LIKELIHOODS[likelihood_name]

    def losses(key: Key, params: Params, control: dict[str, Any], batch: Batch, distance: Array) -> tuple[Array, Info]:
        def log_assign(x: Array) -> Array:
            return _log_assign(params, networks.encoder.apply(params["encoder"], x)[0])

        z = networks.encoder.apply(params["encoder"], batch.x)[0]
        log_q = _log_assign(params, z)
        there = batch.weight > 0
        distance = jnp.where(there, distance, 0.0)
        moved = batch.x + adversarial_move(key, log_assign, batch.x, control["radius"].value * distance)
        parts = {
            "instability": weighted_mean(instability(log_assign, log_q, moved), batch.weight),
            "conditional": weighted_mean(assignment_entropy(log_q), batch.weight),
            "marginal": marginal_entropy(jnp.where(there[:, None], log_q, 0.0), batch.weight),
        }
        information = parts["conditional"] - control["balance"].value * parts["marginal"]
        loss = parts["instability"] + control["weight"].value * information
        output = networks.decoder.apply(params["decoder"], jax.lax.stop_gradient(z))
        parts["reconstruction"] = weighted_mean(likelihood.nll(params["likelihood"], batch.x, output), batch.weight)
        return loss + parts["reconstruction"], {"loss": loss, **parts}

    def step_loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, Info]:
        return losses(key, params, state.control, batch, rows_of(state.memory.distance, batch.index))

    def evaluate(key: Key, state: State, batch: Batch) -> Info:
        """Rows that are held out are moved as far as training rows are in the mean."""
        distance = jnp.full(batch.x.shape[0], state.memory.distance.mean())
        return losses(key, state.params, state.control, batch, distance)[1]

    first = vae(networks, likelihood=likelihood_name, deterministic=True).init
    return Learner(init=first, step=gradient_step(step_loss), evaluate=evaluate, gentler=halved_learning_rate)


@lru_cache
def imsat(
    networks: Networks,
    *,
    num_clusters: int,
    num_samples: int,
    latent_dim: int,
    likelihood: str = "bernoulli",
    weight: float = 0.1,
    balance: float = 4.0,
    radius: float = 0.25,
    learning_rate: float = 1e-3,
) -> Learner:
    """IMSAT as a `Learner`.

    Args:
        networks: whose encoder's mean is the code.
        num_clusters: K.
        num_samples: n, the number of training rows.
        latent_dim: L.
        likelihood: of what the decoder reads off codes.
        weight: lambda of the source, of the information.
        balance: mu of the source, of the entropy of clusters' sizes.
        radius: of the moves, a share of the distance to the tenth neighbour.
        learning_rate: Adam's.

    `init` has distances of 0, which move nothing; the stage's start measures them.
    """
    static = _static(networks, likelihood)
    numbers = {"weight": constant(weight), "balance": constant(balance), "radius": constant(radius)}

    def init(key: Key) -> State:
        params_key, kernel_key = jax.random.split(key)
        params = {
            **static.init(params_key).params,
            "kernel": truncated_normal(kernel_key, (num_clusters, latent_dim), 1 / latent_dim),
            "bias": jnp.zeros(num_clusters),
        }
        return with_numbers(first_state(params, Reach(jnp.zeros(num_samples))), learning_rate, **numbers)

    return static._replace(init=init)
