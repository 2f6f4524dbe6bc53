"""How near two groups are for a random walk on the graph."""

import numpy as np
import scipy.linalg
from jaxtyping import Float
from scipy import sparse

from vaeclust_jax.graph import ALPHA
from vaeclust_jax.graph.neighbours import Graph


def one_step(graph: Graph, weight: Float[np.ndarray, " n"] | None = None) -> Graph:
    """(n, n) where a walk goes from each point: rows sum to 1, but for points without an edge.

    Args:
        graph: of the points.
        weight: of each point: how many it stands for; None: one.
    """
    ways = graph if weight is None else graph @ sparse.diags_array(weight)
    total = np.asarray(ways.sum(axis=1)).ravel()
    return sparse.csr_array(sparse.diags_array(1 / np.where(total > 0, total, 1)) @ ways)


def walk_embedding(graph: Graph, alpha: float = ALPHA) -> Float[np.ndarray, "m m"]:
    """Unit rows e_a whose products are R_ab / sqrt(R_aa R_bb), of the walks R = (I - alpha D^-1/2 B D^-1/2)^-1.

    R sums over walks of all lengths, of mean length 1 / (1 - alpha); e_a . e_b is its cosine. All of R, not the first
    few of its eigenvectors: in those, rings that a few edges join are one. Rows of any root of R have its products;
    that of Cholesky takes a third of the time of the eigensystem.

    Args:
        graph: B, every row with an edge; dense work, 2/3 M^3 products, in place.
        alpha: from 0 to below 1.
    """
    half = 1 / np.sqrt(np.asarray(graph.sum(axis=1)).ravel())
    steps = graph.toarray()
    steps *= -alpha * half
    steps *= half[:, np.newaxis]
    steps[np.diag_indices(len(half))] += 1
    # Symmetric: what LAPACK takes for columns are its rows, and no copy is made.
    factor = scipy.linalg.cholesky(steps.T, lower=True, overwrite_a=True, check_finite=False)
    inverse, _ = scipy.linalg.lapack.dtrtri(factor, lower=1, overwrite_c=1)  # R = inverse^T inverse
    rows = inverse.T
    for row in rows:
        row /= np.linalg.norm(row)
    return rows
