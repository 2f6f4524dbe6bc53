"""What a run found, as one record: scores, comparisons, uncertainty, and sentences made from them."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.data.oddities import oddities
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.run_record import SCHEMA
from vaeclust_jax.selection.augment import AugmentChoice
from vaeclust_jax.selection.num_clusters import Choice
from vaeclust_jax.studies.assignments import Answer
from vaeclust_jax.studies.classification_figures import classification_finding
from vaeclust_jax.studies.experiment import Experiment
from vaeclust_jax.studies.scores import collapse_warnings, protocol_record, score_methods
from vaeclust_jax.studies.tests import against_reported, comparisons, findings, implied_tests
from vaeclust_jax.studies.uncertainty import judge_uncertainty


def metrics_of(
    experiment: Experiment,
    runs: list[Run],
    answers: Mapping[str, list[Answer]],
    dataset: Dataset,
    seeds: Sequence[int],
    *,
    outliers: dict[str, Any] | None = None,
    classified: dict[str, Any] | None = None,
    choice: Choice | None = None,
    views: AugmentChoice | None = None,
    left_out: Sequence[str] = (),
) -> dict[str, Any]:
    """What `metrics.json` holds.

    Args:
        experiment: its first method is the named one.
        runs: of the named method.
        answers: of every method, the experiment's own first.
        dataset: whose labels, if any, are compared.
        seeds: their numbers.
        outliers: of `judge_outliers`.
        classified: of `classification`.
        choice: how the number of clusters was chosen, if it was.
        views: how the strength of views was chosen, if it was.
        left_out: sentences on the methods that were not run.
    """
    first, named = runs[0], experiment.named
    protocols = {"all": np.arange(len(dataset.x)), "validation": first.validation_index}
    protocols = {name: index for name, index in protocols.items() if len(index)}
    results = score_methods(answers, protocols, dataset, seeds)
    top = results[named]["all"]
    compared = comparisons(results, named)
    reported = experiment.reported if dataset.name == getattr(experiment.reported, "dataset", None) else None
    beside = [] if reported is None else against_reported(results, reported)
    uncertainty = judge_uncertainty(answers[named], dataset, seeds)
    return {
        "schema": SCHEMA,
        "task": "clustering",
        "experiment": experiment.name,
        "method": named,
        "dataset": {**dataset.record(), "odd": list(oddities(dataset)), "shape": list(dataset.x.shape)},
        "num_clusters": first.config.num_clusters,
        "protocol": protocol_record(
            first, dataset, {name: one.labelled for name, one in experiment.arms.items()}, classified
        ),
        "mean": top["mean"],
        "std": top["std"],
        "seeds": top["seeds"],
        "num_clusters_choice": None if choice is None else choice.record(),
        "augment_choice": None if views is None else views.record(),
        "findings": [one.reason for one in (choice, views) if one is not None]
        + findings(results, compared, beside, reported, named)
        + ([] if classified is None else classification_finding(classified, named))
        + _flagged(uncertainty),
        "warnings": [*collapse_warnings(top["seeds"], first.config), *left_out],
        "results": results,
        "shallow": [name for name in results if name not in experiment.arms],
        "comparisons": compared,
        "reported": beside,
        "reported_runs": None if reported is None else reported.runs,
        "reported_tests": None if reported is None else implied_tests(reported),
        "uncertainty": uncertainty,
        "outliers": outliers,
        "classification": classified,
        "versions": {name: version(name) for name in ("vaeclust_jax", "jax", "flax", "optax", "scikit-learn")},
    }


def _flagged(uncertainty: Mapping[str, Any]) -> list[str]:
    """What rejecting the least certain gains, by the two measures of the source and by what the seeds agree on."""
    sentences = []
    for name in ("assignment entropy", "latent variance", "seeds: instability"):
        mean = uncertainty.get("measures", {}).get(name, {}).get("mean", {})
        if mean.get("auroc") is not None:
            sentences.append(
                f"{name[0].upper()}{name[1:]} flags wrong assignments with AUROC {mean['auroc']:.3f}; keeping the "
                f"surest 80 % takes the error from {mean['error']:.3f} to {mean['error_at_80']:.3f}."
            )
    return sentences
