"""The vision transformer: patches, blocks, what it refuses, and that every VAE method takes it."""

from dataclasses import fields, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

import vaeclust_jax as vc
from tests.fitting.made import squares
from vaeclust_jax.networks.vit import image_of, layer_norm, patches

KEY = jax.random.key(0)
SMALL = vc.ViT(patch=4, dim=8, depth=2, mlp_dim=8, heads=2, latent_dim=2)


@given(rows=st.integers(1, 3), columns=st.integers(1, 3), size=st.integers(1, 4), channels=st.sampled_from([1, 3]))
@settings(max_examples=5, deadline=None)
def test_patches_are_squares_row_by_row_and_come_together_again(
    rows: int, columns: int, size: int, channels: int
) -> None:
    shape = (rows * size, columns * size, channels)
    x = np.arange(2 * np.prod(shape), dtype=np.float32).reshape(2, *shape)
    got = np.asarray(patches(jnp.asarray(x), size))
    for row in range(rows):
        for column in range(columns):
            square = x[:, row * size : (row + 1) * size, column * size : (column + 1) * size]
            np.testing.assert_array_equal(got[:, row * columns + column], square.reshape(2, -1))
    np.testing.assert_array_equal(image_of(jnp.asarray(got), shape, size), x)


def test_its_norm_is_flaxs() -> None:
    x = jnp.asarray(np.random.default_rng(0).normal(3, 2, (4, 5, 6)), jnp.float32)
    np.testing.assert_allclose(
        layer_norm(x, jnp.ones(6), jnp.zeros(6)), nnx.LayerNorm(6, rngs=nnx.Rngs(0))(x), atol=1e-5
    )


def test_its_parameters_are_those_of_the_blocks() -> None:
    """4 d^2 + d of attention, 2 d m + m + d of the MLP and 4 d of two norms, in each block."""
    params = jax.eval_shape(SMALL.build((8, 8, 1)).encoder.init, KEY)
    block = 4 * 64 + 8 + 2 * 64 + 8 + 8 + 4 * 8
    assert sum(leaf.size for leaf in jax.tree.leaves(params["blocks"])) == 2 * block + 16
    ends = (16 * 8 + 8) + 2 * (8 * 2 + 2)
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == 2 * block + 16 + ends


def test_it_tells_where_a_patch_is_and_shows_what_looks_at_what() -> None:
    encoder, x = SMALL.build((8, 12, 1)).encoder, jax.random.uniform(KEY, (3, 8, 12, 1))
    params = jax.jit(encoder.init)(KEY)
    apply = jax.jit(encoder.apply)
    mean = apply(params, x)[0]
    moved = jnp.concatenate([x[:, :, 4:8], x[:, :, :4], x[:, :, 8:]], axis=2)
    assert np.abs(apply(params, moved)[0] - mean).max() > 1e-4
    shares = jax.jit(SMALL.attention((8, 12, 1)))(params, x)
    assert shares.shape == (2, 3, 2, 6, 6)
    np.testing.assert_allclose(shares.sum(axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("network", "shape", "sentence"),
    [
        (vc.ViT(patch=5), (28, 28, 1), "patch must divide images of 28 x 28, got 5: choose a patch among 1, 2, 4, 7"),
        (vc.ViT(patch=7), (28, 30, 1), "patch must divide images of 28 x 30, got 7: choose a patch among 1, 2, or"),
        (vc.ViT(patch=16), (8, 8, 1), "got 16: choose a patch among 1, 2, 4, 8, or another image_size"),
        (vc.ViT(dim=64, heads=7), (28, 28, 1), "heads must divide dim, got 7 heads and a dim of 64"),
        (vc.ViT(dim=6, heads=3), (28, 28, 1), "dim must be a multiple of 4, .*, got 6"),
        (vc.ViT(), (5,), "network 'vit' needs images .* use 'mlp'"),
        (vc.ViT(depth=0), (28, 28, 1), "depth must be at least 1, got 0"),
        (vc.ViT(depth=10**6), (28, 28, 1), "depth must be at most 100"),
        (vc.ViT(heads=-1), (28, 28, 1), "heads must be at least 1, got -1"),
        (vc.ViT(latent_dim=0), (28, 28, 1), "latent_dim must be at least 1"),
    ],
)
def test_one_sentence_on_what_does_not_fit(network: vc.ViT, shape: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(vc.InputError, match=sentence) as error:
        network.check(shape)
    assert "\n" not in str(error.value)


X, Y = squares()


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name, method in vc.METHODS.items() if method.generates])
def test_a_step_of_every_method_that_generates_takes_it(name: str) -> None:
    kind, shape = vc.METHODS[name], (8, 8, 1)
    clusters = "num_clusters" in {one.name for one in fields(kind)}
    method = (kind(3) if clusters else kind()).resolved(vc.DataSpec(shape, num_samples=96))
    about = vc.About(SMALL.build(shape), 2, 96, 32, 1e-3, 10, has_validation=True, shape=shape)
    batch = vc.Batch(jnp.zeros((32, *shape)), None, jnp.arange(32), jnp.ones(32))
    for stage in method.stages(about):
        state = jax.eval_shape(stage.learner.init, KEY)
        assert jax.eval_shape(stage.learner.step, KEY, state, batch)[0] == state


@pytest.mark.long
def test_it_clusters_and_comes_back_from_disk(tmp_path: Path) -> None:
    run = vc.fit(vc.Config(vc.VAEKMeans(3).for_epochs(2), network=SMALL, training=vc.TrainingConfig(16, 0.01)), X, 0)
    run.save(tmp_path / "model")
    np.testing.assert_array_equal(vc.load(tmp_path / "model").predict(X), run.predict(X))
    assert run.sample(0, 4).shape == (4, 8, 8, 1)


@pytest.mark.long
def test_it_learns_where_the_band_is() -> None:
    network = replace(SMALL, latent_dim=8)
    config = vc.Config(vc.METHODS["classifier"](epochs=20), network=network, training=vc.TrainingConfig(16, 0.01))
    assert (vc.fit(config, X, 0, partial_labels=Y).predict(X) == Y).mean() > 0.95
