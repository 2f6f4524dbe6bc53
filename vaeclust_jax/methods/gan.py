"""A generative adversarial network: a generator of samples, and a discriminator that tells them from the data's.

Sources: Goodfellow et al., Generative Adversarial Nets, 2014, with the non-saturating loss of the generator; Radford,
Metz and Chintala, Unsupervised Representation Learning with Deep Convolutional GANs, 2016, for Adam's b1 of 0.5; Yazici
et al., The Unusual Effectiveness of Averaging in GAN Training, 2019, for the average of the generator's weights;
Mescheder, Geiger and Nowozin, Which Training Methods for GANs do actually Converge?, 2018, for the penalty R1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array

from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.method import About, DataSpec, Method, check_at_least
from vaeclust_jax.methods.starts import carry_on, from_scratch
from vaeclust_jax.methods.vae import first_state, gradient_step, halved_learning_rate, weighted_mean, with_numbers
from vaeclust_jax.random import normal, truncated_normal
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Batch, Heads, Info, Key, Learner, Networks, Params, Stage, State, Stopping

_MOMENTUM = 0.5
_PATIENCE = 10
"""Epochs in a row in which one of the two is dead."""
_NO_DOUBT, _NO_SPREAD, _SAME_LOGIT = 0.01, 0.02, 1e-3
"""A discriminator's loss (nats) at which it is never in doubt, the spread of samples beside that of the data at which
they are one sample, and the spread of its logits at which it says the same of everything."""


@dataclass(frozen=True)
class GAN(Method):
    """A generative adversarial network (Goodfellow et al., 2014): new samples like the data's, and no clusters.

    Example:
        >>> vc.Config(vc.GAN(r1=1.0)).method
        GAN(epochs=100, average=0.999, r1=1.0)
    """

    task: ClassVar[str] = "generation"
    shared: ClassVar[tuple[str, ...]] = ("generator", "average", "discriminator")

    epochs: int = 100
    """Epochs, all of which are run unless one of the two networks is dead: no loss says when a GAN is done."""
    average: float = 0.999
    """What a step keeps of the average of the weights. Samples are of this exponential average of the generator's
    weights, of which the first steps keep less; 0: of the last weights."""
    r1: float = 0.0
    """Weight of the penalty R1. That is half the squared gradient of the discriminator's logit at the data."""

    def check(self, data: DataSpec) -> None:  # noqa: D102
        check_at_least(self, epochs=1, r1=0.0)
        if not 0 <= self.average < 1:
            raise InputError(f"average must lie in 0 to below 1, got {self.average}")

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        learner = gan(about.networks, about.latent_dim, about.learning_rate, self.average, self.r1)
        last = Stage("gan", learner, self.epochs, from_scratch(learner), DEAD, replace(self, average=0.0))
        return [last] if self.average == 0 else [last, Stage("average", learner, 0, carry_on, NEVER, self)]

    def died(self, history: Sequence[Mapping[str, Any]]) -> str | None:  # noqa: D102
        return why_stopped([info for info in history if "logit_spread" in info])

    def heads(self, networks: Networks) -> Heads:  # noqa: D102
        return _heads(networks, "generator" if self.average == 0 else "average")


@lru_cache
def _heads(networks: Networks, weights: str) -> Heads:
    def sample(key: Key, params: Params, number: int) -> Array:
        latent_dim = params["discriminator"]["kernel"].shape[0]
        return generated(networks, params[weights], normal(key, (number, latent_dim)))

    return Heads(sample=sample)


def generated(networks: Networks, generator: Params, z: Array) -> Array:
    """The generator's samples of codes: images in [0, 1], vectors as they come."""
    output = networks.decoder.apply(generator, z)
    return jax.nn.sigmoid(output) if output.ndim == 4 else output


def _realness(networks: Networks, discriminator: Params, x: Array) -> Array:
    """Logit that each sample is one of the data's, (n,)."""
    features = jax.nn.relu(networks.encoder.apply(discriminator["trunk"], x)[0])
    return features @ discriminator["kernel"] + discriminator["bias"]


def why_stopped(infos: Sequence[Mapping[str, Any]]) -> str | None:
    """Which of the two was dead in the last epochs, as a sentence; None: neither.

    Args:
        infos: of the epochs, in their order.
    """
    last = infos[-_PATIENCE:]
    if len(last) < _PATIENCE:
        return None
    epoch = len(infos)
    if all(info["logit_spread"] < _SAME_LOGIT for info in last):
        return f"The discriminator says the same of everything: it is dead, and training stopped at epoch {epoch}."
    if all(info["sample_spread"] < _NO_SPREAD for info in last):
        return f"The generator makes one sample alone: it is dead, and training stopped at epoch {epoch}."
    if all(info["discriminator"] < _NO_DOUBT for info in last):
        return (
            f"The discriminator is never in doubt, and so the generator learns nothing: training stopped at epoch "
            f"{epoch}; a lower learning rate or a larger r1 may help."
        )
    return None


def _dead_for(count: Array, state: State, info: Info) -> tuple[Array, Array]:
    """Each of three signs counts its epochs in a row, (3,)."""
    signs = jnp.stack(
        [
            info["logit_spread"] < _SAME_LOGIT,
            info["sample_spread"] < _NO_SPREAD,
            info["discriminator"] < _NO_DOUBT,
        ]
    )
    count = jnp.where(signs, count + 1, 0)
    return count, count.max() >= _PATIENCE


DEAD = Stopping(lambda state: jnp.zeros(3, jnp.int32), _dead_for, lambda count, state: state)
"""A stage ends when a network has been dead for ten epochs in a row, with its last state."""


@lru_cache
def _static(networks: Networks, latent_dim: int, average: float, r1: float) -> Learner:
    def losses(key: Key, params: Params, batch: Batch) -> Info:
        z = normal(key, (len(batch.weight), latent_dim))
        frozen = jax.lax.stop_gradient
        fake = generated(networks, params["generator"], z)
        of_real = _realness(networks, params["discriminator"], batch.x)
        of_fake = _realness(networks, params["discriminator"], frozen(fake))
        fooled = _realness(networks, frozen(params["discriminator"]), fake)
        found = {
            "discriminator": weighted_mean(jax.nn.softplus(-of_real) + jax.nn.softplus(of_fake), batch.weight),
            "generator": weighted_mean(jax.nn.softplus(-fooled), batch.weight),
            "sample_spread": _spread(fake, batch.weight) / jnp.maximum(_spread(batch.x, batch.weight), 1e-12),
            "logit_spread": _spread(jnp.concatenate([of_real, of_fake]), jnp.tile(batch.weight, 2)),
        }
        if r1 > 0:
            slope = jax.grad(lambda x: _realness(networks, params["discriminator"], x).sum())(batch.x)
            squared = jnp.square(slope).reshape(len(slope), -1).sum(axis=1)
            found["penalty"] = r1 / 2 * weighted_mean(squared, batch.weight)
        return found

    def loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, Info]:
        parts = losses(key, params, batch)
        # Each sees its own gradient alone; Adam goes weight by weight, and so is an optimiser for either.
        total = parts["discriminator"] + parts["generator"] + parts.get("penalty", 0.0)
        return total, {"loss": total, **parts}

    follow = gradient_step(loss)

    def step(key: Key, state: State, batch: Batch) -> tuple[State, Info]:
        state, info = follow(key, state, batch)
        taken = state.step.astype(jnp.float32)
        keep = jnp.minimum(average, (1 + taken) / (10 + taken))  # early weights are soon forgotten
        mixed = jax.tree.map(
            lambda old, new: keep * old + (1 - keep) * new, state.params["average"], state.params["generator"]
        )
        return state._replace(params={**state.params, "average": mixed}), info

    return Learner(
        init=lambda key: first_state({}),
        step=step,
        evaluate=lambda key, state, batch: loss(key, state.params, state, batch)[1],
        gentler=halved_learning_rate,
        by_blocks=True,
    )


def _spread(x: Array, weight: Array) -> Array:
    """Standard deviation over the rows that are no padding, root mean square of the features."""
    here = (weight > 0).astype(jnp.float32)
    rows = x.reshape(len(x), -1)
    mean = (here @ rows) / here.sum()
    return jnp.sqrt((here @ jnp.square(rows - mean[None])).mean() / here.sum())


@lru_cache
def gan(
    networks: Networks, latent_dim: int, learning_rate: float = 1e-3, average: float = 0.999, r1: float = 0.0
) -> Learner:
    """The GAN as a `Learner`.

    Args:
        networks: the decoder generates, the encoder's mean is the discriminator's last hidden layer.
        latent_dim: L, of the codes that are generated from, N(0, I), and that layer's width.
        learning_rate: Adam's.
        average: what a step keeps of the average of the generator's weights.
        r1: weight of the penalty on the discriminator's gradient at the data.
    """
    static = _static(networks, latent_dim, average, r1)

    def init(key: Key) -> State:
        generator_key, trunk_key, last_key = jax.random.split(key, 3)
        discriminator = {
            "trunk": networks.encoder.init(trunk_key),
            "kernel": truncated_normal(last_key, (latent_dim,), 1 / latent_dim),
            "bias": jnp.zeros(()),
        }
        generator = networks.decoder.init(generator_key)
        params = {"generator": generator, "average": generator, "discriminator": discriminator}
        state = with_numbers(first_state(params), learning_rate)
        return state._replace(opt_state=optax.tree_utils.tree_set(state.opt_state, b1=jnp.float32(_MOMENTUM)))

    return static._replace(init=jax.jit(init))
