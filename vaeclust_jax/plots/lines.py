"""Means with their spread along an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaeclust_jax.plots.style import OKABE_ITO, SMALL, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Line = tuple[Sequence[float], Sequence[float], Sequence[float]]
"""Places along the axis, means and deviations."""


def line_with_spread(axes: Axes, line: Line, colour: str, label: str) -> None:
    """Draw means of shares, which stay in [0, 1], and a band of one deviation about them."""
    x, mean, deviation = map(np.asarray, line)
    axes.plot(x, mean, color=colour, marker=".", lw=1.2, label=label)
    axes.fill_between(
        x, np.clip(mean - deviation, 0, 1), np.clip(mean + deviation, 0, 1), color=colour, alpha=0.15, lw=0
    )


def accuracy_by_labels(lines: Mapping[str, Line]) -> Figure:
    """Draw accuracy over the labels a class, a line for what a classifier reads."""
    figure = new_figure(5.2, 3.2)
    axes = figure.add_subplot()
    for (name, line), colour in zip(lines.items(), OKABE_ITO, strict=False):
        line_with_spread(axes, line, colour, name)
    axes.set_xscale("log")
    axes.set_xticks(next(iter(lines.values()))[0], labels=[str(x) for x in next(iter(lines.values()))[0]])
    axes.minorticks_off()
    axes.set_xlabel("labels a class", fontsize=SMALL)
    axes.set_ylabel("accuracy on held-out rows", fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)
    axes.legend(fontsize=SMALL, frameon=False)
    return figure
