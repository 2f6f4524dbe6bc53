"""The picture of how many clusters there are: every criterion over the candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import NumClusters
from vaeclust_jax.plots.style import BLUE, GREY, NORMAL, SMALL, VERMILLION, small_multiples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LABELS = {
    "bic": "BIC (nats times two), lower is better",
    "stability": "agreement of seeds (adjusted Rand)",
    "silhouette": "silhouette, higher is better",
    "gap": "gap (nats), first not surpassed",
    "layers": "how long so many last (log of heights)",
}


def num_clusters_figure(curve: NumClusters, criterion: str) -> Figure:
    """Draw each criterion over the candidates, and what it says.

    Args:
        curve: of `num_clusters_curve`.
        criterion: the one that decided, whose line is bold.

    Raises:
        InputError: no such criterion.
    """
    if criterion not in curve.best:
        raise InputError(f"criterion must be one of {', '.join(curve.best)}, got {criterion!r}.")
    asked = [name for name in _LABELS if name in curve.best]
    figure, panels = small_multiples(len(asked), (3.4, 2.5), max_columns=2)
    for name, axes in zip(asked, panels, strict=True):
        error = curve.gap_error if name == "gap" else None
        axes.errorbar(
            curve.candidates, getattr(curve, name), yerr=error,
            color=BLUE, lw=2.2 if name == criterion else 1.0, marker="o", ms=3,
        )  # fmt: skip
        decided = name == criterion
        axes.axvline(curve.best[name], color=VERMILLION if decided else GREY, ls="--", lw=1)
        axes.set_title(f"{name}: {curve.best[name]}{' (chosen)' if decided else ''}", fontsize=NORMAL, loc="left")
        axes.set_xlabel("clusters", fontsize=SMALL)
        axes.set_ylabel(_LABELS[name], fontsize=SMALL)
    return figure
