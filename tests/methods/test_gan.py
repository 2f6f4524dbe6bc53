"""Adversarial networks: the average of weights, R1, Adam's momentum, and the rules that stop a dead one."""

from collections.abc import Callable
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import blobs
from vaeclust_jax.fitting.fit import fit_stages
from vaeclust_jax.methods.gan import DEAD, gan, why_stopped
from vaeclust_jax.types import Batch, Network, Networks

NETWORKS = vc.MLP(latent_dim=4, hidden=(8,)).build((5,))
X, _ = blobs()
BATCH = Batch(jnp.asarray(X[:16]), None, jnp.arange(16), jnp.ones(16))
GAN = vc.METHODS["gan"]


def test_the_average_of_weights_is_that_of_a_loop() -> None:
    learner = gan(NETWORKS, 4, 1e-2, 0.8)
    state, step = learner.init(jax.random.key(0)), jax.jit(learner.step)
    average = state.params["generator"]
    for number in range(1, 41):
        state, _ = step(jax.random.key(number), state, BATCH)
        keep = min(0.8, (1 + number) / (10 + number))
        average = jax.tree.map(lambda a, b, k=keep: k * a + (1 - k) * b, average, state.params["generator"])
    for got, wanted, last in zip(
        *(jax.tree.leaves(tree) for tree in (state.params["average"], average, state.params["generator"])), strict=True
    ):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)
        assert not np.allclose(got, last, atol=1e-4)


@pytest.mark.long
def test_the_penalty_is_half_the_squared_gradient_at_the_data() -> None:
    """Of a discriminator whose gradient is known: relu of a linear map with weights above zero on rows above zero."""
    linear = Network(lambda key: jnp.ones((5, 4)), lambda w, x: (x @ w, x @ w))
    networks = Networks(linear, NETWORKS.decoder)
    learner, plain = gan(networks, 4, 1e-3, 0.0, 3.0), gan(networks, 4, 1e-3, 0.0, 0.0)
    state = learner.init(jax.random.key(0))
    batch = BATCH._replace(x=jnp.abs(BATCH.x))
    info = learner.evaluate(jax.random.key(1), state, batch)
    slope = np.ones((5, 4)) @ np.asarray(state.params["discriminator"]["kernel"])
    assert float(info["penalty"]) == pytest.approx(1.5 * float((slope**2).sum()), rel=1e-4)
    assert "penalty" not in plain.evaluate(jax.random.key(1), state, batch)


@pytest.mark.long
def test_adams_momentum_is_a_half() -> None:
    """One step's first moment is (1 - b1) of the gradient, and Adam's usual b1 would make it a tenth."""
    learner = gan(NETWORKS, 4)
    state = learner.init(jax.random.key(0))
    moved, _ = learner.step(jax.random.key(1), state, BATCH)
    gradient = jax.grad(
        lambda params: sum(
            learner.evaluate(jax.random.key(1), state._replace(params=params), BATCH)[name]
            for name in ("discriminator", "generator")
        )
    )(state.params)
    got = moved.opt_state.inner_state[0].mu["discriminator"]["kernel"]
    np.testing.assert_allclose(got, 0.5 * gradient["discriminator"]["kernel"], rtol=1e-4)


@pytest.mark.long
def test_samples_are_of_the_average_or_of_the_last_weights() -> None:
    network = vc.MLP(latent_dim=4, hidden=(8,))
    config = vc.Config(GAN(epochs=2), network=network, training=vc.TrainingConfig(16, 0.01))
    stages = fit_stages(config, X, [0])
    assert list(stages) == ["gan", "average"]
    last, average = (stages[name][0] for name in stages)
    assert not np.array_equal(last.sample(0, 4), average.sample(0, 4))
    assert last.config.method.average == 0
    np.testing.assert_array_equal(
        last.sample(0, 4), vc.fit(replace(config, method=GAN(2, average=0.0)), X, 0).sample(0, 4)
    )


ALIVE = {"logit_spread": 1.0, "sample_spread": 1.0, "discriminator": 1.0}


@pytest.mark.parametrize(
    ("sign", "words"),
    [
        ({"logit_spread": 0.0}, "The discriminator says the same of everything: it is dead"),
        ({"sample_spread": 0.001}, "The generator makes one sample alone: it is dead"),
        ({"discriminator": 0.001}, "The discriminator is never in doubt, and so the generator learns nothing"),
    ],
)
def test_a_dead_network_stops_training_after_ten_epochs_in_a_row_and_is_named(
    sign: dict[str, float], words: str
) -> None:
    dead, count, stops = {**ALIVE, **sign}, DEAD.init(None), []
    for info in [*[dead] * 9, ALIVE, *[dead] * 10]:
        count, stop = DEAD.update(count, None, {name: jnp.asarray(value) for name, value in info.items()})
        stops.append(bool(stop))
    assert stops == [False] * 19 + [True]
    assert str(why_stopped([dead] * 10)).startswith(words)
    assert "epoch 12" in str(why_stopped([ALIVE, ALIVE, *[dead] * 10]))
    assert why_stopped([*[dead] * 9, ALIVE]) is None
    assert why_stopped([dead] * 9) is None


def constant(shape: tuple[int, ...]) -> Callable[..., jax.Array]:
    return lambda w, z: jnp.zeros((len(z), *shape)) + 0 * w


@pytest.mark.long
def test_a_generator_of_one_sample_is_stopped_in_a_fit_that_warns() -> None:
    networks = Networks(NETWORKS.encoder, Network(lambda key: jnp.zeros(()), constant((5,))))
    config = vc.Config(GAN(epochs=50), network=vc.AutoNetwork(latent_dim=4), training=vc.TrainingConfig(60))
    with pytest.warns(vc.InputWarning, match="The generator makes one sample alone: it is dead") as caught:
        run = vc.fit(config, X, 0, networks=networks)
    assert caught[-1].filename == __file__
    with pytest.warns(vc.InputWarning, match="The generator makes one sample alone: it is dead"):
        vc.fit_seeds(config, X, [0, 1], networks=networks)
    assert len(run.history) == 10
    assert str(why_stopped(run.history)).startswith("The generator makes one sample alone")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"average": 1.0}, "average must lie in 0 to below 1, got 1.0"),
        ({"average": -0.1}, "average must lie in 0 to below 1, got -0.1"),
        ({"r1": -1.0}, "r1 must be at least 0.0, got -1.0"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(change: dict[str, float], sentence: str) -> None:
    with pytest.raises(vc.InputError, match=sentence):
        vc.fit(vc.Config(GAN(**change)), X, 0)
