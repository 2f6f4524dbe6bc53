"""Bytes and JSON with something in them changed."""

import json
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from tests.campaigns.campaign import Rng

T = TypeVar("T")

_LETTER = "Ж"
"""Nothing that the library says has it of itself."""
LONG = 3000 * _LETTER
_NESTED: list[Any] = []
for _ in range(80):
    _NESTED = [_NESTED]
VALUES: tuple[Any, ...] = (
    *(None, True, False, [], [1], [[]], [0.5] * 50, {}, {"a": 1}, {"kind": "x"}, _NESTED),
    *(-1, 0, 1, 2, 3, 5, 7, 10**5, 2**31, 2**40, 10**18, 10**50, -0.5, 0.5, 1e-300, -1e308, np.nan, np.inf),
    *("", "x", "0", "1e9", "bernoulli", "a\nb", "\ud800", "../../x", "/dev/zero", "\x00", "=1+1", "<b>", LONG),
)


def pick(rng: Rng, values: Sequence[T]) -> T:
    """One of them."""
    return values[int(rng.integers(len(values)))]


def bytes_of(rng: Rng, content: bytes) -> bytes:
    """Flipped bits, a part cut out, doubled or overwritten, an end cut off, anywhere, up to three times."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        if not data:
            break
        start, length = int(rng.integers(len(data))), int(rng.integers(1, 200))
        match rng.integers(5):
            case 0:
                data[start] ^= 1 << int(rng.integers(8))
            case 1:
                del data[start : start + length]
            case 2:
                data[start:start] = data[start : start + length]
            case 3:
                data[start : start + length] = rng.bytes(length)
            case 4:
                del data[start:]
    return bytes(data)


def tree_of(rng: Rng, tree: Any) -> Any:
    """The JSON with something in it changed, once to three times."""
    for _ in range(rng.integers(1, 4)):
        tree = _changed(rng, tree, tree)
    return tree


def _changed(rng: Rng, tree: Any, whole: Any) -> Any:
    if rng.random() < 0.1 or not isinstance(tree, dict | list) or not tree:
        return _other(rng, tree, whole)
    names: list[Any] = sorted(tree) if isinstance(tree, dict) else [*range(len(tree))]
    name, inner = (one := pick(rng, names)), tree[one]
    if isinstance(tree, list):
        tree = [*tree]
        match rng.integers(12):
            case 0:
                del tree[name]
            case 1:
                tree.insert(name, inner)
            case _:
                tree[name] = _changed(rng, inner, whole)
        return tree
    match rng.integers(12):
        case 0:
            return {key: value for key, value in tree.items() if key != name}
        case 1:
            return {pick(rng, [f"{name}s", LONG, "", "kind"]) if key == name else key: tree[key] for key in tree}
    return {**tree, name: _changed(rng, inner, whole)}


def _other(rng: Rng, value: Any, whole: Any) -> Any:
    """Another value: any, a part of the whole, or one near it."""
    if isinstance(value, int | float) and rng.random() < 0.5:
        return pick(rng, [-value, value + 1, value - 1, value * 2, value * 10**6, value / 3, str(value), [value]])
    if rng.random() < 0.3:
        part = whole
        while isinstance(part, dict | list) and part and rng.random() < 0.8:
            part = pick(rng, [*part.values()] if isinstance(part, dict) else part)
        return part
    return pick(rng, VALUES)


def json_of(rng: Rng, content: bytes) -> bytes:
    """The JSON of a file with something in it changed, as JSON, or with its text damaged."""
    if rng.random() < 0.15:
        return pick(rng, [bytes_of(rng, content), b"", b"\xef\xbb\xbf" + content, content.decode().encode("utf-16")])
    return json.dumps(tree_of(rng, json.loads(content))).encode()


def check_sentence(text: str, *shown: object) -> None:
    """Checks that a message is one sentence on one line, and repeats little of what it was given.

    Args:
        text: the message.
        shown: paths in it, which may be long.
    """
    for one in shown:
        text = text.replace(str(one), "PATH")
    assert len(text.split()) > 2, f"no sentence: {text!r}"
    assert "\n" not in text, f"several lines: {text[:2000]!r}"
    assert text.count(_LETTER) <= 200, f"it repeats {text.count(_LETTER)} letters of what it was given: {text[:300]!r}"
    assert len(text) <= 1010, f"{len(text)} letters: {text[:2000]!r}"
