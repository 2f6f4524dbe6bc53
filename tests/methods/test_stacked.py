"""Greedy layers: what each learns, what it leaves as it is, and who may start from them."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import blobs
from vaeclust_jax.fitting.fit import fit_stages
from vaeclust_jax.methods.greedy import greedy_layer
from vaeclust_jax.methods.stacked import StackedAutoencoder
from vaeclust_jax.networks.build import standardising
from vaeclust_jax.types import Batch

X, Y = blobs()
NETWORK = vc.MLP(latent_dim=2, hidden=(8,))
NETWORKS = standardising(NETWORK.build((5,)), 0.5, 2.0)
TRAINING = vc.TrainingConfig(32)


def test_the_layers_together_are_the_networks() -> None:
    params = jax.jit(NETWORKS.encoder.init)(jax.random.key(0)), jax.jit(NETWORKS.decoder.init)(jax.random.key(1))
    stack, h = NETWORKS.stack, jnp.asarray(X)
    assert stack.depth == 2
    for layer in range(stack.depth):
        h = stack.up(layer, params[0], h)
    np.testing.assert_allclose(h, NETWORKS.encoder.apply(params[0], X)[0], atol=1e-5)
    for layer in reversed(range(stack.depth)):
        h = stack.down(layer, params[1], h)
    np.testing.assert_allclose(h, NETWORKS.decoder.apply(params[1], NETWORKS.encoder.apply(params[0], X)[0]), atol=1e-4)


def test_a_step_moves_one_layer_and_the_one_opposite_it() -> None:
    learner = greedy_layer(NETWORKS, 1, 0.0, "gaussian", 0.1)
    state = jax.jit(learner.init)(jax.random.key(0))
    batch = Batch(jnp.asarray(X[:20]), None, jnp.arange(20), jnp.ones(20))
    after, info = jax.jit(learner.step)(jax.random.key(1), state, batch)
    leaves = zip(jax.tree.leaves_with_path(state.params), jax.tree.leaves(after.params), strict=True)
    moved = {jax.tree_util.keystr(path, simple=True, separator="/") for (path, a), b in leaves if (a != b).any()}
    assert moved == {
        f"{place}/{name}" for place in ("encoder/mean", "decoder/trunk/layers/0") for name in ("kernel", "bias")
    }
    encoder, decoder = (jax.tree.map(np.asarray, state.params[name]) for name in ("encoder", "decoder"))
    first, back = encoder["trunk"]["layers"][0], decoder["trunk"]["layers"][0]
    h = np.maximum((X[:20] - 0.5) / 2 @ first["kernel"] + first["bias"], 0)
    again = np.maximum((h @ encoder["mean"]["kernel"] + encoder["mean"]["bias"]) @ back["kernel"] + back["bias"], 0)
    assert info["loss"] == pytest.approx(0.5 * np.square(h - again).sum(axis=1).mean(), rel=1e-5)


def test_noise_is_of_what_a_layer_sees_in_a_step_alone() -> None:
    plain, noisy = (greedy_layer(NETWORKS, 0, noise, "gaussian", 0.1) for noise in (0.0, 0.5))
    state = jax.jit(plain.init)(jax.random.key(0))
    batch = Batch(jnp.asarray(X[:20]), None, jnp.arange(20), jnp.ones(20))
    key = jax.random.key(1)
    clean, held_out = (jax.jit(one.evaluate)(key, state, batch)["loss"] for one in (plain, noisy))
    assert clean == held_out
    assert jax.jit(noisy.step)(key, state, batch)[1]["loss"] != pytest.approx(float(clean))


def test_layers_that_do_not_mirror_each_other_are_refused_before_training() -> None:
    for network in (vc.MLP(hidden=(8,), decoder_hidden=(4,)), replace(NETWORK, compute_dtype="bfloat16")):
        with pytest.raises(vc.InputError, match="start 'greedy' needs network 'mlp' in float32"):
            vc.fit(vc.Config(vc.DEC(3, start=vc.GreedyStart()), network=network), X, 0)


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        (vc.GreedyStart(noise=1.0), "noise must lie in 0 to below 1, got 1.0"),
        (vc.GreedyStart(noise=-0.1), "noise must lie in 0 to below 1, got -0.1"),
        (vc.GreedyStart(layer_epochs=0), "layer_epochs must be at least 1, got 0"),
    ],
)
def test_one_sentence_on_what_cannot_work(start: vc.GreedyStart, sentence: str) -> None:
    for method in (vc.DEC(3, start=start), StackedAutoencoder(num_classes=3, start=start)):
        with pytest.raises(vc.InputError, match=sentence):
            method.check(vc.DataSpec((5,), 96))


def test_epochs_are_of_the_layers_too() -> None:
    assert vc.DEC(3, start=vc.GreedyStart()).for_epochs(4).start.layer_epochs == 4
    assert vc.DEC(3).for_epochs(4).start == vc.RandomStart()


@pytest.mark.long
def test_dec_starts_from_layers_and_labels_reach_none_of_them() -> None:
    method = vc.DEC(3, deterministic=True, beta=0.0, pretrain_epochs=1, joint_epochs=1, start=vc.GreedyStart(2))
    run = vc.fit(vc.Config(method, network=NETWORK, training=TRAINING), X, 0)
    assert [row["stage"] for row in run.history] == ["layer-1", "layer-1", "layer-2", "layer-2", "vae", "joint"]
    both = []
    for y in (Y, (Y + 1) % 3):
        config = vc.Config(StackedAutoencoder().for_epochs(2), network=NETWORK, training=TRAINING)
        stages = fit_stages(config, X, [0], partial_labels=y)
        assert list(stages) == ["classes", "together"]
        both.append(stages["classes"][0].params["encoder"])
    jax.tree.map(np.testing.assert_array_equal, *both)


@pytest.mark.long
def test_known_classes_are_told_after_the_layers() -> None:
    method = vc.DEC(3, deterministic=True, beta=0.0, start=vc.GreedyStart()).for_epochs(1)
    told = np.where(np.arange(len(Y)) % 5, -1, Y)
    run = vc.fit(vc.Config(method, network=NETWORK, training=TRAINING), X, 0, partial_labels=told)
    assert [row["stage"] for row in run.history if "compactness" in row] == ["vae"]


@pytest.mark.long
def test_it_classifies() -> None:
    config = vc.Config(StackedAutoencoder().for_epochs(20), network=vc.MLP(latent_dim=8, hidden=(16,)))
    assert (vc.fit(config, X, 0, partial_labels=Y).predict(X) == Y).mean() > 0.95
