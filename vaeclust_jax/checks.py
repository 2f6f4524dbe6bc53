"""Types of config values, checked against the annotations: Python itself would take any."""

from dataclasses import fields
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from vaeclust_jax.errors import InputError


def check_types(section: Any) -> None:
    """One sentence on the first field of a dataclass that is of another type or an unknown name.

    Raises:
        InputError: names the field, what was got and what is allowed.
    """
    kinds = get_type_hints(type(section))
    for name in (field.name for field in fields(section)):
        kind, value = kinds[name], getattr(section, name)
        if not _fits(value, kind):
            raise InputError(f"{name} must be {_in_words(kind)}, got {repr(value)[:200]}")
        wholes = (one for one in (value if isinstance(value, tuple) else (value,)) if is_whole(one))
        bits = 32 if name.endswith("seed") else 31  # of the whole numbers that programs count with
        if any(abs(one) >= 2**bits for one in wholes):
            raise InputError(f"{name} must be below 2**{bits}, got {repr(value)[:200]}")


def is_whole(value: Any) -> bool:
    """Whether a value is an integer of any library, but no bool."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_unmasked(value: Any, name: str) -> None:
    """Whether no value of an array, or of a list of such rows, is masked: numpy hands on what lies under a mask.

    Raises:
        InputError: one is.
    """
    if any(map(np.ma.is_masked, value if isinstance(value, list | tuple) else [value])):
        raise InputError(f"{name} is a masked array with missing values; fill or drop them first")


def _fits(value: Any, kind: Any) -> bool:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return isinstance(value, str) and value in inner
    if origin in (UnionType, Union):  # the latter of a Literal
        return any(_fits(value, one) for one in inner)
    if origin is tuple:
        length = len(value) if isinstance(value, tuple) else -1
        return (
            length >= 0 and (inner[-1] is Ellipsis or length == len(inner)) and all(_fits(v, inner[0]) for v in value)
        )
    if kind is int:
        return is_whole(value)
    if kind is float:
        return isinstance(value, Real) and not isinstance(value, bool)
    return isinstance(value, kind)


def _in_words(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return f"one of {', '.join(inner)}"
    if origin in (UnionType, Union):  # the latter of a Literal
        return " or ".join(_in_words(one) for one in inner)
    if origin is tuple:
        count, kind = "" if inner[-1] is Ellipsis else f"{len(inner)} ", {int: "whole numbers", str: "texts"}
        return f"a tuple of {count}{kind.get(inner[0], 'numbers')}"
    return {int: "a whole number", float: "a number", bool: "True or False", NoneType: "None"}.get(
        kind, f"a {kind.__name__}"
    )


def check_one_shape(samples: Any, name: str) -> None:
    """Refuses samples of several shapes in a list or in an array of one axis, and AnnData; anything else passes.

    Raises:
        InputError: names two of the shapes, or the matrix to pass instead.
    """
    if hasattr(samples, "obs_names"):
        raise InputError(f"{name} must be samples, got an AnnData: pass its matrix, such as .X or .obsm['X_pca']")
    if not isinstance(samples, list | tuple | np.ndarray) or getattr(samples, "ndim", 1) != 1:
        return
    first = None
    for row, one in enumerate(samples):
        try:
            shape = np.shape(one)
        except Exception:  # of lists in it, or of a foreign __array__
            raise InputError(f"{name} must hold samples of one shape, but sample {row} (from 0) is no array") from None
        first = shape if first is None else first
        if shape != first:
            raise InputError(
                f"{name} must hold samples of one shape, got {first} and, as sample {row} (from 0), {shape}: resize or "
                "pad them first"
            )
