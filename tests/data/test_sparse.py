"""Sparse matrices become the one array that is kept: its size is said before, and refused where memory is smaller."""

import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from vaeclust_jax.data import check_array, frames, load
from vaeclust_jax.errors import InputError, InputWarning

X = sparse.random_array((400, 300), density=0.05, rng=np.random.default_rng(0), format="csr")


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil", "dok", "bsr"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
def test_every_format_is_the_array(kind: str, dtype: str) -> None:
    matrix = (100 * X).astype(dtype).asformat(kind)
    found, expected = check_array(matrix), check_array(matrix.toarray())
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize(("dtype", "itemsize"), [("float32", 4), ("int64", 8)])
def test_no_second_array_is_made(dtype: str, itemsize: int) -> None:
    matrix = X.astype(dtype)
    check_array(matrix[:2])  # imports
    tracemalloc.start()
    check_array(matrix)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.3 * 400 * 300 * itemsize


def test_what_it_takes_is_said_and_what_is_too_much_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_MUCH", 400 * 300 * 8 - 1)
    with pytest.warns(InputWarning, match=r"\(400, 300\) takes 0\.0 GB as an array"):
        check_array(X)
    monkeypatch.setattr(frames, "memory", lambda: 400 * 300 * 8 - 1)
    sparse.save_npz(tmp_path / "x.npz", sparse.csr_matrix(X))
    for ask in (lambda: check_array(X), lambda: load(tmp_path / "x.npz")):
        with pytest.raises(InputError, match=r"takes 0\.0 GB as an array, and there are 0\.0 GB"):
            ask()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_array(X[:100])


def test_complex_values_are_refused() -> None:
    with pytest.raises(InputError, match="complex"):
        check_array(X.astype(complex))
