"""One loop over rows: any number of them, from memory or a file, by one program, each row as if it were alone."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vaeclust_jax.training.rows import DRAWN_AT_ONCE, ROWS_AT_ONCE, by_chunk, by_row

KEY = jax.random.key(3)
COUNTS = [1, DRAWN_AT_ONCE, DRAWN_AT_ONCE + 1, ROWS_AT_ONCE, 2 * ROWS_AT_ONCE + 5]


class Filed:
    """Rows that are read where somebody asks for them."""

    def __init__(self, rows: np.ndarray):
        self.shape = rows.shape
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> np.ndarray:
        return self._rows[index]


def noisy(key: jax.Array, params: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
    return {"sum": (params * x).sum(), "drawn": x + jax.random.normal(key, x.shape)}


@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray, Filed])
@pytest.mark.parametrize("n", COUNTS)
def test_every_row_is_there_once(n: int, kind: Any) -> None:
    x = np.arange(n * 3, dtype=np.float32).reshape(n, 3)
    np.testing.assert_array_equal(by_chunk(jnp.multiply, jnp.float32(2), kind(x)), 2 * x)
    found = by_row(noisy, KEY, jnp.float32(2), kind(x))
    np.testing.assert_array_equal(found["sum"], 2 * x.sum(axis=1))
    assert found["drawn"].shape == x.shape


def test_a_row_draws_by_its_number_alone() -> None:
    x = np.zeros((max(COUNTS), 3), np.float32)
    drawn = by_row(noisy, KEY, jnp.float32(2), x)["drawn"]
    for row in (0, DRAWN_AT_ONCE, len(x) - 1):
        alone = jax.random.normal(jax.random.fold_in(KEY, row), (3,))
        np.testing.assert_array_equal(drawn[row], alone)
    common = by_row(noisy, KEY, jnp.float32(2), x, common_key=True)["drawn"]
    np.testing.assert_array_equal(common, np.tile(jax.random.normal(KEY, (3,)), (len(x), 1)))


def test_any_number_of_rows_compiles_once() -> None:
    traces = []

    def chunk(params: jax.Array, x: jax.Array) -> jax.Array:
        traces.append(x.shape)
        return params * x

    def row(key: jax.Array, params: jax.Array, x: jax.Array) -> jax.Array:
        return chunk(params, x)

    for n in COUNTS:
        by_chunk(chunk, jnp.float32(n), np.zeros((n, 3), np.float32))
        by_row(row, KEY, jnp.float32(n), np.zeros((n, 3), np.float32))
    assert traces == [(ROWS_AT_ONCE, 3), (3,)]
