"""The restricted Boltzmann machine as a method: CD-k or PCD-k, centred or not.

Sources: Hinton 2002 (contrastive divergence); Tieleman, Training restricted Boltzmann machines using approximations to
the likelihood gradient, 2008 (persistent chains); Melchior, Fischer and Wiskott, How to center deep Boltzmann machines,
2016.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.methods.boltzmann import (
    Binarise,
    BoltzmannMethod,
    ContrastiveDivergence,
    Form,
    PersistentDivergence,
    boltzmann,
    first_state,
    machine_of,
    mean_units,
    restricted,
    units_of,
)
from vaeclust_jax.methods.method import About, DataSpec, check_at_least
from vaeclust_jax.methods.starts import of_each_seed
from vaeclust_jax.objectives.ais import base_rates
from vaeclust_jax.objectives.rbm import Chain, Offsets, RBMParams, bernoulli, free_energy, gibbs, visible_logits
from vaeclust_jax.random import normal
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Heads, Key, Networks, Params, Rows, Stage, State

_DEVIATION = 0.01
"""Of the first weights, as Hinton, A practical guide to training restricted Boltzmann machines, 2012, section 8."""
_STEPS = 1000
"""Gibbs steps to a new sample."""


@dataclass(frozen=True)
class RBM(BoltzmannMethod):
    """A restricted Boltzmann machine: a distribution of binary units, with features instead of clusters.

    Example:
        >>> method = vc.RBM(16, sampler=vc.ContrastiveDivergence(steps=5))
        >>> method.num_hidden, method.centred
        (16, True)
    """

    shared: ClassVar[tuple[str, ...]] = ("encoder", "visible")

    num_hidden: int = 200
    """Hidden units, the components."""
    epochs: int = 30
    """Epochs, all of which are run."""
    sampler: PersistentDivergence | ContrastiveDivergence = field(default_factory=PersistentDivergence)
    """Where samples of the model come from. Chains that persist, or a few steps from the batch (contrastive)."""

    def check(self, data: DataSpec) -> None:  # noqa: D102
        check_at_least(self, num_hidden=1, epochs=1)
        super().check(data)

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        return [rbm_stage("rbm", self, self.num_hidden, self.epochs, self.sampler, about, model=self)]

    def heads(self, networks: Networks) -> Heads:  # noqa: D102
        return rbm_heads(self.binarise)

    def machine(self, params: Params) -> RBMParams:  # noqa: D102
        return machine_of(params)

    def components(self, params: Params) -> dict[str, Float[Array, "v h"]]:  # noqa: D102
        return {"components": params["encoder"]["weights"]}

    def energy(self, params: Params, visible: Float[Array, "n v"]) -> Float[Array, " n"]:  # noqa: D102
        return free_energy(machine_of(params), visible)


def rbm_stage(
    name: str,
    method: BoltzmannMethod,
    num_hidden: int,
    epochs: int,
    sampler: PersistentDivergence | ContrastiveDivergence,
    about: About,
    *,
    form: Form | None = None,
    below: Callable[[State], RBMParams] | None = None,
    model: BoltzmannMethod | None = None,
) -> Stage:
    """A restricted machine on the data.

    Args:
        name: of the stage.
        method: with the settings that all machines have.
        num_hidden: H.
        epochs: of the stage.
        sampler: of the model.
        about: the fit.
        form: of the machine, `restricted` if left out.
        below: (last state of the stage before) -> the machine whose hidden units are this one's data.
        model: what the stage ends with.
    """
    form = restricted(about.shape) if form is None else form
    rate = method.rate(epochs)
    num_visible = int(np.prod(form.shape))

    def init(key: Key) -> State:
        machine = random_machine(key, num_visible, num_hidden)
        return first_state(machine, form, sampler, about.learning_rate, method.momentum, rate)

    learner = boltzmann(init, form, sampler, method.binarise, method.centred, rate.update)

    def start(key: Key, before: State | None, rows: Rows) -> State:
        under = () if below is None or before is None else below(before)
        return begin(key, learner.init, form, method.centred, mean_units(method.binarise, rows.x, under), under)

    return Stage(name, learner, epochs, of_each_seed(start), NEVER, model)


def begin(
    key: Key, init: Callable[[Key], State], form: Form, centred: bool, mean: Float[np.ndarray, " v"], below: Any = ()
) -> State:
    """The first state of a machine whose data have these means."""
    weights_key, chains_key = jax.random.split(key)
    state = init(weights_key)
    machine, memory, rates = form.machine(state.params), state.memory, base_rates(jnp.asarray(mean))
    if centred:
        machine = machine._replace(visible=rates)
        memory = memory._replace(offsets=Offsets(jnp.asarray(mean), jnp.full(machine.hidden.shape, 0.5)))
    chains = jax.tree.map(lambda zeros: bernoulli(chains_key, jnp.broadcast_to(rates, zeros.shape)), memory.chains)
    return state._replace(params=form.as_params(machine), memory=memory._replace(chains=chains, below=below))


def random_machine(key: Key, num_visible: int, num_hidden: int) -> RBMParams:
    """Small random weights and no biases."""
    weights = _DEVIATION * normal(key, (num_visible, num_hidden))
    return RBMParams(weights, jnp.zeros(num_visible), jnp.zeros(num_hidden))


@lru_cache
def rbm_heads(binarise: Binarise) -> Heads:
    """What a restricted machine can be asked.

    A code holds the probabilities of hidden units; a sample those of visible units, as that of a decoder does.
    """

    def encode(params: Params, x: Array) -> tuple[Array, Array]:
        logits = units_of(binarise, x) @ params["encoder"]["weights"] + params["encoder"]["bias"][None]
        return jax.nn.sigmoid(logits), jax.nn.log_sigmoid(logits) + jax.nn.log_sigmoid(-logits)

    return Heads(
        encode=encode,
        decode=lambda params, z: _shaped(params, jax.nn.sigmoid(visible_logits(machine_of(params), z))),
        score=lambda key, params, x: free_energy(machine_of(params), units_of(binarise, x)),
        sample=lambda key, params, number: _shaped(params, sample(key, machine_of(params), number).mean),
    )


def _shaped(params: Params, visible: Float[Array, "n v"]) -> Float[Array, "n ..."]:
    return visible.reshape(-1, *params["visible"].shape)


def sample(key: Key, machine: RBMParams, number: int, steps: int = _STEPS) -> Chain:
    """Chains after Gibbs steps from independent units with the machine's biases."""
    start_key, walk_key = jax.random.split(key)
    start = bernoulli(start_key, jnp.broadcast_to(machine.visible, (number, len(machine.visible))))
    return gibbs(walk_key, machine, start, steps)
