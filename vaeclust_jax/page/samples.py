"""What the page's script works on: views, clusters, and every sample's cluster, to be downloaded under its new name."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Sequence
from typing import Any

from vaeclust_jax.folder.assignment_file import Assignments
from vaeclust_jax.page.members import Members
from vaeclust_jax.page.views import View

MAX_SAMPLES = 500_000  # that a page holds, about 3 MB; of more, those on the map


def script_data(clusters: Sequence[Members], views: Sequence[View], assignments: Assignments | None) -> dict[str, Any]:
    """What `report.js` reads.

    Args:
        clusters: all of them.
        views: of the map.
        assignments: of all samples.

    Returns:
        `clusters` and `views`; `samples`, packed, None where there are none or too many; `names_are`, the column that
        holds the samples' names in what is saved; and `key`, which stands for these results: what a person calls the
        clusters is remembered under it.
    """
    known = {
        "clusters": [{"cluster": one.cluster, "colour": one.colour} for one in clusters],
        "views": [{"ids": view.ids.tolist(), "palette": view.palette} for view in views],
        "samples": None if assignments is None or len(assignments.row) > MAX_SAMPLES else _packed(assignments),
    }
    key = hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]
    return {**known, "names_are": "file" if assignments is None else assignments.names_are, "key": key}


def _packed(assignments: Assignments) -> str:
    """Columns as JSON, deflated, in base64; probabilities to four digits."""
    columns = assignments._asdict() | {"probability": [round(one, 4) for one in assignments.probability]}
    del columns["names_are"]  # of all of them
    # Names of files need not be UTF-8; half a character is written as its escape.
    return base64.b64encode(zlib.compress(json.dumps(columns).encode("ascii"), 9)).decode("ascii")
