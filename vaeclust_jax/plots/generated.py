"""Pictures of what the model makes of its clusters, and of the samples it is most and least sure of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import check_ids
from vaeclust_jax.plots.images import CELL, MAX_CLUSTERS, PER_ROW, check_images, draw_mosaic
from vaeclust_jax.plots.style import BLUE, NORMAL, SMALL, VERMILLION, axes_for, check_same_length, figure_of, new_figure
from vaeclust_jax.plots.vectors import FEW_FEATURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MIN_COLUMNS = 8  # room for the titles


def decoded_clusters(centroids: ArrayLike, samples: ArrayLike, *, ax: Axes | None = None) -> Figure:
    """Draw what the decoder makes of each cluster: of its centroid, framed, and of points drawn from it.

    Args:
        centroids: images of shape (K, height, width, 1 or 3) in [0, 1], or vectors of shape (K, features). The
            first 30 clusters are shown.
        samples: shape (K, M, height, width, channels) or (K, M, features), of which the first ten of each
            cluster are shown.
        ax: to draw on; None for those of a new figure.

    Raises:
        InputError: `centroids` has another shape, or `samples` does not fit to it.
    """
    centroids, samples = np.asarray(centroids, np.float32), np.asarray(samples, np.float32)
    fits = samples.ndim >= 2 and samples.shape[:1] + samples.shape[2:] == centroids.shape
    if not fits or not samples.size:
        raise InputError(
            f"samples must have the shape of centroids, {centroids.shape}, with an axis of samples put in as the "
            f"second, got {samples.shape}."
        )
    num_clusters = len(centroids)
    every = np.concatenate([centroids[:, np.newaxis], samples[:, :PER_ROW]], axis=1)[:MAX_CLUSTERS]
    shown = _visible("centroids", every.reshape(-1, *centroids.shape[1:])).reshape(every.shape)
    rows, columns = len(shown), max(every.shape[1], MIN_COLUMNS)
    axes = axes_for(ax, columns * CELL + 0.9, (rows + 0.4) * CELL + 0.1)
    size = _draw_cells(axes, list(shown), columns)
    for row in range(rows):
        _frame(axes, 0, row, size, BLUE)
    title = "decoded centroid (framed) and samples"
    if num_clusters > MAX_CLUSTERS:
        title += f" ({num_clusters - MAX_CLUSTERS} more clusters not shown)"
    heading = -0.2  # a line of its own above the first row, as in `images_by_cluster`
    axes.set_ylim(rows, 2 * heading)
    ticks = [heading, *(np.arange(rows) + size[1] / 2)]
    axes.set_yticks(ticks, ["cluster", *map(str, range(rows))], fontsize=SMALL)
    axes.text(0, heading, title, va="center", fontsize=NORMAL)
    return figure_of(axes)


def samples_beside_data(samples: ArrayLike, data: ArrayLike, names: tuple[str, str] = ("data", "samples")) -> Figure:
    """Draw samples of a model below rows of the data, both in the order that they come in, four rows and two at most.

    Args:
        samples: images of shape (n, height, width, 1 or 3) in [0, 1], or vectors of shape (n, features).
        data: shape (m, ...), of the same kind.
        names: over what is above, and over what is below.

    Raises:
        InputError: one of them cannot be shown, or they are of different shapes.
    """
    samples, data = np.asarray(samples)[: 4 * PER_ROW], np.asarray(data)[: 2 * PER_ROW]
    if samples.shape[1:] != data.shape[1:]:
        raise InputError(f"samples and data must be of one shape, got {samples.shape[1:]} and {data.shape[1:]}.")
    both = _visible("samples and data", np.concatenate([data, samples]))
    blocks = dict(zip(names, (both[: len(data)], both[len(data) :]), strict=True))
    heights = [-(-len(block) // PER_ROW) for block in blocks.values()]
    figure = new_figure(PER_ROW * CELL + 0.2, sum(heights) * CELL + 0.7)
    panels = figure.subplots(len(blocks), 1, height_ratios=heights)
    for axes, (name, block) in zip(panels, blocks.items(), strict=True):
        _draw_cells(axes, [block[start : start + PER_ROW] for start in range(0, len(block), PER_ROW)], PER_ROW)
        axes.set_yticks([])
        axes.set_title(name, fontsize=NORMAL, loc="left")
    return figure


def most_and_least_certain(
    x: ArrayLike,
    uncertainty: ArrayLike,
    cluster: ArrayLike,
    correct: ArrayLike | None,
    *,
    label: str,
    count: int = 20,
) -> Figure:
    """Draw the samples of the lowest uncertainty over those of the highest, from the extremes inwards.

    Over each is its cluster and its uncertainty; wrong assignments are framed.

    Args:
        x: images of shape (n, height, width, 1 or 3) in [0, 1], or vectors of shape (n, features).
        uncertainty: shape (n,).
        cluster: shape (n,), cluster ids.
        correct: shape (n,), whether the cluster is matched to the class; None if not known.
        label: what the uncertainty is, with the unit, such as "assignment entropy (nats)".
        count: samples in each of the two blocks; of few samples, half of them.

    Raises:
        InputError: the arguments do not fit together.
    """
    x, cluster, uncertainty = np.asarray(x), check_ids("cluster", cluster), np.asarray(uncertainty, np.float64)
    wrong = np.zeros(len(cluster), bool) if correct is None else ~np.asarray(correct, dtype=bool)
    check_same_length(x=x, uncertainty=uncertainty, cluster=cluster, correct=wrong)
    if count < 1:
        raise InputError(f"count must be at least 1, got {count}.")
    count = min(count, max(1, len(x) // 2))
    order = np.argsort(uncertainty, kind="stable")
    chosen = np.concatenate([order[:count], order[::-1][:count]])
    pictures = _visible("x", x[chosen])
    starts = range(0, count, PER_ROW)
    columns = max(min(PER_ROW, count), MIN_COLUMNS)
    figure = new_figure(columns * CELL + 0.2, 2 * len(starts) * (CELL + 0.4) + 0.9)
    panels = figure.subplots(2 * len(starts), 1, squeeze=False).ravel().tolist()
    places = [(block + start, block + min(start + PER_ROW, count)) for block in (0, count) for start in starts]
    for axes, (first, last) in zip(panels, places, strict=True):
        size = _draw_cells(axes, [pictures[first:last]], columns)
        members = chosen[first:last]
        texts = [f"{cluster[number]}\n{uncertainty[number]:.3g}" for number in members]
        axes.set_xticks(np.arange(len(members)) + size[0] / 2, texts, fontsize=SMALL)
        axes.xaxis.tick_top()
        axes.set_yticks([])
        axes.tick_params(length=0)
        for column in np.flatnonzero(wrong[members]).tolist():
            _frame(axes, column, 0, size, VERMILLION)
    panels[0].set_title("surest first", fontsize=NORMAL, loc="left")
    panels[len(starts)].set_title("least sure first", fontsize=NORMAL, loc="left")
    legend = f"over each: cluster, {label}" + ("" if correct is None else "; wrong ones framed")
    figure.suptitle(legend, fontsize=SMALL, parse_math=False)
    return figure


def _visible(name: str, values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Check samples, and bring vectors to [0, 1], the scale of images: one scale for all of them."""
    if values.ndim != 2:
        return check_images(name, values)
    values = values.astype(np.float32)
    low, high = values.min(), values.max()
    if not np.isfinite([low, high]).all():
        raise InputError(f"{name} must be finite, got values from {low} to {high}.")
    return (values - low) / (high - low) if high > low else np.full(values.shape, 0.5)


def _draw_cells(axes: Axes, rows: Sequence[NDArray[np.floating]], columns: int) -> tuple[float, float]:
    """Draw rows of images or of vectors; see `draw_mosaic`."""
    return draw_mosaic(axes, rows, columns) if rows[0].ndim == 4 else _draw_profiles(axes, rows, columns)


def _draw_profiles(axes: Axes, rows: Sequence[NDArray[np.floating]], columns: int) -> tuple[float, float]:
    """Draw rows of vectors with values in [0, 1], each a small line over its features; see `draw_mosaic`."""
    size, features = 0.92, rows[0].shape[1]
    across = size * (np.arange(features) + 0.5) / features
    for number, row in enumerate(rows):
        axes.broken_barh([(column, size) for column in range(len(row))], (number, size), facecolor="#EEEEEE")
        x = np.arange(len(row))[:, np.newaxis] + across
        y = number + size * (0.95 - 0.9 * row)  # downwards, with a margin
        apart = ((0, 0), (0, 1))  # a gap in the line after each vector
        x, y = (np.pad(values, apart, constant_values=np.nan).ravel() for values in (x, y))
        axes.plot(x, y, color=BLUE, lw=0.9, marker="." if features <= FEW_FEATURES else None, ms=3)
    axes.set(xlim=(0, columns), ylim=(len(rows), 0), xticks=[], aspect=1, anchor="E")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return size, size


def _frame(axes: Axes, column: int, row: int, size: tuple[float, float], colour: str) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((column, row), *size, fill=False, edgecolor=colour, lw=2, clip_on=False))
