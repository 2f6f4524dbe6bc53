"""The number of clusters, chosen from a VAE's latents."""

import json

import jax
import pytest

import vaeclust_jax as vc
from tests.fitting.made import blobs, config
from vaeclust_jax.selection import num_clusters as module
from vaeclust_jax.selection.num_clusters import Choice


@pytest.mark.long
def test_the_three_blobs_are_found_through_a_vae() -> None:
    x, _ = blobs(300)
    settings = config(num_clusters=9, pretrain_epochs=60, learning_rate=1e-2, beta=0.1)
    choice = vc.choose_num_clusters(settings, x, jax.random.key(0), candidates=range(2, 7), criterion="silhouette")
    assert choice.num_clusters == 3
    assert choice.curve.best["bic"] == 3
    assert "3 clusters of 2 to 6: the silhouette of k-means is highest. The other criteria say: bic 3" in choice.reason
    assert Choice.of(json.loads(json.dumps(choice.record()))) == choice


@pytest.mark.long
def test_a_method_that_follows_a_graph_takes_the_layer_that_lasts() -> None:
    x, _ = blobs()
    choice = vc.choose_num_clusters(
        config(method="graph", pretrain_epochs=20, learning_rate=1e-2), x, 0, candidates=range(2, 7)
    )
    assert (choice.num_clusters, choice.criterion, choice.curve.best["layers"]) == (3, "layers", 3)
    assert choice.reason.startswith("3 clusters of 2 to 6: the trees of three seeds' graphs have so many clusters for")
    assert Choice.of(json.loads(json.dumps(choice.record()))) == choice
    assert vc.choose_num_clusters(config(method="dec"), x, 0, candidates=range(2, 7)).criterion == "bic"


def test_mistakes_are_named() -> None:
    x, _ = blobs()
    said = "criterion must be auto or one of bic, stability, silhouette, gap, layers, got 'elbow'"
    with pytest.raises(vc.InputError, match=said):
        vc.choose_num_clusters(config(), x, jax.random.key(0), criterion="elbow")
    with pytest.raises(vc.InputError, match="criterion 'layers' is of a graph, which DEC does not follow"):
        vc.choose_num_clusters(config(method="dec"), x, 0, criterion="layers")
    with pytest.raises(vc.InputError, match=r"a whole number from 0 to .*, got -1"):
        vc.choose_num_clusters(config(), x, -1)


def test_candidates_are_looked_at_before_anything_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "fit_seeds", None)
    x, _ = blobs()
    for candidates in ([3], [1, 2], [len(x), 2 * len(x)], 5, "ab", [2.0, 3.0]):
        with pytest.raises(vc.InputError, match="candidates must be at least two whole numbers from 2, below half"):
            vc.choose_num_clusters(config(), x, jax.random.key(0), candidates=candidates)
    with pytest.raises(vc.InputError, match="a number of clusters is chosen of at least 7 samples, got 6: give"):
        vc.choose_num_clusters(config(), x[:6], 0)
