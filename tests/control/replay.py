"""Runs a controller over the losses of whole trainings, compiled as in training."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from vaeclust_jax.types import Controller, Info


class Replay(NamedTuple):
    state: Any
    in_force: np.ndarray
    """The weight of every epoch."""
    after: np.ndarray
    """What the controller made of it after that epoch."""
    info: dict[str, np.ndarray]


@partial(jax.jit, static_argnums=0)
def scan(update: Callable[..., Any], state: Any, rec: Array, kl: Array) -> tuple[Any, tuple[Array, Array, Info]]:
    def epoch(state: Any, losses: tuple[Array, Array]) -> tuple[Any, tuple[Array, Array, Info]]:
        new, info = update(state, {"loss": sum(losses), "reconstruction": losses[0], "kl": losses[1]})
        return new, (state.value, new.value, info)

    return jax.lax.scan(epoch, state, (rec, kl))


def replay(controller: Controller, rec: Any, kl: Any) -> Replay:
    rec, kl = (jnp.asarray(losses, jnp.float32) for losses in (rec, kl))
    state, outcome = scan(controller.update, controller.init(), rec, kl)
    return Replay(state, *jax.tree.map(np.asarray, outcome))


def closed_loop(controller: Controller, plant: Callable[[Array], tuple[Array, Array]], num_epochs: int) -> Replay:
    """A model whose losses (reconstruction, KL) follow the weight at once."""

    @jax.jit
    def run(state: Any) -> tuple[Any, tuple[Array, Array, Info]]:
        def epoch(state: Any, _: None) -> tuple[Any, tuple[Array, Array, Info]]:
            rec, kl = plant(state.value)
            new, info = controller.update(state, {"reconstruction": rec, "kl": kl})
            return new, (state.value, new.value, info)

        return jax.lax.scan(epoch, state, None, num_epochs)

    state, outcome = run(controller.init())
    return Replay(state, *jax.tree.map(np.asarray, outcome))
