"""An estimator as one file."""

import os
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.model_file import read_model, write_model
from vaeclust_jax.fitting.packed import Packed
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.fitting.serialisation import unpack
from vaeclust_jax.shown import in_a_line

_ARRAYS = ("labels_", "feature_names_in_")


class Kept(BaseEstimator):
    """What an estimator keeps of its fit, and how it is saved and loaded."""

    _packed: Packed

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes one file without a pickle in it, for `load` or `vaeclust_jax.load`.

        Raises:
            InputError: it cannot be written.
        """
        check_is_fitted(self)
        params = {name: _plain(value) for name, value in self.get_params(deep=False).items()}
        fitted = {name: _plain(getattr(self, name)) for name in self._kept()}
        write_model(Path(path), self._packed, {"class": type(self).__name__, "params": params, "fitted": fitted})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The estimator that `save` wrote; a `RandomState` comes back as None.

        Raises:
            InputError: no such file, damaged, or of another estimator.
        """
        packed, extra = read_model(Path(path))
        if (kind := extra.get("class")) != cls.__name__:
            found = in_a_line(kind) if kind else "a model of vaeclust_jax.fit"
            raise InputError(f"{path} holds {found}, not a {cls.__name__}")
        try:
            params: Any = {
                name: tuple(value) if isinstance(value, list) else value for name, value in extra["params"].items()
            }
            estimator = cls(**params)
            estimator._packed = packed
            estimator.cluster_centers_ = estimator._run().centroids
            for name, value in extra["fitted"].items():
                if name.endswith("_"):
                    setattr(estimator, name, np.asarray(value) if name in _ARRAYS else value)
        except Exception as error:  # a manifest may say anything
            raise InputError(f"{path} is damaged: {error}") from error
        return estimator

    def _kept(self) -> list[str]:
        names = ["labels_", "history_", "n_iter_", "objective_", "n_features_in_"]
        return names + [name for name in ("feature_names_in_", "choice_", "inertia_") if hasattr(self, name)]

    def _run(self) -> Run:
        """The fitted model; nothing of it is kept here, where it could not be pickled."""
        return unpack(self._packed)


def _plain(value: Any) -> Any:
    """As JSON knows it."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, np.random.RandomState) else value
