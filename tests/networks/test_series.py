"""Networks of series against oracles in NumPy, written from the formulas."""

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from scipy.signal import correlate

import vaeclust_jax as vc
from vaeclust_jax.networks.adapter import from_module
from vaeclust_jax.networks.recurrent import LSTMEncoder, lstm_step
from vaeclust_jax.networks.series import conv1d


def size_of(params: object) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def lstm_oracle(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """One sample (t, c), one step after the other, every gate by a product of its own."""
    hidden = recurrent.shape[0]
    c, h, answers = np.zeros(hidden), np.zeros(hidden), []
    gate = [slice(number * hidden, (number + 1) * hidden) for number in range(4)]
    for value in x:
        i, f, g, o = (value @ kernel[:, one] + h @ recurrent[:, one] + bias[one] for one in gate)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        answers.append(h)
    return np.array(answers)


def test_an_lstm_is_that_of_the_formulas() -> None:
    encoder = from_module(lambda rngs: LSTMEncoder((12,), 2, (5, 3), 2, rngs))
    params = encoder.init(jax.random.key(1))
    x = np.random.default_rng(0).normal(size=(3, 12)).astype(np.float32)
    mean, logvar = jax.jit(encoder.apply)(params, x)
    for row, found_mean, found_logvar in zip(x, mean, logvar, strict=True):
        answers = row.reshape(6, 2).astype(np.float64)
        for layer in (params["trunk"]["layers"][place] for place in (0, 1)):
            answers = lstm_oracle(answers, *(np.asarray(layer[name]) for name in ("kernel", "recurrent", "bias")))
        for found, head in ((found_mean, "mean"), (found_logvar, "logvar")):
            expected = answers[-1] @ params[head]["kernel"] + params[head]["bias"]
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_new_cell_remembers() -> None:
    params = vc.LSTM(cells=(4,), latent_dim=1).build((5,)).encoder.init(jax.random.key(0))
    np.testing.assert_array_equal(params["trunk"]["layers"][0]["bias"], [0] * 4 + [1] * 4 + [0] * 8)


def test_gradients_of_a_cell_are_finite_differences() -> None:
    rng = np.random.default_rng(0)
    c, h, of_input, recurrent = (rng.normal(size=shape) for shape in ((2, 3), (2, 3), (2, 12), (3, 12)))
    with jax.enable_x64():
        check_grads(lstm_step, (c, h, of_input, recurrent), order=1, modes=["rev"])


@pytest.mark.parametrize(("steps", "size", "stride"), [(9, 3, 1), (9, 5, 2), (8, 4, 2), (2, 5, 2), (1, 3, 2)])
def test_a_convolution_along_time_is_scipys(steps: int, size: int, stride: int) -> None:
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, steps, 3)), rng.normal(size=(size, 3, 4))
    found = conv1d(jnp.asarray(x, jnp.float32), jnp.asarray(kernel, jnp.float32), stride)
    assert found.shape == (2, -(-steps // stride), 4)
    before = (size - 1) // 2
    for row in range(2):
        padded = np.pad(x[row], ((before, size + stride), (0, 0)))
        for out in range(4):
            full = sum(correlate(padded[:, c], kernel[:, c, out], mode="valid") for c in range(3))
            np.testing.assert_allclose(found[row, :, out], full[:steps:stride], atol=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("network", [vc.LSTM(cells=(4, 3)), vc.Conv1D(filters=(3, 4), kernel=3)])
@pytest.mark.parametrize(("shape", "channels"), [((7,), 1), ((12,), 3)])
def test_series_of_one_or_several_values_a_step_come_back_in_their_shape(
    network: vc.LSTM | vc.Conv1D, shape: tuple[int, ...], channels: int
) -> None:
    network = type(network)(**{**vars(network), "channels_a_step": channels, "latent_dim": 2})
    network.check(shape)
    both = network.build(shape)
    mean, logvar = both.encoder.apply(both.encoder.init(jax.random.key(0)), np.ones((4, *shape), np.float32))
    assert mean.shape == logvar.shape == (4, 2)
    assert both.decoder.apply(both.decoder.init(jax.random.key(1)), mean).shape == (4, *shape)


@pytest.mark.parametrize("network", [vc.LSTM(channels_a_step=3), vc.Conv1D(channels_a_step=3)])
@pytest.mark.parametrize("scaling", ["auto", "standardise-all"])
def test_series_of_several_values_a_step_are_never_taken_for_images(
    network: vc.LSTM | vc.Conv1D, scaling: Literal["auto", "standardise-all"]
) -> None:
    x = np.random.default_rng(0).random((90, 20, 3))
    with pytest.raises(
        vc.InputError, match=r"give an array \(n, T, C\) as x.reshape\(len\(x\), -1\), and set channels"
    ):
        vc.fit(vc.Config(vc.DEC(3), vc.PrepareConfig(scaling=scaling), network), x, 0)


def test_values_that_are_no_pixels_are_said_to_be_vectors_or_series() -> None:
    with pytest.raises(vc.InputError, match=r"or pass vectors \(n, F\), such as x.reshape\(len\(x\), -1\) of series"):
        vc.fit(vc.Config(vc.DEC(3), network=vc.LSTM(channels_a_step=3)), np.full((90, 20, 3), 1.5), 0)


def test_later_steps_do_not_change_earlier_answers() -> None:
    layer = vc.LSTM(cells=(4,), latent_dim=2).build((8,)).encoder
    params = layer.init(jax.random.key(0))
    trunk = params["trunk"]["layers"][0]
    kernel, recurrent, bias = (np.asarray(trunk[name]) for name in ("kernel", "recurrent", "bias"))
    x = np.random.default_rng(0).normal(size=(8, 1))
    other = np.where(np.arange(8)[:, None] < 5, x, 9)
    one, two = (lstm_oracle(values, kernel, recurrent, bias) for values in (x, other))
    np.testing.assert_array_equal(one[:5], two[:5])


def test_the_perceptron_of_the_regression_has_609_parameters_and_is_that_of_the_formula() -> None:
    dense = vc.Dense(latent_dim=1, hidden=(16, 16, 16), activations=("mish", "mish", "tanh"))
    encoder = dense.build((2,)).encoder
    params = encoder.init(jax.random.key(0))
    assert size_of(params) == 2 * 16 + 16 + 2 * (16 * 16 + 16) + 16 + 1 == 609
    x = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    h = x.astype(np.float64)
    mish = lambda a: a * np.tanh(np.log1p(np.exp(a)))  # noqa: E731
    for place, function in enumerate((mish, mish, np.tanh, lambda a: a)):
        layer = params["layers"][place]
        h = function(h @ np.asarray(layer["kernel"]) + np.asarray(layer["bias"]))
    code, logvar = encoder.apply(params, x)
    np.testing.assert_allclose(code, h, atol=1e-5)
    assert not np.asarray(logvar).any()


@pytest.mark.parametrize(
    ("network", "shape", "sentence"),
    [
        (vc.LSTM(channels_a_step=3), (10,), "channels_a_step must divide the length of a sample, 10, got 3"),
        (
            vc.LSTM(),
            (5, 2, 1),
            r"need vectors \(n, T C\), got images: .* set channels_a_step \(--channels-a-step\) to C",
        ),
        (vc.LSTM(channels_a_step=0), (10,), "channels_a_step must be at least 1"),
        (vc.LSTM(cells=()), (10,), "cells must name at least one width"),
        (vc.LSTM(cells=(0,)), (10,), "cells must name at least one width"),
        (vc.Conv1D(filters=()), (10,), "filters must name at least one width"),
        (vc.Conv1D(kernel=1), (10,), "kernel must be at least 2, got 1"),
        (vc.Dense(activations=("swoosh",)), (10,), "activations must be among relu, mish"),
        (vc.Dense(hidden=(3, 3, 3), activations=("relu", "tanh")), (10,), "one for each of 3 hidden layers"),
    ],
)
def test_what_does_not_fit_is_one_sentence(network: vc.MLP, shape: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(vc.InputError, match=sentence):
        network.check(shape)
