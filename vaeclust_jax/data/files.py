"""The person's own data: `.npz` files and folders of images."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vaeclust_jax.data.dataset import Dataset, check_array, check_labels
from vaeclust_jax.errors import InputError
from vaeclust_jax.whole_file import whole_file

if TYPE_CHECKING:
    from PIL.Image import Image

IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


def read_npz(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Reads the raw arrays `x` and `y` of an `.npz` file; `y` is None where the file has none.

    Raises:
        InputError: if the file is damaged, holds pickled objects or has no `x`.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if "x" not in arrays:
                raise InputError(f"{path} must hold an array named x, got {sorted(arrays) or 'no arrays'}")
            return arrays["x"], arrays.get("y")
    except InputError:
        raise
    except Exception as error:  # zip, zlib, lzma and numpy each have their own words for a damaged file
        if "pickle" in str(error):
            raise InputError(
                f"{path} holds pickled Python objects, which could run code and are never read;"
                " save plain arrays of numbers with numpy.savez(path, x=..., y=...)"
            ) from error
        raise InputError(f"{path} cannot be read as an .npz file, it may be damaged or cut short: {error}") from error


def write_npz(path: Path, x: np.ndarray, y: np.ndarray | None) -> None:
    """Writes `x` and, where known, `y`; the file appears whole or not at all."""
    arrays = {"x": x} if y is None else {"x": x, "y": y}
    with whole_file(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load_npz(path: Path) -> Dataset:
    """Loads an `.npz` file with `x` (see `check_array`) and optionally `y` (see `check_labels`).

    Raises:
        InputError: if the file or its arrays cannot be used.
    """
    raw_x, raw_y = read_npz(path)
    x = check_array(raw_x, f"x of {path}")
    if raw_y is None:
        return Dataset(x, None, path.stem, source=str(path))
    y, class_names = check_labels(raw_y, len(x), f"y of {path}")
    return Dataset(x, y, path.stem, class_names=class_names, source=str(path))


def load_folder(folder: Path) -> Dataset:
    """Loads a folder of images of one size, either flat (no labels) or with one sub-folder a class.

    Images are grey, `(n, H, W, 1)`, if every one of them is; otherwise RGB, `(n, H, W, 3)`. Transparency is
    dropped, 16-bit grey is scaled to 8 bits, and hidden files are ignored.

    Raises:
        InputError: if there are no images, one cannot be read, or their sizes differ.
    """
    paths = _images_in(folder)
    classes = {
        sub.name: images
        for sub in sorted(folder.iterdir())
        if sub.is_dir() and not sub.name.startswith(".") and (images := _images_in(sub))
    }
    if paths and classes:
        raise InputError(
            f"{folder} holds images both directly ({paths[0].name}) and in sub-folders"
            f" ({next(iter(classes))}); keep either a flat folder or one sub-folder a class"
        )
    if not paths and not classes:
        allowed = " ".join(suffix[1:] for suffix in IMAGE_SUFFIXES)
        raise InputError(f"{folder} holds no images, neither directly nor in sub-folders (read are: {allowed})")
    y = None
    if classes:
        paths = [path for images in classes.values() for path in images]
        y = np.repeat(np.arange(len(classes), dtype=np.int32), [len(images) for images in classes.values()])
    return Dataset(
        x=check_array(_stack_images(paths), f"the images in {folder}"),
        y=y,
        name=folder.resolve().name,
        class_names=tuple(classes) or None,
        row_names=tuple(path.relative_to(folder).as_posix() for path in paths),
        source=str(folder),
    )


def _images_in(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def _stack_images(paths: Sequence[Path]) -> np.ndarray:
    images = []
    for path in paths:
        images.append(_read_image(path))
        if images[-1].shape[:2] != images[0].shape[:2]:
            sizes = [f"{p.name} is {a.shape[1]}x{a.shape[0]}" for p, a in ((paths[0], images[0]), (path, images[-1]))]
            raise InputError(
                f"the images in {path.parent} differ in size ({' and '.join(sizes)} pixels, width x height);"
                " resize them to one size first"
            )
    if all(image.ndim == 2 for image in images):
        return np.stack(images)
    return np.stack([np.stack([image] * 3, axis=-1) if image.ndim == 2 else image for image in images])


def _read_image(path: Path) -> np.ndarray:
    """Grey images as `(H, W)`, all others as `(H, W, 3)`, uint8."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Pillow only warns of the smaller decompression bombs.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                image.load()
                return _to_8_bit(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"{path} claims too many pixels to be unpacked safely: {error}") from error
    except UnidentifiedImageError as error:
        raise InputError(f"{path} cannot be read as an image: its content is of no known image format") from error
    except Exception as error:  # every format has its own errors for damaged files
        raise InputError(f"{path} cannot be read as an image: {error}") from error


def _to_8_bit(image: "Image") -> np.ndarray:
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.int64)
        if grey.min() < 0 or grey.max() > 65535:
            raise ValueError(f"its grey values run from {grey.min()} to {grey.max()}, allowed are 16 bits")
        return np.round(grey / 257).astype(np.uint8)  # 65535 = 257 * 255
    if image.mode == "F":
        raise ValueError("it holds float pixels, allowed are 8 or 16 bits")
    return np.asarray(image.convert("L" if image.mode in ("1", "L", "LA", "La") else "RGB"))
