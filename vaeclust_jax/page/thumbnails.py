"""Images that a page holds in itself: a thumbnail for each point of the map, a mosaic for each cluster.

They are WebP, which every browser reads: the same pixels in half the bytes of PNG.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SIDE = 64  # pixels
BUDGET = 2_500_000  # values of all thumbnails of a map together, which keeps a page to a few MB
PER_ROW = 12
_SMALL, _EXACT_BUDGET = 28, 1_600_000  # pixels of a side; values of all thumbnails of a map


def fitting(thumbnails: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Shrink images, keeping their shape, so that all of them fit in a page.

    Args:
        thumbnails: shape (m, height, width, 1 or 3).

    Returns:
        The same number of images, with sides of at most 64 pixels, fewer where there are many.
    """
    from PIL import Image

    count, height, width, channels = thumbnails.shape
    factor = min(1.0, MAX_SIDE / max(height, width), float(np.sqrt(BUDGET / (count * height * width * channels))))
    if factor == 1.0:
        return thumbnails
    size = max(1, int(width * factor)), max(1, int(height * factor))
    small = [np.asarray(_image(image).resize(size, Image.Resampling.BOX)) for image in thumbnails]
    return np.stack(small).reshape(count, size[1], size[0], channels)


def data_uri(pixels: NDArray[np.uint8], *, exact: bool = True) -> str:
    """Encode an image in a `data:` address.

    Args:
        pixels: shape (height, width, 1 to 4): grey, grey and opacity, RGB or RGBA.
        exact: every pixel as it is; else as alike as the eye needs, in a third of the bytes.
    """
    has_opacity = pixels.shape[-1] in (2, 4) and (pixels[..., -1] < 255).any()
    content = io.BytesIO()
    image = _image(pixels).convert("RGBA" if has_opacity else "RGB")
    # Slower methods gain nothing on small images.
    image.save(content, format="WEBP", lossless=exact, quality=80, method=2)
    return "data:image/webp;base64," + base64.b64encode(content.getvalue()).decode("ascii")


def is_drawn_exactly(thumbnails: NDArray[np.uint8]) -> bool:
    """Whether these are so small that every pixel of them is seen, and all of them fit in a page as they are."""
    return max(thumbnails.shape[1:3]) <= _SMALL and thumbnails.size <= _EXACT_BUDGET


def mosaic(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay images out in rows of twelve, with see-through gaps, to be read row by row.

    Args:
        images: shape (k, height, width, 1 or 3), one after the other.

    Returns:
        Shape (rows * (height + gap), columns * (width + gap), 2 or 4): the last channel is opacity.
    """
    count, height, width, channels = images.shape
    gap = max(1, round(0.04 * max(height, width)))
    columns = min(count, PER_ROW)
    rows = -(-count // columns)
    canvas = np.zeros((rows * columns, height + gap, width + gap, channels + 1), np.uint8)
    canvas[:count, :height, :width, :channels] = images
    canvas[:count, :height, :width, channels] = 255
    grid = canvas.reshape(rows, columns, height + gap, width + gap, channels + 1).swapaxes(1, 2)
    return grid.reshape(rows * (height + gap), columns * (width + gap), channels + 1)


def _image(pixels: NDArray[np.uint8]) -> Image:
    from PIL import Image

    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
