"""Pictures of clusters that classify, and of how many there are: what is drawn, and what is refused."""

import numpy as np
import pytest
from matplotlib.patches import Ellipse

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import NumClusters
from vaeclust_jax.plots import class_confusion, component_map, naming_curves, num_clusters_figure

ROWS = [{"name": "ours", "labels": count, "mean": 0.1 * count, "std": None} for count in (1, 4)]
CURVE = NumClusters(
    [2, 3, 4], [9.0, 7.0, 8.0], [1.0, 1.0, 0.5], [0.2, 0.6, 0.4], [0.1, 0.8, 0.7], [0.1, 0.1, 0.1],
    {"bic": 3, "stability": 3, "silhouette": 3, "gap": 3},
)  # fmt: skip


def test_a_line_for_each_name(png) -> None:
    figure = naming_curves([*ROWS, {"name": "theirs_$", "labels": 1, "mean": 0.5, "std": 0.1}])
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["ours", "theirs_$"]
    np.testing.assert_allclose(np.asarray(axes.containers[0].lines[0].get_ydata(), float), [0.1, 0.4])
    assert png(figure)[0] > 100


def test_rows_without_a_name_have_a_column_if_there_are_any(png) -> None:
    counts = np.array([[3, 1, 0], [0, 4, 0]])
    assert class_confusion(counts).axes[0].get_title() == "accuracy 0.875"
    assert len(class_confusion(counts).axes[0].get_xticks()) == 2
    counts[0, 2] = 8
    figure = class_confusion(counts, ["a", "b"])
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["a", "b", "none"]
    assert png(figure)[0] > 100


def test_ellipses_are_two_deviations_along_the_axes_of_the_covariance(png) -> None:
    angle = 0.5
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    covariance = turn @ np.diag([9.0, 1.0]) @ turn.T
    points = np.random.default_rng(0).normal(size=(30, 2))
    figure = component_map(
        points, np.arange(30) % 2, np.array([[1.0, 2.0]]), covariance[np.newaxis], title="x", label="class"
    )
    (ellipse,) = (patch for patch in figure.axes[0].patches if isinstance(patch, Ellipse))
    assert (ellipse.width, ellipse.height) == pytest.approx((12, 4))
    assert ellipse.angle % 180 == pytest.approx(np.degrees(angle))
    assert png(figure)[0] > 100


def test_every_criterion_has_a_panel_and_the_deciding_one_says_so(png) -> None:
    figure = num_clusters_figure(CURVE, "bic")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["bic: 3 (chosen)", "stability: 3", "silhouette: 3", "gap: 3"]
    assert png(figure)[0] > 100
    curve = CURVE._replace(best={**CURVE.best, "layers": 4}, layers=[0.1, 0.2, 0.5])
    figure = num_clusters_figure(curve, "layers")
    assert figure.axes[4].get_title(loc="left") == "layers: 4 (chosen)"
    np.testing.assert_allclose(np.asarray(figure.axes[4].lines[0].get_ydata(), float), [0.1, 0.2, 0.5])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="rows must hold at least one number of labels"):
        naming_curves([])
    with pytest.raises(InputError, match=r"counts must have shape \(C, C \+ 1\)"):
        class_confusion(np.ones((2, 2), int))
    with pytest.raises(InputError, match="means and covariances must be"):
        component_map(np.zeros((3, 2)), np.zeros(3, int), np.zeros((2, 2)), np.zeros((1, 2, 2)), title="", label="")
    with pytest.raises(InputError, match="criterion must be one of"):
        num_clusters_figure(CURVE, "elbow")
