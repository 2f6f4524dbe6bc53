"""The compactness ratio against its formula in NumPy, and what must not change it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeclust_jax.objectives.compactness import compactness_ratio


def oracle(mean: np.ndarray, y: np.ndarray, form: str) -> float:
    mean, y = mean[y >= 0], y[y >= 0]
    if not len(y):
        return 0.0
    classes = np.unique(y)
    centres = np.array([mean[y == k].mean(axis=0) for k in classes])
    within = sum(
        (y == k).mean() * getattr(np.linalg.norm(mean[y == k] - centre, axis=1), form)()
        for k, centre in zip(classes, centres, strict=True)
    )
    between = np.linalg.norm(centres - centres.mean(axis=0), axis=1).mean()
    return (within + 1e-6) / (between + 1e-6)


@pytest.mark.long
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 7, 40]), st.integers(1, 4), st.sampled_from(["mean", "sum"]))
def test_equals_the_formula(seed, n, latent_dim, form):
    rng = np.random.default_rng(seed)
    mean, y = rng.normal(size=(n, latent_dim)), rng.integers(-1, 5, n)
    with jax.enable_x64(True):
        found = compactness_ratio(jnp.asarray(mean), jnp.asarray(y), 6, form)
        assert float(found) == pytest.approx(oracle(mean, y, form), rel=1e-9)


def test_the_same_rows_thrice_weigh_as_much_as_once_and_their_sum_thrice():
    rng = np.random.default_rng(0)
    mean, y = rng.normal(size=(84, 2)).astype(np.float32), rng.integers(0, 11, 84)
    by_form = {
        form: [float(compactness_ratio(np.tile(mean, (times, 1)), np.tile(y, times), 11, form)) for times in (1, 3)]
        for form in ("mean", "sum")
    }
    assert by_form["mean"] == pytest.approx([oracle(mean, y, "mean")] * 2, rel=1e-5)
    assert by_form["sum"] == pytest.approx([oracle(mean, y, "sum") * times for times in (1, 3)], rel=1e-5)


@pytest.mark.long
def test_unlabelled_codes_change_neither_value_nor_gradient():
    rng = np.random.default_rng(0)
    mean, y = jnp.asarray(rng.normal(size=(12, 2)), jnp.float32), jnp.asarray([0, 1, 2, -1] * 3)
    moved = mean.at[3].set(100.0)
    assert compactness_ratio(mean, y, 3) == compactness_ratio(moved, y, 3)
    slope = jax.grad(compactness_ratio)(moved, y, 3)
    np.testing.assert_array_equal(slope[np.asarray(y) < 0], 0)
    assert np.abs(slope[np.asarray(y) >= 0]).max() > 0


@pytest.mark.parametrize("y", [[-1, -1, -1], [0, -1, -1], [0, 1, 2], [0, 0, 0]])
def test_gradients_are_finite_where_a_class_has_one_sample_or_none(y):
    mean = jnp.asarray([[1.0, 2.0], [1.0, 2.0], [0.0, 0.0]])
    assert np.isfinite(jax.grad(compactness_ratio)(mean, jnp.asarray(y), 3)).all()


def test_it_falls_as_classes_move_apart_or_shrink():
    rng = np.random.default_rng(1)
    y = jnp.arange(30) % 3
    noise, centres = jnp.asarray(rng.normal(size=(30, 2))), jnp.asarray([[0.0, 1], [1, 0], [-1, -1]])
    near, far, tight = (compactness_ratio(a * centres[y] + b * noise, y, 3) for a, b in ((1, 1), (5, 1), (1, 0.1)))
    assert far < near
    assert tight < near
