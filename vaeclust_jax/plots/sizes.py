"""How many samples each cluster holds, and how sure they are of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from vaeclust_jax.metrics import check_ids
from vaeclust_jax.plots.style import NORMAL, SMALL, axes_for, categorical_colours, check_same_length, figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_BARS = 20  # up to which a number over each can be read


def cluster_sizes(labels: ArrayLike, probability: ArrayLike, *, num_clusters: int, ax: Axes | None = None) -> Figure:
    """Draw a bar a cluster as high as its number of samples, their mean probability over it.

    Args:
        labels: shape (n,), cluster ids.
        probability: shape (n,), of the assignment.
        num_clusters: of the model; an empty cluster keeps its place.
        ax: to draw on; None for those of a new figure.

    Raises:
        InputError: the arguments do not fit together.
    """
    labels, probability = check_ids("labels", labels, num_clusters), np.asarray(probability, np.float64)
    check_same_length(labels=labels, probability=probability)
    counts = np.bincount(labels, minlength=num_clusters)
    axes = axes_for(ax, 5.0, 3.2)
    bars = axes.bar(np.arange(num_clusters), counts, color=categorical_colours(num_clusters))
    if num_clusters <= MAX_BARS:
        means = np.bincount(labels, probability, num_clusters) / counts.clip(1)
        texts = [f"{mean:.2f}" if count else "" for mean, count in zip(means, counts, strict=True)]
        axes.bar_label(bars, texts, fontsize=SMALL)
        axes.set_xticks(np.arange(num_clusters))
        axes.margins(y=0.1)  # for the highest bar's number
        axes.set_title("over each bar: the mean probability of its samples", fontsize=SMALL)
    else:
        axes.locator_params(axis="x", integer=True)
    axes.set_xlabel("cluster", fontsize=NORMAL)
    axes.set_ylabel("samples", fontsize=NORMAL)
    return figure_of(axes)
