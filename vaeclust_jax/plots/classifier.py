"""Pictures of clusters that classify: how many labels their names need, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from vaeclust_jax.errors import InputError
from vaeclust_jax.plots.agreement import draw_counts
from vaeclust_jax.plots.projections import latent_map
from vaeclust_jax.plots.style import NORMAL, SMALL, categorical_colours, new_figure, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DEVIATIONS = 2.0


def naming_curves(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw the accuracy against the number of labels that name the clusters.

    Args:
        rows: each with `name` (of its line), `labels`, `mean` and `std` (None without a spread).

    Raises:
        InputError: there are no rows.
    """
    if not rows:
        raise InputError("rows must hold at least one number of labels, got none.")
    names = list(dict.fromkeys(row["name"] for row in rows))
    figure = new_figure(7.4, 3.8)
    axes = figure.subplots()
    colours = categorical_colours(len(names))
    for number, name in enumerate(names):
        own = sorted((row for row in rows if row["name"] == name), key=lambda row: row["labels"])
        shift = 1.06 ** (number - (len(names) - 1) / 2)  # so that bars stand beside each other
        axes.errorbar(
            [row["labels"] * shift for row in own],
            [row["mean"] for row in own],
            yerr=[row["std"] or 0.0 for row in own],
            color=colours[number], marker="o", ms=4, lw=1.4, capsize=2, label=shorten(name, 40),
        )  # fmt: skip
    axes.set(xscale="log", ylim=(0, 1))
    axes.set_xlabel("labels that name the clusters", fontsize=NORMAL)
    axes.set_ylabel("accuracy on the test part", fontsize=NORMAL)
    axes.tick_params(labelsize=SMALL)
    axes.grid(alpha=0.3)
    for text in axes.legend(fontsize=SMALL, frameon=False, loc="upper left", bbox_to_anchor=(1, 1)).get_texts():
        text.set_parse_math(False)
    return figure


def class_confusion(counts: ArrayLike, class_names: Sequence[str] | None = None) -> Figure:
    """Draw how the samples of each class were answered.

    Args:
        counts: shape (C, C + 1), classes by answers; the last answer is none. It is drawn if there is one.
        class_names: by class number.

    Raises:
        InputError: another shape, or a name too few.
    """
    counts = np.asarray(counts)
    if counts.ndim != 2 or counts.shape[1] != counts.shape[0] + 1 or not counts.sum():
        raise InputError(f"counts must have shape (C, C + 1) and samples, got shape {counts.shape}.")
    if class_names is not None and len(class_names) < len(counts):
        raise InputError(f"class_names must name {len(counts)} classes, got {len(class_names)}.")
    names = [str(number) if class_names is None else shorten(class_names[number], 12) for number in range(len(counts))]
    title = f"accuracy {np.trace(counts[:, :-1]) / counts.sum():.3f}"
    if not counts[:, -1].any():
        counts = counts[:, :-1]
    return draw_counts(counts, names, [*names, "none"][: counts.shape[1]], "answer", title)


def component_map(
    points: ArrayLike,
    ids: ArrayLike,
    means: ArrayLike,
    covariances: ArrayLike,
    *,
    title: str,
    label: str,
    names: Sequence[str] | None = None,
) -> Figure:
    """Draw points coloured by a category, and over them the components of a mixture as ellipses of two deviations.

    Args:
        points: shape (m, 2).
        ids: shape (m,), from 0.
        means: shape (k, 2), of the components.
        covariances: shape (k, 2, 2).
        title: what the points are.
        label: what the colours are.
        names: of the categories, by id.

    Raises:
        InputError: the arguments do not fit together.
    """
    from matplotlib.patches import Ellipse
    from matplotlib.patheffects import withStroke

    means, covariances = np.asarray(means, np.float64), np.asarray(covariances, np.float64)
    if means.ndim != 2 or means.shape[1] != 2 or covariances.shape != (len(means), 2, 2):
        raise InputError(f"means and covariances must be (k, 2) and (k, 2, 2), got {means.shape}, {covariances.shape}.")
    figure = latent_map(points, ids, title=title, label=label, categorical=True, names=names)
    axes = figure.axes[0]
    axes.set_aspect("equal", adjustable="datalim")  # else circles would look like ellipses
    for number, (mean, covariance) in enumerate(zip(means, covariances, strict=True)):
        values, vectors = np.linalg.eigh(covariance)
        height, width = 2 * _DEVIATIONS * np.sqrt(values.clip(0))
        angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
        axes.add_patch(Ellipse(mean.tolist(), width, height, angle=angle, fill=False, ec="black", lw=1.2))
        text = axes.text(mean[0], mean[1], str(number), ha="center", va="center", fontsize=NORMAL)
        text.set_path_effects([withStroke(linewidth=2, foreground="white")])
    return figure
