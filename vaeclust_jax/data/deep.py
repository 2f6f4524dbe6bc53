"""Colours of 16 bits, of which Pillow keeps 8: put together from two readings of a page, one for each byte."""

import sys
from typing import Any

import numpy as np

from vaeclust_jax.errors import InputError

_BITS, _PLANES, _EXTRA, _MULTIPLIED = 258, 284, 338, (1,)
"""TIFF tags: of each channel's bits, of how channels lie, of a further one: transparency that colours are times."""
_FULL = 65535


def is_halved(image: Any) -> bool:
    """Whether Pillow would keep 8 of the 16 bits of a page's colours, or of its grey beside transparency."""
    if image.mode not in ("RGB", "RGBA"):
        return False
    if image.format == "TIFF":
        return 16 in image.tag_v2.get(_BITS, ())
    if image.format == "PPM":
        return bool(image.tile[0][0] == "ppm" and image.tile[0][-1][1] > 255)
    # Frames of a PNG are made of the ones before, which are halved by then.
    return image.format == "PNG" and image.n_frames == 1 and image.tile[0][-1].endswith(";16B")


def whole(image: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """The page that the image is at, `(H, W)` or `(H, W, 3)` of 16 bits, and its transparency of 8 if it has any.

    Raises:
        InputError: its channels are compressed one by one, of which Pillow gives the one byte alone.
    """
    if image.tile[0][0] == "libtiff" and image.tag_v2.get(_PLANES) == 2:
        raise InputError("it holds channels of 16 bits one after the other: save it with each pixel's colours together")
    high = _bytes_of(image, high=True)
    if image.tile[0][-1] == "LA;16B":  # its four bytes were taken for four channels
        return 256 * high[..., 0] + high[..., 1], high[..., 2].astype(np.uint8)
    values = 256 * high + _bytes_of(image, high=False)
    if image.mode == "RGB":
        return values, None
    colours, alpha = values[..., :3], values[..., 3:]
    if image.format == "TIFF" and image.tag_v2.get(_EXTRA) == _MULTIPLIED:
        colours = np.minimum(np.round(colours * (_FULL / np.maximum(alpha, 1))), _FULL).astype(np.uint16)
    return colours, high[..., 3].astype(np.uint8)


def _bytes_of(image: Any, *, high: bool) -> np.ndarray:
    """The byte of each number that Pillow unpacks if it is told this order of bytes, or the other one."""
    from PIL import Image, ImageOps

    with Image.open(image.filename) as opened:
        page: Any = opened
        page.seek(image.tell())
        page.tile = [_asking(tile, page, high) for tile in page.tile]
        return np.asarray(ImageOps.exif_transpose(page)).astype(np.uint16)


def _asking(tile: Any, page: Any, high: bool) -> Any:
    """The part of a page, to be unpacked into these bytes."""
    codec, layout = tile[0], tile[-1] if isinstance(tile[-1], tuple) else (tile[-1],)
    channels = layout[0].partition(";")[0].upper()
    own = "little" if page.format == "TIFF" and page.tag_v2.prefix == b"II" else "big"
    little = (sys.byteorder if codec == "libtiff" else own) == "little"
    asked = "RGBA" if channels == "LA" else f"{channels};16{'L' if little == high else 'B'}"
    if codec == "ppm":
        return tile._replace(codec_name="raw", args=(asked, 0, 1))
    return tile._replace(args=(asked, *layout[1:]))
