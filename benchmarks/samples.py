"""What the benchmarks train on: real data where `VAECLUST_DATA` holds them, else seeded noise of the same shape.

Nothing is downloaded. No figure depends on the choice: a step takes as long on noise.
"""

from functools import lru_cache

import numpy as np

from vaeclust_jax.data import PrepareConfig, fit_preparation, list_datasets, load


def images(n: int) -> np.ndarray:
    """COIL-20 at 32 x 32, (n, 32, 32, 1) float32 in [0, 1]; n at most 1440."""
    return _rows("coil20", (1440, 32, 32, 1))[:n]


def vectors(n: int) -> np.ndarray:
    """MNIST's test part, (n, 784) float32 in [0, 1]; n at most 10000."""
    return _rows("mnist-test", (10000, 28, 28, 1))[:n].reshape(n, 784)


@lru_cache
def _rows(name: str, shape: tuple[int, int, int, int]) -> np.ndarray:
    where = next(listing.where for listing in list_datasets() if listing.name == name)
    if where.startswith("not here"):
        return np.random.default_rng(0).random(shape, np.float32)
    x = load(name).x
    return fit_preparation(x, PrepareConfig(image_size=shape[1:3])).apply(x)
