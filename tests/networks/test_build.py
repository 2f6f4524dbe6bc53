from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vaeclust_jax.errors import InputError
from vaeclust_jax.networks import MLP, AutoNetwork, Conv, CustomNetwork, TorchStartMLP
from vaeclust_jax.networks.build import standardising
from vaeclust_jax.types import Network, Networks

from .reference import random_parameters

IMAGE, VECTOR = (8, 8, 1), (5,)


@pytest.mark.parametrize(
    ("config", "shape", "sentence"),
    [
        (Conv(latent_dim=0), IMAGE, "latent_dim must be at least 1, got 0"),
        (MLP(latent_dim=-2), VECTOR, "latent_dim must be at least 1, got -2"),
        (Conv(), VECTOR, r"'conv' needs images \(n, H, W, C\), got vectors \(n, 5\): use 'mlp'"),
        (Conv(channels=(4, 4), kernels=(3,)), IMAGE, r"got \(4, 4\) and \(3,\)"),
        (Conv(channels=(), kernels=()), IMAGE, "at least one layer"),
        (Conv(channels=(4, 0), kernels=(3, 3)), IMAGE, r"got \(4, 0\) and \(3, 3\)"),
        (Conv(channels=(4, 4), kernels=(3, 2)), IMAGE, "kernels at least 3"),
        (Conv(channels=(4,) * 4, kernels=(4,) * 4), (7, 7, 1), "too small for 4 layers"),
        (MLP(input_mean=float("nan")), IMAGE, "input_mean must be finite"),
        (MLP(input_std=float("inf")), IMAGE, "input_std must be positive"),
        (MLP(hidden=()), VECTOR, r"hidden .* at least one width.* got \(\)"),
        (MLP(hidden=(4, 0)), IMAGE, r"hidden .* got \(4, 0\)"),
        (MLP(decoder_hidden=()), VECTOR, r"decoder_hidden .* at least one width.* got \(\)"),
        (MLP(decoder_hidden=(4, -1)), VECTOR, r"decoder_hidden .* got \(4, -1\)"),
        (
            MLP(decoder_hidden=(4,) * 101),
            VECTOR,
            "decoder_hidden must name at most 100 layers, got 101",
        ),
        (MLP(input_std=0.0), VECTOR, "input_std must be positive, got 0.0"),
        (Conv(input_std=-1.0), IMAGE, "input_std must be positive, got -1.0"),
        (Conv(input_std=float("nan")), IMAGE, "input_std must be positive, got nan"),
    ],
)
def test_one_sentence_on_what_does_not_fit(config, shape, sentence):
    with pytest.raises(InputError, match=sentence) as error:
        config.check(shape)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("config", "shape"),
    [
        (Conv(), (32, 32, 1)),
        (Conv(channels=(1,), kernels=(4,), latent_dim=1), (7, 9, 3)),
        (MLP(), VECTOR),
        (MLP(hidden=(1,), input_mean=-3.0, input_std=1e-3), IMAGE),
        (AutoNetwork(), (32, 32, 1)),
        (AutoNetwork(latent_dim=3), VECTOR),
        (MLP(hidden=(4, 3), decoder_hidden=(2, 2, 6)), VECTOR),
    ],
)
def test_what_fits_passes_and_builds(config, shape):
    config.check(shape)
    networks = config.build(shape)
    key = jax.random.key(0)
    encoder, decoder = (jax.eval_shape(n.init, key) for n in networks[:2])
    x = jax.ShapeDtypeStruct((3, *shape), jnp.float32)
    mean, logvar = jax.eval_shape(networks.encoder.apply, encoder, x)
    assert mean.shape == logvar.shape == (3, config.latent_dim)
    assert jax.eval_shape(networks.decoder.apply, decoder, mean).shape == x.shape


def test_an_equal_config_gives_the_same_object():
    one, two = (MLP(hidden=(4, 3)) for _ in range(2))
    assert one is not two
    assert one.build(VECTOR) is two.build(VECTOR)
    assert one.build(VECTOR) is not one.build((6,))
    assert one.build(VECTOR) is not MLP(hidden=(3, 4)).build(VECTOR)


def test_standardising_gives_the_same_object_for_equal_numbers():
    networks = MLP().build(VECTOR)
    assert standardising(networks, 0.5, 2.0) is standardising(networks, 0.5, 2.0)
    assert standardising(networks, 0.5, 2.0) is not standardising(networks, 0.5, 3.0)


def test_standardising_changes_what_the_encoder_sees_alone():
    networks = Conv(channels=(2,), kernels=(3,), latent_dim=2).build(IMAGE)
    both = standardising(networks, 0.3022, 0.2893)
    assert both.decoder is networks.decoder
    x = jax.random.uniform(jax.random.key(0), (3, *IMAGE))
    params = random_parameters(both.encoder)
    expected = jax.jit(networks.encoder.apply)(params, (x - 0.3022) / 0.2893)
    for output, other in zip(jax.jit(both.encoder.apply)(params, x), expected, strict=True):
        np.testing.assert_allclose(output, other, rtol=1e-5, atol=1e-6)
        assert output.shape == (3, 2)


def test_standardising_takes_networks_of_plain_functions():
    """A linear encoder and decoder, as a person may write them: no Flax, params an array and a tuple."""

    def encode(params, x):
        return x @ params, jnp.zeros((x.shape[0], params.shape[1]))

    def decode(params, z):
        weight, bias = params
        return z @ weight + bias

    own = Networks(
        Network(lambda key: jax.random.normal(key, (5, 2)), encode),
        Network(lambda key: (jax.random.normal(key, (2, 5)), jnp.zeros(5)), decode),
    )
    networks = standardising(own, 2.0, 4.0)
    x = np.random.default_rng(0).normal(size=(3, 5))
    params = networks.encoder.init(jax.random.key(0))
    mean, logvar = jax.jit(networks.encoder.apply)(params, jnp.asarray(x))
    np.testing.assert_allclose(mean, (x - 2) / 4 @ np.asarray(params), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(logvar, np.zeros((3, 2)))
    assert networks.decoder is own.decoder
    assert networks is standardising(own, 2.0, 4.0)


def test_weights_start_as_flax_s_or_as_pytorch_s():
    def first(kind):
        networks = kind(hidden=(300,)).build((400,))
        return networks.encoder.init(jax.random.key(0))["trunk"]["layers"][0]

    flax, torch = first(MLP), first(TorchStartMLP)
    assert not flax["bias"].any()
    assert flax["kernel"].var() == pytest.approx(1 / 400, rel=0.03)
    for weights in torch.values():
        assert 0.98 / 20 < abs(weights).max() <= 1 / 20
    assert torch["kernel"].var() == pytest.approx(1 / 400 / 3, rel=0.03)
    assert abs(torch["kernel"].mean()) < 1e-3


def test_a_decoder_has_the_encoder_s_widths_in_reverse_or_its_own():
    def widths(config):
        layers = jax.eval_shape(config.build(VECTOR).decoder.init, jax.random.key(0))["trunk"]["layers"]
        return [layers[number]["kernel"].shape for number in sorted(layers)]

    mirrored = MLP(hidden=(4, 3), latent_dim=2)
    assert widths(mirrored) == [(2, 3), (3, 4), (4, 5)]
    assert widths(replace(mirrored, decoder_hidden=(3, 6, 6))) == [(2, 3), (3, 6), (6, 6), (6, 5)]


def test_what_is_left_open_is_resolved_by_the_kind_of_data():
    left = AutoNetwork(latent_dim=3, input_std=2.0, compute_dtype="bfloat16")
    assert left.resolved((32, 33, 1)) == Conv(latent_dim=3, input_std=2.0, compute_dtype="bfloat16")
    for shape in ((32, 32, 3), (8, 8, 1), VECTOR):
        assert left.resolved(shape) == MLP(latent_dim=3, input_std=2.0, compute_dtype="bfloat16")
    assert MLP(hidden=(4,)).resolved((32, 32, 1)) == MLP(hidden=(4,))
    with pytest.raises(InputError, match="needs the networks themselves"):
        CustomNetwork().build(VECTOR)


def test_a_setting_of_another_kind_does_not_exist():
    for kind, setting in ((MLP, "channels"), (Conv, "hidden"), (MLP, "heads"), (AutoNetwork, "hidden")):
        with pytest.raises(TypeError, match=setting):
            kind(**{setting: (4,)})
