"""Pictures of data that are vectors: their reconstructions, and the profile of each cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import check_ids
from vaeclust_jax.plots.style import (
    BLUE,
    NORMAL,
    SMALL,
    VERMILLION,
    check_same_length,
    shorten,
    small_multiples,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_SAMPLES = 12
MAX_CLUSTERS = 30
FEW_FEATURES = 20  # up to here each is a point with its own tick


def reconstructed_vectors(x: ArrayLike, x_hat: ArrayLike, names: Sequence[str] | None = None) -> Figure:
    """Draw vectors as lines over their features, with their reconstructions; see `reconstructions`."""
    x, x_hat = _check_vectors("x", x), _check_vectors("x_hat", x_hat)
    if x.shape != x_hat.shape:
        raise InputError(f"x_hat must have the shape of x, {x.shape}; got {x_hat.shape}.")
    names = [f"sample {number}" for number in range(len(x))] if names is None else names
    check_same_length(x=x, names=names)
    count = min(len(x), MAX_SAMPLES)
    figure, panels = small_multiples(count, (2.6, 1.8), max_columns=4, sharex=True, sharey=True)
    features = np.arange(x.shape[1])
    marker = "o" if len(features) <= FEW_FEATURES else None
    for number, axes in enumerate(panels):
        axes.plot(features, x[number], color=BLUE, lw=1.2, marker=marker, ms=4, label="original")
        axes.plot(
            features,
            x_hat[number],
            "--",
            color=VERMILLION,
            lw=1.2,
            marker=marker,
            ms=4,
            label="reconstructed",
        )
        axes.set_title(shorten(names[number]), fontsize=SMALL, parse_math=False)
        _name_features(axes, len(features), None)
    figure.supxlabel("feature", fontsize=SMALL)
    figure.supylabel("value", fontsize=SMALL)
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside upper center",
        ncols=2,
        fontsize=SMALL,
        frameon=False,
    )
    return figure


def profiles_by_cluster(
    x: ArrayLike, labels: ArrayLike, *, num_clusters: int, names: Sequence[str] | None = None
) -> Figure:
    """Draw the mean of every feature in each cluster, with one standard deviation to either side.

    Args:
        x: shape (n, features).
        labels: shape (n,), cluster ids.
        num_clusters: of the model; clusters without samples get a panel that says so. The first 30 are shown.
        names: of the features, shown when they are at most 20.

    Raises:
        InputError: the arguments do not fit together.
    """
    x, labels = _check_vectors("x", x), check_ids("labels", labels, num_clusters)
    check_same_length(x=x, labels=labels)
    if names is not None and len(names) != x.shape[1]:
        raise InputError(f"names must have one entry per feature, {x.shape[1]}; got {len(names)}.")
    shown = min(num_clusters, MAX_CLUSTERS)
    figure, panels = small_multiples(shown, (2.4, 1.8), max_columns=5, sharex=True, sharey=True)
    for cluster, axes in enumerate(panels):
        members = x[labels == cluster]
        if len(members):
            _draw_profile(axes, members)
        else:
            axes.text(0.5, 0.5, "empty", transform=axes.transAxes, ha="center", va="center", fontsize=SMALL)
        axes.set_title(f"cluster {cluster} ({len(members)} samples)", fontsize=SMALL)
        _name_features(axes, x.shape[1], names)
    title = "mean and standard deviation by cluster"
    if num_clusters > shown:
        title += f" ({num_clusters - shown} more clusters not shown)"
    figure.suptitle(title, fontsize=NORMAL)
    figure.supxlabel("feature", fontsize=SMALL)
    figure.supylabel("value", fontsize=SMALL)
    return figure


def _check_vectors(name: str, values: ArrayLike) -> NDArray[np.floating]:
    vectors = np.asarray(values, dtype=np.float32)
    if vectors.ndim != 2 or vectors.size == 0:
        raise InputError(f"{name} must have shape (n, features), not empty; got {vectors.shape}.")
    return vectors


def _draw_profile(axes: Axes, members: NDArray[np.floating]) -> None:
    features = np.arange(members.shape[1])
    mean, spread = members.mean(axis=0), members.std(axis=0)
    if len(features) <= FEW_FEATURES:
        axes.errorbar(features, mean, spread, fmt="o", ms=4, lw=1.2, capsize=2, color=BLUE)
        return
    axes.fill_between(features, mean - spread, mean + spread, color=BLUE, alpha=0.25, lw=0)
    axes.plot(features, mean, color=BLUE, lw=1.2)


def _name_features(axes: Axes, count: int, names: Sequence[str] | None) -> None:
    from matplotlib.ticker import MaxNLocator

    if count > FEW_FEATURES:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        return
    ticks = np.arange(count)
    axes.set_xlim(-0.5, count - 0.5)
    if names is None:
        axes.set_xticks(ticks)
    else:
        labels = [shorten(name, 14) for name in names]
        axes.set_xticks(ticks, labels, rotation=90, fontsize=SMALL, parse_math=False)
