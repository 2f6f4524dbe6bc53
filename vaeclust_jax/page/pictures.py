"""The figures of a run as a page holds them: vectors that turn dark with it, or pixels where there are no vectors."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.figure_list import FigureEntry
from vaeclust_jax.page.thumbnails import data_uri

_DPI_RATIO = 1.55  # pixels of our figures per pixel of a page: two maps beside each other on a desk
_MOST_PIXELS = 2**24
_MOST_BYTES = 300_000  # of vectors; more are as large as pixels, and slower
# Black is the ink of our figures, and white their paper. Text of a colour of its own, such as that on the cells of a
# table, is in groups, and stays.
_DARK = """<style>@media (prefers-color-scheme: dark) {
svg { fill: #dde2e6 }
path[style*="fill: #ffffff"] { fill: none !important }
path[style*="fill: #000000"] { fill: #dde2e6 !important }
[style*="stroke: #000000"] { stroke: #dde2e6 !important }
}</style>"""


class Picture(NamedTuple):
    """A figure as it is put into the page, with its size there in pixels; whether it turns dark with the page."""

    title: str
    caption: str
    uri: str
    width: int
    height: int
    turns_dark: bool


def picture_of(folder: Path, entry: FigureEntry) -> Picture:
    """A figure of a run.

    Raises:
        InputError: its PNG cannot be read.
    """
    from PIL import Image

    path = folder / entry.file
    vectors = _vectors(path.with_suffix(".svg"))
    try:
        with Image.open(path, formats=["PNG"]) as image:
            width, height = image.size
            if width * height <= _MOST_PIXELS:
                uri = data_uri(np.asarray(image.convert("RGBA"))) if vectors is None else vectors
                size = round(width / _DPI_RATIO), round(height / _DPI_RATIO)
                return Picture(entry.title, entry.caption, uri, *size, vectors is not None)
    # Pillow's word for a damaged PNG is a SyntaxError, or a ValueError.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} must be a PNG that can be read: {error}") from error
    raise InputError(f"{path} has {width * height} pixels, more than any picture that a run draws")


def _vectors(path: Path) -> str | None:
    """The `data:` address of an SVG, which browsers show as an image: nothing in it runs or loads anything."""
    if not path.is_file() or path.stat().st_size > _MOST_BYTES:
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    dark = re.sub(r"(<svg\b[^>]*>)", lambda found: found[1] + _DARK, text, count=1)
    return "data:image/svg+xml;base64," + base64.b64encode(dark.encode()).decode("ascii")
