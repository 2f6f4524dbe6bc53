"""Runs an experiment: fits, scores every method, writes the run's folder."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.errors import TrainingDivergedError
from vaeclust_jax.experiments.experiment import Experiment, Method
from vaeclust_jax.experiments.pictures import pictures
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.fit import OnEpoch, fit_stages
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.fitting.saving import seed_folder
from vaeclust_jax.metrics import active_units, populated_clusters, scores, summarise
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
    fits: Fits = {}
    for method in experiment.methods.values():
        wanted = method.configure(config)
        if wanted in fits:
            continue
        say(f"fitting {_describe(wanted)}, {_plural(len(seeds), 'seed')}")
        try:
            labels = dataset.y if config.prepare.stratify else None
            fits[wanted] = fit_stages(wanted, dataset.x, seeds, split_labels=labels, on_epoch=on_epoch)
        except TrainingDivergedError as error:
            _save_models(folder, list(error.last_good.values()), seeds)
            raise
        finally:
            clock.lap(f"fit {_describe(wanted)}")
        if wanted == named.configure(config):  # before anything later can fail
            runs = _runs(fits, named, config)
            write_history(folder / "history.csv", [row for run in runs for row in run.history])
            _save_models(folder, [runs], seeds)
    runs = _runs(fits, named, config)
    write_json(folder / "config.json", _config_record(experiment, runs[0].config, dataset, seeds))
    say("scoring")
    answers = {
        name: [_answer(run, dataset) for run in _runs(fits, method, config)]
        for name, method in experiment.methods.items()
    }
    metrics = _metrics(experiment, runs, answers, dataset, seeds)
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


Answer = tuple[np.ndarray, np.ndarray]


def _answer(run: Run, dataset: Dataset) -> Answer:
    """Probabilities (n, K) and latent means (n, L) of all samples."""
    return run.predict_proba(dataset.x), run.embed(dataset.x)


def _metrics(
    experiment: Experiment,
    runs: list[Run],
    answers: dict[str, list[Answer]],
    dataset: Dataset,
    seeds: Sequence[int],
) -> dict[str, Any]:
    first = runs[0]
    parts = {"all": np.arange(len(dataset.x)), "validation": first.validation_index}
    results: dict[str, Any] = {}
    for name, of_seeds in answers.items():
        results[name] = {}
        for protocol, index in parts.items():
            if len(index) == 0:
                continue
            rows = [_scores(answer, index, dataset) for answer in of_seeds]
            # Empty clusters and dead units belong to a seed, not to a mean over seeds.
            plain = [{key: row[key] for key in ("acc", "nmi", "ari", "ami", "silhouette")} for row in rows]
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


def _scores(answer: Answer, index: np.ndarray, dataset: Dataset) -> dict[str, Any]:
    probabilities, latents = answer
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


def cluster_table(probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """cluster, its probability, and the entropy of the assignment (nats) from q (n, K)."""
    logs = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    return {
        "cluster": probabilities.argmax(axis=1),
        "probability": probabilities.max(axis=1),
        "entropy": -(probabilities * logs).sum(axis=1),
    }


def _config_record(experiment: Experiment, config: Config, dataset: Dataset, seeds: Sequence[int]) -> dict[str, Any]:
    return {
        "experiment": experiment.name,
        "dataset": dataset.name,
        "seeds": list(seeds),
        "config": asdict(config),
    }


def _save_models(folder: Path, stages: list[list[Run]], seeds: Sequence[int]) -> None:
    for runs in stages[-1:]:
        for seed, run in zip(seeds, runs, strict=True):
            run.save(seed_folder(folder, seed))


def _describe(config: Config) -> str:
    kind = "deterministic VAE" if config.model.deterministic else "VAE"
    return f"{kind} + DEC" if config.training.joint_epochs else f"{kind} + k-means"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
