"""The task of methods that cluster: scores, comparisons, uncertainty, and what a shallow method makes of the data."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.fitting.frame import cluster_table
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.uncertainty import OutlierRecord
from vaeclust_jax.studies.assignments import Answer, answer, floor, with_graph, with_passes
from vaeclust_jax.studies.classification import classification
from vaeclust_jax.studies.classification_figures import classification_pictures
from vaeclust_jax.studies.figures import (
    history_of,
    interactive_map,
    loss_picture,
    map_pictures,
    named_pictures,
    num_clusters_picture,
    shown,
    tree_picture,
    watched_in,
)
from vaeclust_jax.studies.out_of_distribution import judge_outliers
from vaeclust_jax.studies.records import metrics_of
from vaeclust_jax.studies.tables import tables_of
from vaeclust_jax.studies.task import Drawn, Measured, Study, Task
from vaeclust_jax.studies.uncertainty_figures import certainty_pictures
from vaeclust_jax.studies.unseen_classes import landing

Answers = dict[str, list[Answer]]


def _measure(study: Study, step: Callable[[str], None]) -> Measured:
    named, dataset, seeds = study.experiment.named, study.dataset, study.seeds
    step("scoring, and asking draws of the code")
    answers = _answers(study)
    step("the shallow floor")
    data, vaes = study.data[named], _vaes(study)
    latents = [data.encodings.of(run.heads, run.params)[0] for run in vaes]
    shallow, skipped = floor(data, vaes[0].config.num_clusters, latents, seeds, study.experiment.shallow)
    step("outliers")
    outliers = _outliers(study, answers[named])
    classified = None
    if study.test is not None:
        classified = classification(study.runs, named, dataset, study.test, seeds)
    metrics = metrics_of(
        study.experiment, study.runs[named], {**answers, **shallow}, dataset, seeds,
        outliers=outliers, classified=classified, choice=study.choice, views=study.views, left_out=skipped,
    )  # fmt: skip
    return Measured(metrics, _columns(study.runs[named], answers[named], dataset, seeds), (answers, classified))


def _answers(study: Study) -> Answers:
    """Of every arm, one a seed; those of the named one with all that is known."""
    named, seeds = study.experiment.named, study.seeds
    answers = {name: [answer(run, study.data[name]) for run in runs] for name, runs in study.runs.items()}
    of_named = [with_passes(*one) for one in zip(answers[named], study.runs[named], seeds, strict=True)]
    if study.experiment.method.follows_graph:
        of_named = [
            with_graph(found, vae, study.data[named], seed)
            for found, vae, seed in zip(of_named, _vaes(study), seeds, strict=True)
        ]
    answers[named] = of_named
    return answers


def _vaes(study: Study) -> list[Run]:
    """Clusters on the latents of the first stage's networks, before any joint epoch."""
    return next(iter(study.stages[study.experiment.named].values()))


def _outliers(study: Study, answers: Sequence[Answer]) -> OutlierRecord | None:
    if study.others is None:
        return None
    runs = study.runs[study.experiment.named]
    outliers = judge_outliers(runs, study.dataset, study.others, study.seeds)
    if study.others.y is not None and study.dataset.y is not None:
        outliers = replace(outliers, landing=landing(runs, answers, study.dataset, study.others))
    return outliers


def _columns(
    runs: Sequence[Run], answers: Sequence[Answer], dataset: Dataset, seeds: Sequence[int]
) -> dict[str, np.ndarray]:
    """What is said of each sample, a row a sample and seed."""
    n = len(dataset.x)
    part = np.full(n, "train", object)
    part[runs[0].validation_index] = "validation"
    tables = [_of_seed(found) for found in answers]
    table: dict[str, Any] = {"seed": np.repeat(seeds, n), "row": np.tile(dataset.numbers, len(seeds))}
    table["part"] = np.tile(part, len(seeds))
    for name in tables[0]:
        table[name] = np.concatenate([columns[name] for columns in tables])
    if dataset.y is not None:
        table["class"] = np.tile(dataset.y, len(seeds))
    if dataset.row_names is not None:
        table["file"] = np.tile(np.asarray(dataset.row_names, object), len(seeds))
    return table


def _of_seed(found: Answer) -> dict[str, np.ndarray]:
    """The cluster at the mean, and what draws of the code add (nats)."""
    assert found.log_q is not None
    assert found.passes is not None
    return {
        **cluster_table(np.exp(found.log_q)),
        "mutual_information": found.passes.mutual_information,
        "latent_variance": found.passes.latent_variance,
    }


def _figures(study: Study, measured: Measured) -> Drawn:
    """Those of the named arm, and the losses of the one it is held against."""
    answers, classified = measured.kept
    experiment, dataset, seed = study.experiment, study.dataset, study.seeds[0]
    named, baseline = experiment.named, experiment.baseline
    model = shown(named, study.runs[named], answers[named][0])
    drawn = {"loss_parts": loss_picture(named, watched_in(history_of(model.runs)))}
    other = study.runs[baseline]
    if other[0].history is not model.runs[0].history:  # not two stages of one training
        drawn["loss_parts_baseline"] = loss_picture(baseline, watched_in(history_of(other)))
    drawn |= {
        **dict(map_pictures(model, dataset, seed)),
        **dict(named_pictures(model, dataset, study.data[named], seed)),
        **dict(certainty_pictures(answers[named], dataset)),
    }
    tree = model.runs[0].tree_
    if tree is not None and 1 < model.answer.num_clusters <= tree.most:
        drawn["dendrogram"] = tree_picture(model, dataset)
    if study.choice is not None:
        drawn["num_clusters"] = num_clusters_picture(study.choice)
    if study.test is not None and classified is not None:
        drawn |= dict(classification_pictures(classified, model.runs[0], study.test, named, seed))
    return Drawn(drawn, interactive_map(model, dataset, study.data[named]))


CLUSTERING = Task(("encode", "decode", "assign"), lambda data: None, _measure, tables_of, _figures)
