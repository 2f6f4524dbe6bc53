"""A mixture on the latents, IDEC and DEC through `fit`."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

import vaeclust_jax as vc
from tests.fitting.made import blobs, config
from vaeclust_jax.fitting.fit import fit_stages
from vaeclust_jax.metrics import scores

X, Y = blobs()
MIXTURE = {"method": "mixture", "joint_epochs": 0, "pretrain_epochs": 30, "learning_rate": 1e-2, "beta": 0.1}
IDEC = {"deterministic": True, "beta": 0.0}


@pytest.fixture(scope="module")
def stages() -> dict[str, list[vc.Run]]:
    return fit_stages(config(validation=0.0, **MIXTURE), X, [0])


def test_it_is_the_mixture_of_the_training_latents(stages: dict[str, list[vc.Run]]) -> None:
    assert list(stages) == ["kmeans", "mixture"]
    run = stages["mixture"][0]
    z = run.embed(X)
    expected = GaussianMixture(3, n_init=10, random_state=0).fit(z.astype(np.float64))
    own, order = np.argsort(run.centroids[:, 0]), np.argsort(expected.means_[:, 0])
    np.testing.assert_allclose(run.centroids[own], expected.means_[order], atol=1e-2)
    np.testing.assert_allclose(run.params["mixture"]["covariances"][own], expected.covariances_[order], atol=1e-2)
    np.testing.assert_allclose(run.predict_proba(X)[:, own], expected.predict_proba(z)[:, order], atol=1e-2)
    assert scores(Y, run.predict(X), None)["acc"] > 0.95


@pytest.mark.long
def test_fitted_to_draws_it_has_their_spread_and_not_that_of_the_means() -> None:
    """Var z = Var mean + E sigma^2, and EM keeps the first two moments of what it is fitted to."""
    run = vc.fit(config(validation=0.0, fitted_to="sample", **{**MIXTURE, "beta": 1.0}), X, 0)
    mean, logvar = run.posterior(X)
    weights = np.exp(run.params["mixture"]["log_weights"])
    means, covariances = run.centroids, run.params["mixture"]["covariances"]
    within = np.einsum("k,kll->l", weights, covariances)
    around = weights @ (means - weights @ means) ** 2
    drawn = mean.var(axis=0) + np.exp(logvar).mean(axis=0)
    np.testing.assert_allclose(within + around, drawn, rtol=0.15)
    assert (within + around > 1.2 * mean.var(axis=0)).any()


@pytest.mark.parametrize(
    "covariance", ["full", *(pytest.param(name, marks=pytest.mark.long) for name in ("diag", "spherical"))]
)
def test_it_comes_back_from_disk(covariance: str, tmp_path: Path) -> None:
    run = vc.fit(config(**{**MIXTURE, "pretrain_epochs": 1}, covariance=covariance), X, jax.random.key(0))
    run.save(tmp_path / "model")
    back = vc.load(tmp_path / "model")
    np.testing.assert_array_equal(back.predict_proba(X), run.predict_proba(X))
    assert back.sample(jax.random.key(0), 4, cluster=1).shape == (4, 5)


def joint(**changes: Any) -> dict[str, vc.Run]:
    return {name: runs[0] for name, runs in fit_stages(config(**IDEC, **changes), X, [0]).items()}


def changed(before: vc.Run, after: vc.Run, part: str) -> bool:
    pairs = zip(jax.tree.leaves(before.params[part]), jax.tree.leaves(after.params[part]), strict=True)
    return any(bool((a != b).any()) for a, b in pairs)


@pytest.mark.long
def test_dec_leaves_the_decoder_as_it_is_and_idec_trains_it() -> None:
    idec, dec = joint(), joint(joint_reconstruction=False)
    for found, trained in ((idec, True), (dec, False)):
        assert changed(found["kmeans"], found["joint"], "encoder")
        assert changed(found["kmeans"], found["joint"], "centroids")
        assert changed(found["kmeans"], found["joint"], "decoder") == trained
    row, both = dec["joint"].history[-1], idec["joint"].history[-1]
    assert row["loss"] == pytest.approx(100 * row["cluster"], rel=1e-5)
    assert both["loss"] == pytest.approx(both["reconstruction"] + 100 * both["cluster"], rel=1e-5)


def test_mistakes_are_named() -> None:
    with pytest.raises(vc.InputError, match="covariance must be one of full, diag"):
        config(method="mixture", covariance="tied")
    with pytest.raises(vc.InputError, match="network ReluHeadsMLP needs the likelihood 'bernoulli', got 'gaussian'"):
        vc.fit(config(network="mlp-relu-heads"), X, jax.random.key(0))


@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        (vc.VAEMixture, {"joint_epochs": 2}),
        (vc.VAEMixture, {"gamma": 1.0}),
        (vc.VaDE, {"joint_reconstruction": False}),
        (vc.VaDE, {"gamma": 1.0}),
        (vc.GraphDEC, {"deterministic": True}),
        (vc.GraphDEC, {"q_from": "sample"}),
        (vc.VAEKMeans, {"covariance": "full"}),
        (vc.Conv, {"heads": "relu"}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_setting_that_a_method_does_not_have_does_not_exist(kind: Any, setting: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(setting))):
        kind(**({} if kind is vc.Conv else {"num_clusters": 3}), **setting)
