"""From fitted runs to figures: scores of every method and protocol, and what was done to get them."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.experiments.experiment import Experiment
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.metrics import active_units, populated_clusters, scores, summarise

Answer = tuple[np.ndarray, np.ndarray]
"""Probabilities (n, K) and latent means (n, L) of all samples."""

_SUMMARISED = ("acc", "nmi", "ari", "ami", "silhouette")


def answer(run: Run, dataset: Dataset) -> Answer:
    """What the model says about every sample."""
    return run.predict_proba(dataset.x), run.embed(dataset.x)


def metrics_of(
    experiment: Experiment,
    runs: list[Run],
    answers: dict[str, list[Answer]],
    dataset: Dataset,
    seeds: Sequence[int],
) -> dict[str, Any]:
    """What `metrics.json` holds.

    Args:
        experiment: its first method is the named one.
        runs: of the named method.
        answers: of every method, one a seed.
        dataset: whose labels, if any, are compared.
        seeds: their numbers.
    """
    first = runs[0]
    parts = {"all": np.arange(len(dataset.x)), "validation": first.validation_index}
    results: dict[str, Any] = {}
    for name, of_seeds in answers.items():
        results[name] = {}
        for protocol, index in parts.items():
            if len(index) == 0:
                continue
            rows = [_scores(one, index, dataset) for one in of_seeds]
            # Empty clusters and dead units belong to a seed, not to a mean over seeds.
            plain = [{key: row[key] for key in _SUMMARISED} for row in rows]
            results[name][protocol] = summarise(plain) | {
                "seeds": [{"seed": seed} | row for seed, row in zip(seeds, rows, strict=True)]
            }
    named = next(iter(results))
    top = results[named]["all"]
    return {
        "experiment": experiment.name,
        "method": named,
        "dataset": {"name": dataset.name, "source": dataset.source, "shape": list(dataset.x.shape)},
        "num_clusters": first.config.num_clusters,
        "protocol": _protocol(first, dataset),
        "mean": top["mean"],
        "std": top["std"],
        "seeds": top["seeds"],
        "warnings": _warnings(top["seeds"], first.config),
        "results": results,
        "versions": {name: version(name) for name in ("vaeclust_jax", "jax", "flax", "optax", "scikit-learn")},
    }


def _scores(found: Answer, index: np.ndarray, dataset: Dataset) -> dict[str, Any]:
    probabilities, latents = found
    labels = probabilities.argmax(axis=1)[index]
    y = None if dataset.y is None else dataset.y[index]
    return {
        **scores(y, labels, latents[index]),
        "populated_clusters": populated_clusters(labels, probabilities.shape[1]),
        "active_units": active_units(latents[index]),
    }


def _protocol(run: Run, dataset: Dataset) -> dict[str, str]:
    prepare = run.config.prepare
    n, train, held_out = len(dataset.x), len(run.train_index), len(run.validation_index)
    split = f"{'stratified' if prepare.stratify else 'plain'} split with seed {prepare.split_seed}"
    if dataset.y is None:
        used = "there are none"
    else:
        used = "scoring" + (" and the stratified split; training reads none" if prepare.stratify else " alone")
    return {
        "fitted_on": f"{train} of {n} rows ({split})" if held_out else f"all {n} rows",
        "stopped_on": f"the other {held_out} rows (validation VAE loss)" if held_out else "nothing",
        "scored_on": f"all: all {n} rows" + (f"; validation: the {held_out} held-out rows" if held_out else ""),
        "labels_used_for": used,
        "spread": "standard deviation over seeds (n - 1)",
    }


def _warnings(rows: list[dict[str, Any]], config: Config) -> list[str]:
    """Collapse is said, never hidden."""
    found = []
    for row in rows:
        if row["populated_clusters"] < config.num_clusters:
            found.append(
                f"seed {row['seed']}: {row['populated_clusters']} of {config.num_clusters} clusters have members"
            )
        if row["active_units"] < min(2, config.network.latent_dim):
            found.append(
                f"seed {row['seed']}: {row['active_units']} of {config.network.latent_dim} latent units are active "
                "(posterior collapse): a lower beta is the usual cure"
            )
    return found


def cluster_table(probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """cluster, its probability, and the entropy of the assignment (nats) from q (n, K)."""
    from scipy.special import entr

    return {
        "cluster": probabilities.argmax(axis=1),
        "probability": probabilities.max(axis=1),
        "entropy": entr(probabilities).sum(axis=1),
    }
