"""Probabilities that say how often other seeds agree: one temperature a seed, without labels."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.uncertainty.temperature import temperatures_by_votes


def calibrated(runs: Sequence[Run], x: Any) -> list[Run]:
    """The same models with probabilities at a temperature: no cluster changes, only how sure each is.

    Args:
        runs: of one config and several seeds.
        x: raw data, on which the seeds vote: those that they were fitted to.

    Returns:
        Models whose `temperature` was fitted to the votes of the other seeds, see
        `uncertainty.temperatures_by_votes`; one for which there is none stays as it is.

    Raises:
        InputError: no models, or models with different numbers of clusters.

    Example:
        >>> x = np.repeat([[0.0] * 4, [1.0] * 4, [9.0] * 4], 30, axis=0)
        >>> runs = vc.fit_seeds(vc.Config(vc.VAEKMeans(2, pretrain_epochs=1), network=vc.MLP(hidden=(8,))), x, range(3))
        >>> bool((vc.calibrated(runs, x)[0].predict(x) == runs[0].predict(x)).all())
        True
    """
    given = list(runs) if isinstance(runs, Iterable) else []
    if not given or not all(isinstance(run, Run) for run in given):
        raise InputError(f"runs must be a list of models, such as fit_seeds gives, got {repr(runs)[:100]}")
    raw = [replace(run, temperature=1.0) for run in given]
    if len(numbers := {run.config.num_clusters for run in raw}) > 1:
        raise InputError(f"runs must have the same number of clusters, got {', '.join(map(str, sorted(numbers)))}")
    return at_temperatures(raw, temperatures_by_votes(np.stack([run.log_assign(run.embed(x)) for run in raw])))


def at_temperatures(runs: Sequence[Run], temperatures: Sequence[float | None]) -> list[Run]:
    """Each model at its temperature; as it is where that is None."""
    return [
        run if temperature is None else replace(run, temperature=temperature)
        for run, temperature in zip(runs, temperatures, strict=True)
    ]
