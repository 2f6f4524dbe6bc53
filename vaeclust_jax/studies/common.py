"""What every task's record begins with, and how the rows of seeds are put together."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from vaeclust_jax.data.oddities import oddities
from vaeclust_jax.folder.run_record import SCHEMA
from vaeclust_jax.metrics import summarise
from vaeclust_jax.studies.task import Study

Row = Mapping[str, float | None]


def common_record(study: Study) -> dict[str, Any]:
    """The fields that are there whatever is measured."""
    dataset = study.dataset
    return {
        "schema": SCHEMA,
        "task": study.experiment.method.task,
        "experiment": study.experiment.name,
        "method": study.experiment.named,
        "dataset": {**dataset.record(), "odd": list(oddities(dataset)), "shape": list(dataset.x.shape)},
        "versions": {name: version(name) for name in ("vaeclust_jax", "jax", "flax", "optax", "scikit-learn")},
    }


def scored(study: Study, rows: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """The scores of every arm, and those of the named one: mean, deviation, and the rows of the seeds."""
    results = {
        arm: {
            **summarise(list(of_seeds)),
            "seeds": [{"seed": s, **row} for s, row in zip(study.seeds, of_seeds, strict=True)],
        }
        for arm, of_seeds in rows.items()
    }
    named = results[study.experiment.named]
    return {"results": results, **{name: named[name] for name in ("mean", "std", "seeds")}}


def split_sentence(study: Study) -> str:
    """What was fitted."""
    run = study.runs[study.experiment.named][0]
    n, train, prepare = len(study.dataset.x), len(run.train_index), run.config.prepare
    split = f"{'stratified' if prepare.stratify else 'plain'} split with seed {prepare.split_seed}"
    return f"{train} of {n} rows ({split})" if len(run.validation_index) else f"all {n} rows"
