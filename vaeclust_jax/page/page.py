"""One HTML page of a run that holds everything it shows: no network, no other file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.map_file import LatentMap
from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.folder.records.task import TaskRecord
from vaeclust_jax.folder.run_folder import check_writable
from vaeclust_jax.folder.run_record import RunRecord, read_run
from vaeclust_jax.folder.table import cell_text
from vaeclust_jax.page.interactive import embed, map_tabs
from vaeclust_jax.page.members import members_of
from vaeclust_jax.page.thumbnails import data_uri, fitting
from vaeclust_jax.whole_file import write_whole

MAX_POINTS = 3000  # on the map, evenly spaced rows
PAGE = "report.html"
_DPI_RATIO = 1.55  # pixels of our figures per pixel of a page: two maps beside each other on a desk
_MOST_PIXELS = 2**24


class Score(NamedTuple):
    """A score of the headline; `std` is None where there is one seed."""

    name: str
    mean: str
    std: str | None


class Picture(NamedTuple):
    """A figure as it is put into the page, with its size there in pixels."""

    title: str
    caption: str
    uri: str
    width: int
    height: int


def write_page(folder: Path) -> Path:
    """Write `folder/report.html`, replacing it if it exists.

    Args:
        folder: of a run that finished.

    Returns:
        The page.

    Raises:
        InputError: the folder cannot be read (see `read_run`) or written.
    """
    run = read_run(folder)
    check_writable(folder)
    page = folder / PAGE
    write_whole(page, render(run))
    return page


def render(run: RunRecord) -> str:
    """The page as HTML."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("vaeclust_jax.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: cell_text(value, "score")
    environment.filters["slug"] = _slug
    environment.filters["zip"] = zip
    metrics = run.metrics
    num_clusters = metrics.num_clusters if isinstance(metrics, ClusteringRecord) else None
    latent_map, clusters, scripts = run.latent_map, None, None
    if latent_map is not None:
        k = max(num_clusters or 0, int(latent_map.cluster.max()) + 1)
        latent_map = _small_enough(latent_map)
        clusters = members_of(latent_map, k)
        scripts = [Markup(text) for text in embed(map_tabs(latent_map, k))]
    return environment.get_template("report.html.j2").render(
        metrics=metrics,
        num_clusters=num_clusters,
        seeds=[row.seed for row in metrics.seeds],
        scores=_scores(metrics),
        verdict=metrics.verdict if isinstance(metrics, ClusteringRecord) else None,
        tables=run.tables,
        sections=_sections(run),
        settings=_settings(run.config),
        timing=run.timing,
        latent_map=latent_map,
        clusters=clusters,
        scripts=scripts,
        samples=metrics.dataset.shape,
    )


def _small_enough(latent_map: LatentMap) -> LatentMap:
    count = len(latent_map.row)
    if count > MAX_POINTS:
        latent_map = latent_map.take(np.linspace(0, count - 1, MAX_POINTS).astype(int))
    if latent_map.thumbnails is None:
        return latent_map
    return latent_map._replace(thumbnails=fitting(latent_map.thumbnails))


def _scores(metrics: TaskRecord) -> list[Score]:
    """Those of the named method that are defined."""
    found, deviations = [], metrics.std.by_name()
    for key, mean in metrics.mean.by_name().items():
        if mean is not None:
            std = None if deviations[key] is None else cell_text(deviations[key], "score")
            found.append(Score(metrics.mean.names[key], cell_text(mean, "score"), std))
    return found


def _sections(run: RunRecord) -> dict[str, list[Picture]]:
    """Pictures by section, both in the order of the list."""
    sections: dict[str, list[Picture]] = {}
    for entry in run.figures:
        pixels = _pixels(run.folder / entry.file)
        height, width = (round(size / _DPI_RATIO) for size in pixels.shape[:2])
        picture = Picture(entry.title, entry.caption, data_uri(pixels), width, height)
        sections.setdefault(entry.section, []).append(picture)
    return sections


def _pixels(path: Path) -> NDArray[np.uint8]:
    """The picture in a PNG, shape (height, width, 4)."""
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            if (size := image.width * image.height) <= _MOST_PIXELS:
                return np.asarray(image.convert("RGBA"))
    # Pillow's word for a damaged PNG is a SyntaxError, or a ValueError.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} must be a PNG that can be read: {error}") from error
    raise InputError(f"{path} has {size} pixels, more than any picture that a run draws")


def _settings(config: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Names and values by group: what is about the run, then a group for each section of its config.

    How the data were read is said beside where they are from.
    """
    inner = config.get("config", {})
    groups: dict[str, dict[str, Any]] = {
        "run": {name: value for name, value in config.items() if name not in ("config", "data")}
        | {name: value for name, value in inner.items() if not isinstance(value, dict)}
    }
    groups |= {name: value for name, value in inner.items() if isinstance(value, dict)}
    return {
        group: {name.replace("_", " "): _text(value) for name, value in values.items()}
        for group, values in groups.items()
    }


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    names = {None: "none", True: "yes", False: "no"}
    return names[value] if value is None or isinstance(value, bool) else str(value)


def _slug(text: str) -> str:
    """Part of an address within the page."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
