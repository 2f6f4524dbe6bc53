"""A classifier whose network is another function while it is trained."""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss

import vaeclust_jax as vc
from tests.fitting.made import squares
from vaeclust_jax.data import Dataset
from vaeclust_jax.methods.classifier import Classifier
from vaeclust_jax.studies.supervised import at_held_out
from vaeclust_jax.types import Batch, Learner, Networks

X, Y = squares()
NETWORK = vc.CNN(
    latent_dim=6, channels=(4, 4), kernels=(3, 2), strides=(2, 1), paddings=(1, 0), dropout=(0.3, 0.0), input_mean=0.0
)
CONFIG = vc.Config(Classifier(epochs=3), network=NETWORK, training=vc.TrainingConfig(20, 0.01))


@pytest.fixture(scope="module")
def run() -> vc.Run:
    return vc.fit(CONFIG, X, 0, partial_labels=Y)


def test_running_statistics_are_kept_with_the_model(run: vc.Run, tmp_path: Path) -> None:
    norm = run.params["encoder"]["statistics"]["layers"][0]["norm"]
    assert np.abs(norm["mean"]).max() > 0
    run.save(tmp_path / "model")
    back = vc.load(tmp_path / "model")
    np.testing.assert_array_equal(back.predict_proba(X), run.predict_proba(X))
    np.testing.assert_allclose(run.predict_proba(X[:3]), run.predict_proba(X)[:3], atol=1e-6)


@pytest.mark.long
def test_a_step_moves_weights_by_the_gradient_and_statistics_by_the_batch() -> None:
    about = vc.About(NETWORK.build((8, 8, 1)), 6, 96, 20, 0.01, 10, has_validation=True, shape=(8, 8, 1))
    learner = Classifier(num_classes=3).stages(about)[0].learner
    state = jax.jit(learner.init)(jax.random.key(0))
    x = jnp.asarray(X[:10, ..., None], jnp.float32)
    batch = Batch(x, jnp.asarray(Y[:10]), jnp.arange(10), jnp.ones(10))
    moved, info = jax.jit(learner.step)(jax.random.key(1), state, batch)
    _, handed_on = jax.jit(about.networks.encoder.train)(jax.random.key(1), state.params["encoder"], batch.weight, x)
    got = moved.params["encoder"]["statistics"]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), got, handed_on["statistics"])
    kernel = state.params["encoder"]["weights"]["layers"][0]["kernel"]
    assert np.abs(moved.params["encoder"]["weights"]["layers"][0]["kernel"] - kernel).max() > 1e-3
    assert set(info) == {"loss", "error"}


@pytest.mark.long
def test_seeds_are_as_if_alone(run: vc.Run) -> None:
    """Statistically: whole runs drift apart, a first epoch hardly."""
    both = vc.fit_seeds(replace(CONFIG, method=Classifier(epochs=1)), X, [0, 1], partial_labels=Y)
    assert both[0].history[0]["loss"] == pytest.approx(run.history[0]["loss"], rel=1e-4)
    assert both[1].history[0]["loss"] != both[0].history[0]["loss"]


def test_the_temperature_is_that_under_which_held_out_labels_are_likeliest(run: vc.Run) -> None:
    rows = run.validation_index
    y = np.where(np.arange(len(Y)) % 5 == 0, (Y + 1) % 3, Y)  # so that some are wrong, and a temperature is best
    scaled = at_held_out(run, Dataset(X[..., None], y, "tiny", num_classes=3, source="made up"))

    def nll(log_t: float) -> float:
        q = replace(run, temperature=float(np.exp(log_t))).predict_proba(X[rows]).astype(np.float64)
        return log_loss(y[rows], q / q.sum(axis=1, keepdims=True), labels=[0, 1, 2])

    best = minimize_scalar(nll, bounds=(-4, 4), method="bounded").x
    assert np.log(scaled.temperature) == pytest.approx(best, abs=0.02)
    np.testing.assert_array_equal(scaled.predict(X), run.predict(X))


def test_draws_of_the_code_are_of_clusters_alone(run: vc.Run) -> None:
    with pytest.raises(vc.InputError, match=r"Classifier cannot assign to clusters; it has run\.embed, run\.predict"):
        run.uncertainty(X, 0)


@pytest.mark.parametrize("method", [vc.VAEKMeans(3), vc.GAN()])
def test_methods_that_generate_refuse_a_network_without_a_decoder(method: vc.Method) -> None:
    with pytest.raises(vc.InputError, match=r"network CNN has no decoder, which the method .* needs"):
        vc.fit(replace(CONFIG, method=method), X, 0)


@pytest.mark.long
def test_a_class_with_one_sample_and_classes_that_are_left_out() -> None:
    """The model knows them; what it says of a class it never saw is up to its bias."""
    y = Y.copy()
    y[0] = 6
    run = vc.fit(replace(CONFIG, method=Classifier(epochs=1)), X, 0, partial_labels=y)
    assert run.predict_proba(X).shape == (len(X), 7)


@pytest.mark.parametrize(
    ("network", "method", "stage"),
    [
        (NETWORK, Classifier(num_classes=3), "classifier"),
        (vc.MLP(latent_dim=6, hidden=(8,)), Classifier(num_classes=3), "classifier"),
        (vc.MLP(latent_dim=6, hidden=(8,)), vc.StackedAutoencoder(num_classes=3), "classes"),
        (vc.MLP(latent_dim=6, hidden=(8,)), vc.StackedAutoencoder(num_classes=3), "together"),
    ],
    ids=["dropout", "classifier", "classes", "together"],
)
def test_a_step_sees_a_view_and_an_evaluation_the_image(
    network: vc.MLP | vc.CNN, method: Classifier, stage: str
) -> None:
    """Where the view of an image is the image in more light, a step is that of an image in more light."""

    def learner(networks: Networks) -> Learner:
        about = vc.About(networks, 6, 96, 20, 0.01, 10, has_validation=True, shape=(8, 8, 1))
        return next(one.learner for one in method.stages(about) if one.name == stage)

    plain = network.build((8, 8, 1))
    viewing, usual = learner(plain._replace(view=lambda key, x: x + 0.5)), learner(plain)
    image = Batch(jnp.asarray(X[:10, ..., None], jnp.float32), jnp.asarray(Y[:10]), jnp.arange(10), jnp.ones(10))
    lit = image._replace(x=image.x + 0.5)
    state, key = jax.jit(usual.init)(jax.random.key(0)), jax.random.key(1)
    of_dropout = jax.random.split(key)[0]
    got, wanted = jax.jit(viewing.step)(key, state, image)[0], jax.jit(usual.step)(of_dropout, state, lit)[0]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), got.params, wanted.params)
    one, other, light = (
        float(jax.jit(which.evaluate)(key, state, batch)["loss"])
        for which, batch in ((viewing, image), (usual, image), (usual, lit))
    )
    assert one == other != pytest.approx(light)


def test_views_are_what_a_fit_trains_on(run: vc.Run) -> None:
    config = replace(CONFIG, method=Classifier(epochs=3, augment=1.0))
    with_views = vc.fit(config, X, 0, partial_labels=Y)
    assert np.abs(with_views.predict_proba(X) - run.predict_proba(X)).max() > 1e-3


@pytest.mark.parametrize("augment", [-0.1, 5.1, float("nan")])
def test_views_that_no_image_has_are_refused(augment: float) -> None:
    with pytest.raises(vc.InputError, match=r"augment must lie in 0 to 5, got"):
        vc.fit(replace(CONFIG, method=Classifier(epochs=1, augment=augment)), X, 0, partial_labels=Y)


def test_vectors_are_not_moved() -> None:
    with pytest.raises(vc.InputError, match=r"augment moves images, got vectors \(n, 64\)"):
        vc.fit(vc.Config(Classifier(augment=1.0), network=vc.MLP()), X.reshape(len(X), -1), 0, partial_labels=Y)
