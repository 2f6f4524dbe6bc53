"""The latent map to explore: hover to see a sample, click to go to its cluster, tabs for what colours it.

Drawn by Bokeh in the reader's browser from what the page holds in itself; all figures share one data source,
so that zooming or choosing a point in one shows in the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vaeclust_jax.folder.map_file import LatentMap
from vaeclust_jax.page.map_layers import GREY, by_category, by_number
from vaeclust_jax.page.thumbnails import data_uri
from vaeclust_jax.plots.style import BLUE, VERMILLION

if TYPE_CHECKING:
    from bokeh.models import Tabs
    from bokeh.plotting import figure as Figure  # noqa: N812

HEIGHT = 460  # pixels, of the map without its legend
NUMBERS = {"entropy": "nats", "latent_variance": "", "mutual_information": "nats"}  # fields and their units
# Within Bokeh's shadow DOM; the variables are those of the page.
_TABS_STYLE = """
:host(.bk-above) .bk-header { border: 0; margin-bottom: 0.4rem; }
:host(.bk-above) .bk-headers-wrapper {
  flex-wrap: wrap; gap: 0.35rem; padding: 2px; font: 0.85rem system-ui, sans-serif;
}
:host(.bk-above) .bk-tab {
  color: inherit; border: 1px solid var(--line, #ccc); border-radius: 1rem; padding: 0.2rem 0.8rem; outline-offset: 1px;
}
.bk-tab:hover { background: var(--soft, #eee); }
:host(.bk-above) .bk-tab.bk-active {
  color: var(--paper, #fff); background: var(--accent, #333); border-color: var(--accent, #333);
}
"""
_TOOLBAR_STYLE = ".bk-divider { background-color: var(--line, #ccc); }"


def map_tabs(latent_map: LatentMap, num_clusters: int) -> Tabs:
    """Draw a map once for each thing that is known of its points.

    Args:
        latent_map: as many points as a page can hold, with thumbnails of the size that it can hold.
        num_clusters: of the model, from which the clusters get their colours.
    """
    from bokeh.models import ColumnDataSource, InlineStyleSheet, Range1d, TabPanel, Tabs

    source = ColumnDataSource(_columns(latent_map))
    ranges = [Range1d(start=low, end=high) for low, high in _limits(latent_map.points)]

    def empty() -> Figure:
        return _empty_figure(ranges, latent_map)

    panels = {"cluster": by_category(empty(), source, latent_map.cluster, [str(k) for k in range(num_clusters)])}
    if latent_map.y is not None:
        panels["class"] = by_category(empty(), source, latent_map.y, class_texts(latent_map))
    for name, unit in NUMBERS.items():
        title = name.replace("_", " ")
        if np.unique(getattr(latent_map, name)).size > 1:  # a single value, or NaN alone, colours nothing
            panels[title] = by_number(empty(), source, name, f"{title} ({unit})" if unit else title)
    if latent_map.correct is not None:
        wrong = np.logical_not(latent_map.correct).astype(int)
        panels["correctness"] = by_category(empty(), source, wrong, ["correct", "wrong"], [BLUE, VERMILLION])
    return Tabs(
        tabs=[TabPanel(child=child, title=title) for title, child in panels.items()],
        sizing_mode="stretch_width",
        stylesheets=[InlineStyleSheet(css=_TABS_STYLE)],
    )


def embed(tabs: Tabs) -> tuple[str, str, str]:
    """Turn a map into text for a page that loads nothing.

    Returns:
        Bokeh itself and the map's data, both as HTML scripts, and the element the map appears in.
    """
    from bokeh.embed import components
    from bokeh.resources import Resources

    script, place = components(tabs)
    library = Resources(mode="inline", minified=True, components=["bokeh"], log_level="warn")
    return library.render_js(), script, place


def class_texts(latent_map: LatentMap) -> list[str]:
    """The names of the classes by number; the numbers themselves where there are no names."""
    if latent_map.class_names is not None:
        return [str(name) for name in latent_map.class_names]
    return [str(number) for number in range(0 if latent_map.y is None else int(latent_map.y.max()) + 1)]


def _is_defined(latent_map: LatentMap, name: str) -> bool:
    return bool(np.isfinite(getattr(latent_map, name)).any())


def _columns(latent_map: LatentMap) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "x": latent_map.points[:, 0],
        "y": latent_map.points[:, 1],
        **{name: getattr(latent_map, name) for name in ("row", "cluster", "probability")},
        **{name: getattr(latent_map, name) for name in NUMBERS if _is_defined(latent_map, name)},
    }
    if latent_map.y is not None:
        names = class_texts(latent_map)
        columns["class"] = [names[number] for number in latent_map.y]
    if latent_map.correct is not None:
        columns["correct"] = np.where(latent_map.correct, "yes", "no").tolist()
    if latent_map.file is not None:
        columns["file"] = latent_map.file.tolist()
    if latent_map.thumbnails is not None:
        columns["image"] = [data_uri(image) for image in latent_map.thumbnails]
    return columns


def _limits(points: NDArray[np.floating]) -> list[tuple[float, float]]:
    low, high = points.min(axis=0).astype(float), points.max(axis=0).astype(float)
    margin = np.where(high > low, 0.04 * (high - low), 1.0)
    return list(zip((low - margin).tolist(), (high + margin).tolist(), strict=True))


def _empty_figure(ranges: Sequence[Any], latent_map: LatentMap) -> Figure:
    """A frame with the tools; the axes are left out, as those of t-SNE mean nothing."""
    from bokeh.models import (
        BoxZoomTool,
        HoverTool,
        InlineStyleSheet,
        OpenURL,
        PanTool,
        ResetTool,
        TapTool,
        WheelZoomTool,
    )
    from bokeh.plotting import figure

    pan = PanTool()
    hover = HoverTool(
        tooltips=_tooltip(latent_map),
        formatters={f"@{name}": "printf" for name in ("probability", *NUMBERS)},
        point_policy="snap_to_data",
        limit=1,
        visible=False,  # in the toolbar; it is at work all the same
    )
    tap = TapTool(mode="replace", visible=False, callback=OpenURL(url="#cluster-@cluster", same_tab=True))
    tools = [pan, WheelZoomTool(), BoxZoomTool(match_aspect=True), ResetTool(), hover, tap]
    drawn = figure(
        x_range=ranges[0],
        y_range=ranges[1],
        frame_height=HEIGHT,
        toolbar_location="above",
        sizing_mode="stretch_width",
        tools=tools,
        active_drag=pan,
        background_fill_alpha=0,
        border_fill_alpha=0,
        outline_line_color=GREY,
        outline_line_alpha=0.35,
    )
    drawn.toolbar.logo = None
    drawn.toolbar.stylesheets = [InlineStyleSheet(css=_TOOLBAR_STYLE)]
    drawn.axis.visible = False
    drawn.grid.visible = False
    return drawn


def _tooltip(latent_map: LatentMap) -> str:
    """HTML with places for the values, which Bokeh fills in as text, so that no name is read as HTML."""
    lines = {"row": "@row", "cluster": "@cluster", "probability": "@probability{%.3f}"}
    for name, unit in NUMBERS.items():
        if _is_defined(latent_map, name):
            lines[name.replace("_", " ")] = f"@{name}{{%.3g}} {unit}"
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
