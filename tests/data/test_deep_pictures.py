"""Pictures whose numbers Pillow halves or takes for others are read as they are, or refused in one sentence."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from vaeclust_jax.data import Dataset, ReadConfig, load
from vaeclust_jax.errors import InputError, InputWarning

from .made_files import deep_png, tiff

X = np.random.default_rng(0).integers(0, 4096, (6, 7, 9, 4)).astype(np.uint16)
"""Of a camera of 12 bits."""


def saved(folder: Path, files: list[bytes], ending: str = "tif") -> Path:
    folder.mkdir()
    for number, content in enumerate(files):
        (folder / f"{number}.{ending}").write_bytes(content)
    return folder


def read(path: Path, **settings: object) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        return load(path, ReadConfig(**settings))  # type: ignore[arg-type]


def ppm(image: np.ndarray) -> bytes:
    return b"P6 %d %d 65535\n" % image.shape[1::-1] + image.astype(">u2").tobytes()


@pytest.mark.parametrize(
    ("made", "ending"),
    [
        (deep_png, "png"),
        (ppm, "ppm"),
        (tiff, "tif"),
        (lambda image: tiff(image, order=">"), "tif"),
        (lambda image: tiff(image, planes=True), "tif"),
        (lambda image: tiff(image, order=">", planes=True), "tif"),
        (lambda image: tiff(image, packed=True), "tif"),
    ],
    ids=["png", "ppm", "tiff", "big", "planes", "big-planes", "packed"],
)
def test_colours_of_16_bits_are_read_by_their_own_range(made: object, ending: str, tmp_path: Path) -> None:
    found = read(saved(tmp_path / "a", [made(image) for image in X[..., :3]], ending))  # type: ignore[operator]
    low, high = float(X[..., :3].min()), float(X[..., :3].max())
    np.testing.assert_allclose(found.x, (X[..., :3] - low) / (high - low), atol=1e-6)
    assert found.taken == (f"{low:g} is black and {high:g} is white (--intensity-range)",)


def test_planes_that_are_packed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="save it with each pixel's colours together"):
        load(saved(tmp_path / "a", [tiff(image[..., :3], planes=True, packed=True) for image in X]))


@pytest.mark.parametrize("made", [deep_png, tiff, lambda image: tiff(image, extra=1)], ids=["png", "tiff", "times"])
def test_transparency_beside_16_bits_is_put_on_the_white_of_their_range(made: object, tmp_path: Path) -> None:
    x = X.copy()
    x[..., 3] = 65535
    x[0, :2, :, :] = 0
    found = read(saved(tmp_path / "a", [made(image) for image in x]))  # type: ignore[operator]
    assert (found.x[0, :2] == 1).all()
    low, high = float(x[1:, ..., :3].min()), float(x[1:, ..., :3].max())
    np.testing.assert_allclose(found.x[1:], (x[1:, ..., :3] - low) / (high - low), atol=1e-6)


def test_grey_of_16_bits_beside_transparency_stays_grey(tmp_path: Path) -> None:
    x = X[..., 2:].copy()
    x[..., 1] = 65535
    found = read(saved(tmp_path / "a", [deep_png(image) for image in x], "png"), intensity_range=(0.0, 4095.0))
    np.testing.assert_allclose(found.x[..., 0], X[..., 2] / 4095, atol=1e-6)


def test_all_of_16_bits_in_colours_becomes_8_bits(tmp_path: Path) -> None:
    small = (X[..., :3] // 16).astype(np.uint8)
    np.testing.assert_array_equal(
        read(saved(tmp_path / "a", [tiff(257 * image.astype(np.uint16)) for image in small])).x, small
    )


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "uint32"])
def test_numbers_of_any_kind_are_what_their_tiff_says(kind: str, tmp_path: Path) -> None:
    numbers = np.iinfo(kind)
    x = np.random.default_rng(0).integers(numbers.min, numbers.max, (6, 7, 9), endpoint=True).astype(kind)
    low, high = float(x.min()), float(x.max())
    found = read(saved(tmp_path / "a", [tiff(image) for image in x]))
    np.testing.assert_allclose(found.x[..., 0], (x - low) / (high - low), atol=1e-6)
    assert found.taken == (f"{low:g} is black and {high:g} is white (--intensity-range)",)


@pytest.mark.parametrize("kind", ["float16", "float64", "int64"])
def test_a_tiff_of_numbers_that_are_not_read_says_what_to_save(kind: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="save grey as 8 or 16 bits or as floats of 32"):
        load(saved(tmp_path / "a", [tiff(image[..., 0].astype(kind)) for image in X]))
