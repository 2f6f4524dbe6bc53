"""What Boltzmann machines have in common: binary units in two groups, and learning from samples of the model.

A machine's units are in two groups with weights between them alone (`objectives.rbm`). The first visible units are the
data's. A deep machine has others beside them, and what these are given the data is inferred.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from vaeclust_jax.checks import check_types
from vaeclust_jax.control.constant import constant
from vaeclust_jax.control.controller import advancing
from vaeclust_jax.control.linear import linear
from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.method import DataSpec, Method, check_at_least
from vaeclust_jax.methods.vae import halved_learning_rate, weighted_mean
from vaeclust_jax.objectives.rbm import (
    Offsets,
    Phase,
    RBMParams,
    free_energy,
    gibbs_step,
    hidden_logits,
    likelihood_gradient,
    stochastic_pseudo_log_likelihood,
)
from vaeclust_jax.random import as_numbers
from vaeclust_jax.types import Batch, Controller, Info, Key, Learner, Params, State

_FOLLOWING = 0.01
"""How far hidden offsets go towards the mean of a batch in one step (Melchior, Fischer and Wiskott 2016)."""

sgd = optax.inject_hyperparams(optax.sgd)

Binarise = Literal["threshold", "none"]


@dataclass(frozen=True)
class ContrastiveDivergence:
    """Samples of the model are a few Gibbs steps from the batch (Hinton 2002): CD-k.

    Example:
        >>> vc.RBM(16, sampler=vc.ContrastiveDivergence(steps=25)).sampler
        ContrastiveDivergence(steps=25)
    """

    steps: int = 1
    """k, Gibbs steps from the batch."""

    def __post_init__(self) -> None:
        check_types(self)
        check_at_least(self, steps=1)


@dataclass(frozen=True)
class PersistentDivergence:
    """Samples of the model are chains that go on from step to step (Tieleman 2008): PCD-k.

    Example:
        >>> vc.RBM(16, sampler=vc.PersistentDivergence(chains=50)).sampler
        PersistentDivergence(steps=1, chains=50)
    """

    steps: int = 1
    """k, Gibbs steps between two updates."""
    chains: int = 100
    """Chains, which are part of the state."""

    def __post_init__(self) -> None:
        check_types(self)
        check_at_least(self, steps=1, chains=1)


@dataclass(frozen=True)
class BoltzmannMethod(Method):
    """Base of the methods that learn a distribution of binary units, up to its normalising constant."""

    task: ClassVar[str] = "density"
    usual_learning_rate: ClassVar[float] = 0.05
    usual_scaling: ClassVar[Literal["standardise", "minmax"]] = "minmax"
    unused: ClassVar[tuple[str, ...]] = ("network",)
    generates: ClassVar[bool] = False

    _: KW_ONLY
    binarise: Binarise = "threshold"
    """threshold: a value of at least 1/2 is 1, else 0. none: values in [0, 1] are taken as probabilities."""
    centred: bool = True
    """Units are centred by their means while training. Visible biases begin at the data's base rates."""
    decay: bool = True
    """The learning rate falls along a line, to nothing at the end."""
    momentum: float = 0.0
    """Of the gradient, from 0 to below 1."""

    def check(self, data: DataSpec) -> None:  # noqa: D102
        if not 0 <= self.momentum < 1:
            raise InputError(f"momentum must lie in 0 to below 1, got {self.momentum}")
        if data.low is not None and data.high is not None and not (data.low >= 0 and data.high <= 1):
            raise InputError(
                f"binary units need values in [0, 1], got {data.low:.4g} to {data.high:.4g} as they are scaled: use "
                "scaling 'none' for rows of 0 and 1, or 'minmax'"
            )

    @abstractmethod
    def machine(self, params: Params) -> RBMParams:
        """The two groups of units and their weights; the data's are the first of the visible ones."""

    @abstractmethod
    def components(self, params: Params) -> dict[str, Float[Array, "v h"]]:
        """By layer, what each hidden unit weighs the data's units by."""

    @abstractmethod
    def energy(self, params: Params, visible: Float[Array, "n v"]) -> Float[Array, " n"]:
        """-log p(v) - log Z in nats, or what it is at most: (n,)."""

    def rate(self, epochs: int) -> Controller:
        """What the learning rate is multiplied by."""
        return linear(0.0, num_epochs=epochs, start=1.0) if self.decay else constant(1.0)

    def units(self, x: Float[Array, "n ..."]) -> Float[Array, "n v"]:
        """Prepared rows as the data's units see them."""
        return units_of(self.binarise, x)


def units_of(binarise: str, x: Float[Array, "n ..."]) -> Float[Array, "n v"]:
    """Rows as vectors of units, 0 or 1, or as probabilities."""
    flat = x.reshape(len(x), -1)
    return jnp.asarray(flat >= 0.5, jnp.float32) if binarise == "threshold" else jnp.clip(flat, 0, 1)


class Memory(NamedTuple):
    """What learning keeps beside the parameters.

    Attributes:
        chains: (c, V) visible units of the persistent chains, or ().
        offsets: what units are centred by; zeros: they are not.
        below: the machine whose hidden units are this one's data, or ().
    """

    chains: Any
    offsets: Offsets
    below: Any


class Form(NamedTuple):
    """What kinds of machines differ in.

    Attributes:
        shape: of a sample.
        machine: (params) -> the machine.
        as_params: a gradient of the machine as one of the parameters.
        infer: (params, units of the data) -> the means of all visible units, and of all hidden ones.
        fit: (key, params, units of the data) -> (n,) nats, what is watched: lower is better.
        energy: (params, units of the data) -> (n,) nats.
        up, down: what the weights are multiplied by on the way to the hidden units and back: 2 stands for the layer
            that a greedy start does not have yet (Salakhutdinov and Hinton 2009).
    """

    shape: tuple[int, ...]
    machine: Callable[[Params], RBMParams]
    as_params: Callable[[RBMParams], Params]
    infer: Callable[[Params, Array], tuple[Array, Array]]
    fit: Callable[[Key, Params, Array], Array]
    energy: Callable[[Params, Array], Array]
    up: float = 1.0
    down: float = 1.0


def machine_of(params: Params) -> RBMParams:
    """Of the parameters of a restricted machine."""
    return RBMParams(params["encoder"]["weights"], params["visible"].ravel(), params["encoder"]["bias"])


def params_of(machine: RBMParams, shape: tuple[int, ...]) -> Params:
    """The inverse: what `Heads.encode` reads is under "encoder"; a visible bias a value of a sample, in its shape."""
    return {"encoder": {"weights": machine.weights, "bias": machine.hidden}, "visible": machine.visible.reshape(shape)}


@lru_cache
def restricted(shape: tuple[int, ...], up: float = 1.0, down: float = 1.0) -> Form:
    """A machine whose visible units are all the data's, of samples of this shape."""

    def scaled(params: Params) -> RBMParams:
        machine = machine_of(params)
        return machine._replace(weights=up * machine.weights)

    return Form(
        shape,
        machine_of,
        lambda machine: params_of(machine, shape),
        infer=lambda params, v: (v, jax.nn.sigmoid(hidden_logits(scaled(params), v))),
        fit=lambda key, params, v: -stochastic_pseudo_log_likelihood(key, scaled(params), v),
        energy=lambda params, v: free_energy(scaled(params), v),
        up=up,
        down=down,
    )


def boltzmann(
    init: Callable[[Key], State],
    form: Form,
    sampler: ContrastiveDivergence | PersistentDivergence,
    binarise: Binarise,
    centred: bool,
    update_rate: Any,
) -> Learner:
    """The machine as a `Learner`; `init`, which knows sizes and numbers, makes a `first_state`."""
    return Learner(init=jax.jit(init), **_functions(form, sampler, binarise, centred, update_rate))


@lru_cache  # machines that differ in sizes and numbers alone share them, and what is compiled of them
def _functions(
    form: Form,
    sampler: ContrastiveDivergence | PersistentDivergence,
    binarise: Binarise,
    centred: bool,
    update_rate: Any,
) -> dict[str, Any]:
    def seen(state: State, x: Float[Array, "n ..."]) -> Float[Array, "n v"]:
        return _seen(binarise, state.memory.below, x)

    def step(key: Key, state: State, batch: Batch) -> tuple[State, Info]:
        walk_key, watch_key = jax.random.split(key)
        v, memory = seen(state, batch.x), state.memory
        visible, hidden = form.infer(state.params, v)
        share = batch.weight / batch.weight.sum()
        data = Phase(visible, hidden, share)
        machine = form.machine(state.params)
        up, down = (machine._replace(weights=scale * machine.weights) for scale in (form.up, form.down))
        persistent = isinstance(sampler, PersistentDivergence)
        numbers, again = as_numbers(walk_key)
        chains = jax.lax.fori_loop(
            0,
            sampler.steps,
            lambda number, chains: gibbs_step(jax.random.fold_in(again(numbers), number), up, chains, down).visible,
            memory.chains if persistent else visible,
        )
        counts = jnp.full(len(chains), 1 / len(chains)) if persistent else share
        model = Phase(chains, jax.nn.sigmoid(hidden_logits(up, chains)), counts)
        offsets = memory.offsets
        if centred:
            moved = offsets.hidden + _FOLLOWING * (share @ hidden - offsets.hidden)
            offsets = offsets._replace(hidden=moved)
        downhill = jax.tree.map(jnp.negative, form.as_params(likelihood_gradient(data, model, offsets)))
        updates, opt_state = sgd(0.0, momentum=0.0).update(downhill, state.opt_state)
        rate = state.control["rate"].value
        params = jax.tree.map(lambda leaf, update: leaf + rate * update, state.params, updates)
        memory = memory._replace(chains=chains if persistent else memory.chains, offsets=offsets)
        now = state._replace(params=params, opt_state=opt_state, memory=memory, step=state.step + 1)
        return now, _watched(form, watch_key, state.params, v, batch.weight)

    return {
        "step": step,
        "evaluate": lambda key, state, batch: _watched(form, key, state.params, seen(state, batch.x), batch.weight),
        "advance": advancing(rate=update_rate),
        "gentler": halved_learning_rate,
    }


def _watched(form: Form, key: Key, params: Params, v: Array, weight: Array) -> Info:
    return {
        "loss": weighted_mean(form.fit(key, params, v), weight),
        "free_energy": weighted_mean(form.energy(params, v), weight),
    }


def first_state(
    machine: RBMParams,
    form: Form,
    sampler: ContrastiveDivergence | PersistentDivergence,
    learning_rate: float,
    momentum: float,
    rate: Controller,
) -> State:
    """A state at step 0, of which chains and offsets are still zeros."""
    v, h = machine.visible.shape[0], machine.hidden.shape[0]
    chains = jnp.zeros((sampler.chains, v)) if isinstance(sampler, PersistentDivergence) else ()
    params = form.as_params(machine)
    opt_state = sgd(0.0, momentum=0.0).init(params)
    for name, value in (("learning_rate", learning_rate), ("momentum", momentum)):
        opt_state = optax.tree_utils.tree_set(opt_state, **{name: jnp.asarray(value, jnp.float32)})
    memory = Memory(chains, Offsets(jnp.zeros(v), jnp.zeros(h)), ())
    return State(params, opt_state, {"rate": rate.init()}, memory, jnp.zeros((), jnp.int32))


def mean_units(binarise: str, x: Any, below: Any = ()) -> Float[np.ndarray, " v"]:
    """The mean of each unit of the data over all training rows, or of a machine's hidden units; read in blocks."""
    n, block = x.shape[0], 4096
    parts = (np.arange(start, min(start + block, n)) for start in range(0, n, block))
    seen = (_seen(binarise, below, jnp.asarray(x[rows])) for rows in parts)
    return np.asarray(sum(np.asarray(part, np.float64).sum(axis=0) for part in seen) / n, np.float32)


def _seen(binarise: str, below: Any, x: Float[Array, "n ..."]) -> Float[Array, "n v"]:
    """What a machine is shown of rows: their units, or what the machine below makes of them."""
    v = units_of(binarise, x)
    return jax.nn.sigmoid(hidden_logits(below, v)) if isinstance(below, RBMParams) else v
