"""Whether the images of a data set are moved: asked once, without labels, and kept beside the rows."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.methods import METHODS, as_text, prepare_of, setting_of
from vaeclust_jax.errors import InputError
from vaeclust_jax.folder import write_json
from vaeclust_jax.selection.augment import choose_augment

_ASKS = "vaegraph"


def file_beside(rows: Path) -> Path:
    """Where the answers are kept."""
    return rows.with_name("views.json")


def read(path: Path, quick: bool) -> dict[str, dict[str, Any]]:
    """Answers in today's setting by data set, as `AugmentChoice.record`; none where there is no file.

    Raises:
        InputError: damaged, or not one of ours.
    """
    if not path.exists():
        return {}
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: choice
            for name, choice in kept.items()
            if choice["setting"] == as_text(setting_of(_ASKS, choice["num_clusters"], quick))
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path} cannot be read as choices of views: {error!r}") from error


def strength(path: Path, name: str, x: np.ndarray, num_clusters: int, quick: bool) -> float:
    """Of the views of a data set's images, from the file or, which takes minutes, from graphs of its VAEs."""
    kept = read(path, quick)
    if name not in kept:
        setting = setting_of(_ASKS, num_clusters, quick)
        assert not isinstance(setting, str)
        choice = choose_augment(replace(setting, prepare=prepare_of(x)), x)
        kept[name] = {"num_clusters": num_clusters, "setting": as_text(setting), **choice.record()}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, kept)
    return float(kept[name]["augment"])


def asks(method: str) -> bool:
    """Whether a method's images may be moved."""
    return getattr(METHODS[method].method, "augment", None) == "auto"
