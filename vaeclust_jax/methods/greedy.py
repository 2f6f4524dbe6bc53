"""Greedy pre-training: the layers of an autoencoder one after the other, each with those below it held fixed.

Sources: Bengio et al., Greedy layer-wise training of deep networks, 2007; Vincent et al., Stacked denoising
autoencoders, 2010 (noise, Section 3.3: a share of the values is 0). DEC and IDEC start from layers trained so.

Layer k maps h_{k-1} to h_k, and the decoder's layer opposite it maps h_k back:

    h_0 = x,    h_k = f_k(h_{k-1}),    loss_k = |h_{k-1} - g_k(f_k(noisy h_{k-1}))|^2 / 2,

of the first layer the likelihood's -log p(x | g_1(f_1(noisy x))). All in nats a sample, summed over values.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import jax
import jax.numpy as jnp
from jaxtyping import Array

from vaeclust_jax.checks import check_types
from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.method import About, check_at_least
from vaeclust_jax.methods.starts import Start, from_scratch
from vaeclust_jax.methods.vae import (
    first_state,
    gradient_step,
    halved_learning_rate,
    vae,
    weighted_mean,
    with_numbers,
)
from vaeclust_jax.objectives.elbo import LIKELIHOODS
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Batch, Info, Key, Learner, Networks, Params, Stage, State


@dataclass(frozen=True)
class RandomStart:
    """The first stage begins with random weights.

    Example:
        >>> vc.DEC(10).start
        RandomStart()
    """

    def for_epochs(self, num_epochs: int) -> Self:
        """Itself: it has no epochs."""
        return self

    def check(self) -> None:
        """Nothing to refuse."""


@dataclass(frozen=True)
class GreedyStart:
    """The first stage begins with layers that were trained one after the other, each to give back what it sees.

    Example:
        >>> vc.Config(vc.DEC(10, deterministic=True, beta=0.0, start=vc.GreedyStart(noise=0.2)))
        Config(method=DEC(num_clusters=10, beta=0.0, deterministic=True, start=GreedyStart(noise=0.2)))
    """

    layer_epochs: int = 20
    """Epochs of each layer."""
    noise: float = 0.0
    """Share of what a layer sees that is 0 in a step of training, while it gives back what was there: denoising."""

    def __post_init__(self) -> None:
        check_types(self)

    def for_epochs(self, num_epochs: int) -> Self:
        """The same with so many epochs a layer."""
        return replace(self, layer_epochs=num_epochs)

    def check(self) -> None:
        """Raises:
        InputError: names the setting, what was got and what is allowed.
        """
        check_at_least(self, layer_epochs=1)
        if not 0 <= self.noise < 1:
            raise InputError(f"noise must lie in 0 to below 1, got {self.noise}")


def greedy_stages(about: About, start: GreedyStart, likelihood: str) -> list[Stage]:
    """A stage a layer, "layer-1" first; each hands on the parameters of a whole VAE.

    Raises:
        InputError: networks whose layers do not mirror each other.
    """
    stack = about.networks.stack
    if stack is None:
        raise InputError(
            "start 'greedy' needs network 'mlp' in float32 with decoder_hidden left out, so that each layer of the "
            "encoder has one opposite it"
        )
    stages = []
    for layer in range(stack.depth):
        learner = greedy_layer(about.networks, layer, start.noise, likelihood, about.learning_rate)
        first = from_scratch(learner)
        begun = first if layer == 0 else from_layers(first)
        stages.append(Stage(f"layer-{layer + 1}", learner, start.layer_epochs, begun, NEVER))
    return stages


def from_layers(first: Start) -> Start:
    """What the start gives, with the parameters of the stage before where that has them."""

    def kept(state: State, before: State | None) -> State:
        assert before is not None, "layers come before"
        return state._replace(params={name: before.params.get(name, own) for name, own in state.params.items()})

    return lambda keys, before, rows: [*map(kept, first(keys, before, rows), before)]


@lru_cache
def _static(networks: Networks, layer: int, noise: float, likelihood_name: str) -> Learner:
    likelihood, stack = LIKELIHOODS[likelihood_name], networks.stack
    assert stack is not None, "checked"

    def loss(key: Key, params: Params, batch: Batch, share: float) -> tuple[Array, Info]:
        below, wanted = jax.lax.stop_gradient(params["encoder"]), batch.x
        for number in range(layer):
            wanted = stack.up(number, below, wanted)
        seen = wanted
        if share > 0:
            seen = jnp.where(jax.random.bernoulli(key, 1 - share, wanted.shape), wanted, 0.0)
        back = stack.down(layer, params["decoder"], stack.up(layer, params["encoder"], seen))
        if layer == 0:
            each = likelihood.nll(params["likelihood"], batch.x, back)
        else:
            each = 0.5 * jnp.square(wanted - back).sum(axis=1)
        total = weighted_mean(each, batch.weight)
        return total, {"loss": total}

    return Learner(
        init=lambda key: first_state({}),
        step=gradient_step(lambda key, params, state, batch: loss(key, params, batch, noise)),
        evaluate=lambda key, state, batch: loss(key, state.params, batch, 0.0)[1],
        gentler=halved_learning_rate,
    )


@lru_cache
def greedy_layer(
    networks: Networks, layer: int, noise: float = 0.0, likelihood: str = "bernoulli", learning_rate: float = 1e-3
) -> Learner:
    """One layer and the one opposite it as a `Learner`; the parameters are a VAE's, of which it moves these two.

    Args:
        networks: with a `stack`.
        layer: from 0.
        noise: share of the layer's input that is 0 in a step; held-out rows are judged without it.
        likelihood: of x, for the first layer.
        learning_rate: Adam's.
    """
    init = vae(networks, likelihood=likelihood).init
    static = _static(networks, layer, noise, likelihood)
    return static._replace(init=lambda key: with_numbers(first_state(init(key).params), learning_rate))


def beginning(
    stages: Sequence[Stage], about: About, start: "RandomStart | GreedyStart", likelihood: str
) -> list[Stage]:
    """The stages, the first of which begins as `start` says."""
    if isinstance(start, RandomStart):
        return list(stages)
    first, *later = stages
    return [*greedy_stages(about, start, likelihood), first._replace(start=from_layers(first.start)), *later]
