"""Frames whose columns hold something else than numbers."""

import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator

from vaeclust_jax.data import check_array
from vaeclust_jax.errors import InputError
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


def test_nullable_numbers_under_wavelengths() -> None:
    frame = pd.DataFrame([[1, 2], [3, 4]], columns=[400.0, 400.5]).astype("Int64")
    assert check_array(frame).tolist() == [[1, 2], [3, 4]]


def test_the_estimators_read_no_dates_as_numbers_and_nothing_below_a_mask() -> None:
    with pytest.raises(InputError, match="it holds times"):
        samples(BaseEstimator(), pl.DataFrame({"a": [DAY] * 3, "b": [1.0, 2, 3]}), None, reset=True)
    with pytest.raises(ValueError, match="masked array"):
        samples(BaseEstimator(), np.ma.masked_array(np.ones((3, 2)), mask=np.eye(3, 2)), None, reset=True)
