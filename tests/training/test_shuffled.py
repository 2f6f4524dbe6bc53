"""An epoch of rows that are read by blocks: each row once, by the key alone, with the bias that is stated."""

import threading
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeclust_jax.errors import InputError
from vaeclust_jax.training.shuffled import ShuffledBlocks


class Rows:
    """Rows in blocks; `reads` has the first of what was asked for together, and by which thread."""

    def __init__(self, x: np.ndarray, edges: np.ndarray):
        self.x, self.edges, self.shape = x, edges, x.shape
        self.reads: list[tuple[int, int, bool]] = []

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: Any) -> np.ndarray:
        self.reads.append((int(index[0]), len(index), threading.current_thread() is threading.main_thread()))
        return self.x[index]


def key_data(seed: int) -> np.ndarray:
    return np.asarray(jax.random.key_data(jax.random.key(seed)))


def epoch(blocks: ShuffledBlocks, seed: int, batch_size: int) -> list[np.ndarray]:
    return [blocks.read(key_data(seed), number, batch_size) for number in range(blocks.num_windows(batch_size))]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 40), st.integers(1, 7), st.integers(0, 99))
def test_every_row_comes_once_and_the_rest_is_zeros(sizes: list[int], window: int, batch: int, seed: int) -> None:
    n = sum(sizes)
    rows = Rows(np.arange(1.0, n + 1, dtype=np.float32)[:, None], np.cumsum([0, *sizes]))
    blocks = ShuffledBlocks(rows, window)
    windows = epoch(blocks, seed, batch)
    assert {len(one) for one in windows} == {blocks.window_rows(batch)}
    assert blocks.window_rows(batch) % batch == 0
    found = np.concatenate(windows)[:, 0]
    np.testing.assert_array_equal(np.sort(found[:n]), rows.x[:, 0])
    np.testing.assert_array_equal(found[n:], 0)


def test_a_window_is_a_function_of_the_key_and_its_number() -> None:
    rows = Rows(np.arange(200, dtype=np.float32)[:, None], np.arange(0, 201, 10))
    first = epoch(ShuffledBlocks(rows, 40), 0, 8)
    again, other = ShuffledBlocks(rows, 40), ShuffledBlocks(rows, 40)
    for number in (4, 0, 3, 1, 2):  # in any order, and between those of another epoch
        np.testing.assert_array_equal(again.read(key_data(0), number, 8), first[number])
        again.read(key_data(1), number, 8)
    assert not np.array_equal(np.concatenate(epoch(other, 1, 8)), np.concatenate(first))
    assert not np.array_equal(first[0], np.sort(first[0], axis=0)), "rows of a window are shuffled"


def test_the_next_window_is_read_by_a_thread_beside_the_steps() -> None:
    rows = Rows(np.arange(120, dtype=np.float32)[:, None], np.arange(0, 121, 10))
    blocks = ShuffledBlocks(rows, 40)
    blocks.read(key_data(0), 0, 4)
    ahead = blocks._ahead[key_data(0).tobytes(), 1]
    ahead._thread.join()
    reads = list(rows.reads)
    assert not any(main for _, _, main in reads)
    assert sum(count for _, count, _ in reads) == 80, "two windows were read and one was asked for"
    blocks.read(key_data(0), 1, 4)
    blocks.read(key_data(0), 2, 4)
    assert sum(count for _, count, _ in rows.reads) == 120, "and each only once"
    assert not blocks._ahead


def test_blocks_are_read_whole_and_in_order() -> None:
    rows = Rows(np.arange(120, dtype=np.float32)[:, None], np.arange(0, 121, 10))
    epoch(ShuffledBlocks(rows, 40), 0, 4)
    assert sorted((first, count) for first, count, _ in rows.reads) == [(start, 10) for start in range(0, 120, 10)]


def test_inside_a_program_it_is_the_same() -> None:
    rows = Rows(np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32), np.arange(0, 51, 5))
    blocks = ShuffledBlocks(rows, 20)
    keys = jax.random.split(jax.random.key(0), 2)

    @jax.jit
    def windows(key: jax.Array) -> jax.Array:
        return jax.lax.map(lambda number: blocks.window(key, number, 4), np.arange(3))

    expected = np.stack([[blocks.read(np.asarray(jax.random.key_data(key)), number, 4) for number in range(3)]
                         for key in keys])  # fmt: skip
    np.testing.assert_array_equal(np.stack([windows(key) for key in keys]), expected)
    np.testing.assert_array_equal(jax.vmap(windows)(keys), expected)


def test_what_goes_wrong_in_the_thread_is_raised_and_kept() -> None:
    class Gone(Rows):
        def __getitem__(self, index: Any) -> np.ndarray:
            if 60 in index:
                raise InputError("it is gone")
            return super().__getitem__(index)

    rows = Gone(np.zeros((120, 1), np.float32), np.arange(0, 121, 10))
    blocks = ShuffledBlocks(rows, 40)
    with pytest.raises(InputError, match="gone"):
        epoch(blocks, 0, 4)
    assert blocks.error is not None


def test_windows_take_64_mb_and_eight_blocks_where_those_are_larger() -> None:
    class Large:
        shape = (10**8, 32)
        edges = np.arange(0, 10**8 + 1, 10**4)

        def __len__(self) -> int:
            return self.shape[0]

    small, rows = Large(), Large()
    assert ShuffledBlocks(small)._window_rows == 2**26 // 128  # type: ignore[arg-type]
    rows.edges = np.arange(0, 10**8 + 1, 10**5)
    assert ShuffledBlocks(rows)._window_rows == 8 * 10**5  # type: ignore[arg-type]
    rows.edges = np.arange(0, 10**8 + 1, 10**7)
    assert ShuffledBlocks(rows)._window_rows == 2**28 // 128  # type: ignore[arg-type]


@pytest.mark.parametrize("sorted_by_class", [True, False])
def test_the_bias_is_the_one_that_is_stated(sorted_by_class: bool) -> None:
    """Mean and variance of a batch's mean over many epochs, beside the formula of the module."""
    num_blocks, m, w, b = 30, 8, 5, 10
    y = (np.arange(num_blocks * m) // 48 == 2).astype(float)  # one class of five, in six blocks
    if not sorted_by_class:
        y = np.random.default_rng(0).permutation(y)
    rows = Rows(y.astype(np.float32)[:, None], np.arange(0, len(y) + 1, m))
    blocks = ShuffledBlocks(rows, w * m)
    draws = 400
    epochs = ([blocks._read(np.array([0, seed], np.uint32), number, b) for number in range(6)] for seed in range(draws))
    means = np.stack([np.concatenate(windows).reshape(-1, b).mean(axis=1) for windows in epochs])
    np.testing.assert_allclose(means.mean(axis=0), y.mean(), atol=4 * means.std() / np.sqrt(draws))
    of_blocks = y.reshape(num_blocks, m)
    between, within = of_blocks.mean(axis=1).var(ddof=1), of_blocks.var(axis=1).mean()
    # The variance of all rows of a window about the window's mean, of w blocks drawn without replacement.
    inside = (within + between * (w - 1) / w) * w * m / (w * m - 1)
    stated = (1 - w / num_blocks) * between / w + (1 - b / (w * m)) * inside / b
    full = (1 - b / len(y)) * y.var(ddof=1) / b
    found = means.var(axis=0).mean()
    np.testing.assert_allclose(found, stated, rtol=0.08)
    assert (found > 1.5 * full) == sorted_by_class
