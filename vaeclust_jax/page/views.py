"""What can colour the points of the map: a category, such as the cluster, or a number, such as the entropy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaeclust_jax.folder.map_file import LatentMap
from vaeclust_jax.plots.style import (
    BLUE,
    GREY,
    VERMILLION,
    as_hex,
    categorical_colours,
    matched_colours,
    sequential_palette,
)

NUMBERS = {
    "probability": "",
    "entropy": "nats, mean over draws",
    "latent_variance": "",
    "mutual_information": "nats",
}
"""Fields of the map and their units."""


class View(NamedTuple):
    """One colouring of the points.

    Attributes:
        title: of the view.
        ids: shape (m,), which colour of the palette each point has.
        palette: colours as #rrggbb.
        entries: of a category: the places of its legend in the palette, and their names; empty of a number.
        low, high: of a number, texts of the ends of its scale.
    """

    title: str
    ids: NDArray[np.integer]
    palette: list[str]
    entries: list[tuple[int, str]] = []  # noqa: RUF012  # never changed
    low: str = ""
    high: str = ""


def views_of(latent_map: LatentMap, num_clusters: int) -> list[View]:
    """Every view that there is something to see in, that of the clusters first.

    Args:
        latent_map: the points.
        num_clusters: of the model.
    """
    by_cluster, by_class = colours_of(latent_map, num_clusters)
    names = [str(number) for number in range(num_clusters)]
    views = [_categories("cluster", latent_map.cluster, by_cluster, names)]
    if latent_map.y is not None:
        views.append(_categories("class", latent_map.y, by_class, class_texts(latent_map)))
    if latent_map.correct is not None:
        wrong = np.logical_not(latent_map.correct).astype(int)
        views.append(_categories("correctness", wrong, [BLUE, VERMILLION], ["correct", "wrong"]))
    numbers = [_number(name, unit, getattr(latent_map, name)) for name, unit in NUMBERS.items()]
    return views + [view for view in numbers if view is not None]


def colours_of(latent_map: LatentMap, num_clusters: int) -> tuple[list[str], list[str]]:
    """Of the clusters and of the classes, which have those of the clusters that they are matched to."""
    if latent_map.y is None:
        return as_hex(categorical_colours(num_clusters)), []
    pair = matched_colours(latent_map.y, latent_map.cluster, len(class_texts(latent_map)), num_clusters)
    return as_hex(pair[0]), as_hex(pair[1])


def class_texts(latent_map: LatentMap) -> list[str]:
    """The names of the classes by number; the numbers themselves where there are no names."""
    if latent_map.class_names is not None:
        return [str(name) for name in latent_map.class_names]
    return [str(number) for number in range(0 if latent_map.y is None else int(latent_map.y.max()) + 1)]


def is_defined(latent_map: LatentMap, name: str) -> bool:
    """Whether any point has this number."""
    return bool(np.isfinite(getattr(latent_map, name)).any())


def _categories(title: str, ids: NDArray[Any], palette: list[str], names: list[str]) -> View:
    return View(title, ids, palette, [(number, names[number]) for number in np.unique(ids).tolist()])


def _number(name: str, unit: str, values: NDArray[Any]) -> View | None:
    """None of a single value, or of NaN alone, which colours nothing."""
    if np.unique(values).size < 2:
        return None
    palette = [*sequential_palette(), GREY]
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    share = (values.astype(float) - low) / (high - low or 1.0)
    ids = np.where(np.isnan(share), len(palette) - 1, np.round(255 * np.nan_to_num(share))).astype(int)
    end = f"{high:.3g} {unit}".strip()
    return View(name.replace("_", " "), ids, palette, low=f"{low:.3g}", high=end)
