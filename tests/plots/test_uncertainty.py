import numpy as np
import pytest
from matplotlib.colors import to_rgba
from scipy.stats import norm

from vaeclust_jax.errors import InputError
from vaeclust_jax.plots.uncertainty import (
    correctness_curve,
    reliability_diagram,
    risk_coverage_curves,
    uncertainty_histogram,
)
from vaeclust_jax.uncertainty.selective import risk_coverage

RNG = np.random.default_rng(0)


def wilson(hits, n):
    """The closed form of the interval (Wilson 1927)."""
    z, p = norm.ppf(0.975), hits / n
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


def legend_texts(legend):
    return [text.get_text() for text in legend.get_texts()]


def points(axes):
    """The points of an interval plot, and where their bars start and end."""
    (container,) = axes.containers
    line, _, (bars,) = container
    starts, ends = np.array(bars.get_segments())[:, :, 1].T
    return line.get_xdata(), line.get_ydata(), starts, ends


def test_right_and_wrong_are_shares_of_their_own_number(png):
    values, correct = np.array([0.0, 0.1, 0.1, 0.9, 1.0]), np.array([1, 1, 1, 0, 0], bool)
    figure = uncertainty_histogram(values, correct, label="entropy $H$ <nats>")
    (axes,) = figure.axes
    assert legend_texts(axes.get_legend()) == ["correct: 3, mean 0.0667", "wrong: 2, mean 0.95"]
    heights = [patch.get_xy()[:, 1].max() for patch in axes.patches]
    assert heights == pytest.approx([2 / 3, 1 / 2])
    assert axes.get_xlabel() == "entropy $H$ <nats>"
    assert not axes.xaxis.label.get_parse_math()
    assert axes.get_ylabel() == "share of each group"
    assert axes.get_xscale() == "linear"
    png(figure)


@pytest.mark.long
@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (RNG.normal(-3, 1, 200), "linear"),
        (RNG.random(200), "linear"),
        (np.repeat([0.0, 0.6, 1.1], [180, 15, 5]), "linear"),  # votes: zero for most, but no small values
        (10.0 ** RNG.uniform(-12, 0, 200), "symlog"),
        (np.r_[np.zeros(50), 10.0 ** RNG.uniform(-4, 0, 200)], "symlog"),
        (np.full(5, 2.3), "linear"),
        (np.r_[np.full(5, 2.3), np.nextafter(2.3, 3)], "linear"),
        (np.zeros(1), "linear"),
    ],
)
def test_every_sample_is_counted_on_any_scale(values, scale, png):
    figure = uncertainty_histogram(values, None, label="x")
    (axes,) = figure.axes
    assert axes.get_xscale() == scale
    assert legend_texts(axes.get_legend()) == [f"assignments: {len(values)}, mean {values.mean():.3g}"]
    outline = axes.patches[0].get_xy()
    edges, heights = outline[0:41:2, 0], outline[1:41:2, 1]
    np.testing.assert_allclose(heights, np.histogram(values, edges)[0] / len(values))
    assert heights.sum() == pytest.approx(1)
    widths = np.diff(axes.transData.transform(np.c_[edges, edges])[:, 0])
    np.testing.assert_allclose(widths, widths[0], rtol=1e-6)  # they look equally wide
    png(figure)
    curve = correctness_curve(values, values > values.mean(), label="x")
    assert curve.axes[0].get_xscale() == scale
    png(curve)


def test_bins_of_equal_count_with_wilson_intervals(png):
    values = RNG.permutation(240) / 240.0
    correct = RNG.random(240) > values
    figure = correctness_curve(values, correct, label="spread ($x$)")
    (axes,) = figure.axes
    x, share, low, high = points(axes)
    order = np.argsort(values).reshape(12, 20)
    np.testing.assert_allclose(x, values[order].mean(axis=1))
    np.testing.assert_allclose(share, correct[order].mean(axis=1))
    np.testing.assert_allclose([low, high], wilson(correct[order].sum(axis=1), 20), atol=1e-9)
    assert axes.get_xlabel() == "spread ($x$)"
    png(figure)


def test_single_samples_lie_right_above_and_wrong_below():
    values, correct = RNG.random(30), RNG.random(30) < 0.7
    (axes,) = correctness_curve(values, correct, label="x").axes
    right, wrong = (dots.get_offsets() for dots in axes.collections[-2:])
    np.testing.assert_allclose(right[:, 0], values[correct])
    np.testing.assert_allclose(wrong[:, 0], values[~correct])
    assert right[:, 1].min() > 1
    assert wrong[:, 1].max() < 0
    assert [text.get_text() for text in axes.texts] == [f"correct\n{correct.sum()}", f"wrong\n{(~correct).sum()}"]


@pytest.mark.parametrize("n", [1, 5, 19, 25, 1000])
def test_few_samples_make_few_bins(n, png):
    figure = correctness_curve(np.arange(n, dtype=float), np.ones(n, bool), label="x")
    x, share, *_ = points(figure.axes[0])
    assert len(x) == max(1, min(12, n // 10))
    assert (share == 1).all()
    png(figure)


def test_samples_of_one_value_share_a_bin(png):
    values = np.repeat([0.0, 0.5, 1.0], [500, 60, 40])
    figure = correctness_curve(RNG.permutation(values), np.ones(600, bool), label="votes")
    np.testing.assert_allclose(points(figure.axes[0])[0], [0, 0.5, 1])
    png(figure)


def test_curves_have_their_mean_risk_in_the_legend(png):
    correct = RNG.random(300) < 0.8
    uncertainty = {"entropy": RNG.random(300) - correct, "$x$ <b>": RNG.random(300)}
    curves = {name: risk_coverage(correct, values) for name, values in uncertainty.items()}
    best = risk_coverage(correct, (~correct).astype(float))
    figure = risk_coverage_curves(
        {name: curve[:2] for name, curve in curves.items()}, error_rate=(~correct).mean(), best=best[:2]
    )
    (axes,) = figure.axes
    drawn = axes.get_lines()
    for line, curve in zip(drawn[:2], curves.values(), strict=True):
        np.testing.assert_allclose(line.get_xydata().T, [curve.coverage, curve.risk])
    np.testing.assert_allclose(drawn[2].get_ydata(), (~correct).mean())
    np.testing.assert_allclose(drawn[3].get_ydata(), best.risk)
    (legend,) = figure.legends
    assert legend_texts(legend) == [
        *(f"{name}: {curve.area:.3g}" for name, curve in curves.items()),
        f"random order: {(~correct).mean():.3g}",
        f"best order: {best.area:.3g}",
    ]
    assert not any(text.get_parse_math() for text in legend.get_texts())
    png(figure)


def test_a_mistake_of_the_surest_sample_does_not_set_the_axis(png):
    errors = np.zeros(200)
    errors[0] = 1
    coverage = np.arange(1, 201) / 200
    figure = risk_coverage_curves({"a": (coverage, errors.cumsum() / (200 * coverage))}, error_rate=0.005, best=None)
    assert figure.axes[0].get_ylim()[1] == pytest.approx(1.08 / 10)  # of the first ten samples, one is wrong
    assert len(figure.axes[0].get_lines()) == 2
    png(figure)


@pytest.mark.parametrize("n", [1, 50])
def test_curves_without_errors_and_many_of_them(n, png):
    curve = (np.arange(1, n + 1) / n, np.zeros(n))
    figure = risk_coverage_curves({f"uncertainty {number}": curve for number in range(12)}, error_rate=0, best=curve)
    assert figure.axes[0].get_ylim()[1] > 1
    assert len({to_rgba(line.get_color()) for line in figure.axes[0].get_lines()}) == 13
    png(figure)


def test_reliability_leaves_out_empty_bins(png):
    nan = np.nan
    confidence, accuracy = [nan, 0.35, 0.6, 0.9], [nan, 0.0, 0.5, 1.0]
    count, low, high = [0, 4, 10, 50], [nan, 0.0, 0.2, 0.93], [nan, 0.5, 0.8, 1 - 1e-16]
    figure = reliability_diagram(confidence, accuracy, count, low, high, ece=0.1234)
    above, below = figure.axes
    np.testing.assert_allclose(points(above), np.array([confidence, accuracy, low, high])[:, 1:])
    np.testing.assert_allclose(above.get_lines()[0].get_xydata(), [[0, 0], [1, 1]])
    assert above.get_title() == "ECE 0.123"
    assert [bar.get_height() for bar in below.patches] == [4, 10, 50]
    np.testing.assert_allclose([bar.get_x() + bar.get_width() / 2 for bar in below.patches], confidence[1:])
    png(figure)


def test_mistakes_are_named():
    for wrong in ([np.nan], [[0.5]], []):
        for draw in (uncertainty_histogram, correctness_curve):
            with pytest.raises(InputError, match="values must be one-dimensional, not empty and finite, got shape"):
                draw(wrong, [True], label="x")
    for draw in (uncertainty_histogram, correctness_curve):
        with pytest.raises(InputError, match="2 for values, 1 for correct"):
            draw([0.5, 0.6], [True], label="x")
    with pytest.raises(InputError, match=r"error_rate must be in \[0, 1\], got 0 curves and 0.1"):
        risk_coverage_curves({}, error_rate=0.1, best=None)
    with pytest.raises(InputError, match=r"error_rate must be in \[0, 1\], got 1 curves and 1.5"):
        risk_coverage_curves({"a": ([1.0], [0.0])}, error_rate=1.5, best=None)
    with pytest.raises(InputError, match="1 for coverage, 2 for risk"):
        risk_coverage_curves({"a": ([1.0], [0.0, 0.1])}, error_rate=0.1, best=None)
    for curve in (([0.5, 1.5], [0, 0]), ([0.5, 1], [0, np.nan]), ([0.5, 1], [0, -0.1])):
        with pytest.raises(InputError, match=r"coverage and risk must be in \[0, 1\], got others for 'best'"):
            risk_coverage_curves({"a": ([1.0], [0.0])}, error_rate=0.1, best=curve)
    with pytest.raises(InputError, match="1 for confidence, 1 for accuracy, 2 for count"):
        reliability_diagram([0.5], [0.5], [1, 2], [0.4], [0.6], ece=0)
    with pytest.raises(InputError, match="count must be above 0 in some bin, got 1 empty bins"):
        reliability_diagram([0.5], [0.5], [0], [0.4], [0.6], ece=0)
