"""Whether a setting that was asked for is read by an arm of the experiment."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from vaeclust_jax.errors import InputError
from vaeclust_jax.studies.experiment import Experiment


def check_reached(asked: Experiment, base: Experiment) -> None:
    """Refuses a setting of the method, the network or the training in whose place every arm has its own.

    Args:
        asked: the experiment as a person set it.
        base: with its defaults.

    Raises:
        InputError: names the setting.
    """
    config, arms = asked.config, base.arms.values()
    for part in ("method", "network", "training"):
        for name, without in _changes(part, getattr(config, part), getattr(base, part)):
            plain = replace(config, **{part: without})
            if all(arm.configure(config) == arm.configure(plain) for arm in arms):
                raise InputError(f"{name} is set by the arms of {asked.name}: leave it out")


def _changes(part: str, ours: Any, theirs: Any) -> Iterator[tuple[str, Any]]:
    """What was changed, by name, and the part without that change."""
    if type(ours) is not type(theirs):
        yield part, theirs
        return
    for one in fields(ours):
        default = getattr(theirs, one.name)
        if getattr(ours, one.name) != default:
            yield one.name, replace(ours, **{one.name: default})
