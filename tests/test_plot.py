"""`vc.plot`: each picture on axes of its own and on a person's, with what it shows held against NumPy."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import linear_sum_assignment

import vaeclust_jax as vc
from tests.fitting.made import K, N, blobs, config, squares

VECTORS, IMAGES = (vc.data.Dataset(x, y, "made") for x, y in (blobs(), squares()))


@pytest.fixture(scope="module")
def of_vectors() -> vc.Run:
    return vc.fit(config(), VECTORS, 3)


@pytest.fixture(scope="module")
def of_images() -> vc.Run:
    return vc.fit(config(), IMAGES, 3)


PICTURES: dict[str, Callable[..., Axes]] = {
    "by cluster": lambda run, ax=None: vc.plot.latent_map(run, IMAGES, ax=ax),
    "by class": lambda run, ax=None: vc.plot.latent_map(run, IMAGES, "class", ax=ax),
    "by probability": lambda run, ax=None: vc.plot.latent_map(run, IMAGES, "probability", ax=ax),
    "by entropy": lambda run, ax=None: vc.plot.latent_map(run, IMAGES, "entropy", ax=ax),
    "history": lambda run, ax=None: vc.plot.history(run, ax=ax),
    "sizes": lambda run, ax=None: vc.plot.cluster_sizes(run, IMAGES, ax=ax),
    "confidence": lambda run, ax=None: vc.plot.confidence(run, IMAGES, ax=ax),
    "confusion": lambda run, ax=None: vc.plot.confusion(run, IMAGES, ax=ax),
    "reliability": lambda run, ax=None: vc.plot.reliability(run, IMAGES, ax=ax),
    "risk and coverage": lambda run, ax=None: vc.plot.risk_coverage(run, IMAGES, ax=ax),
    "reconstructions": lambda run, ax=None: vc.plot.reconstructions(run, IMAGES, ax=ax),
    "members": lambda run, ax=None: vc.plot.members(run, IMAGES, ax=ax),
    "samples": lambda run, ax=None: vc.plot.samples(run, ax=ax),
}
"""Of a model of images."""


@pytest.mark.long
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_without_axes_makes_a_figure_that_a_notebook_shows(of_images: vc.Run, name: str) -> None:
    axes = PICTURES[name](of_images)
    assert axes is axes.figure.axes[0]
    assert axes._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]


@pytest.mark.long
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_on_given_axes_leaves_the_others_alone(of_images: vc.Run, name: str) -> None:
    figure = Figure(layout="constrained")
    mine, other = figure.subplots(1, 2)
    before = other.get_children()
    assert PICTURES[name](of_images, ax=mine) is mine
    assert other.get_children() == before
    figure.draw_without_rendering()


@pytest.mark.long
def test_no_setting_of_matplotlib_is_changed_and_pyplot_is_not_imported(of_images: vc.Run, tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    for draw in PICTURES.values():
        draw(of_images)
    assert dict(matplotlib.rcParams) == before
    of_images.save(tmp_path / "model")
    code = """
import sys, numpy as np, vaeclust_jax as vc
vc.plot.members(vc.load("model"), np.zeros((5, 8, 8), np.uint8)).figure.savefig("figure.svg")
print("matplotlib.pyplot" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert (tmp_path / "figure.svg").read_text().startswith("<?xml")


def test_bars_are_the_sizes_of_clusters(of_vectors: vc.Run) -> None:
    axes = vc.plot.cluster_sizes(of_vectors, VECTORS)
    labels, q = of_vectors.predict(VECTORS), of_vectors.predict_proba(VECTORS)
    assert [bar.get_height() for bar in axes.patches] == [(labels == k).sum() for k in range(K)]
    said = [text.get_text() for text in axes.texts]
    assert said == [f"{q[labels == k].max(axis=1).mean():.2f}" if (labels == k).any() else "" for k in range(K)]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("cluster", "samples")


def test_a_latent_space_of_two_dimensions_is_shown_as_it_is(of_vectors: vc.Run) -> None:
    axes = vc.plot.latent_map(of_vectors, VECTORS, "entropy")
    q = of_vectors.predict_proba(VECTORS).astype(np.float64)
    dots = axes.collections[0]
    np.testing.assert_allclose(np.asarray(dots.get_offsets()), of_vectors.embed(VECTORS), rtol=1e-6)
    np.testing.assert_allclose(np.asarray(dots.get_array()), -(q * np.log(q)).sum(axis=1), rtol=1e-4)
    assert axes.get_title() == "latent space, by entropy of the assignment (nats)"
    few = vc.plot.latent_map(of_vectors, VECTORS, max_points=7).collections[0]
    assert len(np.asarray(few.get_offsets())) == 7


@pytest.mark.long
def test_a_line_is_the_mean_of_the_seeds(of_vectors: vc.Run) -> None:
    runs = vc.fit_seeds(config(), VECTORS, [3, 4])
    lines = {line.get_label(): line for line in vc.plot.history(runs, "kl").get_lines()}
    mean = np.mean([[row["kl"] for row in run.history] for run in runs], axis=0)
    drawn = np.asarray(lines["training"].get_ydata(), float)
    np.testing.assert_allclose(drawn[np.isfinite(drawn)], mean, rtol=1e-6)
    assert {"training", "validation", "one seed"} <= set(lines)
    alone = {line.get_label() for line in vc.plot.history(of_vectors).get_lines()}
    assert "one seed" not in alone


def test_classes_may_be_given_beside_the_data_in_any_form(of_vectors: vc.Run) -> None:
    x, y = blobs()
    names = np.array(["ant", "bee", "cat"])[y]
    shown = [text.get_text() for text in vc.plot.confusion(of_vectors, x, names).get_yticklabels()]
    assert shown == ["ant", "bee", "cat"]
    groups = vc.plot.confidence(of_vectors, x, y).get_legend_handles_labels()[1]
    assert sum(int(group.split(":")[1].split(",")[0]) for group in groups) == N
    (alone,) = vc.plot.confidence(of_vectors, x).get_legend_handles_labels()[1]
    assert alone.startswith(f"assignments: {N}")


def test_a_column_called_y_is_no_class(of_vectors: vc.Run) -> None:
    frame = pd.DataFrame(blobs()[0], columns=["a", "b", "c", "d", "y"])
    (alone,) = vc.plot.confidence(of_vectors, frame).get_legend_handles_labels()[1]
    assert alone.startswith(f"assignments: {N}")


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda run, x: vc.plot.latent_map(run, x, "class"), "a map by class needs the class of every sample: y=..."),
        (lambda run, x: vc.plot.latent_map(run, x, "size"), "by must be one of cluster, class, probability, entropy"),
        (lambda run, x: vc.plot.latent_map(run, x, np.zeros(len(x))), "entropy, and classes are y=..., got array"),
        (lambda run, x: vc.plot.confusion(run, x), "a confusion table needs the class of every sample"),
        (lambda run, x: vc.plot.confusion(run, x, [0, 1]), "y has 2 labels but x has 120 samples"),
        (lambda run, x: vc.plot.reliability(run, x), "reliability needs the class of every sample"),
        (lambda run, x: vc.plot.risk_coverage(run, x), "risk and coverage needs the class of every sample"),
        (lambda run, x: vc.plot.reconstructions(run, x), "reconstructions shows images, but the model is of vectors"),
        (lambda run, x: vc.plot.members(run, x), "members shows images, but the model is of vectors"),
        (lambda run, x: vc.plot.history(run, "size"), "part must be one of beta, kl, loss, "),
        (lambda run, x: vc.plot.history([]), "history must have rows"),
        (lambda run, x: vc.plot.latent_map(run, x, max_points=0), "max_points must be a whole number of at least 1"),
        (lambda run, x: vc.plot.history(run, ax=Figure()), "ax must be the axes of one picture"),
        (lambda run, x: vc.plot.history(run, ax=Figure().subplots(2)), "got ndarray of shape (2,)"),
        (lambda run, x: vc.plot.samples(run, -1), "a whole number from 0"),
        (lambda run, x: vc.plot.dendrogram(run), "there is no tree to cut"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(of_vectors: vc.Run, draw: Any, words: str) -> None:
    with pytest.raises(vc.InputError) as caught:
        draw(of_vectors, blobs()[0])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_curve_of_risk_ends_at_the_error_of_all(of_vectors: vc.Run) -> None:
    x, y = blobs()
    y = np.where(np.arange(len(y)) < 7, (y + 1) % K, y)  # errors, whatever the model says
    axes = vc.plot.risk_coverage(of_vectors, x, y)
    table = np.zeros((K, K), int)
    np.add.at(table, (y, of_vectors.predict(x)), 1)
    error = 1 - table[linear_sum_assignment(table, maximize=True)].sum() / len(y)
    coverage, risk = axes.lines[0].get_data()
    assert (coverage[-1], risk[-1]) == (1, pytest.approx(error))
    assert (np.diff(np.asarray(axes.lines[-1].get_ydata()) * np.asarray(coverage)) >= -1e-9).all()  # errors last


def test_reconstructions_are_those_of_the_decoder(of_images: vc.Run) -> None:
    drawn = np.asarray(vc.plot.reconstructions(of_images, IMAGES, count=4).images[0].get_array())
    rows = np.linspace(0, N - 1, 4).astype(int)
    tiles = np.lib.stride_tricks.sliding_window_view(drawn[..., 0], (8, 8))
    for image in (*of_images.prepare(IMAGES.x[rows]), *of_images.reconstruct(IMAGES.x[rows])):
        assert np.isclose(tiles, image[..., 0], atol=1e-6).all(axis=(2, 3)).any()


@pytest.mark.long
def test_transparency_is_not_drawn() -> None:
    x = np.concatenate([squares()[0][..., np.newaxis]] * 4, axis=-1)
    run = vc.fit(config(pretrain_epochs=1, joint_epochs=0), x, 0)
    vc.plot.members(run, x)
    vc.plot.samples(run)


@pytest.mark.long
def test_a_dendrogram_is_of_the_fits_clusters_or_of_another_cut() -> None:
    run = vc.fit(config(method="graph"), VECTORS, 3)
    for k in (None, 1, 7):
        axes = vc.plot.dendrogram(run, k)
        assert sum(int(text.get_text()) for text in axes.get_xticklabels()) == N
        heights = [line.get_ydata()[0] for line in axes.get_lines()]
        assert [int((run.tree_.linkage[:, 2] > height).sum()) + 1 for height in heights] == [k or K][: k != 1]
    with pytest.raises(vc.InputError, match="num_clusters must lie in 1 to"):
        vc.plot.dendrogram(run, 10**6)
