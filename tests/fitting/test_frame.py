"""`Run.to_frame`: what a model says of each sample, in the frames that people have."""

from importlib import util
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import vaeclust_jax as vc
from tests.fitting.made import F, N

COLUMNS = ["row", "cluster", "probability", "entropy"]


@pytest.mark.parametrize("backend", [None, "pandas", "polars"])
def test_every_sample_has_its_row(fitted: vc.Run, vectors: np.ndarray, backend: Any) -> None:
    frame = fitted.to_frame(vectors, backend)
    assert isinstance(frame, pl.DataFrame if backend == "polars" else pd.DataFrame)
    q = fitted.predict_proba(vectors).astype(np.float64)
    assert list(frame.columns) == COLUMNS
    np.testing.assert_array_equal(frame["row"], np.arange(N))
    np.testing.assert_array_equal(frame["cluster"], fitted.predict(vectors))
    np.testing.assert_allclose(frame["probability"], q.max(axis=1), rtol=1e-6)
    np.testing.assert_allclose(frame["entropy"], -(q * np.log(q)).sum(axis=1), rtol=1e-4)


def test_a_frame_is_answered_in_kind_and_its_index_goes_along(fitted: vc.Run, vectors: np.ndarray) -> None:
    names = [f"f{number}" for number in range(F)]
    index = pd.Index([f"id-{row}" for row in range(N)], name="sample")
    found = fitted.to_frame(pd.DataFrame(vectors, index, names))
    assert found.index.equals(index)
    assert found.index.name == "sample"
    assert list(found["row"]) == list(range(N))
    assert isinstance(fitted.to_frame(pl.DataFrame(vectors, names)), pl.DataFrame)
    assert isinstance(fitted.to_frame(pd.DataFrame(vectors, index, names), "polars"), pl.DataFrame)
    assert list(fitted.to_frame(pl.DataFrame(vectors, names), "pandas").index) == list(range(N))


def test_a_data_set_gives_the_numbers_and_names_of_its_rows(fitted: vc.Run, vectors: np.ndarray) -> None:
    rows = np.array([4, 7, 9])
    data = vc.data.Dataset(vectors[rows], None, "three", row_names=("a.png", "b.png", "c.png"), row_numbers=rows)
    found = fitted.to_frame(data)
    assert list(found.columns) == [*COLUMNS, "file"]
    assert list(found["row"]) == [4, 7, 9]
    assert list(found["file"]) == ["a.png", "b.png", "c.png"]


def test_without_pandas_polars_takes_its_place(
    fitted: vc.Run, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, "pandas")
    assert isinstance(fitted.to_frame(vectors), pl.DataFrame)
    with pytest.raises(vc.InputError, match="a frame needs pandas: pip install pandas"):
        fitted.to_frame(vectors, "pandas")
    without(monkeypatch, "pandas", "polars")
    with pytest.raises(vc.InputError, match="a frame needs pandas or polars: pip install pandas"):
        fitted.to_frame(vectors)


def without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    found = util.find_spec
    monkeypatch.setattr("vaeclust_jax.fitting.frame.find_spec", lambda name: None if name in missing else found(name))


def test_other_libraries_are_refused(fitted: vc.Run, vectors: np.ndarray) -> None:
    with pytest.raises(vc.InputError, match="backend must be one of pandas, polars, got 'arrow'"):
        fitted.to_frame(vectors, "arrow")  # type: ignore[arg-type]
