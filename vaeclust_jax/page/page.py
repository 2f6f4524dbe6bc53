"""One HTML page of a run that holds everything it shows: no network, no other file."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vaeclust_jax.folder.map_file import LatentMap
from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.folder.records.task import TaskRecord
from vaeclust_jax.folder.run_folder import check_writable
from vaeclust_jax.folder.run_record import RunRecord, read_run
from vaeclust_jax.folder.table import cell_text
from vaeclust_jax.page.interactive import embed, map_figure
from vaeclust_jax.page.members import members_of
from vaeclust_jax.page.pictures import Picture, picture_of
from vaeclust_jax.page.samples import script_data
from vaeclust_jax.page.thumbnails import fitting
from vaeclust_jax.page.views import views_of
from vaeclust_jax.streamed import spaced
from vaeclust_jax.whole_file import write_whole

if TYPE_CHECKING:
    from markupsafe import Markup

MAX_POINTS = 3000  # on the map, evenly spaced rows
PAGE = "report.html"
_TWO_LINES = 180  # characters
_MAPS = "Latent space"  # section of the figures
_OF_OUTLIERS = ("outliers", "landing")  # tables


class Score(NamedTuple):
    """A score of the headline; `std` is None where there is one seed."""

    name: str
    mean: str
    std: str | None


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

    environment = Environment(
        loader=PackageLoader("vaeclust_jax.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: cell_text(value, "score")
    environment.filters["slug"] = _slug
    environment.filters["lead"] = _lead
    environment.filters["rest"] = lambda sentences: sentences[_lead(sentences) :]
    environment.filters["zip"] = zip
    environment.filters["flags"] = _unbroken_flags
    metrics = run.metrics
    clustering = metrics if isinstance(metrics, ClusteringRecord) else None
    # A question that nobody asked is not answered here; some experiments ask it by themselves.
    asked = run.command is None or any(word.startswith("--outliers") for word in run.command)
    return environment.get_template("report.html.j2").render(
        metrics=metrics,
        clustering=clustering,
        doubted=[one.cluster for one in (clustering and clustering.clusters) or () if one.doubts],
        seeds=[row.seed for row in metrics.seeds],
        scores=_scores(metrics),
        tables=[table for table in run.tables if asked or table.name not in _OF_OUTLIERS],
        sections=_sections(run),
        settings=_settings(run),
        command=None if run.command is None else shlex.join(("vaeclust", "run", *run.command)),
        timing=run.timing,
        samples=metrics.dataset.shape,
        **_explored(run, clustering),
    )


def _explored(run: RunRecord, clustering: ClusteringRecord | None) -> dict[str, Any]:
    """The map, its views, the cards and the script; None where the run has no map."""
    from markupsafe import Markup

    latent_map = run.latent_map
    if latent_map is None:
        return dict.fromkeys(("latent_map", "views", "clusters", "scripts", "data"))
    k = max(clustering.num_clusters if clustering else 0, int(latent_map.cluster.max()) + 1)
    latent_map = _small_enough(latent_map)
    views = views_of(latent_map, k)
    clusters = members_of(latent_map, k, None if clustering is None else clustering.clusters)
    own = files("vaeclust_jax.page").joinpath("templates/report.js").read_text(encoding="utf-8")
    return {
        "latent_map": latent_map,
        "views": views,
        "clusters": clusters,
        "scripts": [Markup(text) for text in (*embed(map_figure(latent_map, k)), own)],
        "data": script_data(clusters, views, run.assignments),
    }


def _small_enough(latent_map: LatentMap) -> LatentMap:
    count = len(latent_map.row)
    if count > MAX_POINTS:
        latent_map = latent_map.take(spaced(count, MAX_POINTS))
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
    """Pictures by section, both in the order of the list; a map that can be explored is not shown again."""
    sections: dict[str, list[Picture]] = {}
    for entry in run.figures:
        if run.latent_map is None or entry.section != _MAPS:
            sections.setdefault(entry.section, []).append(picture_of(run.folder, entry))
    return sections


def _settings(run: RunRecord) -> dict[str, dict[str, str]]:
    """Names and values by group: what is about the run, then a group for each section of its config.

    What has no value is left out, and so is what does nothing to these data. How the data were read is said beside
    where they are from.
    """
    config, inner = run.config, run.config.get("config", {})
    groups: dict[str, dict[str, Any]] = {
        "run": {name: value for name, value in config.items() if name not in ("config", "data")}
        | {name: value for name, value in inner.items() if not isinstance(value, dict)}
    }
    groups |= {name: value for name, value in inner.items() if isinstance(value, dict)}
    idle = {"image_size", "grey", "augment"} if len(run.metrics.dataset.shape) == 2 else {"scaling"}
    return {
        group: {
            name.replace("_", " "): _text(value)
            for name, value in values.items()
            if value is not None and name not in idle
        }
        for group, values in groups.items()
    }


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    names = {None: "none", True: "yes", False: "no"}
    return names[value] if value is None or isinstance(value, bool) else str(value)


def _lead(sentences: Sequence[str]) -> int:
    """How many sentences of a topic are read before the map: as many as make two lines, at least one."""
    return max(1, sum(length <= _TWO_LINES for length in accumulate(len(one) + 1 for one in sentences)))


def _unbroken_flags(text: str) -> Markup:
    """A sentence as HTML, in which no line ends within a flag and its number: browsers break after hyphens."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"--[a-z-]+(?: \d+)?", r'<span class="flag">\g<0></span>', str(escape(text))))


def _slug(text: str) -> str:
    """Part of an address within the page."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
