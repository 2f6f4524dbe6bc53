"""A series as windows, and splits that never leak what came later."""

import re
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vaeclust_jax as vc
from vaeclust_jax.data import DATASETS, Dataset, ReadConfig, fit_preparation, load, split_rows, windows
from vaeclust_jax.data.generated import cylinder_bell_funnel, lorenz, noisy_wave, smooth_surface


@given(st.integers(1, 40), st.integers(1, 40))
def test_a_window_holds_the_values_that_lie_one_after_the_other(length: int, size: int) -> None:
    series = np.arange(length, dtype=np.float32)
    if size > length:
        with pytest.raises(vc.InputError, match=f"at least {size} values for windows of {size}, got {length}"):
            windows(series, size)
        return
    found = windows(series[:, np.newaxis], size)
    assert found.tolist() == [list(range(i, i + size)) for i in range(length - size + 1)]


@given(st.integers(2, 200), st.floats(0.01, 0.9))
@settings(deadline=None)
def test_the_last_rows_are_held_out(n: int, share: float) -> None:
    if not 0 < round(n * share) < n:
        return
    train, held_out = split_rows(n, vc.PrepareConfig(split="last", validation=share))
    assert [*train, *held_out] == list(range(n))
    assert len(held_out) == round(n * share)


def test_rows_that_do_not_count_are_in_neither_part_of_a_split_in_time() -> None:
    config = vc.PrepareConfig(split="last", validation=0.5)
    train, held_out = split_rows(7, config, counted=np.array([0, 1, 4, 6]))
    assert (train.tolist(), held_out.tolist()) == ([0, 1], [4, 6])


def test_one_mean_and_deviation_scale_all_columns() -> None:
    x = np.random.default_rng(0).normal(3, 2, (50, 4)) * [1, 2, 3, 4]
    found = fit_preparation(x, vc.PrepareConfig(scaling="standardise-all")).apply(x)
    np.testing.assert_allclose(found, (x - x.mean()) / x.std(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("series", "sentence"),
    [
        (np.ones(9), "a series must change, but all 9 values are 1"),
        (np.array([1.0, np.nan, 2.0]), "must be finite, got 1 NaN"),
        (np.zeros((4, 2)), r"one column of values \(T, 1\), got shape \(4, 2\)"),
        (np.zeros((4, 2, 2)), "a series is one column"),
        (np.array([]), "series must"),
        ("abc", "series must hold|vectors"),
        (
            Dataset(np.arange(4.0)[:, None], None, "gaps", row_numbers=np.array([0, 1, 3, 4])),
            "no gaps, but rows of gaps",
        ),
    ],
)
def test_what_is_no_series_is_one_sentence(series: object, sentence: str) -> None:
    with pytest.raises(vc.InputError, match=sentence):
        windows(series, 2)


def test_one_column_of_a_table_is_a_series(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("day,y,other\nmon,1,2\ntue,3,4\nwed,5,6\n")
    data = load(path, ReadConfig(column="y"))
    assert data.x.tolist() == [[1], [3], [5]]
    assert data.y is None
    with pytest.raises(vc.InputError, match="has no column 'z': it has 'day', 'y', 'other'"):
        load(path, ReadConfig(column="z"))
    with pytest.raises(vc.InputError, match=r"'day' must hold numbers to be a series, got 'mon' in row 0 .* --column"):
        load(path, ReadConfig(column="day"))
    path.write_text("y\n1\n\n3\nnan\n")
    with pytest.raises(vc.InputError, match=r"no value in row 1 .*: fill the cell, such as by the value before it$"):
        load(path, ReadConfig(column="y"))


@pytest.mark.parametrize(
    ("missing", "why"), [("mean", "must not become the mean of its column, which knows"), ("drop", "must have no gaps")]
)
def test_no_gap_of_a_series_is_filled_by_what_comes_later(
    tmp_path: Path, missing: Literal["drop", "mean"], why: str
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("day,y\n1,1\n2,\n3,100\n4,110\n")
    series = load(path, ReadConfig(column="y", missing=missing))
    with pytest.raises(vc.InputError, match=f"{why}.*: fill mine itself, .* and leave --missing out"):
        windows(series, 2)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ([f"2024-01-0{day}" for day in (1, 2, 3, 4, 5, 6)], None),
        ([f"2024-0{month}-01" for month in (1, 2, 3, 4, 5, 6)], None),
        ([f"2024-01-{day}" for day in (10, 11, 12, 13, 14, 25)], "'t' grows by uneven steps, the longest 11 times"),
        ([f"2024-01-0{day}" for day in (6, 5, 4, 3, 2, 1)], "'t' does not grow: .* so sort the rows by it"),
        ([f"2024-01-0{day}" for day in (1, 2, 1, 2, 1, 2)], "'t' does not grow"),
        ([f"{day}.1.2024" for day in (10, 11, 12, 13, 14, 25)], "'t' grows by uneven steps, the longest 11 times"),
        ([f"1/{day}/2024" for day in (1, 2, 3, 4, 5, 6)], None),
        ([f"{day}/1/2024 10:30" for day in (1, 2, 3, 4, 5, 12)], "'t' grows by uneven steps, the longest 7 times"),
        ([f"{month} 2024" for month in ("Jan", "Feb", "Mar", "Apr", "May", "Jul")], "longest 2.1 times"),
        ([f"2024/01/{day}" for day in (10, 9, 8, 7, 6, 5)], "'t' does not grow"),
        ([1, 2, 3, 4, 5, 25], "'t' grows by uneven steps, the longest 20 times"),
        ([6, 5, 4, 3, 2, 1], "'t' does not grow"),
        ([3, 1, 4, 1, 5, 9], None),
        ([0.1, 0.2, 0.4, 0.5, 0.6, 0.9], None),
        (["a", "b", "c", "d", "e", "f"], None),
    ],
)
def test_a_series_with_uneven_or_falling_times_beside_it_is_said(
    tmp_path: Path, days: list[object], said: str | None
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("t,y\n" + "".join(f"{day},{number**2}\n" for number, day in enumerate(days)))
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        load(path, ReadConfig(column="y"))
    assert len(found) == (said is not None)
    assert said is None or re.search(said, str(found[0].message))


def test_a_set_without_columns_has_no_column() -> None:
    with pytest.raises(vc.InputError, match="noisy-wave is no table with named columns: leave --column out"):
        load("noisy-wave", ReadConfig(column="y"))


def test_stratifying_a_split_in_time_is_refused() -> None:
    with pytest.raises(vc.InputError, match="stratify=True is for a random split"):
        vc.PrepareConfig(split="last", stratify=True)


@pytest.mark.parametrize("name", ["lorenz", "cylinder-bell-funnel", "smooth-surface", "noisy-wave"])
def test_a_set_that_is_made_is_as_it_is_entered(name: str) -> None:
    data, entry = load(name), DATASETS[name]
    assert data.x.shape == entry.shape
    assert np.isfinite(data.x).all()
    assert data.source == "embedded"


def test_the_surface_is_the_mean_of_five_functions() -> None:
    a, b, value = smooth_surface()[0].astype(np.float64).T
    parts = [np.cos(np.pi * a) * np.cos(np.pi * b), np.exp(-4 * (a**2 + b**2)), a * b, np.tanh(3 * (a - b))]
    expected = (np.array([9, 7, 5, 3]) @ parts + np.sin(3 * a) + b**2) / 25
    np.testing.assert_allclose(value, expected, atol=1e-6)


def test_the_wave_has_the_noise_that_it_says() -> None:
    x, y = noisy_wave()[0].T
    assert np.std(y - np.sin(x**2)) == pytest.approx(0.2, abs=0.03)


def test_the_chaotic_series_follows_its_equations() -> None:
    from scipy.integrate import solve_ivp

    def slope(_: float, at: np.ndarray) -> list[float]:
        x, y, z = at
        return [10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z]

    times = 0.08 * np.arange(100, 130)
    found = solve_ivp(slope, (0, times[-1]), [1.0, 1.0, 25.0], t_eval=times, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(lorenz()[0][:30, 0], found.y[0] ** 2, rtol=0.05, atol=2)


def test_bells_rise_and_funnels_fall() -> None:
    x, y = cylinder_bell_funnel()
    middles = [np.average(np.arange(128), weights=np.maximum(x[y == kind].mean(axis=0), 0)) for kind in range(3)]
    assert middles[2] < middles[0] < middles[1]
