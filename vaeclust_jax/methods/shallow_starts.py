"""Clusters of the samples' own values, found without a network, which training may begin with."""

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.graph import LONG
from vaeclust_jax.graph.clarity import Separation, separation
from vaeclust_jax.graph.constraints import Constraints
from vaeclust_jax.streamed import HostRows

if TYPE_CHECKING:
    from vaeclust_jax.graph.neighbours import Graph

OWN = "its graph"
"""What the clusters of the method's own graph are called."""
LONG_WALK = "long walk"
"""Micro-clusters of the values' graph as it is, merged by a walk of mean length 10,000: it goes round rings, moons and
spirals of thousands of samples, which a walk of 100 cuts in pieces."""
OF_GRAPH = "graph"
"""Micro-clusters of the values' graph, merged by a walk of 100."""
_OF_VALUES = ("k-means", "pca-gmm", "spectral")
SHALLOW_STARTS = (*_OF_VALUES, OF_GRAPH, LONG_WALK)
NOT_ASKED = -1.0
"""In the place of a clarity, which is above it."""
_MOST_CLUSTERS, _FEWEST_SAMPLES = 100, 4
_NOTHING = 1e-6  # a cut that may be rounding
_SMALLEST = 1 / 3  # of the mean size, a cluster of a long walk: it likes to part a few samples from all others
CLEARER = 0.05
"""By how much: training makes clusters of the method's own graph clearer by .01 to .04. Chosen with labels of small
parts of digits, COIL-20 and MNIST's training images in view, and of iris, wine, breast-cancer and generated vectors."""

SAME, _ENOUGH = 0.95, 3
"""Adjusted Rand index of clusters that count as the same, and how many methods that find them are enough."""

WITHOUT_GRAPH = ("k-means", "pca-gmm")
"""Those of them that look at no neighbours. That they may begin was chosen with labels of generated vectors, and of
parts of digits, COIL-20 and MNIST's training images, in view."""


FAR_LESS = 10.0
"""How many times less the clusters of a long walk must be cut: such clusters lie apart, however long and thin they are.
Chosen with made moons, rings, spirals and blobs in view, and so that no set of the benchmark begins otherwise."""


class ShallowStarts(NamedTuple):
    """Clusters that training may begin with.

    Attributes:
        labels: (n,) by the name of each method.
        separations: how the graph shows those of each.
        graph: of the values, by which all are judged.
    """

    labels: dict[str, Int[np.ndarray, " n"]]
    separations: dict[str, Separation]
    graph: "Graph"

    def begin(
        self, own: Int[np.ndarray, " n"], num_clusters: int
    ) -> tuple[str, Int[np.ndarray, " n"], Float[np.ndarray, "2 s"]]:
        """The labels to begin with and their name, and how all are shown (`named`).

        They are the method's own where no others are far clearer.

        Where three or more find the same clusters, only those are asked: methods that differ so much do not agree by
        chance, and clarity would cut a large cluster in two rather than keep a small one. Of the others none may be cut
        more than the own, for the same reason. Where clusters that were found without neighbours are clearer in the
        graph than its own, it misleads, as where most features tell no clusters apart: the clearest of those begin
        (`began_with`). Those of a long walk begin where they are cut far less than these, and are clearer or not cut.
        """
        labels = {OWN: own, **self.labels}
        of_all = {OWN: separation(self.graph, own, num_clusters), **self.separations}
        asked = _agreed({name: one for name, one in labels.items() if name != LONG_WALK}) or list(labels)
        names = (OWN, *SHALLOW_STARTS)
        scores = np.array([of_all[name] if name in asked else (NOT_ASKED, NOT_ASKED) for name in names], np.float32).T
        found = named(scores)
        assert found is not None, "some are"
        name = began_with(found)
        return name, labels[name], scores


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
    from vaeclust_jax.graph.clusters import graph_clusters
    from vaeclust_jax.graph.hinted import moved_by_hints
    from vaeclust_jax.graph.neighbours import connected, expected

    if not 2 <= num_clusters <= min(_MOST_CLUSTERS, len(x) // _FEWEST_SAMPLES):
        return None
    values = np.asarray(x[np.arange(len(x))]).reshape(len(x), -1)
    asked = [name for name in _OF_VALUES if unfit(name, len(values)) is None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no convergence, or fewer distinct samples than clusters: clarity judges it
        labels = {name: SHALLOW[name].cluster(values, num_clusters, 0) for name in asked}
    labels[OF_GRAPH] = graph_clusters(connected(expected([graph.copy()], 1), values), num_clusters)
    walked = graph_clusters(connected(graph, values), num_clusters, LONG)
    if np.bincount(walked, minlength=num_clusters).min() >= _SMALLEST * len(x) / num_clusters:
        labels[LONG_WALK] = walked
    if hints is not None:
        labels = {name: moved_by_hints(graph, one, num_clusters, hints) for name, one in labels.items()}
    return ShallowStarts(labels, {name: separation(graph, one, num_clusters) for name, one in labels.items()}, graph)


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


def named(scores: Float[np.ndarray, "2 s"]) -> dict[str, Separation] | None:
    """The scores of `begin` by the names of the clusters; None where nothing was asked."""
    found = {name: Separation(*map(float, one)) for name, one in zip((OWN, *SHALLOW_STARTS), scores.T, strict=True)}
    return {name: one for name, one in found.items() if one.clarity != NOT_ASKED} or None


def began_with(starts: Mapping[str, Separation]) -> str:
    """Which of the clusters of `named` training began with."""

    def clearest(names: Iterable[str]) -> str:
        return max(names, key=lambda name: starts[name].clarity)

    if OWN not in starts:
        return clearest(starts)
    own = starts[OWN]
    asked = [name for name, one in starts.items() if one.cut <= own.cut and name != LONG_WALK]
    best = clearest(asked)
    begun = best if starts[best].clarity > own.clarity + CLEARER else OWN
    if misled := [name for name in asked if name in WITHOUT_GRAPH and starts[name].clarity > own.clarity]:
        begun = clearest(misled)
    other = starts[begun]
    longer = starts.get(LONG_WALK, other)
    apart = longer.clarity > other.clarity or longer.cut < _NOTHING < other.cut
    return LONG_WALK if apart and longer.cut <= other.cut / FAR_LESS else begun
