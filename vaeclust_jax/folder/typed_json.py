"""Objects as JSON and back: records are written by their fields and read by the annotations of these.

A record is a dataclass or a NamedTuple. Its fields are scalars, tuples, dicts with text as keys, other records, one or
several of these or None, `Literal`s, or `Any`. A field called `class_` is "class" in JSON.
"""

import dataclasses
import inspect
import json
import math
import reprlib
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from vaeclust_jax.errors import InputError

_LONGEST = 60  # of a key that is shown whole
_DEEPEST = 50
_WORDS: dict[Any, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
}


class _Field(NamedTuple):
    name: str
    key: str
    kind: Any
    required: bool


def as_json(value: Any) -> Any:
    """What JSON can hold of a record, an array, a path, or a collection of them.

    NaN and infinity, which JSON does not have, become None. A field with a default is left out if it is None.
    """
    if hasattr(value, "tolist"):  # numpy and JAX arrays and scalars
        value = value.tolist()
    kind: Any = type(value)
    if fields := _fields(kind):
        content = ((field, getattr(value, field.name)) for field in fields)
        return {field.key: as_json(item) for field, item in content if field.required or item is not None}
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def read_json(path: Path) -> Any:
    """What a file of JSON in a run's folder holds; names of files in it may be no UTF-8.

    Raises:
        InputError: it is no file, cannot be read, or is nested deeper than any of ours.
    """
    try:
        if path.exists() and not path.is_file():
            raise OSError("it must be a file")  # not a folder; nor a device, which may have no end
        content = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
        json.dumps(content, ensure_ascii=False).encode("utf-8", errors="surrogateescape")  # half a character is no text
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON of a run: {error}") from error
    level = [content]
    for _ in range(_DEEPEST):
        level = [inner for one in level if isinstance(one, (dict, list)) for inner in _inside(one)]
    if level:
        raise InputError(f"{path} cannot be read as JSON of a run: it is nested more than {_DEEPEST} levels deep")
    return content


def _inside(content: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return content.values() if isinstance(content, dict) else content


def from_json(kind: Any, content: Any, file: object, *keys: str) -> Any:
    """An object of this kind, as `as_json` wrote it; keys that it does not know are passed over.

    Args:
        kind: of the object, such as a record or `dict[str, float | None]`.
        content: as `json.loads` returns it.
        file, keys: where it was found, for the sentence on a mistake.

    Raises:
        InputError: something is missing or of another kind.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return content
    if origin is UnionType:
        return None if content is None else _one_of(inner, content, file, keys)
    if origin is Literal:
        if content not in inner:
            raise InputError(f"{file}: {_place(keys)} must be one of {', '.join(inner)}, got {reprlib.repr(content)}")
        return content
    if origin is dict:
        _check(dict, content, file, keys)
        return {key: from_json(inner[1], item, file, *keys, key) for key, item in content.items()}
    if origin is tuple:
        _check(list, content, file, keys)
        kinds = inner[:1] * len(content) if inner[-1] is ... else inner
        if len(content) != len(kinds):
            raise InputError(f"{file}: {_place(keys)} must have {len(kinds)} items, got {len(content)}")
        items = enumerate(zip(kinds, content, strict=True))
        return tuple(from_json(of, item, file, *keys, str(number)) for number, (of, item) in items)
    if fields := _fields(kind):
        _check(dict, content, file, keys)
        for field in fields:
            if field.required and field.key not in content:
                raise InputError(f"{file}: {_place((*keys, field.key))} is missing")
        there = [field for field in fields if field.key in content]
        values = {one.name: from_json(one.kind, content[one.key], file, *keys, one.key) for one in there}
        try:
            return kind(**values)
        except InputError as error:  # of the record's own
            raise InputError(f"{file}: {error}") from None
    _check(kind, content, file, keys)
    return content


def _one_of(kinds: tuple[Any, ...], content: Any, file: object, keys: tuple[str, ...]) -> Any:
    """Of several kinds, the first that it is; the sentence of the last one if it is none."""
    *others, last = [kind for kind in kinds if kind is not NoneType]
    for kind in others:
        with suppress(InputError):
            return from_json(kind, content, file, *keys)
    return from_json(last, content, file, *keys)


def _check(kind: type, content: Any, file: object, keys: tuple[str, ...]) -> None:
    if kind is float:
        fits = type(content) in (int, float) and abs(content) <= sys.float_info.max  # not so of NaN
    else:
        fits = type(content) is kind  # True is no number
    if fits and kind is int:
        fits = abs(content) < 2**63
    if not fits:
        raise InputError(f"{file}: {_place(keys)} must be {_WORDS[kind]}, got {reprlib.repr(content)}")


def _place(keys: tuple[str, ...]) -> str:
    """Keys that a person's file may hold, on one line."""
    return ".".join(key if key.isprintable() and len(key) <= _LONGEST else reprlib.repr(key) for key in keys) or "it"


@cache
def _fields(kind: Any) -> list[_Field]:
    """Those of a record; none of what is no record."""
    origin = get_origin(kind) or kind
    if not (dataclasses.is_dataclass(origin) or hasattr(origin, "_fields")):
        return []
    arguments = dict(zip(getattr(origin, "__parameters__", ()), get_args(kind), strict=False))  # none when written
    hints = get_type_hints(origin)
    return [
        _Field(name, name.removesuffix("_"), _bound(hints[name], arguments), one.default is inspect.Parameter.empty)
        for name, one in inspect.signature(origin).parameters.items()
    ]


def _bound(hint: Any, arguments: dict[Any, Any]) -> Any:
    """A field's type, with what the type variables of its record stand for."""
    if free := getattr(hint, "__parameters__", ()):
        return hint[tuple(arguments.get(one, one) for one in free)]
    return arguments.get(hint, hint)
