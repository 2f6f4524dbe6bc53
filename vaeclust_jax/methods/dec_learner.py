"""The learners of VAE + DEC: latents are drawn to Student-t centres, L = reconstruction + beta KL + gamma KL(P || Q).

Sources: the joint objective of the VAE+DEC in notebooks/reproductions.md; DEC's q and P: Xie, Girshick and
Farhadi 2016. Losses are means over samples, so gamma weighs one sample's KL(P || Q), at most log K nats, against
its reconstruction summed over pixels (hundreds of nats): gamma 1 does next to nothing, hence the default 100.

Of a deterministic autoencoder (beta 0) this is IDEC (Guo et al., Improved Deep Embedded Clustering with Local Structure
Preservation, 2017, Eq. 8), and with the clustering loss alone DEC (Xie et al. 2016, Eq. 2).

`graph_dec` has several prototypes a cluster, and P is the sharpening of q spread over the neighbour graph of the
posterior (`graph`, `objectives.propagation`), which stays as it was when the stage began. With one prototype a cluster,
nu = 1, s = 1 and no graph it is `dec`.

With `target="batch"` there is no P of all rows: each step sharpens its batch's own q by frequencies f_j of clusters
that are a running mean over batches. Of a batch of all rows, P is that of Xie et al. (Eq. 3).
"""

from collections.abc import Callable
from functools import lru_cache

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from vaeclust_jax.control.constant import as_controller
from vaeclust_jax.control.controller import Update, advancing
from vaeclust_jax.graph import MAX_GROUPS
from vaeclust_jax.graph.tree import Merges
from vaeclust_jax.methods.dec_target import Edges, Target, refreshed, running
from vaeclust_jax.methods.refresh import Assigned, map_chunks
from vaeclust_jax.methods.shallow_starts import NOT_ASKED, SHALLOW_STARTS
from vaeclust_jax.methods.vae import (
    first_state,
    halved_learning_rate,
    updated,
    vae,
    vae_heads,
    vae_losses,
    weighted_mean,
    with_numbers,
)
from vaeclust_jax.objectives.dec import (
    assignment_energy,
    kl_divergence,
    log_prototype_assignment,
    log_soft_assignment,
    sharpened,
)
from vaeclust_jax.objectives.elbo import LIKELIHOODS
from vaeclust_jax.random import normal
from vaeclust_jax.training.layout import rows_of
from vaeclust_jax.types import Batch, Controller, Heads, Info, Key, Learner, Networks, Params, State

EDGES_KEPT = 48
"""Of each point, the strongest: the others weigh next to nothing, and rows of one width are one gather."""

_BY_ROW = ("p", "assigned/assignment", "edges/neighbours", "edges/weights", "merges/groups", "told")
"""Of `Target`: see `Learner.by_row`."""

Assign = Callable[[Params, Float[Array, "n l"]], Float[Array, "n k"]]


def joint_loss(
    parts: Info, beta: Array | float, gamma: Array | float, reconstructs: bool = True
) -> tuple[Array, Array]:
    """The loss, and the part of it that is the VAE's."""
    vae_loss = parts["reconstruction"] + beta * parts["kl"]
    clustering = gamma * parts["cluster"]
    return (vae_loss + clustering if reconstructs else clustering), vae_loss


def around_centroids(params: Params, z: Array) -> Array:
    """`Heads.assign` of DEC."""
    return log_soft_assignment(z, params["centroids"])


@lru_cache
def around_prototypes(degrees: float | None) -> Assign:
    """`Heads.assign` of clusters with several prototypes; degrees None: L - 1, at least 1."""

    def assign(params: Params, z: Array) -> Array:
        nu = float(max(z.shape[-1] - 1, 1) if degrees is None else degrees)
        return log_prototype_assignment(z, params["prototypes"], jnp.exp(params["log_scale"]), nu)

    return assign


@lru_cache
def dec_heads(networks: Networks, likelihood: str, deterministic: bool) -> Heads:
    """What a model with centroids can be asked."""
    return vae_heads(networks, likelihood, deterministic)._replace(
        assign=around_centroids,
        centres=lambda params: params["centroids"][:, None],
        energy=lambda params, z: assignment_energy(z, params["centroids"]),
    )


@lru_cache
def prototype_heads(networks: Networks, likelihood: str, degrees: float | None) -> Heads:
    """What a model with prototypes can be asked."""
    return vae_heads(networks, likelihood)._replace(
        assign=around_prototypes(degrees), centres=lambda params: params["prototypes"]
    )


@lru_cache
def _static(
    networks: Networks,
    likelihood_name: str,
    deterministic: bool,
    q_from: str,
    joint_reconstruction: bool,
    update_target_interval: int,
    assign: Assign,
    update_beta: Update,
    update_gamma: Update,
    own_target: bool = False,
) -> Learner:
    likelihood = LIKELIHOODS[likelihood_name]

    def target_of(params: Params, state: State, batch: Batch, mean: Array) -> tuple[Array, Target]:
        """P of the batch, and what the step leaves in the memory."""
        if not own_target:
            return rows_of(state.memory.p, batch.index), state.memory
        log_q = assign(params, mean)
        frequency = running(state.memory.frequency, log_q, batch.weight)
        return sharpened(log_q, jnp.log(frequency)), state.memory._replace(frequency=frequency)

    def loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, tuple[Info, Target]]:
        codes, parts = vae_losses(networks, likelihood, deterministic, key, params, batch)
        p, memory = jax.lax.stop_gradient(target_of(params, state, batch, codes.mean))
        cluster = kl_divergence(p, assign(params, codes.z if q_from == "sample" else codes.mean))
        parts["cluster"] = weighted_mean(cluster, batch.weight)
        control = state.control
        total, vae_loss = joint_loss(parts, control["beta"].value, control["gamma"].value, joint_reconstruction)
        return total, ({"loss": total, **parts, "vae_loss": vae_loss}, memory)

    def step(key: Key, state: State, batch: Batch) -> tuple[State, Info]:
        gradients, (info, memory) = jax.grad(lambda params: loss(key, params, state, batch), has_aux=True)(state.params)
        return updated(state, gradients)._replace(memory=memory), info

    def evaluate(key: Key, state: State, batch: Batch) -> Info:
        _, parts = vae_losses(networks, likelihood, deterministic, key, state.params, batch)
        return {**parts, "loss": parts["reconstruction"] + state.control["beta"].value * parts["kl"]}

    def end_epoch(
        state: State, x: Array, epoch: Array, losses: Info, weight: Array | None = None
    ) -> tuple[State, Info]:
        def chunk(x: Array) -> Array:
            return assign(state.params, networks.encoder.apply(state.params["encoder"], x)[0])

        due = epoch % update_target_interval == 0
        memory = jax.lax.cond(due, lambda: refreshed(state.memory, map_chunks(chunk, x), weight), lambda: state.memory)
        return state._replace(memory=memory), {"changed": memory.assigned.changed}

    base = vae(networks, likelihood=likelihood_name, deterministic=deterministic)
    return Learner(
        init=base.init,
        step=step,
        evaluate=evaluate,
        end_epoch=end_epoch,
        advance=advancing(beta=update_beta, gamma=update_gamma),
        gentler=halved_learning_rate,
        by_row=_BY_ROW,
        by_blocks=own_target,
    )


def _first_target(
    num_samples: int,
    num_clusters: int,
    edges: Edges | None = None,
    merges: Merges | None = None,
    separation: Array | None = None,
) -> Target:
    unassigned = Assigned(jnp.full((num_samples,), -1, jnp.int32), jnp.ones(()))
    return Target(jnp.full((num_samples, num_clusters), 1.0 / num_clusters), unassigned, edges, merges, separation)


@lru_cache
def dec(
    networks: Networks,
    *,
    num_clusters: int,
    num_samples: int,
    latent_dim: int,
    likelihood: str = "bernoulli",
    deterministic: bool = False,
    q_from: str = "mean",
    joint_reconstruction: bool = True,
    beta: float | Controller = 1.0,
    gamma: float | Controller = 100.0,
    learning_rate: float = 1e-3,
    update_target_interval: int = 5,
    target: str = "all",
) -> Learner:
    """VAE+DEC as a `Learner`.

    Args:
        networks: encoder and decoder.
        num_clusters: K, the number of centroids.
        num_samples: n, the number of training rows (the target P is n x K).
        latent_dim: L.
        likelihood: "bernoulli" or "squared" (x in [0, 1]) or "gaussian".
        deterministic: decode the posterior's mean.
        q_from: what the training q is computed from, the posterior's "mean" or a "sample" of it (the source's
            choice). P, prediction and entropy always come from the mean.
        joint_reconstruction: False leaves the clustering loss alone, which does not train the decoder.
        beta: weight of the KL term, or what controls it (`vaeclust_jax.control`).
        gamma: weight of KL(P || Q), likewise.
        learning_rate: Adam's.
        update_target_interval: epochs between refreshes of P.
        target: what P is made of, "all" rows or each "batch".

    `init` draws centroids from N(0, I); `methods.starts` replaces them by k-means.
    """
    beta, gamma = as_controller(beta), as_controller(gamma)
    static = _static(
        networks,
        likelihood,
        deterministic,
        q_from,
        joint_reconstruction,
        update_target_interval,
        around_centroids,
        beta.update,
        gamma.update,
        target == "batch",
    )

    def init(key: Key) -> State:
        params_key, centroid_key = jax.random.split(key)
        params = dict(static.init(params_key).params)
        params["centroids"] = normal(centroid_key, (num_clusters, latent_dim))
        first = _first_target(num_samples, num_clusters, None, None)
        if target == "batch":
            first = first._replace(p=None, frequency=jnp.full(num_clusters, 1.0 / num_clusters))
        return with_numbers(first_state(params, first), learning_rate, beta=beta, gamma=gamma)

    return static._replace(init=init)


@lru_cache
def graph_dec(
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
    hinted: bool = False,
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
        hinted: whether rows are told their cluster, by the start.

    `init` draws prototypes from N(0, I) and joins no points; `methods.graph_starts` builds the graph.
    """
    beta, gamma = as_controller(beta), as_controller(gamma)
    assign = around_prototypes(degrees)
    static = _static(
        networks, likelihood, False, "mean", True, update_target_interval, assign, beta.update, gamma.update
    )

    def init(key: Key) -> State:
        params_key, prototypes_key = jax.random.split(key)
        params = dict(static.init(params_key).params)
        params["prototypes"] = normal(prototypes_key, (num_clusters, num_prototypes, latent_dim))
        params["log_scale"] = jnp.zeros(())
        alone = jnp.tile(jnp.arange(num_samples, dtype=jnp.int32)[:, None], (1, EDGES_KEPT))
        edges = Edges(alone, jnp.full(alone.shape, 1.0 / EDGES_KEPT))
        most = max(min(num_samples, MAX_GROUPS) - 1, 0)
        merges = Merges(jnp.zeros(num_samples, jnp.int32), jnp.zeros((most, 2), jnp.int32), jnp.zeros(most))
        separation = jnp.full((2, 1 + len(SHALLOW_STARTS)), NOT_ASKED)
        target = _first_target(num_samples, num_clusters, edges, merges, separation)
        target = target._replace(log_share=jnp.zeros(num_clusters))
        if hinted:
            target = target._replace(told=jnp.full((num_samples,), -1, jnp.int32))
        return with_numbers(first_state(params, target), learning_rate, beta=beta, gamma=gamma)

    return static._replace(init=init)
