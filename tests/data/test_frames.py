"""Frames whose columns hold something else than numbers."""

import datetime
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator

from vaeclust_jax.data import PrepareConfig, check_array, columns_of, fit_preparation
from vaeclust_jax.errors import InputError, InputWarning
from vaeclust_jax.estimators.inputs import samples

DAY = datetime.date(2020, 1, 1)


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (pl.DataFrame({"a": [DAY] * 3, "b": [1.0, 2, 3]}), "times"),
        (pl.DataFrame({"a": [datetime.timedelta(1)] * 3, "b": [1.0, 2, 3]}), "times"),
        (pa.table({"a": pa.array([1, 2, 3], pa.timestamp("s")), "b": [1, 2, 3]}), "times"),
        (pl.DataFrame({"a": pl.Series([[0.1, 0.2], [0.3, 0.4]], dtype=pl.Array(pl.Float64, 2))}), "lists"),
    ],
)
def test_a_column_of_no_numbers_is_named(frame: Any, what: str) -> None:
    with pytest.raises(InputError, match=f"column 'a' of the frame must hold numbers: it holds {what}"):
        check_array(frame)


def test_all_columns_of_no_numbers_are_named() -> None:
    frame = pd.DataFrame({"sex": ["m", "f"], "a": [1, 2], "type": ["p", "q"], "day": [DAY] * 2})
    with pytest.raises(InputError, match=r"column 'sex' .* holds text; drop it or .*, and 'type', 'day' too$"):
        check_array(frame)


def test_nullable_numbers_under_wavelengths() -> None:
    frame = pd.DataFrame([[1, 2], [3, 4]], columns=[400.0, 400.5]).astype("Int64")
    assert check_array(frame).tolist() == [[1, 2], [3, 4]]


def test_the_estimators_read_no_dates_as_numbers_and_nothing_below_a_mask() -> None:
    with pytest.raises(InputError, match="it holds times"):
        samples(BaseEstimator(), pl.DataFrame({"a": [DAY] * 3, "b": [1.0, 2, 3]}), None, reset=True)
    with pytest.raises(ValueError, match="masked array"):
        samples(BaseEstimator(), np.ma.masked_array(np.ones((3, 2)), mask=np.eye(3, 2)), None, reset=True)


X = np.random.default_rng(0).normal(size=(60, 4))


@pytest.mark.parametrize(
    "names",
    [
        [0, 1, 2, 3],
        [3, 0, 2, 1],
        [400.5, 401.5, 402.0, 7],
        [("a", 1), ("a", 2), "b", 3],
        [DAY, None, "b", pd.Timestamp("2024")],
    ],
)
def test_columns_are_taken_by_names_of_any_kind(names: list[Any]) -> None:
    frame = pd.DataFrame(X, columns=pd.Index(names, tupleize_cols=False))
    model = replace(fit_preparation(frame, PrepareConfig()), columns=columns_of(frame))
    np.testing.assert_array_equal(model.apply(frame[names[::-1]]), model.apply(X))
    if names != [0, 1, 2, 3]:
        with pytest.raises(InputError, match="the frame lacks"):
            model.apply(frame.rename(columns={names[1]: 9}))


@pytest.mark.parametrize(
    ("more", "said"),
    [({"y": np.arange(60) % 3}, True), ({"species": np.arange(60) % 3}, True), ({"y": X[:, 0]}, False),
     ({"x": np.arange(60) % 4, "y": np.arange(60) % 3}, False), ({"z": np.arange(60) % 3}, False)],
)  # fmt: skip
def test_columns_that_would_be_labels_in_a_file_are_warned_of_once(more: dict[str, Any], said: bool) -> None:
    frame = pd.DataFrame(X, columns=list("abcd")).assign(**more)
    for take in (columns_of, lambda x: samples(BaseEstimator(), x, None, reset=True)):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            take(frame)
        assert [one.category for one in found] == [InputWarning] * said
        assert all(f"{next(iter(more))!r} of the frame became features" in str(one.message) for one in found)


@pytest.mark.parametrize("x", [[[1.0, 2.0], [3.0]], [np.ones((4, 4)), np.ones((4, 5))]])
def test_the_estimators_name_samples_of_several_shapes(x: Any) -> None:
    with pytest.raises(InputError, match=r"X must hold samples of one shape, got .* and, as sample 1 \(from 0\)"):
        samples(BaseEstimator(), x, None, reset=True)
