"""Neighbours of very many points, by an inverted file of FAISS, which misses a few (Jegou, Douze and Schmid 2011)."""

import warnings
from importlib.util import find_spec

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.errors import InputWarning

_LISTED, _LOOKED_AT = 150, 12
"""Points of a list of the file, and lists that are looked at for a point's neighbours."""
_LEARNT_FROM, _ROUNDS = 40, 4
"""Points a list of the k-means that makes the lists, and its rounds."""
_ASKED = 1000
"""Points whose neighbours are also found by all distances."""


def can_search() -> bool:
    """Whether FAISS is installed."""
    return find_spec("faiss") is not None


def nearly_nearest(
    z: Float[np.ndarray, "n l"], num_neighbours: int
) -> tuple[Float[np.ndarray, "n m"], Int[np.ndarray, "n m"]]:
    """Distances and numbers of the nearest other points that are found, the nearest first; in n^1.5 time."""
    import faiss
    from scipy.spatial import cKDTree

    # Rows of a list lie beside each other, and so do those that ask for it: fewer misses of the cache.
    tree = cKDTree(z, leafsize=_LISTED)
    points = np.ascontiguousarray((z - z.mean(axis=0))[tree.indices], np.float32)
    n, dim = points.shape
    quantizer = faiss.IndexFlatL2(dim)
    index = faiss.IndexIVFFlat(quantizer, dim, max(n // _LISTED, 1))
    index.cp.niter = _ROUNDS
    index.train(points[np.sort(np.random.default_rng(0).permutation(n)[: _LEARNT_FROM * index.nlist])])
    index.add(points)
    index.nprobe = _LOOKED_AT
    squares, found = index.search(points, num_neighbours + 1)
    distances, numbers = np.empty(found.shape), np.empty(found.shape, int)
    distances[tree.indices], numbers[tree.indices] = np.sqrt(np.maximum(squares, 0)), tree.indices[found]
    if len(few := tree.indices[(found < 0).any(axis=1)]):  # the lists that were looked at hold too few
        distances[few], numbers[few] = tree.query(z[few], num_neighbours + 1, workers=-1)
    return without_itself(distances, numbers)


def without_itself(
    distances: Float[np.ndarray, "n w"], numbers: Int[np.ndarray, "n w"]
) -> tuple[Float[np.ndarray, "n m"], Int[np.ndarray, "n m"]]:
    """Of every point's w nearest points the w - 1 others."""
    itself = numbers == np.arange(len(numbers))[:, np.newaxis]
    itself[~itself.any(axis=1), -1] = True  # of many duplicates a point may not be in its own list
    kept = (len(numbers), numbers.shape[1] - 1)
    return distances[~itself].reshape(kept), numbers[~itself].reshape(kept)


def recall(z: Float[np.ndarray, "n l"], found: Int[np.ndarray, "n m"]) -> float:
    """The share of the nearest points that are found, of a thousand points."""
    from sklearn.neighbors import NearestNeighbors

    m = found.shape[1]
    asked = np.random.default_rng(0).choice(len(z), min(_ASKED, len(z)), replace=False)
    true = NearestNeighbors(n_neighbors=m + 1, algorithm="brute").fit(z).kneighbors(z[asked], return_distance=False)
    hits = [len(np.intersect1d(found[row], near)) / m for row, near in zip(asked, true, strict=True)]
    return float(np.mean(hits))


def say_recall(z: Float[np.ndarray, "n l"], num_neighbours: int) -> None:
    """What a person should know of a graph of so many points."""
    if can_search():
        share = recall(z, nearly_nearest(z, num_neighbours)[1])
        said = f"FAISS, which finds {100 * share:.1f} % of those of {min(_ASKED, len(z))} samples"
    else:
        said = "a tree, which takes long: `pip install 'vaeclust_jax[faiss]'` finds nearly all of them sooner"
    warnings.warn(f"neighbours of {len(z)} samples are looked for by {said}", InputWarning, stacklevel=2)
