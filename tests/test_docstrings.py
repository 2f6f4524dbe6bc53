"""The docstring of every public name has an example, and what it prints is what it says."""

import doctest
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc

PUBLIC = {
    **{name: getattr(vc, name) for name in vc.__all__ if name != "METHODS"},
    **{f"estimators.{name}": getattr(vc.estimators, name) for name in vc.estimators.__all__},
}
CALLABLE = {name: thing for name, thing in PUBLIC.items() if not isinstance(thing, ModuleType)}
TRAIN = {
    "Checkpoint", "Choice", "Learner", "Networks", "Run", "Clustered", "TrainingDivergedError", "calibrated",
    "choose_num_clusters", "cluster", "fit",
    "fit_seeds", "load", "to_anndata", "Forecaster", "Regressor",
}  # fmt: skip
"""Those whose examples take longer, beside the estimators."""
CASES = [
    pytest.param(name, marks=pytest.mark.long if name in TRAIN or hasattr(thing, "get_params") else ())
    for name, thing in CALLABLE.items()
]


@pytest.mark.parametrize("name", CASES)
def test_the_example_is_true(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    thing: Callable[..., Any] = CALLABLE[name]
    globs = {"vc": vc, "np": np, "jax": jax, "jnp": jnp}
    found = doctest.DocTestParser().get_doctest(thing.__doc__ or "", globs, name, None, None)
    assert found.examples, f"{name} has no example"
    said: list[str] = []
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL
    with warnings.catch_warnings():
        failed = doctest.DocTestRunner(optionflags=options).run(found, out=said.append).failed
    assert failed == 0, "".join(said)
