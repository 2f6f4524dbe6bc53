"""scikit-learn's own checks of an estimator: all of them, one expected to fail."""

import os
import subprocess
import sys
from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import vaeclust_jax.estimators
from vaeclust_jax.estimators import RBM, VAEDEC, DynamicBetaVAE, VaDE, VAEGaussianMixture, VAEGraph, VAEKMeans

FAILING = {
    "check_sample_weight_equivalence_on_dense_data": "batches of repeated rows are others than those of weighted ones",
}
"""Why: what holds in their place is in `test_weights` and in `test_contract`."""


def failing(estimator: Any) -> dict[str, str]:
    return FAILING


@pytest.mark.long
@parametrize_with_checks([VAEKMeans()], expected_failed_checks=failing)
def test_one_estimator(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.long
@parametrize_with_checks([RBM(4, n_iter=2)])
def test_the_machine(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [VAEDEC(), VaDE(), VAEGaussianMixture(), VAEGraph(), DynamicBetaVAE()], expected_failed_checks=failing
)
def test_the_others(estimator: Any, check: Any) -> None:
    check(estimator)


ARRAY_API = """
import sys
from sklearn.utils.estimator_checks import estimator_checks_generator
import vaeclust_jax.estimators
estimator = getattr(vaeclust_jax.estimators, sys.argv[1])()
checks = [check for _, check in estimator_checks_generator(estimator) if "check_array_api" in str(check)]
for check in checks:
    check(estimator)
print(len(checks))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", vaeclust_jax.estimators.__all__)
def test_the_check_that_is_skipped_without_a_setting_of_scipy(name: str) -> None:
    """scipy reads it when it is imported, so that it needs a process of its own."""
    command = [sys.executable, "-c", ARRAY_API, name]
    done = subprocess.run(command, env={**os.environ, "SCIPY_ARRAY_API": "1"}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
