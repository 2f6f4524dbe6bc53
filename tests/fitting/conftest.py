import jax
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import blobs, config, squares


@pytest.fixture(scope="session")
def vectors() -> np.ndarray:
    return blobs()[0]


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    return squares()[0]


@pytest.fixture(scope="session")
def fitted(vectors: np.ndarray) -> vc.Run:
    """Vectors, `jax.random.key(3)`."""
    return vc.fit(config(), vectors, jax.random.key(3))


@pytest.fixture(scope="session")
def fitted_images(images: np.ndarray) -> vc.Run:
    return vc.fit(config(), images, jax.random.key(3))


@pytest.fixture(scope="session")
def three_seeds(vectors: np.ndarray) -> list[vc.Run]:
    return vc.fit_seeds(config(), vectors, [0, 1, 2])
