"""Whose a row is: read from tables, arrays and cells, and never parted by what holds rows out."""

from pathlib import Path

import numpy as np
import pytest

import vaeclust_jax as vc
from vaeclust_jax.data import Dataset, ReadConfig
from vaeclust_jax.data.loading import read
from vaeclust_jax.errors import InputError
from vaeclust_jax.studies.classification import hold_back


def write(folder: Path, content: str) -> Path:
    (folder / "a.csv").write_text(content)
    return folder / "a.csv"


def test_a_column_that_says_whose_a_row_is(tmp_path: Path) -> None:
    rows = "".join(f"{x},{x * x},p{x // 3}\n" for x in (4.5, 1.25, 7.0, 2.5, 0.5, 5.5))
    path = write(tmp_path, f"a,b,patient\n{rows}")
    with pytest.raises(InputError, match="--subject-column 'patient' if it says whose a row is"):
        read(path)
    found = read(path, ReadConfig(subject_column="patient"))
    assert found.columns is not None
    assert found.columns.names == ("a", "b")
    assert found.subjects is not None
    assert found.subjects.tolist() == [1, 0, 2, 0, 0, 1]
    assert "column 'patient' was left out: it says whose a row is, of 3 subjects" in found.said
    assert "3 subjects" in repr(found)
    assert read(path, like=found).columns == found.columns  # as `predict` reads it, who need not say it
    with pytest.raises(InputError, match="no column 'who', which --subject-column names"):
        read(path, ReadConfig(subject_column="who"))
    with pytest.raises(InputError, match="cannot hold the subjects and be dropped"):
        read(path, ReadConfig(subject_column="patient", drop_columns=("patient",)))


def test_a_row_without_a_subject_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,patient\n1.5,2.5,x\n3.5,4.5,\n5.5,6.5,y\n")
    with pytest.raises(InputError, match="no value in row 1 \\(from 0\\) of column 'patient': write --missing drop;"):
        read(path, ReadConfig(subject_column="patient"))
    found = read(path, ReadConfig(subject_column="patient", missing="drop"))
    assert found.subjects is not None
    assert found.subjects.tolist() == [0, 1]
    assert found.numbers.tolist() == [0, 2]


def test_what_has_no_columns_has_no_subjects() -> None:
    with pytest.raises(InputError, match=r"digits has no columns .* leave --subject-column out"):
        read("digits", ReadConfig(subject_column="patient"))


def test_an_array_says_whose_rows_are(tmp_path: Path) -> None:
    x = np.arange(12.0).reshape(6, 2)
    np.savez(tmp_path / "a.npz", x=x, who=np.array(["b", "a", "b", "c", "a", "c"]))
    found = read(tmp_path / "a.npz", ReadConfig(subject_column="who"))
    assert found.subjects is not None
    assert found.subjects.tolist() == [1, 0, 1, 2, 0, 2]
    assert found.of_rows(np.array([3, 0])).subjects.tolist() == [2, 1]  # type: ignore[union-attr]
    with pytest.raises(InputError, match="no array 'whose', which --subject-column names"):
        read(tmp_path / "a.npz", ReadConfig(subject_column="whose"))


def test_a_column_of_cells_says_whose_they_are(tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    import pandas as pd

    donors = pd.DataFrame({"donor": ["z", "y", "z", "x"]}, index=list("abcd"))
    anndata.AnnData(np.eye(4, dtype=np.float32), obs=donors).write_h5ad(tmp_path / "c.h5ad")
    found = read(tmp_path / "c.h5ad", ReadConfig(subject_column="donor"))
    assert found.subjects is not None
    assert found.subjects.tolist() == [2, 1, 2, 0]
    with pytest.raises(InputError, match="has no column 'plate'"):
        read(tmp_path / "c.h5ad", ReadConfig(subject_column="plate"))


def made(num_subjects: int = 12) -> Dataset:
    rng = np.random.default_rng(0)
    whose = rng.permutation(np.repeat(np.arange(num_subjects), 5))
    return Dataset(rng.normal(size=(len(whose), 3)).astype(np.float32), whose % 2, "made", subjects=whose)


@pytest.mark.long
def test_a_fit_holds_subjects_out_whole() -> None:
    data = made()
    method, prepare = vc.VAEKMeans(2, pretrain_epochs=1), vc.PrepareConfig(validation=0.25)
    config = vc.Config(method, network=vc.MLP(hidden=(4,)), prepare=prepare)
    run = vc.fit(config, data, 0)
    assert data.subjects is not None
    trained, held_out = (set(data.subjects[index]) for index in (run.train_index, run.validation_index))
    assert (len(trained), len(held_out)) == (9, 3)
    assert not trained & held_out
    names = np.array([f"p{number}" for number in data.subjects])
    run = vc.fit(config, Dataset(data.x, None, "made", subjects=names), 0)
    assert not set(names[run.train_index]) & set(names[run.validation_index])
    with pytest.raises(InputError, match="subjects has 59 labels but x has 60"):
        vc.fit(config, Dataset(data.x, None, "made", subjects=data.subjects[1:]), 0)
    with pytest.raises(InputError, match="all rows are of one subject"):
        vc.fit(config, made(1), 0)


def test_a_test_part_has_subjects_of_its_own() -> None:
    seen, test = hold_back(made(14))
    assert (len(seen.x), len(test.x)) == (60, 10)
    assert seen.subjects is not None
    assert test.subjects is not None
    assert not set(seen.subjects) & set(test.subjects)
