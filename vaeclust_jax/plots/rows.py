"""Rows of images under each other, each row with what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from vaeclust_jax.errors import InputError
from vaeclust_jax.plots.images import CELL, check_images, draw_mosaic
from vaeclust_jax.plots.style import SMALL, figure_of, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ACROSS = 20
_SMALLER = 0.7  # of a cell, for components


def named_rows(rows: Mapping[str, ArrayLike]) -> Figure:
    """Draw a row of images for each name, column by column the same sample.

    Args:
        rows: by name; each of shape (n, height, width, 1 or 3) in [0, 1].

    Raises:
        InputError: a row that cannot be shown, or rows of different shapes.
    """
    images = [check_images(name, row) for name, row in rows.items()]
    if len({row.shape for row in images}) != 1:
        raise InputError(f"rows must be of one shape, got {[row.shape for row in images]}.")
    columns = len(images[0])
    axes = new_figure(columns * CELL + 1.4, len(images) * CELL + 0.2).add_subplot()
    draw_mosaic(axes, images, columns)
    axes.set_yticks(np.arange(len(images)) + 0.5, list(rows), fontsize=SMALL)
    return figure_of(axes)


def components(weights: ArrayLike, shape: tuple[int, int], most: int = 100) -> Figure:
    """Draw what hidden units weigh each pixel by: grey is 0, white positive, black negative, each on its own scale.

    Args:
        weights: (pixels, units), of which the strongest are shown, by their norm.
        shape: height and width.
        most: units that are shown.

    Raises:
        InputError: not a weight a pixel.
    """
    weights = np.asarray(weights, np.float64)
    if weights.ndim != 2 or len(weights) != np.prod(shape):
        raise InputError(f"weights must be of {np.prod(shape)} pixels, got shape {weights.shape}.")
    order = np.argsort(-np.linalg.norm(weights, axis=0), kind="stable")[:most]
    shown = weights[:, order].T
    scale = np.abs(shown).max(axis=1, keepdims=True)
    images = (0.5 + 0.5 * shown / np.where(scale > 0, scale, 1)).reshape(-1, *shape, 1).astype(np.float32)
    rows = [images[start : start + _ACROSS] for start in range(0, len(images), _ACROSS)]
    columns = min(_ACROSS, len(images))
    axes = new_figure(columns * CELL * _SMALLER + 0.2, len(rows) * CELL * _SMALLER + 0.2).add_subplot()
    draw_mosaic(axes, rows, columns)
    axes.set_yticks([])
    return figure_of(axes)
