"""The map: its file, what Bokeh is told to draw, and the images."""

import base64
import io
import re
from typing import Any

import numpy as np
import pytest
from bokeh.model import Model
from bokeh.models import CustomJS, HoverTool, LassoSelectTool, TapTool
from bokeh.plotting import figure as Figure  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.page.made_run import NAMES, K, found, made_map
from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.map_file import LatentMap, read_map, write_map
from vaeclust_jax.folder.records.clusters import ClusterRecord
from vaeclust_jax.metrics import match_clusters
from vaeclust_jax.page.interactive import embed, map_figure
from vaeclust_jax.page.members import members_of
from vaeclust_jax.page.thumbnails import BUDGET, data_uri, fitting, is_drawn_exactly, mosaic
from vaeclust_jax.page.views import View, views_of
from vaeclust_jax.plots.style import GREY, as_hex, categorical_colours

OPTIONAL = ("y", "correct", "thumbnails", "class_names", "file")


def small(m: int = 60, **changes: Any) -> LatentMap:
    return made_map().take(np.arange(m))._replace(**changes)


def models(drawn: Figure, kind: type) -> list[Any]:
    return [model for model in drawn.references() if isinstance(model, kind)]


def views(latent_map: LatentMap, num_clusters: int = K) -> dict[str, View]:
    return {view.title: view for view in views_of(latent_map, num_clusters)}


def pixels(uri: str) -> np.ndarray:
    kind, content = uri.split(",")
    assert kind == "data:image/webp;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGBA"))


def rgba(image: np.ndarray) -> np.ndarray:
    """The same in four channels."""
    colour, opacity = (image[..., :-1], image[..., -1:]) if image.shape[-1] in (2, 4) else (image, 255 + 0 * image)
    return np.concatenate([np.broadcast_to(colour, (*colour.shape[:2], 3)), opacity[..., :1]], axis=2)


def assert_same(first: LatentMap, second: LatentMap) -> None:
    for name, expected, value in zip(LatentMap._fields, first, second, strict=True):
        assert (expected is None) == (value is None), name
        if expected is not None:
            np.testing.assert_array_equal(value, expected, err_msg=name)


@pytest.mark.parametrize("absent", [(), OPTIONAL])
def test_a_map_comes_back_as_it_was_written(tmp_path, absent) -> None:
    written = small(**dict.fromkeys(absent))
    write_map(tmp_path / "map.npz", written)
    assert_same(written, read_map(tmp_path / "map.npz"))
    assert [path.name for path in tmp_path.iterdir()] == ["map.npz"]


def test_equal_maps_are_equal_bytes_and_texts_may_be_lists(tmp_path) -> None:
    names = ["\udcff", "é", *"abcdefgh"]
    write_map(tmp_path / "a.npz", small(class_names=names))
    write_map(tmp_path / "b.npz", small(class_names=np.array(names, object)))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert read_map(tmp_path / "a.npz").class_names.tolist() == names


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cluster": np.zeros(59, int)}, "one entry per point"),
        ({"points": np.zeros((60, 3))}, "shape (60, 2)"),
        ({"points": np.full((60, 2), np.nan)}, "finite points"),
        ({"cluster": np.full(60, -1)}, "whole numbers from 0 as cluster"),
        ({"cluster": np.zeros(60)}, "whole numbers from 0 as cluster"),
        ({"y": np.full(60, 10)}, "a name for class 10, got 10 names"),
        ({"thumbnails": np.zeros((60, 8, 8, 2), np.uint8)}, "uint8 thumbnails"),
        ({"thumbnails": np.zeros((60, 8, 8, 1))}, "uint8 thumbnails"),
        ({"file": np.array(["a"])}, "one entry per point"),
        ({"row": np.array(0)}, "no single number"),
        ({"class_names": np.array("a")}, "no single number"),
        ({"entropy": np.full(60, "low")}, "numbers as entropy, got <U3"),
        ({"probability": np.ones((60, 2))}, "numbers as probability, got float64 of shape (60, 2)"),
        ({"correct": np.ones(60)}, "truth values as correct"),
    ],
)
def test_arrays_that_do_not_fit_are_neither_written_nor_read(tmp_path, changes, words) -> None:
    path = tmp_path / "map.npz"
    with pytest.raises(InputError) as caught:
        write_map(path, small(**changes))
    assert words in str(caught.value)
    assert not path.exists()
    arrays = {name: value for name, value in small(**changes)._asdict().items() if value is not None}
    arrays["class"], arrays["files"] = arrays.pop("y"), arrays.pop("file")
    np.savez(path, **arrays)
    with pytest.raises(InputError) as caught:
        read_map(path)
    assert words in str(caught.value)


@pytest.mark.parametrize("content", ["cut", "text", "pickle", "short", "absent"])
def test_a_file_that_is_no_map(tmp_path, content: str) -> None:
    path = tmp_path / "map.npz"
    if content == "text":
        path.write_text("no map")
    elif content == "pickle":
        np.savez(path, points=np.array([print], object))
    elif content == "short":
        np.savez(path, points=np.zeros((3, 2)))
    elif content == "cut":
        write_map(path, small())
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match=r"map\.npz cannot be read as the latent map of a run"):
        read_map(path)


def test_every_view_gives_each_point_its_colour() -> None:
    found = views(small())
    assert list(found) == [
        *("cluster", "class", "correctness"),
        *("probability", "entropy", "latent variance", "mutual information"),
    ]
    assert all(len(view.ids) == 60 and view.ids.max() < len(view.palette) for view in found.values())
    np.testing.assert_array_equal(found["cluster"].ids, small().cluster)
    np.testing.assert_array_equal(found["class"].ids, small().y)
    np.testing.assert_array_equal(found["correctness"].ids == 0, small().correct)
    entropy = small().entropy
    np.testing.assert_array_equal(np.argsort(found["entropy"].ids[np.argsort(entropy)], kind="stable"), np.arange(60))
    assert (found["entropy"].low, found["entropy"].high) == (
        f"{entropy.min():.3g}",
        f"{entropy.max():.3g} nats, mean over draws",
    )
    source = map_figure(small(), K).select_one({"name": "points"})
    assert list(source.data["colour"]) == [found["cluster"].palette[number] for number in small().cluster]


def test_legends_name_what_is_there() -> None:
    found = views(small(y=None, correct=None, cluster=np.arange(60) % 3 * 2), 5)  # 1 and 3 are empty
    assert found["cluster"].entries == [(0, "0"), (2, "2"), (4, "4")]
    assert found["cluster"].palette == as_hex(categorical_colours(5))
    assert found["entropy"].entries == []
    assert views(small())["class"].entries == list(enumerate(NAMES))


def test_a_class_has_the_colour_of_its_cluster() -> None:
    found = views(made_map())
    for cluster, match in match_clusters(made_map().y, made_map().cluster).items():
        assert found["class"].palette[match] == found["cluster"].palette[cluster]


def test_a_number_that_is_not_known_is_grey() -> None:
    entropy = small().entropy.copy()
    entropy[7] = np.nan
    view = views(small(entropy=entropy))["entropy"]
    assert view.palette[view.ids[7]] == GREY
    assert GREY not in [view.palette[place] for place in np.delete(view.ids, 7)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"y": None, "correct": None, "class_names": None}, ["cluster", "probability", "entropy", "latent variance"]),
        (
            {"class_names": None},
            ["cluster", "class", "correctness", "probability", "entropy", "latent variance"],
        ),
        ({"latent_variance": np.zeros(60)}, ["cluster", "class", "correctness", "probability", "entropy"]),
    ],
)
def test_what_is_not_known_has_no_view(changes, expected) -> None:
    unknown = small(mutual_information=np.full(60, np.nan), **changes)
    assert list(views(unknown)) == expected
    assert all("mutual_information" not in tool.tooltips for tool in models(map_figure(unknown, K), HoverTool))


def test_a_cluster_is_called_by_its_number_in_its_middle() -> None:
    labels = map_figure(small(cluster=np.arange(60) % 3 * 2), 5).select_one({"name": "labels"}).data
    assert labels["text"] == ["0", "2", "4"]
    middle = np.median(small().points[::3], axis=0)
    assert (labels["x"][0], labels["y"][0]) == (pytest.approx(middle[0]), pytest.approx(middle[1]))


def test_the_label_of_a_small_cluster_stands_beside_it_and_within_the_map() -> None:
    points = np.repeat([[0.0, 0.0], [5.0, 10.0], [10.0, 5.0], [9.0, 1.0]], 15, axis=0)
    points[30:45] += np.random.default_rng(0).uniform(-1, 1, (15, 2))
    labels = map_figure(small(points=points, cluster=np.arange(60) // 15), 4).select_one({"name": "labels"}).data
    assert labels["offset"] == [-20, 20, 0, -20]  # above; below at the upper edge; on a large one; above


def test_the_tooltip_shows_the_image_and_every_name_as_text() -> None:
    names = np.array(["<script>alert(1)</script>", *"abcdefghi"])
    drawn = map_figure(small(class_names=names, file=np.array(['a"b<img src=x>.png'] * 60)), K)
    source = drawn.select_one({"name": "points"})
    assert source.data["file"][0] == 'a"b<img src=x>.png'
    for image, uri in zip(small().thumbnails, source.data["image"], strict=True):
        np.testing.assert_array_equal(pixels(uri), rgba(image))
    for tool in models(drawn, HoverTool):
        assert '<img src="@image"' in tool.tooltips
        assert "safe" not in tool.tooltips  # Bokeh's word for HTML that it takes as it is
        assert "script" not in tool.tooltips
    bokeh, data, place = embed(drawn)
    assert "<script>alert(1)" not in data + place
    assert not any(re.search(r"<(script|link)[^>]+(src|href)", text) for text in (bokeh, data, place))


def test_vectors_have_no_image_and_no_file() -> None:
    (tooltip,) = {tool.tooltips for tool in models(map_figure(small(thumbnails=None, file=None), K), HoverTool)}
    assert "img" not in tooltip
    assert "@file" not in tooltip
    assert "@row" in tooltip


def test_bokeh_is_given_no_javascript() -> None:
    drawn = map_figure(small(), K)
    (tap,) = models(drawn, TapTool)
    assert (tap.callback.url, tap.callback.same_tab) == ("#cluster-@cluster", True)
    assert len(models(drawn, LassoSelectTool)) == 1
    assert models(drawn, CustomJS) == []
    assert not any(model.js_event_callbacks or model.js_property_callbacks for model in models(drawn, Model))


@pytest.mark.parametrize("points", [np.zeros((60, 2)), np.c_[np.arange(60), np.zeros(60)]])
def test_points_on_a_spot_or_a_line_can_be_seen(points) -> None:
    ranges = map_figure(small(points=points), K)
    for low, high, values in zip(
        (ranges.x_range.start, ranges.y_range.start), (ranges.x_range.end, ranges.y_range.end), points.T, strict=True
    ):
        assert low < values.min() <= values.max() < high


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 200), st.integers(1, 200), st.sampled_from([1, 3]))
def test_thumbnails_fit_in_a_page_and_keep_their_shape_and_brightness(m, height, width, channels) -> None:
    images = np.full((m, height, width, channels), 77, np.uint8)
    small_ones = fitting(images)
    assert (small_ones == 77).all()
    assert small_ones.shape[0] == m
    assert small_ones.shape[3] == channels
    assert max(small_ones.shape[1:3]) == min(64, max(height, width)) or max(height, width) > 64
    assert max(small_ones.shape[1:3]) <= 64
    factor = min(1, 64 / max(height, width))
    np.testing.assert_array_less(np.abs(np.array(small_ones.shape[1:3]) - factor * np.array([height, width])), 1.01)


def test_many_thumbnails_are_smaller() -> None:
    images = np.zeros((3000, 64, 64, 3), np.uint8)
    assert BUDGET / 2 < fitting(images).size <= BUDGET
    assert fitting(images[:100]) is not None
    assert fitting(images[:100]).shape == (100, 64, 64, 3)


def test_shrinking_averages() -> None:
    image = np.zeros((1, 128, 128, 1), np.uint8)
    image[:, ::2] = 200
    assert (fitting(image) == 100).all()


@pytest.mark.parametrize(("count", "channels", "grid"), [(5, 1, (1, 5)), (12, 3, (1, 12)), (30, 3, (3, 12))])
def test_a_mosaic_holds_images_row_by_row(count, channels, grid) -> None:
    images = np.random.default_rng(0).integers(0, 255, (count, 6, 4, channels), np.uint8)
    canvas = mosaic(images)
    rows, columns = grid
    assert canvas.shape == (rows * 7, columns * 5, channels + 1)
    seen = canvas[..., -1:] > 0
    np.testing.assert_array_equal(pixels(data_uri(canvas)) * seen, rgba(canvas) * seen)
    for number in range(rows * columns):
        top, left = number // columns * 7, number % columns * 5
        tile = canvas[top : top + 7, left : left + 5]
        assert (tile[6:, :, -1] == 0).all()
        assert (tile[:, 4:, -1] == 0).all()
        shown = number < count
        assert (tile[:6, :4, -1] == (255 if shown else 0)).all()
        if shown:
            np.testing.assert_array_equal(tile[:6, :4, :channels], images[number])


def test_larger_images_are_smaller_where_the_eye_does_not_see_it() -> None:
    rng, (y, x) = np.random.default_rng(0), np.mgrid[:64, :64]
    picture = (100 + 60 * np.sin(x / 9) * np.cos(y / 7) + rng.normal(0, 4, (64, 64))).astype(np.uint8)[..., np.newaxis]
    exact, alike = data_uri(picture), data_uri(picture, exact=False)
    assert len(alike) < 0.5 * len(exact)
    assert np.abs(pixels(alike)[..., 0].astype(float) - picture[..., 0]).mean() < 6
    assert is_drawn_exactly(small().thumbnails)
    assert not is_drawn_exactly(picture[np.newaxis])


def test_clusters_are_described_by_their_members() -> None:
    latent_map = made_map()
    y, q = found().y, found().q
    cluster = q.argmax(axis=1)
    cluster[cluster == 3] = 4  # 3 is empty
    described = members_of(latent_map._replace(cluster=cluster), K, None)
    assert [one.cluster for one in described] == list(range(K))
    for one in described:
        index = np.flatnonzero(cluster == one.cluster)
        assert one.size == len(index)
        if one.cluster == 3:
            assert (one.entropy, one.classes, one.mosaics) == (None, [], [])
            continue
        assert one.entropy == pytest.approx(latent_map.entropy[index].mean(), abs=1e-6)
        values, counts = np.unique(y[index], return_counts=True)
        assert one.classes[0] == (latent_map.class_names[values[counts.argmax()]], counts.max() / len(index))
        surest, least = one.mosaics
        assert (surest.title, surest.shown, least.title, least.shown) == ("surest", 24, "least sure", 12)
        for mosaic_of, row in ((surest, max), (least, min)):
            first = row(index, key=lambda number: q[number].max())
            np.testing.assert_array_equal(pixels(mosaic_of.uri)[:16, :16, 0], latent_map.thumbnails[first, ..., 0])


def test_no_member_is_both_sure_and_unsure() -> None:
    few = small(30, cluster=np.zeros(30, int))
    (only,) = members_of(few, 1, None)
    assert [one.shown for one in only.mosaics] == [24, 6]
    (only,) = members_of(small(20, cluster=np.zeros(20, int)), 1, None)
    assert [one.shown for one in only.mosaics] == [20]


def test_clusters_of_vectors_without_classes_have_numbers_alone() -> None:
    bare = made_map(thumbnails=None, y=None, correct=None, class_names=None, file=None)
    record = ClusterRecord(
        cluster=2, samples=3, probability=0.5, stability=None, class_=None, purity=None, doubts=("odd",)
    )
    described = members_of(bare, K, [record])
    assert [one.record for one in described] == [record if k == 2 else None for k in range(K)]
    assert all(one.size and one.classes == one.mosaics == [] for one in described)


def test_a_map_is_the_same_text_each_time() -> None:
    of_one = map_figure(small(), K)
    assert embed(of_one) == embed(of_one)
