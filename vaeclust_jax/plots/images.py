"""Pictures of the data themselves: what the decoder gives back, and what each cluster holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import check_ids
from vaeclust_jax.plots.style import NORMAL, SMALL, axes_for, check_same_length, figure_of, new_figure, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PER_ROW = 10
MAX_PAIRS = 30
MAX_CLUSTERS = 30
CELL = 0.62  # inches, the side of one small picture


def reconstructed_images(x: ArrayLike, x_hat: ArrayLike, names: Sequence[str] | None = None) -> Figure:
    """Draw images in rows of ten, each over its reconstruction; see `reconstructions`."""
    x, x_hat = check_images("x", x), check_images("x_hat", x_hat)
    if x.shape != x_hat.shape:
        raise InputError(f"x_hat must have the shape of x, {x.shape}; got {x_hat.shape}.")
    if names is not None:
        check_same_length(x=x, names=names)
    x, x_hat = x[:MAX_PAIRS], x_hat[:MAX_PAIRS]
    starts = range(0, len(x), PER_ROW)
    per_row = min(PER_ROW, len(x))
    figure = new_figure(per_row * CELL + 1.2, len(starts) * (2 * CELL + 0.3))
    for start, axes in zip(starts, figure.subplots(len(starts), 1, squeeze=False).ravel(), strict=True):
        shown = slice(start, start + PER_ROW)
        draw_mosaic(axes, [x[shown], x_hat[shown]], per_row)
        axes.set_yticks([0.5, 1.5], ["original", "reconstructed"], fontsize=SMALL)
        if names is not None:
            labels = [shorten(name, 9) for name in names[shown]]
            axes.set_xticks(np.arange(len(labels)) + 0.5, labels, fontsize=SMALL, parse_math=False)
            axes.xaxis.tick_top()
            axes.tick_params(length=0)
    return figure


def image_pairs(x: ArrayLike, x_hat: ArrayLike, *, ax: Axes | None = None) -> Figure:
    """Draw a row of images over their reconstructions, on one pair of axes.

    Args:
        x: shape (n, height, width, 1 or 3), in [0, 1].
        x_hat: their reconstructions, of the same shape.
        ax: to draw on; None for those of a new figure.

    Raises:
        InputError: the shapes differ, or there is no image.
    """
    x, x_hat = check_images("x", x), check_images("x_hat", x_hat)
    if x.shape != x_hat.shape:
        raise InputError(f"x_hat must have the shape of x, {x.shape}; got {x_hat.shape}.")
    axes = axes_for(ax, len(x) * CELL + 1.2, 2 * CELL + 0.3)
    draw_mosaic(axes, [x, x_hat], len(x))
    axes.set_yticks([0.5, 1.5], ["original", "reconstructed"], fontsize=SMALL)
    return figure_of(axes)


def images_by_cluster(
    x: ArrayLike,
    labels: ArrayLike,
    confidence: ArrayLike,
    *,
    num_clusters: int,
    per_cluster: int = 10,
    ax: Axes | None = None,
) -> Figure:
    """Draw the images each cluster is surest of, one row per cluster, the surest on the left.

    Args:
        x: shape (n, height, width, channels), in [0, 1], 1 or 3 channels.
        labels: shape (n,), cluster ids.
        confidence: shape (n,), the probability of the assignment.
        num_clusters: of the model; clusters without samples get a row that says so. The first 30 are shown.
        per_cluster: images in a row.
        ax: to draw on; None for those of a new figure.

    Raises:
        InputError: the arguments do not fit together.
    """
    x, labels = check_images("x", x), check_ids("labels", labels, num_clusters)
    confidence = np.asarray(confidence)
    check_same_length(x=x, labels=labels, confidence=confidence)
    rows, names = [], []
    for cluster in range(min(num_clusters, MAX_CLUSTERS)):
        members = np.flatnonzero(labels == cluster)
        surest = members[np.argsort(-confidence[members], kind="stable")][:per_cluster]
        rows.append(x[surest])
        about = f"{len(members):7} {confidence[members].mean():10.2f}" if len(members) else f"{'empty':>18}"
        names.append(f"{cluster:7} {about}")
    axes = axes_for(ax, per_cluster * CELL + 2.1, (len(rows) + 0.4) * CELL + 0.1)
    draw_mosaic(axes, rows, per_cluster)
    title = "surest images first"
    if num_clusters > MAX_CLUSTERS:
        title += f" ({num_clusters - MAX_CLUSTERS} more clusters not shown)"
    heading = -0.2  # a line of its own above the first row, whose tick label heads the columns of the others
    axes.set_ylim(len(rows), 2 * heading)
    ticks = [heading, *(np.arange(len(rows)) + 0.5)]
    axes.set_yticks(ticks, ["cluster samples confidence", *names], fontsize=SMALL, family="monospace")
    axes.text(0, heading, title, va="center", fontsize=NORMAL)
    return figure_of(axes)


def check_images(name: str, values: ArrayLike) -> NDArray[np.floating]:
    """Check that an argument holds images that can be shown, and return them as an array."""
    images = np.asarray(values, dtype=np.float32)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or images.size == 0:
        raise InputError(f"{name} must have shape (n, height, width, 1 or 3), not empty; got {images.shape}.")
    return images


def draw_mosaic(axes: Axes, rows: Sequence[NDArray[np.floating]], columns: int) -> tuple[float, float]:
    """Draw rows of images into one axes, one cell an image: far faster than an axes each.

    Args:
        axes: gets the images; the cell of row i and column j starts at (j, i) and is one unit wide and high.
        rows: shapes (at most columns, height, width, channels).
        columns: cells in a row.

    Returns:
        Which part of a cell, starting at its upper left corner, an image takes: of the width, of the height.
    """
    height, width = next(row.shape[1:3] for row in rows)
    gap = max(1, round(0.06 * max(height, width)))
    canvas = np.ones((len(rows), height + gap, columns, width + gap, 4), np.float32)
    canvas[..., 3] = 0  # gaps are see-through
    for number, row in enumerate(rows):
        canvas[number, :height, : len(row), :width, :3] = row.transpose(1, 0, 2, 3)
        canvas[number, :height, : len(row), :width, 3] = 1
    canvas = canvas.reshape(len(rows) * (height + gap), columns * (width + gap), 4).clip(0, 1)
    axes.imshow(canvas, extent=(0, columns, len(rows), 0))
    axes.set_aspect((height + gap) / (width + gap))
    axes.set_anchor("E")  # what width is left over goes to the labels on the left
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return width / (width + gap), height / (height + gap)
