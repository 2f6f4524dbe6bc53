"""Picture files as one array: what is found out about all of them decides how each becomes a row."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vaeclust_jax.data.mapped import give_back, room_for
from vaeclust_jax.data.pages import Facts, Page, facts_of, read_pages
from vaeclust_jax.data.reading import ReadConfig
from vaeclust_jax.data.resize import resize_images
from vaeclust_jax.data.workers import in_order
from vaeclust_jax.errors import InputError

IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
_DIM = 0.25
"""Of the range: where most pictures use less, it is one of few bright pixels."""
_BYTES_HELD = 2**28
"""Of an array in a file, after which the memory that they fill is given back."""
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
        longest_side: pixels that the longest side of larger ones was brought to, or None.
    """

    intensity: tuple[float, float] | None = None
    size: tuple[int, int] | None = None
    sizes: str = "pad"
    from_alpha: bool = False
    longest_side: int | None = None

    def to_json(self) -> dict[str, Any]:
        """A plain dict that `from_json` reads back."""
        return {
            "intensity": None if self.intensity is None else list(self.intensity),
            "size": None if self.size is None else list(self.size),
            "sizes": self.sizes,
            "from_alpha": self.from_alpha,
            "longest_side": self.longest_side,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Pictures":
        """What `to_json` described.

        Raises:
            InputError: through `ReadConfig`, impossible settings.
        """
        intensity, size = record["intensity"], record["size"]
        checked = ReadConfig(
            intensity_range=None if intensity is None else tuple(intensity),
            sizes=record["sizes"],
            longest_side=record.get("longest_side"),  # models of an earlier version have none
        )
        height_width = None if size is None else (int(size[0]), int(size[1]))
        alpha = bool(record["from_alpha"])
        return cls(checked.intensity_range, height_width, checked.sizes, alpha, checked.longest_side)


def read_pictures(
    paths: Sequence[Path], config: ReadConfig, like: Pictures | None, where: str
) -> tuple[np.ndarray, Pictures, list[int], list[str]]:
    """Every page of the files as one array: its rows are filled file by file, and no page is held beside it.

    Args:
        paths: of at least one file.
        config: the range and the way to one size, where they are asked for.
        like: of a model: its range and size are taken.
        where: what errors call the pictures.

    Returns:
        `(n, H, W)` or `(n, H, W, 3)`, uint8 or float32 in [0, 1], in a file where memory is small beside it; how they
        were read; the number of pages of each file; sentences on it.

    Raises:
        InputError: a file that cannot be read, pictures that are all equal, or of impossible values.
    """
    from PIL import Image

    with warnings.catch_warnings():  # for all threads, which must not touch the filters
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # an error of ours
        facts = list(in_order(facts_of, paths, "looking at pictures"))
        pages = [one for of_file in facts for one in of_file]
        way, taken = _decide(pages, config, like, where)
        x, mapped = room_for((len(pages), *way.shape), np.float32 if way.made.intensity else np.uint8, where)
        counts = [len(of_file) for of_file in facts]
        starts = np.cumsum([0, *counts[:-1]]).tolist()

        def fill(item: tuple[Path, int]) -> None:
            for row, page in enumerate(read_pages(item[0]), item[1]):
                x[row] = way.of(page)

        held = max(1, _BYTES_HELD // x[:1].nbytes)
        for number, _ in enumerate(in_order(fill, list(zip(paths, starts, strict=True)), "reading pictures"), 1):
            if mapped and number % held == 0:
                give_back(x)
    if mapped:
        give_back(x)
        taken.append(mapped)
    if len(x) > 1 and all((row == x[0]).all() for row in x[1:]):
        raise InputError(f"{where} are all equal: there is nothing to tell apart")
    return x, way.made, counts, taken


@dataclass(frozen=True)
class _Way:
    """How each page becomes a row, whichever the others are.

    Attributes:
        made: as kept with a model.
        shape: of a row, (H, W) or (H, W, 3).
    """

    made: Pictures
    shape: tuple[int, ...]

    def of(self, page: Page) -> np.ndarray:
        image = page.values
        if self.made.from_alpha:
            image = np.full(image.shape[:2], 255, np.uint8) if page.alpha is None else page.alpha
        elif page.alpha is not None:
            deep_white = _FULL if self.made.intensity is None else self.made.intensity[1]
            image = _on_white(image, page.alpha, 255 if image.dtype == np.uint8 else deep_white)
        image = _eight_bits(image) if self.made.intensity is None else _scaled(image, *self.made.intensity)
        if len(self.shape) == 3 and image.ndim == 2:
            image = np.stack([image] * 3, axis=-1)
        if self.made.longest_side is not None:
            image = _to_size(image, _within(image.shape[:2], self.made.longest_side), "stretch")
        size = (self.shape[0], self.shape[1])
        return image if image.shape[:2] == size and self.made.size is None else _to_size(image, size, self.made.sizes)


def _decide(
    pages: Sequence[Facts], config: ReadConfig, like: Pictures | None, where: str
) -> tuple[_Way, list[str]]:  # fmt: skip
    """The way that all pages go, and sentences on it."""
    taken: list[str] = []
    made = like or Pictures(config.intensity_range, None, config.sizes, longest_side=config.longest_side)
    if like is None and _is_in_alpha(pages):
        taken.append("all pictures have one colour: their transparency is the picture")
        made = replace(made, from_alpha=True)
    if not made.from_alpha:
        if clear := sum(page.clear for page in pages):
            taken.append(f"{clear} pictures with transparency were put on white")
        made = _of_range(pages, made, where, taken)
    shapes = {page.shape for page in pages}
    if (longest := made.longest_side) is not None:
        if larger := sum(max(page.shape) > longest for page in pages):
            taken.append(f"{larger} pictures were made smaller, to {longest} pixels on their longest side")
        shapes = {_within(shape, longest) for shape in shapes}
    size = next(iter(shapes))
    if made.size is not None or (len(shapes) > 1 and like is None):
        found = [page.shape if longest is None else _within(page.shape, longest) for page in pages]
        median = np.median(found, axis=0)
        size = made.size or (round(float(median[0])), round(float(median[1])))
        made = replace(made, size=size)
        if shapes != {size}:
            of = f"{len(shapes)} sizes were" if len(shapes) > 1 else "all pictures were"
            taken.append(f"{of} brought to height {size[0]} and width {size[1]} by {made.sizes} (--sizes)")
    elif len(shapes) > 1:
        raise InputError(f"{where} differ in size, but those that the model was trained on did not: resize them")
    grey = made.from_alpha or all(page.grey for page in pages)
    return _Way(made, size if grey else (*size, 3)), taken


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
    if like is None and len(x) > 1 and high <= low:
        raise InputError(f"{where} holds the one value {low:g}: there is nothing to tell apart")
    if asked is None and (fits or like is not None or not np.isfinite([low, high]).all()):
        return x, None, []
    black, white = asked or (low, high)
    middle = float(np.median([image.max() for image in x]))
    said = f"images of {x.shape[1]} x {x.shape[2]}: {_said_of_range(black, white, middle)}"
    scaled = np.empty(x.shape, np.float32)
    for row, image in enumerate(x):
        scaled[row] = _scaled(image, black, white)
    return scaled, Pictures(intensity=(black, white)), [said]


def _is_in_alpha(pages: Sequence[Facts]) -> bool:
    """Whether all pixels have one colour, so that only their transparency tells pictures apart."""
    colours = {page.colour for page in pages}
    return all(page.clear for page in pages) and len(colours) == 1 and None not in colours


def _on_white(values: np.ndarray, alpha: np.ndarray, white: float) -> np.ndarray:
    share = (alpha / 255.0)[(...,) + (np.newaxis,) * (values.ndim - 2)]
    return np.round(share * values + (1 - share) * white).astype(values.dtype)


def _of_range(pages: Sequence[Facts], made: Pictures, where: str, taken: list[str]) -> Pictures:
    """Pictures of more than 8 bits by the range of them all; those of 8 bits, and of all of 16, as bytes."""
    deep = [page for page in pages if page.kind]
    if not deep:
        return made
    low, high = min(page.low for page in deep), max(page.high for page in deep)
    if not all(np.isfinite([page.low, page.high]).all() for page in deep):
        raise InputError(f"{where} hold values that are not finite")
    whole = all(page.kind in "iu" for page in deep)
    if len(deep) < len(pages) and (high < _LEAST_FULL * _FULL or not whole or made.intensity is not None):
        raise InputError(f"{where} are partly of 8 bits and partly not: give folders of one kind")
    middle = float(np.median([page.high for page in deep]))
    full = low >= 0 and middle >= _LEAST_FULL * _FULL and high <= _FULL
    if made.intensity is None and whole and (len(deep) < len(pages) or full):
        if low < 0 or high > _FULL:
            raise InputError(f"{where} have grey values from {low:g} to {high:g}: write --intensity-range LOW HIGH")
        return made
    if made.intensity is None:
        if high <= low:
            raise InputError(f"{where} all hold the one value {low:g}: there is nothing to tell apart")
        is_unit = not whole and low >= 0 and high <= 1
        made = replace(made, intensity=(0.0, 1.0) if is_unit else (low, high))
    taken.append(_said_of_range(*(made.intensity or (low, high)), middle))
    return made


def _said_of_range(black: float, white: float, middle: float) -> str:
    """What is black and white, and whether white is so seldom reached that it may be a fault of the camera.

    Args:
        black, white: as found or asked for.
        middle: the median of the pictures' largest values.
    """
    dark = (
        f"; half of the pictures are nowhere brighter than {middle:g}"
        if middle - black < _DIM * (white - black)
        else ""
    )
    return f"{black:g} is black and {white:g} is white{dark} (--intensity-range)"


def _scaled(image: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((image.astype(np.float64) - low) / (high - low), 0, 1).astype(np.float32)


def _eight_bits(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint8:
        return image
    return np.round(image.astype(np.int64) / 257).astype(np.uint8)  # 65535 = 257 * 255


def _within(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    """(H, W) of a picture whose longest side is that at most, of the same proportions."""
    scale = min(1.0, longest / max(shape[:2]))
    return max(1, round(scale * shape[0])), max(1, round(scale * shape[1]))


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
