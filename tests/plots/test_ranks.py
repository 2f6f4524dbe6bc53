import numpy as np
import pytest
from matplotlib.colors import same_color

from vaeclust_jax.errors import InputError
from vaeclust_jax.plots.ranks import critical_difference_diagram
from vaeclust_jax.plots.style import BLUE, GREY

RNG = np.random.default_rng(0)


def lines(axes, colour):
    return [np.array(line.get_data()) for line in axes.get_lines() if same_color(line.get_color(), colour)]


def written(axes):
    return [text.get_text() for text in axes.texts]


def test_stems_lead_from_the_ranks_to_the_names(png):
    ranks, names = [3.5, 1.25, 4.25, 2.0, 4.0], ["k-means", "$VaDE$", "<GMM>", "DEC", "n" * 30]
    figure = critical_difference_diagram(ranks, names, critical_difference=None, groups=[])
    (axes,) = figure.axes
    assert axes.get_xlim() == (5, 1)  # the best on the right
    assert list(axes.get_xticks()) == [1, 2, 3, 4, 5]
    stems = lines(axes, GREY)
    assert [stem[0].tolist() for stem in stems] == [
        [1.25, 1.25, 1],
        [2, 2, 1],
        [4.25, 4.25, 5],
        [4, 4, 5],
        [3.5, 3.5, 5],
    ]
    for stem, text in zip(stems, axes.texts, strict=True):
        assert stem[1, 0] == 0
        assert text.xy == (stem[0, 2], stem[1, 2])
        assert not text.get_parse_math()
    assert written(axes) == [
        "1.25  $VaDE$",
        "2.00  DEC",
        "<GMM>  4.25",
        "n" * 23 + "\N{HORIZONTAL ELLIPSIS}  4.00",
        "k-means  3.50",
    ]
    png(figure)


def test_bars_join_groups_and_overlap_none(png):
    ranks = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    groups = [(0, 1), (2, 1), (4, 5), (3,), (1, 2, 3)]
    figure = critical_difference_diagram(ranks, list("abcdef"), critical_difference=1.5, groups=groups)
    (axes,) = figure.axes
    bars = lines(axes, BLUE)
    spans = [[1, 2], [2, 3], [5, 6], [2, 4]]  # a group of one has none
    np.testing.assert_allclose([bar[0] for bar in bars], spans, atol=0.06)
    assert all(bar[0, 0] < low and bar[0, 1] > high for bar, (low, high) in zip(bars, spans, strict=True))
    levels = [bar[1, 0] for bar in bars]
    assert levels[0] == levels[2] < levels[1] < levels[3]
    assert all(stem[1, 1] > max(levels) for stem in lines(axes, GREY))  # names hang below the bars
    png(figure)


def test_the_critical_difference_is_drawn_to_scale(png):
    figure = critical_difference_diagram([1.5, 1.5, 3], list("abc"), critical_difference=1.25, groups=[(0, 1)])
    (axes,) = figure.axes
    ((x, y),) = lines(axes, "black")
    assert x[0] - x[1] == pytest.approx(1.25)
    assert (y < 0).all()
    assert written(axes)[-1] == "critical difference 1.25"
    png(figure)


@pytest.mark.long
@pytest.mark.parametrize("count", [2, 3, 10, 40])
@pytest.mark.parametrize("critical_difference", [None, 0.5, 60.0])
def test_any_number_of_methods(count, critical_difference, png):
    ranks = RNG.uniform(1, count, count)
    groups = [tuple(range(start, min(start + 3, count))) for start in range(0, count, 2)]
    names = [f"a method with a long name, number {number}" for number in range(count)]
    figure = critical_difference_diagram(ranks, names, critical_difference=critical_difference, groups=groups)
    assert len(lines(figure.axes[0], GREY)) == count
    assert len(figure.axes[0].get_xticks()) <= 15
    if critical_difference == 60:
        ((x, _),) = lines(figure.axes[0], "black")
        assert x.tolist() == [count, 1]
        assert written(figure.axes[0])[-1] == "critical difference 60.00, longer than the axis"
    png(figure)


def test_mistakes_are_named():
    def draw(ranks, names="abc", groups=()):
        critical_difference_diagram(ranks, list(names), critical_difference=1, groups=groups)

    for ranks, names in (([1, 2], "abc"), ([[1, 2, 3]], "abc"), ([1], "a"), ([], "")):
        with pytest.raises(InputError, match="ranks must be of two methods or more, one for each of"):
            draw(ranks, names)
    for ranks in ([0.5, 2, 3], [1, 2, 3.5], [1, 2, np.nan]):
        with pytest.raises(InputError, match=r"ranks must be in \[1, 3\], got"):
            draw(ranks)
    for group in ((0, 3), (-1, 0)):
        with pytest.raises(InputError, match="groups must hold positions from 0 to 2, got"):
            draw([1, 2, 3], groups=[group])
