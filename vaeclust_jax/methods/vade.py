"""Variational deep embedding (VaDE): a VAE whose prior is a mixture of Gaussians, trained with it.

The objective and its source: `methods.vade_learner`.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from vaeclust_jax.checks import check_types
from vaeclust_jax.methods.graph_starts import from_graph_mixture
from vaeclust_jax.methods.joint import JointMethod
from vaeclust_jax.methods.kmeans import kmeans_of
from vaeclust_jax.methods.method import About, DataSpec, check_graph
from vaeclust_jax.methods.starts import Start, carry_on, from_mixture
from vaeclust_jax.methods.vade_learner import params_of, prior_from, vade, vade_heads
from vaeclust_jax.objectives.mixture import Mixture
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Heads, Learner, Networks, Params, Stage


@dataclass(frozen=True)
class EMStart:
    """The mixture that the joint stage starts from is fitted by EM to the VAE's latents.

    Example:
        >>> vc.Config(vc.VaDE(10, start=vc.EMStart(deterministic=True)))
        Config(method=VaDE(num_clusters=10, start=EMStart(deterministic=True)))
    """

    deterministic: bool = False
    """The first stage is an autoencoder without a KL term, as the source has it: nothing is sampled until the mixture
    is fitted."""

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True)
class GraphStart:
    """The mixture that the joint stage starts from is that of the clusters of the posterior's neighbour graph.

    Example:
        >>> vc.VaDE(10, start=vc.GraphStart()).start
        GraphStart()
    """


@dataclass(frozen=True)
class VaDE(JointMethod):
    """Variational deep embedding (Jiang et al., 2017): the VAE's prior is a mixture of Gaussians, trained with it.

    Example:
        >>> vc.Config(vc.VaDE(10, start=vc.GraphStart()))
        Config(method=VaDE(num_clusters=10, start=GraphStart()))
    """

    per_cluster: ClassVar[tuple[str, ...]] = ("centroids", "mixture")
    takes_weights: ClassVar[bool] = True

    start: EMStart | GraphStart = field(default_factory=EMStart)
    """What the mixture begins as."""
    q_from: Literal["mean", "sample"] = "mean"
    """q(c | x) in training is the mixture's posterior at the mean of the code, or at a sample (the source's choice)."""

    def check(self, data: DataSpec) -> None:  # noqa: D102
        super().check(data)
        if isinstance(self.start, GraphStart) and data.num_samples is not None:
            check_graph("start GraphStart", self.num_clusters, data.num_samples)

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        learner = vade(
            about.networks,
            num_clusters=self.num_clusters,
            num_samples=about.num_samples,
            latent_dim=about.latent_dim,
            likelihood=self.likelihood,
            q_from=self.q_from,
            beta=self.controller_of("beta"),
            learning_rate=about.learning_rate,
            update_target_interval=self.update_target_interval,
        )
        autoencoder = isinstance(self.start, EMStart) and self.start.deterministic
        kmeans = replace(kmeans_of(self), deterministic=autoencoder)
        return [
            self.vae_stage(about, deterministic=autoencoder, beta=0.0 if autoencoder else None),
            kmeans.kmeans_stage(about, own_weights=autoencoder),
            Stage("mixture", learner, 0, self._first_mixture(about, learner), NEVER, replace(self, joint_epochs=0)),
            Stage("joint", learner, self.joint_epochs, carry_on, self.joint_stopping(about), self),
        ]

    def heads(self, networks: Networks) -> Heads:  # noqa: D102
        return vade_heads(networks, self.likelihood)

    def _first_mixture(self, about: About, learner: Learner) -> Start:
        def as_params(mixture: Mixture) -> Params:
            return params_of(prior_from(mixture))

        heads = self.heads(about.networks)
        if isinstance(self.start, GraphStart):
            return from_graph_mixture(learner, heads, self.num_clusters, as_params)
        # An autoencoder has no posterior yet.
        of_posteriors = not self.start.deterministic
        return from_mixture(learner, heads, self.num_clusters, "diag", as_params, of_posteriors=of_posteriors)
