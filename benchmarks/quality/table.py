"""The rows as a page of Markdown: mean and deviation over seeds, published figures, the protocol."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.quality.datasets import DATASETS, DEVELOPED_ON, num_classes
from benchmarks.quality.methods import IN_WORDS, METHODS, as_text, setting_of
from benchmarks.quality.rows import Row
from vaeclust_jax.metrics import summarise

PUBLISHED = {
    "VaDE": "MNIST ACC .9446 (Jiang et al. 2017, released weights)",
    "DEC": "MNIST ACC .84 to .91 (Xie et al. 2016 and later reports)",
    "IDEC": "MNIST ACC .881 (Guo et al. 2017)",
}

BEST = {
    "coil20": "NMI 1.000 (JULE, Yang et al. 2016); ACC of other methods up to .93",
    "mnist-train-10k": "of all 70,000 images ACC .987, NMI .964 (DynAE, Mrabah et al. 2019)",
    "mnist-test": "ACC .987, NMI .963 (DynAE, Mrabah et al. 2019), .948, .882 (N2D, McConville et al. 2019)",
    "usps": "ACC .987, NMI .962 (as later papers print it); .981, .948 (DynAE, Mrabah et al. 2019)",
    "fashion-mnist": "of all 70,000 images ACC .672, NMI .684 (N2D, McConville et al. 2019)",
}
"""The highest published figures that we know of; most sources tune, or augment, for the data set."""

_HEAD = """# Quality of the clusterings

```bash
python -m benchmarks.quality                                  # goes on where it was, row by row; writes this page
python -m benchmarks.quality --datasets digits --methods VaDE DEC --seeds 0 1 2
python -m benchmarks.quality --quick --out folder             # short; its figures mean nothing
```

Protocol: one setting for all data sets, none of it chosen for one of them, and no label read but to score: {setting}
The number of clusters is the documented number of classes. Mean ± standard deviation (n - 1) over the seeds; ACC: best
one-to-one match. AUROC: how well the entropy of q(c | x) tells the assignments that this match counts as wrong, over
the seeds that made an error, "without" so many that made none; empty where a method has no probabilities or its rows
are older than the column. Of vaegraph on the sets that are scored once it was taken from a second run of the same
seeds, on one core instead of two, which rounds differently (ACC within 0.003); all else there is of the first.
Seconds: CPU time of all cores, prediction and compilation included; VAE + k-means and VAE + mixture come from one
fit, whose time both show; the choice of views, once for a data set, is not in it. Those of vaegraph and of the
neighbour graph were taken beside other work, and are up to twice too high. Labels of {developed} were in view while the
library was made; the other sets are scored once, with all that a row depends on frozen, and their rows stay whatever
they are. Methods without a row are not measured yet.

VaDE's prior now starts from codes; before, it started from their means, with next to no variance where the encoder
does not use a dimension, and on pendigits eight of ten clusters were empty after a few epochs, which the sizes and the
loss showed. Its rows on digits and coil20 are new; the others are of before, and stay on the sets that are scored
once.

Published figures are the sources', in their own settings and mostly on all 70,000 images of MNIST; nothing was tuned to
them.
"""


def page(rows: Sequence[Row], views: Mapping[str, Mapping[str, Any]]) -> str:
    """All of `quality.md`, with what was chosen for the images of each data set (`views.read`)."""
    parts = [_HEAD.format(setting=IN_WORDS, developed=", ".join(DEVELOPED_ON))]
    for dataset in [name for name in DATASETS if any(row.dataset == name for row in rows)]:
        parts.append(_section(dataset, [row for row in rows if row.dataset == dataset]))
        if dataset in views:
            parts.append(f"Views: {views[dataset]['reason']}\n")
    return "\n".join(parts)


def _section(dataset: str, rows: Sequence[Row]) -> str:
    lines = [
        f"## {dataset}\n",
        *([f"Best published: {BEST[dataset]}.\n"] if dataset in BEST else []),
        "| method | ACC | NMI | ARI | AUROC | seconds | seeds | published |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for method in METHODS:
        own = [row._asdict() for row in rows if row.method == method]
        if own:
            cells = [_spread([row[key] for row in own], 3) for key in ("acc", "nmi", "ari")]
            cells.append(_auroc(own))
            cells.append(_spread([row["seconds"] for row in own], 1))
            published = PUBLISHED.get(method, "") if "mnist" in dataset and "fashion" not in dataset else ""
            lines.append(f"| {' | '.join([method, *cells, str(len(own)), published])} |")
    return "\n".join(lines) + "\n"


def current(rows: Sequence[Row], quick: bool) -> list[Row]:
    """The rows that were measured in today's settings."""
    return [
        row
        for row in rows
        if row.method in METHODS
        and row.dataset in DATASETS
        and row.setting == as_text(setting_of(row.method, num_classes(row.dataset), quick))
    ]


def _auroc(rows: Sequence[Mapping[str, Any]]) -> str:
    """Of the seeds that made an error, and how many did not."""
    shown = _spread([row["auroc"] for row in rows], 3)
    without = sum(row["auroc"] is None and row["acc"] == 1 for row in rows)
    return f"{shown} (without {without})" if shown and without else shown


def _spread(values: Sequence[float | None], digits: int) -> str:
    """Mean and deviation of those that there are."""
    there = [{"": value} for value in values if value is not None]
    if not there:
        return ""
    mean, std = (of[""] for of in summarise(there).values())
    return f"{mean:.{digits}f}" if std is None else f"{mean:.{digits}f} ± {std:.{digits}f}"
