"""What is resolved, measured and refused before anything is trained."""

from typing import Any

import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import config
from vaeclust_jax.fitting.config import resolve, with_method
from vaeclust_jax.fitting.prepared import prepare
from vaeclust_jax.fitting.resolve import resolved_for
from vaeclust_jax.networks import CustomNetwork

VECTORS = np.zeros((20, 5), np.float32)
IMAGES = np.zeros((20, 8, 8, 1), np.float32)


def ready(settings: vc.Config, x: np.ndarray) -> vc.Config:
    """All rows train; vectors are taken as they are."""
    whole = vc.PrepareConfig(validation=0.0, scaling="none")
    return resolved_for(settings, prepare(whole, vc.data.checked_rows(x)))


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (VECTORS, (None, False, "standardise", vc.MLP, "gaussian")),
        (IMAGES, ((16, 16), True, "none", vc.Conv, "bernoulli")),
    ],
    ids=["vectors", "images"],
)
def test_every_auto_becomes_what_it_means_for_the_data(x: np.ndarray, expected: tuple[Any, ...]) -> None:
    found = resolve(config(image_size=(16, 16), grey=True), x.shape[1:], custom=False)
    method = found.method.resolved(vc.DataSpec(x.shape[1:]))
    assert isinstance(method, vc.DEC)
    assert (
        found.prepare.image_size, found.prepare.grey, found.prepare.scaling, type(found.network), method.likelihood,
    ) == expected  # fmt: skip


def test_what_a_person_chose_stays() -> None:
    chosen = config(network="mlp", likelihood="gaussian", scaling="none")
    assert resolve(chosen, IMAGES.shape[1:], custom=False) == chosen
    chosen = config(network="mlp", likelihood="bernoulli", scaling="minmax")
    assert resolve(chosen, VECTORS.shape[1:], custom=False) == chosen


@pytest.mark.parametrize("given", ["auto", "mlp", "conv", "custom"])
def test_networks_handed_in_are_recorded_as_custom(given: Any) -> None:
    assert isinstance(resolve(config(network=given), VECTORS.shape[1:], custom=True).network, CustomNetwork)


def test_custom_without_networks_is_refused() -> None:
    with pytest.raises(vc.InputError, match=r"network 'custom' needs .*networks=Networks"):
        resolve(config(network="custom"), VECTORS.shape[1:], custom=False)


def test_input_statistics_are_measured_on_images_and_0_and_1_for_vectors() -> None:
    x = np.random.default_rng(0).uniform(size=(50, 8, 8, 1)).astype(np.float32)
    network = ready(config(), x).network
    assert network.input_mean == pytest.approx(x.astype(np.float64).mean(), rel=1e-9)
    assert network.input_std == pytest.approx(x.astype(np.float64).std(), rel=1e-9)
    network = ready(config(), np.full((9, 5), 7.0, np.float32)).network
    assert (network.input_mean, network.input_std) == (0, 1)


@pytest.mark.parametrize("given", [{"input_mean": 0.25}, {"input_std": 0.5}, {"input_mean": 0.0, "input_std": 2.0}])
def test_input_statistics_that_a_person_gave_stay(given: dict[str, float]) -> None:
    x = np.random.default_rng(0).uniform(size=(50, 8, 8, 1)).astype(np.float32)
    network = ready(config(**given), x).network
    assert {name: getattr(network, name) for name in given} == given
    assert network.input_mean is not None
    assert network.input_std is not None


@pytest.mark.parametrize("value", [0.0, 0.1, 1.0])
def test_constant_images_are_not_divided_by_their_rounding_errors(value: float) -> None:
    network = ready(config(), np.full((777, 8, 8, 1), value, np.float32)).network
    assert network.input_std is not None
    assert network.input_std > 1e-6


def test_a_config_that_works_is_accepted() -> None:
    for x in (VECTORS, IMAGES):
        ready(config(num_clusters=20), x)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_clusters": 0}, ["num_clusters", "at least 1", "got 0"]),
        ({"num_clusters": 21}, ["num_clusters", "21 clusters", "20 samples"]),
        ({"pretrain_epochs": 0}, ["pretrain_epochs", "at least 1", "got 0"]),
        ({"joint_epochs": -1}, ["joint_epochs", "at least 0", "got -1"]),
        ({"batch_size": 0}, ["batch_size", "at least 1", "got 0"]),
        ({"patience": 0}, ["patience", "at least 1", "got 0"]),
        ({"update_target_interval": 0}, ["update_target_interval", "at least 1", "got 0"]),
        ({"learning_rate": 0.0}, ["learning_rate", "positive", "got 0"]),
        ({"learning_rate": np.inf}, ["learning_rate", "positive", "got inf"]),
        ({"learning_rate": np.nan}, ["learning_rate", "positive", "got nan"]),
        ({"tolerance": 1.5}, ["tolerance", "[0, 1]", "got 1.5"]),
        ({"tolerance": np.nan}, ["tolerance", "[0, 1]", "got nan"]),
        ({"beta": -1.0}, ["beta", "0 or more", "got -1"]),
        ({"gamma": np.nan}, ["gamma", "0 or more", "got nan"]),
        ({"latent_dim": 0}, ["latent_dim", "at least 1", "got 0"]),
        ({"hidden": ()}, ["hidden", "at least one", "got ()"]),
        ({"hidden": (16, 0)}, ["hidden", "at least 1", "(16, 0)"]),
        ({"network": "conv"}, ["conv", "images", "vectors (n, 5)", "mlp"]),
        ({"input_std": 0.0}, ["input_std", "positive", "got 0"]),
        ({"input_mean": np.inf}, ["input_mean", "finite", "got inf"]),
    ],
    ids=str,
)
def test_a_setting_out_of_its_range_is_named(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(vc.InputError) as caught:
        ready(config(**changes), VECTORS)
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"channels": (4,)}, ["channels and kernels", "(4,)", "(3, 3)"]),
        ({"channels": (), "kernels": ()}, ["channels and kernels", "at least one layer"]),
        ({"channels": (4, 0)}, ["channels", "at least 1", "(4, 0)"]),
        ({"kernels": (1, 3)}, ["kernels", "at least 3", "(1, 3)"]),
    ],
    ids=str,
)
def test_layers_that_do_not_fit_images_are_named(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(vc.InputError) as caught:
        ready(config(**changes), IMAGES)
    assert [word for word in words if word not in str(caught.value)] == []


def test_bernoulli_needs_values_between_0_and_1() -> None:
    settings = config(likelihood="bernoulli")
    for low, high in ((-0.1, 1), (0, 1.1)):
        x = VECTORS.copy()
        x[0, :2] = low, high
        with pytest.raises(vc.InputError, match=r"likelihood 'bernoulli' needs values in \[0, 1\].*'minmax'"):
            ready(settings, x)
    ready(with_method(settings, likelihood="gaussian"), VECTORS - 3)


@pytest.mark.parametrize(
    ("shape", "size", "network"),
    [((8, 8, 1), None, vc.MLP), ((32, 32, 3), None, vc.MLP), ((33, 20, 1), (32, 32), vc.MLP), ((5,), None, vc.MLP)],
)
def test_a_size_left_open_is_the_images_own_up_to_32_pixels_and_the_network_suits_it(
    shape: tuple[int, ...], size: tuple[int, int] | None, network: type
) -> None:
    left = vc.Config(vc.DEC(3), prepare=vc.PrepareConfig(image_size="auto"))
    found = resolve(left, shape, custom=False)
    assert (found.prepare.image_size, type(found.network)) == (size, network)


def test_larger_images_that_keep_their_size_get_convolutions() -> None:
    left = vc.Config(vc.DEC(3), prepare=vc.PrepareConfig(image_size=None))
    assert type(resolve(left, (40, 33, 1), custom=False).network) is vc.Conv


@pytest.mark.parametrize(
    ("shape", "weight"), [((8, 8, 1), 1 / 16), ((32, 32, 1), 1.0), ((32, 32, 3), 3.0), ((64,), 1.0)]
)
def test_weights_left_open_grow_with_the_values_of_an_image(shape: tuple[int, ...], weight: float) -> None:
    found = vc.GraphDEC(3, beta="auto", gamma="auto").resolved(vc.DataSpec(shape))
    assert (found.beta, found.gamma) == (weight, 100 * weight)
    given = vc.GraphDEC(3, beta=0.3, gamma="linear").resolved(vc.DataSpec(shape))
    assert (given.beta, given.gamma) == (0.3, "linear")
