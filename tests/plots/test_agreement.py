import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib import rc_context

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import accuracy
from vaeclust_jax.plots import confidence_histogram, confusion, save_figures

RNG = np.random.default_rng(0)


def ticks(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


def test_matched_clusters_lie_on_the_diagonal(png):
    y = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    labels = np.array([3, 3, 0, 1, 1, 0, 0, 5])
    figure = confusion(y, labels, ["cat", "dog", "$bird"])
    axes, bar = figure.axes
    assert ticks(axes.yaxis) == ["cat", "dog", "$bird"]
    assert ticks(axes.xaxis) == ["3", "1", "0", "5"]  # 5 is left over
    expected = np.array([[2, 0, 1, 0], [0, 2, 0, 0], [0, 0, 2, 1]])
    shares = axes.get_images()[0].get_array()
    np.testing.assert_allclose(shares, expected / expected.sum(axis=1, keepdims=True))
    written = {text.get_position()[::-1]: int(text.get_text()) for text in axes.texts}
    assert written == {place: count for place, count in np.ndenumerate(expected) if count}
    assert axes.get_title() == f"ACC {accuracy(y, labels):.3f}" == "ACC 0.750"
    assert bar.get_ylabel() == "share of the class"
    png(figure)


@pytest.mark.long
@pytest.mark.parametrize(("classes", "clusters"), [(10, 2), (1, 1), (20, 20), (10, 60), (120, 3)])
def test_any_number_of_classes_and_clusters(classes, clusters, png):
    y, labels = np.arange(2400) % classes, RNG.integers(0, clusters, 2400)
    figure = confusion(y, labels)
    axes = figure.axes[0]
    assert axes.get_images()[0].get_array().shape == (classes, clusters)
    assert bool(axes.texts) == (max(classes, clusters) <= 20)
    assert all(len(ticks(axis)) <= 50 for axis in (axes.xaxis, axes.yaxis))
    png(figure)


def test_confidence_by_correctness(png):
    probability, correct = np.array([0.97, 0.99, 0.99, 0.52, 0.48]), np.array([1, 1, 1, 0, 0], bool)
    figure = confidence_histogram(probability, correct)
    (axes,) = figure.axes
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["correct: 3, mean 0.983", "wrong: 2, mean 0.5"]
    heights = [patch.get_xy()[:, 1].max() for patch in axes.patches]
    assert heights == pytest.approx([1.0, 0.5])
    png(figure)


@pytest.mark.parametrize(("correct", "names"), [(None, ["assignments"]), ([True, True], ["correct"])])
def test_confidence_of_one_group(correct, names, png):
    figure = confidence_histogram([0.2, 1.0 + 1e-7], correct)
    texts = figure.axes[0].get_legend().get_texts()
    assert [text.get_text() for text in texts] == [f"{name}: 2, mean 0.6" for name in names]
    png(figure)


def test_mistakes_are_named():
    with pytest.raises(InputError, match="y must hold numbers from 0 to 1; got 2"):
        confusion([0, 2], [0, 1], ["a", "b"])
    with pytest.raises(InputError, match="y must have one entry per label"):
        confusion([0, 1, 1], [0, 1])
    for wrong in ([1.5], [np.nan], [[0.5]], []):
        with pytest.raises(InputError, match=r"probability must be one-dimensional, not empty and in \[0, 1\]"):
            confidence_histogram(wrong, None)
    with pytest.raises(InputError, match="2 for probability, 1 for correct"):
        confidence_histogram([0.5, 0.6], [True])


def test_figures_are_saved_by_name(tmp_path):
    figure = confidence_histogram([0.5], None)
    paths = save_figures(tmp_path, {"confidence": figure, "again": figure}, dpi=40)
    names = ["confidence.png", "confidence.svg", "again.png", "again.svg"]
    assert paths == [tmp_path / name for name in names]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths[::2])
    assert {ElementTree.parse(path).getroot().tag for path in paths[1::2]} == {"{http://www.w3.org/2000/svg}svg"}


def test_equal_figures_are_equal_bytes(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        save_figures(tmp_path / folder, {"confidence": confidence_histogram([0.5, 0.6], [True, False])})
    for ending in ("png", "svg"):
        one, other = (tmp_path / folder / f"confidence.{ending}" for folder in "ab")
        assert one.read_bytes() == other.read_bytes()


def test_files_are_those_of_savefig(tmp_path):
    given = [[0, 0, 1, 1], [0, 1, 1, 1], ["circle", "square"]]  # its cells are an image
    png, svg = save_figures(tmp_path, {"confusion": confusion(*given)}, dpi=70)
    figure = confusion(*given)
    figure.savefig(tmp_path / "other.png", dpi=70)
    figure.set_layout_engine("none")
    with rc_context({"svg.hashsalt": "confusion"}):
        figure.savefig(tmp_path / "other.svg", dpi=70, metadata={"Date": None})
    assert png.read_bytes() == (tmp_path / "other.png").read_bytes()
    assert svg.read_bytes() == (tmp_path / "other.svg").read_bytes()


@pytest.mark.long
def test_plotting_libraries_are_imported_only_to_draw():
    code = (
        "import sys, vaeclust_jax.plots, vaeclust_jax.page, vaeclust_jax.metrics; "
        "print([name for name in ('matplotlib', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    code = (
        "import sys; from vaeclust_jax.plots import *; "
        "confidence_histogram([0.5], None).savefig(sys.stderr.buffer); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip() == b"False"
