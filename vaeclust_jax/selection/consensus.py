"""One clustering of several, of any clusterer's."""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.checks import is_whole
from vaeclust_jax.data import Dataset, check_labels
from vaeclust_jax.errors import InputError, InputWarning
from vaeclust_jax.fitting.frame import frame_library, frame_of
from vaeclust_jax.metrics import LEFT_OUT, agreement
from vaeclust_jax.metrics import consensus as vote
from vaeclust_jax.shown import table
from vaeclust_jax.uncertainty import co_association

_HOW = ("votes", "co-association")


@dataclass(frozen=True, eq=False)
class Consensus:
    """The clusters that several clusterings find together.

    Example:
        >>> vc.consensus([[0, 0, 1, 1], [1, 1, 0, 0], [0, 0, 0, 1]])
        Consensus(2 clusters of 4 samples, 3 clusterings, mean stability 0.92)
    """

    labels: Int[np.ndarray, " n"]
    """(n,) the cluster of each sample, consecutive from 0; -1 for samples that most of them leave out."""
    stability: Float[np.ndarray, " n"]
    """(n,) share of the clusterings that agree: matched one to one to `labels`, they say the same of the sample."""
    num_clusterings: int
    """S."""

    def __repr__(self) -> str:
        return f"Consensus({', '.join(self._facts().values())})"

    def _repr_html_(self) -> str:
        return table("Consensus", self._facts())

    def _facts(self) -> dict[str, str]:
        facts = {
            "clusters": f"{self.labels.max() + 1} clusters of {len(self.labels)} samples",
            "clusterings": f"{self.num_clusterings} clusterings",
            "stability": f"mean stability {self.stability.mean():.2f}",
        }
        if (self.labels == LEFT_OUT).any():
            facts["left out"] = f"{(self.labels == LEFT_OUT).sum()} left out"
        return facts

    def to_frame(self, x: Any = None, backend: Literal["pandas", "polars"] | None = None) -> Any:
        """A frame with a row a sample: row, cluster, stability.

        Args:
            x: what was clustered, for its index and names, as for `Run.to_frame`; None: rows are numbered.
            backend: None: the library of `x`, else pandas, else polars.

        Raises:
            InputError: the library is not installed, or `x` has another number of samples.
        """
        n = len(self.labels)
        if x is not None and (got := len(x.x if isinstance(x, Dataset) else x)) != n:
            raise InputError(f"x must have the {n} samples that were clustered, got {got}")
        columns = {"cluster": self.labels, "stability": self.stability}
        return frame_of(columns, x, frame_library(backend, x))


def consensus(
    labels: Sequence[Any] | np.ndarray,
    num_clusters: int | None = None,
    *,
    how: Literal["votes", "co-association"] = "votes",
) -> Consensus:
    """One clustering of several, of any clusterer's: of other seeds, settings or samples of features.

    The clusters of each may have any names and be of any number.

    Args:
        labels: S clusterings of the same n samples, at least two: whole numbers or texts, -1 for samples that a
            clustering leaves out (noise). Of an array each row is a clustering, (S, n); more rows than columns are an
            `InputWarning`.
        num_clusters: K of "co-association"; None: the number that lives longest. Votes keep that of a clustering.
        how: "votes": each is matched one to one to what most say, until that no longer changes (Dimitriadou et al.
            2002), beginning with the one most like the others. "co-association": average linkage of how many put two
            samples together, up to 20,000 of them (Fred and Jain 2005); also where the numbers of clusters differ
            much.

    Returns:
        The clusters, and the stability of each sample.

    Raises:
        InputError: labels that cannot be used, or num_clusters for votes or above the number of samples.

    Example:
        >>> from sklearn.cluster import KMeans
        >>> x = np.random.default_rng(0).normal(np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0))
        >>> seeds = [KMeans(2, n_init=1, random_state=seed).fit_predict(x) for seed in range(5)]
        >>> found = vc.consensus(seeds)
        >>> found.labels.shape, bool((found.stability == 1).all())
        ((60,), True)
        >>> list(found.to_frame().columns)
        ['row', 'cluster', 'stability']
    """
    if how not in _HOW:
        raise InputError(f"how must be one of {', '.join(_HOW)}, got {how!r}")
    if how == "votes" and num_clusters is not None:
        raise InputError("num_clusters is for how='co-association': votes keep the number of one of the clusterings")
    said = _numbered(labels)
    found = vote(said) if how == "votes" else _linked(said, num_clusters)
    inside = found != LEFT_OUT
    clusters = np.full(len(found), LEFT_OUT, np.int32)
    clusters[inside] = np.unique(found[inside], return_inverse=True)[1]
    return Consensus(clusters, agreement(said, clusters), len(said))


def _numbered(labels: Sequence[Any] | np.ndarray) -> Int[np.ndarray, "s n"]:
    """Ids from 0, and -1 for samples left out."""
    given = list(labels) if isinstance(labels, Iterable) else []
    if not isinstance(labels, Iterable) or any(np.ndim(one) == 0 for one in given):
        of = f" of {type(given[0]).__name__}" if given else ""
        raise InputError(f"labels must be like [first, second], each of shape (n,), got {type(labels).__name__}{of}")
    if len(given) < 2:
        raise InputError(f"labels must be at least two clusterings, got {len(given)}")
    n = np.size(given[0])
    if n == 0:
        raise InputError("labels must be of at least one sample, got none")
    if len(given) > n > 1:
        warnings.warn(
            f"labels are read as {len(given)} clusterings of {n} samples: if they are {n} clusterings of {len(given)} "
            "samples, give labels.T, a row a clustering",
            InputWarning,
            stacklevel=3,
        )
    said = []
    for number, one in enumerate(given):
        ids, names = check_labels(one, n, f"labels[{number}]")
        noise = names.index(str(LEFT_OUT)) if str(LEFT_OUT) in names else None
        said.append(np.where(ids == noise, LEFT_OUT, ids))
    return np.stack(said)


def _linked(labels: Int[np.ndarray, "s n"], num_clusters: int | None) -> Int[np.ndarray, " n"]:
    """Clusters of evidence accumulation; a clustering that leaves a sample out puts it together with no other."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    inside = np.flatnonzero((labels == LEFT_OUT).mean(axis=0) <= 0.5)
    found, n = np.full(labels.shape[1], LEFT_OUT), len(inside)
    if num_clusters is not None and (not is_whole(num_clusters) or not 1 <= num_clusters <= max(n, 1)):
        raise InputError(f"num_clusters must lie in 1 to {max(n, 1)}, the samples in a cluster, got {num_clusters!r}")
    if n < 2:
        found[inside] = 0
        return found
    alone = labels.max() + 1 + np.arange(labels.shape[1])
    together = co_association(np.where(labels == LEFT_OUT, alone, labels)[:, inside])
    tree = linkage(squareform(1 - together, checks=False), "average")
    # A number of clusters lives between the heights of two merges; of equals the fewest.
    lifetimes = np.diff(tree[:, 2], prepend=0.0, append=1.0)
    k = num_clusters if num_clusters is not None else int(np.argmax(lifetimes[::-1])) + 1
    tree[:, 2] = np.arange(1, n)  # merges of one height come one after the other: any number can be had
    found[inside] = fcluster(tree, k, "maxclust")
    return found
