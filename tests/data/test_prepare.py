import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vaeclust_jax.data import Preparation, PrepareConfig, fit_preparation, load
from vaeclust_jax.errors import InputError, InputWarning

RNG = np.random.default_rng(0)
vectors = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 8), st.just(3)),
    elements=st.integers(-1000, 1000).map(lambda v: v / 8),
)
scalings = st.sampled_from(["auto", "none", "standardise", "minmax", "minmax-row"])


def test_standardised_and_minmax_training_vectors() -> None:
    x = RNG.normal(5, 3, (200, 4)).astype(np.float32)
    standard = fit_preparation(x, PrepareConfig()).apply(x)
    assert standard.dtype == np.float32
    np.testing.assert_allclose(standard.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(standard.std(axis=0), 1, atol=1e-5)
    minmax = fit_preparation(x, PrepareConfig(scaling="minmax"))
    scaled = minmax.apply(x)
    np.testing.assert_array_equal([scaled.min(axis=0), scaled.max(axis=0)], [[0] * 4, [1] * 4])
    assert minmax.apply(x * 10).max() > 1  # predictions are not clipped
    np.testing.assert_array_equal(fit_preparation(x, PrepareConfig(scaling="none")).apply(x), x)


def test_rows_are_scaled_by_their_own_extremes_and_read_back() -> None:
    x = np.array([[1.0, 3, 2], [-10, 0, 10], [5, 5, 5]])
    prepared = fit_preparation(x[:1], PrepareConfig(scaling="minmax-row"))
    expected = [[0, 1, 0.5], [0, 0.5, 1], [0, 0, 0]]
    np.testing.assert_array_equal(prepared.apply(x), expected)
    np.testing.assert_array_equal(Preparation.from_json(prepared.to_json()).apply(x), expected)
    old = {name: value for name, value in prepared.to_json().items() if name != "by_row"}
    np.testing.assert_array_equal(Preparation.from_json(old).apply(x), x)


@pytest.mark.parametrize("shape", [(4,), (3, 3, 1)])
def test_that_all_samples_are_equal_is_said(shape: tuple[int, ...]) -> None:
    x = np.repeat(np.random.default_rng(0).uniform(size=(1, *shape)), 20, axis=0)
    with pytest.warns(InputWarning, match="all 20 samples are equal: there is nothing to tell apart"):
        fit_preparation(x, PrepareConfig())
    x[7] /= 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_preparation(x, PrepareConfig())


@pytest.mark.parametrize("scaling", ["standardise", "minmax"])
def test_constant_features_become_zero(scaling: str) -> None:
    x = np.full((1000, 2), 0.1, np.float32)
    x[:, 1] = RNG.random(1000)
    prepared = fit_preparation(x, PrepareConfig(scaling=scaling))  # type: ignore[arg-type]
    assert prepared.apply(x)[:, 0].tolist() == [0] * 1000
    np.testing.assert_allclose(prepared.apply([[1.1, 0]])[0, 0], 1, rtol=1e-6)


@given(vectors, vectors, scalings)
def test_fitted_on_training_rows_only_and_read_back_exactly(train: np.ndarray, other: np.ndarray, scaling: str) -> None:
    prepared = fit_preparation(train, PrepareConfig(scaling=scaling))  # type: ignore[arg-type]
    back = Preparation.from_json(json.loads(json.dumps(prepared.to_json())))
    alone = prepared.apply(other)
    np.testing.assert_array_equal(back.apply(other), alone)
    together = prepared.apply(np.concatenate([train, other]))  # a row's result does not depend on its neighbours
    np.testing.assert_array_equal(together[len(train) :], alone)
    assert (back.input_shape, back.output_shape) == ((3,), (3,))


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([None, (4, 6), (1, 3), (12, 12)]), st.booleans())
def test_images_keep_their_range_and_take_the_stated_shape(
    height: int, width: int, size: tuple[int, int] | None, grey: bool
) -> None:
    if height * width == 1:
        return
    x = np.random.default_rng(height).integers(0, 256, (2, height, width, 3), np.uint8)
    prepared = fit_preparation(x, PrepareConfig(image_size=size, grey=grey))
    result = prepared.apply(x)
    assert result.shape == (2, *prepared.output_shape)
    assert prepared.output_shape == (*(size or (height, width)), 1 if grey else 3)
    assert result.dtype == np.float32
    assert result.min() >= 0
    assert result.max() <= 1
    back = Preparation.from_json(json.loads(json.dumps(prepared.to_json())))
    np.testing.assert_array_equal(back.apply(x), result)


def test_bytes_and_floats_are_the_same_images() -> None:
    x = RNG.integers(0, 256, (3, 4, 5, 2), np.uint8)
    prepared = fit_preparation(x, PrepareConfig())
    np.testing.assert_array_equal(prepared.apply(x), (x / 255).astype(np.float32))
    np.testing.assert_allclose(prepared.apply(x / 255), prepared.apply(x), atol=1e-7)


def test_grey_weighs_by_luma_and_drops_transparency() -> None:
    x = np.zeros((1, 2, 2, 4), np.float32)
    x[0, 0, 0, 0] = x[0, 0, 1, 1] = x[0, 1, 0, 2] = x[0, 1, 1, 3] = 1
    prepared = fit_preparation(x, PrepareConfig(grey=True))
    np.testing.assert_allclose(prepared.apply(x).ravel(), [0.299, 0.587, 0.114, 0], atol=1e-6)
    np.testing.assert_allclose(prepared.apply(x[..., 1:2]).ravel(), [0, 1, 0, 0])
    np.testing.assert_allclose(prepared.apply(x[..., 1:3]).ravel(), [0, 1, 0, 0])


def box_mean(x: np.ndarray, factor: int) -> np.ndarray:
    n, height, width, channels = x.shape
    blocks = x.reshape(n, height // factor, factor, width // factor, factor, channels).astype(np.float64)
    return blocks.mean(axis=(2, 4)) / 255


def test_shrinking_is_the_mean_of_each_box() -> None:
    x = RNG.integers(0, 256, (5, 128, 64, 3), np.uint8)
    result = fit_preparation(x, PrepareConfig(image_size=(32, 16))).apply(x)
    np.testing.assert_allclose(result, box_mean(x, 4), atol=1e-6)


def test_shrinking_coil20_is_the_mean_of_each_box(real_data: Path) -> None:
    if not (real_data / "coil20.npz").is_file():
        pytest.skip("VAECLUST_DATA has no coil20.npz")
    x = load("coil20").x[::10]
    result = fit_preparation(x, PrepareConfig(image_size=(32, 32))).apply(x)
    np.testing.assert_allclose(result, box_mean(x, 4), atol=1e-6)


def test_growing_is_linear_and_axes_are_independent() -> None:
    ramp = np.tile(np.linspace(0, 1, 8, dtype=np.float32)[:, None], (1, 8))[None]
    result = fit_preparation(ramp, PrepareConfig(image_size=(16, 2))).apply(ramp)[0, :, :, 0]
    np.testing.assert_array_equal(result[:, 0], result[:, 1])
    np.testing.assert_allclose(np.diff(result[1:-1, 0]), 1 / 14, atol=1e-6)


@pytest.mark.parametrize(
    ("train", "config", "got", "parts"),
    [
        ((3, 5), PrepareConfig(), (3, 6), ["(5,)", "got (6,)"]),
        ((3, 5), PrepareConfig(), (3, 5, 5, 1), ["(5,)", "got (5, 5, 1)"]),
        ((3, 8, 8, 1), PrepareConfig(), (3, 64), ["(8, 8, 1)", "got (64,)"]),
        ((3, 8, 8, 1), PrepareConfig(), (3, 9, 8, 1), ["(8, 8, 1)", "got (9, 8, 1)", "image_size"]),
        ((3, 8, 8, 1), PrepareConfig(image_size=(4, 4)), (3, 9, 8, 3), ["(9, 8, 3)", "with grey set"]),
        ((3, 8, 8, 3), PrepareConfig(grey=True), (3, 9, 8, 1), ["(9, 8, 1)", "image_size set"]),
    ],
)
def test_samples_that_do_not_fit_are_named(
    train: tuple[int, ...], config: PrepareConfig, got: tuple[int, ...], parts: list[str]
) -> None:
    prepared = fit_preparation(RNG.random(train), config)
    with pytest.raises(InputError) as caught:
        prepared.apply(RNG.random(got))
    for part in parts:
        assert part in str(caught.value)


def test_other_sizes_and_channels_fit_where_the_configuration_brings_them_there() -> None:
    prepared = fit_preparation(RNG.random((3, 8, 8, 3)), PrepareConfig(image_size=(4, 4), grey=True))
    assert prepared.apply(RNG.random((2, 20, 3, 1))).shape == (2, 4, 4, 1)


@pytest.mark.parametrize(
    ("shape", "config", "part"),
    [
        ((3, 5), PrepareConfig(grey=True), "grey is for images.*vectors of 5 features"),
        ((3, 5), PrepareConfig(image_size=(4, 4)), "image_size is for images"),
        ((3, 8, 8, 1), PrepareConfig(scaling="minmax"), "scaling='minmax' is for vectors"),
    ],
)
def test_configuration_for_the_other_kind_of_data_is_named(
    shape: tuple[int, ...], config: PrepareConfig, part: str
) -> None:
    with pytest.raises(InputError, match=part):
        fit_preparation(RNG.random(shape), config)


def test_samples_far_outside_the_training_range_are_named() -> None:
    prepared = fit_preparation(np.array([[0, 0], [1, 1e-30]]), PrepareConfig(scaling="minmax"))
    with pytest.raises(InputError, match=r"feature 1 .* too far outside its training range"):
        prepared.apply([[0.5, 1e30]])


def test_prepared_values_can_be_squared_in_float32() -> None:
    prepared = fit_preparation(RNG.normal(size=(20, 2)), PrepareConfig())
    assert np.isfinite(np.square(prepared.apply([[0, 1e14]]))).all()
    with pytest.raises(InputError, match=r"feature 1 .* too far outside its training range"):
        prepared.apply([[0, 1e22]])
    with pytest.raises(InputError, match=r"feature 0 .* cannot square.*'standardise'"):
        fit_preparation([[0.0, 1], [1, 1]], PrepareConfig(scaling="none")).apply([[1e30, 0]])


def test_features_without_a_variance_in_float64_are_named() -> None:
    x = RNG.normal(size=(20, 2))
    with pytest.raises(InputError, match=r"feature 1 has values from .*e-300, too near each other.*'minmax'"):
        fit_preparation(x * [1, 1e-300], PrepareConfig())
    minmax = PrepareConfig(scaling="minmax")
    expected = (x - x.min(axis=0)) / np.ptp(x, axis=0)
    np.testing.assert_allclose(fit_preparation(x * 1e-300, minmax).apply(x * 1e-300), expected, atol=1e-6)


@pytest.mark.parametrize("scaling", ["standardise", "minmax"])
def test_a_weight_of_two_is_two_samples(scaling: str) -> None:
    x, counts = RNG.normal(size=(20, 3)), RNG.integers(1, 5, 20)
    config = PrepareConfig(scaling=scaling)  # type: ignore[arg-type]
    expected = fit_preparation(np.repeat(x, counts, axis=0), config)
    np.testing.assert_allclose(fit_preparation(x, config, counts).apply(x), expected.apply(x), rtol=1e-5, atol=1e-6)


def test_raw_data_are_never_changed() -> None:
    x = RNG.random((3, 4, 4, 1)).astype(np.float32)
    before = x.copy()
    fit_preparation(x, PrepareConfig()).apply(x)[:] = 7
    np.testing.assert_array_equal(x, before)
    v = RNG.random((3, 4)).astype(np.float32)
    fit_preparation(v, PrepareConfig(scaling="none")).apply(v)[:] = 7
    assert v.max() <= 1
