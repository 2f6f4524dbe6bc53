import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vaeclust_jax.networks import MLP, Conv

from .reference import random_parameters, reference_conv, reference_transpose, relative_error

KEY = jax.random.key(0)


def conv_networks(shape, channels, kernels, latent_dim):
    return Conv(channels=channels, kernels=kernels, latent_dim=latent_dim).build(shape)


def mlp_networks(shape, hidden, latent_dim):
    return MLP(hidden=hidden, latent_dim=latent_dim).build(shape)


def parameter_shapes(network):
    return jax.tree.map(lambda leaf: leaf.shape, jax.eval_shape(network.init, KEY))


def parameter_count(network):
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(jax.eval_shape(network.init, KEY)))


def output_shapes(network, shape):
    x = jax.ShapeDtypeStruct(shape, jnp.float32)
    return jax.tree.map(lambda leaf: leaf.shape, jax.eval_shape(network.apply, jax.eval_shape(network.init, KEY), x))


# The convolutional networks of the experiment on COIL-20 ---------------------------------------------


def coil_networks():
    """They are the defaults."""
    return Conv().build((32, 32, 1))


def test_the_coil_encoder_has_the_documented_parameters():
    networks = coil_networks()
    head = {"kernel": (4 * 4 * 128, 10), "bias": (10,)}
    assert parameter_shapes(networks.encoder) == {
        "layers": {
            0: {"kernel": (5, 5, 1, 32), "bias": (32,)},
            1: {"kernel": (5, 5, 32, 64), "bias": (64,)},
            2: {"kernel": (3, 3, 64, 128), "bias": (128,)},
        },
        "mean": head,
        "logvar": head,
    }
    assert parameter_count(networks.encoder) == 832 + 51_264 + 73_856 + 2 * 20_490


def test_the_coil_decoder_has_the_documented_parameters():
    """Transposed kernels are (kh, kw, channels out, channels in)."""
    networks = coil_networks()
    assert parameter_shapes(networks.decoder) == {
        "first": {"kernel": (10, 4 * 4 * 128), "bias": (4 * 4 * 128,)},
        "layers": {
            0: {"kernel": (3, 3, 64, 128), "bias": (64,)},
            1: {"kernel": (5, 5, 32, 64), "bias": (32,)},
            2: {"kernel": (5, 5, 1, 32), "bias": (1,)},
        },
    }
    assert parameter_count(networks.decoder) == 22_528 + 73_792 + 51_232 + 801


def test_first_weights_keep_the_scale_of_the_signal():
    """Variance 1 / fan-in; in a transposed layer a pixel sees a quarter of the kernel, hence 4 / fan-in."""
    networks = conv_networks((4, 4, 16), (64,), (5,), 2)
    encoder, decoder = (network.init(KEY)["layers"][0] for network in networks[:2])
    assert np.std(encoder["kernel"]) == pytest.approx(1 / math.sqrt(25 * 16), rel=0.02)
    assert np.std(decoder["kernel"]) == pytest.approx(2 / math.sqrt(25 * 64), rel=0.02)
    for layer, outputs in ((encoder, 64), (decoder, 16)):
        np.testing.assert_array_equal(layer["bias"], np.zeros(outputs))


# Convolutional networks of any size ------------------------------------------------------------------


@st.composite
def conv_sizes(draw):
    shape = (draw(st.integers(7, 40)), draw(st.integers(7, 40)), draw(st.sampled_from([1, 3])))
    layers = draw(st.integers(1, 4))
    channels = tuple(draw(st.lists(st.integers(1, 5), min_size=layers, max_size=layers)))
    kernels = tuple(draw(st.lists(st.integers(3, 6), min_size=layers, max_size=layers)))
    return shape, channels, kernels, draw(st.integers(1, 4))


@pytest.mark.long
@settings(max_examples=16, deadline=None)
@given(conv_sizes())
def test_every_layer_halves_the_image_and_the_decoder_restores_it(sizes):
    """Odd kernels round the half up, even ones down."""
    shape, channels, kernels, latent_dim = sizes
    height, width, _ = shape
    for kernel in kernels:
        height, width = (s // 2 if kernel % 2 == 0 else (s + 1) // 2 for s in (height, width))
    assume(height > 0 and width > 0)
    networks = conv_networks(*sizes)
    features = height * width * channels[-1]
    assert parameter_shapes(networks.encoder)["mean"]["kernel"] == (features, latent_dim)
    assert parameter_shapes(networks.decoder)["first"]["kernel"] == (latent_dim, features)
    assert output_shapes(networks.encoder, (2, *shape)) == ((2, latent_dim), (2, latent_dim))
    assert output_shapes(networks.decoder, (2, latent_dim)) == (2, *shape)


def test_the_conv_encoder_is_its_layers_written_out():
    shape, channels, kernels = (9, 12, 3), (4, 5), (5, 4)
    encoder = conv_networks(shape, channels, kernels, 3).encoder
    params = random_parameters(encoder)
    x = jax.random.normal(jax.random.key(1), (3, *shape))
    y = x
    for i, padding in enumerate((2, 1)):
        layer = params["layers"][i]
        y = jnp.maximum(reference_conv(y, layer["kernel"], 2, padding) + layer["bias"], 0)
    flat = np.asarray(y, np.float64).reshape(3, -1)
    assert flat.shape[1] == 2 * 3 * 5
    expected = [flat @ params[head]["kernel"] + params[head]["bias"] for head in ("mean", "logvar")]
    assert relative_error(list(jax.jit(encoder.apply)(params, x)), expected) <= 1e-5


def test_the_conv_decoder_is_its_layers_written_out():
    shape, channels, kernels = (9, 12, 3), (4, 5), (5, 4)
    decoder = conv_networks(shape, channels, kernels, 3).decoder
    params = random_parameters(decoder)
    z = jax.random.normal(jax.random.key(1), (3, 3))
    y = (z @ params["first"]["kernel"] + params["first"]["bias"]).reshape(3, 2, 3, 5)
    layer = params["layers"][0]
    y = jnp.maximum(reference_transpose(y, layer["kernel"], 2, 1, (5, 6)) + layer["bias"], 0)
    layer = params["layers"][1]
    expected = reference_transpose(y, layer["kernel"], 2, 2, (9, 12)) + layer["bias"]
    output = jax.jit(decoder.apply)(params, z)
    assert relative_error(output, expected) <= 1e-5
    assert np.min(output) < 0 < np.max(output)  # logits: nothing after the last layer


def test_gradients_reach_every_parameter_at_odd_sizes():
    shape = (7, 10, 1)
    networks = conv_networks(shape, (3, 3), (3, 2), 2)
    params = {name: random_parameters(getattr(networks, name)) for name in ("encoder", "decoder")}
    x = jax.random.uniform(jax.random.key(1), (2, *shape))

    def loss(params):
        mean, logvar = networks.encoder.apply(params["encoder"], x)
        return jnp.mean((networks.decoder.apply(params["decoder"], mean + logvar) - x) ** 2)

    gradients = jax.jit(jax.grad(loss))(params)
    assert jax.tree.structure(gradients) == jax.tree.structure(params)
    assert all(np.all(np.isfinite(g)) and np.any(g != 0) for g in jax.tree.leaves(gradients))


# Multi-layer perceptrons -----------------------------------------------------------------------------


def test_the_mlp_networks_have_the_documented_parameters():
    """784-392-196-98 with two heads of 8, and 8-98-196-392-784."""
    networks = mlp_networks((784,), (392, 196, 98), 8)
    widths = (784, 392, 196, 98)
    trunk = {i: {"kernel": (widths[i], widths[i + 1]), "bias": (widths[i + 1],)} for i in range(3)}
    head = {"kernel": (98, 8), "bias": (8,)}
    assert parameter_shapes(networks.encoder) == {"trunk": {"layers": trunk}, "mean": head, "logvar": head}
    widths = (8, 98, 196, 392, 784)
    trunk = {i: {"kernel": (widths[i], widths[i + 1]), "bias": (widths[i + 1],)} for i in range(4)}
    assert parameter_shapes(networks.decoder) == {"trunk": {"layers": trunk}}
    assert parameter_count(networks.encoder) == 307_720 + 77_028 + 19_306 + 2 * 792
    assert parameter_count(networks.decoder) == 882 + 19_404 + 77_224 + 308_112


def dense(x, layer, activation):
    x = x @ np.asarray(layer["kernel"], np.float64) + np.asarray(layer["bias"], np.float64)
    return np.maximum(x, 0) if activation else x


@pytest.mark.parametrize("shape", [(6,), (2, 3, 1)], ids=["vectors", "images"])
def test_the_mlp_networks_are_their_layers_written_out(shape):
    networks = mlp_networks(shape, (5, 4), 3)
    x = np.random.default_rng(1).normal(size=(7, *shape)).astype(np.float32)
    params = random_parameters(networks.encoder)
    h = x.astype(np.float64).reshape(7, -1)
    for i in range(2):
        h = dense(h, params["trunk"]["layers"][i], activation=True)
    expected = [dense(h, params[head], activation=False) for head in ("mean", "logvar")]
    mean, logvar = jax.jit(networks.encoder.apply)(params, x)
    assert relative_error([mean, logvar], expected) <= 1e-5

    params = random_parameters(networks.decoder)
    h = np.asarray(mean, np.float64)
    for i in range(3):
        h = dense(h, params["trunk"]["layers"][i], activation=i < 2)
    assert relative_error(jax.jit(networks.decoder.apply)(params, mean), h.reshape(7, *shape)) <= 1e-5
    assert h.min() < 0 < h.max()


@settings(max_examples=8, deadline=None)
@given(
    st.one_of(st.tuples(st.integers(1, 9)), st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3))),
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.integers(1, 4),
)
def test_the_mlp_decoder_restores_the_shape(shape, hidden, latent_dim):
    networks = mlp_networks(shape, tuple(hidden), latent_dim)
    assert output_shapes(networks.encoder, (2, *shape)) == ((2, latent_dim), (2, latent_dim))
    assert output_shapes(networks.decoder, (2, latent_dim)) == (2, *shape)
