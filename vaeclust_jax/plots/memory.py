"""Pictures of memories: where small nets rest, recall from noise, recall by load, and states on their way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from vaeclust_jax.plots.lines import Line, line_with_spread
from vaeclust_jax.plots.style import BLUE, GREY, NORMAL, OKABE_ITO, SMALL, VERMILLION, new_figure, small_multiples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KINDS = {
    "stored": (BLUE, "o", 8),
    "spurious attractor": (VERMILLION, "s", 7),
    "unstable": (GREY, "x", 6),
}


def attractors(
    nets: Sequence[tuple[Float[np.ndarray, "t n f"], Mapping[str, Float[np.ndarray, "m f"]]]],
) -> Figure:
    """Draw where states of two or three units go, a panel a net.

    Args:
        nets: of each the states over time from every start, and the places where states rest by their kind: "stored",
            "spurious attractor" or "unstable".
    """
    figure = new_figure(4.6 * len(nets), 4.6)
    for number, (paths, places) in enumerate(nets):
        solid = paths.shape[2] == 3
        axes = figure.add_subplot(1, len(nets), number + 1, projection="3d" if solid else None)
        for path in np.swapaxes(paths, 0, 1):
            axes.plot(*path.T, color=GREY, lw=0.6, alpha=0.7)
        axes.plot(*paths[0].T, ls="", marker=".", ms=3.5, color="#555555", label="start")
        for kind, points in places.items():
            colour, marker, size = _KINDS[kind]
            axes.plot(*np.asarray(points).T, ls="", marker=marker, ms=size, color=colour, label=kind, zorder=3)
        axes.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15))
        axes.set_xlabel("unit 1", fontsize=SMALL)
        axes.set_ylabel("unit 2", fontsize=SMALL)
        if solid:
            axes.set_zlabel("unit 3", fontsize=SMALL)  # type: ignore[attr-defined]
            axes.view_init(elev=24, azim=-64)  # type: ignore[attr-defined]
            axes.set_box_aspect(None, zoom=0.85)  # type: ignore[call-arg]
        else:
            axes.set_aspect("equal")
        for axis in (axes.xaxis, axes.yaxis, *([axes.zaxis] if solid else [])):  # type: ignore[attr-defined]
            axis.set_ticks([-1, 0, 1])
        axes.tick_params(labelsize=SMALL)
        axes.set_title(f"{paths.shape[2]} units", fontsize=NORMAL, loc="left")
        axes.legend(fontsize=SMALL, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2)
    return figure


def recall_by_noise(panels: Mapping[str, Mapping[int, Line]]) -> Figure:
    """Draw the share recalled over the noise, a panel a net and a line a number of iterations."""
    figure, axes = small_multiples(len(panels), (3.2, 2.6), max_columns=3, sharey=True)
    for (name, lines), panel in zip(panels.items(), axes, strict=True):
        for colour, (most, line) in zip(OKABE_ITO, lines.items(), strict=False):
            line_with_spread(panel, line, colour, f"{most} iteration{'' if most == 1 else 's'}")
        panel.set_title(name, fontsize=NORMAL, loc="left")
        panel.set_xlabel("noise (standard deviation)", fontsize=SMALL)
        panel.set_ylim(-0.03, 1.03)
    axes[0].set_ylabel("patterns recalled", fontsize=SMALL)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=5, fontsize=SMALL, frameon=False)
    return figure


def recall_by_load(lines: Mapping[str, Line], bound: float) -> Figure:
    """Draw the share of random patterns recalled over the load, a line a net.

    Args:
        lines: by net.
        bound: of the classical net, patterns a unit.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    figure = new_figure(5.2, 3.2)
    axes = figure.add_subplot()
    for (name, line), colour in zip(lines.items(), OKABE_ITO, strict=False):
        line_with_spread(axes, line, colour, name)
    axes.axvline(bound, color=GREY, ls="--", lw=1, label=f"{bound:g} patterns a unit")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("patterns a unit", fontsize=SMALL)
    axes.set_ylabel("patterns recalled", fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)
    axes.legend(fontsize=SMALL, frameon=False)
    return figure


def recalled_images(rows: Mapping[str, Float[np.ndarray, "n h w c"]]) -> Figure:
    """Draw rows of images under each other: what was stored, what a net was shown, what it made of it."""
    columns = max(map(len, rows.values()))
    figure = new_figure(0.62 * columns + 1.3, 0.86 * len(rows) + 0.2)
    panels = figure.subplots(len(rows), columns, squeeze=False)
    for (name, images), cells in zip(rows.items(), panels, strict=True):
        for axes, image in zip(cells, images, strict=False):
            axes.imshow(np.clip(image[..., 0], 0, 1), cmap="gray_r", vmin=0, vmax=1)
        for axes in cells:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        cells[0].set_ylabel(name, fontsize=SMALL, rotation=0, ha="right", va="center")
    return figure
