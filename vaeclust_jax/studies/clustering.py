"""The task of methods that cluster: scores, comparisons, uncertainty, and what a shallow method makes of the data."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.fitting.calibrate import at_temperatures
from vaeclust_jax.fitting.frame import cluster_table
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.clustering import ON_LATENTS
from vaeclust_jax.folder.records.uncertainty import OutlierRecord
from vaeclust_jax.plots import project
from vaeclust_jax.studies.assignments import Answer, answer, floor, with_graph, with_passes, with_temperatures
from vaeclust_jax.studies.clarity import separation_of
from vaeclust_jax.studies.classification import classification
from vaeclust_jax.studies.classification_figures import classification_pictures
from vaeclust_jax.studies.figures import (
    Shown,
    history_of,
    interactive_map,
    loss_picture,
    map_pictures,
    named_pictures,
    num_clusters_picture,
    tree_picture,
    watched_in,
)
from vaeclust_jax.studies.out_of_distribution import judge_outliers
from vaeclust_jax.studies.records import metrics_of
from vaeclust_jax.studies.scores import idle_labels
from vaeclust_jax.studies.tables import tables_of
from vaeclust_jax.studies.task import Drawn, Measured, Study, Task
from vaeclust_jax.studies.uncertainty_figures import certainty_pictures
from vaeclust_jax.studies.unseen_classes import landing

Answers = dict[str, list[Answer]]


def _measure(study: Study, step: Callable[[str], None]) -> Measured:
    named, dataset, seeds = study.experiment.named, study.dataset, study.seeds
    data, vaes = study.data[named], _vaes(study)
    first = study.runs[named][0]
    # t-SNE takes seconds, which pass on another core until a map is drawn.
    places = ThreadPoolExecutor(1).submit(project, data.encodings.of(first.heads, first.params)[0])
    step("scoring, and asking draws of the code")
    answers = _answers(study)
    step("the shallow floor")
    latents = [data.encodings.of(run.heads, run.params)[0] for run in vaes]
    shallow, skipped = floor(data, vaes[0].config.num_clusters, latents, seeds, study.experiment.shallow)
    outliers = classified = None
    if study.others is not None:
        step("outliers")
        outliers = _outliers(study, answers[named], study.others)
    step("judging")
    if study.test is not None:
        classified = classification(study.runs, named, dataset, study.test, seeds)
    metrics = metrics_of(
        study.experiment, study.runs[named], {**answers, **shallow}, dataset, seeds,
        fits=_fits(study, shallow), outliers=outliers, classified=classified, choice=study.choice, views=study.views,
        left_out=[*skipped, *idle_labels(study.runs)],
        separation=separation_of({**answers, **shallow}, data), hints=study.hints,
    )  # fmt: skip
    columns = _columns(study.runs[named], answers[named], dataset, seeds)
    temperatures = [found.temperature for found in answers[named]]
    models = at_temperatures(study.runs[named], temperatures) if any(temperatures) else None
    return Measured(metrics, columns, (answers, classified, places), models, _beside(shallow, dataset))


def _fits(study: Study, shallow: Iterable[str]) -> dict[str, int]:
    """By method, the number of the training that it is read off; the shallow ones on latents are of the named arm's."""
    trainings = [id(stages) for stages in study.stages.values()]
    of_arms = {name: trainings.index(id(stages)) for name, stages in study.stages.items()}
    on_latents = (name for name in shallow if name.endswith(ON_LATENTS))
    return {**of_arms, **dict.fromkeys(on_latents, of_arms[study.experiment.named])}


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
    answers[named] = with_temperatures(of_named)
    return answers


def _vaes(study: Study) -> list[Run]:
    """Clusters on the latents of the first stage's networks, before any joint epoch."""
    return next(iter(study.stages[study.experiment.named].values()))


def _outliers(study: Study, answers: Sequence[Answer], others: Dataset) -> OutlierRecord:
    runs = study.runs[study.experiment.named]
    outliers = judge_outliers(runs, study.dataset, others, study.seeds)
    if others.y is not None and study.dataset.y is not None:
        outliers = replace(outliers, landing=landing(runs, answers, study.dataset, others))
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
    return table | {name: np.tile(names, len(seeds)) for name, names in dataset.named.items()}


def _beside(shallow: Answers, dataset: Dataset) -> dict[str, np.ndarray] | None:
    """What methods without a network found on the data, for a person who would rather have that."""
    on_data = {name: found[0].labels for name, found in shallow.items() if not name.endswith(ON_LATENTS)}
    if not on_data:
        return None
    return {"row": np.asarray(dataset.numbers), **dataset.named, **on_data}


def _of_seed(found: Answer) -> dict[str, np.ndarray]:
    """The cluster at the mean, and what draws of the code add (nats)."""
    assert found.passes is not None
    return {
        **cluster_table(found.probabilities),
        "mutual_information": found.passes.mutual_information,
        "latent_variance": found.passes.latent_variance,
    }


def _figures(study: Study, measured: Measured) -> Drawn:
    """Those of the named arm, and the losses of the one it is held against."""
    answers, classified, places = measured.kept
    experiment, dataset, seed = study.experiment, study.dataset, study.seeds[0]
    named, baseline = experiment.named, experiment.baseline
    runs, first, data = study.runs[named], answers[named][0], study.data[named]
    yield "loss_parts", loss_picture(named, watched_in(history_of(runs)))
    other = study.runs[baseline]
    if other[0].history is not runs[0].history:  # not two stages of one training
        yield "loss_parts_baseline", loss_picture(baseline, watched_in(history_of(other)))
    yield from named_pictures(runs[0], first, dataset, data, seed)
    yield from certainty_pictures(answers[named], dataset)
    tree = runs[0].tree_
    if tree is not None and 1 < first.num_clusters <= tree.most:
        yield "dendrogram", tree_picture(tree, first, dataset)
    if study.choice is not None:
        yield "num_clusters", num_clusters_picture(study.choice)
    if study.test is not None and classified is not None:
        yield from classification_pictures(classified, runs[0], study.test, named, seed)
    model = Shown(named, seed, first, *places.result())
    yield from map_pictures(model, dataset)
    yield interactive_map(model, dataset, data)


CLUSTERING = Task(("encode", "decode", "assign"), lambda data: None, _measure, tables_of, _figures)
