"""Tables as people have them: read rightly and said, or refused with the words to write instead."""

import bz2
import csv
import gzip
import lzma
import re
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from vaeclust_jax.data import Dataset, Preparation, PrepareConfig, ReadConfig, fit_preparation, load
from vaeclust_jax.data.frames import frame_columns
from vaeclust_jax.data.reading import listed
from vaeclust_jax.data.seen import Seen
from vaeclust_jax.errors import InputError, InputWarning

from .peak import PEAK

RNG = np.random.default_rng(0)
BLOBS = np.concatenate([RNG.normal(c, 1.0, (20, 4)) for c in (-6, 0, 6)]).round(4)
CLASSES = np.repeat([0, 1, 2], 20)


def text(columns: list[str] | None, values: np.ndarray, sep: str = ",") -> str:
    head = [] if columns is None else [sep.join(columns)]
    return "\n".join(head + [sep.join(f"{v:.6g}" for v in row) for row in values]) + "\n"


def read(path: Path, content: str | bytes, like: Dataset | Preparation | None = None, **settings: object) -> Dataset:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        return load(path, ReadConfig(**settings), like)  # type: ignore[arg-type]


def names(data: Dataset) -> tuple[str, ...]:
    assert data.columns is not None
    return data.columns.features


def refused(path: Path, content: str | bytes, **settings: object) -> str:
    with pytest.raises(InputError) as error:
        read(path, content, **settings)
    assert len(str(error.value)) < 500
    return str(error.value)


@pytest.mark.parametrize(
    "head",
    [["400", "500", "600", "700"], ["0", "1", "2", "3"], ["a", "b", "c", "d"], ["a", "b", "3", "4"],
     ["400.5", "402.5", "404.5", "406.5"]],
)  # fmt: skip
def test_a_header_is_recognised(tmp_path: Path, head: list[str]) -> None:
    found = read(tmp_path / "t.csv", text(head, BLOBS))
    np.testing.assert_allclose(found.x, BLOBS, rtol=1e-6)
    assert names(found) == tuple(head)
    assert found.y is None


def test_many_wavelengths_over_counts_are_a_header(tmp_path: Path) -> None:
    counts = RNG.integers(0, 4000, (40, 30))
    waves = np.sort(RNG.uniform(300, 900, 30))
    assert len(read(tmp_path / "t.csv", text([f"{w:.2f}" for w in waves], counts)).x) == 40


@pytest.mark.parametrize("rows", [BLOBS, np.sort(BLOBS, axis=1), np.sort(BLOBS, axis=0), BLOBS[:, :1], BLOBS[:, :2]])
def test_numbers_without_a_header_are_samples_all(tmp_path: Path, rows: np.ndarray) -> None:
    found = read(tmp_path / "t.csv", text(None, rows))
    assert found.x.shape == rows.shape
    assert "no header" in found.taken[0]


def test_numbers_that_may_be_names_or_a_sample_are_refused(tmp_path: Path) -> None:
    content = "1,2,3\n" + text(None, np.tile([[5, 2, 3], [1, 4, 1], [3, 3, 2], [1, 5, 3]], (5, 1)))
    assert "--header or --no-header" in refused(tmp_path / "t.csv", content)
    assert len(read(tmp_path / "t.csv", content, header="no").x) == 21


@pytest.mark.parametrize("cell", ["<0.1", "1.2*", "5 mg", "n.d.", "low"])
def test_a_sample_with_a_text_is_no_header(tmp_path: Path, cell: str) -> None:
    content = f"{cell},1.2,-0.5,3.5\n" + text(None, BLOBS)
    said = refused(tmp_path / "t.csv", content)
    assert f"may be names or a sample in which {cell!r} is no number: write --header or --no-header" in said
    assert f"{cell!r} in row 0" in refused(tmp_path / "t.csv", content, header="no")


@pytest.mark.parametrize(
    "head", ["0,1,2,label", "name,700,600,500", "a,400,500,600", "u,v,1.5,0.5", "5mg,10mg,20mg,40mg"]
)
def test_names_amid_numbers_are_a_header(tmp_path: Path, head: str) -> None:
    found = read(tmp_path / "t.csv", f"{head}\n" + text(None, BLOBS), label_column="none")
    assert names(found) == tuple(head.split(","))


def test_the_header_can_be_said(tmp_path: Path) -> None:
    content = text(["400", "500", "600", "700"], BLOBS)
    assert len(read(tmp_path / "t.csv", content, header="no").x) == 61
    assert len(read(tmp_path / "t.csv", text(None, BLOBS), header="yes").x) == 59


def test_text_in_a_table_without_header_takes_no_sample_away(tmp_path: Path) -> None:
    rows = text(None, BLOBS).replace("\n", ",setosa\n")
    found = read(tmp_path / "iris.data", rows, label_column="4")
    assert found.x.shape == (60, 4)
    assert found.class_names == ("setosa",)


@pytest.mark.parametrize("index", ["", "Unnamed: 0", "index", "id", "sample_id", "PatientID", "row", "n"])
def test_an_index_is_left_out_and_said(tmp_path: Path, index: str) -> None:
    found = read(tmp_path / "t.csv", text([index, *"abcd"], np.column_stack([np.arange(60), BLOBS])))
    np.testing.assert_allclose(found.x, BLOBS, rtol=1e-5)
    assert f"column {index!r} was left out" in " ".join(found.taken)


@pytest.mark.parametrize(
    "index", [["No."], ["Nr"], ["Sample"], ["obs"], ["case_no"], ["X"], ["level_0"], ["", "X"], ["", "Unnamed: 0"],
              ["Unnamed: 0.1", "Unnamed: 0"], ["level_0", "index"]]
)  # fmt: skip
@pytest.mark.parametrize("start", [0, 1])
def test_numbers_of_rows_in_another_order_are_an_index(tmp_path: Path, index: list[str], start: int) -> None:
    numbers = [RNG.permutation(60) + start for _ in index]
    found = read(tmp_path / "t.csv", text([*index, *"abcd"], np.column_stack([*numbers, BLOBS])))
    assert names(found) == tuple("abcd")
    assert all(f"column {name!r} was left out" in " ".join(found.taken) for name in index)
    frame = pd.DataFrame(np.column_stack([*numbers, BLOBS]), columns=[*index, *"abcd"])
    with pytest.warns(InputWarning, match=f"{listed(index)} of the frame became features: drop them if they only"):
        frame_columns(frame)


@pytest.mark.parametrize("start", [2**53 + 1, -(2**60), 2**63 + 5, 10**24])
def test_whole_numbers_that_floats_cannot_tell_apart_are_ids(tmp_path: Path, start: int) -> None:
    ids = [start + int(n) for n in RNG.permutation(60)]
    rows = "".join(f"{a},{one},{b}\n" for one, (a, b) in zip(ids, BLOBS[:, :2].tolist(), strict=True))
    found = read(tmp_path / "t.csv", f"a,post,b\n{rows}")
    assert names(found) == ("a", "b")
    assert found.row_names == tuple(map(str, ids))
    assert "column 'post' was left out: its whole numbers are beyond 2^53" in found.taken[0]
    assert names(read(tmp_path / "t.csv", f"a,post,b\n{rows}", index_column="none")) == ("a", "post", "b")
    if start < 2**64:
        with pytest.warns(InputWarning, match="'post' of the frame became features: drop them if they only number"):
            frame_columns(pd.DataFrame({"a": BLOBS[:, 0], "post": ids}))


@pytest.mark.parametrize("name", ["rank", "No.", "level_0", "X"])
def test_other_whole_numbers_are_features(tmp_path: Path, name: str) -> None:
    numbers = RNG.permutation(60) * (1 if name == "rank" else 2)
    found = read(tmp_path / "t.csv", text([name, *"abcd"], np.column_stack([numbers, BLOBS])))
    assert names(found) == (name, *"abcd")
    assert found.taken == ()


def test_an_index_of_text_and_of_rs_row_names(tmp_path: Path) -> None:
    rows = "\n".join(f"s{i}," + ",".join(map(str, row)) for i, row in enumerate(BLOBS))
    for head in (",a,b,c,d", "a,b,c,d", "id,a,b,c,d"):
        assert names(read(tmp_path / "t.csv", f"{head}\n{rows}\n")) == tuple("abcd")


@pytest.mark.parametrize("name", ["Wavelength (nm)", "wavenumber", "time"])
def test_spectra_in_columns_are_asked_about(tmp_path: Path, name: str) -> None:
    found = read(tmp_path / "t.csv", text([name, *"abcd"], np.column_stack([np.arange(400, 460), BLOBS])))
    assert names(found) == tuple("abcd")
    assert ("transpose the table" in " ".join(found.taken)) == (name != "time")


def test_an_index_can_be_kept_or_named(tmp_path: Path) -> None:
    content = text(["id", *"abcd"], np.column_stack([np.arange(60), BLOBS]))
    assert names(read(tmp_path / "t.csv", content, index_column="none")) == ("id", *"abcd")
    assert names(read(tmp_path / "t.csv", content, index_column="a")) == ("id", *"bcd")
    assert "no column 'nr'" in refused(tmp_path / "t.csv", content, index_column="nr")


@pytest.mark.parametrize("name", ["label", "Target", "CLASS", "species", "cluster", "labels", "y", "cell_class"])
@pytest.mark.parametrize("kind", ["numbers", "text"])
def test_a_column_of_classes_is_no_feature(tmp_path: Path, name: str, kind: str) -> None:
    content = text([*"abcd", name], np.column_stack([BLOBS, CLASSES]))
    if kind == "text":
        content = "\n".join(line[:-1] + "xyz"[int(line[-1])] if line[-1] in "012" else line for line in content.split())
    found = read(tmp_path / "t.csv", content)
    assert names(found) == tuple("abcd")
    assert found.y is not None
    assert found.y.tolist() == CLASSES.tolist()
    assert f"labels: column {name!r}" in " ".join(found.taken)


@pytest.mark.parametrize("name", ["Klasse", "classe", "clase", "group", "Gruppe", "yTrue", "y_true", "gt", "ClassName"])
def test_classes_amid_a_table_have_names_of_many_habits(tmp_path: Path, name: str) -> None:
    content = text(["a", name, *"bcd"], np.column_stack([BLOBS[:, 0], CLASSES, BLOBS[:, 1:]]))
    found = read(tmp_path / "t.csv", content)
    assert found.class_names == ("0", "1", "2")
    with pytest.warns(InputWarning, match=f"'{name}' of the frame became features: drop them if they hold the classes"):
        frame_columns(pd.DataFrame({name: CLASSES, "a": BLOBS[:, 0]}))


@pytest.mark.parametrize("name", ["age_group", "subgroup", "gamma_gt", "classy", "group 1"])
def test_features_whose_names_are_nearly_those_of_classes(tmp_path: Path, name: str) -> None:
    content = text(["a", name, *"bcd"], np.column_stack([BLOBS[:, 0], CLASSES, BLOBS[:, 1:]]))
    found = read(tmp_path / "t.csv", content)
    assert names(found) == ("a", name, *"bcd")


def test_python_warns_of_what_was_taken(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text([*"abcd", "label"], np.column_stack([BLOBS, CLASSES])))
    with pytest.warns(InputWarning, match="labels: column 'label'"):
        load(tmp_path / "t.csv")


def test_labels_can_be_said(tmp_path: Path) -> None:
    content = text([*"abc", "kind", "label"], np.column_stack([BLOBS[:, :3], CLASSES, CLASSES]))
    assert "called like labels" in refused(tmp_path / "t.csv", content, label_column="kind")
    found = read(tmp_path / "t.csv", content, label_column="kind", drop_columns=("label",))
    assert names(found) == tuple("abc")
    assert names(read(tmp_path / "t.csv", content, label_column="none")) == ("a", "b", "c", "kind", "label")
    assert "has no column 'no'" in refused(tmp_path / "t.csv", content, label_column="no")


def test_two_columns_of_classes_are_refused(tmp_path: Path) -> None:
    content = text(["a", "b", "class", "species"], np.column_stack([BLOBS[:, :2], CLASSES, CLASSES]))
    assert "--label-column" in refused(tmp_path / "t.csv", content)


def test_real_numbers_called_target_are_refused_with_the_flags(tmp_path: Path) -> None:
    said = refused(tmp_path / "t.csv", text(["a", "b", "c", "target"], BLOBS))
    assert "--drop-columns 'target'" in said
    assert "--label-column none" in said


def test_coordinates_are_features(tmp_path: Path) -> None:
    found = read(tmp_path / "t.csv", text(["x", "y"], BLOBS[:, :2]))
    assert names(found) == ("x", "y")
    assert found.y is None
    assert "'y' is a feature" in " ".join(found.taken)
    pixels = RNG.integers(0, 8, (64, 3)).astype(float)
    assert names(read(tmp_path / "t.csv", text(["value", "x", "y"], pixels))) == ("value", "x", "y")


@pytest.mark.parametrize("first", [True, False])
def test_few_whole_numbers_that_may_be_classes_are_said(tmp_path: Path, first: bool) -> None:
    columns = [CLASSES + 1, BLOBS] if first else [BLOBS, CLASSES + 1]
    for head, name in ((None, "0" if first else "4"), (["out", *"abc", "outcome"], "out" if first else "outcome")):
        found = read(tmp_path / "wine.data", text(head, np.column_stack(columns)))
        assert found.x.shape == (60, 5)
        assert f"'{name}' is a feature of 3 whole numbers: write --label-column" in found.taken[-1]
        kept = read(tmp_path / "wine.data", text(head, np.column_stack(columns)), label_column="none")
        assert "--label-column" not in " ".join(kept.taken)


def test_the_column_of_the_fewest_codes_is_said(tmp_path: Path) -> None:
    counts = np.column_stack([np.arange(60) % 17, BLOBS[:, 0], np.arange(60) % 2])
    assert "'outcome'" in read(tmp_path / "t.csv", text(["visits", "a", "outcome"], counts)).taken[-1]
    whole = RNG.integers(0, 17, (64, 3))
    assert read(tmp_path / "t.csv", text([*"abc"], whole)).taken == (), "all are of one kind"


@pytest.mark.parametrize("value", [-999, -9999.0, 99999])
def test_a_value_for_nothing_is_said(tmp_path: Path, value: float) -> None:
    x = BLOBS.copy()
    x[::7, 2] = value
    said = read(tmp_path / "t.csv", text([*"abcd"], x)).taken
    assert said == (f"column 'c' holds {value:g} and no other value so large: empty the cell if it is missing",)
    x = RNG.uniform(-990, 990, (60, 4))
    x[3, 1] = np.clip(value, -999, 999)
    assert read(tmp_path / "t.csv", text([*"abcd"], x)).taken == (), "one of many such values"


def test_numbers_that_are_written_as_something_else_are_said(tmp_path: Path) -> None:
    codes = "code,a\n" + "".join(f"{37 * i % 997:05},{a}\n" for i, a in enumerate(BLOBS[:, 0]))
    assert "leading zeros look like codes: 'code'" in read(tmp_path / "t.csv", codes).taken[-1]
    counts = "a;b\n" + "".join(f"{1 + i % 9}.{i:03};{b}\n" for i, b in enumerate(BLOBS[:, 0]))
    assert "every point of 'a': if they are thousands" in read(tmp_path / "t.csv", counts).taken[-1]
    days = "a,day\n" + "".join(f"{a},2020{1 + i % 12:02}{1 + i % 28:02}\n" for i, a in enumerate(BLOBS[:, 0]))
    assert "'day' is a feature, though its numbers look like dates" in read(tmp_path / "t.csv", days).taken[-1]
    plain = np.column_stack([RNG.uniform(1, 9, 60), RNG.integers(19_000_000, 21_000_000, 60)])
    assert read(tmp_path / "t.csv", "a,b\n" + "".join(f"{a:.3f},{b}\n" for a, b in plain.tolist())).taken == ()


def test_a_folder_of_parts_in_parquet(tmp_path: Path) -> None:
    for part in range(3):
        frame = pd.DataFrame(BLOBS[20 * part : 20 * part + 20], columns=list("abcd"))
        frame.to_parquet(tmp_path / f"part.{part}.parquet")
    np.testing.assert_allclose(load_quietly(tmp_path).x, BLOBS, rtol=1e-6)


def test_names_of_the_rows_are_no_classes(tmp_path: Path) -> None:
    rows = "\n".join(f"s{i},{a}" for i, a in enumerate(BLOBS[:, 0]))
    assert "--drop-columns 'class'" in refused(tmp_path / "t.csv", f"class,a\n{rows}\n")


@pytest.mark.parametrize("time", ["", " 12:00:00"])
def test_times_that_grow_are_an_index(tmp_path: Path, time: str) -> None:
    rows = "\n".join(f"2020-01-{i + 1:02}{time},{BLOBS[i, 0]}" for i in range(30))
    assert names(read(tmp_path / "t.csv", f"when,a\n{rows}\n")) == ("a",)


def test_classes_are_sorted_as_numbers(tmp_path: Path) -> None:
    rows = np.column_stack([RNG.normal(size=24), np.tile(np.arange(1, 13), 2)])
    found = read(tmp_path / "t.csv", text(["a", "y"], rows))
    assert found.class_names == tuple(str(k) for k in range(1, 13))
    np.savez(tmp_path / "t.npz", x=rows[:, :1], y=rows[:, 1].astype(int).astype(str))
    assert load(tmp_path / "t.npz").class_names == found.class_names


@pytest.mark.parametrize(("sep", "said"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars"), ("  ", "spaces")])
@pytest.mark.parametrize("decimal", [".", ","])
def test_separators_and_decimal_marks(tmp_path: Path, sep: str, said: str, decimal: str) -> None:
    found = read(tmp_path / "t.txt", text([*"abcd"], BLOBS, sep).replace(".", decimal))
    np.testing.assert_allclose(found.x, BLOBS, rtol=1e-5)
    assert said in " ".join(found.taken)
    assert ("decimal mark is a comma" in " ".join(found.taken)) == (decimal == ",")


def test_one_column_of_decimal_commas(tmp_path: Path) -> None:
    found = read(tmp_path / "t.csv", text(["a"], BLOBS[:, :1]).replace(".", ","))
    np.testing.assert_allclose(found.x, BLOBS[:, :1], rtol=1e-5)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig", "utf-16"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    found = read(tmp_path / "t.csv", text(["größe", *"bcd"], BLOBS).encode(encoding))
    assert names(found) == ("größe", *"bcd")


def test_comments(tmp_path: Path) -> None:
    found = read(tmp_path / "t.csv", "# made by hand\n" + text([*"abcd"], BLOBS) + "# the end\n")
    assert found.x.shape == (60, 4)
    np.savetxt(tmp_path / "s.txt", BLOBS, header="one two three four")
    with pytest.warns(InputWarning, match="comment above"):
        assert names(load(tmp_path / "s.txt")) == ("one", "two", "three", "four")


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_packed(tmp_path: Path, ending: str, pack: object) -> None:
    content = text([*"abcd"], BLOBS).encode()
    assert read(tmp_path / f"t.csv{ending}", pack(content)).name == "t"  # type: ignore[operator]
    assert "cannot be read" in refused(tmp_path / f"t.csv{ending}", content)


def test_missing_values(tmp_path: Path) -> None:
    content = text([*"abcd"], BLOBS) + "1,,3,4\n1,NA,3,4\n"
    said = refused(tmp_path / "t.csv", content)
    assert "has no value in row 60 (from 0) of column 'b' (and 1 other): write --missing drop" in said
    dropped = read(tmp_path / "t.csv", "a,b,c,d\n1,,3,4\n" + text(None, BLOBS), missing="drop")
    assert dropped.numbers.tolist() == list(range(1, 61))
    assert "1 of 61 rows were dropped" in " ".join(dropped.taken)
    filled = read(tmp_path / "t.csv", content, missing="mean")
    np.testing.assert_allclose(filled.x[60:, 1], BLOBS[:, 1].mean(), rtol=1e-4)
    later = read(tmp_path / "new.csv", "d,c,b,a\n4,3,,1\n", filled)
    np.testing.assert_allclose(later.x, [[1, BLOBS[:, 1].mean(), 3, 4]], rtol=1e-4)


@pytest.mark.parametrize("cell", ["nan", "inf", "-inf", "?", "NULL", ""])
def test_what_is_no_finite_number_is_named(tmp_path: Path, cell: str) -> None:
    said = refused(tmp_path / "t.csv", text([*"abcd"], BLOBS) + f"1,{cell},3,4\n")
    assert "finite" in said


def test_infinite_values_are_missing_ones(tmp_path: Path) -> None:
    content = text([*"abcd"], BLOBS) + "1,inf,3,4\n"
    assert "t.csv has inf in row 60 (from 0) of column 'b': write" in refused(tmp_path / "t.csv", content)
    assert read(tmp_path / "t.csv", content, missing="drop").x.shape == (60, 4)
    filled = read(tmp_path / "t.csv", content, missing="mean")
    np.testing.assert_allclose(filled.x[60], [1, BLOBS[:, 1].mean(), 3, 4], rtol=1e-4)


def test_empty_rows_are_left_out(tmp_path: Path) -> None:
    content = text([*"abcd"], BLOBS[:30]) + ",,,\n" + text(None, BLOBS[30:]) + ",,,\n,,,\n"
    found = read(tmp_path / "t.csv", content)
    np.testing.assert_allclose(found.x, BLOBS, rtol=1e-6)
    assert found.numbers.tolist() == [*range(30), *range(31, 61)]
    assert found.taken == ("3 empty rows were left out",)
    later = read(tmp_path / "n.csv", content, found)
    np.testing.assert_array_equal(later.x, found.x)
    rows = "".join(f"{i},,\n" if i == 7 else f"{i},{a},{b}\n" for i, (a, b) in enumerate(BLOBS[:, :2]))
    assert "row 7 (from 0) of column 'a'" in refused(tmp_path / "t.csv", "id,a,b\n" + rows), "it has a number"
    assert "row 1 (from 0) of column 'a'" in refused(tmp_path / "t.csv", "a\n1\nNA\n3\n")


def test_text_is_refused_or_one_hot(tmp_path: Path) -> None:
    rows = [f"{a},{'red' if a < 0 else 'blue'}" for a in BLOBS[:, 0]]
    content = "\n".join(["a,colour", *rows]) + "\n"
    said = refused(tmp_path / "t.csv", content)
    for part in ("'colour'", "'red' in row 0", "--drop-columns", "--categorical onehot"):
        assert part in said
    found = read(tmp_path / "t.csv", content, categorical="onehot")
    assert names(found) == ("a", "colour=blue", "colour=red")
    np.testing.assert_array_equal(found.x[:, 2], (BLOBS[:, 0] < 0).astype(float))
    later = read(tmp_path / "new.csv", "colour,a\nblue,1\n", found)
    np.testing.assert_array_equal(later.x, [[1, 1, 0]])
    with pytest.raises(InputError, match="'mauve', which the model was not trained on"):
        read(tmp_path / "new.csv", "colour,a\nmauve,1\n", found)


def test_another_text_in_every_row_may_name_them(tmp_path: Path) -> None:
    content = "\n".join(["sample,a,b", *(f"p{i}x,{a},{b}" for i, (a, b) in enumerate(BLOBS[:, :2]))]) + "\n"
    said = refused(tmp_path / "t.csv", content)
    assert "'sample' holds another text in every row: write --index-column 'sample' if it names the rows" in said
    assert "--label-column" not in said
    assert names(read(tmp_path / "t.csv", content, index_column="sample")) == ("a", "b")


def test_times_free_text_and_wrong_cells_are_named(tmp_path: Path) -> None:
    days = "\n".join(["a,b,when", *(f"1.5,{i % 7},2020-01-{1 + i % 9:02}" for i in range(30))])
    assert "'when' holds times" in refused(tmp_path / "t.csv", days)
    free = "\n".join(["a,note", *(f"{i % 7},word{i}" for i in range(30))])
    assert "too many for --categorical" in refused(tmp_path / "t.csv", free, categorical="onehot")
    assert "'four' in row 1" in refused(tmp_path / "t.csv", "a,b\n1,2\n3,four\n")


@pytest.mark.parametrize("ending", ["parquet", "feather", "arrow"])
def test_parquet_and_feather(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame(BLOBS, columns=list("abcd")).assign(species=[*"xyz"] * 20)
    frame["species"] = frame["species"].astype("category")
    frame.index = [f"s{i}" for i in range(60)]
    path = tmp_path / f"t.{ending}"
    table = pa.Table.from_pandas(frame)
    parquet.write_table(table, path) if ending == "parquet" else feather.write_feather(table, str(path))
    found = read(tmp_path / "other.csv", text(["d", "c", "b", "a", "z"], BLOBS[:, [3, 2, 1, 0, 0]]), load_quietly(path))
    np.testing.assert_allclose(found.x, BLOBS, rtol=1e-6)
    assert load_quietly(path).class_names == ("x", "y", "z")
    assert "does not know" in " ".join(found.taken)
    assert "cannot be read" in refused(path, b"PAR1 nothing")


def load_quietly(path: Path) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        return load(path)


def test_columns_of_a_model_are_asked_for_by_name(tmp_path: Path) -> None:
    trained = read(tmp_path / "t.csv", text(["id", *"abcd"], np.column_stack([np.arange(60), BLOBS])))
    later = read(tmp_path / "n.csv", text([*"dcba"], BLOBS[:, ::-1]), trained)
    np.testing.assert_allclose(later.x, BLOBS, rtol=1e-6)
    with pytest.raises(InputError, match="lacks 'c' of the 4 columns"):
        read(tmp_path / "n.csv", text([*"abd"], BLOBS[:, :3]), trained)
    with pytest.raises(InputError, match="lacks 'a', 'b', 'c', 'd'"):
        read(tmp_path / "n.csv", text(None, BLOBS), trained)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a,b\n1,2,3\n4,5\n", "values in every row"),
        ("a,a\n1,2\n3,4\n", "'a' is there twice"),
        ("label\n0\n1\n0\n1\n", "no column left"),
        ("a,b\n", "at least one row"),
        ("", "at least one row"),
        (b"a,b\n1,2\n\0\0\n", "no text"),
        ("Export of run 7\n\na,b,c\n1,2,3\n4,5,6\n", "lines above the table must be removed"),
        ("Export of run 7,,\nof today,,\na,b,c\n1,2,3\n4,5,6\n", "begin with #, got 'Export of run 7'"),
        ("// a device\n1,2,3\n4,5,6\n", "got '// a device'"),
    ],
)
def test_broken_tables_are_one_sentence(tmp_path: Path, content: str | bytes, says: str) -> None:
    assert says in refused(tmp_path / "t.csv", content)


def test_settings_are_checked() -> None:
    with pytest.raises(InputError, match="missing must be one of refuse, drop, mean"):
        ReadConfig(missing="skip")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="drop_columns must be a tuple of texts"):
        ReadConfig(drop_columns=(1,))  # type: ignore[arg-type]


def test_time_stamps_keep_their_differences(tmp_path: Path) -> None:
    stamps = 1_700_000_000 + RNG.permutation(60)
    rows = "\n".join(f"{a},{t}" for a, t in zip(BLOBS[:, 0], stamps, strict=True))
    found = read(tmp_path / "t.csv", f"a,t\n{rows}\n")
    np.testing.assert_array_equal(found.x[:, 1], stamps)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is asked of Linux")
def test_a_million_rows_of_parquet_take_seconds_and_a_gigabyte(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({f"f{j}": RNG.normal(size=10**6) for j in range(50)}), path)
    code = f"""
{PEAK}
import time
from vaeclust_jax.data import load
started = time.process_time()
assert load({str(path)!r}).x.shape == (10**6, 50)
print(time.process_time() - started, peak() / 2**30)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, gibibytes = map(float, done.stdout.split())
    print(f"{seconds:.2f} s of all cores, {gibibytes:.2f} GiB")
    assert seconds < 10  # 5 on an idle machine
    assert gibibytes < 1.5


def test_frames_of_polars_are_read_through_files_alike(tmp_path: Path) -> None:
    pl.DataFrame(BLOBS, schema=list("abcd")).write_parquet(tmp_path / "t.parquet")
    np.testing.assert_allclose(load(tmp_path / "t.parquet").x, BLOBS, rtol=1e-6)


def test_embeddings_in_lists_are_features(tmp_path: Path) -> None:
    table = pa.table({"name": [*"abc"] * 20, "emb": list(BLOBS), "label": CLASSES})
    parquet.write_table(table, tmp_path / "t.parquet")
    found = read_parquet(tmp_path / "t.parquet", drop_columns=("name",))
    np.testing.assert_allclose(found.x, BLOBS, rtol=1e-6)
    assert names(found) == ("emb[0]", "emb[1]", "emb[2]", "emb[3]")
    assert found.y is not None
    ragged = pa.table({"a": BLOBS[:2, 0], "emb": [[1.0], [1.0, 2.0]]})
    parquet.write_table(ragged, tmp_path / "r.parquet")
    with pytest.raises(InputError, match="several lengths"):
        load(tmp_path / "r.parquet")
    assert names(read_parquet(tmp_path / "r.parquet", drop_columns=("emb",))) == ("a",)


def read_parquet(path: Path, **settings: object) -> Dataset:
    return read(path, path.read_bytes(), **settings)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ([("a", BLOBS[:, 0]), ("a", BLOBS[:, 1])], "'a' is there twice: rename one"),
        ([("a", [str(value) for value in BLOBS[:, 0]]), ("b", BLOBS[:, 1])], "column 'a' holds numbers as text"),
        ([("b", BLOBS[:, 1]), ("a", 10.0 ** np.arange(300)[::-5])], "column 'a' holds 1e+299, beyond the range"),
    ],
)
def test_parquet_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, columns: list[tuple[str, object]], says: str
) -> None:
    table = pa.Table.from_arrays([pa.array(values) for _, values in columns], [name for name, _ in columns])
    parquet.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(InputError, match=re.escape(says)):
        load(tmp_path / "t.parquet")


def test_a_saved_dataset_of_hugging_face(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    saved = datasets.Dataset.from_dict({"emb": BLOBS.tolist(), "label": CLASSES.tolist()})
    saved.save_to_disk(tmp_path / "saved")
    found = load_quietly(tmp_path / "saved")
    np.testing.assert_allclose(found.x, BLOBS, rtol=1e-6)
    assert found.y is not None
    assert found.y.tolist() == CLASSES.tolist()


def test_all_columns_without_numbers_are_named_at_once(tmp_path: Path) -> None:
    content = "a,colour,day,shape\n" + "".join(f"{n},red,2020-01-0{n % 9 + 1},round\n" for n in range(12))
    said = refused(tmp_path / "t.csv", content)
    assert "column 'colour' holds text ('red' in row 0, from 0)" in said
    assert "; 'day', 'shape' hold no numbers either, and --drop-columns takes several" in said


def test_standard_input_is_no_data_set() -> None:
    with pytest.raises(InputError, match="standard input is not read"):
        load("-")


COMMAS = "group the thousands (--drop-columns if they are codes; write points if they are decimal marks)"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            ["1,234", "987", "12,345,678"],
            f"'income': commas {COMMAS}",
        ),
        (
            ["1,234.5", "987", "12,345,678"],
            f"'income': commas {COMMAS}",
        ),
        (["1.234,5", "987", "12.345.678"], "'income': points group the thousands (--drop-columns if they are codes)"),
        (
            ["1 234", "987", "12\u202f345\u00a0678"],
            "'income': spaces or apostrophes group the thousands (--drop-columns if they are codes)",
        ),
        (
            ["1'234", "987", "12\u2019345'678"],
            "'income': spaces or apostrophes group the thousands (--drop-columns if they are codes)",
        ),
    ],
)
def test_thousands_in_groups_are_numbers(tmp_path: Path, cells: list[str], said: str) -> None:
    found = read(tmp_path / "t.csv", "income,age\n" + "".join(f'"{cell}",{n}\n' for n, cell in enumerate(cells * 4)))
    half = 0.5 if any(cell.endswith("5") and len(cell) > 6 for cell in cells) else 0
    assert found.x[:3, 0].tolist() == pytest.approx([1234 + half, 987, 12345678])
    assert said in found.taken


@pytest.mark.parametrize(("sep", "mark"), [(";", "."), ("\t", ","), ("\t", ".")])
def test_thousands_beside_shorter_whole_numbers_are_no_decimals(tmp_path: Path, sep: str, mark: str) -> None:
    cells = [f"{value:,}".replace(",", mark) for value in (1234, 987, 23456, 8, 7001, 512)]
    found = read(tmp_path / "t.csv", f"income{sep}age\n" + "".join(f"{c}{sep}{n}\n" for n, c in enumerate(cells * 2)))
    assert found.x[:4, 0].tolist() == [1234, 987, 23456, 8]
    assert any("group the thousands" in one for one in found.taken)


def test_three_digits_after_every_mark_stay_decimals_and_are_said(tmp_path: Path) -> None:
    for mark, name in ((".", "point"), (",", "comma")):
        rows = "".join(f"{1.001 + n * 5 % 12:.3f};{n * n}\n".replace(".", mark) for n in range(12))
        found = read(tmp_path / "t.csv", f"a;b\n{rows}")
        assert found.x[1, 0] == pytest.approx(6.001)
        assert any(f"three digits follow every {name} of 'a'" in one for one in found.taken)


def test_a_few_numbers_that_may_be_thousands_are_said(tmp_path: Path) -> None:
    found = read(tmp_path / "t.csv", "a;b\n1.234;5\n987;6\n2.345;4\n")
    assert "three digits follow every point of 'a': if they are thousands, write no points" in found.taken
    assert not any("three digits" in one for one in read(tmp_path / "u.csv", "a;b\n1.234;5\n0.5;6\n").taken)


@pytest.mark.parametrize(("mark", "sep"), [(".", ","), (",", ";")])
def test_percentages_are_numbers(tmp_path: Path, mark: str, sep: str) -> None:
    shares = [f"{value:.1f}{space}%".replace(".", mark) for value, space in ((12.5, " "), (3.25, ""), (-0.5, "\u00a0"))]
    found = read(tmp_path / "t.csv", f"share{sep}b\n" + "".join(f"{c}{sep}{n}\n" for n, c in enumerate(shares * 4)))
    assert found.x[:3, 0].tolist() == pytest.approx([12.5, 3.2, -0.5])
    assert "'share': percentages are read as the numbers before the %" in found.taken
    bare = read(tmp_path / "t.csv", "".join(f"{n * 7 % 5}.5%,{n * 3 % 7}%\n" for n in range(12)))
    assert len(bare.x) == 12  # no row of them is a header


def test_percentages_are_read_alike_by_a_model_and_stay_classes_where_they_are_labels(tmp_path: Path) -> None:
    rows = "".join(f"{n * 7 % 5}.5%,{n * n},{[5, 10][n % 2]}%\n" for n in range(12))
    trained = read(tmp_path / "t.csv", f"share,b,label\n{rows}")
    assert trained.class_names == ("10%", "5%")
    again = read(tmp_path / "u.csv", "b,share\n7,50 %\n8,40 %\n", like=trained)
    assert again.x.tolist() == [[50, 7], [40, 8]]


def test_percentages_beside_other_numbers_are_refused(tmp_path: Path) -> None:
    rows = "".join(f"{n}{['%', ''][n % 2]},{n}\n" for n in range(12))
    assert "another decimal mark ('0%' in row 0, from 0)" in refused(tmp_path / "t.csv", f"share,b\n{rows}")


def test_minus_signs_of_typesetters_and_missing_values_in_spaces(tmp_path: Path) -> None:
    rows = "".join(f"{['-', ''][n % 2]}{n}.5,{n * n}\n" for n in range(12)).replace("-", "\u2212")
    found = read(tmp_path / "t.csv", f"a,b\n{rows} NA ,3\n", missing="drop")
    assert found.x[:2, 0].tolist() == [-0.5, 1.5]
    assert len(found.x) == 12


@pytest.mark.parametrize("cell", ["#DIV/0!", "#N/A", "#VALUE!", "#REF!", "#NAME?", "#NUM!"])
def test_errors_of_spreadsheets_are_missing_values_and_no_comments(tmp_path: Path, cell: str) -> None:
    content = text(["a", "b", "c", "d"], BLOBS) + f"{cell},1,2,3\n"
    assert "row 60 (from 0) of column 'a'" in refused(tmp_path / "t.csv", content)


def test_separators_at_the_end_of_all_rows_but_the_header_shift_no_names(tmp_path: Path) -> None:
    head, *rows = text(["a", "b", "c", "d"], BLOBS).splitlines()
    found = read(tmp_path / "t.csv", "\n".join([head, *(f"{row}," for row in rows)]) + "\n")
    assert names(found) == ("a", "b", "c", "d")
    np.testing.assert_allclose(found.x, BLOBS, rtol=1e-6)


def test_names_of_several_lines(tmp_path: Path) -> None:
    found = read(tmp_path / "t.csv", text(['"a\n(mm)"', "b", '"c\r\n(g)"', "d"], BLOBS))
    assert names(found) == ("a\n(mm)", "b", "c\r\n(g)", "d")
    np.testing.assert_allclose(found.x, BLOBS, rtol=1e-6)


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        ([*map(str, range(12)), "<LOD"], "empty the cell if it is missing, remove the row if it is no sample"),
        (["mm", *map(str, range(12))], "('mm' in row 0, from 0): empty the cell"),
        ([f"{n}.5 mm" for n in range(12)], "a unit or another decimal mark ('0.5 mm' in row 0, from 0)"),
        ([f"${n}.50" for n in range(12)], "write plain numbers"),
    ],
)
def test_text_beside_numbers_says_what_to_write(tmp_path: Path, cells: list[str], what: str) -> None:
    content = "length,b\n" + "".join(f"{cell},{n * n}\n" for n, cell in enumerate(cells))
    assert what in refused(tmp_path / "t.csv", content)


def test_missing_values_of_later_rows_become_the_means_of_training(tmp_path: Path) -> None:
    trained = read(tmp_path / "t.csv", text([*"abcd"], BLOBS))
    model = replace(fit_preparation(trained, PrepareConfig()), columns=trained.columns, seen=Seen.of(trained.x))
    for like in (trained, model):
        later = read(tmp_path / "new.csv", "d,c,b,a\n4,3,,1\n4,3,9,1\n", like, missing="mean")
        np.testing.assert_allclose(later.x[:, 1], [BLOBS[:, 1].mean(), 9], rtol=1e-4)
    with pytest.raises(InputError, match="the model has no means for missing values: write --missing drop"):
        read(tmp_path / "new.csv", "d,c,b,a\n4,3,,1\n", replace(model, seen=None), missing="mean")


def test_what_a_table_for_a_model_lacks_is_said_without_advice_to_drop_it(tmp_path: Path) -> None:
    trained = read(tmp_path / "t.csv", text([*"abcd"], BLOBS))
    model = replace(fit_preparation(trained, PrepareConfig()), columns=trained.columns)
    with pytest.raises(InputError, match=r"column 'b' must hold numbers, as it did in training, got 'x' in row 1"):
        read(tmp_path / "new.csv", "a,b,c,d\n1,2,3,4\n1,x,3,4\n", model)
    for flag in ("label_column", "index_column"):
        with pytest.raises(InputError, match=rf"has no column 'kind', which --{flag.replace('_', '-')} names"):
            read(tmp_path / "new.csv", text([*"abcd"], BLOBS), model, **{flag: "kind"})


def test_lines_of_quoted_cells_are_no_comments(tmp_path: Path) -> None:
    rows = "".join(f'{n * 5 % 12},"first\n# ""second"" {n}",{n * n}\n# batch {n}\n' for n in range(12))
    found = read(tmp_path / "t.csv", f"a,note,b\n{rows}", drop_columns=("note",))
    np.testing.assert_array_equal(found.x, [[n * 5 % 12, n * n] for n in range(12)])
    assert "lines that begin with # or % are comments (12 amid the rows)" in found.taken
    assert "got none; lines that begin with #" in refused(tmp_path / "c.csv", "colour,b\n#ff0000,1\n#00ff00,2\n")


def test_pairs_above_a_table_are_named(tmp_path: Path) -> None:
    content = "Instrument,X\nDate,2020-01-01\n\n" + text([*"abcd"], BLOBS)
    assert "the lines above the table must be removed or begin with #, got 'Instrument'" in refused(
        tmp_path / "t.csv", content
    )


def test_a_table_whose_columns_are_all_dropped(tmp_path: Path) -> None:
    said = refused(tmp_path / "t.csv", text(["a", "b", "c", "d"], BLOBS), drop_columns=tuple("abcd"))
    assert "has no column left that could be a feature" in said


def test_an_uneven_axis_of_spectra_is_an_index_and_said(tmp_path: Path) -> None:
    shifts = 100 + 1.7 * np.arange(60) + 0.001 * np.arange(60) ** 2
    found = read(tmp_path / "t.csv", text(["Raman shift", "s1", "s2"], np.column_stack([shifts, BLOBS[:, :2]])))
    assert names(found) == ("s1", "s2")
    assert "transpose the table" in found.taken[1]


def test_spaces_around_a_text_make_no_other_category(tmp_path: Path) -> None:
    rows = "".join(f"{n * 5 % 12},{['m', 'm ', 'f'][n % 3]}\n" for n in range(12))
    found = read(tmp_path / "t.csv", f"a,sex\n{rows}", categorical="onehot")
    assert names(found) == ("a", "sex=f", "sex=m")
    assert read(tmp_path / "u.csv", "a,sex\n1, f\n", found).x.tolist() == [[1, 1, 0]]


def test_thousands_that_come_late_and_numbers_of_any_form(tmp_path: Path) -> None:
    cells = [*["1.5"] * 1200, '"12,345"', '"1,234.5"', "+.5", "-5.", "1e3", "1E+02", '" 7 "']
    found = read(tmp_path / "t.csv", "a,b\n" + "".join(f"{cell},{n % 7}\n" for n, cell in enumerate(cells)))
    assert found.x[1199:, 0].tolist() == [1.5, 12345, 1234.5, 0.5, -5, 1000, 100, 7]


@pytest.mark.parametrize("sep", [",", " "])
@pytest.mark.parametrize("letters", [30, 300])
def test_lines_longer_than_the_csv_module_and_the_beginning_take(tmp_path: Path, sep: str, letters: int) -> None:
    columns = [f"g{n}{'x' * letters}" for n in range(4000)]
    x = RNG.normal(size=(5, 4000))
    rows = "".join(sep.join(f"{value:.30f}" for value in row) + "\n" for row in x)
    found = read(tmp_path / "t.csv", f"{sep.join(columns)}\n{rows}")
    np.testing.assert_allclose(found.x, x, rtol=1e-6)
    assert names(found) == tuple(columns)
    assert csv.field_size_limit() < 2**20, "as others of its users have it"
