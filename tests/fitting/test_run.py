"""What a fitted model answers: posteriors, assignments, their uncertainty, samples and the Gaussians behind them."""

import pickle
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest
from scipy.special import softmax

import vaeclust_jax as vc
from tests.fitting.made import F, K, L, N, config, student_t
from vaeclust_jax import keys
from vaeclust_jax.fitting.components import cluster_shapes

MANY = 20_000


def test_the_posterior_is_the_encoder_s_answer_to_prepared_rows(fitted_images: vc.Run, images: np.ndarray) -> None:
    mean, logvar = fitted_images.posterior(images)
    expected = fitted_images.heads.encode(fitted_images.params, fitted_images.prepare(images))
    np.testing.assert_allclose(mean, expected[0], atol=1e-5)
    np.testing.assert_allclose(logvar, expected[1], atol=1e-5)
    assert mean.shape == logvar.shape == (N, L)
    np.testing.assert_array_equal(fitted_images.embed(images), mean)


def test_log_assign_is_the_logarithm_of_q_for_any_codes(fitted: vc.Run, vectors: np.ndarray) -> None:
    centroids = np.asarray(fitted.params["centroids"])
    z = np.random.default_rng(0).normal(0, 3, (40, L)).astype(np.float32)
    np.testing.assert_allclose(fitted.log_assign(z), np.log(student_t(z, centroids)), atol=1e-4)
    at_mean = fitted.log_assign(fitted.embed(vectors))
    np.testing.assert_allclose(np.exp(at_mean), fitted.predict_proba(vectors), rtol=1e-6)
    np.testing.assert_array_equal(at_mean.argmax(axis=1), fitted.predict(vectors))


def test_decode_is_the_decoder_s_answer_to_codes(fitted_images: vc.Run, images: np.ndarray) -> None:
    z = np.random.default_rng(0).normal(size=(6, L)).astype(np.float32)
    expected = fitted_images.heads.decode(fitted_images.params, z)
    np.testing.assert_allclose(fitted_images.decode(z), expected, atol=1e-5)
    np.testing.assert_array_equal(fitted_images.reconstruct(images), fitted_images.decode(fitted_images.embed(images)))


@pytest.mark.parametrize("method", ["decode", "log_assign"])
@pytest.mark.parametrize(
    ("z", "got"),
    [(np.zeros((3, 1)), r"\(3, 1\)"), (np.zeros(L), r"\(\d,\)"), (np.zeros((0, L)), r"\(0, \d\)"), ([["a"]], "'a'")],
)
def test_codes_of_another_shape_are_one_sentence(fitted: vc.Run, method: str, z: Any, got: str) -> None:
    with pytest.raises(vc.InputError, match=f"z must be .*{got}"):
        getattr(fitted, method)(z)


# Pickle ----------------------------------------------------------------------------------------------


def test_a_pickled_model_answers_the_same(fitted: vc.Run, vectors: np.ndarray) -> None:
    back = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(back.predict_proba(vectors), fitted.predict_proba(vectors))
    np.testing.assert_array_equal(back.sample(0, 3, 1), fitted.sample(0, 3, 1))
    assert (back.config, back.history) == (fitted.config, fitted.history)


# Uncertainty -----------------------------------------------------------------------------------------


def test_uncertainty_is_that_of_draws_of_the_code(fitted: vc.Run, vectors: np.ndarray) -> None:
    """Against as many draws again, in NumPy and float64."""
    draws, x = 2000, vectors[:20]
    found = fitted.uncertainty(x, jax.random.key(1), draws)
    mean, logvar = (part.astype(np.float64) for part in fitted.posterior(x))
    noise = np.random.default_rng(0).normal(size=(draws, *mean.shape))
    z = mean + np.exp(logvar / 2) * noise
    q = np.stack([student_t(one, np.asarray(fitted.params["centroids"])) for one in z])
    error = 5 * np.sqrt(2 / draws)
    np.testing.assert_array_less(np.abs(found.probabilities - q.mean(axis=0)), error * q.std(axis=0) + 1e-5)

    def entropy(q: np.ndarray) -> np.ndarray:
        return -(q * np.log(q)).sum(axis=-1)

    expected = entropy(q)
    assert (np.abs(found.expected_entropy - expected.mean(axis=0)) < error * expected.std(axis=0) + 1e-5).all()
    np.testing.assert_allclose(found.entropy, entropy(found.probabilities.astype(np.float64)), atol=1e-5)
    np.testing.assert_allclose(found.mutual_information, found.entropy - found.expected_entropy, atol=1e-6)
    total = np.exp(logvar).sum(axis=1)
    np.testing.assert_allclose(found.latent_variance, total, rtol=5 * np.sqrt(2 / draws))


def test_uncertainty_is_a_function_of_the_key_and_takes_100_draws_unless_told(
    fitted: vc.Run, vectors: np.ndarray
) -> None:
    first, again, told, other = (
        fitted.uncertainty(vectors, *rest)
        for rest in ((jax.random.key(1),), (jax.random.key(1),), (jax.random.key(1), 100), (jax.random.key(2),))
    )
    for name in first._fields:
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
        np.testing.assert_array_equal(getattr(first, name), getattr(told, name))
    assert (first.latent_variance != other.latent_variance).all()


@pytest.mark.parametrize("num_passes", [1, 0, -3, 2.5, True, "many"])
def test_too_few_passes_are_one_sentence(fitted: vc.Run, vectors: np.ndarray, num_passes: Any) -> None:
    with pytest.raises(vc.InputError, match="num_passes must be a whole number of at least 2, got"):
        fitted.uncertainty(vectors, jax.random.key(0), num_passes)


def test_whole_numbers_stand_for_keys(fitted: vc.Run, vectors: np.ndarray) -> None:
    asked = {
        keys.PASSES: lambda key: fitted.uncertainty(vectors, key, 5).entropy,
        keys.SAMPLES: lambda key: fitted.sample(key, 5, 1),
    }
    for use, ask in asked.items():  # a key of its own for each use, so that a fit may have the same number
        np.testing.assert_array_equal(ask(3), ask(keys.key_of(3, use)))
        with pytest.raises(vc.InputError, match="a whole number from 0 to"):
            ask(-3)


# Samples ---------------------------------------------------------------------------------------------


def seen_by_decoder(run: vc.Run, *args: Any) -> np.ndarray:
    """The latents that `sample` decodes."""
    spy = replace(run, heads=run.heads._replace(decode=_identity))
    return spy.sample(*args).astype(np.float64)


def _identity(params: Any, z: jax.Array) -> jax.Array:
    return z


@pytest.mark.parametrize("cluster", [None, 0, np.int64(K - 1)])
def test_samples_have_the_shape_of_prepared_data(fitted: vc.Run, fitted_images: vc.Run, cluster: Any) -> None:
    assert fitted.sample(jax.random.key(0), 7, cluster).shape == (7, F)
    drawn = fitted_images.sample(jax.random.key(0), 600, cluster)
    assert drawn.shape == (600, 8, 8, 1)
    assert drawn.min() >= 0
    assert drawn.max() <= 1


def test_the_same_key_draws_the_same_samples_and_another_key_others(fitted: vc.Run) -> None:
    first, again = (fitted.sample(jax.random.key(5), 4, 1) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (fitted.sample(jax.random.key(6), 4, 1) != first).all()


def test_samples_without_a_cluster_come_from_the_prior(fitted: vc.Run) -> None:
    z = seen_by_decoder(fitted, jax.random.key(0), MANY)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=5 / np.sqrt(MANY))
    np.testing.assert_allclose(np.cov(z.T), np.eye(L), atol=0.06)


@pytest.mark.parametrize("cluster", range(K))
def test_samples_of_a_cluster_have_its_mean_and_covariance(fitted: vc.Run, cluster: int) -> None:
    z = seen_by_decoder(fitted, jax.random.key(cluster), MANY, cluster)
    covariance = fitted.cluster_scale[cluster].astype(np.float64) @ fitted.cluster_scale[cluster].T
    error = 5 * np.sqrt(np.diag(covariance) / MANY)
    assert (np.abs(z.mean(axis=0) - fitted.cluster_mean[cluster]) < error).all()
    np.testing.assert_allclose(np.cov(z.T), covariance, atol=0.06 * covariance.max())


@pytest.mark.long
@pytest.mark.parametrize("model", [{"method": "vade"}, {"method": "mixture", "joint_epochs": 0}])
def test_samples_of_a_mixture_are_those_of_its_components(model: dict[str, Any], vectors: np.ndarray) -> None:
    """Moments of the mixture by the law of total variance, from the parameters alone."""
    run = vc.fit(config(pretrain_epochs=2, **model), vectors, jax.random.key(0))
    mixture = run.params["mixture"]
    means = np.asarray(run.params["centroids"], np.float64)
    if model["method"] == "vade":
        covariances = np.stack([np.diag(one) for one in np.exp(np.asarray(mixture["logvars"], np.float64))])
        weights = softmax(np.asarray(mixture["logits"], np.float64))
    else:
        covariances, weights = np.asarray(mixture["covariances"], np.float64), np.exp(mixture["log_weights"])
    z = seen_by_decoder(run, jax.random.key(1), MANY)
    mean = weights @ means
    between = (weights[:, np.newaxis, np.newaxis] * np.einsum("ki,kj->kij", means - mean, means - mean)).sum(axis=0)
    for drawn, wanted_mean, wanted in [
        (z, mean, between + np.einsum("k,kij->ij", weights, covariances)),
        (seen_by_decoder(run, jax.random.key(2), MANY, 1), means[1], covariances[1]),
    ]:
        assert (np.abs(drawn.mean(axis=0) - wanted_mean) < 5 * np.sqrt(np.diag(wanted) / MANY)).all()
        np.testing.assert_allclose(np.cov(drawn.T), wanted, atol=0.06 * wanted.max())
    with pytest.raises(vc.InputError, match="cluster must lie in 0 to"):
        run.sample(jax.random.key(0), 1, K)


def test_the_gaussians_are_those_of_the_training_latents(fitted: vc.Run, vectors: np.ndarray) -> None:
    rows = vectors[fitted.train_index]
    z, labels = fitted.embed(rows).astype(np.float64), fitted.predict(rows)
    for k in np.unique(labels):
        np.testing.assert_allclose(fitted.cluster_mean[k], z[labels == k].mean(axis=0), atol=1e-4)


def test_cluster_shapes_are_the_moments_of_the_mixture_of_posteriors() -> None:
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(40, 3)).astype(np.float32)
    logvar = rng.normal(size=(40, 3)).astype(np.float32)
    labels = np.repeat([0, 2], [39, 1])  # cluster 1 is empty, cluster 2 has one member
    centroids = np.arange(9, dtype=np.float32).reshape(3, 3)
    means, scales = cluster_shapes(mean, logvar, labels, centroids)
    covariances = scales @ np.swapaxes(scales, 1, 2)
    np.testing.assert_allclose(means[0], mean[:39].mean(axis=0), atol=1e-6)
    expected = np.cov(mean[:39].T, bias=True) + np.diag(np.exp(logvar[:39]).mean(axis=0))
    np.testing.assert_allclose(covariances[0], expected, atol=1e-5)
    np.testing.assert_allclose(means[1], centroids[1])
    np.testing.assert_allclose(covariances[1], np.diag(np.exp(logvar).mean(axis=0)), atol=1e-5)
    np.testing.assert_allclose(means[2], mean[39], atol=1e-6)
    np.testing.assert_allclose(covariances[2], np.diag(np.exp(logvar[39])), atol=1e-5)
    assert (np.triu(scales, 1) == 0).all()


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3, 1e5, 1e8])
def test_cluster_shapes_exist_whatever_the_size_of_the_latents(size: float) -> None:
    """Fewer members than dimensions and next to no posterior variance: the covariance is singular to rounding."""
    rng = np.random.default_rng(0)
    mean = (size * rng.normal(size=(30, 10))).astype(np.float32)
    labels = np.repeat([0, 1], [3, 27])
    _, scales = cluster_shapes(mean, np.full((30, 10), -60, np.float32), labels, np.zeros((3, 10), np.float32))
    expected = np.cov(mean[3:].T.astype(np.float64), bias=True)
    got = scales[1].astype(np.float64) @ scales[1].T
    np.testing.assert_allclose(got, expected, atol=1e-3 * expected.max())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0,), ["num_samples", "at least 1", "got 0"]),
        ((2.0,), ["num_samples", "2.0"]),
        (("many",), ["num_samples", "many"]),
        ((2, K), ["cluster", f"0 to {K - 1}", f"got {K}"]),
        ((2, -1), ["cluster", f"0 to {K - 1}", "got -1"]),
        ((2, 0.5), ["cluster", "0.5"]),
        ((2, "first"), ["cluster", "first"]),
    ],
    ids=str,
)
def test_a_bad_sample_request_is_one_sentence(fitted: vc.Run, arguments: tuple[Any, ...], words: list[str]) -> None:
    with pytest.raises(vc.InputError) as caught:
        fitted.sample(jax.random.key(0), *arguments)
    assert all(word in str(caught.value) for word in words)
