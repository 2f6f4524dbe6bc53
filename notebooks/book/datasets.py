"""The named data sets."""

from notebooks.book.markdown import table
from vaeclust_jax.data import DATASETS


def named_sets() -> str:
    """Every named set: its size and where it comes from."""
    cells = [
        [
            f"`{name}`",
            f"{entry.shape[0]:,}",
            " x ".join(map(str, entry.shape[1:])) or "1",
            "none" if entry.num_classes is None else str(entry.num_classes),
            entry.description,
        ]
        for name, entry in DATASETS.items()
    ]
    return table(["name", "samples", "shape of one", "classes", "what it is"], cells)
