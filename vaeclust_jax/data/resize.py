"""Resizing of images as arrays of floats, without rounding to 8 bits on the way."""

import numpy as np


def resize_images(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes each axis by the area mean where it shrinks and linearly where it grows.

    Args:
        x: images `(n, H, W, C)` float32.
        size: the new height and width.

    Returns:
        Images `(n, *size, C)` float32.
    """
    from PIL import Image

    n, height, width, channels = x.shape
    if (height, width) == size:
        return x
    # Pillow counts width first. Shrinking first keeps the second step small.
    shrunk = (min(width, size[1]), min(height, size[0]))
    result = np.empty((n, *size, channels), np.float32)
    for row in range(n):
        for channel in range(channels):
            image = Image.fromarray(np.ascontiguousarray(x[row, :, :, channel]))  # float32 is mode F
            if shrunk != image.size:
                image = image.resize(shrunk, Image.Resampling.BOX)
            if shrunk != (size[1], size[0]):
                image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
            result[row, :, :, channel] = np.asarray(image)
    return result
