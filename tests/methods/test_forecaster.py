"""Forecasting: what training may see, the closed loop, and what is refused."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vaeclust_jax as vc
from tests.fitting.made import blobs
from vaeclust_jax.data import Dataset, windows
from vaeclust_jax.fitting.forecasts import continued
from vaeclust_jax.studies.forecasting import Windows

PREPARE = vc.PrepareConfig(scaling="standardise-all", split="last", validation=0.0)
SERIES = np.arange(400, dtype=np.float64) ** 1.5  # it grows, so that a value says when it was


@st.composite
def methods(draw: st.DrawFn) -> tuple[vc.Forecaster, int]:
    method = vc.Forecaster(
        lag=draw(st.integers(1, 30)),
        horizon=draw(st.integers(1, 20)),
        origins=draw(st.integers(1, 5)),
        first_origin=draw(st.none() | st.integers(100, 500)),
        fold_size=draw(st.integers(5, 20)),
        fold=draw(st.none() | st.integers(1, 3)),
    )
    return method, draw(st.integers(1, 3))


@given(methods())
@settings(max_examples=40, deadline=None)
def test_no_part_sees_what_comes_after_it(drawn: tuple[vc.Forecaster, int]) -> None:
    method, at_once = drawn
    config = vc.Config(method, PREPARE, vc.Dense(latent_dim=at_once))
    origins = method.starts(len(SERIES))
    assert (np.diff(origins) > 0).all()
    assert origins[-1] + method.horizon <= len(SERIES)
    data = Windows(Dataset(SERIES[:, np.newaxis], None, "growing")).of(config)
    rows = windows(SERIES[: len(data.rows) + method.lag + at_once - 1], method.lag + at_once)
    train, held_out = rows[data.train_index], rows[data.validation_index]
    assert rows.max() < SERIES[origins[0]], "nothing after the first origin is seen"
    if method.fold is None:
        assert len(held_out) == 0
        assert train.max() == SERIES[origins[0] - 1]
        return
    assert len(held_out) == method.fold_size
    told = held_out[:, -at_once:]
    assert train.max() < told.min(), "what is validated lies after all that is trained on"
    assert train.max() == SERIES[origins[0] - method.fold * method.fold_size - 1] or at_once > 1
    np.testing.assert_allclose(data.preparation.offset, train.mean(), rtol=1e-5)


def test_a_series_that_only_changes_later_is_refused() -> None:
    series = np.concatenate([np.ones(300), SERIES[:100]])
    config = vc.Config(vc.Forecaster(lag=5, first_origin=290, horizon=10), PREPARE, vc.Dense(latent_dim=1))
    with pytest.raises(vc.InputError, match="a series must change, but all 290 values are 1"):
        Windows(Dataset(series[:, np.newaxis], None, "late")).of(config)


def test_a_closed_loop_reads_what_it_predicted() -> None:
    """Of a model that predicts 2 a - b from (b, a), a straight line goes on; with a scaling in between."""
    config = vc.Config(vc.Forecaster(lag=2), PREPARE, vc.Dense(latent_dim=1))
    x = windows([1.0, 2.0, 3.0, 5.0], 3)
    preparation = vc.data.fit_preparation(x, PREPARE)
    line = lambda params, x: params * x[:, 1:] - x[:, :1]  # noqa: E731
    found = continued(line, jnp.float32(2), config, preparation, [[9.0, 1.0, 3.0], [0.0, 5.0, 5.0]], 4)
    np.testing.assert_allclose(found, [[5, 7, 9, 11], [5, 5, 5, 5]], rtol=1e-5)


@pytest.mark.parametrize("offset", [1e3, 1e8, 1e12])
def test_a_closed_loop_keeps_its_digits_far_from_zero(offset: float) -> None:
    config = vc.Config(vc.Forecaster(lag=2), PREPARE, vc.Dense(latent_dim=1))
    series = np.array([1.0, 2.0, 4.0, 3.0, 5.0])
    preparation = vc.data.fit_preparation(windows(offset + series, 3), PREPARE)
    mean = lambda params, x: params * (x[:, :1] + x[:, 1:])  # noqa: E731
    found = continued(mean, jnp.float32(0.5), config, preparation, [offset + series], 6)[0] - offset
    row_offset, row_scale = preparation.offset - offset, preparation.scale
    past = list(series)
    for _ in range(6):
        seen = (np.array(past[-2:]) - row_offset[:2]) / row_scale[:2]
        past.append(seen.mean() * row_scale[2] + row_offset[2])
    np.testing.assert_allclose(found, past[5:], atol=max(1e-5, 4e-16 * offset))


def test_several_values_at_once_are_cut_at_the_horizon() -> None:
    config = vc.Config(vc.Forecaster(lag=1), replace(PREPARE, scaling="none"), vc.Dense(latent_dim=2))
    preparation = vc.data.fit_preparation(windows([1.0, 2.0, 4.0], 3), replace(PREPARE, scaling="none"))
    doubling = lambda params, x: jnp.concatenate([2 * x, 4 * x], axis=1)  # noqa: E731
    found = continued(doubling, None, config, preparation, [[1.0]], 5)
    np.testing.assert_allclose(found, [[2, 4, 8, 16, 32]])


@pytest.mark.long
def test_a_wave_is_learned_and_continued() -> None:
    x = windows(np.sin(np.arange(120) / 4), 5)
    method = vc.Forecaster(lag=4, epochs=30, optimiser=vc.LBFGS())
    network = vc.Dense(latent_dim=1, hidden=(4,), activations=("tanh",))
    config = vc.Config(method, PREPARE, network, vc.TrainingConfig(batch_size=200))
    runs = vc.fit_seeds(config, x, [0, 1])
    expected = np.sin(np.arange(120, 125) / 4)
    for run in runs:
        found = run.forecast([np.sin(np.arange(100, 120) / 4)], 5)[0]
        np.testing.assert_allclose(found, expected, atol=0.2)
        np.testing.assert_allclose(run.regress(x[:3, :4])[:, 0], run.forecast(x[:3, :4], 1)[:, 0], rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "num_values", "sentence"),
    [
        (
            {},
            300,
            "at least 582 values for lag 80, 5 origins of horizon 100, got 300: lower --lag, --horizon",
        ),
        (
            {"fold": 3},
            1031,
            "at least 1032 values for lag 80, .* and fold 3 of 150 values, got 1031",
        ),
        (
            {"first_origin": 500, "fold": 3},
            1200,
            "first_origin must be at least 532 for lag 80 and fold 3",
        ),
        ({"lag": 0}, 900, "lag must be at least 1, got 0"),
        ({"horizon": 0}, 900, "horizon must be at least 1, got 0"),
        ({"origins": 0}, 900, "origins must be at least 1, got 0"),
        ({"first_origin": 10}, 900, "first_origin must be at least 82 for lag 80, got 10"),
    ],
)
def test_too_short_a_series_is_one_sentence(settings: dict[str, int], num_values: int, sentence: str) -> None:
    with pytest.raises(vc.InputError, match=sentence):
        vc.Forecaster(**settings).starts(num_values)


@pytest.mark.parametrize(
    ("method", "latent_dim", "sentence"),
    [
        (
            vc.Forecaster(lag=5),
            1,
            "rows must be stretches of more than lag = 5 values, got 5: make them by",
        ),
        (vc.Forecaster(lag=2), 1, r"lag \+ latent_dim = 2 \+ 1 values, got 5: make them by data.windows\(series, 3\)"),
        (vc.Forecaster(lag=4, fold=0), 1, "fold must be at least 1, got 0"),
        (vc.Forecaster(lag=4, epochs=0), 1, "epochs must be at least 1, got 0"),
        (vc.Forecaster(lag=4, noise=-0.1), 1, "noise must be at least 0 and finite, got -0.1"),
        (vc.Regressor(noise=float("nan")), 1, "noise must be at least 0 and finite, got nan"),
        (vc.Regressor(optimiser=vc.LBFGS(), cosine_decay=True), 1, "L-BFGS has no learning rate: leave cosine_decay"),
        (vc.Regressor(), 5, "latent_dim, the number of values that are predicted, must be below the 5 of a row, got 5"),
        (vc.Regressor(optimiser=vc.LBFGS()), 1, "L-BFGS needs all 96 training rows in one batch, got batch_size 64"),
    ],
)
def test_rows_that_do_not_fit_are_refused(method: vc.Regressor, latent_dim: int, sentence: str) -> None:
    with pytest.raises(vc.InputError, match=sentence):
        vc.fit(vc.Config(method, vc.PrepareConfig(split="last"), vc.Dense(latent_dim=latent_dim)), blobs()[0], 0)


def test_no_forecast_is_judged_by_stretches_that_training_saw() -> None:
    x, method, network = windows(SERIES, 7), vc.Forecaster(lag=6, epochs=1), vc.Dense(latent_dim=1, hidden=(4,))
    with pytest.raises(vc.InputError, match=r"Forecaster needs split 'last', .* set PrepareConfig\(split='last'\)"):
        vc.fit(vc.Config(method, network=network), x, 0)
    run = vc.fit(vc.Config(method, vc.PrepareConfig(split="last"), network), x, 0)
    assert run.train_index.max() < run.validation_index.min()
    np.testing.assert_allclose(run.preparation.offset, x[run.train_index].mean(axis=0), rtol=1e-5)
    assert not len(vc.fit(vc.Config(method, vc.PrepareConfig(validation=0.0), network), x, 0).validation_index)


def test_noise_shrinks_what_is_read_as_least_squares_with_noisy_inputs_does() -> None:
    """Of y = x, with x standardised and noise of deviation 1 added to it, the slope is 1 / (1 + 1)."""
    x = np.random.default_rng(0).normal(size=2000)
    rows = np.stack([x, x], axis=1)
    method = vc.Regressor(epochs=20, noise=1.0, cosine_decay=True)
    config = vc.Config(
        method,
        vc.PrepareConfig(validation=0.2),
        vc.Dense(latent_dim=1, hidden=(8,)),
        vc.TrainingConfig(learning_rate=0.02),
    )
    run = vc.fit(config, rows, 0)
    below, above = run.regress([[-1.0], [1.0]])[:, 0]
    assert (above - below) / 2 == pytest.approx(0.5, abs=0.05)
    assert len(run.history) == 20, "a rate that falls to 0 goes to its end"
    assert run.history[-1]["val_loss"] == pytest.approx(0.25, abs=0.05), "held-out rows are read without noise"


def test_images_are_no_rows_of_numbers() -> None:
    with pytest.raises(vc.InputError, match=r"Regressor takes vectors \(n, F\), got images"):
        vc.fit(vc.Config(vc.Regressor(), network=vc.Dense(latent_dim=1)), np.zeros((20, 8, 8)), 0)


@pytest.mark.long
def test_the_cnn_of_the_optimisers_has_34826_parameters_and_steps_by_any_of_them() -> None:
    network = vc.PooledCNN().resolved((28, 28, 1))
    method = vc.METHODS["classifier"](num_classes=10)
    about = vc.About(network.build((28, 28, 1)), network.latent_dim, 8, 8, 1e-3, 5, True, shape=(28, 28, 1))
    shape = jax.ShapeDtypeStruct
    batch = vc.Batch(shape((8, 28, 28, 1), jnp.float32), *(shape((8,), kind) for kind in (int, int, jnp.float32)))
    for optimiser in (vc.Optax(), vc.Optax("sgd"), vc.Optax("adadelta"), vc.LBFGS()):
        learner = replace(method, optimiser=optimiser).stages(about)[0].learner
        state = jax.eval_shape(learner.init, jax.random.key(0))
        assert sum(leaf.size for leaf in jax.tree.leaves(state.params)) == 320 + 18_496 + 16_010 == 34_826
        after, _ = jax.eval_shape(learner.step, jax.random.key(0), state, batch)
        assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), after) == jax.tree.map(
            lambda leaf: (leaf.shape, leaf.dtype), state
        )
