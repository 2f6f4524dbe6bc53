"""Pictures of how the clusters agree with known classes, and of how sure the model is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import accuracy, check_ids, contingency, match_clusters
from vaeclust_jax.plots.style import (
    NORMAL,
    ON_COLOUR,
    SEQUENTIAL,
    SMALL,
    axes_for,
    check_same_length,
    figure_of,
    shorten,
)
from vaeclust_jax.plots.uncertainty import draw_groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_COUNTS = 20  # classes and clusters up to which the counts can be read
MAX_TICKS = 50
MAX_SIDE = 9.0  # inches


def confusion(
    y: ArrayLike, labels: ArrayLike, class_names: Sequence[str] | None = None, *, ax: Axes | None = None
) -> Figure:
    """Draw how the samples of each class spread over the clusters.

    Rows are classes, columns clusters in the order of the classes they are matched to, then those left over;
    so agreement lies on the diagonal. Colours are shares of the class. Up to 20 by 20 cells, the number of
    samples is written in those that have any.

    Args:
        y: shape (n,), class numbers.
        labels: shape (n,), cluster ids.
        class_names: by class number.
        ax: to draw on; None for those of a new figure.

    Raises:
        InputError: the arguments do not fit together.
    """
    y = check_ids("y", y, None if class_names is None else len(class_names))
    counts, matches = contingency(y, labels), match_clusters(y, labels)
    classes, clusters = np.unique(y).tolist(), list(matches)
    order = sorted(clusters, key=lambda cluster: (matches[cluster] == -1, matches[cluster]))
    counts = counts[:, [clusters.index(cluster) for cluster in order]]
    rows = [str(number) if class_names is None else shorten(class_names[number]) for number in classes]
    title = f"ACC {accuracy(y, labels):.3f}"
    columns = [str(cluster) for cluster in order]
    return draw_counts(counts, rows, columns, "cluster, in the order of the match", title, ax)


def draw_counts(
    counts: NDArray[np.integer],
    rows: Sequence[str],
    columns: Sequence[str],
    column_title: str,
    title: str,
    ax: Axes | None = None,
) -> Figure:
    """Draw a table of classes by answers as shares of the class, the numbers written in where they can be read.

    Args:
        counts: shape (classes, answers).
        rows: names of the classes.
        columns: names of the answers.
        column_title: what the answers are.
        title: of the figure.
        ax: to draw on; None for those of a new figure.
    """
    height, width = counts.shape
    cell = 0.45 if max(counts.shape) <= MAX_COUNTS else 0.18
    size = np.clip([width * cell, height * cell], [3.5, 2.2], MAX_SIDE)
    axes = axes_for(ax, size[0] + 2.2, size[1] + 1.2)
    shares = counts / counts.sum(axis=1, keepdims=True).clip(1)  # a class without samples has no share
    drawn = axes.imshow(shares, cmap=SEQUENTIAL, vmin=0, aspect="auto")
    bar = axes.figure.colorbar(drawn, ax=axes)
    bar.set_label("share of the class", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    for axis, texts, what in ((axes.yaxis, rows, "class"), (axes.xaxis, columns, column_title)):
        step = -(-len(texts) // MAX_TICKS)  # some are left out where there are too many to read
        ticks = range(0, len(texts), step)
        axis.set_ticks(ticks, [texts[tick] for tick in ticks], fontsize=SMALL, parse_math=False)
        axis.set_label_text(what, fontsize=SMALL)
    if max(counts.shape) <= MAX_COUNTS:
        for row, column in np.argwhere(counts).tolist():
            colour = "white" if shares[row, column] < 0.6 * shares.max() else ON_COLOUR
            text = str(counts[row, column])
            axes.text(column, row, text, ha="center", va="center", fontsize=SMALL, color=colour)
    axes.set_title(title, fontsize=NORMAL)
    return figure_of(axes)


def confidence_histogram(probability: ArrayLike, correct: ArrayLike | None, *, ax: Axes | None = None) -> Figure:
    """Draw how sure the model is of its assignments; where classes are known, of right and wrong ones.

    Right and wrong assignments are each shown as shares of their own number, so that a few wrong ones can be
    compared with many right ones.

    Args:
        probability: shape (n,), the probability of the chosen cluster, in [0, 1].
        correct: shape (n,), whether the chosen cluster is matched to the class; None if not known.
        ax: to draw on; None for those of a new figure.

    Raises:
        InputError: `probability` is empty or out of range, or the lengths differ.
    """
    probability = np.asarray(probability, dtype=np.float64)
    in_range = (probability >= 0) & (probability <= 1 + 1e-6)  # a sum of float32 may end above 1
    if probability.ndim != 1 or not probability.size or not in_range.all():
        raise InputError(
            "probability must be one-dimensional, not empty and in [0, 1]; "
            f"got shape {probability.shape}, {(~in_range).sum()} out of range."
        )
    if correct is not None:
        correct = np.asarray(correct, dtype=bool)
        check_same_length(probability=probability, correct=correct)
    axes = axes_for(ax, 5.0, 3.2)
    draw_groups(axes, probability.clip(0, 1), correct, np.linspace(0, 1, 21))
    axes.set_xlabel("probability of the chosen cluster", fontsize=NORMAL)
    return figure_of(axes)
