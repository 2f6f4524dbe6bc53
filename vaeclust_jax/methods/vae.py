"""The variational autoencoder as a `Learner`: -ELBO = reconstruction + beta KL (Kingma and Welling 2014).

Its building blocks (losses of one batch, one optimiser step) serve the learners that add a clustering loss.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from vaeclust_jax.control.constant import as_controller
from vaeclust_jax.control.controller import Update, advancing
from vaeclust_jax.objectives.elbo import LIKELIHOODS, Likelihood, kl_to_standard_normal, sample_posterior
from vaeclust_jax.types import Batch, Controller, Heads, Info, Key, Learner, Networks, Params, State

# The learning rate is data in the optimiser's state: sweeping it does not compile again.
adam = optax.inject_hyperparams(optax.adam)

LossFunction = Callable[[Key, Params, State, Batch], tuple[Array, Info]]


def weighted_mean(values: Float[Array, " b"], weight: Float[Array, " b"]) -> Float[Array, ""]:
    """sum(w l) / (number of w > 0): padding rows (weight 0) do not count, whatever they hold.

    Not over sum(w), which would make what a row counts depend on the rows that are by chance in its batch.
    """
    return jnp.sum(jnp.where(weight > 0, values, 0.0) * weight) / jnp.sum(weight > 0)


class Codes(NamedTuple):
    """What a batch becomes on its way to the decoder."""

    mean: Float[Array, "b l"]
    """Of the posterior, as `logvar`."""
    logvar: Float[Array, "b l"]
    z: Float[Array, "b l"]
    """What the decoder sees: a draw of the posterior, or its mean."""


def vae_losses(
    networks: Networks, likelihood: Likelihood, deterministic: bool, key: Key, params: Params, batch: Batch
) -> tuple[Codes, Info]:
    """The codes and the loss parts of a batch; the encoder may see a view of it, the decoder gives back x itself.

    Args:
        deterministic: the decoder sees the mean instead of a draw ("deterministic VAE").

    Returns:
        Codes, and {"reconstruction", "kl"} in nats per sample.
    """
    seen = batch.x
    if networks.view is not None:
        view_key, key = jax.random.split(key)
        seen = networks.view(view_key, seen)
    mean, logvar = networks.encoder.apply(params["encoder"], seen)
    z = mean if deterministic else sample_posterior(key, mean, logvar)
    output = networks.decoder.apply(params["decoder"], z)
    reconstruction = likelihood.nll(params["likelihood"], batch.x, output)
    parts = {
        "reconstruction": weighted_mean(reconstruction, batch.weight),
        "kl": weighted_mean(kl_to_standard_normal(mean, logvar), batch.weight),
    }
    return Codes(mean, logvar, z), parts


def gradient_step(loss: LossFunction) -> Callable[[Key, State, Batch], tuple[State, Info]]:
    """`Learner.step` from a loss (key, params, state, batch) -> (loss, info): one Adam update."""

    def step(key: Key, state: State, batch: Batch) -> tuple[State, Info]:
        gradients, info = jax.grad(lambda params: loss(key, params, state, batch), has_aux=True)(state.params)
        return updated(state, gradients), info

    return step


def updated(state: State, gradients: Params) -> State:
    """The state after one Adam update."""
    updates, opt_state = adam(0.0).update(gradients, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    return state._replace(params=params, opt_state=opt_state, step=state.step + 1)


def first_state(params: Params, memory: Any = ()) -> State:
    """A `State` at step 0 with a fresh optimiser, whose swept numbers `with_numbers` fills in."""
    return State(params, adam(0.0).init(params), control={}, memory=memory, step=jnp.zeros((), jnp.int32))


def with_numbers(state: State, learning_rate: float, **weights: Controller) -> State:
    """A first state with its learning rate and fresh controllers of the weights by name."""
    rate = jnp.asarray(learning_rate, jnp.float32)
    opt_state = optax.tree_utils.tree_set(state.opt_state, learning_rate=rate)
    return state._replace(opt_state=opt_state, control={name: one.init() for name, one in weights.items()})


def halved_learning_rate(state: State) -> State:
    """`Learner.gentler` of all learners here."""
    rate = optax.tree_utils.tree_get(state.opt_state, "learning_rate")
    return state._replace(opt_state=optax.tree_utils.tree_set(state.opt_state, learning_rate=rate / 2))


@lru_cache
def _static(networks: Networks, likelihood_name: str, deterministic: bool, update_beta: Update) -> Learner:
    """All that does not depend on swept numbers, so that those never compile again."""
    likelihood = LIKELIHOODS[likelihood_name]

    def loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, Info]:
        _, parts = vae_losses(networks, likelihood, deterministic, key, params, batch)
        total = parts["reconstruction"] + state.control["beta"].value * parts["kl"]
        return total, {"loss": total, **parts}

    @jax.jit  # one program instead of dozens that XLA compiles one by one
    def init(key: Key) -> State:
        encoder_key, decoder_key = jax.random.split(key)
        params = {
            "encoder": networks.encoder.init(encoder_key),
            "decoder": networks.decoder.init(decoder_key),
            "likelihood": likelihood.init(),
        }
        return first_state(params)

    return Learner(
        init=init,
        step=gradient_step(loss),
        evaluate=lambda key, state, batch: loss(key, state.params, state, batch)[1],
        advance=advancing(beta=update_beta),
        gentler=halved_learning_rate,
        by_row=(),
        by_blocks=True,
    )


@lru_cache
def vae(
    networks: Networks,
    *,
    likelihood: str = "bernoulli",
    deterministic: bool = False,
    beta: float | Controller = 1.0,
    learning_rate: float = 1e-3,
) -> Learner:
    """A VAE as a `Learner`.

    Args:
        networks: encoder and decoder.
        likelihood: "bernoulli" or "squared" (x in [0, 1]) or "gaussian".
        deterministic: decode the posterior's mean; nothing is sampled.
        beta: weight of the KL term, or what controls it (`vaeclust_jax.control`).
        learning_rate: Adam's.
    """
    beta = as_controller(beta)
    static = _static(networks, likelihood, deterministic, beta.update)

    def init(key: Key) -> State:
        return with_numbers(static.init(key), learning_rate, beta=beta)

    return static._replace(init=init)


@lru_cache
def encoding(networks: Networks) -> Callable[[Params, Array], tuple[Array, Array]]:
    """`Heads.encode`, the same function for all models of these networks."""
    return lambda params, x: networks.encoder.apply(params["encoder"], x)


@lru_cache
def vae_heads(networks: Networks, likelihood_name: str, deterministic: bool = False) -> Heads:
    """What a VAE can be asked; what its clusters can be, others add."""
    likelihood, encode = LIKELIHOODS[likelihood_name], encoding(networks)

    def score(key: Key, params: Params, x: Array) -> Array:
        mean, logvar = encode(params, x)
        z = mean if deterministic else sample_posterior(key, mean, logvar)
        output = networks.decoder.apply(params["decoder"], z)
        return likelihood.nll(params["likelihood"], x, output) + kl_to_standard_normal(mean, logvar)

    return Heads(
        encode=encode,
        decode=lambda params, z: likelihood.mean(networks.decoder.apply(params["decoder"], z)),
        score=score,
        view=networks.view,
    )
