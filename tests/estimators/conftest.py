from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.fitting.made import blobs, squares
from vaeclust_jax.estimators import VAEDEC, DynamicBetaVAE, VaDE, VAEGaussianMixture, VAEGraph, VAEKMeans

SMALL: dict[str, Any] = {
    "n_clusters": 3,
    "latent_dim": 2,
    "hidden": (16,),
    "pretrain_epochs": 3,
    "batch_size": 32,
    "random_state": 0,
}
JOINT = {"joint_epochs": 2, "tolerance": 0.0}

MAKE: dict[str, Callable[..., Any]] = {
    "VAEKMeans": lambda **more: VAEKMeans(**SMALL | more),
    "VAEGaussianMixture": lambda **more: VAEGaussianMixture(**SMALL | more),
    "VaDE": lambda **more: VaDE(**SMALL | JOINT | more),
    "VAEDEC": lambda **more: VAEDEC(**SMALL | JOINT | more),
    "VAEGraph": lambda **more: VAEGraph(**SMALL | {"joint_epochs": 2} | more),
    "DynamicBetaVAE": lambda **more: DynamicBetaVAE(**SMALL | more),
}
"""Small estimators, any of whose parameters can be changed."""


@pytest.fixture(scope="session")
def x() -> np.ndarray:
    return blobs()[0]


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    return squares()[0]


QUICK = ("VAEKMeans", "VAEDEC")
FITTED = [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in MAKE]


@pytest.fixture(scope="session", params=FITTED)
def fitted(request: pytest.FixtureRequest, x: np.ndarray) -> Any:
    return MAKE[request.param]().fit(x)


@pytest.fixture(scope="session")
def of_images(images: np.ndarray) -> Any:
    return VAEDEC(**SMALL | JOINT, network="mlp").fit(images)
