"""Clusters of the samples' own values, found without a network, which training may begin with."""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.graph.constraints import Constraints
from vaeclust_jax.streamed import HostRows

if TYPE_CHECKING:
    from vaeclust_jax.graph.neighbours import Graph

OWN = "its graph"
"""What the clusters of the method's own graph are called."""
SHALLOW_STARTS = ("k-means", "pca-gmm", "spectral", "graph")
NOT_ASKED = -1.0
"""In the place of a clarity, which is above it."""
_MOST_CLUSTERS, _FEWEST_SAMPLES = 100, 4
CLEARER = 0.05
"""By how much: training makes clusters of the method's own graph clearer by .01 to .04. Chosen with labels of small
parts of digits, COIL-20 and MNIST's training images in view, and of iris, wine, breast-cancer and generated vectors."""

SAME, _ENOUGH = 0.95, 3
"""Adjusted Rand index of clusters that count as the same, and how many methods that find them are enough."""

WITHOUT_GRAPH = ("k-means", "pca-gmm")
"""Those of them that look at no neighbours. That they may begin was chosen with labels of generated vectors, and of
parts of digits, COIL-20 and MNIST's training images, in view."""


class ShallowStarts(NamedTuple):
    """Clusters that training may begin with.

    Attributes:
        labels: (n,) by the name of each method.
        clarity: of each.
        graph: of the values, by which all are judged.
    """

    labels: dict[str, Int[np.ndarray, " n"]]
    clarity: dict[str, float]
    graph: "Graph"

    def begin(
        self, own: Int[np.ndarray, " n"], num_clusters: int
    ) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " s"]]:
        """The labels to begin with, the method's own where no others are far clearer, and the clarity of all (`named`).

        Where three or more find the same clusters, only those are asked: methods that differ so much do not agree by
        chance, and clarity would cut a large cluster in two rather than keep a small one. Where clusters that were
        found without neighbours are clearer in the graph than its own, it misleads, as where most features tell no
        clusters apart: the clearest of those begin (`began_with`).
        """
        from vaeclust_jax.graph.clarity import clarity

        labels = {OWN: own, **self.labels}
        of_all = {OWN: clarity(self.graph, own, num_clusters), **self.clarity}
        asked = _agreed(labels) or list(labels)
        scores = np.array([of_all[name] if name in asked else NOT_ASKED for name in (OWN, *SHALLOW_STARTS)], np.float32)
        clear = named(scores)
        assert clear is not None, "some are"
        return labels[began_with(clear)], scores


def shallow_starts(
    x: HostRows, num_clusters: int, graph: "Graph", hints: Constraints | None = None
) -> ShallowStarts | None:
    """Clusters by every method of `SHALLOW_STARTS` that so many samples allow; None where nothing can be told.

    That is of one cluster, of more than 100 (which take minutes), and of fewer than four samples a cluster. All seeds
    get the same clusters.

    Args:
        x: prepared rows.
        num_clusters: K.
        graph: of their values.
        hints: of the rows; the clusters then have the numbers of their classes, and hinted rows are where they belong
            (`moved_by_hints`) before any are judged.
    """
    from vaeclust_jax.baselines.shallow import SHALLOW, unfit  # scikit-learn takes long to import
    from vaeclust_jax.graph.clarity import clarity
    from vaeclust_jax.graph.hinted import moved_by_hints

    if not 2 <= num_clusters <= min(_MOST_CLUSTERS, len(x) // _FEWEST_SAMPLES):
        return None
    values = np.asarray(x[np.arange(len(x))]).reshape(len(x), -1)
    asked = [name for name in SHALLOW_STARTS if unfit(name, len(values)) is None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no convergence, or fewer distinct samples than clusters: clarity judges it
        labels = {name: SHALLOW[name].cluster(values, num_clusters, 0) for name in asked}
    if hints is not None:
        labels = {name: moved_by_hints(graph, one, num_clusters, hints) for name, one in labels.items()}
    return ShallowStarts(labels, {name: clarity(graph, one, num_clusters) for name, one in labels.items()}, graph)


def _agreed(labels: Mapping[str, Int[np.ndarray, " n"]]) -> list[str]:
    """The names of those that find the same clusters, where three or more do; the own alone, if it is among them."""
    from sklearn.metrics import adjusted_rand_score

    groups = [
        [name for name, other in labels.items() if adjusted_rand_score(one, other) >= SAME] for one in labels.values()
    ]
    most = max(groups, key=len)
    if len(most) < _ENOUGH:
        return []
    return [OWN] if OWN in most else most


def named(scores: Float[np.ndarray, " s"]) -> dict[str, float] | None:
    """The clarity of `begin` by the names of the clusters; None where nothing was asked."""
    found = {name: float(score) for name, score in zip((OWN, *SHALLOW_STARTS), scores, strict=True)}
    return {name: score for name, score in found.items() if score != NOT_ASKED} or None


def began_with(clarity: Mapping[str, float]) -> str:
    """Which of the clusters of `named` training began with."""
    best = max(clarity, key=clarity.__getitem__)
    if OWN not in clarity:
        return best
    if misled := [name for name in WITHOUT_GRAPH if clarity.get(name, NOT_ASKED) > clarity[OWN]]:
        return max(misled, key=clarity.__getitem__)
    return best if clarity[best] > clarity[OWN] + CLEARER else OWN
