"""VAE + DEC that follows a graph: L = reconstruction + beta KL + gamma KL(P || Q), P from what neighbours agree on.

Q has several Student-t prototypes a cluster (`objectives.dec.log_prototype_assignment`); P is DEC's sharpening of q
spread over the neighbour graph of the posterior (`graph`, `objectives.propagation`), which stays as it was when the
stage began.
"""

from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from vaeclust_jax.control.constant import as_controller
from vaeclust_jax.control.controller import Update, advancing
from vaeclust_jax.methods.refresh import Assigned, map_chunks, share_changed
from vaeclust_jax.methods.vae import (
    first_state,
    gradient_step,
    halved_learning_rate,
    vae,
    vae_losses,
    weighted_mean,
    with_numbers,
)
from vaeclust_jax.objectives.dec import kl_divergence, log_prototype_assignment, target_distribution
from vaeclust_jax.objectives.elbo import LIKELIHOODS
from vaeclust_jax.objectives.propagation import propagate
from vaeclust_jax.random import normal
from vaeclust_jax.types import Batch, Controller, Info, Key, Learner, Networks, Params, State

EDGES_KEPT = 48
"""Of each point, the strongest: the others weigh next to nothing, and rows of one width are one gather."""


class GraphTarget(NamedTuple):
    """Constants for the gradient: the target of all training rows, and the graph that it comes from."""

    p: Float[Array, "n k"]
    assigned: Assigned
    """By q at the last refresh."""
    neighbours: Int[Array, "n d"]
    weights: Float[Array, "n d"]
    """Rows sum to one."""


def spread(target: GraphTarget, log_q: Float[Array, "n k"]) -> GraphTarget:
    """The target after q was spread over the graph."""
    agreed = propagate(jnp.exp(log_q), target.neighbours, target.weights)
    p = target_distribution(jnp.log(jnp.maximum(agreed, jnp.finfo(agreed.dtype).tiny)))
    return target._replace(p=p, assigned=share_changed(target.assigned, log_q))


@lru_cache
def _static(
    networks: Networks,
    likelihood_name: str,
    degrees: float,
    update_target_interval: int,
    update_beta: Update,
    update_gamma: Update,
) -> Learner:
    likelihood = LIKELIHOODS[likelihood_name]

    def log_assign(params: Params, z: Array) -> Array:
        return log_prototype_assignment(z, params["prototypes"], jnp.exp(params["log_scale"]), degrees)

    def loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, Info]:
        codes, parts = vae_losses(networks, likelihood, False, key, params, batch)
        p = jax.lax.stop_gradient(state.target.p[batch.index])
        parts["cluster"] = weighted_mean(kl_divergence(p, log_assign(params, codes.mean)), batch.weight)
        vae_loss = parts["reconstruction"] + state.control["beta"].value * parts["kl"]
        total = vae_loss + state.control["gamma"].value * parts["cluster"]
        return total, {"loss": total, **parts, "vae_loss": vae_loss}

    def evaluate(key: Key, state: State, batch: Batch) -> Info:
        _, parts = vae_losses(networks, likelihood, False, key, state.params, batch)
        return {**parts, "vae_loss": parts["reconstruction"] + state.control["beta"].value * parts["kl"]}

    def end_epoch(state: State, x: Array, epoch: Array, losses: Info) -> tuple[State, Info]:
        def chunk(x: Array) -> Array:
            return log_assign(state.params, networks.encoder.apply(state.params["encoder"], x)[0])

        due = epoch % update_target_interval == 0
        target = jax.lax.cond(due, lambda: spread(state.target, map_chunks(chunk, x)), lambda: state.target)
        return state._replace(target=target), {"changed": target.assigned.changed}

    base = vae(networks, likelihood=likelihood_name)
    return Learner(
        init=base.init,
        step=gradient_step(loss),
        evaluate=evaluate,
        end_epoch=end_epoch,
        encode=base.encode,
        decode=base.decode,
        view=networks.view,
        log_assign=log_assign,
        advance=advancing(beta=update_beta, gamma=update_gamma),
        gentler=halved_learning_rate,
    )


@lru_cache
def vaegraph(
    networks: Networks,
    *,
    num_clusters: int,
    num_samples: int,
    latent_dim: int,
    num_prototypes: int = 5,
    degrees: float | None = None,
    likelihood: str = "bernoulli",
    beta: float | Controller = 1.0,
    gamma: float | Controller = 100.0,
    learning_rate: float = 1e-3,
    update_target_interval: int = 5,
) -> Learner:
    """VAE + DEC with a graph's target as a `Learner`.

    Args:
        networks: encoder and decoder.
        num_clusters: K.
        num_samples: n, the number of training rows.
        latent_dim: L.
        num_prototypes: r, of each cluster.
        degrees: nu, of the Student-t around them; None: L - 1, at least 1.
        likelihood: "bernoulli" or "squared" (x in [0, 1]) or "gaussian".
        beta: weight of the KL term, or what controls it (`vaeclust_jax.control`).
        gamma: weight of KL(P || Q), likewise.
        learning_rate: Adam's.
        update_target_interval: epochs between refreshes of P.

    `init` draws prototypes from N(0, I) and joins no points; `methods.graph_starts` builds the graph.
    """
    beta, gamma = as_controller(beta), as_controller(gamma)
    degrees = float(max(latent_dim - 1, 1) if degrees is None else degrees)
    static = _static(networks, likelihood, degrees, update_target_interval, beta.update, gamma.update)

    def init(key: Key) -> State:
        params_key, prototypes_key = jax.random.split(key)
        params = dict(static.init(params_key).params)
        params["prototypes"] = normal(prototypes_key, (num_clusters, num_prototypes, latent_dim))
        params["log_scale"] = jnp.zeros(())
        alone = jnp.tile(jnp.arange(num_samples, dtype=jnp.int32)[:, None], (1, EDGES_KEPT))
        target = GraphTarget(
            jnp.full((num_samples, num_clusters), 1.0 / num_clusters),
            Assigned(jnp.full((num_samples,), -1, jnp.int32), jnp.ones(())),
            alone,
            jnp.full(alone.shape, 1.0 / EDGES_KEPT),
        )
        return with_numbers(first_state(params, target), learning_rate, beta=beta, gamma=gamma)

    return static._replace(init=init)
