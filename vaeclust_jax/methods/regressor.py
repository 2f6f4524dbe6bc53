"""Regression: the last values of a row are predicted from the others, by the least squared error.

The network's code is the prediction: its L units stand for the last L values of a row. With rows that are stretches of
a series this is forecasting (`methods.forecaster`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

import jax
from jaxtyping import Array

from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.method import About, DataSpec, Method, check_at_least
from vaeclust_jax.methods.optimisers import LBFGS, Optax, Optimiser, check_optimiser, gentler_of, start_of, step_of
from vaeclust_jax.methods.starts import from_scratch
from vaeclust_jax.methods.vae import weighted_mean
from vaeclust_jax.random import normal
from vaeclust_jax.training.stopping import NEVER, validation_patience
from vaeclust_jax.types import Batch, Heads, Info, Key, Learner, Networks, Params, Stage, State


@dataclass(frozen=True)
class Regressor(Method):
    """Regression: the last latent_dim columns of a row are predicted from the others, by a network.

    Example:
        >>> x = np.linspace(0, 1, 60)
        >>> network = vc.Dense(latent_dim=1, hidden=(8,), activations=("tanh",))
        >>> run = vc.fit(vc.Config(vc.Regressor(epochs=2), network=network), np.stack([x, x**2], axis=1), 0)
        >>> run.regress([[0.5]]).shape
        (1, 1)
    """

    task: ClassVar[str] = "regression"
    generates: ClassVar[bool] = False
    takes_weights: ClassVar[bool] = True
    shared: ClassVar[tuple[str, ...]] = ("encoder",)

    epochs: int = 200
    """Epochs, at most; fewer where the loss of held-out rows does not fall any more."""
    optimiser: Optax | LBFGS = field(default_factory=Optax)
    """What follows the gradient. An optimiser of optax by its name, or L-BFGS."""
    cosine_decay: bool = False
    """The learning rate falls to 0 along half a cosine. It does so over all epochs, without early stopping."""
    noise: float = 0.0
    """Deviation of normal noise on what the network reads. It is added in training, in units of prepared values: in a
    closed loop a network reads its own errors (Bishop 1995)."""

    def network_shape(self, shape: tuple[int, ...], latent_dim: int) -> tuple[int, ...]:  # noqa: D102
        if len(shape) != 1:
            raise InputError(f"the method {type(self).__name__} takes vectors (n, F), got images (n, H, W, C)")
        if shape[0] <= latent_dim:
            raise InputError(
                f"latent_dim, the number of values that are predicted, must be below the {shape[0]} of a row, got "
                f"{latent_dim}"
            )
        return (shape[0] - latent_dim,)

    def check(self, data: DataSpec) -> None:  # noqa: D102
        check_at_least(self, epochs=1)
        if not 0 <= self.noise < math.inf:
            raise InputError(f"noise must be at least 0 and finite, got {self.noise}")
        if self.cosine_decay and isinstance(self.optimiser, LBFGS):
            raise InputError("L-BFGS has no learning rate: leave cosine_decay out, or choose another optimiser")

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        check_optimiser(self.optimiser, about.num_samples, about.batch_size)
        steps = self.epochs * -(-about.num_samples // about.batch_size)
        learner = regressor(
            about.networks,
            num_predicted=about.latent_dim,
            optimiser=self.optimiser,
            learning_rate=about.learning_rate,
            noise=self.noise,
            decay_steps=steps if self.cosine_decay else None,
        )
        # A rate that falls to 0 needs all its epochs: the last ones are the best.
        stopping = validation_patience(about.patience) if about.has_validation and not self.cosine_decay else NEVER
        return [Stage(self.task, learner, self.epochs, from_scratch(learner), stopping, self)]

    def heads(self, networks: Networks) -> Heads:  # noqa: D102
        return Heads(regress=regressing(networks))


@lru_cache
def regressing(networks: Networks) -> Callable[[Params, Array], Array]:
    """`Heads.regress`: the code."""
    return lambda params, x: networks.encoder.apply(params["encoder"], x)[0]


@lru_cache
def _static(
    networks: Networks, optimiser: Optimiser, num_predicted: int, noise: float, decay_steps: int | None
) -> Learner:
    predicted = regressing(networks)

    def judged(params: Params, read: Array, batch: Batch) -> tuple[Array, Info]:
        error = predicted(params, read) - batch.x[:, -num_predicted:]
        total = weighted_mean((error**2).mean(axis=1), batch.weight)
        return total, {"loss": total}

    def loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, Info]:
        read = batch.x[:, :-num_predicted]
        if noise > 0:
            read = read + noise * normal(key, read.shape)
        return judged(params, read, batch)

    return Learner(
        init=lambda key: start_of(optimiser, {"encoder": networks.encoder.init(key)}, 0.0),
        step=step_of(optimiser, loss, decay_steps),
        evaluate=lambda key, state, batch: judged(state.params, batch.x[:, :-num_predicted], batch)[1],
        gentler=gentler_of(optimiser),
    )


@lru_cache
def regressor(
    networks: Networks,
    *,
    num_predicted: int,
    optimiser: Optimiser,
    learning_rate: float = 1e-3,
    noise: float = 0.0,
    decay_steps: int | None = None,
) -> Learner:
    """The regressor as a `Learner`; its loss is the mean squared error of prepared values.

    Args:
        networks: of which the encoder's mean is the prediction.
        num_predicted: L, values at the end of a row that are predicted from those before them.
        optimiser: what follows the gradient.
        learning_rate: of an optimiser that has one.
        noise: deviation of what is added to the values that the network reads in training.
        decay_steps: steps over which the learning rate falls to 0; None: it stays.
    """
    static = _static(networks, optimiser, num_predicted, noise, decay_steps)

    def init(key: Key) -> State:
        return start_of(optimiser, {"encoder": networks.encoder.init(key)}, learning_rate)

    return static._replace(init=jax.jit(init))
