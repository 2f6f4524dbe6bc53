"""The latent map to explore: hover to see a sample, click to go to its cluster, a lasso to choose some.

Drawn by Bokeh in the reader's browser from what the page holds in itself. What colours the points, which of them
are shown and how the clusters are called is said by `templates/report.js`, which finds the models by their names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vaeclust_jax.folder.map_file import LatentMap
from vaeclust_jax.page.thumbnails import data_uri, is_drawn_exactly
from vaeclust_jax.page.views import NUMBERS, class_texts, is_defined, views_of
from vaeclust_jax.plots.style import GREY

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812

# Within Bokeh's shadow DOM; the variable is that of the page.
_TOOLBAR_STYLE = ".bk-divider { background-color: var(--line, #ccc); }"
_LABEL: dict[str, Any] = {
    "text_font_size": "13px",
    "text_font_style": "bold",
    "text_color": "#1d2329",
    "text_align": "center",
    "text_baseline": "middle",
    "y_offset": "offset",
    "background_fill_color": "#ffffff",
    "background_fill_alpha": 0.85,
    "border_radius": 5,
    "padding": 4,
}
_UNDER_IT = 0.06  # of the map: a cluster that is smaller lies under its own label
_ASIDE = 20  # pixels
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def map_figure(latent_map: LatentMap, num_clusters: int) -> Figure:
    """Draw the points in the colours of their clusters, whose numbers are written over them.

    Args:
        latent_map: as many points as a page can hold, with thumbnails of the size that it can hold.
        num_clusters: of the model, from which the clusters get their colours.
    """
    from bokeh.models import (
        BoxZoomTool,
        CDSView,
        ColumnDataSource,
        HoverTool,
        IndexFilter,
        InlineStyleSheet,
        LassoSelectTool,
        OpenURL,
        PanTool,
        Range1d,
        ResetTool,
        TapTool,
        Text,
        WheelZoomTool,
    )
    from bokeh.plotting import figure

    ranges = [Range1d(start=low, end=high) for low, high in _limits(latent_map.points)]
    pan = PanTool()
    hover = HoverTool(
        tooltips=_tooltip(latent_map),
        formatters={f"@{name}": "printf" for name in NUMBERS},
        point_policy="snap_to_data",
        limit=1,
        visible=False,  # in the toolbar; it is at work all the same
    )
    tap = TapTool(mode="replace", visible=False, callback=OpenURL(url="#cluster-@cluster", same_tab=True))
    drawn = figure(
        name="map",
        x_range=ranges[0],
        y_range=ranges[1],
        toolbar_location="above",
        sizing_mode="stretch_both",
        tools=[pan, WheelZoomTool(), BoxZoomTool(match_aspect=True), LassoSelectTool(), ResetTool(), hover, tap],
        active_drag=pan,
        background_fill_alpha=0,
        border_fill_alpha=0,
        outline_line_color=GREY,
        outline_line_alpha=0.35,
        min_border=0,
    )
    drawn.toolbar.logo = None
    drawn.toolbar.stylesheets = [InlineStyleSheet(css=_TOOLBAR_STYLE)]
    drawn.axis.visible = False  # those of t-SNE mean nothing
    drawn.grid.visible = False
    count = len(latent_map.row)
    source = ColumnDataSource(_columns(latent_map, num_clusters), name="points")
    shown = CDSView(filter=IndexFilter(indices=list(range(count)), name="shown"))
    # Smaller the more there are; the grey rim shows dark ones on a dark page, light ones on a white.
    size = float(np.clip(250 / np.sqrt(count), 5, 10))
    rim: dict[str, Any] = {"line_color": GREY, "line_width": 0.5, "line_alpha": 0.6}
    still: dict[str, Any] = {"nonselection_fill_alpha": 1, "nonselection_line_alpha": 0.6}
    dots = drawn.scatter("x", "y", source=source, view=shown, size=size, fill_color="colour", **rim, **still)
    dots.selection_glyph = dots.glyph.clone(size=size + 6, line_width=2, line_alpha=1)
    dots.name = "dots"
    hover.renderers = tap.renderers = [dots]
    labels = drawn.add_glyph(ColumnDataSource(_labels(latent_map), name="labels"), Text(**_LABEL))
    labels.level = "annotation"
    return drawn


def embed(drawn: Figure) -> tuple[str, str, str]:
    """Turn a map into text for a page that loads nothing.

    Returns:
        Bokeh itself and the map's data, both as HTML scripts, and the element the map appears in.
    """
    from bokeh.embed import components
    from bokeh.resources import Resources

    script, place = components(drawn)
    for number, random_id in enumerate(dict.fromkeys(_UUID.findall(script + place))):  # equal runs give equal pages
        script, place = (text.replace(random_id, f"bokeh-{number}") for text in (script, place))
    library = Resources(mode="inline", minified=True, components=["bokeh"], log_level="warn")
    return library.render_js(), script, place


def _columns(latent_map: LatentMap, num_clusters: int) -> dict[str, Any]:
    first = views_of(latent_map, num_clusters)[0]
    columns: dict[str, Any] = {
        "x": latent_map.points[:, 0],
        "y": latent_map.points[:, 1],
        "colour": [first.palette[number] for number in first.ids],
        **{name: getattr(latent_map, name) for name in ("row", "cluster")},
        **{name: getattr(latent_map, name) for name in NUMBERS if is_defined(latent_map, name)},
    }
    if latent_map.y is not None:
        names = class_texts(latent_map)
        columns["class"] = [names[number] for number in latent_map.y]
    if latent_map.correct is not None:
        columns["correct"] = np.where(latent_map.correct, "yes", "no").tolist()
    if latent_map.file is not None:
        columns["file"] = latent_map.file.tolist()
    if latent_map.thumbnails is not None:
        exact = is_drawn_exactly(latent_map.thumbnails)
        columns["image"] = [data_uri(image, exact=exact) for image in latent_map.thumbnails]
    return columns


def _labels(latent_map: LatentMap) -> dict[str, Any]:
    """The middle of each cluster that has points; above a small one, or below where it is at the upper edge."""
    present = np.unique(latent_map.cluster).tolist()
    low, high = np.transpose(_limits(latent_map.points))
    members = [(latent_map.points[latent_map.cluster == number] - low) / (high - low) for number in present]
    middles = np.array([np.median(one, axis=0) for one in members])
    small = np.array([np.ptp(one, axis=0).max() < _UNDER_IT for one in members])
    x, y = (low + middles * (high - low)).T.astype(float).tolist()
    offset = np.where(small, np.where(middles[:, 1] > 0.9, _ASIDE, -_ASIDE), 0).tolist()
    return {"x": x, "y": y, "offset": offset, "cluster": present, "text": [str(number) for number in present]}


def _limits(points: NDArray[np.floating]) -> list[tuple[float, float]]:
    low, high = points.min(axis=0).astype(float), points.max(axis=0).astype(float)
    margin = np.where(high > low, 0.04 * (high - low), 1.0)
    return list(zip((low - margin).tolist(), (high + margin).tolist(), strict=True))


def _tooltip(latent_map: LatentMap) -> str:
    """HTML with places for the values, which Bokeh fills in as text, so that no name is read as HTML."""
    lines = {"row": "@row", "cluster": "@cluster"}
    for name, unit in NUMBERS.items():
        if is_defined(latent_map, name):
            lines[name.replace("_", " ")] = f"@{name}{{%.3g}} {unit.partition(',')[0]}"
    if latent_map.y is not None:
        lines["class"] = "@class"
    if latent_map.correct is not None:
        lines["correct"] = "@correct"
    rows = "".join(
        f'<span style="color: #666">{name}</span><span style="overflow-wrap: anywhere">{value}</span>'
        for name, value in lines.items()
    )
    if latent_map.file is not None:
        rows = f'<b style="grid-column: 1 / -1; overflow-wrap: anywhere">@file</b>{rows}'
    image = ""
    if latent_map.thumbnails is not None:
        height, width = latent_map.thumbnails.shape[1:3]
        size = f"width: {round(96 * width / max(height, width))}px; height: {round(96 * height / max(height, width))}px"
        image = f'<img src="@image" alt="" style="{size}; image-rendering: pixelated; border-radius: 3px">'
    grid = "display: grid; grid-template-columns: max-content auto; gap: 0 0.7em; align-content: start; max-width: 20em"
    box = "display: flex; gap: 10px; color: #222; font: 12px/1.45 system-ui, sans-serif; padding: 2px"
    return f'<div style="{box}">{image}<div style="{grid}">{rows}</div></div>'
