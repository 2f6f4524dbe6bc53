"""Runs an experiment: fits, scores every method, writes the run's folder."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.errors import TrainingDivergedError
from vaeclust_jax.experiments.experiment import Experiment, Method
from vaeclust_jax.experiments.pictures import pictures
from vaeclust_jax.experiments.scoring import Answer, answer, cluster_table, metrics_of
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.fit import OnEpoch, fit_stages
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.fitting.saving import seed_folder
from vaeclust_jax.report import save_figures, write_assignments, write_history, write_json

Say = Callable[[str], None]
Fits = dict[Config, dict[str, list[Run]]]


def execute(
    experiment: Experiment,
    config: Config,
    dataset: Dataset,
    seeds: Sequence[int],
    folder: Path,
    *,
    say: Say,
    on_epoch: OnEpoch | None = None,
) -> dict[str, Any]:
    """Fits and scores every method of the experiment and fills `folder`.

    Args:
        experiment: its methods are scored; the first is the named one, whose models are saved.
        config: the experiment's, as changed by the person.
        dataset: labels are read for scoring alone, and for the split if the config stratifies it.
        seeds: fitted as one program.
        folder: new and empty.
        say: called with a line about what happens next.
        on_epoch: as in `fit`.

    Returns:
        What `metrics.json` holds.

    Raises:
        InputError: as `fit`.
        TrainingDivergedError: as `fit`; config, history and the models of the last good state are then in
            `folder`.
    """
    clock = _Clock()
    write_json(folder / "config.json", _config_record(experiment, config, dataset, seeds))
    named = next(iter(experiment.methods.values()))
    labels = dataset.y if config.prepare.stratify else None
    fits: Fits = {}
    for method in experiment.methods.values():
        wanted = method.configure(config)
        if wanted in fits:
            continue
        say(f"fitting {_describe(wanted)}, {_plural(len(seeds), 'seed')}; the first epoch of each stage compiles")
        try:
            fits[wanted] = fit_stages(wanted, dataset.x, seeds, split_labels=labels, on_epoch=on_epoch)
        except TrainingDivergedError as error:
            if error.last_good:
                fits[wanted] = error.last_good
            raise
        finally:
            clock.lap(f"fit {_describe(wanted)}")
            if wanted in fits and wanted == named.configure(config):  # kept, whatever happens later
                _keep(folder, _runs(fits, named, config), seeds)
    runs = _runs(fits, named, config)
    write_json(folder / "config.json", _config_record(experiment, runs[0].config, dataset, seeds))
    say("scoring")
    answers = {
        name: [answer(run, dataset) for run in _runs(fits, method, config)]
        for name, method in experiment.methods.items()
    }
    metrics = metrics_of(experiment, runs, answers, dataset, seeds)
    write_json(folder / "metrics.json", metrics)
    of_named = answers[next(iter(experiment.methods))]
    write_assignments(folder / "assignments.csv", _assignments(runs, of_named, dataset, seeds))
    clock.lap("score")
    say("drawing figures")
    save_figures(folder, pictures(runs, of_named[0], dataset, seeds[0]))
    clock.lap("figures")
    write_json(folder / "timing.json", clock.seconds)
    return metrics


class _Clock:
    """Wall seconds by part; kept out of the other files, so that equal runs write equal bytes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = round(now - self._last, 2)
        self._last = now


def _runs(fits: Fits, method: Method, config: Config) -> list[Run]:
    """The method's models; where its stage has no epochs (joint_epochs 0), those of the stage before."""
    stages = fits[method.configure(config)]
    return stages.get(method.stage, list(stages.values())[-1])


def _assignments(runs: list[Run], answers: list[Answer], dataset: Dataset, seeds: Sequence[int]) -> dict[str, Any]:
    n = len(dataset.x)
    part = np.full(n, "train", object)
    part[runs[0].validation_index] = "validation"
    tables = [cluster_table(probabilities) for probabilities, _ in answers]
    table: dict[str, Any] = {"seed": np.repeat(seeds, n), "row": np.tile(np.arange(n), len(seeds))}
    table["part"] = np.tile(part, len(seeds))
    for name in tables[0]:
        table[name] = np.concatenate([columns[name] for columns in tables])
    if dataset.y is not None:
        table["class"] = np.tile(dataset.y, len(seeds))
    if dataset.row_names is not None:
        table["file"] = np.tile(np.asarray(dataset.row_names, object), len(seeds))
    return table


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
        run.save(seed_folder(folder, seed))


def _describe(config: Config) -> str:
    kind = "deterministic VAE" if config.model.deterministic else "VAE"
    return f"{kind} + DEC" if config.training.joint_epochs else f"{kind} + k-means"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
