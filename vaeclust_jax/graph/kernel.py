"""How near two groups are for a random walk on the graph."""

import numpy as np
import scipy.linalg
from jaxtyping import Float

from vaeclust_jax.graph.neighbours import Graph


def walk_embedding(graph: Graph, alpha: float = 0.99) -> Float[np.ndarray, "m m"]:
    """Unit rows e_a whose products are those of the square root of R = (I - alpha D^-1/2 B D^-1/2)^-1.

    R sums over walks of all lengths, of mean length 1 / (1 - alpha); e_a . e_b is its cosine. The full eigensystem, not
    the first few vectors of it: in those, rings that a few edges join are one.

    Args:
        graph: B, every row with an edge; dense work, M^3.
        alpha: from 0 to below 1.
    """
    degree = np.asarray(graph.sum(axis=1)).ravel()
    half = 1 / np.sqrt(degree)
    values, vectors = scipy.linalg.eigh(graph.toarray() * half[:, np.newaxis] * half)
    rows = vectors / np.sqrt(1 - alpha * np.clip(values, -1, 1))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
