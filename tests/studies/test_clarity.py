"""How clear the clusters of every method are, and the sentence on it for those who have no labels."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.fitting.made import blobs, config
from vaeclust_jax.fitting.resolve import prepared_for
from vaeclust_jax.folder.records.clustering import StartRecord
from vaeclust_jax.graph.clarity import separation
from vaeclust_jax.graph.neighbours import of_values
from vaeclust_jax.studies.assignments import Answer
from vaeclust_jax.studies.clarity import clarity_sentence, far_clearer, separation_of


def test_it_is_the_mean_over_seeds_of_all_samples() -> None:
    x, y = blobs()
    data = prepared_for(config(), x)
    other = np.random.default_rng(0).permutation(y)
    found = separation_of({"ours": [Answer(y, 3), Answer(other, 3)], "theirs": [Answer(other, 3)]}, data)
    graph = of_values(np.asarray(data.rows))
    right, wrong = np.array(separation(graph, y, 3)), np.array(separation(graph, other, 3))
    assert found == {"ours": pytest.approx((right + wrong) / 2), "theirs": pytest.approx(wrong)}
    assert separation_of({"ours": [Answer(np.zeros(len(x), int), 1)]}, data) is None
    assert separation_of({"ours": [Answer(y[:5], 3)]}, prepared_for(config(validation=0.0), x[:5])) is None


@pytest.mark.parametrize(
    ("ours", "how"),
    [
        (0.42, "clearer than those of every method without a network (0.42 against 0.40, Ward"),
        (0.37, "about as clear as those of the best method without a network (0.37 against 0.40, Ward"),
        (0.34, "less clear than those of a method without a network, which may be the better one here (0.34 against"),
    ],
)
def test_the_sentence_holds_it_against_the_methods_on_the_data(ours: float, how: str) -> None:
    metrics = clear(ours, shallow=("k-means", "Ward", "Ward on VAE latents", "left out"))
    (said,) = clarity_sentence(metrics)
    assert how in said
    metrics.alike = {"Ward": 0.99, "k-means": 0.96, "Ward on VAE latents": 1.0}
    assert clarity_sentence(metrics) == ["Methods without a network find the same clusters: k-means, Ward."]
    assert clarity_sentence(clear(ours, shallow=())) == []
    metrics.alike, metrics.clarity = None, None
    assert clarity_sentence(metrics) == []


def test_clusters_that_cut_more_are_no_better() -> None:
    metrics = clear(0.2, shallow=("k-means", "Ward"))
    assert far_clearer(metrics) == "Ward"
    metrics.cut = {"vaegraph": 0.02, "Ward": 0.04, "k-means": 0.01, "Ward on VAE latents": 0.0}
    assert far_clearer(metrics) == "k-means"
    assert clarity_sentence(metrics)[0].endswith(
        "may be the better one here (0.20 against 0.30, k-means; at most 0.50)."
    )
    metrics.clarity["vaegraph"] = 0.35
    assert (
        "clearer than those of every method without a network that cuts no more of it" in clarity_sentence(metrics)[0]
    )
    begun = StartRecord(seed=0, began="its graph", clarity={"its graph": 0.3}, cut={"its graph": 0.005})
    metrics.clarity["vaegraph"], metrics.starts = 0.2, (begun,)
    assert far_clearer(metrics) is None
    metrics.cut["k-means"], metrics.starts = 0.03, None
    assert far_clearer(metrics) is None
    assert clarity_sentence(metrics) == [
        "In the graph of the values the clusters of vaegraph are cut less than those of every method without a network."
    ]


def clear(ours: float, **fields: Any) -> Any:
    """What of a record says how clear the clusters are."""
    found = {"vaegraph": ours, "Ward": 0.4, "k-means": 0.3, "Ward on VAE latents": 0.45}
    return SimpleNamespace(
        **{"method": "vaegraph", "clarity": found, "cut": None, "alike": None, "starts": None, **fields}
    )


@pytest.mark.parametrize(
    ("ours", "alike", "better"),
    [(0.2, {}, "Ward"), (0.37, {}, None), (0.2, {"Ward": 0.96, "k-means": 0.99}, None), (0.2, {"Ward": 0.96}, "Ward")],
)
def test_far_clearer_clusters_are_named_unless_several_methods_find_ours(
    ours: float, alike: dict[str, float], better: str | None
) -> None:
    found = {"vaegraph": ours, "Ward": 0.4, "k-means": 0.3, "Ward on VAE latents": 0.48}
    shallow = ("k-means", "Ward", "Ward on VAE latents", "left out")
    metrics = clear(ours, shallow=shallow, clarity=found, alike=alike)
    assert far_clearer(metrics) == better
    metrics.clarity = None
    assert far_clearer(metrics) is None
