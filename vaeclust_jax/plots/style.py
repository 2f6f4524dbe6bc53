"""Colours, text sizes and the empty figure that the pictures of a report share.

Figures are made with matplotlib's object interface only: without `pyplot` there is no window, no global
state, and nothing to close, so they can be drawn on a server and in threads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import match_clusters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMALL, NORMAL = 8, 10  # text sizes in points
BLUE, VERMILLION, GREY = "#0072B2", "#D55E00", "#999999"
# Okabe and Ito 2008, "Color universal design": eight colours told apart with any colour vision.
OKABE_ITO = (BLUE, "#E69F00", "#009E73", "#CC79A7", "#56B4E9", VERMILLION, "#F0E442", "#000000")
# Petroff 2021, "Accessible color sequences for data visualization" (arXiv:2107.02270), the set of ten.
PETROFF = (
    *("#3F90DA", "#FFA90E", "#BD1F01", "#94A4A2", "#832DB6"),
    *("#A96B59", "#E76300", "#B9AC70", "#717581", "#92DADD"),
)
SEQUENTIAL = "viridis"
_GOLDEN = (5**0.5 - 1) / 2
_SHADES = np.array([(0.9, 0.95), (0.55, 0.75), (0.75, 0.55)])
"""Saturation and value, in turn."""
ON_COLOUR = "#111111"  # of text on a light cell; black is what the page makes light in dark mode


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure.

    Args:
        width: in inches.
        height: in inches.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def axes_for(ax: Axes | None, width: float, height: float) -> Axes:
    """Return the axes to draw on: the given ones, or those of a new figure, of so many inches.

    Raises:
        InputError: something else was given, such as a figure or an array of axes.
    """
    if ax is not None:
        from matplotlib.axes import Axes

        if not isinstance(ax, Axes):
            got = f"{type(ax).__name__} of shape {ax.shape}" if isinstance(ax, np.ndarray) else type(ax).__name__
            raise InputError(f"ax must be the axes of one picture, as of matplotlib.pyplot.subplots()[1], got {got}")
        return ax
    from vaeclust_jax.plots.shown_axes import ShownAxes

    return new_figure(width, height).add_subplot(axes_class=ShownAxes)


def figure_of(axes: Axes) -> Figure:
    """Return the whole figure that axes are part of."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure


def small_multiples(
    count: int, panel: tuple[float, float], max_columns: int, **sharing: Any
) -> tuple[Figure, list[Axes]]:
    """Make a figure with a grid of panels, wider than high, that leaves few places empty.

    Args:
        count: number of panels.
        panel: width and height of one, in inches.
        max_columns: of the grid.
        sharing: `sharex` and `sharey` of `Figure.subplots`.

    Returns:
        The figure and its panels, row by row; the places left over in the last row have none.
    """
    square = min(max_columns, math.ceil(math.sqrt(count)))
    columns = min(range(square, max_columns + 1), key=lambda width: -count % width)
    rows = math.ceil(count / columns)
    figure = new_figure(panel[0] * columns, panel[1] * rows + 0.4)
    panels = figure.subplots(rows, columns, squeeze=False, **sharing).ravel().tolist()
    for above, spare in zip(panels[count - columns : rows * columns - columns], panels[count:], strict=True):
        above.tick_params(labelbottom=True)  # nothing is below it to carry the shared tick labels
        spare.remove()
    for axes in panels[:count]:
        axes.tick_params(labelsize=SMALL)
    return figure, panels[:count]


def categorical_colours(count: int) -> NDArray[np.float64]:
    """Return a colour for each of a number of categories, such as clusters.

    Up to ten they are told apart with any colour vision, on white and on black; the next ten are lighter partners of
    these. No set of more can all be told apart: there hues are a golden section of the circle apart, each third as
    bright, so that few clusters that lie side by side look alike.

    Args:
        count: number of categories.

    Returns:
        Shape (count, 4), RGBA in [0, 1].
    """
    from matplotlib.colors import hsv_to_rgb, to_rgba_array

    strong = to_rgba_array(PETROFF)
    if count <= 2 * len(strong):
        return np.concatenate([strong, 0.55 * strong + 0.45])[:count]
    number = np.arange(count)
    hue, (saturation, value) = number * _GOLDEN % 1, _SHADES[number % len(_SHADES)].T
    return to_rgba_array(hsv_to_rgb(np.stack([hue, saturation, value], axis=1)))


def matched_colours(
    y: NDArray[np.integer], labels: NDArray[np.integer], num_classes: int, num_clusters: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return colours of clusters and of classes: a class has that of the cluster that it is matched to.

    Args:
        y: shape (n,), class numbers.
        labels: shape (n,), cluster ids.
        num_classes: classes left over get colours of their own.
        num_clusters: K.

    Returns:
        Shapes (num_clusters, 4) and (num_classes, 4).
    """
    cluster_of = {match: cluster for cluster, match in match_clusters(y, labels).items() if match >= 0}
    alone = [number for number in range(num_classes) if number not in cluster_of]
    ids = cluster_of | {number: num_clusters + place for place, number in enumerate(alone)}
    colours = categorical_colours(num_clusters + len(alone))
    return colours[:num_clusters], colours[[ids[number] for number in range(num_classes)]]


def as_hex(colours: NDArray[np.float64]) -> list[str]:
    """Colours (count, 4) as #rrggbb."""
    from matplotlib.colors import to_hex

    return [to_hex(tuple(colour)) for colour in colours]


def sequential_palette() -> list[str]:
    """256 colours from low to high, as #rrggbb."""
    import matplotlib
    from matplotlib.colors import to_hex

    return [to_hex(colour) for colour in matplotlib.colormaps[SEQUENTIAL](np.linspace(0, 1, 256))]


def shorten(name: object, length: int = 24) -> str:
    """Cut a name that would take up the picture."""
    text = str(name)
    return text if len(text) <= length else text[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"


def check_same_length(**arrays: Sequence[Any] | NDArray[Any]) -> None:
    """Check that arguments have one entry per sample each.

    Args:
        arrays: by the name of the argument.

    Raises:
        InputError: they are empty, or their lengths differ.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if 0 in lengths.values() or len(set(lengths.values())) > 1:
        got = ", ".join(f"{length} for {name}" for name, length in lengths.items())
        raise InputError(f"{' and '.join(lengths)} must have the same number of samples, not 0; got {got}.")
