"""Runs an experiment: fits, measures, writes the run's folder."""

from collections.abc import Callable, Sequence
from pathlib import Path

from vaeclust_jax.data import Dataset, StoredRows
from vaeclust_jax.errors import InputError, TrainingDivergedError
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.resolve import Preparations
from vaeclust_jax.folder import Table
from vaeclust_jax.folder.records.task import TaskRecord
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.methods.method import Method
from vaeclust_jax.selection.augment import AugmentChoice
from vaeclust_jax.selection.num_clusters import Choice
from vaeclust_jax.studies.classification import check_labelled_rows, hold_back
from vaeclust_jax.studies.experiment import Experiment
from vaeclust_jax.studies.fit import CallbacksOf, Fits
from vaeclust_jax.studies.labelling import all_labels
from vaeclust_jax.studies.out_of_distribution import check_comparable
from vaeclust_jax.studies.task import Parts, Study, Task
from vaeclust_jax.studies.tasks import TASKS
from vaeclust_jax.studies.write import Clock, keep_fitted, write_config, write_drawn, write_end, write_measured
from vaeclust_jax.training.checkpoint import Checkpoint
from vaeclust_jax.training.mesh import Mesh

Say = Callable[[str], None]


def execute(
    experiment: Experiment,
    config: Config,
    parts: Parts,
    seeds: Sequence[int],
    folder: Path,
    *,
    say: Say,
    callbacks: CallbacksOf = lambda arm: (),
    others: Dataset | None = None,
    choice: Choice | None = None,
    views: AugmentChoice | None = None,
    checkpoint: Checkpoint | None = None,
    mesh: Mesh | None = None,
    fitted: Callable[[], None] = lambda: None,
) -> tuple[TaskRecord, list[Table]]:
    """Fits and measures every arm of the experiment and fills `folder`.

    Args:
        experiment: its arms are measured; the first is the named one, whose models are saved.
        config: the experiment's, as changed by the person.
        parts: of the data set, see `parts_of`; labels are read for scoring alone, and for the split if the config
            stratifies it.
        seeds: fitted as one program.
        folder: new and empty, or that of the same call, which was ended early.
        say: called with a line about what happens next.
        callbacks: who is told of each arm's fit, by the arm's name.
        others: a data set of the same kind that should look strange to the model; its labels say what landed where.
        choice: how the config's number of clusters was chosen, if it was.
        views: how the config's `augment` was chosen, if it was.
        checkpoint: its folder gets one for each fit; a later call goes on from them. Removed when all is written.
        mesh: devices that every fit is laid over; None: one device.
        fitted: called when nothing is left to fit over the mesh.

    Returns:
        What `metrics.json` and `tables.json` hold.

    Raises:
        InputError: as `check`, before anything is trained.
        TrainingDivergedError: as `fit`; config, history and the models of the last good state are then in
            `folder`.
    """
    dataset, test, data, hints = parts
    check(experiment, config, parts, seeds, others, mesh)
    task, experiment = task_of(experiment.method), experiment.of_seeds(len(seeds))
    fits = Fits(config, dataset, seeds, data, checkpoint, callbacks, hints, mesh)
    write_config(folder, experiment, config, dataset, seeds, hints)
    clock = Clock()
    _fit(experiment, fits, seeds, folder, say, clock)
    fitted()
    arms = experiment.arms
    if (few := data.of(config).sampled) is not None:
        dataset = dataset.of_rows(few)
    runs = {name: fits.runs(arm) for name, arm in arms.items()}
    write_config(folder, experiment, runs[experiment.named][0].config, dataset, seeds, hints)
    prepared = {name: fits.data(arm) for name, arm in arms.items()}
    stages = {name: fits.stages(arm) for name, arm in arms.items()}
    study = Study(experiment, dataset, test, seeds, prepared, stages, runs, others, choice, views, hints, clock.seconds)

    def step(name: str) -> None:
        clock.begin(name)
        say(name)

    measured = task.measure(study, step)
    tables = task.tables(measured.metrics)
    write_measured(folder, measured, tables, seeds)
    step("drawing figures")
    write_drawn(folder, task.figures(study, measured))
    write_end(folder, clock, checkpoint)
    return measured.metrics, tables


def fit_beside(
    experiment: Experiment,
    config: Config,
    parts: Parts,
    seeds: Sequence[int],
    callbacks: CallbacksOf,
    checkpoint: Checkpoint,
    mesh: Mesh,
) -> None:
    """What other processes do while the first one executes: its fits, and nothing else.

    Raises:
        TrainingDivergedError: as `execute`.
    """
    fits = Fits(config, parts.fitted, seeds, parts.data, checkpoint, callbacks, parts.hints, mesh)
    for name, arm in experiment.of_seeds(len(seeds)).arms.items():
        fits.fit(arm, name, lambda _: None)


def check(
    experiment: Experiment,
    config: Config,
    parts: Parts,
    seeds: Sequence[int],
    others: Dataset | None = None,
    mesh: Mesh | None = None,
) -> None:
    """Every refusal, before anything is trained or chosen. Arguments: those of `execute`.

    Raises:
        InputError: a setting, a stage, a head, a task or a data set that cannot be used.
    """
    task = task_of(experiment.method)
    task.check(parts.data.of(config))
    if others is not None:
        check_comparable(parts.fitted, others, config.prepare)
    if parts.hints is not None and not config.method.takes_hints:
        raise InputError(f"the method {type(config.method).__name__} takes no hints: vaegraph (GraphDEC) does")
    Fits(config, parts.fitted, seeds, parts.data, hints=parts.hints, mesh=mesh).check(
        experiment.of_seeds(len(seeds)).arms, task.needs
    )


def task_of(method: Method) -> Task:
    """What is measured of a method.

    Raises:
        InputError: there is no such task.
    """
    if method.task not in TASKS:
        raise InputError(f"{type(method).__name__}.task must be one of {', '.join(TASKS)}, got {method.task!r}")
    return TASKS[method.task]


def parts_of(experiment: Experiment, config: Config, dataset: Dataset, hints: Hints | None = None) -> Parts:
    """The data set, rows of it that are kept back where the task needs some, and hints of all its rows.

    Raises:
        InputError: there are no labels for that, or too few rows.
    """
    needs_all = experiment.classifies or config.method.needs_labels or task_of(config.method).parts is not None
    if needs_all and isinstance(dataset.x, StoredRows) and dataset.x.by_blocks:
        raise InputError(f"{experiment.name} needs its rows in memory, and those of {dataset.name} are read by blocks")
    if (parts := task_of(config.method).parts) is not None:
        if hints is not None:
            raise InputError(f"{experiment.name} does not cluster: leave the hints out")
        return parts(dataset, config)
    if experiment.classifies:
        check_labelled_rows(config.prepare)
    if config.method.needs_labels:
        all_labels(dataset, config.method)
    classifies = experiment.classifies or config.method.needs_labels
    if classifies and hints is not None:
        raise InputError(f"{experiment.name} classifies by labels of its own: leave the hints out")
    fitted, test = hold_back(dataset) if classifies else (dataset, None)
    return Parts(fitted, test, Preparations(fitted, fitted.y), hints)


def _fit(experiment: Experiment, fits: Fits, seeds: Sequence[int], folder: Path, say: Say, clock: Clock) -> None:
    """Every arm; the models of the named one are kept, whatever happens later."""
    plural = "" if len(seeds) == 1 else "s"

    def begin(name: str) -> None:
        clock.begin(f"fit {name}")
        say(f"fitting {name}, {len(seeds)} seed{plural}; the first epoch of each stage compiles")

    named = experiment.arms[experiment.named]
    for name, arm in experiment.arms.items():
        try:
            fits.fit(arm, name, begin)
        except TrainingDivergedError:
            if reached := fits.runs(named) or next(reversed(fits.stages(named).values()), []):
                keep_fitted(folder, reached, seeds)
            raise
        if name == experiment.named:
            keep_fitted(folder, fits.runs(named), seeds)
