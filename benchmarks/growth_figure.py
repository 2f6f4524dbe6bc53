"""The figure of growth: time and memory on logarithmic axes, a line for each thing that grows."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Line(NamedTuple):
    """One thing that grows."""

    name: str
    sizes: Sequence[float]
    values: Sequence[float]
    exponent: float
    """Over the top decade."""


def write_growth(path: Path, panels: dict[str, Sequence[Line]]) -> None:
    """Writes a panel a quantity, side by side.

    Args:
        path: of the picture, replaced if it is there.
        panels: lines by the quantity with its unit.
    """
    from matplotlib.figure import Figure

    from vaeclust_jax.plots.style import OKABE_ITO

    figure = Figure(figsize=(5.5 * len(panels), 4.2), layout="constrained")
    for axes, (quantity, lines) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        for line, colour in zip(lines, OKABE_ITO, strict=False):
            label = f"{line.name}: exponent {line.exponent:.2f}"
            axes.plot(line.sizes, line.values, "o-", color=colour, markersize=4, label=label)
        axes.set(xscale="log", yscale="log", xlabel="how many", ylabel=quantity)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
