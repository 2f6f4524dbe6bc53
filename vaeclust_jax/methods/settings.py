"""What all methods with a VAE have in common: its settings, and the stage that trains it alone."""

import math
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, ClassVar, Literal, Self

import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from vaeclust_jax.control.parse import parse_controller
from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.labelled_vae import Labelled, labelled_vae
from vaeclust_jax.methods.method import About, DataSpec, Method, check_at_least, check_views
from vaeclust_jax.methods.starts import Start, from_scratch, of_each_seed
from vaeclust_jax.methods.vae import vae
from vaeclust_jax.objectives.compactness import Compactness
from vaeclust_jax.training.stopping import NEVER, validation_patience
from vaeclust_jax.types import Controller, Learner, Stage, State, Stopping

_FEW = 5
"""Features of which the latents may as well hold all, if there are as many."""
_FAINT = -1.5
"""Logarithm of the noise that the Gaussian likelihood of so few features begins with.

Beside a noise of 1 a latent gains where features together vary more than one of them alone, as principal components
do. Of two or three features that leaves one, or none, which holds no clusters; of more it leaves out what is not
needed. A few hundred steps of Adam move the logarithm by a few tenths. Chosen on generated tables of 2 to 10 features
and iris.
"""


def relative_weight(data: DataSpec) -> float:
    """What weighs as much against a sum over the values of an image as 1 does against 1,024 of them; 1 for vectors."""
    return math.prod(data.shape) / 1024 if len(data.shape) == 3 else 1.0


def likelihood_for(data: DataSpec) -> Literal["bernoulli", "gaussian"]:
    """What `likelihood="auto"` is."""
    return "bernoulli" if len(data.shape) == 3 else "gaussian"


def check_fits(data: DataSpec, num_clusters: int, likelihood: str) -> None:
    """Whether the data have a row for each cluster, and values that the likelihood is of.

    Raises:
        InputError: they have not.
    """
    if data.num_samples is not None and data.num_samples < num_clusters:
        raise InputError(
            f"num_clusters must be at most the number of training samples, got {num_clusters} clusters "
            f"for {data.num_samples} samples"
        )
    low, high = data.low, data.high
    in_unit = low is None or high is None or (low >= 0 and high <= 1)
    if likelihood in ("bernoulli", "squared") and not in_unit:
        raise InputError(
            f"likelihood {likelihood!r} needs values in [0, 1], got {low:.4g} to {high:.4g}: "
            "use 'gaussian' or scaling 'minmax'"
        )


@dataclass(frozen=True)
class VAEMethod(Method):
    """Base of the methods that cluster the latents of a VAE.

    Example:
        >>> [name for name, method in vc.METHODS.items() if issubclass(method, vc.VAEMethod)]
        ['kmeans', 'dec', 'graph', 'vade', 'mixture', 'hopfield-clusters']
    """

    takes_partial_labels: ClassVar[bool] = True

    num_clusters: int
    """K, the number of clusters."""
    _: KW_ONLY
    likelihood: Literal["auto", "bernoulli", "gaussian", "squared"] = "auto"
    """auto: bernoulli for images, gaussian for vectors. Pixels lie in [0, 1]. squared: the squared error of values in
    [0, 1], a Gaussian of variance 1/2. The noise of gaussian is learned, from 1 on, or from .22 where there are no more
    features than latents, and at most 5."""
    beta: float | str = "auto"
    """Weight of the KL term. A number, or what controls it: linear, cyclic, dynamic, pid or geco, with arguments by
    name as in dynamic:a=0.05,interval=11. auto: 1 for every 1,024 values of an image, over which the reconstruction is
    summed: as strong at any size as 1 is at 32 x 32; 1 for vectors."""
    supervision: float | str = "two-level"
    """Weight of the compactness of known classes, likewise; used where some labels are given (partial_labels)."""
    compactness: Compactness = "mean"
    """Of the distances in a known class, their mean; or their sum, as the source has it, which grows with the number of
    samples whose class is known."""
    augment: float | Literal["auto"] = 0.0
    """Images: strength of the random views that are trained on. 1 stands for shifts of up to a tenth of the size, turns
    of up to 10 degrees and zooms of up to a tenth; the encoder sees them, the decoder gives back the image as it is, so
    that codes forget how it was moved. The draws of a graph are of views, too. auto (`choose_augment`, vaeclust run): 0
    or 1, whichever lets the graph show K clusters better."""
    pretrain_epochs: int = 50
    """Epochs of the VAE stage, at most."""

    def resolved(self, data: DataSpec) -> Self:  # noqa: D102
        found = self
        if found.likelihood == "auto":
            found = replace(found, likelihood=likelihood_for(data))
        return replace(found, beta=relative_weight(data)) if found.beta == "auto" else found

    def check(self, data: DataSpec) -> None:  # noqa: D102
        check_at_least(self, num_clusters=1, pretrain_epochs=1)
        self.controller_of("beta")
        self.controller_of("supervision")
        if self.augment == "auto":
            raise InputError("augment 'auto' is for vaeclust run; in Python, choose_augment chooses it before a fit")
        check_views(self.augment, data)
        check_fits(data, self.num_clusters, self.likelihood)

    def view_strength(self) -> float:  # noqa: D102
        assert self.augment != "auto", "resolved"
        return float(self.augment)

    def controller_of(self, weight: str) -> Controller:
        """What controls a weight. Where the text does not say how long a schedule takes, it takes the VAE's epochs.

        Raises:
            InputError: names the weight, what was got and what is allowed.
        """
        return parse_controller(weight, getattr(self, weight), self.pretrain_epochs)

    def patience(self, about: About) -> Stopping:
        """How a stage stops by its validation loss.

        Without validation rows, or where beta changes, no two epochs compare, and all of them are run.
        """
        comparable = about.has_validation and not isinstance(self.beta, str)
        return validation_patience(about.patience) if comparable else NEVER

    def vae_settings(self, about: About, deterministic: bool = False) -> dict[str, Any]:
        """Arguments of `methods.vae.vae`."""
        return {
            "likelihood": self.likelihood,
            "deterministic": deterministic,
            "beta": self.controller_of("beta"),
            "learning_rate": about.learning_rate,
        }

    def vae_stage(self, about: About, *, deterministic: bool = False, beta: float | None = None) -> Stage:
        """The VAE alone, semi-supervised where the classes of some training rows are known."""
        settings = self.vae_settings(about, deterministic)
        if beta is not None:
            settings["beta"] = beta
        if about.labels is None:
            learner = vae(about.networks, **settings)
            start = from_scratch(learner)
        else:
            learner, start = _labelled(
                about, about.labels, self.controller_of("supervision"), self.compactness, settings
            )
        held = about.shape != () and math.prod(about.shape) <= min(_FEW, about.latent_dim)
        if self.likelihood == "gaussian" and not deterministic and held:
            start = _with_noise(start, _FAINT)
        return Stage("vae", learner, self.pretrain_epochs, start, self.patience(about))


def _with_noise(start: Start, log_std: float) -> Start:
    def noisy(state: State) -> State:
        likelihood = {"log_std": jnp.full_like(state.params["likelihood"]["log_std"], log_std)}
        return state._replace(params={**state.params, "likelihood": likelihood})

    return lambda keys, before, rows: [*map(noisy, start(keys, before, rows))]


def _labelled(
    about: About,
    labels: Int[np.ndarray, " n"],
    supervision: Controller,
    compactness: Compactness,
    settings: dict[str, Any],
) -> tuple[Learner, Start]:
    rows = np.flatnonzero(labels >= 0)
    classes, y, counts = np.unique(labels[rows], return_inverse=True, return_counts=True)
    if len(rows) == 0:
        raise InputError("partial_labels must know the class of at least two training rows, got none (-1 everywhere)")
    if counts.min() < 2:
        alone = classes[counts.argmin()]
        raise InputError(f"partial_labels must know two training rows of each class, got one of class {alone}")
    learner = labelled_vae(
        about.networks,
        num_classes=len(classes),
        rows_a_step=min(len(rows), about.batch_size),
        compactness=compactness,
        supervision=supervision,
        **settings,
    )
    told = of_each_seed(
        lambda key, before, data: learner.init(key)._replace(
            memory=Labelled(jnp.asarray(np.asarray(data.x[rows])), jnp.asarray(y, jnp.int32))
        )
    )
    return learner, told
