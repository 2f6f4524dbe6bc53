"""A generative adversarial network: a generator of samples, and a discriminator that tells them from the data's.

Source: Goodfellow et al., Generative Adversarial Nets, 2014, with the non-saturating loss of the generator. Both follow
their gradients at the same time, with one Adam.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array

from vaeclust_jax.methods.method import About, DataSpec, Method, check_at_least
from vaeclust_jax.methods.starts import from_scratch
from vaeclust_jax.methods.vae import first_state, gradient_step, halved_learning_rate, weighted_mean, with_numbers
from vaeclust_jax.random import normal, truncated_normal
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Batch, Heads, Info, Key, Learner, Networks, Params, Stage, State


@dataclass(frozen=True)
class GAN(Method):
    """A generative adversarial network (Goodfellow et al., 2014): new samples like the data's, and no clusters."""

    task: ClassVar[str] = "generation"
    shared: ClassVar[tuple[str, ...]] = ("generator", "discriminator")

    epochs: int = 100
    """Epochs, all of which are run: no loss says when a GAN is done."""

    def check(self, data: DataSpec) -> None:  # noqa: D102
        check_at_least(self, epochs=1)

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        learner = gan(about.networks, about.latent_dim, about.learning_rate)
        return [Stage("gan", learner, self.epochs, from_scratch(learner), NEVER, self)]

    def heads(self, networks: Networks) -> Heads:  # noqa: D102
        return _heads(networks)


@lru_cache
def _heads(networks: Networks) -> Heads:
    def sample(key: Key, params: Params, number: int) -> Array:
        latent_dim = params["discriminator"]["kernel"].shape[0]
        return generated(networks, params["generator"], normal(key, (number, latent_dim)))

    return Heads(sample=sample)


def generated(networks: Networks, generator: Params, z: Array) -> Array:
    """The generator's samples of codes: images in [0, 1], vectors as they come."""
    output = networks.decoder.apply(generator, z)
    return jax.nn.sigmoid(output) if output.ndim == 4 else output


def _realness(networks: Networks, discriminator: Params, x: Array) -> Array:
    """Logit that each sample is one of the data's, (n,)."""
    features = jax.nn.relu(networks.encoder.apply(discriminator["trunk"], x)[0])
    return features @ discriminator["kernel"] + discriminator["bias"]


@lru_cache
def _static(networks: Networks, latent_dim: int) -> Learner:
    def losses(key: Key, params: Params, batch: Batch) -> Info:
        z = normal(key, (len(batch.weight), latent_dim))
        frozen = jax.lax.stop_gradient
        fake = generated(networks, params["generator"], z)
        of_real = _realness(networks, params["discriminator"], batch.x)
        of_fake = _realness(networks, params["discriminator"], frozen(fake))
        fooled = _realness(networks, frozen(params["discriminator"]), fake)
        return {
            "discriminator": weighted_mean(jax.nn.softplus(-of_real) + jax.nn.softplus(of_fake), batch.weight),
            "generator": weighted_mean(jax.nn.softplus(-fooled), batch.weight),
        }

    def loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, Info]:
        parts = losses(key, params, batch)
        total = parts["discriminator"] + parts["generator"]  # each sees its own gradient alone
        return total, {"loss": total, **parts}

    return Learner(
        init=lambda key: first_state({}),
        step=gradient_step(loss),
        evaluate=lambda key, state, batch: loss(key, state.params, state, batch)[1],
        gentler=halved_learning_rate,
    )


@lru_cache
def gan(networks: Networks, latent_dim: int, learning_rate: float = 1e-3) -> Learner:
    """The GAN as a `Learner`.

    Args:
        networks: the decoder generates, the encoder's mean is the discriminator's last hidden layer.
        latent_dim: L, of the codes that are generated from, N(0, I), and that layer's width.
        learning_rate: Adam's.
    """
    static = _static(networks, latent_dim)

    def init(key: Key) -> State:
        generator_key, trunk_key, last_key = jax.random.split(key, 3)
        discriminator = {
            "trunk": networks.encoder.init(trunk_key),
            "kernel": truncated_normal(last_key, (latent_dim,), 1 / latent_dim),
            "bias": jnp.zeros(()),
        }
        params = {"generator": networks.decoder.init(generator_key), "discriminator": discriminator}
        return with_numbers(first_state(params), learning_rate)

    return static._replace(init=jax.jit(init))
