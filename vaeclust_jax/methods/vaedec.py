"""VAE+DEC: a VAE whose latents are drawn to Student-t centroids, L = reconstruction + beta KL + gamma KL(P || Q).

Sources: the joint objective of the VAE+DEC in the README ("What it reproduces"); DEC's q and P: Xie, Girshick and
Farhadi 2016. Losses are means over samples, so gamma weighs one sample's KL(P || Q), at most log K nats, against
its reconstruction summed over pixels (hundreds of nats): gamma 1 does next to nothing, hence the default 100.

Of a deterministic autoencoder (beta 0) this is IDEC (Guo et al., Improved Deep Embedded Clustering with Local Structure
Preservation, 2017, Eq. 8), and with the clustering loss alone DEC (Xie et al. 2016, Eq. 2).
"""

from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

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
from vaeclust_jax.objectives.dec import kl_divergence, log_soft_assignment, target_distribution
from vaeclust_jax.objectives.elbo import LIKELIHOODS
from vaeclust_jax.random import normal
from vaeclust_jax.types import Batch, Controller, Info, Key, Learner, Networks, Params, State


class Target(NamedTuple):
    """What the refresh over all training rows computes; a constant for the gradient."""

    p: Float[Array, "n k"]
    assigned: Assigned
    """By q at the last refresh."""


@lru_cache
def _static(
    networks: Networks,
    likelihood_name: str,
    deterministic: bool,
    q_from: str,
    joint_reconstruction: bool,
    update_target_interval: int,
    update_beta: Update,
    update_gamma: Update,
) -> Learner:
    likelihood = LIKELIHOODS[likelihood_name]

    def log_assign(params: Params, z: Array) -> Array:
        return log_soft_assignment(z, params["centroids"])

    def loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, Info]:
        codes, parts = vae_losses(networks, likelihood, deterministic, key, params, batch)
        p = jax.lax.stop_gradient(state.target.p[batch.index])
        cluster = kl_divergence(p, log_assign(params, codes.z if q_from == "sample" else codes.mean))
        parts["cluster"] = weighted_mean(cluster, batch.weight)
        vae_loss = parts["reconstruction"] + state.control["beta"].value * parts["kl"]
        clustering = state.control["gamma"].value * parts["cluster"]
        total = vae_loss + clustering if joint_reconstruction else clustering
        return total, {"loss": total, **parts, "vae_loss": vae_loss}

    def evaluate(key: Key, state: State, batch: Batch) -> Info:
        _, parts = vae_losses(networks, likelihood, deterministic, key, state.params, batch)
        return {**parts, "vae_loss": parts["reconstruction"] + state.control["beta"].value * parts["kl"]}

    def refresh(state: State, x: Array) -> State:
        def chunk(x: Array) -> Array:
            return log_assign(state.params, networks.encoder.apply(state.params["encoder"], x)[0])

        log_q = map_chunks(chunk, x)
        assigned = share_changed(state.target.assigned, log_q)
        return state._replace(target=Target(target_distribution(log_q), assigned))

    def end_epoch(state: State, x: Array, epoch: Array, losses: Info) -> tuple[State, Info]:
        due = epoch % update_target_interval == 0
        state = jax.lax.cond(due, lambda: refresh(state, x), lambda: state)
        return state, {"changed": state.target.assigned.changed}

    base = vae(networks, likelihood=likelihood_name, deterministic=deterministic)
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
def vaedec(
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
        beta.update,
        gamma.update,
    )

    def init(key: Key) -> State:
        params_key, centroid_key = jax.random.split(key)
        params = dict(static.init(params_key).params)
        params["centroids"] = normal(centroid_key, (num_clusters, latent_dim))
        target = Target(
            jnp.full((num_samples, num_clusters), 1.0 / num_clusters),
            Assigned(jnp.full((num_samples,), -1, jnp.int32), jnp.ones(())),
        )
        return with_numbers(first_state(params, target), learning_rate, beta=beta, gamma=gamma)

    return static._replace(init=init)
