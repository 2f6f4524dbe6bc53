"""The deep Boltzmann machine of two hidden layers: a greedy start, then both layers at once.

Source: Salakhutdinov and Hinton, Deep Boltzmann machines, 2009; centred as Montavon and Müller 2012. Units are v, h1,
h2 and E = -a.v - c1.h1 - c2.h2 - v.W1.h1 - h1.W2.h2. Given h1, the units v and h2 are independent, and given those, h1
is: it is a restricted machine whose visible units are v and h2, so that Gibbs steps, clamped ones and annealing are
those of a restricted machine.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.control.constant import constant
from vaeclust_jax.control.linear import linear
from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.boltzmann import (
    Binarise,
    BoltzmannMethod,
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
from vaeclust_jax.methods.rbm import random_machine, rbm_stage, sample
from vaeclust_jax.methods.starts import of_each_seed
from vaeclust_jax.objectives.ais import base_rates
from vaeclust_jax.objectives.rbm import Offsets, RBMParams, bernoulli
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Heads, Key, Networks, Params, Rows, Stage, State


@dataclass(frozen=True)
class DBM(BoltzmannMethod):
    """A deep Boltzmann machine of two hidden layers: a distribution of binary units, with features of features.

    Example:
        >>> vc.DBM((500, 1000)).num_hidden
        (500, 1000)
    """

    shared: ClassVar[tuple[str, ...]] = ("encoder", "visible")

    num_hidden: tuple[int, int] = (200, 200)
    """Hidden units of the first and of the second layer."""
    pretrain_epochs: int = 20
    """Epochs of each layer alone, the greedy start."""
    epochs: int = 30
    """Epochs of both layers at once."""
    joint_rate: float = 0.2
    """What the learning rate is multiplied by in the end. That is once both layers are trained at once."""
    mean_field_steps: int = 10
    """Updates of both layers' means given a row."""
    sampler: PersistentDivergence = field(default_factory=lambda: PersistentDivergence(steps=5))
    """Chains that persist; those of the greedy start are as many."""

    def check(self, data: DataSpec) -> None:  # noqa: D102
        check_at_least(self, pretrain_epochs=1, epochs=1, mean_field_steps=1)
        if min(self.num_hidden) < 1:
            raise InputError(f"num_hidden must be two numbers of at least 1, got {self.num_hidden}")
        if not 0 < self.joint_rate <= 1:
            raise InputError(f"joint_rate must lie above 0 and be at most 1, got {self.joint_rate}")
        super().check(data)

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        first, second = self.num_hidden
        greedy = PersistentDivergence(1, self.sampler.chains)
        bottom = rbm_stage(
            "first", self, first, self.pretrain_epochs, greedy, about, form=restricted(about.shape, up=2.0)
        )
        top = rbm_stage(
            "second", self, second, self.pretrain_epochs, greedy, about,
            form=restricted((first,), down=2.0), below=lambda state: _twice(machine_of(state.params)),
        )  # fmt: skip
        return [bottom, top, self._joint(about)]

    def heads(self, networks: Networks) -> Heads:  # noqa: D102
        return _heads(self.binarise, self.mean_field_steps)

    def machine(self, params: Params) -> RBMParams:  # noqa: D102
        return deep_machine(params)

    def components(self, params: Params) -> dict[str, Float[Array, "v h"]]:  # noqa: D102
        weights = params["encoder"]["weights"]
        return {"first layer": weights, "second layer": weights @ params["encoder"]["top"]["weights"]}

    def energy(self, params: Params, visible: Float[Array, "n v"]) -> Float[Array, " n"]:  # noqa: D102
        return variational_energy(params, visible, self.mean_field_steps)

    def _joint(self, about: About) -> Stage:
        """Both layers, from the two machines of the greedy start."""
        form, sampler, numbers = deep(about.shape, self.mean_field_steps), self.sampler, int(np.prod(about.shape))
        rate = linear(0.0, num_epochs=self.epochs, start=self.joint_rate) if self.decay else constant(self.joint_rate)
        first, second = self.num_hidden

        def state_of(machine: RBMParams) -> State:
            return first_state(machine, form, sampler, about.learning_rate, self.momentum, rate)

        def start(key: Key, before: State | None, rows: Rows) -> State:
            assert before is not None
            upper, lower, means = machine_of(before.params), before.memory.below, before.memory.offsets
            machine = RBMParams(
                jnp.concatenate([lower.weights / 2, upper.weights.T]),
                jnp.concatenate([lower.visible, upper.hidden]),
                (lower.hidden + upper.visible) / 2,  # each is that of half the evidence
            )
            mean = jnp.asarray(mean_units(self.binarise, rows.x))
            offsets = Offsets(jnp.concatenate([mean, means.hidden]), means.visible)
            state = state_of(machine)
            rates = jnp.concatenate([base_rates(mean), upper.hidden])
            chains = bernoulli(key, jnp.broadcast_to(rates, state.memory.chains.shape))
            memory = state.memory._replace(chains=chains, offsets=offsets if self.centred else state.memory.offsets)
            return state._replace(memory=memory)

        def init(key: Key) -> State:
            return state_of(random_machine(key, numbers + second, first))

        learner = boltzmann(init, form, sampler, self.binarise, self.centred, rate.update)
        return Stage("joint", learner, self.epochs, of_each_seed(start), NEVER, self)


def _twice(machine: RBMParams) -> RBMParams:
    """With the weights that stand for the layer above, too."""
    return machine._replace(weights=2 * machine.weights)


def deep_machine(params: Params) -> RBMParams:
    """The restricted machine whose visible units are v and h2, and whose hidden ones are h1."""
    encoder = params["encoder"]
    return RBMParams(
        jnp.concatenate([encoder["weights"], encoder["top"]["weights"].T]),
        jnp.concatenate([params["visible"].ravel(), encoder["top"]["bias"]]),
        encoder["bias"],
    )


def deep_params(machine: RBMParams, shape: tuple[int, ...]) -> Params:
    """The inverse of `deep_machine`."""
    number = int(np.prod(shape))
    top = {"weights": machine.weights[number:].T, "bias": machine.visible[number:]}
    return {
        "encoder": {"weights": machine.weights[:number], "bias": machine.hidden, "top": top},
        "visible": machine.visible[:number].reshape(shape),
    }


def mean_field(params: Params, visible: Float[Array, "n v"], steps: int) -> tuple[Array, Array]:
    """Logits of the factorised posterior q(h1) q(h2) that bounds log p(v) from below, (n, H1) and (n, H2).

    It starts on the way up with doubled weights, in the place of the layer above, and every update raises the bound.
    """
    encoder = params["encoder"]
    top, evidence = encoder["top"], visible @ encoder["weights"]

    def above(first: Float[Array, "n h"]) -> Float[Array, "n g"]:
        return top["bias"][None] + jax.nn.sigmoid(first) @ top["weights"]

    def update(_: int, logits: tuple[Array, Array]) -> tuple[Array, Array]:
        first = encoder["bias"][None] + evidence + jax.nn.sigmoid(logits[1]) @ top["weights"].T
        return first, above(first)

    start = encoder["bias"][None] + 2 * evidence
    return jax.lax.fori_loop(0, steps, update, (start, above(start)))


def variational_energy(params: Params, visible: Float[Array, "n v"], steps: int) -> Float[Array, " n"]:
    """E_q[E] - H(q), nats: -log p(v) - log Z is at most that."""
    first, second = mean_field(params, visible, steps)
    machine, q1, q2 = deep_machine(params), jax.nn.sigmoid(first), jax.nn.sigmoid(second)
    both = jnp.concatenate([visible, q2], axis=1)
    energy = -both @ machine.visible - ((both @ machine.weights + machine.hidden[None]) * q1).sum(axis=1)
    entropy = sum((jax.nn.softplus(one) - one * jax.nn.sigmoid(one)).sum(axis=1) for one in (first, second))
    return energy - entropy


@lru_cache
def deep(shape: tuple[int, ...], steps: int) -> Form:
    """A machine of two hidden layers, of samples of this shape."""

    def infer(params: Params, v: Array) -> tuple[Array, Array]:
        first, second = mean_field(params, v, steps)
        return jnp.concatenate([v, jax.nn.sigmoid(second)], axis=1), jax.nn.sigmoid(first)

    def fit(key: Key, params: Params, v: Array) -> Array:
        """Cross-entropy of rows that are decoded from their means: what is watched, not what is learned."""
        hidden = infer(params, v)[1]
        logits = params["visible"].ravel()[None] + hidden @ params["encoder"]["weights"].T
        return (jax.nn.softplus(logits) - v * logits).sum(axis=1)

    return Form(
        shape,
        deep_machine,
        lambda machine: deep_params(machine, shape),
        infer,
        fit,
        energy=lambda params, v: variational_energy(params, v, steps),
    )


@lru_cache
def _heads(binarise: Binarise, steps: int) -> Heads:
    def encode(params: Params, x: Array) -> tuple[Array, Array]:
        logits = jnp.concatenate(mean_field(params, units_of(binarise, x), steps), axis=1)
        return jax.nn.sigmoid(logits), jax.nn.log_sigmoid(logits) + jax.nn.log_sigmoid(-logits)

    def drawn(key: Key, params: Params, number: int) -> Array:
        shape = params["visible"].shape
        return sample(key, deep_machine(params), number).mean[:, : int(np.prod(shape))].reshape(-1, *shape)

    def score(key: Key, params: Params, x: Array) -> Array:
        return variational_energy(params, units_of(binarise, x), steps)

    return Heads(encode=encode, score=score, sample=drawn)
