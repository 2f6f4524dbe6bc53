"""`map.npz`: a latent map with what is known of each point, for the interactive page."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.whole_file import whole_file

Arrays = NDArray[Any]
_KEY = {"y": "class", "file": "files"}  # a field cannot be called class, nor an array of NumPy's writer file


_KINDS = {
    **dict.fromkeys(("probability", "entropy", "latent_variance", "mutual_information"), ("numbers", "fiu")),
    "correct": ("truth values", "b"),
    **dict.fromkeys(("class_names", "file"), ("texts", "U")),
}
"""By field of one dimension: what it holds, and the letters that `numpy.dtype.kind` has for that."""
_MOST_BYTES = 64 * 2**20
_MOST_IDS = 2**16  # of clusters and classes: a page has a card for each, up to the largest


class LatentMap(NamedTuple):
    """Points of one seed's latent map. Numbers that are not defined for a model are NaN throughout.

    Attributes:
        points: shape (m, 2).
        row: shape (m,), the sample's number in its file, from 0.
        cluster: shape (m,), ids from 0.
        probability: shape (m,), of the cluster.
        entropy: shape (m,), of the assignment, mean over draws of the code, in nats.
        latent_variance: shape (m,), of the posterior, summed over the latent units.
        mutual_information: shape (m,), of the assignment and the code, in nats.
        y: shape (m,), class numbers from 0; called class in the file.
        correct: shape (m,), whether the cluster is matched to the class.
        thumbnails: shape (m, height, width, 1 or 3), uint8.
        class_names: shape (classes,), by class number.
        file: shape (m,), the samples' files; called files in the file.
    """

    points: Arrays
    row: Arrays
    cluster: Arrays
    probability: Arrays
    entropy: Arrays
    latent_variance: Arrays
    mutual_information: Arrays
    y: Arrays | None = None
    correct: Arrays | None = None
    thumbnails: Arrays | None = None
    class_names: Arrays | None = None
    file: Arrays | None = None

    def take(self, index: NDArray[np.integer]) -> LatentMap:
        """Some of the points.

        Args:
            index: shape (k,), which.
        """
        chosen = {name: value[index] for name, value in self._asdict().items() if _of_points(name, value)}
        return self._replace(**chosen)


def write_map(path: Path, latent_map: LatentMap) -> None:
    """Write a map for `read_map`, without pickling anything.

    Args:
        path: the file; replaced if it exists.
        latent_map: texts may be lists of str.

    Raises:
        InputError: its arrays do not fit together.
    """
    arrays = {name: np.asarray(value) for name, value in latent_map._asdict().items() if value is not None}
    arrays |= {name: arrays[name].astype(np.str_) for name in ("class_names", "file") if name in arrays}
    problem = _problem(LatentMap(**arrays))
    if problem is not None:
        raise InputError(f"latent_map must {problem}")
    with whole_file(path) as file:
        np.savez_compressed(file, **{_KEY.get(name, name): array for name, array in arrays.items()})  # type: ignore[arg-type]


def read_map(path: Path) -> LatentMap:
    """What `write_map` wrote.

    Raises:
        InputError: no such file, not one of ours, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as entries:
            size = sum(entry.file_size for entry in entries.infolist())
        if size > _MOST_BYTES:
            raise ValueError(f"it unpacks to {size / 2**20:.0f} MB, more than any that a run writes")
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[_KEY.get(name, name)] for name in LatentMap._fields if _KEY.get(name, name) in arrays}
        latent_map = LatentMap(**found)
    except (OSError, ValueError, TypeError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} cannot be read as the latent map of a run: {error}") from error
    problem = _problem(latent_map)
    if problem is not None:
        raise InputError(f"{path} cannot be read as the latent map of a run: it must {problem}")
    return latent_map


def _of_points(name: str, value: Arrays | None) -> bool:
    return value is not None and name != "class_names"


def _problem(latent_map: LatentMap) -> str | None:
    """What is wrong with a map, to be read after "must"."""
    if single := [name for name, value in latent_map._asdict().items() if value is not None and value.ndim == 0]:
        return f"have arrays, and no single number or text as {single[0]}"
    m, thumbnails, y = len(latent_map.row), latent_map.thumbnails, latent_map.y
    lengths = {name: len(value) for name, value in latent_map._asdict().items() if _of_points(name, value)}
    if m == 0 or set(lengths.values()) != {m}:
        return f"have one entry per point, of at least one, got {lengths}"
    points = latent_map.points
    if points.shape != (m, 2) or points.dtype.kind not in "fiu" or not np.isfinite(points).all():
        return f"have finite points of shape ({m}, 2), got {points.dtype} of shape {points.shape}"
    for name, (what, kinds) in _KINDS.items():
        values = getattr(latent_map, name)
        if values is not None and (values.dtype.kind not in kinds or values.ndim != 1):
            return f"have {what} as {name}, got {values.dtype} of shape {values.shape}"
    for name, ids in (("row", latent_map.row), ("cluster", latent_map.cluster), ("class", y)):
        if ids is not None and (not np.issubdtype(ids.dtype, np.integer) or ids.ndim != 1 or ids.min() < 0):
            return f"have whole numbers from 0 as {name}, got {ids.dtype} of shape {ids.shape}"
        if ids is not None and name != "row" and ids.max() >= _MOST_IDS:
            return f"have less than {_MOST_IDS} as {name}, got {ids.max()}"
    if y is not None and latent_map.class_names is not None and y.max() >= len(latent_map.class_names):
        return f"have a name for class {y.max()}, got {len(latent_map.class_names)} names"
    if thumbnails is not None and not (
        thumbnails.dtype == np.uint8 and thumbnails.ndim == 4 and thumbnails.shape[-1] in (1, 3)
    ):
        return f"have uint8 thumbnails ({m}, height, width, 1 or 3), got {thumbnails.dtype} {thumbnails.shape}"
    return None
