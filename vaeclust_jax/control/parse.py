"""Controllers in words, as a config or a command line gives them: "dynamic", "dynamic:a=0.05,interval=11"."""

import difflib
import inspect
from collections.abc import Callable
from typing import Any

from vaeclust_jax.control.constant import as_controller
from vaeclust_jax.control.cyclic import cyclic
from vaeclust_jax.control.dynamic import dynamic
from vaeclust_jax.control.geco import geco
from vaeclust_jax.control.linear import linear
from vaeclust_jax.control.pid import pid
from vaeclust_jax.control.two_level import two_level
from vaeclust_jax.errors import InputError
from vaeclust_jax.types import Controller

KINDS: dict[str, Callable[..., Controller]] = {
    "linear": linear,
    "cyclic": cyclic,
    "two-level": two_level,
    "dynamic": dynamic,
    "pid": pid,
    "geco": geco,
}
"""What may stand before the colon; after it, the function's arguments by name."""

_WORDS = {"true": True, "false": False}


def parse_controller(name: str, weight: float | str, num_epochs: int) -> Controller:
    """The controller that a number or a text means.

    Args:
        name: of the weight, for errors.
        weight: a number (a weight that never changes), or "kind" or "kind:argument=value,argument=value".
        num_epochs: of the training: what a controller that asks for it gets where the text does not say it.

    Raises:
        InputError: no such kind or argument, or a value that the controller does not take.
    """
    try:
        return as_controller(weight) if not isinstance(weight, str) else _parse(weight, num_epochs)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _parse(text: str, num_epochs: int) -> Controller:
    kind, _, rest = text.strip().partition(":")
    if kind not in KINDS:
        close = difflib.get_close_matches(kind, KINDS, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise InputError(f"must be a number or one of {', '.join(KINDS)}, got {text!r}{hint}")
    arguments = inspect.signature(KINDS[kind]).parameters
    given: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        argument, equals, value = (piece.strip() for piece in part.partition("="))
        if argument not in arguments or not equals or argument in given:
            raise InputError(f"{kind} takes each of {', '.join(arguments)} once, as name=value, got {part.strip()!r}")
        given[argument] = _value(argument, value)
    if "num_epochs" in arguments:
        given = {"num_epochs": num_epochs, **given}
    needed = [one.name for one in arguments.values() if one.default is one.empty and one.name not in given]
    if needed:
        raise InputError(f"{kind} needs {' and '.join(needed)}, as in '{kind}:{needed[0]}=20'")
    return KINDS[kind](**given)


def _value(argument: str, text: str) -> bool | int | float:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{argument} must be a number, true or false, got {text!r}") from None
