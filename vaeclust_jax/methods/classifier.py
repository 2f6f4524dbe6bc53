"""A supervised classifier: the encoder of the config's network, a ReLU, and a linear layer, by cross-entropy."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array

from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.method import About, DataSpec, Method, check_at_least, check_views
from vaeclust_jax.methods.optimisers import LBFGS, Optax, Optimiser, check_optimiser, gentler_of, start_of, step_of
from vaeclust_jax.methods.starts import from_scratch
from vaeclust_jax.methods.vae import encoding, weighted_mean
from vaeclust_jax.random import truncated_normal
from vaeclust_jax.training.stopping import NEVER, validation_patience
from vaeclust_jax.types import Batch, Heads, Info, Key, Learner, Networks, Params, Stage, State

_ADAM = Optax()


@dataclass(frozen=True)
class Classifier(Method):
    """A supervised classifier: of images a CNN, of vectors an MLP; it learns from all labels.

    Example:
        >>> x, y = np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0), np.repeat([0, 1], 30)
        >>> config = vc.Config(vc.Classifier(epochs=1), network=vc.MLP(hidden=(8,)))
        >>> vc.fit(config, x, 0, partial_labels=y).predict(x).shape
        (60,)
    """

    task: ClassVar[str] = "classification"
    needs_labels: ClassVar[bool] = True
    generates: ClassVar[bool] = False
    takes_weights: ClassVar[bool] = True
    shared: ClassVar[tuple[str, ...]] = ("encoder", "classes")

    num_classes: int | None = None
    """Classes; left out: as many as the labels name."""
    epochs: int = 30
    """Epochs, at most; fewer where the loss of held-out rows does not fall any more."""
    optimiser: Optax | LBFGS = field(default_factory=Optax)
    """What follows the gradient. An optimiser of optax by its name, or L-BFGS."""
    augment: float = 0.0
    """Images: strength of the random views that are trained on. 1 stands for shifts of up to a tenth of the size, turns
    of up to 10 degrees and zooms of up to a tenth."""

    def resolved(self, data: DataSpec) -> Self:  # noqa: D102
        return self if self.num_classes is not None else replace(self, num_classes=data.num_classes)

    def check(self, data: DataSpec) -> None:  # noqa: D102
        check_at_least(self, epochs=1)
        check_views(self.augment, data)
        if data.num_classes == 1 and self.num_classes == 1:
            raise InputError("all labels are of one class: a classifier needs two at least")
        if self.num_classes is None or self.num_classes < 2:
            raise InputError(f"num_classes must be at least 2, got {self.num_classes}")
        if data.num_classes is not None and data.num_classes > self.num_classes:
            raise InputError(f"num_classes must be at least {data.num_classes}, as labels say, got {self.num_classes}")

    def view_strength(self) -> float:  # noqa: D102
        return self.augment

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        assert self.num_classes is not None, "resolved"
        check_optimiser(self.optimiser, about.num_samples, about.batch_size)
        learner = classifier(
            about.networks,
            latent_dim=about.latent_dim,
            num_classes=self.num_classes,
            optimiser=self.optimiser,
            learning_rate=about.learning_rate,
        )
        stopping = validation_patience(about.patience) if about.has_validation else NEVER
        return [Stage("classifier", learner, self.epochs, from_scratch(learner), stopping, self)]

    def heads(self, networks: Networks) -> Heads:  # noqa: D102
        return _heads(networks)


@lru_cache
def _heads(networks: Networks) -> Heads:
    return Heads(
        encode=encoding(networks),
        predict=lambda params, x: jax.nn.log_softmax(_logits(networks, params, x)),
        view=networks.view,
    )


def _logits(networks: Networks, params: Params, x: Array) -> Array:
    return classified(params, networks.encoder.apply(params["encoder"], x)[0])


def classified(params: Params, mean: Array) -> Array:
    """Logits of the classes from the encoder's mean."""
    features = jax.nn.relu(mean)
    return features @ params["classes"]["kernel"] + params["classes"]["bias"][None]


def judged(logits: Array, batch: Batch) -> tuple[Array, Info]:
    """Cross-entropy (nats a sample), and beside it the share that is wrong."""
    nll = optax.losses.softmax_cross_entropy_with_integer_labels(logits, batch.y)
    wrong = jnp.asarray(logits.argmax(axis=-1) != batch.y, jnp.float32)
    total = weighted_mean(nll, batch.weight)
    return total, {"loss": total, "error": weighted_mean(wrong, batch.weight)}


def seen(key: Key, networks: Networks, x: Array) -> Array:
    """What a step sees of its rows: a view of them, where the networks have one."""
    return x if networks.view is None else networks.view(key, x)


def _step_in_training(
    networks: Networks, train: Callable[..., Any], optimiser: Optimiser
) -> Callable[[Key, State, Batch], tuple[State, Info]]:
    """`Learner.step` of an encoder that is another function while it is trained: see `Network.train`.

    No gradient reaches what it hands on (running statistics), and it is replaced here.
    """

    def loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, Any]:
        train_key, view_key = (key, key) if networks.view is None else jax.random.split(key)
        x = seen(view_key, networks, batch.x)
        (mean, _), handed_on = train(train_key, params["encoder"], batch.weight, x)
        total, info = judged(classified(params, mean), batch)
        return total, (info, handed_on)

    step: Callable[[Key, State, Batch], tuple[State, Any]] = step_of(optimiser, loss)

    def replacing(key: Key, state: State, batch: Batch) -> tuple[State, Info]:
        state, (info, handed_on) = step(key, state, batch)
        params = {**state.params, "encoder": {**state.params["encoder"], **handed_on}}
        return state._replace(params=params), info

    return replacing


@lru_cache
def _static(networks: Networks, optimiser: Optimiser) -> Learner:
    def loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, Info]:
        return judged(_logits(networks, params, seen(key, networks, batch.x)), batch)

    train = networks.encoder.train
    return Learner(
        init=lambda key: start_of(optimiser, {"encoder": networks.encoder.init(key)}, 0.0),
        step=step_of(optimiser, loss) if train is None else _step_in_training(networks, train, optimiser),
        evaluate=lambda key, state, batch: judged(_logits(networks, state.params, batch.x), batch)[1],
        gentler=gentler_of(optimiser),
    )


@lru_cache
def classifier(
    networks: Networks,
    *,
    latent_dim: int,
    num_classes: int,
    optimiser: Optimiser = _ADAM,
    learning_rate: float = 1e-3,
) -> Learner:
    """The classifier as a `Learner`.

    Args:
        networks: of which the encoder's mean is the last hidden layer.
        latent_dim: L, its width.
        num_classes: C.
        optimiser: what follows the gradient.
        learning_rate: of an optimiser that has one.
    """
    static = _static(networks, optimiser)

    def init(key: Key) -> State:
        encoder_key, classes_key = jax.random.split(key)
        kernel = truncated_normal(classes_key, (latent_dim, num_classes), 1 / latent_dim)
        params = {
            "encoder": networks.encoder.init(encoder_key),
            "classes": {"kernel": kernel, "bias": jnp.zeros(num_classes)},
        }
        return start_of(optimiser, params, learning_rate)

    return static._replace(init=jax.jit(init))
