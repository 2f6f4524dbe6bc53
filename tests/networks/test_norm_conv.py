"""The convolutional network that classifies, and the arithmetic of its convolutions."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vaeclust_jax as vc
from vaeclust_jax.networks.build import standardising
from vaeclust_jax.networks.conv import conv, conv_output_size
from vaeclust_jax.networks.norm_conv import image_sizes

KEY = jax.random.key(0)
MNIST = (28, 28, 1)
TINY = vc.CNN(latent_dim=3, channels=(2, 4), kernels=(3, 2), strides=(2, 1), paddings=(1, 0), dropout=(0.5, 0.0))


def test_a_convolution_by_hand() -> None:
    """4 x 4 by 2 x 2 with stride 2, as in task 3.2.1, to the same answer: a sum of each window."""
    x = jnp.asarray([[1, 0, 2, 1], [0, 2, 1, 1], [2, 1, 3, 2], [1, 3, 2, 6]], jnp.float32)
    kernel = jnp.asarray([[1, 0], [1, 1]], jnp.float32)  # 1 + 0 + 2, 2 + 1 + 1, 2 + 1 + 3, 3 + 2 + 6
    got = conv(x[None, :, :, None], kernel[:, :, None, None], stride=2)[0, :, :, 0]
    np.testing.assert_array_equal(got, [[3, 4], [6, 11]])


@given(n=st.integers(1, 40), m=st.integers(1, 9), s=st.integers(1, 5), p=st.integers(0, 4))
def test_the_size_is_the_number_of_places_for_the_kernel(n: int, m: int, s: int, p: int) -> None:
    """k = floor((n - m + 2 P) / S) + 1, by enumeration."""
    places = len([start for start in range(0, n + 2 * p, s) if start + m <= n + 2 * p])
    assert max(conv_output_size(n, m, s, p), 0) == places


def test_the_sources_layers_end_in_2304_values_a_hundred_and_ten() -> None:
    network = vc.CNN(latent_dim=100)
    assert image_sizes((28, 28), network.layers()) == [(28, 28), (15, 15), (7, 7), (7, 7), (6, 6)]
    about = vc.About(network.build(MNIST), 100, 96, 32, 1e-3, 10, has_validation=True, shape=MNIST)
    stage = vc.METHODS["classifier"](num_classes=10).stages(about)[0]
    params = jax.eval_shape(stage.learner.init, KEY).params
    weights = params["encoder"]["weights"]
    sizes = {name: weights["layers"][number]["kernel"].size for number, name in enumerate("abcd")}
    assert sizes == {"a": 16 * 16, "b": 16 * 16 * 32, "c": 9 * 32 * 32, "d": 4 * 32 * 64}
    assert weights["dense"]["kernel"].shape == (2304, 100)
    assert params["classes"]["kernel"].shape == (100, 10)
    of_norms = 4 * (16 + 32 + 32 + 64) - 2 * (16 + 32 + 32 + 64)
    trained = sum(leaf.size for leaf in jax.tree.leaves((weights, params["classes"])))
    assert trained == sum(sizes.values()) + 144 + of_norms + 2304 * 100 + 100 + 100 * 10 + 10
    assert sum(leaf.size for leaf in jax.tree.leaves(params["encoder"]["statistics"])) == 2 * 144


@pytest.mark.long
def test_it_answers_alike_for_every_batch_and_otherwise_in_training() -> None:
    networks = TINY.build((8, 8, 1))
    encoder, standardised = networks.encoder, standardising(networks, 0.5, 2.0).encoder
    params, x = jax.jit(encoder.init)(KEY), jax.random.uniform(KEY, (6, 8, 8, 1))

    @jax.jit
    def trained(key: jax.Array, params: Any, x: jax.Array) -> Any:
        def squared(params: Any) -> Any:
            (mean, _), handed_on = encoder.train(key, params, jnp.ones(6), x)
            return jnp.square(mean).sum(), (mean, handed_on)

        gradient, (mean, handed_on) = jax.grad(squared, has_aux=True)(params)
        return gradient, mean, handed_on["statistics"]

    mean, logvar = jax.jit(encoder.apply)(params, x)
    among = jnp.concatenate([x[:2], jnp.ones((4, 8, 8, 1))])
    np.testing.assert_allclose(jax.jit(encoder.apply)(params, among)[0][:2], mean[:2], atol=1e-6)
    np.testing.assert_array_equal(logvar, np.zeros((6, 3)))
    gradient, in_training, statistics = trained(KEY, params, x)
    assert np.abs(in_training - mean).max() > 1e-3
    assert np.abs(in_training - trained(jax.random.key(1), params, x)[1]).max() > 1e-3, "dropout draws by the key"
    assert jax.tree.structure(statistics) == jax.tree.structure(params["statistics"])
    assert all(not leaf.any() for leaf in jax.tree.leaves(gradient["statistics"])), "they are no function of weights"
    assert gradient["weights"]["layers"][0]["kernel"].any()
    got = jax.jit(standardised.train)(KEY, params, jnp.ones(6), 2 * x + 0.5)[0][0]
    np.testing.assert_allclose(got, in_training, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "shape", "sentence"),
    [
        ({}, (5,), r"network 'cnn' needs images \(n, H, W, C\), got vectors \(n, 5\): use 'mlp'"),
        ({"kernels": (3,)}, MNIST, "must have one entry a layer and at least one, got 4, 1, 4, 4, 4 entries"),
        ({"channels": (), "kernels": (), "strides": (), "paddings": (), "dropout": ()}, MNIST, "at least one, got 0"),
        ({"strides": (0, 1, 1, 1)}, MNIST, "strides must be at least 1"),
        ({"paddings": (0, 0, 0, -1)}, MNIST, "paddings at least 0"),
        ({"dropout": (1.0, 0.0, 0.0, 0.0)}, MNIST, r"dropout must lie in 0 to below 1, got \(1.0"),
        ({"paddings": (0, 0, 0, 0)}, (6, 6, 1), "images of 6 x 6 are too small for 4 layers"),
        ({"compute_dtype": "bfloat16"}, MNIST, "keeps running means, which bfloat16 would lose: use float32"),
    ],
)
def test_one_sentence_on_what_does_not_fit(changes: dict[str, object], shape: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(vc.InputError, match=sentence):
        vc.CNN(**changes).check(shape)
