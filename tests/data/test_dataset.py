import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vaeclust_jax.data import check_array, check_labels
from vaeclust_jax.errors import InputError


@pytest.mark.parametrize(
    ("given_array", "shape", "dtype"),
    [
        (np.zeros((3, 4, 5), np.uint8), (3, 4, 5, 1), np.uint8),
        (np.zeros((3, 4, 5, 2), np.int64), (3, 4, 5, 2), np.uint8),
        (np.ones((3, 4, 5, 3)), (3, 4, 5, 3), np.float32),
        (np.ones((3, 4, 5, 4), np.float16), (3, 4, 5, 4), np.float32),
        (np.ones((3, 7), np.int32) * 1000, (3, 7), np.float64),
        (np.ones((3, 7), np.int16) * 1000, (3, 7), np.float32),
        (np.ones((3, 7), bool), (3, 7), np.float32),
        ([[1.5, -2], [3, 4]], (2, 2), np.float64),
        (np.ma.masked_array([[1.0, 2.0]], mask=False), (1, 2), np.float64),
    ],
)
def test_arrays_are_brought_to_one_form(given_array: object, shape: tuple[int, ...], dtype: type) -> None:
    array = check_array(given_array)
    assert array.shape == shape
    assert array.dtype == dtype
    np.testing.assert_array_equal(array.reshape(np.shape(given_array)), given_array)


def test_boolean_images_become_black_and_white() -> None:
    assert check_array(np.eye(3, dtype=bool)[None]).ravel()[:2].tolist() == [255, 0]


def test_anything_with_array_is_read() -> None:
    class Tensor:
        def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
            return np.ones((2, 3))

    assert check_array(Tensor()).shape == (2, 3)


def arrays_of_rank(rank: int) -> st.SearchStrategy[np.ndarray]:
    shapes = st.tuples(*[st.integers(0, 3)] * rank)
    things = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=2))
    return st.one_of(
        hnp.arrays(hnp.scalar_dtypes(), shapes),
        hnp.arrays(np.float64, shapes, elements=st.floats(0, 1)),
        hnp.arrays(object, shapes, elements=things),
    )


class Broken:
    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        raise RuntimeError("on a device")


@pytest.mark.parametrize(
    ("x", "parts"),
    [
        (np.array([["a", "b"]]), ["dtype <U1", "integers, booleans or floats"]),
        (np.array([[None, 1]]), ["dtype object"]),
        (2**60 + np.arange(4).reshape(2, 2), ["beyond 2^53", "leave columns of ids out"]),
        (np.ones((2, 2), complex), ["dtype complex128"]),
        ([[1, 2], [3]], ["one shape, got (2,) and, as sample 1 (from 0), (1,)"]),
        ([np.ones((4, 4)), np.ones((4, 4)), np.ones((4, 5))], ["(4, 4) and, as sample 2 (from 0), (4, 5)"]),
        (np.array([[1, 2], [3]], object), ["got (2,) and, as sample 1 (from 0), (1,)"]),
        ([[[1], [2, 3]]], ["sample 0 (from 0) is no array"]),
        ([Broken()], ["sample 0 (from 0) is no array"]),
        (Broken(), ["cannot be read as an array", "on a device"]),
        (np.ma.masked_array([[1.0, 2.0]], mask=[[True, False]]), ["masked"]),
        ([np.ma.masked_array([1.0, 2.0], mask=[True, False]), np.ones(2)], ["masked"]),
        (3.0, ["shape ()", "(n, F)", "(n, H, W, C)"]),
        (np.ones(5), ["shape (5,)", "reshape it to (-1, 1)", "(1, -1) if all are one"]),
        (np.ones((1, 2, 2, 1, 1)), ["shape (1, 2, 2, 1, 1)"]),
        (np.ones((0, 5)), ["at least one sample", "(0, 5)"]),
        (np.ones((5, 0)), ["at least one", "(5, 0)"]),
        (np.ones((5, 1, 1)), ["one pixel", "(5, 1, 1, 1)", "vectors"]),
        (np.ones((5, 3, 32, 32)), ["got 32", "last axis"]),
        (np.array([[1.0, np.nan], [np.inf, 0]]), ["got 2 NaN or infinite"]),
        (np.full((1, 2, 2), np.nan), ["finite"]),
        (np.full((1, 2, 2), 255.0), ["[0, 1]", "to 255", "divide by 255", "vectors"]),
        (np.full((1, 2, 2), -0.5), ["from -0.5"]),
        (np.full((1, 2, 2), 256), ["256", "0..255"]),
        (np.full((1, 2, 2), -1), ["from -1"]),
        (np.array([[1e39]]), ["float32"]),
    ],
)
def test_unusable_arrays_are_named(x: object, parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        check_array(x, "images.npy")
    for part in ["images.npy", *parts]:
        assert part in str(caught.value)


@given(st.integers(0, 5).flatmap(arrays_of_rank))
def test_any_array_is_either_usable_or_named(x: np.ndarray) -> None:
    try:
        array = check_array(x)
    except InputError:
        return
    assert len(array) == len(x)
    assert array.ndim in (2, 4)
    assert array.dtype in (np.float32, np.float64, np.uint8)
    assert np.isfinite(array).all()
    if array.ndim == 4:
        assert array.dtype == np.uint8 or (array.min() >= 0 and array.max() <= 1)


@pytest.mark.parametrize(
    ("y", "labels", "names"),
    [
        ([7, 3, 7], [1, 0, 1], ("3", "7")),
        ([2.0, -1.0, 2.0], [1, 0, 1], ("-1", "2")),
        (["cat", "ant", "cat"], [1, 0, 1], ("ant", "cat")),
        (np.array(["b", "a", "b"], object), [1, 0, 1], ("a", "b")),
        (np.array([b"b", b"a", b"b"]), [1, 0, 1], ("a", "b")),
        ([True, False, True], [1, 0, 1], ("False", "True")),
    ],
)
def test_labels_are_numbered_from_zero(y: object, labels: list[int], names: tuple[str, ...]) -> None:
    got, got_names = check_labels(y, 3)
    assert got.tolist() == labels
    assert got.dtype == np.int32
    assert got_names == names


@pytest.mark.parametrize(
    ("y", "parts"),
    [
        ([1, 2], ["2 labels", "3 samples"]),
        ([[1], [2], [3]], ["shape (3,)", "got shape (3, 1)"]),
        ([1, 2, np.nan], ["missing"]),
        ([1, 2, 2.5], ["whole numbers", "2.5"]),
        ([1, None, 2], ["dtype object"]),
        (np.ma.masked_array([1, 2, 3], mask=[True, False, False]), ["masked"]),
        ([1, [2], 3], ["cannot be read as labels"]),
        (np.zeros(3, "M8[s]"), ["datetime64"]),
    ],
)
def test_unusable_labels_are_named(y: object, parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        check_labels(y, 3, "targets")
    for part in ["targets", *parts]:
        assert part in str(caught.value)


@given(st.integers(0, 2).flatmap(arrays_of_rank))
def test_any_labels_are_either_numbered_or_named(y: np.ndarray) -> None:
    try:
        labels, names = check_labels(y, y.size)
    except InputError:
        return
    assert np.unique(labels).tolist() == list(range(len(names)))
