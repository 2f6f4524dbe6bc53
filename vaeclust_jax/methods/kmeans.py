"""A VAE, then k-means on its latents; samples are assigned by the Student-t kernel around the centroids."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import jax

from vaeclust_jax.control.constant import as_controller
from vaeclust_jax.methods.method import About
from vaeclust_jax.methods.settings import VAEMethod
from vaeclust_jax.methods.starts import from_kmeans, with_own_weights
from vaeclust_jax.methods.vae import first_state, vae, vae_heads, with_numbers
from vaeclust_jax.objectives.dec import assignment_energy, log_soft_assignment
from vaeclust_jax.random import normal
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Controller, Heads, Key, Learner, Networks, Stage, State


@dataclass(frozen=True)
class VAEKMeans(VAEMethod):
    """A VAE, then k-means on its latents.

    Example:
        >>> vc.Config(vc.VAEKMeans(10, deterministic=True))
        Config(method=VAEKMeans(num_clusters=10, deterministic=True))
    """

    per_cluster: ClassVar[tuple[str, ...]] = ("centroids",)
    takes_weights: ClassVar[bool] = True

    deterministic: bool = False
    """The decoder sees the posterior's mean; nothing is sampled."""

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        return [self.vae_stage(about, deterministic=self.deterministic), self.kmeans_stage(about)]

    def kmeans_stage(self, about: About, *, own_weights: bool = False) -> Stage:
        """k-means on the latents of the stage before; `own_weights`: beta begins anew."""
        learner = vae_kmeans(
            about.networks,
            num_clusters=self.num_clusters,
            latent_dim=about.latent_dim,
            **self.vae_settings(about, self.deterministic),
        )
        start = from_kmeans(learner, self.heads(about.networks), self.num_clusters)
        return Stage("kmeans", learner, 0, with_own_weights(start) if own_weights else start, NEVER, self)

    def heads(self, networks: Networks) -> Heads:  # noqa: D102
        return _heads(networks, self.likelihood, self.deterministic)


def kmeans_of(method: VAEMethod) -> VAEKMeans:
    """The k-means beside which a method's own clusters are seen, with its settings of the VAE."""
    names = ("likelihood", "beta", "supervision", "compactness", "augment", "pretrain_epochs")
    return VAEKMeans(
        method.num_clusters,
        deterministic=getattr(method, "deterministic", False),
        **{name: getattr(method, name) for name in names},
    )


@lru_cache
def _heads(networks: Networks, likelihood: str, deterministic: bool) -> Heads:
    return vae_heads(networks, likelihood, deterministic)._replace(
        assign=lambda params, z: log_soft_assignment(z, params["centroids"]),
        centres=lambda params: params["centroids"][:, None],
        energy=lambda params, z: assignment_energy(z, params["centroids"]),
    )


@lru_cache
def vae_kmeans(
    networks: Networks,
    *,
    num_clusters: int,
    latent_dim: int,
    likelihood: str = "bernoulli",
    deterministic: bool = False,
    beta: float | Controller = 1.0,
    learning_rate: float = 1e-3,
) -> Learner:
    """The VAE with centroids, which its steps do not train, as a `Learner`; `init` draws them from N(0, I)."""
    settings = {"likelihood": likelihood, "deterministic": deterministic}
    base = vae(networks, **settings, beta=beta, learning_rate=learning_rate)

    def init(key: Key) -> State:
        params_key, centroids_key = jax.random.split(key)
        params = {**base.init(params_key).params, "centroids": normal(centroids_key, (num_clusters, latent_dim))}
        return with_numbers(first_state(params), learning_rate, beta=as_controller(beta))

    return base._replace(init=init)
