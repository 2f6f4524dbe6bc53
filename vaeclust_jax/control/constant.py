"""A weight that never changes: the beta of the beta-VAE (Higgins et al. 2017), 1 for the VAE."""

from typing import NamedTuple

from vaeclust_jax.control.controller import Number, controller, not_negative
from vaeclust_jax.types import Controller, Info


class ConstantState(NamedTuple):
    """The weight."""

    value: Number


def constant(value: float) -> Controller:
    """The same weight in every epoch.

    Args:
        value: 0 or more.

    Raises:
        InputError: `value` is negative or not finite.
    """
    return controller(ConstantState(not_negative("value", value)), _update)


def as_controller(weight: float | Controller) -> Controller:
    """A controller as it is; a number as one that never changes."""
    return weight if isinstance(weight, Controller) else constant(weight)


def _update(state: ConstantState, losses: Info) -> tuple[ConstantState, Info]:
    return state, {}
