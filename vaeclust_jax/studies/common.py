"""What every task's record begins with, and how the rows of seeds are put together."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, TypeVar

from vaeclust_jax.data import Dataset
from vaeclust_jax.data.oddities import oddities
from vaeclust_jax.folder.records.task import DataRecord, Measures, OfSeed, Summary
from vaeclust_jax.metrics import summarise
from vaeclust_jax.studies.experiment import Experiment
from vaeclust_jax.studies.task import Study

M = TypeVar("M", bound=Measures)
S = TypeVar("S", bound=OfSeed)


def common_fields(experiment: Experiment, dataset: Dataset) -> dict[str, Any]:
    """Those fields of a `TaskRecord` that do not depend on what is measured."""
    return {
        "experiment": experiment.name,
        "method": experiment.named,
        "dataset": DataRecord(
            name=dataset.name, source=dataset.source, shape=dataset.x.shape, taken=dataset.said, odd=oddities(dataset)
        ),
        "versions": {name: version(name) for name in ("vaeclust_jax", "jax", "flax", "optax", "scikit-learn")},
    }


def over_seeds(kind: type[M], of_seed: type[S], rows: Sequence[M], seeds: Sequence[int | None]) -> Summary[M, S]:
    """Mean and standard deviation of the seeds' measures, and these with their seeds; None where nothing is random."""
    found = summarise([row.by_name() for row in rows])
    numbered = (of_seed(seed=seed, **row.by_name()) for seed, row in zip(seeds, rows, strict=True))
    return Summary(mean=kind(**found["mean"]), std=kind(**found["std"]), seeds=tuple(numbered))


def split_sentence(study: Study) -> str:
    """What was fitted."""
    run = study.runs[study.experiment.named][0]
    n, train, prepare = len(study.dataset.x), len(run.train_index), run.config.prepare
    split = f"{'stratified' if prepare.stratify else 'plain'} split with seed {prepare.split_seed}"
    split += "" if study.dataset.subjects is None else ", of whole subjects"
    return f"{train} of {n} rows ({split})" if len(run.validation_index) else f"all {n} rows"
