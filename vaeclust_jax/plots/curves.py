"""How the parts of the loss went during training, for all seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vaeclust_jax.control.dynamic import Regime
from vaeclust_jax.errors import InputError
from vaeclust_jax.plots.style import BLUE, GREY, NORMAL, SMALL, VERMILLION, axes_for, figure_of, small_multiples

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[str, Any]

_REGIME = "beta_regime"
_KEYS = ("seed", "stage", "epoch", _REGIME)
_UNITS = dict.fromkeys(("loss", "reconstruction", "kl", "cluster", "beta_d_rec", "beta_d_reg"), "nats per sample")
_UNITS |= {"beta": "weight", "gamma": "weight", "changed": "share of samples"}
_TITLES = {"beta_d_rec": "reconstruction beyond its limit", "beta_d_reg": "kl beyond its limit"}
_SHADES = {
    Regime.REGULARISATION: ("beta rises", "#009E73"),
    Regime.RECONSTRUCTION: ("beta falls", "#E69F00"),
    Regime.BOTH_BAD: ("both losses bad: beta kept", "#CC79A7"),
    Regime.CAPPED: ("rule off: beta at its cap", GREY),
}


def loss_parts(history: Sequence[Row]) -> Figure:
    """Draw each part of the loss over the epochs, the stages one after the other.

    Thin lines are seeds, the thick one is their mean over the epochs that all seeds have. Training is solid,
    validation (the part with "val_" before its name) dashed. Where a controller decided, the epoch is shaded by its
    decision, of the first seed.

    Args:
        history: rows with `seed`, `stage`, `epoch` (from 1 in each stage) and the parts of that epoch; a row
            may lack parts. `beta_regime` is no part but a `Regime`.

    Raises:
        InputError: no row has a part.
    """
    parts = _parts_in(history)
    figure, panels = small_multiples(len(parts), (3.0, 2.3), max_columns=4)
    for part, axes in zip(parts, panels, strict=True):
        _draw_part(axes, history, part)
    handles: dict[Any, Any] = {line.get_label(): line for axes in panels for line in axes.get_lines()}
    handles |= {patch.get_label(): patch for patch in panels[0].patches}
    names = ("training", "validation", "one seed", *(name for name, _ in _SHADES.values()))
    shown = [name for name in names if name in handles]
    legend = [handles[name] for name in shown]
    figure.legend(legend, shown, loc="outside lower center", ncols=4, fontsize=SMALL, frameon=False)
    return figure


def loss_part(history: Sequence[Row], part: str, *, ax: Axes | None = None) -> Figure:
    """Draw one part of the loss over the epochs, as `loss_parts` does.

    Args:
        history: as for `loss_parts`.
        part: such as "loss", "kl" or "reconstruction".
        ax: to draw on; None for those of a new figure.

    Raises:
        InputError: no row has the part.
    """
    parts = _parts_in(history)
    if part not in parts:
        raise InputError(f"part must be one of {', '.join(parts)}; got {part!r}.")
    axes = axes_for(ax, 5.0, 3.2)
    _draw_part(axes, history, part)
    handles: dict[Any, Any] = {found.get_label(): found for found in (*axes.get_lines(), *axes.patches)}
    shown = {name: handle for name, handle in handles.items() if not str(name).startswith("_")}
    axes.legend(shown.values(), shown.keys(), fontsize=SMALL, frameon=False)
    return figure_of(axes)


def loss_phases(history: Sequence[Row]) -> Figure:
    """Draw the loss of each stage in a panel of its own, for stages whose losses do not compare.

    Thin lines are seeds, the thick one is their mean; training is solid, validation dashed.

    Args:
        history: as for `loss_parts`, with a `loss` in every row.

    Raises:
        InputError: no row has a loss.
    """
    stages = list(dict.fromkeys(row["stage"] for row in history if "loss" in row))
    if not stages:
        raise InputError("history must have a loss, got none.")
    figure, panels = small_multiples(len(stages), (2.7, 2.5), max_columns=4)
    for stage, axes in zip(stages, panels, strict=True):
        rows = [row for row in history if row["stage"] == stage]
        for key, colour, dash, label in (
            ("loss", BLUE, "-", "training"),
            ("val_loss", VERMILLION, "--", "validation"),
        ):
            _draw_lines(axes, rows, {stage: 0}, key, colour, dash, label)
        axes.set_title(stage, fontsize=NORMAL)
        axes.locator_params(axis="x", integer=True, min_n_ticks=1)
        axes.set_xlabel("epoch", fontsize=SMALL)
    panels[0].set_ylabel("nats per sample", fontsize=SMALL)
    handles: dict[Any, Any] = {line.get_label(): line for axes in panels for line in axes.get_lines()}
    shown = [name for name in ("training", "validation", "one seed") if name in handles]
    legend = [handles[name] for name in shown]
    figure.legend(legend, shown, loc="outside lower center", ncols=3, fontsize=SMALL, frameon=False)
    return figure


def _parts_in(history: Sequence[Row]) -> list[str]:
    """Return the parts of the loss that rows have, each once."""
    parts = dict.fromkeys(key.removeprefix("val_") for row in history for key in row if key not in _KEYS)
    if not parts:
        raise InputError(f"history must have rows with parts of a loss; got {len(history)} without.")
    return list(parts)


def _draw_part(axes: Axes, history: Sequence[Row], part: str) -> None:
    starts = _stage_starts(history)
    last = max(starts[row["stage"]] + int(row["epoch"]) for row in history)
    _draw_lines(axes, history, starts, part, BLUE, "-", "training")
    _draw_lines(axes, history, starts, f"val_{part}", VERMILLION, "--", "validation")
    _draw_stages(axes, starts)
    _shade_regimes(axes, history, starts)
    axes.set_title(_TITLES.get(part, part), fontsize=NORMAL, loc="left", pad=16)
    axes.set_xlim(0.5, last + 0.5)  # also where a part is missing from a stage: one axis for all parts
    axes.locator_params(axis="x", integer=True, min_n_ticks=1)
    axes.set_xlabel("epoch", fontsize=SMALL)
    axes.set_ylabel(_UNITS.get(part, ""), fontsize=SMALL)


def _shade_regimes(axes: Axes, history: Sequence[Row], starts: Mapping[str, int]) -> None:
    """Shade the epochs after which the first seed's controller decided; one band for a run of equal decisions."""
    first = history[0]["seed"]
    regimes = {
        starts[row["stage"]] + int(row["epoch"]): int(row[_REGIME])
        for row in history
        if row["seed"] == first and row.get(_REGIME) is not None
    }
    for regime, (name, colour) in _SHADES.items():
        epochs = np.array(sorted(epoch for epoch, found in regimes.items() if found == regime))
        for band in np.split(epochs, np.flatnonzero(np.diff(epochs) > 1) + 1) if len(epochs) else []:
            axes.axvspan(band[0] - 0.5, band[-1] + 0.5, color=colour, alpha=0.25, lw=0, label=name)


def _stage_starts(history: Sequence[Row]) -> dict[str, int]:
    """Return how many epochs come before each stage: the longest of the seeds decides, for a common axis."""
    longest: dict[str, int] = {}
    for row in history:
        longest[row["stage"]] = max(longest.get(row["stage"], 0), int(row["epoch"]))
    before = np.cumsum([0, *longest.values()])
    return dict(zip(longest, before[:-1].tolist(), strict=True))


def _draw_lines(
    axes: Axes,
    history: Sequence[Row],
    starts: Mapping[str, int],
    key: str,
    colour: str,
    dash: str,
    label: str,
) -> None:
    seeds: dict[Any, dict[int, float]] = {}
    for row in history:
        if row.get(key) is not None:
            seeds.setdefault(row["seed"], {})[starts[row["stage"]] + int(row["epoch"])] = float(row[key])
    if not seeds:
        return
    if len(seeds) > 1:
        for values in seeds.values():
            axes.plot(*_line(values, starts), dash, color=colour, lw=0.7, alpha=0.45, label="one seed")
    common = set.intersection(*(set(values) for values in seeds.values()))
    mean = {x: float(np.mean([values[x] for values in seeds.values()])) for x in common}
    few = len(mean) <= 12  # then the epochs are worth a point each, and a single one is not a line
    axes.plot(*_line(mean, starts), dash, color=colour, lw=1.8, marker="." if few else None, label=label)


def _line(values: Mapping[int, float], starts: Mapping[str, int]) -> tuple[NDArray, NDArray]:
    """Order the points and break the line where a stage starts: the loss has another meaning from there."""
    x = np.array(sorted(values), dtype=float)
    y = np.array([values[int(epoch)] for epoch in x])
    breaks = np.unique(np.searchsorted(x, [start + 0.5 for start in starts.values()]))
    breaks = breaks[(breaks > 0) & (breaks < len(x))]
    return np.insert(x, breaks, np.nan), np.insert(y, breaks, np.nan)


def _draw_stages(axes: Axes, starts: Mapping[str, int]) -> None:
    """Mark where each stage starts; the first is named left of the second, so that short ones never meet."""
    boundaries = [start + 0.5 for start in starts.values()]
    for boundary in boundaries[1:]:
        axes.axvline(boundary, color=GREY, lw=0.8)
    for number, name in enumerate(starts):
        before_next = number == 0 and len(starts) > 1
        axes.annotate(
            name,
            (boundaries[1] if before_next else boundaries[number], 1.0),
            xycoords=axes.get_xaxis_transform(),
            xytext=(-3 if before_next else 3, 3),
            textcoords="offset points",
            ha="right" if before_next else "left",
            fontsize=SMALL,
            color="#555555",
        )
