"""What each cluster holds, for the cards of the page, one of which a click on the map leads to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaeclust_jax.folder.map_file import LatentMap
from vaeclust_jax.folder.records.clusters import ClusterRecord
from vaeclust_jax.page.thumbnails import PER_ROW, data_uri, is_drawn_exactly, mosaic
from vaeclust_jax.page.views import class_texts, colours_of

CELL = 36  # pixels of the page that a thumbnail of a mosaic is wide
_SUREST, _LEAST_SURE = 2 * PER_ROW, PER_ROW
_CLASSES = 4  # of a cluster that are named


class Mosaic(NamedTuple):
    """Members of a cluster as one image.

    Attributes:
        title: which they are.
        uri: the `data:` address of the image.
        shown: number of members.
        width: on the page, in pixels.
        enlarged: whether a pixel of a thumbnail is larger than one of the page.
    """

    title: str
    uri: str
    shown: int
    width: int
    enlarged: bool


class Members(NamedTuple):
    """A cluster, as its record and its members on the map show it.

    Attributes:
        cluster: its id.
        colour: as on the map.
        size: number of members on the map.
        record: what is said of all its samples; None in runs of versions that wrote none.
        entropy: mean over the members, in nats; None without any.
        classes: names and shares of the most frequent ones among the members.
        mosaics: of images, the surest members and the least sure ones.
    """

    cluster: int
    colour: str
    size: int
    record: ClusterRecord | None = None
    entropy: float | None = None
    classes: list[tuple[str, float]] = []  # noqa: RUF012  # never changed
    mosaics: list[Mosaic] = []  # noqa: RUF012


def members_of(latent_map: LatentMap, num_clusters: int, records: Sequence[ClusterRecord] | None) -> list[Members]:
    """Describe every cluster, those without members too.

    Args:
        latent_map: its points are the members.
        num_clusters: of the model.
        records: of the clusters.
    """
    by_number = {one.cluster: one for one in records or ()}
    colours = colours_of(latent_map, num_clusters)[0]
    return [_members(latent_map, one, colour, by_number.get(one)) for one, colour in enumerate(colours)]


def _members(latent_map: LatentMap, cluster: int, colour: str, record: ClusterRecord | None) -> Members:
    index = np.flatnonzero(latent_map.cluster == cluster)
    about = Members(cluster, colour, len(index), record)
    if not len(index):
        return about
    about = about._replace(entropy=float(latent_map.entropy[index].mean()))
    if latent_map.y is not None:
        counts, names = np.bincount(latent_map.y[index]), class_texts(latent_map)
        most = [one for one in np.argsort(-counts, kind="stable")[:_CLASSES] if counts[one]]
        about = about._replace(classes=[(names[one], float(counts[one] / len(index))) for one in most])
    if latent_map.thumbnails is not None:
        order = index[np.argsort(-latent_map.probability[index], kind="stable")]
        surest, others = order[:_SUREST], order[_SUREST:]
        exact = is_drawn_exactly(latent_map.thumbnails)
        found = {"surest": surest, "least sure": others[-_LEAST_SURE:][::-1]}
        about = about._replace(
            mosaics=[_mosaic(title, latent_map.thumbnails[some], exact) for title, some in found.items() if len(some)]
        )
    return about


def _mosaic(title: str, images: NDArray[np.uint8], exact: bool) -> Mosaic:
    image, width = mosaic(images), min(len(images), PER_ROW) * CELL
    return Mosaic(title, data_uri(image, exact=exact), len(images), width, image.shape[1] < width)
