"""Views of images against scipy's own affine transform, and what training makes of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from vaeclust_jax.methods.vae import vae_losses
from vaeclust_jax.networks.views import moved, moving
from vaeclust_jax.objectives.elbo import BERNOULLI
from vaeclust_jax.types import Batch, Network, Networks


def image(seed: int, shape: tuple[int, int, int]) -> np.ndarray:
    return np.random.default_rng(seed).uniform(size=shape).astype(np.float32)


@pytest.mark.long
@given(st.integers(0, 1000), st.tuples(st.integers(2, 9), st.integers(2, 9), st.integers(1, 3)), st.floats(0, 3))
@settings(max_examples=30, deadline=None)
def test_an_image_is_moved_as_the_formula_says(seed: int, shape: tuple[int, int, int], strength: float) -> None:
    """Output pixel p shows the input at R(-angle) / zoom (p - centre) + centre - shift."""
    x, key = image(seed, shape), jax.random.key(seed)
    drawn = strength * np.asarray(jax.random.uniform(key, (4,), minval=-1.0, maxval=1.0), np.float64)
    angle, zoom, shift = drawn[0] * np.radians(10), np.exp(0.1 * drawn[1]), 0.1 * drawn[2:] * shape[:2]
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / zoom
    centre = (np.array(shape[:2]) - 1) / 2
    offset = centre - shift - matrix @ centre
    wanted = [ndimage.affine_transform(x[..., c], matrix, offset, order=1, mode="nearest") for c in range(shape[2])]
    np.testing.assert_allclose(moved(key, x, strength), np.stack(wanted, axis=-1), atol=2e-3)


def test_nothing_is_moved_at_strength_0_and_every_image_by_itself_otherwise() -> None:
    x = np.stack([image(0, (8, 6, 1))] * 5)
    np.testing.assert_allclose(moving(0.0)(jax.random.key(0), x), x, atol=1e-6)
    views = np.asarray(moving(1.0)(jax.random.key(0), x))
    assert len(np.unique(views.reshape(5, -1), axis=0)) == 5
    assert views.min() >= x.min()
    assert views.max() <= x.max()
    assert moving(1.0) is moving(1.0)  # part of what a program is compiled for


@pytest.mark.parametrize("view", [None, lambda key, x: x + 1.0], ids=["none", "one more"])
def test_the_encoder_sees_the_view_and_the_decoder_gives_back_the_sample(view) -> None:
    def encode(params, x):
        return x, jnp.full_like(x, -100.0)

    identity = Network(lambda key: {}, lambda params, z: z)
    networks = Networks(Network(lambda key: {}, encode), identity, view)
    x = jnp.asarray(np.random.default_rng(0).uniform(size=(4, 3)), jnp.float32)
    batch = Batch(x, None, jnp.arange(4), jnp.ones(4))
    params = {"encoder": {}, "decoder": {}, "likelihood": {}}
    codes, parts = vae_losses(networks, BERNOULLI, True, jax.random.key(0), params, batch)
    seen = np.asarray(x) + (0.0 if view is None else 1.0)
    np.testing.assert_allclose(codes.mean, seen, rtol=1e-6)
    of_x = np.logaddexp(0, seen) - np.asarray(x) * seen  # -log p(x) of logits `seen`
    np.testing.assert_allclose(parts["reconstruction"], of_x.sum(axis=1).mean(), rtol=1e-5)
