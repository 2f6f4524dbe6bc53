import numpy as np
import pytest

from vaeclust_jax.errors import InputError
from vaeclust_jax.plots import images_by_cluster, profiles_by_cluster, reconstructions

RNG = np.random.default_rng(0)


def flat_images(values, channels=1):
    """Images of one grey value each, so that a mosaic can be read back."""
    return np.broadcast_to(np.reshape(values, (-1, 1, 1, 1)), (len(values), 8, 8, channels)).astype(np.float32)


def cell_values(axes, rows, columns):
    canvas = np.asarray(axes.get_images()[0].get_array())
    return canvas[3 :: len(canvas) // rows, 3 :: canvas.shape[1] // columns, 0]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("count", [1, 10, 12, 99])
def test_images_over_their_reconstructions(count, channels, png):
    x = RNG.random((count, 6, 8, channels)).astype(np.float32)
    figure = reconstructions(x, x * 0.5)
    assert len(figure.axes) == min(-(-count // 10), 3)
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["original", "reconstructed"]
    png(figure)


def test_image_cells_hold_the_images():
    values = np.array([0.1, 0.4, 0.9])
    axes = reconstructions(flat_images(values), flat_images(values / 2), ["a", "b", "a long name"]).axes[0]
    np.testing.assert_allclose(cell_values(axes, 2, 3), [values, values / 2], rtol=1e-6)
    assert [text.get_text() for text in axes.get_xticklabels()] == [
        "a",
        "b",
        "a long n\N{HORIZONTAL ELLIPSIS}",
    ]
    grey, opacity = np.split(np.asarray(axes.get_images()[0].get_array()), [3], axis=2)
    assert (grey == grey[..., :1]).all()
    assert set(np.unique(opacity)) == {0, 1}  # gaps show what is behind


@pytest.mark.long
@pytest.mark.parametrize(("count", "features"), [(1, 1), (5, 4), (40, 200)])
def test_vectors_with_their_reconstructions(count, features, png):
    x = RNG.normal(size=(count, features))
    figure = reconstructions(x, x + 1)
    assert len(figure.axes) == min(count, 12)
    original, reconstructed = figure.axes[-1].get_lines()
    np.testing.assert_allclose(original.get_ydata(), x[len(figure.axes) - 1], rtol=1e-6)
    np.testing.assert_allclose(reconstructed.get_ydata() - original.get_ydata(), 1, rtol=1e-5)
    png(figure)


def test_the_surest_images_come_first():
    x = flat_images([0.1, 0.2, 0.3, 0.4, 0.5])
    labels, confidence = [0, 0, 2, 0, 2], [0.6, 0.9, 0.8, 0.7, 1.0]
    axes = images_by_cluster(x, labels, confidence, num_clusters=3, per_cluster=2).axes[0]
    np.testing.assert_allclose(cell_values(axes, 3, 2), [[0.2, 0.4], [1, 1], [0.5, 0.3]], rtol=1e-6)
    names = [text.get_text().split() for text in axes.get_yticklabels()]
    assert names == [
        ["cluster", "samples", "confidence"],
        ["0", "3", "0.73"],
        ["1", "empty"],
        ["2", "2", "0.90"],
    ]


@pytest.mark.parametrize("num_clusters", [2, 10, 30, 60])
def test_many_clusters_of_images(num_clusters, png):
    labels = RNG.integers(1, num_clusters, 200)
    figure = images_by_cluster(RNG.random((200, 7, 7, 3)), labels, RNG.random(200), num_clusters=num_clusters)
    (axes,) = figure.axes
    assert len(axes.get_yticks()) == 1 + min(num_clusters, 30)
    assert axes.get_yticklabels()[1].get_text().endswith("empty")
    more = " (30 more clusters not shown)" if num_clusters == 60 else ""
    assert axes.texts[0].get_text() == "surest images first" + more
    png(figure)


@pytest.mark.long
@pytest.mark.parametrize(("num_clusters", "features"), [(2, 2), (10, 64), (60, 5)])
def test_profiles_of_clusters(num_clusters, features, png):
    x, labels = RNG.normal(size=(300, features)), RNG.integers(1, num_clusters, 300)
    figure = profiles_by_cluster(x, labels, num_clusters=num_clusters)
    assert len(figure.axes) == min(num_clusters, 30)
    first, second = figure.axes[:2]
    assert [text.get_text() for text in first.texts] == ["empty"]
    assert first.get_title() == "cluster 0 (0 samples)"
    assert second.get_title() == f"cluster 1 ({(labels == 1).sum()} samples)"
    np.testing.assert_allclose(second.get_lines()[0].get_ydata(), x[labels == 1].mean(axis=0), atol=1e-5)
    assert ("30 more clusters" in figure.get_suptitle()) == (num_clusters == 60)
    png(figure)


def test_feature_names_are_shown_and_not_read_as_formulas(png):
    figure = profiles_by_cluster(RNG.normal(size=(9, 2)), [0] * 9, num_clusters=1, names=["$a_", "b^$"])
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["$a_", "b^$"]
    png(figure)


def test_mistakes_are_named():
    x = flat_images([0.1, 0.2])
    with pytest.raises(InputError, match="x_hat must have the shape of x"):
        reconstructions(x, x[:1])
    with pytest.raises(InputError, match="x must have shape"):
        reconstructions(x[..., 0], x[..., 0])
    with pytest.raises(InputError, match="x and names must have the same number of samples"):
        reconstructions(x, x, ["one"])
    with pytest.raises(InputError, match="labels must hold numbers from 0 to 1; got 2"):
        images_by_cluster(x, [0, 2], [0.5, 0.5], num_clusters=2)
    with pytest.raises(InputError, match="2 for x, 2 for labels, 1 for confidence"):
        images_by_cluster(x, [0, 1], [0.5], num_clusters=2)
    with pytest.raises(InputError, match="names must have one entry per feature, 3; got 2"):
        profiles_by_cluster(np.eye(3), [0, 1, 1], num_clusters=2, names=["a", "b"])
