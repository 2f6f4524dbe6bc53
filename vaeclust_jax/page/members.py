"""What each cluster holds, for the part of the page that a click on the map leads to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vaeclust_jax.folder.map_file import LatentMap
from vaeclust_jax.page.interactive import class_texts
from vaeclust_jax.page.thumbnails import PER_MOSAIC, PER_ROW, data_uri, mosaic
from vaeclust_jax.plots.style import hex_colours

CELL = 46  # pixels of the page that a thumbnail of a mosaic is wide


class Members(NamedTuple):
    """A cluster as its members on the map show it.

    Attributes:
        cluster: its id.
        colour: as on the map.
        size: number of members; the means, class and purity of a cluster without any are None.
        probability, entropy: means over the members; the entropy is in nats.
        top_class, purity: the most frequent class and its share; None where classes are not known.
        mosaic: the surest members as the `data:` address of an image; None where there are no thumbnails.
        shown: number of members in the mosaic.
        width: of the mosaic on the page, in pixels.
        enlarged: whether a pixel of a thumbnail is larger than one of the page.
    """

    cluster: int
    colour: str
    size: int
    probability: float | None = None
    entropy: float | None = None
    top_class: str | None = None
    purity: float | None = None
    mosaic: str | None = None
    shown: int = 0
    width: int = 0
    enlarged: bool = False


def members_of(latent_map: LatentMap, num_clusters: int) -> list[Members]:
    """Describe every cluster, those without members too.

    Args:
        latent_map: its points are the members.
        num_clusters: of the model.
    """
    return [_members(latent_map, cluster, colour) for cluster, colour in enumerate(hex_colours(num_clusters))]


def _members(latent_map: LatentMap, cluster: int, colour: str) -> Members:
    index = np.flatnonzero(latent_map.cluster == cluster)
    about = Members(cluster, colour, len(index))
    if not len(index):
        return about
    about = about._replace(
        probability=float(latent_map.probability[index].mean()), entropy=float(latent_map.entropy[index].mean())
    )
    if latent_map.y is not None:
        counts = np.bincount(latent_map.y[index])
        top = int(counts.argmax())
        about = about._replace(top_class=class_texts(latent_map)[top], purity=float(counts[top] / len(index)))
    if latent_map.thumbnails is not None:
        surest = index[np.argsort(-latent_map.probability[index], kind="stable")][:PER_MOSAIC]
        image = mosaic(latent_map.thumbnails[surest])
        columns = min(len(surest), PER_ROW)
        about = about._replace(
            mosaic=data_uri(image),
            shown=len(surest),
            width=columns * CELL,
            enlarged=image.shape[1] < columns * CELL,
        )
    return about
