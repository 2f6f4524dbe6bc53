"""Prior against aggregate posterior: whether codes of samples are drawn from where the codes of the data are."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.keys import SAMPLES, key_of
from vaeclust_jax.metrics.generation import frechet_distance
from vaeclust_jax.objectives.mixture import sample
from vaeclust_jax.random import normal

_DRAWS = 10_000
"""Many a latent: of a few hundred draws of 300 latents, moments and principal components are those of chance."""
_OWN_KEY = 3
"""Folded into the key of samples, as that of the judge is."""


def drawn_codes(run: Run, data: Prepared, seed: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Draws of the codes of held-out rows, and as many codes of samples, (n, L) each; None where there are no codes.

    Rows take turns, so that each has as many draws as the others or one less.
    """
    if run.heads.encode is None or run.heads.decode is None or run.heads.sample is not None:
        return None
    posterior_key, prior_key = jax.random.split(jax.random.fold_in(key_of(seed, SAMPLES), _OWN_KEY))
    index = np.resize(data.validation_index, _DRAWS)
    mean, logvar = (part[index] for part in data.encodings.of(run.heads, run.params))
    codes = mean + np.exp(0.5 * logvar) * np.asarray(normal(posterior_key, mean.shape))
    if run.heads.prior is None:
        return codes, np.asarray(normal(prior_key, mean.shape))
    prior = jax.tree.map(jnp.asarray, run.heads.prior(run.params))
    return codes, np.asarray(sample(prior_key, prior, len(mean)))


def code_gaps(runs: Sequence[Run], data: Prepared, seeds: Sequence[int]) -> list[float | None]:
    """The Fréchet distance between the two, of each seed."""
    both = (drawn_codes(run, data, seed) for run, seed in zip(runs, seeds, strict=True))
    return [None if one is None else frechet_distance(*one) for one in both]
