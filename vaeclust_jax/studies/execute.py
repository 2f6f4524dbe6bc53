"""Runs an experiment: fits, scores every method, writes the run's folder."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.errors import InputError, TrainingDivergedError
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.fit import OnEpoch, fit_stages
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.fitting.saving import seed_file
from vaeclust_jax.folder import (
    Table,
    write_assignments,
    write_figure_list,
    write_history,
    write_json,
    write_map,
    write_tables,
)
from vaeclust_jax.plots import save_figures
from vaeclust_jax.selection.augment import AugmentChoice
from vaeclust_jax.selection.num_clusters import Choice
from vaeclust_jax.studies.assignments import Answer, answer, floor, with_graph, with_passes
from vaeclust_jax.studies.classification import check_labelled_rows, classification, hold_back
from vaeclust_jax.studies.classification_figures import classification_pictures
from vaeclust_jax.studies.experiment import Experiment, Method
from vaeclust_jax.studies.figures import (
    Picture,
    interactive_map,
    loss_picture,
    map_pictures,
    named_pictures,
    num_clusters_picture,
    shown,
)
from vaeclust_jax.studies.labelling import told_labels
from vaeclust_jax.studies.out_of_distribution import check_comparable, judge_outliers
from vaeclust_jax.studies.records import metrics_of
from vaeclust_jax.studies.tables import tables_of
from vaeclust_jax.studies.uncertainty_figures import certainty_pictures
from vaeclust_jax.studies.unseen_classes import landing
from vaeclust_jax.training.checkpoint import Checkpoint

Say = Callable[[str], None]
Fits = dict[tuple[Config, float], dict[str, list[Run]]]
"""By config and share of labelled rows: runs by stage."""


def execute(
    experiment: Experiment,
    config: Config,
    dataset: Dataset,
    seeds: Sequence[int],
    folder: Path,
    *,
    say: Say,
    on_epoch: OnEpoch | None = None,
    others: Dataset | None = None,
    choice: Choice | None = None,
    views: AugmentChoice | None = None,
    checkpoint: Checkpoint | None = None,
) -> tuple[dict[str, Any], list[Table]]:
    """Fits and scores every method of the experiment and fills `folder`.

    Args:
        experiment: its methods are scored; the first is the named one, whose models are saved.
        config: the experiment's, as changed by the person.
        dataset: labels are read for scoring alone, and for the split if the config stratifies it.
        seeds: fitted as one program.
        folder: new and empty, or that of the same call, which was ended early.
        say: called with a line about what happens next.
        on_epoch: as in `fit`.
        others: a data set of the same kind that should look strange to the model; its labels say what landed where.
        choice: how the config's number of clusters was chosen, if it was.
        views: how the config's `augment` was chosen, if it was.
        checkpoint: its folder gets one for each fit; a later call goes on from them. Removed when all is written.

    Returns:
        What `metrics.json` and `tables.json` hold.

    Raises:
        InputError: as `fit`.
        TrainingDivergedError: as `fit`; config, history and the models of the last good state are then in
            `folder`.
    """
    if config.model.clustering != experiment.model.clustering:  # its methods would bear wrong names
        raise InputError(
            f"clustering must be {experiment.model.clustering!r} in the experiment {experiment.name}, "
            f"got {config.model.clustering!r}: vaeclust list shows which experiment has it"
        )
    if others is not None:
        check_comparable(dataset, others, config.prepare)
    experiment = experiment.of_seeds(len(seeds))
    test = None
    if experiment.classifies:
        check_labelled_rows(config.prepare)
        dataset, test = hold_back(dataset)
    clock = _Clock()
    write_json(folder / "config.json", _config_record(experiment, config, dataset, seeds))
    named = experiment.methods[experiment.named]
    labels = dataset.y if config.prepare.stratify else None
    fits: Fits = {}
    for method in experiment.methods.values():
        wanted = _wanted(method, config)
        if wanted in fits:
            continue
        say(f"fitting {_describe(*wanted)}, {_plural(len(seeds), 'seed')}; the first epoch of each stage compiles")
        told = told_labels(dataset, method.labelled) if method.labelled else None
        try:
            fits[wanted] = fit_stages(
                wanted[0],
                dataset.x,
                seeds,
                split_labels=labels,
                partial_labels=told,
                checkpoint=checkpoint and replace(checkpoint, folder=checkpoint.folder / str(len(fits))),
                on_epoch=on_epoch,
            )
        except TrainingDivergedError as error:
            if error.last_good:
                fits[wanted] = error.last_good
            raise
        finally:
            clock.lap(f"fit {_describe(*wanted)}")
            if wanted in fits and wanted == _wanted(named, config):  # kept, whatever happens later
                _keep(folder, _runs(fits, named, config), seeds)
    methods = {name: _runs(fits, method, config) for name, method in experiment.methods.items()}
    runs = methods[experiment.named]
    write_json(folder / "config.json", _config_record(experiment, runs[0].config, dataset, seeds))
    say("scoring, and asking draws of the code")
    answers = {name: [answer(run, dataset.x) for run in of_seeds] for name, of_seeds in methods.items()}
    of_named = [with_passes(*one) for one in zip(answers[experiment.named], runs, seeds, strict=True)]
    vaes = next(iter(fits[_wanted(named, config)].values()))  # clusters on the VAE's latents, before any joint epoch
    if config.model.clustering == "graph":
        of_named = [
            with_graph(found, vae, dataset.x, seed) for found, vae, seed in zip(of_named, vaes, seeds, strict=True)
        ]
    answers[experiment.named] = of_named
    write_assignments(folder / "assignments.csv", _assignments(runs, of_named, dataset, seeds))
    clock.lap("score")
    say("the shallow floor")
    latents = [run.embed(dataset.x) for run in vaes]
    shallow, skipped = floor(dataset, vaes, latents, seeds, experiment.shallow)
    clock.lap("shallow floor")
    outliers = None
    if others is not None:
        outliers = judge_outliers(runs, dataset, others, seeds)
        if others.y is not None and dataset.y is not None:
            outliers["landing"] = landing(runs, of_named, dataset, others)
    clock.lap("outliers")
    classified = None if test is None else classification(methods, experiment.named, dataset, test, seeds)
    metrics = metrics_of(
        experiment, runs, {**answers, **shallow}, dataset, seeds,
        outliers=outliers, classified=classified, choice=choice, views=views, left_out=skipped,
    )  # fmt: skip
    tables = tables_of(metrics)
    write_json(folder / "metrics.json", metrics)
    write_tables(folder / "tables.json", tables)
    say("drawing figures")
    extra = {} if choice is None else {"num_clusters": num_clusters_picture(choice)}
    if test is not None and classified is not None:
        extra |= dict(classification_pictures(classified, runs[0], test, experiment.named, seeds[0]))
    _draw(folder, experiment, methods, answers, dataset, seeds[0], extra)
    clock.lap("figures")
    write_json(folder / "timing.json", clock.seconds)
    if checkpoint is not None:
        shutil.rmtree(checkpoint.folder, ignore_errors=True)
    return metrics, tables


def _draw(
    folder: Path,
    experiment: Experiment,
    methods: dict[str, list[Run]],
    answers: dict[str, list[Answer]],
    dataset: Dataset,
    seed: int,
    extra: Mapping[str, Picture],
) -> None:
    """The figures of the named method and, beside its maps and losses, those of the one it is held against."""
    model = shown(experiment.named, methods[experiment.named], answers[experiment.named][0])
    other = shown(experiment.baseline, methods[experiment.baseline], answers[experiment.baseline][0])
    drawn = {"loss_parts": loss_picture(model)}
    if other.runs[0].history is not model.runs[0].history:  # not two stages of one training
        drawn["loss_parts_baseline"] = loss_picture(other)
    drawn |= {
        **dict(map_pictures(model, dataset, seed)),
        **dict(map_pictures(other, dataset, seed, "_baseline")),
        **dict(named_pictures(model, dataset, seed)),
        **dict(certainty_pictures(answers[experiment.named], dataset)),
        **extra,
    }
    save_figures(folder, {name: picture.figure for name, picture in drawn.items()})
    write_figure_list(folder / "figures.json", [picture.entry(name) for name, picture in drawn.items()])
    write_map(folder / "map.npz", interactive_map(model, dataset))


class _Clock:
    """Wall seconds by part; kept out of the other files, so that equal runs write equal bytes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = round(now - self._last, 2)
        self._last = now


def _wanted(method: Method, config: Config) -> tuple[Config, float]:
    """What has to be fitted for a method; one fit may serve several."""
    return method.configure(config), method.labelled


def _runs(fits: Fits, method: Method, config: Config) -> list[Run]:
    """The method's models; where its stage has no epochs (joint_epochs 0), those of the stage it would start from."""
    stages = fits[_wanted(method, config)]
    start = stages.get(method.stage.replace("joint", "graph"), list(stages.values())[-1])
    return stages.get(method.stage, start)


def _assignments(runs: list[Run], answers: list[Answer], dataset: Dataset, seeds: Sequence[int]) -> dict[str, Any]:
    n = len(dataset.x)
    part = np.full(n, "train", object)
    part[runs[0].validation_index] = "validation"
    tables = [_columns(answer) for answer in answers]
    table: dict[str, Any] = {"seed": np.repeat(seeds, n), "row": np.tile(np.arange(n), len(seeds))}
    table["part"] = np.tile(part, len(seeds))
    for name in tables[0]:
        table[name] = np.concatenate([columns[name] for columns in tables])
    if dataset.y is not None:
        table["class"] = np.tile(dataset.y, len(seeds))
    if dataset.row_names is not None:
        table["file"] = np.tile(np.asarray(dataset.row_names, object), len(seeds))
    return table


def _columns(answer: Answer) -> dict[str, np.ndarray]:
    """What is said of each sample: the cluster at the mean, and what draws of the code add (nats)."""
    assert answer.log_q is not None
    assert answer.passes is not None
    return {
        **cluster_table(np.exp(answer.log_q)),
        "mutual_information": answer.passes.mutual_information,
        "latent_variance": answer.passes.latent_variance,
    }


def cluster_table(probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """cluster, its probability, and the entropy of the assignment (nats) from q (n, K)."""
    from scipy.special import entr

    return {
        "cluster": probabilities.argmax(axis=1),
        "probability": probabilities.max(axis=1),
        "entropy": entr(probabilities).sum(axis=1),
    }


def _config_record(experiment: Experiment, config: Config, dataset: Dataset, seeds: Sequence[int]) -> dict[str, Any]:
    return {
        "experiment": experiment.name,
        "dataset": dataset.name,
        "seeds": list(seeds),
        "config": asdict(config),
    }


def _keep(folder: Path, runs: list[Run], seeds: Sequence[int]) -> None:
    write_history(folder / "history.csv", [row for run in runs for row in run.history])
    for seed, run in zip(seeds, runs, strict=True):
        run.save(seed_file(folder, seed))


def _describe(config: Config, labelled: float) -> str:
    kind = "deterministic VAE" if config.model.deterministic else "VAE"
    kind += " with ReLU heads" if config.network.heads == "relu" else ""
    beta = f" with beta {config.model.beta}" if config.model.beta != 1 else ""
    beta += f", views of strength {config.model.augment:g}" if config.model.augment else ""
    told = f" told {labelled:.0%} of the classes" if labelled else ""
    joint = {"dec": "DEC", "vade": "VaDE", "graph": "graph DEC", "mixture": "mixture"}[config.model.clustering]
    joint += "" if config.model.joint_reconstruction else " without reconstruction"
    joint += " from the graph" if config.model.clustering == "vade" and config.model.mixture_start == "graph" else ""
    clusters = joint if config.training.joint_epochs or config.model.clustering == "mixture" else "k-means"
    return f"{kind}{beta}{told} + {clusters}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
