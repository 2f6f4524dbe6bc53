"""Pictures of what an uncertainty is worth: whether the samples it is high for are the wrong ones."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.plots.style import (
    BLUE,
    GREY,
    NORMAL,
    SMALL,
    VERMILLION,
    axes_for,
    categorical_colours,
    check_same_length,
    figure_of,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Curve = tuple[ArrayLike, ArrayLike]

MAX_BINS = 12
PER_BIN = 10  # samples at least, so that an interval says something
SKEWED = 0.05  # of the largest value: a median below it would leave most samples at one place of a linear axis
SMALLEST = 1e-6  # of the largest value, below which all is as good as zero
SETTLED = 0.05  # coverage below which a risk rests on too few samples to set the axis


def uncertainty_histogram(values: ArrayLike, correct: ArrayLike | None, *, label: str) -> Figure:
    """Draw how an uncertainty spreads over the samples; where classes are known, over right and wrong ones.

    Right and wrong assignments are each shown as shares of their own number, as in `confidence_histogram`. When
    most values lie far below the largest, the axis is logarithmic, but for a linear part next to zero.

    Args:
        values: shape (n,), the uncertainty of each sample.
        correct: shape (n,), whether the chosen cluster is matched to the class; None if not known.
        label: what the values are, with the unit, such as "assignment entropy (nats)".

    Raises:
        InputError: `values` is empty or not finite, or the lengths differ.
    """
    values = _check_uncertainty(values)
    figure = new_figure(5.0, 3.2)
    axes = figure.subplots()
    _scale(axes, values, label)
    scale = axes.xaxis.get_transform()  # bins look equally wide on any scale
    low, high = values.min(), values.max()
    alike = high - low <= 1e-9 * max(abs(low), abs(high))  # by no more than rounding: no room for twenty bins
    ends = np.array([low - 0.5, low + 0.5] if alike else [low, high])
    first, last = scale.transform(ends)
    edges = scale.inverted().transform(np.linspace(first, last, 21))
    edges[[0, -1]] = ends  # exactly, so that rounding leaves out no sample
    draw_groups(axes, values, correct, edges)
    return figure


def correctness_curve(values: ArrayLike, correct: ArrayLike, *, label: str) -> Figure:
    """Draw the share of correct assignments as an uncertainty grows.

    Points are bins of about equally many samples, at their mean uncertainty; samples of one value are never
    parted. Bars are Wilson intervals of 95 % (Wilson 1927, "Probable inference, the law of succession, and
    statistical inference"). Dots are single samples, the correct ones above the curve, the wrong ones below.
    The axis is that of `uncertainty_histogram`.

    Args:
        values: shape (n,), the uncertainty of each sample.
        correct: shape (n,), whether the chosen cluster is matched to the class.
        label: what the values are, with the unit.

    Raises:
        InputError: `values` is empty or not finite, or the lengths differ.
    """
    from scipy.stats import binomtest

    values, correct = _check_uncertainty(values), np.asarray(correct, dtype=bool)
    check_same_length(values=values, correct=correct)
    figure = new_figure(5.6, 3.8)
    axes = figure.subplots()
    _scale(axes, values, label)
    bins = _equal_count_bins(values)
    points = []
    for number in np.unique(bins):
        hits = correct[bins == number]
        interval = binomtest(int(hits.sum()), len(hits)).proportion_ci(0.95, method="wilson")
        points.append((values[bins == number].mean(), hits.mean(), interval.low, interval.high))
    _draw_intervals(axes, *np.transpose(points))
    _draw_samples(axes, values[correct], 1.12, BLUE, "correct")
    _draw_samples(axes, values[~correct], -0.12, VERMILLION, "wrong")
    axes.set_ylim(-0.2, 1.2)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_ylabel("share correct", fontsize=NORMAL)
    return figure


def risk_coverage_curves(
    curves: Mapping[str, Curve], *, error_rate: float, best: Curve | None, ax: Axes | None = None
) -> Figure:
    """Draw the share of errors among the samples kept, when those of least uncertainty are kept.

    After El-Yaniv and Wiener 2010, "On the foundations of noise-free selective classification". The legend
    gives the mean risk of each curve, the area under it. The axis of risk ends where every curve fits from
    5 % coverage on: before that a risk is that of a handful of samples.

    Args:
        curves: by the name of the uncertainty: coverage and risk, shapes (n,), by growing coverage.
        error_rate: of all samples, in [0, 1]; the risk of a random order.
        best: the curve of the order that has all errors last; None to leave it out.
        ax: to draw on; None for those of a new figure.

    Raises:
        InputError: there is no curve, a coverage or risk is out of [0, 1], or lengths differ.
    """
    if not curves or not 0 <= error_rate <= 1:
        got = f"{len(curves)} curves and {error_rate}"
        raise InputError(f"curves must not be empty and error_rate must be in [0, 1], got {got}.")
    axes = axes_for(ax, 6.6, 3.8)
    lines = {name: _check_curve(name, curve) for name, curve in curves.items()}
    colours = categorical_colours(len(lines))
    dashes = cycle(("-", (0, (4, 2))))  # in the gaps, a line below shows that the two go the same way
    for (name, (coverage, risk)), colour, dash in zip(lines.items(), colours, dashes, strict=False):
        axes.plot(coverage, risk, color=colour, lw=1.5, ls=dash, label=f"{name}: {risk.mean():.3g}")
    axes.axhline(error_rate, color=GREY, lw=1.2, ls=":", label=f"random order: {error_rate:.3g}")
    if best is not None:
        coverage, risk = _check_curve("best", best)
        axes.plot(coverage, risk, color=GREY, lw=1.5, ls="--", label=f"best order: {risk.mean():.3g}")
    settled = [risk[coverage >= min(SETTLED, coverage.max())].max() for coverage, risk in lines.values()]
    top = max(error_rate, *settled) or 1.0
    axes.set(xlim=(0, 1), ylim=(-0.02 * top, 1.08 * top))
    axes.set_xlabel("coverage: share of the samples kept", fontsize=NORMAL)
    axes.set_ylabel("risk: share of errors among them", fontsize=NORMAL)
    entries = axes.get_legend_handles_labels()
    if ax is None:
        legend = figure_of(axes).legend(*entries, loc="outside right upper", fontsize=SMALL, frameon=False)
    else:
        legend = axes.legend(fontsize=SMALL, frameon=False)
    legend.set_title("mean risk")
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure_of(axes)


def reliability_diagram(
    confidence: ArrayLike,
    accuracy: ArrayLike,
    count: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    ece: float,
    ax: Axes | None = None,
) -> Figure:
    """Draw the accuracy of assignments against their confidence, over how many samples have it.

    A calibrated model lies on the diagonal (Guo et al. 2017, "On calibration of modern neural networks").

    Args:
        confidence: shape (b,), the mean confidence in each bin, in [0, 1].
        accuracy: shape (b,), the share of correct assignments in each bin.
        count: shape (b,), samples in each bin; bins without any are left out.
        low: shape (b,), where the interval of the accuracy starts.
        high: shape (b,), where it ends.
        ece: the expected calibration error, in [0, 1].
        ax: to draw the accuracy on, alone; None for a new figure.

    Raises:
        InputError: the lengths differ, or all bins are empty.
    """
    columns = {"confidence": confidence, "accuracy": accuracy, "count": count, "low": low, "high": high}
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    check_same_length(**arrays)
    filled = arrays["count"] > 0
    if not filled.any():
        raise InputError(f"count must be above 0 in some bin, got {len(filled)} empty bins.")
    place, share, counts, starts, ends = (values[filled] for values in arrays.values())
    figure = new_figure(4.2, 5.0) if ax is None else figure_of(ax)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1)) if ax is None else (ax, None)
    above.plot([0, 1], [0, 1], "--", color=GREY, lw=1.2)
    _draw_intervals(above, place, share, starts, ends)
    above.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    above.set_ylabel("share correct", fontsize=NORMAL)
    above.set_title(f"ECE {ece:.3f}", fontsize=NORMAL)
    if below is None:
        above.set_xlabel("mean predicted probability", fontsize=NORMAL)
        return figure
    below.bar(place, counts, width=0.02, color=BLUE)
    below.set_ylabel("samples", fontsize=NORMAL)
    below.set_xlabel("mean predicted probability", fontsize=NORMAL)
    return figure


def _check_uncertainty(values: ArrayLike) -> NDArray[np.float64]:
    uncertainty = np.asarray(values, dtype=np.float64)
    unfit = (~np.isfinite(uncertainty)).sum()
    if uncertainty.ndim != 1 or not uncertainty.size or unfit:
        got = f"shape {uncertainty.shape}, {unfit} not finite"
        raise InputError(f"values must be one-dimensional, not empty and finite, got {got}.")
    return uncertainty


def _check_curve(name: str, curve: Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    coverage, risk = (np.asarray(values, dtype=np.float64) for values in curve)
    check_same_length(coverage=coverage, risk=risk)
    if not all(((values >= 0) & (values <= 1 + 1e-6)).all() for values in (coverage, risk)):
        raise InputError(f"coverage and risk must be in [0, 1], got others for {name!r}.")
    return coverage, risk


def _scale(axes: Axes, values: NDArray[np.float64], label: str) -> None:
    """Name the axis of an uncertainty, and make it logarithmic where most values lie far below the largest."""
    axes.set_xlabel(label, fontsize=NORMAL, parse_math=False)
    positive, highest = values[values > 0], values.max()
    if values.min() >= 0 and len(positive) and np.median(positive) < SKEWED * highest:
        axes.set_xscale("symlog", linthresh=max(np.quantile(positive, 0.1), SMALLEST * highest))


def draw_groups(axes: Axes, values: NDArray, correct: ArrayLike | None, edges: NDArray) -> None:
    """Draw histograms of right and wrong assignments, each as shares of its own number, with their means."""
    groups = {"assignments": (values, BLUE)}
    if correct is not None:
        correct = np.asarray(correct, dtype=bool)
        check_same_length(values=values, correct=correct)
        groups = {"correct": (values[correct], BLUE), "wrong": (values[~correct], VERMILLION)}
    for name, (members, colour) in groups.items():
        if len(members):
            axes.hist(
                members,
                bins=edges.tolist(),
                weights=np.full(len(members), 1 / len(members)),
                histtype="stepfilled",
                facecolor=(colour, 0.35),
                edgecolor=colour,
                label=f"{name}: {len(members)}, mean {members.mean():.3g}",
            )
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylabel("share of the assignments" if correct is None else "share of each group", fontsize=NORMAL)
    axes.legend(fontsize=SMALL)


def _equal_count_bins(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number the bins of the samples, from that of the smallest values; equal values share a bin."""
    count = int(np.clip(len(values) // PER_BIN, 1, MAX_BINS))
    ends = np.quantile(values, np.linspace(0, 1, count + 1)[1:-1], method="inverted_cdf")
    return np.searchsorted(np.unique(ends), values, side="left")


def _draw_intervals(axes: Axes, x: NDArray, share: NDArray, low: NDArray, high: NDArray) -> None:
    lengths = np.maximum([share - low, high - share], 0)  # at a share of 0 or 1, rounding may part them
    axes.errorbar(x, share, yerr=lengths, fmt="o-", ms=4, lw=1.2, elinewidth=1.2, capsize=2, color=BLUE)


def _draw_samples(axes: Axes, values: NDArray[np.float64], height: float, colour: str, name: str) -> None:
    """Draw a strip of single samples, spread a little upwards and downwards so that they can be told apart."""
    jitter = np.random.default_rng(0).uniform(-0.06, 0.06, len(values))
    alpha = float(np.clip(150 / max(len(values), 1), 0.05, 0.6))
    axes.scatter(values, height + jitter, s=6, color=colour, alpha=alpha, linewidths=0, rasterized=True)
    text = f"{name}\n{len(values)}"
    axes.text(1.01, height, text, transform=axes.get_yaxis_transform(), va="center", fontsize=SMALL, color=colour)
