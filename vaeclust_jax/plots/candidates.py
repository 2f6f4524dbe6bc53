"""Models of many sizes: how good each is against what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from vaeclust_jax.errors import InputError
from vaeclust_jax.plots.style import BLUE, NORMAL, SMALL, VERMILLION, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def scores_by_size(
    parameters: ArrayLike,
    seconds: ArrayLike,
    accuracy: ArrayLike,
    reported_seconds: ArrayLike,
    reported_accuracy: ArrayLike,
) -> Figure:
    """Draw the accuracy of models against their parameters and against their seconds, a source's beside ours.

    Args:
        parameters: shape (m,), how many each has.
        seconds: shape (m,), of training; not finite where it is not known.
        accuracy: shape (m,).
        reported_seconds: shape (m,), the source's.
        reported_accuracy: shape (m,), the source's.

    Raises:
        InputError: the arguments are not of one length, or there are none.
    """
    given = [
        np.asarray(one, np.float64) for one in (parameters, seconds, accuracy, reported_seconds, reported_accuracy)
    ]
    if any(one.shape != given[0].shape or one.ndim != 1 for one in given) or not len(given[0]):
        raise InputError(f"the arguments must be of one length, at least 1, got {[one.shape for one in given]}.")
    count, time, ours, their_time, theirs = given
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    figure = new_figure(8.0, 3.4)
    left, right = figure.subplots(1, 2, sharey=True)
    left.plot(count, ours, "o", color=BLUE, ms=5, label="held-out rows, here")
    left.plot(count, theirs, "x", color=VERMILLION, ms=5, label="test part, the source")
    right.plot(time, ours, "o", color=BLUE, ms=5)
    right.plot(their_time, theirs, "x", color=VERMILLION, ms=5)
    left.set_xlabel("parameters", fontsize=NORMAL)
    right.set_xlabel("seconds of training", fontsize=NORMAL)
    left.set_ylabel("accuracy", fontsize=NORMAL)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.xaxis.set_minor_formatter(NullFormatter())  # labels of all would lie on each other
        axes.tick_params(labelsize=SMALL)
    figure.legend(loc="outside lower center", ncols=2, fontsize=SMALL, frameon=False)
    return figure
