"""VaDE through `fit`: it starts from a mixture, its heads agree, and it comes back from disk."""

import jax
import numpy as np
import pytest
from scipy import special

import vaeclust_jax as vc
from vaeclust_jax.fitting.config import with_method
from vaeclust_jax.fitting.fit import fit_stages
from vaeclust_jax.methods.starts import with_posteriors
from vaeclust_jax.methods.vade_learner import prior_from, prior_of
from vaeclust_jax.metrics import scores
from vaeclust_jax.objectives.em import fit_mixture
from vaeclust_jax.objectives.mixture import e_step
from vaeclust_jax.objectives.vade import divergence

Y = np.repeat(np.arange(3), [60, 40, 20])
X = np.random.default_rng(0).normal(size=(120, 5)).astype(np.float32) + 6 * np.eye(5, dtype=np.float32)[Y]
CONFIG = vc.Config(
    vc.VaDE(3, pretrain_epochs=40, joint_epochs=10, stopping=vc.Settled(tolerance=0.0)),
    prepare=vc.PrepareConfig(validation=0),
    network=vc.MLP(hidden=(16,), latent_dim=2),
    training=vc.TrainingConfig(batch_size=20, learning_rate=1e-2),
)


@pytest.fixture(scope="module")
def stages() -> dict[str, list[vc.Run]]:
    return fit_stages(CONFIG, X, [0, 1])


def test_it_clusters_and_its_answers_agree(stages):
    for run in stages["joint"]:
        assert scores(Y, run.predict(X), None)["acc"] > 0.95
        z = run.embed(X)
        probabilities = run.predict_proba(X)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_array_equal(probabilities.argmax(axis=1), run.predict(X))
        prior = prior_of(run.params)
        log_joint = special.log_softmax(np.asarray(prior.logits)) - 0.5 * (
            (z[:, None] - np.asarray(prior.means)) ** 2 / np.exp(prior.logvars) + np.asarray(prior.logvars)
        ).sum(axis=2)
        np.testing.assert_allclose(probabilities, special.softmax(log_joint, axis=1), atol=1e-5)


def test_it_starts_from_the_mixture_of_the_latents(stages):
    assert list(stages) == ["kmeans", "mixture", "joint"]
    run = stages["mixture"][0]
    prior, z = prior_of(run.params), run.embed(X)
    found = fit_mixture(jax.random.key(9), z, 3, "diag", num_restarts=10).mixture
    order, other = np.argsort(prior.means[:, 0]), np.argsort(found.means[:, 0])
    np.testing.assert_allclose(prior.means[order], found.means[other], atol=1e-2)
    np.testing.assert_allclose(prior.logits[order], found.log_weights[other], atol=1e-2)
    # Its variances are those of codes, not of their means: the rows' own variances count (total variance).
    share, (mean, logvar) = np.exp(e_step(found, z)[0]), run.posterior(X)
    centred = (mean[:, np.newaxis] - found.means) ** 2 + np.exp(logvar)[:, np.newaxis]
    total = (share[..., np.newaxis] * centred).sum(axis=0) / share.sum(axis=0)[:, np.newaxis]
    np.testing.assert_allclose(np.exp(prior.logvars[order]), total[other], rtol=2e-2)


@pytest.mark.long
def test_a_code_that_is_not_used_costs_next_to_nothing_at_the_start():
    """As it does under N(0, I): the mixture of the means alone would ask hundreds of nats for it."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 60)
    mean = np.stack([4.0 * y + 0.1 * rng.normal(size=120), 1e-3 * rng.normal(size=120)], axis=1).astype(np.float32)
    logvar = np.log(np.tile(np.array([0.05, 1.0], np.float32), (120, 1)))
    alone = fit_mixture(jax.random.key(0), mean, 2, "diag").mixture
    spent = []
    for mixture in (alone, with_posteriors(alone, mean, logvar)):
        log_q = e_step(mixture, mean)[0]
        spent.append(float(divergence(prior_from(mixture), mean, logvar, log_q).mean()))
    assert spent[0] > 100
    assert spent[1] < 2


def test_the_history_has_both_divergences(stages):
    rows = [row for row in stages["joint"][0].history if row["stage"] == "joint"]
    assert len(rows) == 10
    for row in rows:
        assert row["loss"] == pytest.approx(row["reconstruction"] + row["kl"], rel=1e-5)
        assert 0 <= row["cluster"] <= row["kl"]
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_it_comes_back_from_disk(stages, tmp_path):
    run = stages["joint"][1]
    run.save(tmp_path / "model")
    back = vc.load(tmp_path / "model")
    np.testing.assert_array_equal(back.predict_proba(X), run.predict_proba(X))
    np.testing.assert_array_equal(back.decode(run.params["centroids"]), run.decode(run.params["centroids"]))


@pytest.mark.long
def test_it_can_start_from_an_autoencoder():
    beta = 0.5
    config = with_method(CONFIG, start=vc.EMStart(deterministic=True), beta=beta)
    stages = fit_stages(config, X, [0])
    run = stages["joint"][0]
    assert scores(Y, run.predict(X), None)["acc"] > 0.95
    for row in run.history:
        weight = 0 if row["stage"] == "vae" else beta  # reconstruction alone, then the whole bound
        assert row["loss"] == pytest.approx(row["reconstruction"] + weight * row["kl"], rel=1e-4), row
    mixture = stages["mixture"][0]
    z = mixture.embed(X)
    for label in range(3):  # of the autoencoder's codes, which are some 3 apart
        assert np.linalg.norm(mixture.centroids - z[label == Y].mean(axis=0), axis=1).min() < 0.5


def test_a_graph_of_deterministic_codes_has_no_posterior():
    """An autoencoder first is a setting of the start by EM alone."""
    with pytest.raises(TypeError, match="deterministic"):
        vc.GraphStart(deterministic=True)


@pytest.mark.long
def test_it_can_start_from_the_graph():
    config = with_method(CONFIG, start=vc.GraphStart())
    stages = fit_stages(config, X, [0])
    run = stages["mixture"][0]
    labels = run.predict(X)
    assert scores(Y, labels, None)["acc"] > 0.95
    prior, z = prior_of(run.params), run.embed(X)
    for cluster in range(3):  # the moments of its clusters, but for rows on the borders
        members = z[labels == cluster]
        np.testing.assert_allclose(prior.means[cluster], members.mean(axis=0), atol=0.2)
        own = np.exp(run.posterior(X)[1][labels == cluster]).mean(axis=0)
        np.testing.assert_allclose(np.exp(prior.logvars[cluster]), members.var(axis=0) + own, rtol=0.3, atol=1e-2)
    assert scores(Y, stages["joint"][0].predict(X), None)["acc"] > 0.95
