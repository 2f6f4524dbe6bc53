"""Forecasting: the next values of a series from the `lag` before them, and on from there in a closed loop.

A row is a stretch of lag + L values of the series (`data.windows`), and the last L are predicted, as in
`methods.regressor`; L is the network's latent_dim, 1 unless said otherwise. Rows are held out at the end of the time:
one between others shares its values with them, and neither stopping nor scaling may see what comes later.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Int

from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.method import DataSpec, check_at_least
from vaeclust_jax.methods.regressor import Regressor


@dataclass(frozen=True)
class Forecaster(Regressor):
    """Forecasting of a series: the next value from those before it, again and again in a closed loop.

    Example:
        >>> series = np.sin(np.arange(80) / 3)
        >>> prepare = vc.PrepareConfig(scaling="standardise-all", split="last")
        >>> config = vc.Config(vc.Forecaster(lag=6, epochs=2), prepare, vc.Dense(latent_dim=1, hidden=(8,)))
        >>> vc.fit(config, vc.data.windows(series, 7), 0).forecast([series], horizon=5).shape
        (1, 5)
    """

    task: ClassVar[str] = "forecasting"
    in_time: ClassVar[bool] = True

    lag: int = 80
    """Values that it looks back."""
    horizon: int = 100
    """Values predicted from each origin. Each is predicted from those before it."""
    origins: int = 5
    """Times from which it predicts. They lie evenly from the first one to a horizon before the end."""
    first_origin: int | None = None
    """Values before the first origin, at most. They are all that training may see; left out, or where the series has
    fewer: all but the last horizon for each origin."""
    fold_size: int = 150
    """Values that each fold is validated by."""
    fold: int | None = None
    """Which fold is trained, 1 for the latest. It is of all values before those that it is validated by, which lie so
    many fold sizes before the first origin. Left out: the model itself, of all values there, for all its epochs."""

    def check(self, data: DataSpec) -> None:  # noqa: D102
        super().check(data)
        check_at_least(self, lag=1, horizon=1, origins=1, fold_size=1)
        if data.shape[0] <= self.lag:
            raise InputError(
                f"rows must be stretches of more than lag = {self.lag} values, got {data.shape[0]}: make them by "
                f"data.windows(series, {self.lag + 1})"
            )
        if self.fold is not None and self.fold < 1:
            raise InputError(f"fold must be at least 1, got {self.fold}")

    def network_shape(self, shape: tuple[int, ...], latent_dim: int) -> tuple[int, ...]:  # noqa: D102
        (seen,) = super().network_shape(shape, latent_dim)
        if seen != self.lag:
            raise InputError(
                f"rows must be stretches of lag + latent_dim = {self.lag} + {latent_dim} values, got {shape[0]}: make "
                f"them by data.windows(series, {self.lag + latent_dim})"
            )
        return (seen,)

    def starts(self, num_values: int) -> Int[np.ndarray, " o"]:
        """The origins in a series: how many values are before each.

        Raises:
            InputError: the series is too short for them, or for the folds.
        """
        check_at_least(self, lag=1, horizon=1, origins=1, fold_size=1)
        last = num_values - self.horizon
        first = last - (self.origins - 1) * self.horizon
        least = self.lag + 2 + (self.fold or 0) * self.fold_size
        folds = "" if self.fold is None else f" and fold {self.fold} of {self.fold_size} values"
        if first < least:
            raise InputError(
                f"a series must have at least {num_values - first + least} values for lag {self.lag}, {self.origins} "
                f"origins of horizon {self.horizon}{folds}, got {num_values}: lower --lag, --horizon or --origins"
            )
        if self.first_origin is not None:
            if self.first_origin < least:
                raise InputError(
                    f"first_origin must be at least {least} for lag {self.lag}{folds}, got {self.first_origin}"
                )
            first = min(first, self.first_origin)
        return np.unique(np.linspace(first, last, self.origins).astype(int))

    def trained_and_held_out(self, num_values: int) -> tuple[int, int]:
        """How many first values of a series the fit sees, and how many of these, the last, are held out of training."""
        first = int(self.starts(num_values)[0])
        if self.fold is None:
            return first, 0
        return first - (self.fold - 1) * self.fold_size, self.fold_size
