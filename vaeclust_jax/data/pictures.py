"""Picture files of any depth, with transparency, several pages and turned by their camera, as arrays."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vaeclust_jax.data.reading import ReadConfig
from vaeclust_jax.data.resize import resize_images
from vaeclust_jax.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
_STACKS = ("TIFF", "GIF", "WEBP", "PNG")
"""Formats whose pages are samples; others keep a preview there."""
_SMALLER_COPY = 254
"""The TIFF tag (NewSubfileType) of a page that is another page made smaller, or its mask."""
_FULL = 65535
_LEAST_FULL = 0.5
"""Of 16 bits: pictures that use less are of a camera of fewer bits."""


@dataclass(frozen=True)
class Pictures:
    """How pictures were brought to one size and to [0, 1], kept with a model.

    Attributes:
        intensity: the values of black and white, of pictures of more than 8 bits or of floats.
        size: (H, W) that pictures of many sizes were brought to; None of pictures of one size.
        sizes: how, "pad", "crop" or "stretch".
        from_alpha: whether their transparency is the picture, since nothing else differs.
    """

    intensity: tuple[float, float] | None = None
    size: tuple[int, int] | None = None
    sizes: str = "pad"
    from_alpha: bool = False

    def to_json(self) -> dict[str, Any]:
        """A plain dict that `from_json` reads back."""
        return {
            "intensity": None if self.intensity is None else list(self.intensity),
            "size": None if self.size is None else list(self.size),
            "sizes": self.sizes,
            "from_alpha": self.from_alpha,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Pictures":
        """What `to_json` described.

        Raises:
            InputError: through `ReadConfig`, impossible settings.
        """
        intensity, size = record["intensity"], record["size"]
        checked = ReadConfig(intensity_range=None if intensity is None else tuple(intensity), sizes=record["sizes"])
        height_width = None if size is None else (int(size[0]), int(size[1]))
        return cls(checked.intensity_range, height_width, checked.sizes, bool(record["from_alpha"]))


class Page(NamedTuple):
    """One picture: grey `(H, W)` or `(H, W, 3)`, as it is stored, and its transparency, 0 to 255, if it has any."""

    values: np.ndarray
    alpha: np.ndarray | None


def read_pages(path: Path) -> list[Page]:
    """Every page of a file.

    Raises:
        InputError: it cannot be read as a picture, or claims too many pixels.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Pillow only warns of the smaller decompression bombs.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return list(_pages(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"{path} claims too many pixels to be unpacked safely: {error}") from error
    except UnidentifiedImageError as error:
        raise InputError(f"{path} cannot be read as an image: its content is of no known image format") from error
    except Exception as error:  # every format has its own errors for damaged files
        raise InputError(f"{path} cannot be read as an image: {error}") from error


def _pages(image: "Image") -> Any:
    from PIL import ImageOps

    count = getattr(image, "n_frames", 1) if image.format in _STACKS else 1
    for number in range(count):
        image.seek(number)
        if number and getattr(image, "tag_v2", {}).get(_SMALLER_COPY, 0):
            continue
        image.load()
        yield _page(ImageOps.exif_transpose(image))


def _page(image: "Image") -> Page:
    if image.mode.startswith("I") or image.mode == "F":
        return Page(np.asarray(image), None)
    if image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info:
        rgba = np.asarray(image.convert("RGBA"))
        grey = image.mode in ("L", "LA", "La")
        return Page(rgba[..., 0] if grey else rgba[..., :3], None if (rgba[..., 3] == 255).all() else rgba[..., 3])
    return Page(np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB")), None)


def stack_pages(
    pages: Sequence[Page], config: ReadConfig, like: Pictures | None, where: str
) -> tuple[np.ndarray, Pictures, list[str]]:  # fmt: skip
    """Pictures as one array.

    Args:
        pages: at least one.
        config: the range and the way to one size, where they are asked for.
        like: of a model: its range and size are taken.
        where: what errors call the pictures.

    Returns:
        `(n, H, W)` or `(n, H, W, 3)`, uint8 or float32 in [0, 1]; how they were read; sentences on it.

    Raises:
        InputError: pictures that are all equal, or of impossible values.
    """
    taken: list[str] = []
    made = Pictures(config.intensity_range, None, config.sizes) if like is None else replace(like)
    images, made = _without_alpha(pages, made, like is None, taken)
    images, made = _in_range(images, made, where, taken)
    colour = any(image.ndim == 3 for image in images)
    images = [np.stack([image] * 3, axis=-1) if colour and image.ndim == 2 else image for image in images]
    shapes = {image.shape[:2] for image in images}
    if made.size is not None or (len(shapes) > 1 and like is None):
        median = np.median([image.shape[:2] for image in images], axis=0)
        size = made.size or (round(float(median[0])), round(float(median[1])))
        made = replace(made, size=size)
        images = [_to_size(image, size, made.sizes) for image in images]
        taken.append(f"{len(shapes)} sizes were brought to {size[1]} x {size[0]} pixels by {made.sizes} (--sizes)")
    elif len(shapes) > 1:
        raise InputError(f"{where} differ in size, but those that the model was trained on did not: resize them")
    x = np.stack(images)
    if len(x) > 1 and (x == x[0]).all():
        raise InputError(f"{where} are all equal: there is nothing to tell apart")
    return x, made, taken


def in_unit_range(
    x: np.ndarray, config: ReadConfig, like: Pictures | None, where: str
) -> tuple[np.ndarray, Pictures | None, list[str]]:
    """Images of an array file as bytes or in [0, 1]: those that are neither, by their range, which is said.

    Args:
        x: `(n, H, W)` or `(n, H, W, C)`, of any numbers; anything else comes back as it is.
        config: the range, where it is asked for.
        like: of a model, whose range is taken.
        where: what errors call them.

    Raises:
        InputError: values that are not finite, or all the same.
    """
    asked = config.intensity_range if like is None else like.intensity
    if x.ndim not in (3, 4) or x.dtype.kind not in "iuf" or x.size == 0:
        return x, None, []
    low, high = float(x.min()), float(x.max())
    fits = low >= 0 and high <= (255 if x.dtype.kind in "iu" else 1)
    if asked is None and (fits or like is not None or not np.isfinite([low, high]).all()):
        return x, None, []
    if asked is None and high <= low:
        raise InputError(f"{where} holds the one value {low:g}: there is nothing to tell apart")
    black, white = asked or (low, high)
    said = f"{black:g} is black and {white:g} is white (--intensity-range)"
    return _scaled(x, black, white), Pictures(intensity=(black, white)), [said]


def _without_alpha(
    pages: Sequence[Page], made: Pictures, free: bool, taken: list[str]
) -> tuple[list[np.ndarray], Pictures]:
    """Composited on white; the transparency itself where all colours are one."""
    clear = [page for page in pages if page.alpha is not None]
    if free and len(clear) == len(pages):
        colours = {tuple(np.ravel(page.values[0, 0])) for page in pages}
        constant = len(colours) == 1 and all((page.values == page.values[:1, :1]).all() for page in pages)
        made = replace(made, from_alpha=constant)
        if constant:
            taken.append("all pictures have one colour: their transparency is the picture")
    if made.from_alpha:
        return [
            np.full(page.values.shape[:2], 255, np.uint8) if page.alpha is None else page.alpha for page in pages
        ], made
    if clear:
        taken.append(f"{len(clear)} pictures with transparency were put on white")
    return [page.values if page.alpha is None else _on_white(page.values, page.alpha) for page in pages], made


def _on_white(values: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    share = (alpha / 255.0)[(...,) + (np.newaxis,) * (values.ndim - 2)]
    return np.round(share * values + (1 - share) * 255).astype(np.uint8)


def _in_range(
    images: list[np.ndarray], made: Pictures, where: str, taken: list[str]
) -> tuple[list[np.ndarray], Pictures]:
    """Pictures of more than 8 bits by the range of them all; those of 8 bits as they are."""
    deep = [image for image in images if image.dtype != np.uint8]
    if not deep:
        if made.intensity is None:
            return images, made
        low, high = made.intensity
        return [_scaled(image, low, high) for image in images], made
    if not all(np.isfinite(image).all() for image in deep):
        raise InputError(f"{where} hold values that are not finite")
    if len(deep) < len(images):
        dark = max(float(image.max()) for image in deep) < _LEAST_FULL * _FULL
        if dark or any(image.dtype.kind == "f" for image in deep) or made.intensity is not None:
            raise InputError(f"{where} are partly of 8 bits and partly not: give folders of one kind")
        return [_eight_bits(image, where) for image in images], made
    low, high = float(min(image.min() for image in deep)), float(max(image.max() for image in deep))
    whole = all(image.dtype.kind in "iu" for image in deep)
    if made.intensity is None and whole and low >= 0 and _LEAST_FULL * _FULL <= high <= _FULL:
        return [_eight_bits(image, where) for image in images], made
    if made.intensity is None:
        if high <= low:
            raise InputError(f"{where} all hold the one value {low:g}: there is nothing to tell apart")
        is_unit = not whole and low >= 0 and high <= 1
        made = replace(made, intensity=(0.0, 1.0) if is_unit else (low, high))
    low, high = made.intensity or (low, high)
    taken.append(f"{low:g} is black and {high:g} is white (--intensity-range)")
    return [_scaled(image, low, high) for image in images], made


def _scaled(image: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((image.astype(np.float64) - low) / (high - low), 0, 1).astype(np.float32)


def _eight_bits(image: np.ndarray, where: str) -> np.ndarray:
    if image.dtype == np.uint8:
        return image
    if image.min() < 0 or image.max() > _FULL:
        raise InputError(
            f"{where} have grey values from {image.min()} to {image.max()}: write --intensity-range LOW HIGH"
        )
    return np.round(image.astype(np.int64) / 257).astype(np.uint8)  # 65535 = 257 * 255


def _to_size(image: np.ndarray, size: tuple[int, int], how: str) -> np.ndarray:
    """The picture at another size: stretched, or at its own proportions, padded with its border or cropped."""
    height, width = image.shape[:2]
    floats = image.astype(np.float32)[np.newaxis]
    floats = floats if image.ndim == 3 else floats[..., np.newaxis]
    if how == "stretch":
        made = resize_images(floats, size)[0]
    else:
        pick = min if how == "pad" else max
        scale = pick(size[0] / height, size[1] / width)
        inner = tuple(max(1, round(scale * side)) for side in (height, width))
        made = resize_images(floats, (inner[0], inner[1]))[0]
        border = np.concatenate([made[0], made[-1], made[:, 0], made[:, -1]])
        canvas = np.broadcast_to(np.median(border, axis=0), (*size, made.shape[-1])).copy()
        (to_row, from_row), (to_column, from_column) = map(_places, inner, size)
        canvas[to_row, to_column] = made[from_row, from_column]
        made = canvas
    made = made if image.ndim == 3 else made[..., 0]
    return np.round(made).astype(np.uint8) if image.dtype == np.uint8 else made.astype(np.float32)


def _places(inner: int, outer: int) -> tuple[slice, slice]:
    """Where the middle of one side lies in the other, there and here."""
    start = abs(outer - inner) // 2
    shared, all_of_it = slice(start, start + min(inner, outer)), slice(0, min(inner, outer))
    return (shared, all_of_it) if outer >= inner else (all_of_it, shared)
