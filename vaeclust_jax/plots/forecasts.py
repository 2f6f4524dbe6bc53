"""Forecasts of a series beside what came, their errors, and how their models were trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from vaeclust_jax.plots.style import (
    BLUE,
    GREY,
    NORMAL,
    SMALL,
    VERMILLION,
    as_hex,
    categorical_colours,
    new_figure,
    small_multiples,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_RAN_AWAY = 1e3  # an NMSE above it leaves the panel, so that the others can be told apart


def forecasts_of(
    forecasts: Mapping[str, Float[np.ndarray, "s h"]], past: Float[np.ndarray, " p"], truth: Float[np.ndarray, " h"]
) -> Figure:
    """Draw the forecasts of several methods from one origin, a panel each.

    Args:
        forecasts: of every seed, by method.
        past: the last values before the origin.
        truth: what came.
    """
    figure, panels = small_multiples(len(forecasts), (4.2, 1.9), max_columns=2, sharex=True, sharey=True)
    for axes, (name, found) in zip(panels, forecasts.items(), strict=True):
        axes.plot(np.arange(-len(past), 0), past, color=GREY, lw=0.8)
        _draw(axes, found, truth)
        axes.set_title(name, fontsize=NORMAL, loc="left")
    _finish(figure, panels, [*past, *truth])
    return figure


def forecasts_from(
    origins: Sequence[int] | np.ndarray, forecasts: Float[np.ndarray, "s o h"], truths: Float[np.ndarray, "o h"]
) -> Figure:
    """Draw the forecasts of one method from several origins, the first of them if they are many.

    Args:
        origins: how many values are before each.
        forecasts: of every seed.
        truths: what came.
    """
    count = min(len(origins), 8)
    figure, panels = small_multiples(count, (4.2, 1.9), max_columns=2, sharex=True, sharey=True)
    for place, axes in enumerate(panels):
        _draw(axes, forecasts[:, place], truths[place])
        axes.set_title(f"after {origins[place]} values", fontsize=NORMAL, loc="left")
    _finish(figure, panels, truths[:count].ravel())
    return figure


def _draw(axes: Axes, found: np.ndarray, truth: np.ndarray) -> None:
    steps = np.arange(len(truth))
    axes.plot(steps, truth, color="black", lw=1.4, label="truth")
    if len(found) > 1:
        for row in found:
            axes.plot(steps, row, color=BLUE, lw=0.5, alpha=0.5, label="one seed")
    axes.plot(steps, np.median(found, axis=0), color=VERMILLION, lw=1.4, label="median of seeds")


def _finish(figure: Figure, panels: Sequence[Axes], shown: Any) -> None:
    low, high = float(np.min(shown)), float(np.max(shown))
    room = 0.15 * ((high - low) or 1.0)
    panels[0].set_ylim(low - room, high + room)  # a forecast that runs away leaves the panel
    for axes in panels:
        axes.set_xlabel("steps after the origin", fontsize=SMALL)
    handles = {line.get_label(): line for axes in panels for line in axes.get_lines()}
    names = [name for name in ("truth", "one seed", "median of seeds") if name in handles]
    figure.legend(
        [handles[name] for name in names], names, loc="outside lower center", ncols=3, fontsize=SMALL, frameon=False
    )


def errors_by_origin(origins: Sequence[int] | np.ndarray, errors: Mapping[str, Float[np.ndarray, "s o"]]) -> Figure:
    """Draw the NMSE of every method and seed at every origin, on a log scale.

    Args:
        origins: how many values are before each.
        errors: by method.
    """
    figure = new_figure(max(5.5, 1.1 * len(origins) + 2), 3.4)
    axes = figure.subplots()
    colours = as_hex(categorical_colours(len(errors)))
    width = 0.8 / len(errors)
    for number, (name, found) in enumerate(errors.items()):
        places = np.arange(len(origins)) + (number - (len(errors) - 1) / 2) * width
        axes.plot(np.tile(places, len(found)), found.ravel(), ".", color=colours[number], ms=4, alpha=0.6, label=name)
        axes.hlines(np.median(found, axis=0), places - width / 2.5, places + width / 2.5, color=colours[number], lw=2)
    axes.axhline(1, color=GREY, lw=0.8, ls="--")
    axes.set_yscale("log")
    if max(map(np.max, errors.values())) > _RAN_AWAY:
        axes.set_ylim(min(map(np.min, errors.values())) / 2, _RAN_AWAY)
    axes.set_xticks(np.arange(len(origins)), [str(origin) for origin in origins])
    axes.set_xlabel("values before the origin", fontsize=SMALL)
    axes.set_ylabel("NMSE", fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)
    figure.legend(loc="outside lower center", ncols=4, fontsize=SMALL, frameon=False)
    return figure


def fold_losses(histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Draw the losses of several fits, a panel each, on one log scale.

    Args:
        histories: by fit, rows with `seed`, `epoch`, `loss` and, where rows are held out, `val_loss`.
    """
    figure, panels = small_multiples(len(histories), (3.0, 2.2), max_columns=4, sharey=True)
    for axes, (name, history) in zip(panels, histories.items(), strict=True):
        for key, colour, style, label in (
            ("loss", BLUE, "-", "training"),
            ("val_loss", VERMILLION, "--", "validation"),
        ):
            curves = _by_seed(history, key)
            for epochs, values in curves:
                axes.plot(epochs, values, color=colour, lw=0.5, alpha=0.4)
            if curves:
                shortest = min(len(epochs) for epochs, _ in curves)
                mean = np.mean([values[:shortest] for _, values in curves], axis=0)
                axes.plot(curves[0][0][:shortest], mean, style, color=colour, lw=1.6, label=label)
        axes.set_yscale("log")
        axes.tick_params(which="both", labelsize=SMALL)
        axes.locator_params(axis="x", integer=True, min_n_ticks=1)
        axes.set_title(name, fontsize=NORMAL, loc="left")
        axes.set_xlabel("epoch", fontsize=SMALL)
    panels[0].set_ylabel("squared error / variance", fontsize=SMALL)
    handles = {line.get_label(): line for axes in panels for line in axes.get_lines()}
    names = [name for name in ("training", "validation") if name in handles]
    figure.legend(
        [handles[name] for name in names], names, loc="outside lower center", ncols=2, fontsize=SMALL, frameon=False
    )
    return figure


def _by_seed(history: Sequence[Mapping[str, Any]], key: str) -> list[tuple[np.ndarray, np.ndarray]]:
    seeds = dict.fromkeys(row["seed"] for row in history if key in row)
    rows = {seed: [row for row in history if row["seed"] == seed and key in row] for seed in seeds}
    return [(np.array([row["epoch"] for row in of]), np.array([row[key] for row in of])) for of in rows.values()]
