"""Numbers that were predicted, beside the true ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from vaeclust_jax.plots.style import BLUE, GREY, NORMAL, SEQUENTIAL, SMALL, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def predictions_against_truth(truth: Float[np.ndarray, " n"], prediction: Float[np.ndarray, " n"]) -> Figure:
    """Draw each prediction over its true value."""
    figure = new_figure(3.8, 3.6)
    axes = figure.subplots()
    low, high = float(min(truth.min(), prediction.min())), float(max(truth.max(), prediction.max()))
    axes.plot([low, high], [low, high], color=GREY, lw=0.8)
    axes.plot(truth, prediction, ".", color=BLUE, ms=3, alpha=0.5)
    axes.set_xlabel("truth", fontsize=SMALL)
    axes.set_ylabel("prediction", fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)
    return figure


def surfaces(inputs: Float[np.ndarray, "n 2"], values: Mapping[str, Float[np.ndarray, " n"]]) -> Figure:
    """Draw two functions of the same two inputs as surfaces, and the second less the first as colours in the plane.

    Args:
        inputs: where they are known.
        values: the true ones, then those predicted.
    """
    import matplotlib.tri

    (first, truth), (second, prediction) = values.items()
    figure = new_figure(10.5, 3.5)
    grid = matplotlib.tri.Triangulation(inputs[:, 0], inputs[:, 1])
    low, high = float(min(truth.min(), prediction.min())), float(max(truth.max(), prediction.max()))
    for place, (name, z) in enumerate(((first, truth), (second, prediction))):
        axes = figure.add_subplot(1, 3, place + 1, projection="3d")
        axes.plot_trisurf(grid, z, cmap=SEQUENTIAL, vmin=low, vmax=high, lw=0)
        axes.set_zlim(low, high)
        axes.set_title(name, fontsize=NORMAL)
        axes.tick_params(labelsize=SMALL - 2, pad=-2)
    axes = figure.add_subplot(1, 3, 3)
    error = prediction - truth
    most = float(np.abs(error).max()) or 1.0
    shown = axes.tripcolor(grid, error, cmap="RdBu_r", vmin=-most, vmax=most, shading="gouraud")
    axes.set_title(f"{second} less {first}", fontsize=NORMAL)
    axes.tick_params(labelsize=SMALL)
    figure.colorbar(shown, ax=axes).ax.tick_params(labelsize=SMALL)
    return figure
