"""The latent space in two dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.checks import is_whole
from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import check_ids
from vaeclust_jax.plots.style import (
    NORMAL,
    SEQUENTIAL,
    SMALL,
    axes_for,
    categorical_colours,
    check_same_length,
    figure_of,
    shorten,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PERPLEXITY = 30.0
MAX_LEGEND = 20
# On digits, t-SNE of these is as trustworthy as with scikit-learn's 1000 and 0.5 (.994), in a third of the time.
ITERATIONS = 400
ANGLE = 0.8  # of Barnes and Hut


def project(
    latents: ArrayLike, *, seed: int = 0, max_points: int = 2000
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Bring latents into the plane: by t-SNE (van der Maaten and Hinton 2008), or as they are if they fit.

    Args:
        latents: shape (n, L), finite.
        seed: of the choice of samples and of t-SNE.
        max_points: samples shown at most; t-SNE takes seconds for 2,000.

    Returns:
        The points, shape (m, 2), and which samples they are, shape (m,), ascending. The points are the
        latents themselves for L = 2, and with a zero coordinate for L = 1; see `projection_title`.

    Raises:
        InputError: `latents` has another shape or is not finite, or `max_points` is below 1.
    """
    latents = np.asarray(latents, dtype=np.float64)
    if latents.ndim != 2 or latents.size == 0 or not np.isfinite(latents).all():
        raise InputError(f"latents must be finite, of shape (n, L), not empty; got shape {latents.shape}.")
    if not is_whole(max_points) or max_points < 1:
        raise InputError(f"max_points must be a whole number of at least 1, got {max_points!r}")
    n, size = latents.shape
    index = np.arange(n)
    if n > max_points:
        index = np.sort(np.random.default_rng(seed).choice(n, max_points, replace=False))
    chosen = latents[index]
    if size <= 2:
        return np.pad(chosen, ((0, 0), (0, 2 - size))), index
    centred = chosen - chosen.mean(axis=0)
    scale = np.abs(centred).max()
    if len(index) < 5 or scale <= 1e-12 * np.abs(chosen).max():  # no neighbourhoods; t-SNE would crash
        return chosen[:, :2], index
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(PERPLEXITY, (len(index) - 1) / 3)
    embedding = TSNE(init="pca", perplexity=perplexity, random_state=seed, max_iter=ITERATIONS, angle=ANGLE)
    # On a machine whose cores are shared, t-SNE's threads wait for each other: many times slower than one.
    # OpenMP's limit is this thread's own; that of BLAS would change what others compute meanwhile.
    with threadpool_limits(1, user_api="openmp"):
        return embedding.fit_transform(centred / scale).astype(np.float64), index


def projection_title(num_dimensions: int) -> str:
    """Say what the points of `project` are, for latents of that many dimensions."""
    return "latent space" if num_dimensions <= 2 else "t-SNE of the latent space"


def latent_map(
    points: ArrayLike,
    values: ArrayLike,
    *,
    ax: Axes | None = None,
    title: str,
    label: str,
    categorical: bool,
    names: Sequence[str] | None = None,
    colours: NDArray[np.floating] | None = None,
) -> Figure:
    """Draw points coloured by a category, such as the cluster, or by a number, such as the entropy.

    Args:
        points: shape (m, 2).
        values: shape (m,), ids from 0 if `categorical`, else numbers.
        ax: to draw on; None for those of a new figure.
        title: what the points are, say from `projection_title`.
        label: what the colours are, with the unit, such as "entropy (nats)".
        categorical: whether `values` are ids. Up to 20 are listed; more are written on the map.
        names: of the categories, by id.
        colours: of the categories, by id; default `categorical_colours`.

    Raises:
        InputError: the arguments do not fit together.
    """
    points, values = np.asarray(points), np.asarray(values)
    if points.ndim != 2 or points.shape[1] != 2:
        raise InputError(f"points must have shape (m, 2); got {points.shape}.")
    check_same_length(points=points, values=values)
    axes = axes_for(ax, 6.4, 4.8)
    if categorical:
        ids = check_ids("values", values, None if names is None else len(names))
        _draw_categories(axes, points, ids, label, names, colours)
    else:
        drawn = axes.scatter(
            points[:, 0], points[:, 1], c=values, s=_dot_area(len(points)), linewidths=0, cmap=SEQUENTIAL
        )
        axes.figure.colorbar(drawn, ax=axes).set_label(label, fontsize=NORMAL)
    axes.set_title(f"{title}, by {label}", fontsize=NORMAL)
    axes.set(xticks=[], yticks=[])  # the axes of t-SNE mean nothing
    return figure_of(axes)


def _dot_area(count: int) -> float:
    """Return the area of a dot in square points, smaller the more there are."""
    return float(np.clip(9000 / count, 5, 40))


def _draw_categories(
    axes: Axes,
    points: NDArray[np.float64],
    ids: NDArray[np.integer],
    label: str,
    names: Sequence[str] | None,
    colours: NDArray[np.floating] | None,
) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import AbstractPathEffect, withStroke

    total = int(ids.max()) + 1 if names is None else len(names)
    colours = categorical_colours(total) if colours is None else colours
    axes.scatter(points[:, 0], points[:, 1], c=colours[ids], s=_dot_area(len(points)), linewidths=0)
    texts = [str(number) if names is None else shorten(names[number]) for number in range(total)]
    present = np.unique(ids)
    if total <= MAX_LEGEND:
        dots = [Line2D([], [], ls="", marker="o", ms=6, color=colours[number]) for number in present]
        shown = [texts[number] for number in present]
        legend = axes.legend(
            dots, shown, title=label, fontsize=SMALL, frameon=False, loc="upper left", bbox_to_anchor=(1, 1)
        )
        for text in legend.get_texts():
            text.set_parse_math(False)
        return
    outline: list[AbstractPathEffect] = [withStroke(linewidth=2, foreground="white")]
    for number in present:
        x, y = np.median(points[ids == number], axis=0)
        text = axes.text(x, y, texts[number], ha="center", va="center", fontsize=SMALL, parse_math=False)
        text.set_path_effects(outline)
