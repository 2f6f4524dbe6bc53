"""What a fit has to say of itself: labels that weighed nothing, and networks that died."""

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


def died(run: Run) -> str | None:
    """Which network was dead in the last epochs, as a sentence; None: none."""
    return run.config.method.died(run.history)


def warn_of(runs: Sequence[Run]) -> None:
    """An `InputWarning` where `fit` was called, if its clusters are those of no labels, or its networks died."""
    said = [f"{IDLE}, so that the fit is one without them: {CURE}"] if idle(runs) else []
    for sentence in dict.fromkeys([*said, *filter(None, map(died, runs))]):
        warnings.warn(sentence, InputWarning, stacklevel=3)
