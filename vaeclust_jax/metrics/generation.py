"""How samples of a generator compare with the data's: in mean and covariance, and as sets."""

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.errors import InputError


def frechet_distance(a: Float[np.ndarray, "n f"], b: Float[np.ndarray, "m f"]) -> float:
    """|mean_a - mean_b|^2 + tr(A + B - 2 (A B)^1/2) with the covariances A, B: of Gaussians fitted to both.

    Source: Dowson and Landau 1982; of features of a network it is the FID (Heusel et al. 2017).

    Args:
        a, b: a row a sample; at least two rows each.

    Raises:
        InputError: other shapes.
    """
    _check(a, b)
    mean_a, mean_b = a.mean(axis=0, dtype=np.float64), b.mean(axis=0, dtype=np.float64)
    root_a = _root(np.cov(a, rowvar=False, dtype=np.float64, ddof=1).reshape(a.shape[1], -1))
    cov_b = np.cov(b, rowvar=False, dtype=np.float64, ddof=1).reshape(b.shape[1], -1)
    # tr (A B)^1/2 is the sum of the singular values of A^1/2 B^1/2; this form is symmetric, and so real.
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root_a @ cov_b @ root_a), 0)).sum()
    return float(((mean_a - mean_b) ** 2).sum() + np.trace(root_a @ root_a) + np.trace(cov_b) - 2 * cross)


def _root(covariance: Float[np.ndarray, "f f"]) -> Float[np.ndarray, "f f"]:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def precision_recall(
    real: Float[np.ndarray, "n f"], generated: Float[np.ndarray, "m f"], num_neighbors: int = 3
) -> tuple[float, float]:
    """Share of generated samples among the real ones, and of real ones among the generated.

    A sample is among others if it is as near to one of them as that one's k-th neighbour of its own kind.

    Source: Kynkaanniemi et al., Improved Precision and Recall Metric for Assessing Generative Models, 2019, Eq. 1 to 3.

    Args:
        real, generated: a row a sample, more than k each.
        num_neighbors: k.

    Raises:
        InputError: other shapes, or too few rows.
    """
    _check(real, generated)
    if min(len(real), len(generated)) <= num_neighbors:
        raise InputError(f"precision and recall need more than {num_neighbors} samples of each kind")
    return _share_among(generated, real, num_neighbors), _share_among(real, generated, num_neighbors)


def nearest(samples: Float[np.ndarray, "n f"], rows: Float[np.ndarray, "m f"]) -> Int[np.ndarray, " n"]:
    """The row that is nearest to each sample, in Euclidean distance.

    Raises:
        InputError: other shapes.
    """
    from sklearn.metrics import pairwise_distances_argmin

    _check(samples, rows)
    return np.asarray(pairwise_distances_argmin(samples, rows))


def _share_among(samples: np.ndarray, others: np.ndarray, k: int) -> float:
    from sklearn.metrics import pairwise_distances
    from sklearn.neighbors import NearestNeighbors

    radius = NearestNeighbors(n_neighbors=k + 1).fit(others).kneighbors(others)[0][:, -1]  # itself is the first
    return float((pairwise_distances(samples, others) <= radius).any(axis=1).mean())


def _check(a: np.ndarray, b: np.ndarray) -> None:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise InputError(f"samples must be rows of the same features, at least two of each, got {a.shape}, {b.shape}")
