"""Pages of picture files, one at a time: of any depth, with transparency, turned as their camera says."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vaeclust_jax.data.deep import is_halved, whole
from vaeclust_jax.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

_STACKS = ("TIFF", "GIF", "WEBP", "PNG")
"""Formats whose pages are samples; others keep a preview there."""
_SMALLER_COPY = 254
"""The TIFF tag (NewSubfileType) of a page that is another page made smaller, or its mask."""
_PLAIN = ("1", "L", "P", "RGB", "CMYK", "YCbCr")
"""Modes of 8 bits without transparency: all that has to be known of them is in the file's first bytes."""
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""What a TIFF begins with."""
_ORIENTATION, _ON_THEIR_SIDE = 274, (5, 6, 7, 8)
_KIND, _WHOLE, _SIGNED = 339, (1,), (2,)
"""The TIFF tag (SampleFormat) of what numbers are, without which they are whole and not negative."""


class Page(NamedTuple):
    """One picture: grey `(H, W)` or `(H, W, 3)`, as it is stored, and its transparency, 0 to 255, if it has any."""

    values: np.ndarray
    alpha: np.ndarray | None


class Facts(NamedTuple):
    """What has to be known of all pages before the first of them can become a row of an array.

    Attributes:
        shape: (H, W).
        grey: whether it has one channel.
        kind: "" of 8 bits, otherwise numpy's letter for its numbers: "i", "u" or "f".
        low, high: the extremes of those.
        clear: whether it has transparency.
        colour: the one that all its pixels have, of a page with transparency.
    """

    shape: tuple[int, int]
    grey: bool
    kind: str = ""
    low: float = 0.0
    high: float = 0.0
    clear: bool = False
    colour: tuple[int, ...] | None = None


def read_pages(path: Path) -> Iterator[Page]:
    """Every page of a file.

    Raises:
        InputError: it cannot be read as a picture, or claims too many pixels.
    """
    with _opened(path) as image:
        yield from _pages(image)


def facts_of(path: Path) -> list[Facts]:
    """Of every page of a file; nothing is decoded that need not be.

    Raises:
        InputError: as `read_pages`.
    """
    with _opened(path) as image:
        plain = image.mode in _PLAIN and "transparency" not in image.info and not is_halved(image)
        if _count(image) > 1 or not plain or _meant(image) is not None:
            return [_facts(page) for page in _pages(image)]
        height, width = image.height, image.width
        # A PNG would be decoded to look for it behind the pixels.
        turned = image.format != "PNG" or "exif" in image.info
        if turned and image.getexif().get(_ORIENTATION) in _ON_THEIR_SIDE:
            height, width = width, height
        return [Facts((height, width), image.mode in ("1", "L"))]


@contextmanager
def _opened(path: Path) -> Iterator["Image"]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            _check_pixels(image)
            yield image
    except Image.DecompressionBombError as error:
        raise InputError(f"{path} claims too many pixels to be unpacked safely: {error}") from error
    except UnidentifiedImageError as error:
        why = "its content is of no known image format"
        with path.open("rb") as file:
            if file.read(4) in _TIFF:
                why = (
                    "it is a TIFF that is damaged or of numbers that are not read: save grey as 8 or 16 bits or as "
                    "floats of 32 bits, colours as 8 or 16 bits"
                )
        raise InputError(f"{path} cannot be read as an image: {why}") from error
    except Exception as error:  # every format has its own errors for damaged files
        raise InputError(f"{path} cannot be read as an image: {error}") from error


def _check_pixels(image: "Image") -> None:
    """Pillow only warns of the smaller decompression bombs, and a filter of warnings is of all threads."""
    from PIL import Image

    pixels, most = image.width * image.height, Image.MAX_IMAGE_PIXELS
    if most is not None and pixels > most:
        raise Image.DecompressionBombError(f"{pixels} pixels, more than {most}")


def _count(image: "Image") -> int:
    return getattr(image, "n_frames", 1) if image.format in _STACKS else 1


def _pages(image: "Image") -> Iterator[Page]:
    from PIL import ImageOps

    for number in range(_count(image)):
        image.seek(number)
        if number and getattr(image, "tag_v2", {}).get(_SMALLER_COPY, 0):
            continue
        _check_pixels(image)
        if is_halved(image):
            values, alpha = whole(image)
            yield Page(values, None if alpha is None or (alpha == 255).all() else alpha)
            continue
        meant = _meant(image)
        image.load()
        page = _page(ImageOps.exif_transpose(image))
        yield page if meant is None else page._replace(values=page.values.view(meant))


def _meant(image: "Image") -> str | None:
    """What the numbers of a TIFF are, where Pillow takes them for others of as many bits."""
    kind = getattr(image, "tag_v2", {}).get(_KIND, _WHOLE)
    return {("L", _SIGNED): "int8", ("I", _WHOLE): "uint32"}.get((image.mode, kind))


def _page(image: "Image") -> Page:
    if image.mode.startswith("I") or image.mode == "F":
        return Page(np.asarray(image), None)
    if image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info:
        rgba = np.asarray(image.convert("RGBA"))
        grey = image.mode in ("L", "LA", "La")
        return Page(rgba[..., 0] if grey else rgba[..., :3], None if (rgba[..., 3] == 255).all() else rgba[..., 3])
    return Page(np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB")), None)


def _facts(page: Page) -> Facts:
    values = page.values
    height, width = values.shape[:2]
    plain = Facts((height, width), values.ndim == 2)
    if values.dtype != np.uint8:
        seen = values if page.alpha is None or not page.alpha.any() else values[page.alpha > 0]
        plain = plain._replace(kind=values.dtype.kind, low=float(seen.min()), high=float(seen.max()))
    if page.alpha is None:
        return plain
    colour = tuple(np.ravel(values[0, 0]).tolist()) if (values == values[:1, :1]).all() else None
    return plain._replace(clear=True, colour=colour)
