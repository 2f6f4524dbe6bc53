"""Pictures of what generators draw from, and of the classes that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from vaeclust_jax.plots.style import BLUE, GREY, NORMAL, SMALL, VERMILLION, small_multiples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 500
"""Points of each kind: more hide each other."""


def codes_beside_prior(
    codes: Mapping[str, tuple[Float[np.ndarray, "n l"], Float[np.ndarray, "m l"]]],
) -> Figure:
    """Draw codes of the data and codes of samples on the first principal components of the former, a panel a model.

    Args:
        codes: by model, codes of the data and codes that samples are made of.
    """
    figure, panels = small_multiples(len(codes), (3.1, 3.0), max_columns=4)
    for axes, (name, (of_data, of_samples)) in zip(panels, codes.items(), strict=True):
        centre = of_data.mean(axis=0)
        plane = np.linalg.svd(of_data - centre, full_matrices=False)[2][:2].T
        for points, colour, label in ((of_samples, VERMILLION, "of samples"), (of_data, BLUE, "of held-out rows")):
            places = (points[:_SHOWN] - centre) @ plane
            second = places[:, 1] if places.shape[1] > 1 else np.zeros(len(places))
            axes.scatter(places[:, 0], second, s=5, color=colour, alpha=0.5, lw=0, label=label)
        axes.set_title(name, fontsize=NORMAL, loc="left")
        axes.set_aspect("equal", adjustable="datalim")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, fontsize=SMALL, frameon=False)
    return figure


def class_shares(shares: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the share of every class, a panel a model.

    Args:
        shares: by model, one a class.
    """
    figure, panels = small_multiples(len(shares), (2.6, 1.9), max_columns=4, sharey=True)
    for axes, (name, share) in zip(panels, shares.items(), strict=True):
        axes.bar(range(len(share)), share, color=BLUE)
        axes.axhline(1 / len(share), color=GREY, ls="--", lw=1)
        axes.set_title(name, fontsize=NORMAL, loc="left")
        axes.set_xticks(range(len(share)) if len(share) <= 20 else [])
        axes.set_xlabel("class", fontsize=SMALL)
    return figure
