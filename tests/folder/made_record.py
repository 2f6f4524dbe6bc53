"""Records with given scores, and nothing else that was asked."""

from collections.abc import Mapping, Sequence
from typing import Any

from vaeclust_jax.folder.records.classification import ClassificationRecord, ClassScores, SeedClassScores
from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.folder.records.density import DensityRecord, DensityScores, FewLabels, Restoration, SeedDensityScores
from vaeclust_jax.folder.records.forecasting import (
    FoldRecord,
    ForecastRecord,
    ForecastScores,
    ModelOverFolds,
    OverOrigins,
    SeedForecastScores,
)
from vaeclust_jax.folder.records.generation import GenerationRecord, SampleScores, SeedSampleScores
from vaeclust_jax.folder.records.memory import (
    LoadPoint,
    MemoryRecord,
    MemoryScores,
    NoisePoint,
    RestingPoint,
    SeedMemoryScores,
    SmallNet,
)
from vaeclust_jax.folder.records.regression import RegressionRecord, RegressionScores, SeedRegressionScores
from vaeclust_jax.folder.records.scores import SeedScores
from vaeclust_jax.folder.records.task import DataRecord, Summary
from vaeclust_jax.folder.records.uncertainty import UncertaintyRecord
from vaeclust_jax.studies.scores import result_of

NAMES = ("acc", "nmi", "ari", "ami")
COMMON: dict[str, Any] = {
    "experiment": "vaedec",
    "dataset": DataRecord(name="digits", source="embedded", shape=(1797, 8, 8, 1)),
    "protocol": {"labels_used_for": "scoring alone"},
    "findings": (),
    "warnings": (),
    "versions": {"vaeclust_jax": "0.1.0", "jax": "0.10.2"},
}


def made_scores(nmi: float | None, seed: int | None = 0, **changes: Any) -> SeedScores:
    made = dict.fromkeys(NAMES, nmi)
    return SeedScores(
        **{"seed": seed, **made, "silhouette": None, "populated_clusters": 3, "active_units": 2, **changes}
    )


def made_record(
    results: Mapping[str, Mapping[str, Sequence[SeedScores]]],
    *,
    method: str = "vaedec",
    dataset: str = "digits",
    shape: tuple[int, ...] = (1797, 8, 8, 1),
    version: str = "0.1.0",
    **changes: Any,
) -> ClusteringRecord:
    made = {name: {protocol: result_of(rows) for protocol, rows in of.items()} for name, of in results.items()}
    top = made[method]["all"]
    fields: dict[str, Any] = {
        **COMMON,
        "method": method,
        "dataset": DataRecord(name=dataset, source="embedded", shape=shape),
        "versions": {"vaeclust_jax": version, "jax": "0.10.2"},
        "mean": top.mean,
        "std": top.std,
        "seeds": top.seeds,
        "num_clusters": 10,
        "num_clusters_choice": None,
        "augment_choice": None,
        "results": made,
        "shallow": (),
        "comparisons": (),
        "reported": (),
        "reported_runs": None,
        "reported_tests": None,
        "uncertainty": UncertaintyRecord(seed_agreement=None, pass_check=1.0),
        "outliers": None,
        "classification": None,
    }
    return ClusteringRecord(**{**fields, **changes})


_SAMPLES = SampleScores(frechet=3.0, precision=0.5, recall=0.25)
_NO_SAMPLES = SampleScores(frechet=None, precision=None, recall=None)
_OF_GAN = Summary(
    mean=_SAMPLES, std=_NO_SAMPLES, seeds=(SeedSampleScores(seed=4, frechet=3.0, precision=0.5, recall=0.25),)
)
GENERATED = GenerationRecord(
    **COMMON,
    method="gan",
    mean=_OF_GAN.mean,
    std=_OF_GAN.std,
    seeds=_OF_GAN.seeds,
    results={"gan": _OF_GAN},
    floor=_SAMPLES,
)

_OF_CLASSIFIER = Summary(
    mean=ClassScores(accuracy=0.9, nll=0.25, ece=0.01),
    std=ClassScores(accuracy=None, nll=None, ece=None),
    seeds=(SeedClassScores(seed=4, accuracy=0.9, nll=0.25, ece=0.01),),
)
CLASSIFIED = ClassificationRecord(
    **COMMON,
    method="classifier",
    mean=_OF_CLASSIFIER.mean,
    std=_OF_CLASSIFIER.std,
    seeds=_OF_CLASSIFIER.seeds,
    results={"classifier": _OF_CLASSIFIER},
)

_NATS: dict[str, float | None] = {
    "log_likelihood": -20.5,
    "reverse": -20.75,
    "exact": None,
    "train": -20.0,
    "deviation": 0.25,
    "pseudo": -18.0,
}
_OF_MACHINE = Summary(
    mean=DensityScores(**_NATS),
    std=DensityScores(**dict.fromkeys(_NATS)),
    seeds=(SeedDensityScores(seed=4, **_NATS),),
)
DENSE = DensityRecord(
    **COMMON,
    method="rbm",
    mean=_OF_MACHINE.mean,
    std=_OF_MACHINE.std,
    seeds=_OF_MACHINE.seeds,
    results={"rbm": _OF_MACHINE},
    restored=(Restoration(region="left", machine=0.1, mean_image=0.2, neighbour=0.3),),
    few_labels=(FewLabels(labels=10, accuracy={"rbm": 0.75}, deviation={"rbm": 0.125}),),
)

_OF_NET = Summary(
    mean=MemoryScores(recalled=0.75, iterations=8.0),
    std=MemoryScores(recalled=None, iterations=None),
    seeds=(SeedMemoryScores(seed=4, recalled=0.75, iterations=8.0),),
)
_RESTS = RestingPoint(place=(1.0, -1.0), share=1.0, stable=True, stored=True)
REMEMBERED = MemoryRecord(
    **COMMON,
    method="hopfield",
    mean=_OF_NET.mean,
    std=_OF_NET.std,
    seeds=_OF_NET.seeds,
    results={"hopfield": _OF_NET},
    noise={
        "hopfield": (
            NoisePoint(noise=2.0, most=40, recalled=0.75, recalled_std=0.0, iterations=8.0, iterations_std=1.0),
        )
    },
    capacity={"hopfield": (LoadPoint(load=0.1, recalled=0.5, recalled_std=0.25),)},
    by_units={"50 units": (LoadPoint(load=0.1, recalled=1.0, recalled_std=0.0),)},
    small=(SmallNet(patterns=((1.0, -1.0),), starts=9, resting=(_RESTS,), iterations=8.0, iterations_std=1.0),),
)

_ERRORS: dict[str, float | None] = {"mse": 0.25, "mae": 0.5, "r2": 0.75}
_OF_REGRESSOR = Summary(
    mean=RegressionScores(**_ERRORS),
    std=RegressionScores(**dict.fromkeys(_ERRORS)),
    seeds=(SeedRegressionScores(seed=4, **_ERRORS),),
)
REGRESSED = RegressionRecord(
    **COMMON,
    method="regressor",
    mean=_OF_REGRESSOR.mean,
    std=_OF_REGRESSOR.std,
    seeds=_OF_REGRESSOR.seeds,
    results={"regressor": _OF_REGRESSOR},
    floor=RegressionScores(mse=1.0, mae=0.75, r2=0.0),
)

_AHEAD: dict[str, float | None] = {"nmse": 0.25, "mse": 4.0, "later": None}
_OF_FORECASTER = Summary(
    mean=ForecastScores(**_AHEAD),
    std=ForecastScores(**dict.fromkeys(_AHEAD)),
    seeds=(SeedForecastScores(seed=4, **_AHEAD),),
)
FORECAST = ForecastRecord(
    **COMMON,
    method="forecaster",
    mean=_OF_FORECASTER.mean,
    std=_OF_FORECASTER.std,
    seeds=_OF_FORECASTER.seeds,
    results={"forecaster": _OF_FORECASTER, "linear AR": _OF_FORECASTER},
    baselines=("linear AR",),
    medians={"forecaster": 0.25, "linear AR": None},
    origins=(90, 111),
    by_origin={"forecaster": ((0.25, None),)},
    folds=(
        FoldRecord(
            arm="lstm, fold 1",
            model="lstm",
            fold=1,
            trained=80,
            validated=10,
            one_step=(0.5,),
            closed_loop=(None,),
        ),
    ),
    models=(ModelOverFolds(model="lstm", folds=1, closed_loop=None),),
    comparisons=(OverOrigins(other="linear AR", difference=-0.5, p=None, reason="a single value"),),
)
