"""Losses of several optimisers over epochs and over seconds, and accuracies, with how far the seeds spread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from vaeclust_jax.plots.style import SMALL, as_hex, categorical_colours, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FEW_EPOCHS = 20
"""Each of which is a point."""


def loss_bands(losses: Mapping[str, Float[np.ndarray, "s e"]], seconds: Mapping[str, float], label: str) -> Figure:
    """Draw the mean loss of each optimiser with a band of one standard deviation, in the logarithm.

    Args:
        losses: by optimiser, above 0, of every seed and epoch.
        seconds: an epoch of each takes.
        label: what the loss is.
    """
    figure = new_figure(8.5, 3.6)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, what in zip(panels, ("epochs", "seconds"), strict=True):
        for (name, values), colour in zip(losses.items(), as_hex(categorical_colours(len(losses))), strict=True):
            logs = np.log10(np.maximum(values, 1e-30))
            mean, spread = logs.mean(axis=0), logs.std(axis=0)
            epochs = np.arange(1, len(mean) + 1)
            across = epochs if what == "epochs" else epochs * seconds[name]
            axes.plot(across, 10**mean, color=colour, lw=1.5, label=name)
            axes.fill_between(across, 10 ** (mean - spread), 10 ** (mean + spread), color=colour, alpha=0.2, lw=0)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(what, fontsize=SMALL)
        axes.tick_params(which="both", labelsize=SMALL)
    panels[0].set_ylabel(label, fontsize=SMALL)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=5, fontsize=SMALL, frameon=False)
    return figure


def accuracy_bands(accuracies: Mapping[str, Float[np.ndarray, "s e"]]) -> Figure:
    """Draw the mean accuracy of each model over its epochs, with a band of one standard deviation.

    Args:
        accuracies: by model, on held-out rows, of every seed and epoch.
    """
    figure = new_figure(6.0, 3.8)
    axes = figure.subplots()
    colours = as_hex(categorical_colours(len(accuracies)))
    for order, ((name, values), colour) in enumerate(zip(accuracies.items(), colours, strict=True)):
        mean, spread = values.mean(axis=0), values.std(axis=0)
        epochs = np.arange(1, len(mean) + 1)
        # Where models are equally good, the first is on top and the others show beside it.
        marker = "o" if len(mean) <= _FEW_EPOCHS else ""
        zorder, width = 3 - order / len(accuracies), 1.5 + 0.8 * order
        axes.plot(epochs, mean, color=colour, marker=marker, ms=3, lw=width, zorder=zorder, label=name)
        axes.fill_between(epochs, mean - spread, mean + spread, color=colour, alpha=0.2, lw=0)
    axes.locator_params(axis="x", integer=True, min_n_ticks=1)
    axes.tick_params(labelsize=SMALL)
    axes.set_xlabel("epochs", fontsize=SMALL)
    axes.set_ylabel("accuracy on held-out rows", fontsize=SMALL)
    figure.legend(loc="outside lower center", ncols=3, fontsize=SMALL, frameon=False)
    return figure
