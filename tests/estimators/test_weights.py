"""`sample_weight` where scikit-learn's users hand it in: estimators, pipelines, searches."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.estimators.conftest import MAKE
from tests.fitting.made import blobs

COUNTS = np.random.default_rng(0).integers(1, 4, 120)
EACH = [name if name == "VAEKMeans" else pytest.param(name, marks=pytest.mark.long) for name in MAKE]


@pytest.mark.long
@pytest.mark.parametrize("name", EACH)
def test_a_weight_of_two_is_two_rows(name: str, x: np.ndarray) -> None:
    classes = blobs()[1]
    trained = {"pretrain_epochs": 60, "learning_rate": 1e-2}
    fitted = MAKE[name](**trained).fit(x, sample_weight=COUNTS)
    again = MAKE[name](**trained).fit(np.repeat(x, COUNTS, axis=0))
    assert adjusted_rand_score(fitted.labels_, classes) == 1
    assert adjusted_rand_score(fitted.labels_, again.predict(x)) == 1
    weighted, repeated = (np.average(fitted.score_samples(x), weights=COUNTS), fitted.score(np.repeat(x, COUNTS, 0)))
    assert fitted.score(x, sample_weight=COUNTS) == pytest.approx(weighted, rel=1e-6)
    assert weighted == pytest.approx(repeated, rel=1e-4)


@pytest.mark.long
@pytest.mark.parametrize("name", EACH)
def test_a_row_of_weight_zero_is_labelled_and_nothing_else(name: str, x: np.ndarray) -> None:
    weight = np.where(np.arange(len(x)) % 4, COUNTS, 0)
    fitted = MAKE[name](n_init=2).fit(x, sample_weight=weight)
    alone = MAKE[name](n_init=2).fit(x[weight > 0], sample_weight=weight[weight > 0])
    assert fitted.labels_.shape == (len(x),)
    np.testing.assert_array_equal(fitted.predict_proba(x), alone.predict_proba(x))
    assert fitted.objective_ == pytest.approx(alone.objective_, rel=1e-5)


@pytest.mark.parametrize("name", ["VAEKMeans", pytest.param("DynamicBetaVAE", marks=pytest.mark.long)])
def test_inertia_counts_by_weight(name: str, x: np.ndarray) -> None:
    for weight in (None, 2.0 * COUNTS):
        fitted = MAKE[name]().fit(x, sample_weight=weight)
        distances = cdist(fitted.transform(x), fitted.cluster_centers_, "sqeuclidean").min(axis=1)
        expected = distances.sum() if weight is None else distances @ weight
        assert fitted.inertia_ == pytest.approx(expected, rel=1e-5)


def test_any_kind_of_numbers(x: np.ndarray) -> None:
    expected = MAKE["VAEKMeans"]().fit(x, sample_weight=COUNTS).labels_
    for weight in (COUNTS.tolist(), pd.Series(COUNTS, index=COUNTS), COUNTS.astype(np.uint8)):
        np.testing.assert_array_equal(MAKE["VAEKMeans"]().fit_predict(x, sample_weight=weight), expected)


def test_a_pipeline_passes_them_on(x: np.ndarray) -> None:
    pipeline = make_pipeline(StandardScaler(with_std=False), MAKE["VAEKMeans"]())
    labels = pipeline.fit(x, vaekmeans__sample_weight=COUNTS)[-1].labels_
    alone = MAKE["VAEKMeans"]().fit(pipeline[0].transform(x), sample_weight=COUNTS)
    np.testing.assert_array_equal(labels, alone.labels_)


@pytest.mark.long
def test_a_search_routes_them_to_fit_and_score(x: np.ndarray) -> None:
    with sklearn.config_context(enable_metadata_routing=True):
        model = MAKE["VAEKMeans"]().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"latent_dim": [2]}, cv=[(np.arange(80), np.arange(80, 120))])
        search.fit(x, sample_weight=COUNTS)
        alone = clone(model).fit(x[:80], sample_weight=COUNTS[:80])
    expected = alone.score(x[80:], sample_weight=COUNTS[80:])
    assert search.cv_results_["mean_test_score"][0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("more", "given", "message"),
    [
        ({}, {"sample_weight": np.zeros(120)}, "sample_weight must hold a number above zero"),
        ({}, {"sample_weight": np.ones(119)}, "each of 120 rows"),
        ({"n_clusters": "auto"}, {"sample_weight": COUNTS}, "sample_weight needs a number of clusters"),
    ],
)
def test_what_cannot_be_used(more: dict[str, Any], given: dict[str, Any], message: str, x: np.ndarray) -> None:
    with pytest.raises(ValueError, match=message):
        MAKE["VAEKMeans"](**more).fit(x, **given)
    with pytest.raises(ValueError, match="leave one of them out"):
        MAKE["DynamicBetaVAE"]().fit(x, partial_labels=blobs()[1], sample_weight=COUNTS)
