"""What a method's page need not say by hand: its settings, stages and figures."""

from dataclasses import MISSING, Field, fields, is_dataclass
from statistics import fmean, stdev
from typing import Any

from benchmarks.quality.methods import METHODS as MEASURED
from benchmarks.quality.methods import Row
from benchmarks.quality.rows import spread
from notebooks.book.markdown import one_line, table
from notebooks.book.quality import datasets, rows
from vaeclust_jax.cli.flags import as_flag, texts_of
from vaeclust_jax.fitting.config import TrainingConfig
from vaeclust_jax.methods.method import About, DataSpec, Method
from vaeclust_jax.methods.registry import METHODS
from vaeclust_jax.networks import MLP

_SHAPE, _ROWS, _K = (64,), 1000, 10
_FLAGS = {"num_clusters": "--clusters"}
"""Of settings whose flag has another name."""


def settings(name: str) -> str:
    """Every field of a method: its default and what it does."""
    return _fields(METHODS[name])


def defaults() -> str:
    """The same of the training loop."""
    return _fields(TrainingConfig)


def _fields(kind: type) -> str:
    assert is_dataclass(kind)
    texts = texts_of(kind)
    cells = [
        [
            f"`{one.name}`<br>`{_FLAGS.get(one.name, as_flag(one.name))}`",
            f"`{_default(one)}`",
            one_line(texts.get(one.name, "")),
        ]
        for one in fields(kind)
    ]
    return table(["setting, flag", "default", "what it does"], cells)


def _default(one: Field[Any]) -> str:
    if one.default_factory is not MISSING:
        return repr(one.default_factory())
    return "needed" if one.default is MISSING else repr(one.default)


def stages(name: str) -> str:
    """What is trained one after the other, of 1,000 rows of 64 features."""
    method = example(METHODS[name])
    network = MLP()
    about = About(network.build(_SHAPE), network.latent_dim, _ROWS, 64, 1e-3, 10, True, num_seeds=2, shape=_SHAPE)
    cells = [
        [
            str(number),
            f"`{stage.name}`",
            str(stage.num_epochs or "none: fitted at once"),
            "" if stage.model is None else f"`{type(stage.model).__name__}`",
        ]
        for number, stage in enumerate(method.stages(about), 1)
    ]
    return table(["", "stage", "epochs, at most", "ends with a model of"], cells)


def example(kind: type[Method]) -> Method:
    """A method with its defaults."""
    names = {one.name for one in fields(kind)}
    needed = {"num_clusters": _K} if "num_clusters" in names else {}
    return kind(**needed).resolved(DataSpec(_SHAPE, _ROWS, num_classes=_K))


def scores_of(name: str) -> str:
    """The committed rows of every variant of a method."""
    variants = [variant for variant, row in MEASURED.items() if _is_of(name, row)]
    cells = []
    for dataset in datasets():
        for variant in variants:
            own = [row for row in rows() if (row.dataset, row.method) == (dataset, variant)]
            if own:
                scores = [_spread([getattr(row, score) for row in own]) for score in ("acc", "nmi", "ari")]
                cells.append([dataset, variant, *scores, f"{fmean(row.seconds for row in own):.0f}", str(len(own))])
    return table(["data", "variant", "ACC", "NMI", "ARI", "CPU s", "seeds"], cells, numbers_from=2)


def _is_of(name: str, row: Row) -> bool:
    """Whether a row of the table is a method's own; k-means is a stage of others."""
    return row.stage == "kmeans" if name == "kmeans" else type(row.method) is METHODS[name] and row.stage != "kmeans"


def _spread(values: list[float]) -> str:
    return spread(fmean(values), stdev(values) if len(values) > 1 else None)
