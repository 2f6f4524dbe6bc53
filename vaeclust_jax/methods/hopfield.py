"""A Hopfield net: it stores the training rows as they are, and recalls the one that a damaged row comes from.

A memory is written in closed form, not trained by gradients. The method has one stage of no epochs, whose start writes
it; whatever the loop does for other methods (seeds, checkpoints, files) holds for it, too.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from vaeclust_jax.checks import check_types
from vaeclust_jax.data.mapped import Rows as HostRows
from vaeclust_jax.data.mapped import chunks
from vaeclust_jax.errors import InputError, InputWarning
from vaeclust_jax.methods.method import About, DataSpec, Method, check_at_least
from vaeclust_jax.methods.starts import of_each_seed
from vaeclust_jax.objectives.hopfield import (
    check_patterns,
    classical_energy,
    classical_step,
    hebbian_weights,
    modern_energy,
    modern_step,
    saturating_energy,
    saturating_step,
    saturating_weights,
    settle,
)
from vaeclust_jax.streamed import spaced
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Batch, Heads, Info, Key, Learner, Networks, Params, Rows, Stage, State

CRITICAL_LOAD = 0.138
"""Patterns a unit: Amit, Gutfreund and Sompolinsky 1985, Storing infinite numbers of patterns in a spin-glass model."""
SATURATED_LOAD = 0.5
"""Patterns a unit of saturating units, as measured (`course-hopfield`): of 100 units of which a tenth are flipped .999
of the patterns come back, and .355 at the next load, .7."""


@dataclass(frozen=True)
class Classical:
    """Units of -1 and 1, Hebb's rule, one unit after the other (Hopfield 1982).

    Example:
        >>> vc.Hopfield(vc.Classical()).net.bound(100)
        13
    """

    binary: ClassVar[bool] = True

    def write(self, patterns: Float[Array, "p f"], counted: Bool[Array, " p"] | None = None) -> Params:
        """The parameters that hold the patterns, or those of them that are counted."""
        return {"weights": hebbian_weights(patterns, counted)}

    def begin(self, state: Float[Array, "n f"]) -> Float[Array, "n f"]:
        """What the units can show of values: their sign."""
        return jnp.where(state >= 0, 1.0, -1.0)

    def step(self, params: Params, state: Float[Array, "n f"]) -> Float[Array, "n f"]:
        """One iteration."""
        return classical_step(params["weights"], state)

    def energy(self, params: Params, state: Float[Array, "n f"]) -> Float[Array, " n"]:
        """What no iteration raises."""
        return classical_energy(params["weights"], state)

    def bound(self, units: int) -> int | None:
        """Patterns that so many units can hold; None: no bound that one reaches."""
        return int(CRITICAL_LOAD * units)


@dataclass(frozen=True)
class Saturating:
    """Units in [-1, 1] that saturate, all at once, by the design of Li, Michel and Porod (1989).

    Example:
        >>> vc.Hopfield(vc.Saturating(tau=20.0)).net
        Saturating(tau=20.0, h=0.15)
    """

    binary: ClassVar[bool] = True

    tau: float = 10.0
    """How fast states decay towards the plane of the patterns, beside a growth of rate 1 in it."""
    h: float = 0.15
    """Time of one iteration."""

    def __post_init__(self) -> None:
        check_types(self)
        for name, value in (("tau", self.tau), ("h", self.h)):
            if not 0 < value < np.inf:
                raise InputError(f"{name} must be positive and finite, got {value}")

    def write(self, patterns: Float[Array, "p f"], counted: Bool[Array, " p"] | None = None) -> Params:
        """As `Classical.write`."""
        weights, bias = saturating_weights(patterns, self.tau, self.h, counted)
        return {"weights": weights, "bias": bias}

    def begin(self, state: Float[Array, "n f"]) -> Float[Array, "n f"]:
        """The values; the first iteration cuts them off."""
        return state

    def step(self, params: Params, state: Float[Array, "n f"]) -> Float[Array, "n f"]:
        """One iteration."""
        return saturating_step(params["weights"], params["bias"], state)

    def energy(self, params: Params, state: Float[Array, "n f"]) -> Float[Array, " n"]:
        """What no iteration raises, of states in [-1, 1]."""
        return saturating_energy(params["weights"], params["bias"], state)

    def bound(self, units: int) -> int | None:
        """As `Classical.bound`, from a tenth of flipped units: of as many patterns as units, every corner attracts."""
        return int(SATURATED_LOAD * units)


@dataclass(frozen=True)
class Modern:
    """Any values, and a softmax over the stored rows (Ramsauer et al. 2020).

    Example:
        >>> vc.Hopfield(vc.Modern(beta=0.5)).net
        Modern(beta=0.5)
    """

    binary: ClassVar[bool] = False

    beta: float = 1.0
    """Inverse temperature of the softmax. The lower, the more rows are recalled as a mean of several."""

    def __post_init__(self) -> None:
        check_types(self)
        if not 0 < self.beta < np.inf:
            raise InputError(f"beta must be positive and finite, got {self.beta}")

    def write(self, patterns: Float[Array, "p f"], counted: Bool[Array, " p"] | None = None) -> Params:
        """As `Classical.write`."""
        share = jnp.zeros(len(patterns)) if counted is None else jnp.where(counted, 0.0, -jnp.inf)
        return {"memories": patterns, "bias": share}

    def begin(self, state: Float[Array, "n f"]) -> Float[Array, "n f"]:
        """The values."""
        return state

    def step(self, params: Params, state: Float[Array, "n f"]) -> Float[Array, "n f"]:
        """One iteration."""
        return modern_step(params["memories"], self.beta, params["bias"], state)

    def energy(self, params: Params, state: Float[Array, "n f"]) -> Float[Array, " n"]:
        """What no iteration raises."""
        return modern_energy(params["memories"], self.beta, params["bias"], state)

    def bound(self, units: int) -> int | None:
        """Exponential in the units."""
        return None


Net = Classical | Saturating | Modern


@dataclass(frozen=True)
class Hopfield(Method):
    """A Hopfield net (classical, saturating or modern): it stores the training rows and recalls them from noise.

    Example:
        >>> patterns = np.sign(np.random.default_rng(0).normal(size=(3, 40)))
        >>> config = vc.Config(vc.Hopfield(vc.Classical()), vc.PrepareConfig(scaling="none", validation=0.0))
        >>> run = vc.fit(config, patterns, 0)
        >>> damaged = patterns.copy()
        >>> damaged[:, :3] *= -1
        >>> bool((run.recall(damaged) == patterns).all())
        True
    """

    task: ClassVar[str] = "memory"
    generates: ClassVar[bool] = False
    unused: ClassVar[tuple[str, ...]] = ("network", "training")
    shared: ClassVar[tuple[str, ...]] = ("weights", "bias", "memories")

    net: Classical | Saturating | Modern = field(default_factory=Modern)
    """Which net. Images are stored with 0 as -1 and 1 as 1, by the first two with every pixel as the nearer one."""
    iterations: int = 100
    """Of recall, at most."""
    num_patterns: int | None = None
    """Training rows that are stored, evenly spaced; left out: all."""

    def resolved(self, data: DataSpec) -> Self:  # noqa: D102
        return self if self.num_patterns is not None else replace(self, num_patterns=data.num_samples)

    def check(self, data: DataSpec) -> None:  # noqa: D102
        check_at_least(self, iterations=1)
        check_memories("num_patterns", self.num_patterns, data.num_samples)
        two_valued = data.low in (-1, 1) and data.high in (-1, 1)
        if self.net.binary and len(data.shape) == 1 and data.low is not None and not two_valued:
            raise InputError(
                f"net {type(self.net).__name__} stores vectors of -1 and 1, got {data.low:.4g} to {data.high:.4g} as "
                "they are scaled: set scaling none, and write the sign of each value, or take net Modern"
            )

    def check_recalled(self, rows: HostRows) -> None:  # noqa: D102
        if isinstance(self.net, Classical) and len(rows.shape) == 2 and min(float(x.min()) for x in chunks(rows)) == 0:
            raise InputError(
                "net Classical reads the sign of each value, got values from 0 on: 0 has none. Give vectors of -1 and "
                "1, as it was trained on; of 0 and 1 they are 2 * x - 1"
            )

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        assert self.num_patterns is not None, "resolved"
        learner = memory(self.net, self.num_patterns, about.shape)
        return [Stage("memory", learner, 0, _written(self.net, self.num_patterns), NEVER, self)]

    def heads(self, networks: Networks) -> Heads:  # noqa: D102
        return _heads(self.net, self.iterations)


def check_memories(name: str, number: int | None, num_samples: int | None) -> None:
    """Whether so many of the training rows can be stored.

    Raises:
        InputError: names the setting, what was got and what is allowed.
    """
    if number is not None and (number < 1 or (num_samples is not None and number > num_samples)):
        most = "" if num_samples is None else f" to {num_samples}, the training rows"
        raise InputError(f"{name} must lie in 1{most}, got {number}")


def as_units(x: Float[Array, "n ..."]) -> Float[Array, "n f"]:
    """Prepared rows as states: pixels of [0, 1] from -1 to 1, vectors as they are."""
    return (2 * x - 1).reshape(len(x), -1) if x.ndim == 4 else x


def as_rows(state: Float[Array, "n f"], shape: tuple[int, ...]) -> Float[Array, "n ..."]:
    """The inverse of `as_units`, for rows of a shape."""
    return ((state + 1) / 2).reshape(len(state), *shape) if len(shape) == 3 else state


def warn_of_load(net: Net, patterns: int, units: int) -> str | None:
    """What to expect of more patterns than the net can hold, as a sentence; None: it can."""
    bound = net.bound(units)
    if bound is None or patterns <= bound:
        return None
    return (
        f"{patterns} patterns are more than the {bound} that a {type(net).__name__} net of {units} units can recall "
        "from a tenth of flipped units"
    )


@lru_cache
def _heads(net: Net, iterations: int) -> Heads:
    def recall(params: Params, x: Array, most: int | Array = iterations) -> tuple[Array, Array]:
        state, count, _ = settle(lambda state: net.step(params, state), net.begin(as_units(x)), most)
        return as_rows(state, x.shape[1:]), count

    def score(key: Key, params: Params, x: Array) -> Array:
        return net.energy(params, net.begin(as_units(x)))

    return Heads(recall=recall, score=score)


def _written(net: Net, num_patterns: int) -> Callable[..., list[State]]:
    write = jax.jit(net.write)

    def start(key: Key, before: State | None, rows: Rows) -> State:
        x = np.asarray(rows.x)
        x = x[spaced(len(x), num_patterns)]
        patterns = np.asarray(as_units(jnp.asarray(x)))
        if net.binary:
            patterns = check_patterns(np.where(patterns >= 0, 1, -1) if x.ndim == 4 else patterns)
        if sentence := warn_of_load(net, *patterns.shape):
            warnings.warn(sentence, InputWarning, stacklevel=2)
        return _state(write(jnp.asarray(patterns, jnp.float32)))

    return of_each_seed(start)


def _state(params: Params) -> State:
    return State(params, opt_state=(), control={}, memory=(), step=jnp.zeros((), jnp.int32))


@lru_cache
def memory(net: Net, num_samples: int, shape: tuple[int, ...]) -> Learner:
    """The net as a `Learner` whose steps change nothing; its loss is the energy of the rows.

    Args:
        net: which.
        num_samples: patterns.
        shape: of one, (H, W, C) or (F,).
    """
    units = int(np.prod(shape))

    def init(key: Key) -> State:
        return _state(net.write(jnp.ones((num_samples, units))))

    def evaluate(key: Key, state: State, batch: Batch) -> Info:
        energy = net.energy(state.params, net.begin(as_units(batch.x)))
        return {"loss": jnp.sum(jnp.where(batch.weight > 0, energy, 0.0)) / jnp.sum(batch.weight > 0)}

    def step(key: Key, state: State, batch: Batch) -> tuple[Any, Info]:
        return state._replace(step=state.step + 1), evaluate(key, state, batch)

    return Learner(init=init, step=step, evaluate=evaluate)
