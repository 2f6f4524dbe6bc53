"""`figures.json`: which pictures a run has drawn, and what is said about each."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.run_folder import write_json
from vaeclust_jax.folder.typed_json import from_json, read_json


class FigureEntry(NamedTuple):
    """A picture of a run.

    Attributes:
        file: the name of a PNG beside the list.
        section: the heading that it comes under.
        title: what it shows.
        caption: how to read it.
    """

    file: str
    section: str
    title: str
    caption: str


def write_figure_list(path: Path, figures: Sequence[FigureEntry]) -> None:
    """Writes the list as JSON, for `read_figure_list`."""
    write_json(path, figures)


def read_figure_list(path: Path) -> list[FigureEntry]:
    """What `write_figure_list` wrote.

    Raises:
        InputError: no such file, not one of ours, or a figure that is no PNG beside it.
    """
    figures = list(from_json(tuple[FigureEntry, ...], read_json(path), path))
    for figure in figures:
        if Path(figure.file).name != figure.file or not figure.file.endswith(".png"):
            raise InputError(f"{path} must name PNGs beside it, got {figure.file!r}")
    return figures
