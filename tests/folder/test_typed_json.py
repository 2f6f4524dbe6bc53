"""Records to JSON and back by their annotations, and one sentence on whatever does not fit them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.typed_json import as_json, from_json, read_json

T = TypeVar("T")


class Inner(NamedTuple):
    low: float
    high: float | None = None


@dataclass(frozen=True)
class Several(Generic[T]):
    first: T
    others: tuple[T, ...]


@dataclass(frozen=True)
class Outer:
    class_: str
    count: int
    flag: bool
    inner: Inner | None
    pairs: tuple[tuple[int, float], ...]
    names: dict[str, tuple[Inner, ...]]
    several: Several[Inner]
    free: Any = None
    later: str | None = None


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
INNER = st.builds(Inner, NUMBERS, st.none() | NUMBERS)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
OUTER = st.builds(
    Outer,
    st.text(),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.booleans(),
    st.none() | INNER,
    st.lists(st.tuples(st.integers(0, 9), NUMBERS)).map(tuple),
    st.dictionaries(st.text(), st.lists(INNER).map(tuple)),
    st.builds(Several, INNER, st.lists(INNER).map(tuple)),
    st.none() | st.lists(NUMBERS),
    st.none() | st.text(),
)
WHOLE = {
    **{"class": "a", "count": 1, "flag": True, "inner": {"low": 1.0}, "pairs": [[1, 2.5]], "names": {"x": []}},
    "several": {"first": {"low": 1.0}, "others": [{"low": 2.0}]},
}


@given(OUTER)
def test_what_is_written_is_read_back(value: Outer) -> None:
    assert from_json(Outer, json.loads(json.dumps(as_json(value), allow_nan=False)), "file") == value


def test_json_has_no_arrays_and_no_nan_and_leaves_out_what_may_be_left_out() -> None:
    value = Outer("a", np.int64(3), True, Inner(float("nan")), (), {}, Several(Inner(1), ()))  # type: ignore[arg-type]
    assert as_json(value) == {
        **{"class": "a", "count": 3, "flag": True, "inner": {"low": None}, "pairs": [], "names": {}},
        "several": {"first": {"low": 1}, "others": []},
    }
    assert as_json({"x": np.arange(3), "y": (np.inf, Path("a"))}) == {"x": [0, 1, 2], "y": [None, "a"]}


@given(st.sampled_from(sorted(WHOLE)), JSON)
def test_whatever_a_field_holds_it_is_read_or_refused_in_a_short_line(key: str, value: Any) -> None:
    try:
        from_json(Outer, {**WHOLE, key: value}, "file")
    except InputError as error:
        sentence = str(error)
        assert sentence.startswith("file: ")
        assert "\n" not in sentence
        assert len(sentence) < 500


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("class", 3, "class must be text, got 3"),
        ("class", None, "class must be text, got None"),
        ("count", True, "count must be a whole number, got True"),
        ("count", 1.0, "count must be a whole number, got 1.0"),
        ("flag", 1, "flag must be true or false, got 1"),
        ("inner", {}, "inner.low is missing"),
        ("inner", {"low": float("inf")}, "inner.low must be a finite number, got inf"),
        ("inner", {"low": float("nan")}, "inner.low must be a finite number, got nan"),
        ("inner", {"low": 10**400}, "inner.low must be a finite number, got 100000000000000000...0000000000000000000"),
        ("pairs", [[1, 2], [3]], "pairs.1 must have 2 items, got 1"),
        ("pairs", {"a": 1}, "pairs must be a list, got {'a': 1}"),
        ("names", {"x y": [0]}, "names.x y.0 must be an object, got 0"),
        ("names", {"x\ny": 3}, "names.'x\\ny' must be a list, got 3"),
        ("names", {"x" * 99: 3}, "names.'xxxxxxxxxxxx...xxxxxxxxxxxxx' must be a list, got 3"),
        ("several", {"first": 3, "others": []}, "several.first must be an object, got 3"),
        ("several", {"first": {"low": 1}, "others": [{}]}, "several.others.0.low is missing"),
        ("class", ["a"] * 10**6, "class must be text, got ['a', 'a', 'a', 'a', 'a', 'a', ...]"),
        ("count", "a\n" * 10**6, "count must be a whole number, got 'a\\na\\na\\na\\n...na\\na\\na\\na\\n'"),
    ],
)
def test_the_place_and_the_fault_are_named(key: str, value: Any, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        from_json(Outer, {**WHOLE, key: value}, "file")
    assert str(caught.value) == f"file: {sentence}"


@pytest.mark.parametrize("place", [".", "link"])
def test_what_is_no_file_is_not_read(tmp_path: Path, place: str) -> None:
    """A link in a folder of somebody else's may lead to a device without an end."""
    (tmp_path / "link").symlink_to("/dev/null")
    with pytest.raises(InputError, match="must be a file"):
        read_json(tmp_path / place)
