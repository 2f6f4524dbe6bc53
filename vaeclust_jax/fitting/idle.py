"""Labels that a fit was told, and that weighed nothing: its clusters are those of no labels."""

import warnings
from collections.abc import Sequence

from vaeclust_jax.errors import InputWarning
from vaeclust_jax.fitting.run import Run

IDLE = "labels weighed nothing in any epoch"
CURE = "train for more epochs, or set supervision to a number"


def idle(runs: Sequence[Run]) -> bool:
    """Whether labels were told and had no weight in any epoch of any seed, as by a schedule that begins later."""
    weights = [row["supervision"] for run in runs for row in run.history if "supervision" in row]
    return bool(weights) and not any(weights)


def warn_idle(runs: Sequence[Run]) -> None:
    """An `InputWarning` where `fit` was called, if labels weighed nothing."""
    if idle(runs):
        warnings.warn(f"{IDLE}, so that the fit is one without them: {CURE}", InputWarning, stacklevel=3)
