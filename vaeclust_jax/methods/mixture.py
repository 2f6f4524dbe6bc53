"""A VAE with a mixture of Gaussians on its latents, fitted by EM once the VAE is trained and not trained with it.

The VAE is that of `methods.vae`; the mixture assigns codes and draws new ones. Its covariances may be full, which those
of VaDE are not.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array

from vaeclust_jax.control.constant import as_controller
from vaeclust_jax.methods.kmeans import kmeans_of
from vaeclust_jax.methods.method import About
from vaeclust_jax.methods.settings import VAEMethod
from vaeclust_jax.methods.starts import from_mixture
from vaeclust_jax.methods.vae import first_state, vae, vae_heads, with_numbers
from vaeclust_jax.objectives.mixture import Mixture, e_step
from vaeclust_jax.random import normal
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Controller, Heads, Key, Learner, Networks, Params, Stage, State

Covariance = Literal["full", "diag", "spherical"]
"""Of each component its own: what is shared by all could not follow them into another order."""


def mixture_of(params: Params) -> Mixture:
    """The mixture among a learner's parameters; its means are the centroids."""
    return Mixture(params["mixture"]["log_weights"], params["centroids"], params["mixture"]["covariances"])


def params_of(mixture: Mixture) -> Params:
    """What `mixture_of` reads."""
    return {
        "centroids": mixture.means,
        "mixture": {"log_weights": mixture.log_weights, "covariances": mixture.covariances},
    }


def _assign(params: Params, z: Array) -> Array:
    return e_step(mixture_of(params), z)[0]


@dataclass(frozen=True)
class VAEMixture(VAEMethod):
    """A VAE, then a mixture of Gaussians on its latents, fitted by EM.

    Example:
        >>> vc.Config(vc.VAEMixture(10, covariance="diag"))
        Config(method=VAEMixture(num_clusters=10, covariance='diag'))
    """

    per_cluster: ClassVar[tuple[str, ...]] = ("centroids", "mixture")
    takes_weights: ClassVar[bool] = True

    covariance: Covariance = "full"
    """Covariances of the components."""
    fitted_to: Literal["mean", "sample"] = "mean"
    """What EM sees of each sample: its posterior's mean, or a draw of its code."""

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        learner = vae_mixture(
            about.networks,
            num_clusters=self.num_clusters,
            latent_dim=about.latent_dim,
            covariance=self.covariance,
            likelihood=self.likelihood,
            beta=self.controller_of("beta"),
            learning_rate=about.learning_rate,
        )
        start = from_mixture(
            learner,
            self.heads(about.networks),
            self.num_clusters,
            self.covariance,
            params_of,
            of_draws=self.fitted_to == "sample",
        )
        return [*kmeans_of(self).stages(about), Stage("mixture", learner, 0, start, NEVER, self)]

    def heads(self, networks: Networks) -> Heads:  # noqa: D102
        return _heads(networks, self.likelihood)


@lru_cache
def _heads(networks: Networks, likelihood: str) -> Heads:
    return vae_heads(networks, likelihood)._replace(
        assign=_assign, prior=mixture_of, centres=lambda params: params["centroids"][:, None]
    )


@lru_cache
def vae_mixture(
    networks: Networks,
    *,
    num_clusters: int,
    latent_dim: int,
    covariance: Covariance = "full",
    likelihood: str = "bernoulli",
    beta: float | Controller = 1.0,
    learning_rate: float = 1e-3,
) -> Learner:
    """The VAE and its mixture as a `Learner`; steps train the VAE alone.

    Args:
        networks: encoder and decoder.
        num_clusters: K, the components.
        latent_dim: L.
        covariance: of the components, "full", "diag" or "spherical".
        likelihood: "bernoulli" or "squared" (x in [0, 1]) or "gaussian".
        beta: weight of the KL term, or what controls it (`vaeclust_jax.control`).
        learning_rate: Adam's.

    `init` draws means from N(0, I) with equal weights and unit covariances.
    """
    base = vae(networks, likelihood=likelihood, beta=beta, learning_rate=learning_rate)
    unit: dict[str, Any] = {
        "full": jnp.tile(jnp.eye(latent_dim), (num_clusters, 1, 1)),
        "diag": jnp.ones((num_clusters, latent_dim)),
        "spherical": jnp.ones((num_clusters, 1)),
    }

    def init(key: Key) -> State:
        params_key, means_key = jax.random.split(key)
        means = normal(means_key, (num_clusters, latent_dim))
        equal = jnp.zeros(num_clusters) - math.log(num_clusters)
        params = {**base.init(params_key).params, **params_of(Mixture(equal, means, unit[covariance]))}
        return with_numbers(first_state(params), learning_rate, beta=as_controller(beta))

    return base._replace(init=init)
