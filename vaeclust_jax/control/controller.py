"""What all controllers share: from checked numbers to a `Controller`, and the checks."""

from collections.abc import Callable
from functools import lru_cache
from numbers import Real
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from vaeclust_jax.checks import is_whole
from vaeclust_jax.errors import InputError
from vaeclust_jax.types import Controller, Info

Number = Array | float
"""A Python number when a controller is made, a float32 scalar in its state."""
Count = Array | int
"""A whole number when a controller is made, an int32 scalar in its state."""
Flag = Array | bool
"""True or False when a controller is made, a bool scalar in its state."""
Update = Callable[[Any, Info], tuple[Any, Info]]
"""`Controller.update`."""

_TINY, _LARGEST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
_MOST = np.iinfo(np.int32).max


@lru_cache
def controller(start: Any, update: Update) -> Controller:
    """A `Controller` from its first state; the same object for equal numbers.

    Args:
        start: the first state, a NamedTuple (of NamedTuples) of checked Python numbers.
        update: a function of a module, not a closure: then all controllers of a kind share one compiled program.
    """
    return Controller(lambda: jax.tree.map(_scalar, start), update)


def _scalar(value: bool | int | float) -> Array:
    if isinstance(value, bool):
        return jnp.asarray(value)
    return jnp.asarray(value, jnp.int32 if isinstance(value, int) else jnp.float32)


def advancing(**updates: Update) -> Callable[[dict[str, Any], Info], tuple[dict[str, Any], Info]]:
    """`Learner.advance` from the updates of the weights by name; what one says comes under the name of its weight.

    Each sees, beside the losses, all weights of the epoch by their names.
    """

    def advance(control: dict[str, Any], losses: Info) -> tuple[dict[str, Any], Info]:
        states: dict[str, Any] = {}
        infos: Info = {}
        seen = {**losses, **{name: control[name].value for name in updates}}
        for name, update in updates.items():
            states[name], said = update(control[name], seen)
            infos |= {f"{name}_{key}": value for key, value in said.items()}
        return states, infos

    return advance


def loss_of(losses: Info, name: str) -> Array:
    """A mean loss of the epoch as float32, whatever the precision it was computed in."""
    return jnp.asarray(losses[name], jnp.float32)


def finite(name: str, value: Any) -> float:
    """`value` as a float, or an `InputError` about the argument `name`."""
    number = _number(name, value)
    if not abs(number) <= _LARGEST:
        raise InputError(f"{name} must be finite, got {value}")
    return number


def not_negative(name: str, value: Any) -> float:
    """`value` as a float of 0 or more, or an `InputError` about the argument `name`."""
    number = _number(name, value)
    if not 0 <= number <= _LARGEST:
        raise InputError(f"{name} must be 0 or more and finite, got {value}")
    return number


def positive(name: str, value: Any) -> float:
    """`value` as a float that is above 0 in float32 too, or an `InputError` about the argument `name`."""
    number = _number(name, value)
    if not _TINY <= number <= _LARGEST:
        raise InputError(f"{name} must be positive and finite, got {value}")
    return number


def at_least(lowest: int, name: str, value: Any) -> int:
    """`value` as a whole number from `lowest`, or an `InputError` about the argument `name`."""
    if not is_whole(value) or not lowest <= value <= _MOST:
        raise InputError(f"{name} must be a whole number from {lowest} to {_MOST}, got {value!r}")
    return int(value)


def flag(name: str, value: Any) -> bool:
    """`value` if it is True or False, or an `InputError` about the argument `name`."""
    if not isinstance(value, bool):
        raise InputError(f"{name} must be True or False, got {value!r}")
    return value


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"{name} must be a number, got {value!r}")
    return float(value)
