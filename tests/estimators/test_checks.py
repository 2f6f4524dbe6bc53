"""scikit-learn's own checks of an estimator: all of them, none expected to fail."""

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from vaeclust_jax.estimators import VAEDEC, DynamicBetaVAE, VaDE, VAEGaussianMixture, VAEKMeans


@pytest.mark.long
@parametrize_with_checks([VAEKMeans()])
def test_one_estimator(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([VAEDEC(), VaDE(), VAEGaussianMixture(), DynamicBetaVAE()])
def test_the_others(estimator: Any, check: Any) -> None:
    check(estimator)
