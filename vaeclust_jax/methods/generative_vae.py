"""A VAE that is asked for samples: of its prior, or of a mixture of Gaussians fitted to its codes.

What the encoder makes of the data, the aggregate posterior, does not fill N(0, I): codes drawn from there lie where no
row does, and decode to blurs. A mixture fitted to draws of the codes covers what the decoder has seen (Ghosh et al.,
From Variational to Deterministic Autoencoders, 2020, call it ex-post density estimation).
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import ClassVar, Literal, Self

from vaeclust_jax.checks import check_types
from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.method import About, DataSpec, Method, check_at_least
from vaeclust_jax.methods.mixture import Covariance, VAEMixture, mixture_of
from vaeclust_jax.methods.vae import vae_heads
from vaeclust_jax.types import Heads, Networks, Stage


@dataclass(frozen=True)
class StandardPrior:
    """Codes are drawn from N(0, I), as the VAE was trained.

    Example:
        >>> vc.VAE(vc.StandardPrior()).prior
        StandardPrior()
    """


@dataclass(frozen=True)
class MixturePrior:
    """Codes are drawn from a mixture of Gaussians that EM fits to draws of the codes of the training rows.

    Example:
        >>> vc.VAE(vc.MixturePrior(10, "full")).prior.components
        10
    """

    components: int = 50
    """Of the mixture."""
    covariance: Covariance = "diag"
    """Of each component; full needs many rows for each of many latents."""

    def __post_init__(self) -> None:
        check_types(self)
        if self.components < 1:
            raise InputError(f"components must be at least 1, got {self.components}")


@dataclass(frozen=True)
class VAE(Method):
    """A variational autoencoder (Kingma and Welling, 2014) for new samples, and no clusters.

    Example:
        >>> vc.Config(vc.VAE(beta=1.0)).method.prior
        MixturePrior(components=50, covariance='diag')
    """

    task: ClassVar[str] = "generation"
    takes_partial_labels: ClassVar[bool] = True
    shared: ClassVar[tuple[str, ...]] = ("encoder", "decoder", "likelihood", "centroids", "mixture")

    prior: StandardPrior | MixturePrior = field(default_factory=MixturePrior)
    """Where the codes of new samples come from."""
    likelihood: Literal["auto", "bernoulli", "gaussian", "squared"] = "auto"
    """As in the methods that cluster. auto: bernoulli for images, gaussian for vectors."""
    beta: float | str = "auto"
    """Weight of the KL term, likewise. auto: 1 for every 1,024 values of an image, and 1 for vectors."""
    epochs: int = 100
    """Epochs, at most; fewer where the loss of held-out rows does not fall any more."""

    def resolved(self, data: DataSpec) -> Self:  # noqa: D102
        found = self._clustering().resolved(data)
        return replace(self, likelihood=found.likelihood, beta=found.beta)

    def check(self, data: DataSpec) -> None:  # noqa: D102
        check_at_least(self, epochs=1)
        if isinstance(self.prior, MixturePrior) and data.num_samples is not None:
            most = data.num_samples
            if self.prior.components > most:
                raise InputError(f"components must be at most {most}, the training rows, got {self.prior.components}")
        replace(self._clustering(), num_clusters=1).check(data)

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        vae, *_, mixture = self._clustering().stages(about)
        alone = [vae._replace(model=replace(self, prior=StandardPrior()))]
        return [*alone, mixture._replace(model=self)] if isinstance(self.prior, MixturePrior) else alone

    def heads(self, networks: Networks) -> Heads:  # noqa: D102
        return _heads(networks, self.likelihood, isinstance(self.prior, MixturePrior))

    def _clustering(self) -> VAEMixture:
        """The same VAE and mixture as a method that clusters."""
        prior = self.prior if isinstance(self.prior, MixturePrior) else MixturePrior(components=1)
        return VAEMixture(
            prior.components,
            covariance=prior.covariance,
            fitted_to="sample",
            likelihood=self.likelihood,
            beta=self.beta,
            pretrain_epochs=self.epochs,
        )


@lru_cache
def _heads(networks: Networks, likelihood: str, mixture: bool) -> Heads:
    return vae_heads(networks, likelihood)._replace(prior=mixture_of if mixture else None)
