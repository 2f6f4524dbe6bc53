import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaeclust_jax.data import PrepareConfig, random_parts, split_rows
from vaeclust_jax.errors import InputError


@given(st.integers(1, 300), st.floats(0, 1, exclude_max=True), st.integers(0, 2**32 - 1))
def test_parts_are_every_row_once(n: int, validation: float, seed: int) -> None:
    config = PrepareConfig(validation=validation, split_seed=seed)
    try:
        train, held_out = split_rows(n, config)
    except InputError:
        assert round(n * validation) in (0, n)
        return
    assert len(held_out) == round(n * validation)
    assert np.sort(np.concatenate([train, held_out])).tolist() == list(range(n))
    assert (np.diff(train) > 0).all()
    assert (np.diff(held_out) > 0).all()
    again = split_rows(n, config)
    np.testing.assert_array_equal(again[0], train)


def test_the_seed_changes_the_split() -> None:
    first, second = (split_rows(100, PrepareConfig(split_seed=seed))[1].tolist() for seed in (0, 1))
    assert first != second


@given(st.lists(st.integers(2, 30), min_size=1, max_size=5), st.floats(0.05, 0.95), st.integers(0, 99))
def test_stratified_parts_keep_the_proportions(counts: list[int], validation: float, seed: int) -> None:
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    config = PrepareConfig(validation=validation, stratify=True, split_seed=seed)
    try:
        train, held_out = split_rows(len(y), config, y)
    except InputError:
        assert min(round(len(y) * validation), len(y) - round(len(y) * validation)) < len(counts)
        return
    assert np.sort(np.concatenate([train, held_out])).tolist() == list(range(len(y)))
    share = np.bincount(y[held_out], minlength=len(counts))
    assert (np.abs(share - len(held_out) * np.array(counts) / len(y)) <= 1.5).all()
    np.testing.assert_array_equal(split_rows(len(y), config, y)[0], train)


def test_nothing_held_out() -> None:
    for config, y in (
        (PrepareConfig(validation=0), None),
        (PrepareConfig(validation=0, stratify=True), [0, 1, 2]),
    ):
        train, held_out = split_rows(3, config, y)
        assert train.tolist() == [0, 1, 2]
        assert len(held_out) == 0


@pytest.mark.parametrize(
    ("n", "config", "y", "part"),
    [
        (3, PrepareConfig(validation=0.1), None, "validation=0.1 of 3 rows leaves no validation rows"),
        (3, PrepareConfig(validation=0.99), None, "leaves no training rows"),
        (10, PrepareConfig(stratify=True), None, "stratify=True needs labels"),
        (10, PrepareConfig(stratify=True), [0] * 9, "9 labels"),
        (4, PrepareConfig(stratify=True, validation=0.5), ["a", "a", "b", "a"], "class 'b' has one"),
        (6, PrepareConfig(stratify=True, validation=0.2), [0, 0, 1, 1, 2, 2], "5 training and 1 validation"),
    ],
)
def test_impossible_splits_are_named(n: int, config: PrepareConfig, y: object, part: str) -> None:
    with pytest.raises(InputError, match=part):
        split_rows(n, config, y)


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"validation": 1.0}, "validation must be a share from 0 to below 1, got 1.0"),
        ({"validation": -0.1}, "got -0.1"),
        ({"validation": float("nan")}, "got nan"),
        ({"image_size": (0, 5)}, r"image_size.*at least 1 pixel, got \(0, 5\)"),
        ({"image_size": (5,)}, "a tuple of 2 whole numbers"),
        ({"image_size": (0, 5)}, "a height and a width"),
        ({"image_size": (1, 1)}, "more than one pixel"),
        (
            {"scaling": "log"},
            "scaling must be one of auto, none, .*, minmax-row, got 'log'",
        ),
        ({"split_seed": -1}, "split_seed.*got -1"),
    ],
)
def test_values_that_are_not_allowed_are_named(fields: dict, part: str) -> None:
    with pytest.raises(InputError, match=part):
        PrepareConfig(**fields)


@pytest.mark.parametrize("stratify", [False, True])
def test_rows_that_do_not_count_are_in_neither_part(stratify: bool) -> None:
    y = np.array(["a", "b", "c"])[np.arange(60) % 3]
    counted = np.flatnonzero(np.arange(60) % 4)
    config = PrepareConfig(stratify=stratify)
    train, held_out = split_rows(60, config, y, counted)
    assert np.sort(np.concatenate([train, held_out])).tolist() == counted.tolist()
    alone = split_rows(len(counted), config, y[counted])
    for part, expected in zip((train, held_out), alone, strict=True):
        np.testing.assert_array_equal(part, counted[expected])


def test_a_class_that_is_left_with_one_member_is_named() -> None:
    with pytest.raises(InputError, match="class 'c' has one"):
        split_rows(7, PrepareConfig(stratify=True, validation=0.4), list("aaabbcc"), np.arange(6))


@given(st.lists(st.integers(0, 6), min_size=2, max_size=60), st.floats(0.01, 0.9), st.integers(0, 99))
def test_subjects_are_held_out_whole_and_as_near_to_the_share_as_they_come(
    whose: list[int], validation: float, seed: int
) -> None:
    subjects, n = np.array(whose), len(whose)
    config = PrepareConfig(validation=validation, split_seed=seed)
    if round(n * validation) in (0, n) or len(set(whose)) == 1:
        with pytest.raises(InputError):
            split_rows(n, config, subjects=subjects)
        return
    train, held_out = split_rows(n, config, subjects=subjects)
    assert np.sort(np.concatenate([train, held_out])).tolist() == list(range(n))
    assert not set(subjects[train]) & set(subjects[held_out])
    assert min(len(train), len(held_out)) > 0
    # One subject more or less, in the order of the draw, is no nearer; so it is within the largest of them.
    assert abs(len(held_out) - round(n * validation)) <= np.bincount(subjects).max()


def test_the_subjects_that_are_held_out_are_drawn() -> None:
    """Each as often, however many rows it has."""
    subjects = np.repeat([0, 1, 2, 3], [10, 10, 10, 10])
    drawn = [set(subjects[random_parts(40, 10, seed=seed, subjects=subjects)[1]]) for seed in range(400)]
    counts = np.bincount([one for found in drawn for one in found], minlength=4)
    assert counts.sum() == 400
    assert (np.abs(counts - 100) < 5 * np.sqrt(400 * 0.25 * 0.75)).all()


def test_rows_of_one_subject_do_not_count_alone() -> None:
    subjects = np.repeat([5, 7, 9], [4, 4, 8])
    counted = np.r_[0:8, 12:16]
    parts = split_rows(16, PrepareConfig(validation=1 / 3), None, counted, subjects)
    assert sorted(np.concatenate(parts)) == counted.tolist()
    assert not set(subjects[parts[0]]) & set(subjects[parts[1]])


@pytest.mark.parametrize("config", [PrepareConfig(stratify=True), PrepareConfig(split="last")])
def test_a_split_that_would_part_subjects_is_refused(config: PrepareConfig) -> None:
    with pytest.raises(InputError, match="rows of a subject"):
        split_rows(20, config, np.repeat([0, 1], 10), None, np.repeat([0, 1, 2, 3], 5))
