"""The figures of a report by one name for images and vectors, and their way to disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from vaeclust_jax.plots.images import reconstructed_images
from vaeclust_jax.plots.vectors import reconstructed_vectors
from vaeclust_jax.whole_file import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def reconstructions(x: ArrayLike, x_hat: ArrayLike, names: Sequence[str] | None = None) -> Figure:
    """Draw samples and what the decoder makes of them.

    Args:
        x: images of shape (n, height, width, 1 or 3) in [0, 1], of which the first 30 are shown, or vectors
            of shape (n, features), of which the first 12 are shown.
        x_hat: their reconstructions, of the same shape.
        names: of the samples.

    Raises:
        InputError: the arguments do not fit together.
    """
    draw = reconstructed_vectors if np.ndim(x) == 2 else reconstructed_images
    return draw(x, x_hat, names)


def save_figures(folder: Path, figures: Mapping[str, Figure], dpi: int = 120) -> list[Path]:
    """Save figures as `folder/<name>.png`, and for papers and the page as vectors in `folder/<name>.svg`.

    Equal figures are equal bytes. The layout of a figure is settled here: what is added later moves nothing.

    Args:
        folder: an existing folder.
        figures: by name.
        dpi: pixels per inch of the PNG.

    Returns:
        The files, in the order of the figures.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    paths = []
    for name, figure in figures.items():
        png, svg = (folder / f"{name}.{ending}" for ending in ("png", "svg"))
        figure.set_dpi(dpi)
        # `Figure.savefig` writes the same bytes, and draws once more before each file, to nowhere.
        with whole_file(png) as file:
            FigureCanvasAgg(figure).print_png(file)
        figure.set_layout_engine("none")  # it is laid out: a second time would take as long as drawing
        with whole_file(svg) as file, rc_context({"svg.hashsalt": name}):
            FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None})
        paths += [png, svg]
    return paths
