"""What is measured of a method: the form that every task has."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.resolve import Preparations
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder import LatentMap, Table
from vaeclust_jax.folder.records.task import TaskRecord
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.selection.augment import AugmentChoice
from vaeclust_jax.selection.num_clusters import Choice
from vaeclust_jax.studies.experiment import Experiment


class Parts(NamedTuple):
    """A data set: the rows that are fitted, those that nothing sees before the end, and the former, prepared."""

    fitted: Dataset
    test: Dataset | None
    data: Preparations
    hints: Hints | None = None
    """What a person knows of the rows that are fitted."""


class Study(NamedTuple):
    """An experiment that was fitted.

    Attributes:
        experiment: with the arms that were fitted.
        dataset: what was fitted; labels are read for scoring alone, unless an arm says otherwise.
        test: rows that nothing has seen, where the experiment keeps some back.
        seeds: their numbers.
        data: the prepared rows of each arm.
        stages: of each arm's fit, every model by stage.
        runs: of each arm, one a seed.
        others: a data set that should look strange.
        choice, views: how the number of clusters and the views were chosen, if they were.
        hints: that methods which take some were given.
        seconds: wall seconds of each arm's fit in this call, "fit NAME"; for figures alone.
    """

    experiment: Experiment
    dataset: Dataset
    test: Dataset | None
    seeds: Sequence[int]
    data: Mapping[str, Prepared]
    stages: Mapping[str, Mapping[str, list[Run]]]
    runs: Mapping[str, list[Run]]
    others: Dataset | None = None
    choice: Choice | None = None
    views: AugmentChoice | None = None
    hints: Hints | None = None
    seconds: Mapping[str, float] = MappingProxyType({})


class Measured(NamedTuple):
    """What a task measured.

    Attributes:
        metrics: what `metrics.json` holds: the record of the task.
        columns: of `assignments.csv`, a row a sample and seed; None: there is no such file.
        kept: what the figures are drawn from.
        models: of the named arm, one a seed, with what measuring adds; None: as they were fitted.
        beside: of `shallow.csv`, what methods without a network found, a row a sample; None: there is no such file.
    """

    metrics: TaskRecord
    columns: Mapping[str, np.ndarray] | None = None
    kept: Any = None
    models: Sequence[Run] | None = None
    beside: Mapping[str, np.ndarray] | None = None


Drawn = Iterable[tuple[str, Any] | LatentMap]
"""Figures (`studies.figures.Picture`) after their file names, each drawn when it is asked for, and the page's map."""


class Task(NamedTuple):
    """What is asked of the models of one kind of method.

    Attributes:
        needs: heads that the models must have, or one of those joined by "or".
        check: (prepared rows) -> None; every refusal of its own, before anything is trained.
        measure: (study, step) -> what was measured; `step(name)` says what comes next, for progress and timing.
        tables: (metrics) -> the tables, the most important first.
        figures: (study, measured) -> what is drawn.
        parts: (data set, config) -> what is fitted and what is kept back; None: as labels need it.
    """

    needs: tuple[str, ...]
    check: Callable[[Prepared], None]
    measure: Callable[[Study, Callable[[str], None]], Measured]
    tables: Callable[[Any], list[Table]]
    figures: Callable[[Study, Measured], Drawn]
    parts: Callable[[Dataset, Config], Parts] | None = None
