import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.patches import Rectangle

from vaeclust_jax.errors import InputError
from vaeclust_jax.plots.generated import decoded_clusters, most_and_least_certain, samples_beside_data
from vaeclust_jax.plots.style import BLUE, VERMILLION

RNG = np.random.default_rng(0)


def flat_images(values, channels=1):
    """Images of one grey value each, so that a mosaic can be read back."""
    values = np.asarray(values)
    return np.broadcast_to(values[..., None, None, None], (*values.shape, 8, 8, channels)).astype(np.float32)


def cell_values(axes, rows, columns):
    canvas = np.asarray(axes.get_images()[0].get_array())
    return canvas[3 :: len(canvas) // rows, 3 :: canvas.shape[1] // columns, 0]


def frames(axes):
    return [(patch.get_xy(), patch.get_edgecolor()) for patch in axes.patches if isinstance(patch, Rectangle)]


def profiles(line):
    """The vectors of a line broken by NaN: their places across, and their depths."""
    x, y = line.get_data()
    parts = np.split(np.stack([x, y]), np.flatnonzero(np.isnan(x)) + 1, axis=1)[:-1]
    return [part[:, :-1] for part in parts]


def test_the_centroid_comes_first_and_is_framed(png):
    centroids, samples = np.array([0.1, 0.6]), RNG.random((2, 9))
    figure = decoded_clusters(flat_images(centroids), flat_images(samples))
    (axes,) = figure.axes
    expected = np.c_[centroids, samples]
    np.testing.assert_allclose(cell_values(axes, 2, 10), expected, rtol=1e-6)
    assert [place for place, _ in frames(axes)] == [(0, 0), (0, 1)]
    assert all(same_color(colour, BLUE) for _, colour in frames(axes))
    height, width = axes.patches[0].get_height(), axes.patches[0].get_width()
    assert (height, width) == pytest.approx((8 / 9, 8 / 9))  # one pixel of gap
    assert [text.get_text() for text in axes.get_yticklabels()] == ["cluster", "0", "1"]
    assert axes.texts[0].get_text() == "decoded centroid (framed) and samples"
    png(figure)


@pytest.mark.parametrize(
    ("num_clusters", "shape"),
    [(1, (6, 8, 3)), (10, (7, 5, 1)), (45, (4, 4, 1)), (1, (1,)), (10, (40,)), (30, (3,)), (45, (5,))],
)
def test_any_number_of_clusters_and_kind_of_data(num_clusters, shape, png):
    centroids, samples = RNG.random((num_clusters, *shape)), RNG.random((num_clusters, 2, *shape))
    figure = decoded_clusters(centroids, samples)
    (axes,) = figure.axes
    shown = min(num_clusters, 30)
    assert len(frames(axes)) == shown
    assert len(axes.get_yticks()) == 1 + shown
    assert axes.texts[0].get_text().endswith("(15 more clusters not shown)") == (num_clusters == 45)
    png(figure)


def test_ten_samples_are_shown():
    (axes,) = decoded_clusters(flat_images([0.5]), flat_images(np.linspace(0, 1, 40)[None])).axes
    np.testing.assert_allclose(cell_values(axes, 1, 11), [[0.5, *np.linspace(0, 1, 40)[:10]]], rtol=1e-6)


def test_vectors_are_lines_on_one_scale():
    centroids, samples = RNG.normal(size=(2, 5)), RNG.normal(size=(2, 3, 5))
    (axes,) = decoded_clusters(centroids, samples).axes
    every = np.concatenate([centroids[:, None], samples], axis=1)
    depths = []
    for row, line in enumerate(axes.get_lines()):
        cells = profiles(line)
        assert len(cells) == 4
        for column, (x, y) in enumerate(cells):
            assert column < x.min() < x.max() < column + 1
            assert row < y.min() < y.max() < row + 1
            assert (np.diff(x) > 0).all()
        depths.append([y - row for _, y in cells])
    slope, start = np.polyfit(every.ravel(), np.ravel(depths), 1)
    assert slope < 0  # the axis points downwards
    np.testing.assert_allclose(start + slope * every, depths, atol=1e-5)


def test_surest_and_least_sure_from_the_extremes_inwards(png):
    uncertainty = np.array([0.5, 0.1, 0.9, 0.3, 0.7, 0.2])
    correct = np.array([1, 1, 0, 1, 0, 0], bool)
    cluster = np.array([4, 5, 6, 7, 8, 9])
    figure = most_and_least_certain(
        flat_images(uncertainty), uncertainty, cluster, correct, label="$entropy$ <nats>", count=2
    )
    surest, least = figure.axes
    for axes, order, wrong in ((surest, [1, 5], [1]), (least, [2, 4], [0, 1])):
        np.testing.assert_allclose(cell_values(axes, 1, 8)[0, :2], uncertainty[order], rtol=1e-6)
        captions = [text.get_text() for text in axes.get_xticklabels()]
        assert captions == [f"{cluster[number]}\n{uncertainty[number]:.3g}" for number in order]
        assert [place for place, _ in frames(axes)] == [(column, 0) for column in wrong]
        assert all(same_color(colour, VERMILLION) for _, colour in frames(axes))
    assert surest.get_title(loc="left") == "surest first"
    assert least.get_title(loc="left") == "least sure first"
    assert figure.get_suptitle() == "over each: cluster, $entropy$ <nats>; wrong ones framed"
    assert not any(text.get_parse_math() for text in figure.texts)
    png(figure)


@pytest.mark.parametrize(
    ("n", "count", "rows", "shape"),
    [
        (1, 20, 1, (6, 8, 3)),
        (2, 20, 1, (2,)),
        (5, 20, 1, (5, 9, 1)),
        (30, 20, 2, (30,)),
        (99, 20, 2, (9, 5, 3)),
        (99, 21, 3, (2,)),
    ],
)
def test_any_number_of_samples(n, count, rows, shape, png):
    figure = most_and_least_certain(
        RNG.random((n, *shape)), RNG.random(n) * 1e-7, np.zeros(n, int), None, label="x", count=count
    )
    assert len(figure.axes) == 2 * rows
    assert sum(len(axes.get_xticks()) for axes in figure.axes) == 2 * min(count, max(1, n // 2))
    assert not any(axes.patches for axes in figure.axes)
    assert figure.get_suptitle() == "over each: cluster, x"
    png(figure)


def test_vectors_of_both_blocks_share_a_scale():
    x = np.array([[0.0, 1.0], [0.0, 0.5], [0.0, 2.0], [0.0, 4.0]])
    surest, least = most_and_least_certain(x, [1, 2, 3, 4], [0] * 4, None, label="x").axes
    spans = [np.ptp(y) for axes in (surest, least) for _, y in profiles(axes.get_lines()[0])]
    assert np.divide(spans, spans[0]) == pytest.approx([1, 0.5, 4, 2])  # the least sure comes first
    assert [spans.index(max(spans)), len(spans)] == [2, 4]


def test_equal_vectors_lie_in_the_middle(png):
    figure = decoded_clusters(np.full((1, 4), 7), np.full((1, 2, 4), 7))
    depths = np.ravel([y for _, y in profiles(figure.axes[0].get_lines()[0])])
    assert np.ptp(depths) == 0
    assert 0.4 < depths[0] < 0.5
    png(figure)


def test_mistakes_are_named():
    images = flat_images([0.1, 0.2])
    for samples in (
        images,
        flat_images(np.ones((3, 2))),
        flat_images(np.ones((2, 2)), 3),
        flat_images(np.ones((2, 0))),
    ):
        with pytest.raises(InputError, match=r"samples must have the shape of centroids, \(2, 8, 8, 1\), with an axis"):
            decoded_clusters(images, samples)
    with pytest.raises(InputError, match="centroids must have shape"):
        decoded_clusters(np.ones((2, 4, 4)), np.ones((2, 3, 4, 4)))
    with pytest.raises(InputError, match="centroids must be finite, got values from nan to nan"):
        decoded_clusters([[np.nan, 1]], np.ones((1, 1, 2)))
    with pytest.raises(InputError, match="2 for x, 1 for uncertainty, 2 for cluster, 2 for correct"):
        most_and_least_certain(images, [0.5], [0, 0], None, label="x")
    with pytest.raises(InputError, match="2 for x, 2 for uncertainty, 2 for cluster, 3 for correct"):
        most_and_least_certain(images, [0.5, 0.5], [0, 0], [True] * 3, label="x")
    with pytest.raises(InputError, match="cluster must hold whole numbers"):
        most_and_least_certain(images, [0.5, 0.5], [0.0, 0.0], None, label="x")
    with pytest.raises(InputError, match="count must be at least 1, got 0"):
        most_and_least_certain(images, [0.5, 0.5], [0, 0], None, label="x", count=0)
    with pytest.raises(InputError, match="x must have shape"):
        most_and_least_certain(images[..., 0], [0.5, 0.5], [0, 0], None, label="x")


def test_samples_are_below_the_data_and_both_in_their_order(png):
    data, samples = RNG.random(25), RNG.random(13)
    figure = samples_beside_data(flat_images(samples), flat_images(data))
    above, below = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["data", "samples"]
    np.testing.assert_allclose(cell_values(above, 2, 10).ravel(), data[:20], rtol=1e-6)
    np.testing.assert_allclose(cell_values(below, 2, 10).ravel()[:13], samples, rtol=1e-6)
    png(figure)


def test_sampled_vectors_are_drawn_on_the_scale_of_the_data(png):
    data, samples = np.array([[0.0, 10.0, 5.0]]), np.array([[2.5, 2.5, 2.5]])
    above, below = samples_beside_data(samples, data).axes
    (of_data,), (of_samples,) = profiles(above.lines[0]), profiles(below.lines[0])
    low, high, middle = of_data[1]
    assert of_samples[1] == pytest.approx([low + (high - low) / 4] * 3)
    assert middle == pytest.approx((low + high) / 2)
    png(above.figure)


def test_samples_of_another_shape_than_the_data_are_refused():
    with pytest.raises(InputError, match=r"of one shape, got \(4,\) and \(3,\)"):
        samples_beside_data(RNG.random((5, 4)), RNG.random((5, 3)))
