"""Clusters as a classifier: no label touches them, names come from one part, and scores from another."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from tests.fitting.made import config
from tests.studies.conftest import Execute, Executed, tiny
from vaeclust_jax.data import load
from vaeclust_jax.errors import InputError
from vaeclust_jax.experiments import EXPERIMENTS
from vaeclust_jax.folder.figure_list import read_figure_list
from vaeclust_jax.folder.records.named_clusters import NamedClusters
from vaeclust_jax.studies.classification import classification, hold_back
from vaeclust_jax.studies.classification_figures import classification_finding, classification_tables
from vaeclust_jax.studies.execute import parts_of

SETTINGS: dict[str, Any] = {"name": "vaegmm-mnist", "method": "mixture", "joint_epochs": 0, "draw": False}


class Fixed:
    """A model whose clusters are the first feature of a row."""

    def __init__(self, validation_index: np.ndarray, k: int = 4) -> None:
        self.validation_index, self.k = validation_index, k

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        q = np.full((len(x), self.k), 0.1 / (self.k - 1))
        q[np.arange(len(x)), x[:, 0].astype(int)] = 0.9
        return q


def judged(y: np.ndarray, clusters: np.ndarray, labelled: slice) -> NamedClusters:
    x = np.stack([clusters, clusters], axis=1).astype(np.float32)
    seen, test = hold_back(tiny(x=x, y=y))
    rows = np.arange(len(seen.x))[labelled]
    return classification({"ours": [Fixed(rows)]}, "ours", seen, test, [0])  # type: ignore[list-item]


def test_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 210)
    clusters = np.where(rng.uniform(size=210) < 0.7, y, rng.integers(0, 4, 210))
    record = judged(y, clusters, slice(0, 100))
    x = np.stack([clusters, clusters], axis=1).astype(np.float32)
    seen, test = hold_back(tiny(x=x, y=y))
    assert seen.y is not None
    assert test.y is not None
    names = [np.bincount(seen.y[:100][seen.x[:100, 0] == c], minlength=3).argmax() for c in range(4)]
    predicted = np.array(names)[test.x[:, 0].astype(int)]
    assert record.methods["ours"].mean.accuracy == pytest.approx(np.mean(predicted == test.y))
    expected = precision_recall_fscore_support(test.y, predicted, labels=[0, 1, 2], zero_division=0)
    for row, *numbers in zip(record.classes, *expected, strict=True):
        assert [row.precision, row.recall, row.f1, row.support] == pytest.approx(numbers)
    assert np.sum(record.confusion) == len(test.y) == record.tested_on == 30
    assert [(row.naming, row.labels) for row in record.curve] == [
        (naming, count) for naming in ("majority", "hungarian") for count in (1, 10, 100)
    ]


def test_a_labelled_part_without_a_class_is_said() -> None:
    y = np.arange(210) % 3
    seen, _ = hold_back(tiny(x=np.zeros((210, 2), np.float32), y=y))
    assert seen.y is not None
    x = np.stack([y, y], axis=1).astype(np.float32)
    seen, test = hold_back(tiny(x=x, y=y))
    assert seen.y is not None
    rows = np.flatnonzero(seen.y != 1)
    record = classification({"ours": [Fixed(rows)]}, "ours", seen, test, [0])  # type: ignore[list-item]
    assert record.missing_classes == (1,)
    assert record.classes[1].recall == 0
    assert record.classes[1].precision is None
    assert "no row of class 1" in classification_finding(record, "ours")[1]
    assert [table.name for table in classification_tables(record, "ours")] == ["classification", "naming", "classes"]


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_published_test_part_is_the_last_rows(name: str) -> None:
    x = np.broadcast_to(np.uint8(0), (70_000, 28, 28, 1))
    seen, test = hold_back(tiny(x=x, y=np.arange(70_000), name=name))
    assert seen.y is not None
    assert test.y is not None
    np.testing.assert_array_equal(seen.y, np.arange(60_000))
    np.testing.assert_array_equal(test.y, np.arange(60_000, 70_000))


@pytest.mark.parametrize("rows", [500, 6000, 12_000])
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "mine"])
def test_of_a_person_s_own_file_a_seventh_is_drawn_whatever_its_name(name: str, rows: int, tmp_path: Path) -> None:
    np.savez(tmp_path / f"{name}.npz", x=np.arange(rows, dtype=np.float32)[:, np.newaxis], y=np.arange(rows) % 3)
    seen, test = (part.x[:, 0].astype(int) for part in hold_back(load(tmp_path / f"{name}.npz")))
    assert (len(seen), len(test)) == (rows - rows // 7, rows // 7)
    assert sorted([*seen, *test]) == list(range(rows))
    assert test.mean() == pytest.approx(rows / 2, rel=0.2)  # from all over the file


def test_without_labels_or_rows_it_says_so() -> None:
    with pytest.raises(InputError, match="naming classes needs labels, but there are none"):
        hold_back(replace(tiny(), y=None))
    with pytest.raises(InputError, match="naming classes needs at least 14 rows"):
        hold_back(tiny(x=np.zeros((5, 2), np.float32), y=np.zeros(5, int)))


def test_without_validation_rows_it_says_so_before_anything_is_done(tmp_path: Path) -> None:
    settings = config(method="mixture", joint_epochs=0, validation=0)
    with pytest.raises(InputError) as caught:
        parts_of(EXPERIMENTS["vaegmm-mnist"], settings, tiny())
    assert str(caught.value) == (
        "naming clusters needs validation rows, whose labels name them: set validation above 0"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def run(carry_out: Execute) -> Executed:
    return carry_out(tiny(), **{**SETTINGS, "draw": True})


def clusters_of(folder: Path) -> list[list[str]]:
    with open(folder / "assignments.csv", newline="") as file:
        return [[row["row"], row["cluster"], row["probability"]] for row in csv.DictReader(file)]


@pytest.mark.long
def test_no_label_touches_the_clustering(run: Executed, carry_out: Execute) -> None:
    y = tiny().y
    assert y is not None
    other = carry_out(tiny(y=np.random.default_rng(1).permutation(y)), **SETTINGS)
    assert clusters_of(run.folder) == clusters_of(other.folder)
    assert run.metrics["classification"] != other.metrics["classification"]


@pytest.mark.long
def test_the_record_says_what_named_the_clusters(run: Executed) -> None:
    protocol = run.metrics["protocol"]
    assert protocol["labels_used_for"] == (
        "scoring and naming the clusters of vaegmm, vae-kmeans as classes (at most 21 labels); the clustering read none"
    )
    assert protocol["classified"].startswith("17 rows beside those above")
    assert len(clusters_of(run.folder)) == 103
    assert json.loads((run.folder / "metrics.json").read_text())["classification"]["labels"] == 21
    assert [table.name for table in run.tables][:4] == ["scores", "classification", "naming", "classes"]


@pytest.mark.long
def test_the_pictures_of_the_classifier_stand_among_the_others(run: Executed) -> None:
    listed = [entry.file for entry in read_figure_list(run.folder / "figures.json")]
    own = ["naming_curve", "classification_confusion", "classification_reliability", "pca_by_class", "pca_by_component"]
    start = listed.index(f"{own[0]}.png")
    assert listed[start : start + 5] == [f"{name}.png" for name in own]
    assert all((run.folder / file).stat().st_size > 2000 for file in listed)
