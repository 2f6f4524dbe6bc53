"""The scores of several methods as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = {"acc": "ACC", "nmi": "NMI", "ari": "ARI", "ami": "AMI", "silhouette": "silhouette"}
NOT_DEFINED = "\N{EN DASH}"


def score_table(results: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Table:
    """Lay out scores, one row per method and protocol, as mean and standard deviation over seeds.

    Args:
        results: by method and protocol, dicts with `mean` and `std` (see `vaeclust_jax.metrics.summarise`)
            and `seeds`, a list.

    Returns:
        A table with a dash for what is not defined, and no standard deviation for a single seed.
    """
    from rich.markup import escape
    from rich.table import Table

    table = Table()
    for title in ("method", "protocol"):
        table.add_column(title, no_wrap=True)
    for title in (*COLUMNS.values(), "seeds"):
        table.add_column(title, justify="right")
    for method, protocols in results.items():
        for number, (protocol, result) in enumerate(protocols.items()):
            cells = [_cell(result["mean"].get(key), result["std"].get(key)) for key in COLUMNS]
            name = escape(method) if number == 0 else ""
            last = number == len(protocols) - 1
            table.add_row(name, escape(protocol), *cells, str(len(result["seeds"])), end_section=last)
    return table


def _cell(mean: float | None, std: float | None) -> str:
    if mean is None:
        return NOT_DEFINED
    return f"{mean:.3f}" if std is None else f"{mean:.3f} ± {std:.3f}"
