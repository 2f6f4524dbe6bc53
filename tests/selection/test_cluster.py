"""One call clusters as the command does: the same config, nothing chosen by labels, the same bits again."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

import vaeclust_jax as vc
from tests.fitting.made import blobs, squares
from vaeclust_jax.errors import InputError, InputWarning
from vaeclust_jax.experiments import DEFAULT, EXPERIMENTS
from vaeclust_jax.fitting.config import with_method

X, Y = blobs()


@pytest.mark.long
@pytest.mark.parametrize(("x", "network"), [(X, vc.MLP), (squares()[0], vc.MLP)], ids=["vectors", "small images"])
def test_clusters_are_those_of_the_model_which_is_the_commands(x: np.ndarray, network: type) -> None:
    found = vc.cluster(x, 3, seed=4)
    assert adjusted_rand_score(Y, found.labels) > 0.9
    np.testing.assert_array_equal(found.labels, found.run.predict(x))
    np.testing.assert_array_equal(found.probability, found.run.predict_proba(x).max(axis=1))
    assert isinstance(found.run.config.network, network)
    experiment = EXPERIMENTS[DEFAULT]
    config = vc.Config(experiment.method, experiment.prepare, experiment.network, experiment.training)
    config = with_method(config, num_clusters=3, augment=0.0)
    again = vc.fit(config, x, 4)
    np.testing.assert_array_equal(again.predict_proba(x), found.run.predict_proba(x))
    assert again.config == found.run.config


@pytest.mark.long
def test_the_number_of_clusters_is_chosen_if_it_is_not_given() -> None:
    found = vc.cluster(X)
    chosen = found.run.config.num_clusters
    assert 3 <= chosen <= 5
    assert adjusted_rand_score(Y, found.labels) > 0.7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_clusters": 0}, "num_clusters must be at least 1, got 0"),
        ({"num_clusters": 500}, "num_clusters must be at most the number of training samples, got 500"),
        ({"num_clusters": 3, "seed": -1}, "^seed must be a whole number"),
        ({"num_clusters": 3, "seed": 2**32}, "^seed must be a whole number"),
        ({"num_clusters": 2.5}, "num_clusters"),
        ({"num_clusters": "many"}, "num_clusters"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        vc.cluster(X, **arguments)


@pytest.mark.long
def test_clusters_without_a_sample_are_said() -> None:
    with pytest.warns(InputWarning, match="2 of 3 clusters have no sample.*ask for 1 or fewer"):
        found = vc.cluster(np.ones((24, 4)), 3)
    assert len(np.unique(found.labels)) == 1
