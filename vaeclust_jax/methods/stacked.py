"""A stacked autoencoder that classifies: greedy layers, a layer for the classes, then all of them by cross-entropy."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Self

import jax
from jaxtyping import Array

from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.classifier import Classifier, classified, classifier, judged, seen
from vaeclust_jax.methods.greedy import GreedyStart, RandomStart, beginning, from_layers
from vaeclust_jax.methods.method import About, DataSpec, check_at_least
from vaeclust_jax.methods.optimisers import Optimiser, check_optimiser, step_of
from vaeclust_jax.methods.starts import from_scratch
from vaeclust_jax.training.stopping import NEVER, validation_patience
from vaeclust_jax.types import Batch, Info, Key, Networks, Params, Stage, State


@dataclass(frozen=True)
class StackedAutoencoder(Classifier):
    """A stacked autoencoder: greedy layers without labels, then a layer for the classes, then all layers together.

    Source: Bengio et al., Greedy layer-wise training of deep networks, 2007.

    Example:
        >>> vc.StackedAutoencoder(start=vc.GreedyStart(noise=0.2), epochs=20).start.noise
        0.2
    """

    start: GreedyStart | RandomStart = field(default_factory=GreedyStart)
    """What the encoder begins as."""
    classes_epochs: int = 30
    """Epochs of the layer for the classes alone; 0: that stage is left out."""
    epochs: int = 50
    """Epochs of all layers together, at most; fewer where the loss of held-out rows does not fall any more."""

    def check(self, data: DataSpec) -> None:  # noqa: D102
        super().check(data)
        check_at_least(self, classes_epochs=0)
        self.start.check()
        if len(data.shape) != 3 or data.low is None or data.high is None or isinstance(self.start, RandomStart):
            return
        if data.low < 0 or data.high > 1:
            raise InputError(f"greedy layers of images need values in [0, 1], got {data.low:.4g} to {data.high:.4g}")

    def for_epochs(self, num_epochs: int) -> Self:  # noqa: D102
        return replace(super().for_epochs(num_epochs), start=self.start.for_epochs(num_epochs))

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        assert self.num_classes is not None, "resolved"
        check_optimiser(self.optimiser, about.num_samples, about.batch_size)
        whole = classifier(
            about.networks,
            latent_dim=about.latent_dim,
            num_classes=self.num_classes,
            optimiser=self.optimiser,
            learning_rate=about.learning_rate,
        )
        last = whole._replace(step=_last_layer(about.networks, self.optimiser))
        stages = []
        if self.classes_epochs > 0:
            stages.append(Stage("classes", last, self.classes_epochs, from_scratch(last), NEVER, self))
        scratch = from_scratch(whole)
        first = from_layers(scratch) if stages else scratch
        stopping = validation_patience(about.patience) if about.has_validation else NEVER
        stages.append(Stage("together", whole, self.epochs, first, stopping, self))
        likelihood = "bernoulli" if len(about.shape) == 3 else "gaussian"
        return beginning(stages, about, self.start, likelihood)


@lru_cache
def _last_layer(networks: Networks, optimiser: Optimiser) -> Callable[[Key, State, Batch], tuple[State, Info]]:
    """`Learner.step` that moves the layer for the classes alone."""

    def loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, Info]:
        x = seen(key, networks, batch.x)
        mean = jax.lax.stop_gradient(networks.encoder.apply(params["encoder"], x)[0])
        return judged(classified(params, mean), batch)

    return step_of(optimiser, loss)
