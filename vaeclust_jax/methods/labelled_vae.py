"""A VAE that keeps the few samples whose class is known together: L = reconstruction + beta KL + supervision CR.

Source: the semi-supervised dynamic beta-VAE, Rydhmer and Selvan 2021; CR is `objectives.compactness`, whose form "sum"
is theirs. Every step draws labelled rows of its own beside the batch: among the rows of a batch there may be none.
"""

from functools import lru_cache
from typing import NamedTuple

import jax
from jaxtyping import Array, Float, Int

from vaeclust_jax.control.constant import as_controller
from vaeclust_jax.control.controller import Update, advancing
from vaeclust_jax.methods.vae import gradient_step, vae, vae_losses, with_numbers
from vaeclust_jax.objectives.compactness import Compactness, compactness_ratio
from vaeclust_jax.objectives.elbo import LIKELIHOODS
from vaeclust_jax.types import Batch, Controller, Info, Key, Learner, Networks, Params, State


class Labelled(NamedTuple):
    """The training rows whose class is known, `State.memory`; no other label reaches the learner."""

    x: Float[Array, "m ..."]
    y: Int[Array, " m"]


@lru_cache
def _static(
    networks: Networks,
    likelihood_name: str,
    deterministic: bool,
    num_classes: int,
    rows_a_step: int,
    form: Compactness,
    update_beta: Update,
    update_supervision: Update,
) -> Learner:
    likelihood = LIKELIHOODS[likelihood_name]

    def loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, Info]:
        noise_key, rows_key = jax.random.split(key)
        _, parts = vae_losses(networks, likelihood, deterministic, noise_key, params, batch)
        rows = jax.random.permutation(rows_key, len(state.memory.y))[:rows_a_step]
        mean, _ = networks.encoder.apply(params["encoder"], state.memory.x[rows])
        parts["compactness"] = compactness_ratio(mean, state.memory.y[rows], num_classes, form)
        vae_loss = parts["reconstruction"] + state.control["beta"].value * parts["kl"]
        total = vae_loss + state.control["supervision"].value * parts["compactness"]
        return total, {"loss": total, **parts, "vae_loss": vae_loss}

    base = vae(networks, likelihood=likelihood_name, deterministic=deterministic)
    return base._replace(
        step=gradient_step(loss), advance=advancing(beta=update_beta, supervision=update_supervision), by_blocks=False
    )


@lru_cache
def labelled_vae(
    networks: Networks,
    *,
    num_classes: int,
    rows_a_step: int,
    compactness: Compactness = "mean",
    likelihood: str = "bernoulli",
    deterministic: bool = False,
    beta: float | Controller = 1.0,
    supervision: float | Controller = 0.2,
    learning_rate: float = 1e-3,
) -> Learner:
    """A semi-supervised VAE as a `Learner`. A stage starts it with `State.memory` a `Labelled`.

    Args:
        networks: encoder and decoder.
        num_classes: of the labels.
        rows_a_step: labelled rows that a step draws, without replacement; all if there are fewer.
        compactness: form of the ratio.
        likelihood: "bernoulli" or "squared" (x in [0, 1]) or "gaussian".
        deterministic: decode the posterior's mean.
        beta: weight of the KL term, or what controls it.
        supervision: weight of the compactness ratio, likewise.
        learning_rate: Adam's.
    """
    beta, supervision = as_controller(beta), as_controller(supervision)
    updates = beta.update, supervision.update
    static = _static(networks, likelihood, deterministic, num_classes, rows_a_step, compactness, *updates)

    def init(key: Key) -> State:
        return with_numbers(static.init(key), learning_rate, beta=beta, supervision=supervision)

    return static._replace(init=init)
