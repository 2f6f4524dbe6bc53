import matplotlib
import numpy as np
import pytest

from vaeclust_jax.errors import InputError
from vaeclust_jax.plots import latent_map, project, projection_title
from vaeclust_jax.plots.style import categorical_colours, matched_colours

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(240, 2))


def test_two_dimensions_are_shown_as_they_are():
    points, index = project(POINTS)
    np.testing.assert_array_equal(points, POINTS)
    np.testing.assert_array_equal(index, np.arange(240))
    assert projection_title(2) == "latent space"
    assert projection_title(3) == "t-SNE of the latent space"


def test_one_dimension_gets_a_zero():
    points, _ = project(np.array([[1.0], [2.0]]))
    np.testing.assert_array_equal(points, [[1, 0], [2, 0]])


def test_a_sample_is_chosen_by_seed():
    (points, index), (_, again), (_, other) = (project(POINTS, seed=seed, max_points=50) for seed in (0, 0, 1))
    assert len(index) == len(set(index)) == 50
    assert (np.diff(index) > 0).all()
    np.testing.assert_array_equal(index, again)
    assert set(index) != set(other)
    np.testing.assert_array_equal(points, POINTS[index])


def test_tsne_keeps_separate_groups_apart_and_repeats():
    group = np.repeat([0, 1], 20)
    latents = RNG.normal(size=(40, 5)) + 30 * group[:, None]
    (points, _), (again, _) = project(latents), project(latents)
    np.testing.assert_array_equal(points, again)
    nearest = np.argsort(np.linalg.norm(points[:, None] - points, axis=-1), axis=1)[:, 1]
    np.testing.assert_array_equal(group[nearest], group)


@pytest.mark.parametrize("count", [1, 2, 4, 5, 6])
def test_few_points(count):
    points, index = project(RNG.normal(size=(count, 4)).astype(np.float32))
    assert points.shape == (count, 2)
    assert len(index) == count
    assert np.isfinite(points).all()


COLLAPSED = {
    "zero": np.zeros((30, 4)),
    "one place": np.tile([0.7, -3.1, 0.2], (30, 1)),
    "two places": np.repeat(np.eye(4)[:2], 15, axis=0),
    "rounding": np.full((30, 4), 0.7, np.float32) + 1e-7 * RNG.normal(size=(30, 4)).astype(np.float32),
    "outlier": np.concatenate([RNG.normal(size=(30, 4)), np.full((1, 4), 1e12)]),
}


@pytest.mark.parametrize("latents", COLLAPSED.values(), ids=COLLAPSED.keys())
def test_collapsed_latents_have_finite_points(latents):
    assert np.isfinite(project(latents)[0]).all()


@pytest.mark.parametrize("number", [2, 8, 10, 20])
def test_categories_are_listed(number, png):
    ids = np.arange(240) % number
    figure = latent_map(POINTS, ids, title="latent space", label="cluster", categorical=True)
    (axes,) = figure.axes
    assert axes.get_title() == "latent space, by cluster"
    (dots,) = axes.collections
    np.testing.assert_array_equal(dots.get_offsets(), POINTS)
    np.testing.assert_allclose(dots.get_facecolors(), categorical_colours(number)[ids])
    legend = axes.get_legend()
    assert legend.get_title().get_text() == "cluster"
    assert [text.get_text() for text in legend.get_texts()] == [str(i) for i in range(number)]
    png(figure)


def test_many_categories_are_written_on_the_map(png):
    ids = np.arange(240) % 60
    figure = latent_map(POINTS, ids, title="latent space", label="cluster", categorical=True)
    (axes,) = figure.axes
    assert axes.get_legend() is None
    assert [text.get_text() for text in axes.texts] == [str(i) for i in range(60)]
    assert axes.texts[7].get_position() == pytest.approx(np.median(POINTS[ids == 7], axis=0))
    png(figure)


def test_colours_stay_with_the_ids_when_a_cluster_is_empty(png):
    figure = latent_map(
        POINTS,
        np.repeat([0, 2], 120),
        title="t",
        label="class",
        categorical=True,
        names=["$a", "b$", "c" * 30],
    )
    (axes,) = figure.axes
    np.testing.assert_allclose(axes.collections[0].get_facecolors()[-1], categorical_colours(3)[2])
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["$a", "c" * 23 + "\N{HORIZONTAL ELLIPSIS}"]
    png(figure)


def test_numbers_get_a_colour_bar(png):
    values = RNG.random(240)
    figure = latent_map(POINTS, values, title="latent space", label="entropy (nats)", categorical=False)
    axes, bar = figure.axes
    np.testing.assert_array_equal(axes.collections[0].get_array(), values)
    assert bar.get_ylabel() == "entropy (nats)"
    png(figure)


@pytest.mark.parametrize("number", [1, 8, 9, 10, 11, 20, 21, 60])
def test_colours_are_distinct(number):
    colours = categorical_colours(number)
    assert colours.shape == (number, 4)
    assert len(np.unique(colours, axis=0)) == number


@pytest.mark.parametrize("number", [21, 40, 100])
def test_many_clusters_side_by_side_look_less_alike_than_on_a_scale(number):
    """Pairs of them that are nearly one colour: within a tenth of an edge of the cube of colours."""

    def alike(colours):
        return np.triu(np.linalg.norm(colours[:, None, :3] - colours[None, :, :3], axis=-1) < 0.1, 1).sum()

    scale = matplotlib.colormaps["viridis"](np.linspace(0, 1, number))
    assert alike(categorical_colours(number)) < alike(scale) / 3


def test_mistakes_are_named():
    with pytest.raises(InputError, match="latents must be finite, of shape"):
        project([[np.nan, 0.0, 1.0]])
    with pytest.raises(InputError, match=r"points must have shape \(m, 2\); got \(3, 3\)"):
        latent_map(np.eye(3), [0, 1, 2], title="t", label="class", categorical=True)
    with pytest.raises(InputError, match="240 for points, 2 for values"):
        latent_map(POINTS, [0, 1], title="t", label="class", categorical=True)
    with pytest.raises(InputError, match="values must hold whole numbers"):
        latent_map(POINTS, POINTS[:, 0], title="t", label="class", categorical=True)
    with pytest.raises(InputError, match="values must hold numbers from 0 to 1; got 2"):
        latent_map(POINTS, np.full(240, 2), title="t", label="class", categorical=True, names=["a", "b"])


def test_a_class_has_the_colour_of_its_cluster():
    y = np.r_[np.repeat([2, 0, 1], 10), 3, 3]
    labels = np.r_[np.repeat([0, 1, 2], 10), 0, 1]  # class 3 has no cluster of its own, class 4 no sample
    clusters, classes = matched_colours(y, labels, 5, 3)
    np.testing.assert_array_equal(classes[[2, 0, 1]], clusters)
    assert len({tuple(colour) for colour in classes}) == 5


def test_colours_of_up_to_twenty_categories_differ():
    assert len({tuple(colour) for colour in categorical_colours(20)}) == 20
    np.testing.assert_array_equal(categorical_colours(3), categorical_colours(10)[:3])
