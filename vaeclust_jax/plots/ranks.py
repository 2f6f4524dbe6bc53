"""The picture of methods ranked over several data sets, and of which of them cannot be told apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.plots.style import BLUE, GREY, SMALL, new_figure, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_TICKS = 15
_LINE = 0.24  # inches, from one method's text to the next; the unit of height
_BAR = 0.45  # of a line, from one bar to the next


def critical_difference_diagram(
    ranks: ArrayLike,
    names: Sequence[str],
    *,
    critical_difference: float | None,
    groups: Sequence[tuple[int, ...]],
) -> Figure:
    """Draw methods on an axis of mean ranks, the best on the right, bars joining those that do not differ.

    After Demsar 2006, "Statistical comparisons of classifiers over multiple data sets", figure 1.

    Args:
        ranks: shape (m,), the mean rank of each method over the data sets, in [1, m].
        names: of the methods.
        critical_difference: how far ranks must lie apart to differ, drawn over the axis; None for tests that
            have no such number.
        groups: the methods that do not differ, each a tuple of positions in `names`; those of one are left out.

    Raises:
        InputError: there are fewer than two methods, a rank or a group is out of range, or lengths differ.
    """
    ranks = np.asarray(ranks, dtype=np.float64)
    _check(ranks, names, groups)
    count = len(ranks)
    joined = [ranks[list(group)] for group in groups if len(group) > 1]
    margin = 0.008 * count  # so that the bars show beside their outermost methods
    spans = [(members.min() - margin, members.max() + margin) for members in joined]
    levels = _levels(spans)
    first = _BAR * (max(levels, default=0) + 1) + 0.8  # lines below the axis, where the methods start
    depth = first + math.ceil(count / 2) - 0.5
    above = 1.0 if critical_difference is None else 4.0  # lines
    figure = new_figure(7.4, _LINE * (depth + above))
    axes = figure.subplots()
    axes.set(xlim=(count, 1), ylim=(depth, 0.8 - above))
    _draw_axis(axes, count)
    _draw_methods(axes, ranks, names, first)
    for (low, high), level in zip(spans, levels, strict=True):
        axes.plot([low, high], [0.5 + _BAR * level] * 2, color=BLUE, lw=3, solid_capstyle="butt")
    if critical_difference is not None:
        fits = critical_difference <= count - 1
        ends = (count, count - critical_difference if fits else 1)
        axes.plot(ends, [-2.4] * 2, color="black", lw=1, marker="|", clip_on=False)
        text = f"critical difference {critical_difference:.2f}" + ("" if fits else ", longer than the axis")
        axes.text(sum(ends) / 2, -2.7, text, ha="center", va="bottom", fontsize=SMALL)
    return figure


def _check(ranks: NDArray[np.float64], names: Sequence[str], groups: Sequence[tuple[int, ...]]) -> None:
    count = len(names)
    if ranks.shape != (count,) or count < 2:
        raise InputError(f"ranks must be of two methods or more, one for each of {count} names, got {ranks.shape}.")
    if not ((ranks >= 1) & (ranks <= count)).all():
        raise InputError(f"ranks must be in [1, {count}], got {ranks.min()} to {ranks.max()}.")
    for group in groups:
        if not all(0 <= member < count for member in group):
            raise InputError(f"groups must hold positions from 0 to {count - 1}, got {group}.")


def _levels(spans: Sequence[tuple[float, float]]) -> list[int]:
    """Give each bar the first level on which it touches no other, in the order of the bars."""
    levels: list[int] = []
    for low, high in spans:
        placed = zip(spans, levels, strict=False)
        taken = {level for (start, end), level in placed if start <= high and low <= end}
        levels.append(min(set(range(len(taken) + 1)) - taken))
    return levels


def _draw_axis(axes: Axes, count: int) -> None:
    axes.spines[["left", "right", "bottom"]].set_visible(False)
    axes.spines["top"].set_position(("data", 0))
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xticks(range(1, count + 1, -(-count // MAX_TICKS)))
    axes.set_xlabel("mean rank", fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)
    axes.set_yticks([])


def _draw_methods(axes: Axes, ranks: NDArray[np.float64], names: Sequence[str], first: float) -> None:
    """Hang each method from its rank: the better half to texts on the right, the others to the left."""
    count = len(ranks)
    order = np.argsort(ranks, kind="stable").tolist()
    better = order[: count // 2]
    for side, members in ((1.0, better), (float(count), order[: count // 2 - 1 : -1])):
        for line, member in enumerate(members):
            depth, right = first + line, side == 1
            axes.plot([ranks[member]] * 2 + [side], [0, depth, depth], color=GREY, lw=1, clip_on=False)
            parts = (f"{ranks[member]:.2f}", shorten(names[member]))
            axes.annotate(
                "  ".join(parts if right else parts[::-1]),
                (side, depth),
                xytext=(4 if right else -4, 0),
                textcoords="offset points",
                ha="left" if right else "right",
                va="center",
                fontsize=SMALL,
                parse_math=False,
            )
