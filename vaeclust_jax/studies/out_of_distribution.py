"""Do images of another data set look strange to the model? Scored without labels: where a sample is from is known."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from vaeclust_jax.data import Dataset, PrepareConfig
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.uncertainty import OutlierRecord
from vaeclust_jax.keys import OUTLIERS, key_of
from vaeclust_jax.metrics import summarise
from vaeclust_jax.streamed import spaced
from vaeclust_jax.training.rows import encode_rows
from vaeclust_jax.uncertainty.latent import latent_variance
from vaeclust_jax.uncertainty.outliers import latent_distance, negative_elbo
from vaeclust_jax.uncertainty.selective import error_auroc

_MAX_ROWS = 500  # of each side, evenly spaced


def check_comparable(dataset: Dataset, others: Dataset, prepare: PrepareConfig) -> None:
    """One sentence, before anything is trained, if a model of the first cannot read the second.

    Raises:
        InputError: vectors beside images, other features, or other sizes or channels that are not made equal.
    """
    ours, theirs = dataset.x.shape[1:], others.x.shape[1:]
    images = (
        len(ours) == len(theirs) == 3
        and (prepare.size_of(ours) is not None or ours[:2] == theirs[:2])
        and (prepare.grey or ours[2] == theirs[2])
    )
    if not images and ours != theirs:
        raise InputError(f"outliers must be samples like those of {dataset.name}, {ours}, got {others.name}, {theirs}")


def judge_outliers(runs: Sequence[Run], dataset: Dataset, others: Dataset, seeds: Sequence[int]) -> OutlierRecord:
    """AUROC of "this image is of the other data set" for each score of `uncertainty.outliers`.

    Known images are held-out rows where there are any.
    """
    held_out = runs[0].validation_index
    index = held_out if len(held_out) else np.arange(len(dataset.x))
    known = dataset.x[index[spaced(len(index), _MAX_ROWS)]]
    strange = others.x[spaced(len(others.x), _MAX_ROWS)]
    x = np.concatenate([runs[0].prepare(known), runs[0].prepare(strange)])  # all seeds prepare alike
    is_known = np.repeat([True, False], [len(known), len(strange)])
    rows = [_aurocs(run, x, is_known, seed) for run, seed in zip(runs, seeds, strict=True)]
    summary = summarise(rows)
    return OutlierRecord(
        dataset=others.name,
        known=len(known),
        strange=len(strange),
        mean=summary["mean"],
        std=summary["std"],
        seeds=tuple({"seed": seed, **row} for seed, row in zip(seeds, rows, strict=True)),
    )


def _aurocs(run: Run, x: np.ndarray, is_known: np.ndarray, seed: int) -> dict[str, float | None]:
    mean, logvar = map(jnp.asarray, encode_rows(run.heads, run.params, x))
    energy = {} if run.heads.energy is None else {"assignment energy": run.heads.energy(run.params, mean)}
    scores = {
        "negative ELBO": negative_elbo(key_of(seed, OUTLIERS), run.heads, run.params, x),
        **energy,
        "distance to the nearest cluster": latent_distance(
            mean, jnp.asarray(run.cluster_mean), jnp.asarray(run.cluster_scale)
        ),
        "latent variance": latent_variance(logvar),
    }
    return {name: error_auroc(is_known, np.asarray(values)) for name, values in scores.items()}
