"""What the patches of images look at, in each block of a transformer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from vaeclust_jax.errors import InputError
from vaeclust_jax.plots.style import SEQUENTIAL, SMALL, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_BLOCKS = 8
_CELL = 0.9  # inches


def attention_maps(images: ArrayLike, shares: ArrayLike, patch: int) -> Figure:
    """Draw each image, and for each block how much all patches look at each one: 1 is an even share.

    Args:
        images: shape (n, H, W, C), in [0, 1].
        shares: shape (depth, n, heads, T, T), rows sum to one; of more than 8 blocks 8 are drawn, evenly spaced.
        patch: side of a patch, in pixels.

    Raises:
        InputError: the arguments do not fit together.
    """
    images, shares = np.asarray(images), np.asarray(shares)
    if images.ndim != 4 or shares.ndim != 5:
        raise InputError(f"images and shares must have 4 and 5 axes, got {images.shape} and {shares.shape}.")
    height, width = images.shape[1] // patch, images.shape[2] // patch
    if shares.shape[1] != len(images) or shares.shape[3:] != (height * width, height * width):
        raise InputError(f"shares must be of {len(images)} images and {height * width} patches, got {shares.shape}.")
    received = shares.mean(axis=2).sum(axis=2)  # over heads, then over who looks: 1 in the mean of the patches
    blocks = np.unique(np.linspace(0, len(shares) - 1, min(len(shares), _MOST_BLOCKS), dtype=int))
    figure = new_figure(_CELL * (len(blocks) + 1) + 0.8, _CELL * len(images) + 0.3)
    grid = figure.subplots(len(images), len(blocks) + 1, squeeze=False)
    for row, image in zip(grid, images, strict=True):
        row[0].imshow(image[..., 0] if image.shape[-1] == 1 else image, cmap="gray_r", vmin=0, vmax=1)
    drawn = None
    for column, block in enumerate(blocks, start=1):
        for row, values in zip(grid, received[block], strict=True):
            drawn = row[column].imshow(
                values.reshape(height, width), cmap=SEQUENTIAL, vmin=0, vmax=max(2.0, received.max())
            )
        grid[0][column].set_title(f"block {block + 1}", fontsize=SMALL)
    for axes in grid.ravel():
        axes.set_xticks([])
        axes.set_yticks([])
    assert drawn is not None, "at least one block"
    bar = figure.colorbar(drawn, ax=grid, fraction=0.03)
    bar.ax.tick_params(labelsize=SMALL)
    return figure
