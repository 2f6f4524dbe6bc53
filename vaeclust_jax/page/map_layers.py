"""How the points of the interactive map are drawn: by a category, such as the cluster, or by a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vaeclust_jax.plots.style import hex_colours, sequential_palette, shorten

if TYPE_CHECKING:
    from bokeh.models import ColumnDataSource
    from bokeh.plotting import figure as Figure  # noqa: N812

MAX_LEGEND = 20  # categories; more have no colours that can be told apart
GREY = "#808080"  # read on white and on black


def by_category(
    drawn: Figure,
    source: ColumnDataSource,
    ids: NDArray[np.integer],
    texts: Sequence[str],
    palette: Sequence[str] | None = None,
) -> Figure:
    """Draw a category at a time, so that a click on the legend hides one; too many for a legend, all at once.

    Args:
        drawn: gets the points and a legend.
        source: with x and y.
        ids: shape (m,), the category of each point.
        texts: names by id.
        palette: colours by id; default those of `colours`.
    """
    from bokeh.models import CDSView, IndexFilter
    from bokeh.models.annotations import Legend, LegendItem

    palette = hex_colours(len(texts)) if palette is None else palette
    present = np.unique(ids).tolist()
    if len(present) > MAX_LEGEND:
        column = f"colour of {len(source.data)}"
        source.add([palette[number] for number in ids], column)
        _scatter(drawn, source, len(ids), {"field": column})
        return drawn
    items = []
    for number in present:
        view = CDSView(filter=IndexFilter(indices=np.flatnonzero(ids == number).tolist()))
        dots = _scatter(drawn, source, len(ids), palette[number], view=view)
        items.append(LegendItem(label={"value": shorten(texts[number], 20)}, renderers=[dots]))
    longest = max(len(shorten(text, 20)) for text in texts)
    widest = max(1, 330 // (28 + max(20, 6 * longest)))  # columns that fit on a phone, in pixels
    columns = -(-len(items) // -(-len(items) // widest))  # rows of one length
    legend = Legend(
        click_policy="hide",
        ncols=columns,
        orientation="horizontal",
        location="center",
        label_text_color=GREY,
        background_fill_alpha=0,
        border_line_alpha=0,
        inactive_fill_alpha=0,
    )
    legend.items = items
    drawn.add_layout(legend, "below")
    return drawn


def by_number(drawn: Figure, source: ColumnDataSource, name: str, title: str) -> Figure:
    """Draw the points in the colours of a number, with a bar that says which is which.

    Args:
        drawn: gets the points and the bar.
        source: with x and y.
        name: of the column.
        title: of the bar.
    """
    from bokeh.models import LinearColorMapper
    from bokeh.models.annotations import ColorBar

    values = np.asarray(source.data[name])
    mapper = LinearColorMapper(
        palette=sequential_palette(),
        low=float(np.nanmin(values)),
        high=float(np.nanmax(values)),
        nan_color=GREY,
    )
    _scatter(drawn, source, len(values), {"field": name, "transform": mapper})
    bar = ColorBar(
        color_mapper=mapper,
        title=title,
        height=10,
        background_fill_alpha=0,
        title_text_color=GREY,
        title_text_font_style="normal",
        major_label_text_color=GREY,
        major_tick_line_alpha=0,
        bar_line_alpha=0,
    )
    drawn.add_layout(bar, "below")
    return drawn


def _scatter(drawn: Figure, source: ColumnDataSource, count: int, colour: Any, **view: Any) -> Any:
    """Dots, smaller the more there are; the grey rim shows black ones on a dark page, yellow ones on a white."""
    size = float(np.clip(250 / np.sqrt(count), 5, 10))
    dots = drawn.scatter(
        "x",
        "y",
        source=source,
        size=size,
        fill_color=colour,
        line_color=GREY,
        line_width=0.5,
        line_alpha=0.6,
        nonselection_fill_alpha=1,
        nonselection_line_alpha=0.6,
        **view,
    )
    dots.selection_glyph = dots.glyph.clone(size=size + 6, line_width=2, line_alpha=1)
    return dots
