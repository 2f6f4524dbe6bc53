"""What is said of a data set before anything is trained on it."""

import numpy as np
import pytest

from vaeclust_jax.data import Columns, Dataset, PrepareConfig, fit_preparation
from vaeclust_jax.data.oddities import oddities, summary
from vaeclust_jax.errors import InputWarning

X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
Y = np.arange(40) % 4


def changed(row: object, column: object, value: object) -> np.ndarray:
    x = X.copy()
    x[row, column] = value
    return x


def made(x: np.ndarray = X, y: np.ndarray | None = None) -> Dataset:
    return Dataset(x, y, "made", columns=Columns(("width", "height", "depth", "age")) if x.ndim == 2 else None)


def test_of_plain_data_nothing_is_said() -> None:
    assert oddities(made(y=Y)) == ()


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (X[[*range(40), 3, 3]], "2 of 42 samples are exact copies of others"),
        (changed(slice(None), 2, 7), "constant features: 'depth'"),
        (
            changed(slice(None), 0, np.arange(40)),
            "features that only grow from row to row, as numbers of the rows do: 'width'",
        ),
        (changed(5, 1, 1e6), "1 samples hold outliers, the first is row 5: features 'height'"),
        (changed(slice(None), 3, Y + 10), "features that say the class: 'age'; drop them unless that is meant"),
    ],
    ids=["copies", "constant", "numbers", "outlier", "leak"],
)
def test_what_is_odd_is_one_sentence(x: np.ndarray, says: str) -> None:
    assert oddities(made(x, np.arange(len(x)) % 4)) == (says,)


@pytest.mark.parametrize(("step", "rows"), [(1, 40), (3, 3)])
def test_features_are_looked_at_in_blocks(step: int, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = changed(slice(None), 2, 7)[:rows]
    x[:, 0] = np.arange(rows)
    expected = oddities(made(x))
    monkeypatch.setattr("vaeclust_jax.data.oddities._VALUES", step * rows)
    assert oddities(made(x)) == expected != ()


def test_dark_images_are_said() -> None:
    images = np.random.default_rng(0).integers(0, 17, (40, 4, 5, 1)).astype(np.uint8)
    assert oddities(made(images)) == ("images hold whole numbers from 0 to 16 and no more: 16 is taken as white",)
    assert "nearly black" in oddities(made((images / 255).astype(np.float32)))[0]


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_dark_images_that_a_bright_one_hides_are_said(kind: str) -> None:
    images = np.random.default_rng(0).integers(0, 17, (40, 4, 5, 1)).astype(np.uint8)
    images[3] = 255
    images[:2, 0, 0] = 16
    x = images if kind == "uint8" else (images / 255).astype(np.float32)
    dark, bright = ("16", "255") if kind == "uint8" else ("0.0627", "1")
    says = f"39 of 40 images hold nothing above {dark}, the others up to {bright}: most are nearly black"
    assert oddities(made(x)) == (f"{says}; is their range right?",)
    with pytest.warns(InputWarning, match=says):
        fit_preparation(x, PrepareConfig())
    x[:8] = x[3]
    x[:8, 0, 0, 0] = x[8:16, 0, 0, 0]
    assert not any("black" in said for said in oddities(made(x)))


def test_a_feature_of_as_many_values_that_says_nothing_of_the_class_is_no_leak() -> None:
    assert oddities(made(changed(slice(None), 3, np.arange(40) // 10), Y)) == ()


def test_names_of_rows_are_no_classes_that_features_give_away() -> None:
    found = oddities(made(X, np.arange(len(X))))
    assert not any("say the class" in said for said in found)


def test_a_leak_is_found_beyond_the_first_rows() -> None:
    """Of many rows the first are looked at before all are."""
    y = np.arange(3000) // 1000
    x = np.stack([np.random.default_rng(0).normal(size=3000), y], axis=1).astype(np.float32)
    found = oddities(Dataset(x, y, "made"))
    assert found == ("features that say the class: '1'; drop them unless that is meant",)


def test_uneven_and_tiny_classes() -> None:
    y = np.r_[np.zeros(37, int), 1, 1, 1]
    assert oddities(made(y=y)) == (
        "classes of fewer than 5 samples: '1'",
        "the largest class has 37 samples, the smallest 3",
    )


def test_a_class_of_minus_one_is_said() -> None:
    odd = oddities(Dataset(X, Y, "made", class_names=("-1", "0", "1", "2")))
    assert odd == ("class '-1' has 10 samples: it counts as a class like any other",)


def test_the_summary_has_samples_range_and_classes() -> None:
    images = np.zeros((6, 4, 5, 1), np.uint8)
    images[0] = 200
    assert summary(made(images, np.arange(6) % 2)) == (
        "6 images of 4 x 5 x 1, uint8",
        "values from 0 to 200",
        "labels of 2 classes: 0 3, 1 3",
    )
    assert summary(made())[2] == "no labels"
