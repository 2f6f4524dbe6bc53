"""The learner of VaDE: a VAE whose prior is a mixture of Gaussians, L = reconstruction + beta divergence from it.

Source: Jiang et al., Variational Deep Embedding, 2017; the bound is `objectives.vade`. Weights lie on the simplex and
variances are positive by construction (logits, log-variances), and all of the mixture is trained with the networks.
The part called "kl" holds the divergence of the code and of the cluster, "cluster" the latter alone.
"""

from functools import lru_cache

import jax
import jax.numpy as jnp
from jaxtyping import Array

from vaeclust_jax.control.constant import as_controller
from vaeclust_jax.control.controller import Update, advancing
from vaeclust_jax.methods.refresh import Assigned, map_chunks, share_changed
from vaeclust_jax.methods.vae import (
    encoding,
    first_state,
    gradient_step,
    halved_learning_rate,
    vae,
    vae_heads,
    vae_losses,
    weighted_mean,
    with_numbers,
)
from vaeclust_jax.objectives.elbo import LIKELIHOODS, sample_posterior
from vaeclust_jax.objectives.mixture import Mixture
from vaeclust_jax.objectives.vade import Prior, cluster_divergence, divergence, log_posterior
from vaeclust_jax.random import normal
from vaeclust_jax.types import Batch, Controller, Heads, Info, Key, Learner, Networks, Params, State


def prior_of(params: Params) -> Prior:
    """The mixture among a learner's parameters; its means are the centroids."""
    return Prior(params["mixture"]["logits"], params["centroids"], params["mixture"]["logvars"])


def _mixture_of(params: Params) -> Mixture:
    prior = prior_of(params)
    return Mixture(jax.nn.log_softmax(prior.logits), prior.means, jnp.exp(prior.logvars))


def prior_from(mixture: Mixture) -> Prior:
    """A mixture of diagonal covariances as a prior."""
    return Prior(mixture.log_weights, mixture.means, jnp.log(mixture.covariances))


def params_of(prior: Prior) -> Params:
    """What `prior_of` reads."""
    return {"centroids": prior.means, "mixture": {"logits": prior.logits, "logvars": prior.logvars}}


def _assign(params: Params, z: Array) -> Array:
    return log_posterior(prior_of(params), z)


@lru_cache
def vade_heads(networks: Networks, likelihood_name: str) -> Heads:
    """What the model can be asked."""
    likelihood, encode = LIKELIHOODS[likelihood_name], encoding(networks)

    def score(key: Key, params: Params, x: Array) -> Array:
        mean, logvar = encode(params, x)
        output = networks.decoder.apply(params["decoder"], sample_posterior(key, mean, logvar))
        reconstruction = likelihood.nll(params["likelihood"], x, output)
        return reconstruction + divergence(prior_of(params), mean, logvar, _assign(params, mean))

    return vae_heads(networks, likelihood_name)._replace(
        assign=_assign,
        score=score,
        prior=_mixture_of,
        centres=lambda params: params["centroids"][:, None],
    )


@lru_cache
def _static(
    networks: Networks, likelihood_name: str, q_from: str, update_target_interval: int, update_beta: Update
) -> Learner:
    likelihood = LIKELIHOODS[likelihood_name]

    def losses(key: Key, params: Params, state: State, batch: Batch) -> Info:
        codes, parts = vae_losses(networks, likelihood, False, key, params, batch)
        log_q = _assign(params, codes.z if q_from == "sample" else codes.mean)
        prior = prior_of(params)
        parts["kl"] = weighted_mean(divergence(prior, codes.mean, codes.logvar, log_q), batch.weight)
        parts["cluster"] = weighted_mean(cluster_divergence(prior, log_q), batch.weight)
        parts["loss"] = parts["reconstruction"] + state.control["beta"].value * parts["kl"]
        return parts

    def loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, Info]:
        parts = losses(key, params, state, batch)
        return parts["loss"], parts

    def end_epoch(
        state: State, x: Array, epoch: Array, losses: Info, weight: Array | None = None
    ) -> tuple[State, Info]:
        def assign() -> Assigned:
            def chunk(x: Array) -> Array:
                return _assign(state.params, networks.encoder.apply(state.params["encoder"], x)[0])

            return share_changed(state.memory, map_chunks(chunk, x), weight)

        due = epoch % update_target_interval == 0
        state = state._replace(memory=jax.lax.cond(due, assign, lambda: state.memory))
        return state, {"changed": state.memory.changed}

    base = vae(networks, likelihood=likelihood_name)
    return Learner(
        init=base.init,
        step=gradient_step(loss),
        evaluate=lambda key, state, batch: losses(key, state.params, state, batch),
        end_epoch=end_epoch,
        advance=advancing(beta=update_beta),
        gentler=halved_learning_rate,
        by_row=("assignment",),
        by_blocks=True,
    )


@lru_cache
def vade(
    networks: Networks,
    *,
    num_clusters: int,
    num_samples: int,
    latent_dim: int,
    likelihood: str = "bernoulli",
    q_from: str = "mean",
    beta: float | Controller = 1.0,
    learning_rate: float = 1e-3,
    update_target_interval: int = 5,
) -> Learner:
    """VaDE as a `Learner`.

    Args:
        networks: encoder and decoder.
        num_clusters: K, the components of the mixture.
        num_samples: n, the number of training rows.
        latent_dim: L.
        likelihood: "bernoulli" or "squared" (x in [0, 1]) or "gaussian".
        q_from: q(c | x) is the mixture's posterior at the "mean" of the code or at a "sample" (the source's choice).
        beta: weight of the divergence, or what controls it (`vaeclust_jax.control`).
        learning_rate: Adam's.
        update_target_interval: epochs between two looks at how many assignments changed.

    `init` draws means from N(0, I) with equal weights and unit variances; `methods.starts` replaces them by a
    mixture fitted to the latents of a trained encoder.
    """
    beta = as_controller(beta)
    static = _static(networks, likelihood, q_from, update_target_interval, beta.update)

    def init(key: Key) -> State:
        params_key, means_key = jax.random.split(key)
        means = normal(means_key, (num_clusters, latent_dim))
        prior = Prior(jnp.zeros(num_clusters), means, jnp.zeros((num_clusters, latent_dim)))
        params = {**static.init(params_key).params, **params_of(prior)}
        unassigned = Assigned(jnp.full((num_samples,), -1, jnp.int32), jnp.ones(()))
        return with_numbers(first_state(params, unassigned), learning_rate, beta=beta)

    return static._replace(init=init)
