"""What people write into tables, hand in for files and keep beside samples: read as they mean it, said, or refused."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from vaeclust_jax.data import ReadConfig, check_array, load
from vaeclust_jax.data.loading import read
from vaeclust_jax.errors import InputError

RNG = np.random.default_rng(0)
NUMBERS = [f"{value:.2f}" for value in RNG.normal(50, 5, 400)]


def written(path: Path, header: str, rows: Sequence[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def pairs(firsts: Sequence[object]) -> list[str]:
    """Rows of something and of two numbers."""
    return [f"{first},{NUMBERS[2 * n]},{NUMBERS[2 * n + 1]}" for n, first in enumerate(firsts)]


@pytest.mark.parametrize(
    "rows",
    [
        [f"{1000 + 31 * n:,},{NUMBERS[n]}" for n in range(30)],
        [f"{NUMBERS[n].replace('.', ',')},{20 + n % 9}" for n in range(30)],
    ],
    ids=["thousands", "decimals"],
)
def test_commas_inside_numbers_do_not_shift_the_columns(rows: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="3 values in every row and 2 names in the header: quote numbers in which"):
        read(written(tmp_path / "t.csv", "cells,size", rows))


def test_rows_that_have_names_may_have_a_header_without_one(tmp_path: Path) -> None:
    for firsts in (range(30), [f"S{n % 7}" for n in range(30)]):
        assert read(written(tmp_path / "t.csv", "a,b", pairs(firsts))).x.shape == (30, 2)


def test_ids_of_two_parts_are_said(tmp_path: Path) -> None:
    rows = pairs([f"{1 + n // 10}.{n % 10 + 1}" for n in range(30)])
    found = read(written(tmp_path / "t.csv", "id,a,b", rows))
    assert found.taken == ("column 'id' is a feature (--index-column 'id' if it names the rows)",)


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("sample", [f"{n * 7 % 30 + 1:04d}" for n in range(30)]),
        ("id", [f"{n * 7 % 30 + 1:04d}" for n in range(30)]),
        ("", [f"{n}E5" for n in range(30)]),
    ],
)
def test_codes_that_name_the_rows_keep_their_spelling(name: str, codes: list[str], tmp_path: Path) -> None:
    found = read(written(tmp_path / "t.csv", f"{name},a,b", pairs(codes)))
    assert found.row_names == tuple(codes)
    assert found.x.shape == (30, 2)
    assert "leading zeros" not in " ".join(found.taken)


def test_rows_that_sum_up_the_others_are_said(tmp_path: Path) -> None:
    names = [f"S{n}" for n in range(30)]
    found = read(written(tmp_path / "t.csv", ",a,b", pairs([*names, "Mean", "Std. dev", "n"])))
    assert "the last rows are called 'Mean', 'n'" not in " ".join(found.taken)
    found = read(written(tmp_path / "t.csv", ",a,b", pairs([*names, "Mean", "SD", "n"])))
    assert found.taken[-1] == "the last rows are called 'Mean', 'SD', 'n': remove them if they sum up the others"
    found = read(written(tmp_path / "t.csv", "id,a,b", pairs([*range(30), ""])))
    assert found.taken[-1].startswith("row 30, the last, has no name as the others do")
    found = read(written(tmp_path / "t.csv", ",a,b", pairs(["n", "min", "max"])))
    assert "sum up" not in " ".join(found.taken), "all rows are called so"


def test_decimal_commas_that_begin_late_are_said(tmp_path: Path) -> None:
    rows = [f"{n % 17};{n % 13}" for n in range(250)]
    found = read(written(tmp_path / "t.csv", "a;b", [*rows, *["12,125;13,250"] * 50]))
    assert "write points if they are decimal marks" in found.taken[1]
    with pytest.raises(InputError, match=r"points or none and some with commas \('12,5' in row 250"):
        read(written(tmp_path / "t.csv", "a;b", [*rows, *["12,5;13,25"] * 50]))


def test_spaces_before_quotes(tmp_path: Path) -> None:
    rows = [f'"{NUMBERS[2 * n]}", "{NUMBERS[2 * n + 1]}", "a"' for n in range(20)]
    with pytest.raises(InputError, match="spaces before quotes"):
        read(written(tmp_path / "t.csv", '"len", "wid", "label"', rows))


def test_a_blank_cell_between_spaces_is_named_by_its_row(tmp_path: Path) -> None:
    rows = [f"{NUMBERS[n]:>8}{NUMBERS[n + 1] if n != 5 else '':>8}{NUMBERS[n + 2]:>8}" for n in range(20)]
    with pytest.raises(InputError, match="must have 3 values in every row, got 2 in row 5"):
        read(written(tmp_path / "t.txt", "     len     wid    mass", rows))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_large_whole_numbers_tell_classes_and_subjects_apart(kind: str, tmp_path: Path) -> None:
    whose = np.array([2**53, 2**53 + 1, 2**53 + 2])[np.arange(30) % 3]
    frame = pd.DataFrame({"a": RNG.normal(size=30), "patient": whose, "class": whose})
    path = tmp_path / f"t.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    found = read(path, ReadConfig(subject_column="patient"))
    assert np.bincount(found.subjects).tolist() == [10, 10, 10]
    np.testing.assert_array_equal(found.y, np.arange(30) % 3)


@pytest.mark.parametrize(
    "names",
    [
        [f"1.{n + 1}" for n in range(12)],
        ["99999", "1e+05", *(str(100001 + n) for n in range(10))],
        [f"{101 + n}.00" for n in range(12)],
        ["s0", "NA", "None", *(f"s{n}" for n in range(3, 12))],
    ],
)
def test_names_of_rows_are_as_they_are_written(names: list[str], tmp_path: Path) -> None:
    assert read(written(tmp_path / "t.csv", ",a,b", pairs(names))).row_names == tuple(names)


def test_spaces_in_quotes_stay_where_spaces_separate(tmp_path: Path) -> None:
    rows = [f'"row {n}" {NUMBERS[n]} {NUMBERS[n + 30]} "{["A B", "A  B"][n % 2]}"' for n in range(30)]
    found = read(written(tmp_path / "t.txt", '"x" "Sepal Length" "b" "class"', rows), ReadConfig(index_column="x"))
    assert found.columns is not None
    assert found.columns.features == ("Sepal Length", "b")
    assert found.class_names == ("A  B", "A B")
    assert (found.row_names or ())[:2] == ("row 0", "row 1")


def test_an_empty_line_amid_one_column_is_a_missing_value(tmp_path: Path) -> None:
    (tmp_path / "gap.csv").write_text("y\n1.5\n2.5\n\n3.5\n  \n4.5\n\n")
    with pytest.raises(InputError, match=r"no value in row 2 \(from 0\) of column 'y'"):
        load(tmp_path / "gap.csv")
    kept = read(tmp_path / "gap.csv", ReadConfig(missing="drop"))
    np.testing.assert_array_equal(kept.x[:, 0], [1.5, 2.5, 3.5, 4.5])
    (tmp_path / "two.csv").write_text("a,b\n1.5,2\n\n2.5,4\n")
    assert len(load(tmp_path / "two.csv").x) == 2, "a row of two values is not empty where they are missing"


def test_whole_numbers_below_a_name_are_not_separated(tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("n\n1\n2\n3\n4\n")
    assert not any("separated" in line for line in load(tmp_path / "n.csv").taken)


def test_a_comma_and_a_tab_between_values(tmp_path: Path) -> None:
    rows = [f"51.{700 + n},\t54.{100 + n},\t51.{600 + n}" for n in range(20)]
    with pytest.raises(InputError, match="a comma and a tab between its values"):
        read(written(tmp_path / "t.txt", "a,\tb,\tc", rows))


def test_words_for_nothing_that_are_classes(tmp_path: Path) -> None:
    rows = [f"{NUMBERS[n]},{NUMBERS[n + 20]},{'+-'[n % 2]}" for n in range(20)]
    with pytest.raises(InputError, match=r"'-' counts as missing: write another word if it is a class"):
        read(written(tmp_path / "t.csv", "a,b,class", rows))


def test_numbers_that_are_asked_for_as_labels_need_not_be_whole(tmp_path: Path) -> None:
    rows = [f"{NUMBERS[n]},{NUMBERS[n + 20]},1.{n % 3 + 1}" for n in range(20)]
    found = read(written(tmp_path / "t.csv", "a,b,kind", rows), ReadConfig(label_column="kind"))
    assert found.class_names == ("1.1", "1.2", "1.3")


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        (("01", "02", "10"), ("01", "02", "10")),
        (("TRUE", "FALSE"), ("FALSE", "TRUE")),
        (("1E5", "10E4"), ("10E4", "1E5")),
    ],
)
def test_classes_are_called_as_they_are_spelled(
    classes: tuple[str, ...], names: tuple[str, ...], tmp_path: Path
) -> None:
    rows = [f"{NUMBERS[n]},{NUMBERS[n + 30]},{classes[n % len(classes)]}" for n in range(30)]
    found = read(written(tmp_path / "t.csv", "a,b,class", rows))
    assert found.class_names == names
    assert "leading zeros" not in " ".join(found.taken)
    assert found.y is not None
    assert [names[label] for label in found.y[:3]] == [classes[n % len(classes)] for n in range(3)]


def test_labels_that_are_asked_for_need_not_be_few(tmp_path: Path) -> None:
    rows = [f"{NUMBERS[n]},{NUMBERS[n + 20]},{n % 11 + 1}" for n in range(20)]
    path = written(tmp_path / "t.csv", "a,b,label", rows)
    with pytest.raises(InputError, match="called like labels and does not hold a few classes"):
        read(path)
    assert len(read(path, ReadConfig(label_column="label")).class_names or ()) == 11


@pytest.mark.parametrize("form", ["{} \u00b1 0.1", "{}/7", "12-{}", '"=""{}"""', "{}\u00b73"])
def test_numbers_written_in_another_way_are_no_names(form: str, tmp_path: Path) -> None:
    rows = [f"{form.format(n)},{NUMBERS[n]}" for n in range(12)]
    with pytest.raises(InputError, match="column 'a' holds numbers that are written in another way"):
        read(written(tmp_path / "t.csv", "a,b", rows))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html>\n<html><body>\n<p>a,b</p>\n</body></html>\n", "it is a web page"),
        (gzip.compress(b"a,b\n1,2\n3,4\n", mtime=0), "let its name end in .csv.gz"),
        (b"PK\x03\x04\0\0\0abc", "a workbook or an archive"),
        (b"\0\1\2", "bytes that are no text"),
        (b"%%MatrixMarket matrix coordinate real general\n30 3 60\n1 1 0.5\n", "scipy.io.mmread"),
        (b'[{"a": 1}, {"a": 2}]', "it is JSON"),
    ],
    ids=["page", "gzip", "zip", "bytes", "matrix", "json"],
)
def test_what_is_no_table_is_named(content: bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=what):
        read(tmp_path / "t.csv")


def test_what_is_no_file_is_named() -> None:
    with pytest.raises(InputError, match=r"https://x.org/a.csv is an address, and only files are read"):
        load("https://x.org/a.csv")
    with pytest.raises(InputError, match="load reads names and files, got DataFrame: pass samples to cluster or fit"):
        load(pl.DataFrame({"a": [1.0]}))  # type: ignore[arg-type]


def test_a_header_of_two_rows(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'x' is there twice: rename one, or keep one row of a header of several"):
        read(written(tmp_path / "t.csv", "x,x,y2", ["p,q,p", *pairs(range(12))]))


@pytest.mark.parametrize("first", ["GeneID", "gene", ""])
def test_genes_below_each_other_may_have_to_be_transposed(first: str, tmp_path: Path) -> None:
    rows = [f"G{n}," + ",".join(NUMBERS[6 * n : 6 * n + 6]) for n in range(30)]
    header = f"{first}," + ",".join(f"sample{n}" for n in range(6))
    config = ReadConfig(index_column="gene") if first == "gene" else None
    found = read(written(tmp_path / "t.csv", header, rows), config)
    assert found.taken[-1].startswith("a sample is a row: if each column beside")


def test_clusters_of_another_program_are_labels(tmp_path: Path) -> None:
    rows = [f"{NUMBERS[n]},{n % 2},{NUMBERS[n + 30]}" for n in range(30)]
    assert read(written(tmp_path / "t.csv", "a,leiden,b", rows)).class_names == ("0", "1")


def test_categories_that_polars_wrote_as_feather(tmp_path: Path) -> None:
    kinds = {"kind": pl.Categorical}
    frame = pl.DataFrame({"a": [1.0, 2.0, 3.0], "kind": ["x", "y", "x"]}, schema_overrides=kinds)
    frame.write_ipc(tmp_path / "t.feather")
    with pytest.raises(InputError, match="column 'kind' holds text"):
        read(tmp_path / "t.feather")
    found = read(tmp_path / "t.feather", ReadConfig(categorical="onehot"))
    assert found.x.tolist() == [[1, 1, 0], [2, 0, 1], [3, 1, 0]]


def test_arrays_beside_samples_that_are_no_labels(tmp_path: Path) -> None:
    x = RNG.normal(size=(30, 3))
    np.savez(tmp_path / "t.npz", x=x, y=x[:, 0])
    with pytest.raises(InputError, match=r"whole numbers, got .*: write --label-column none to leave it out"):
        read(tmp_path / "t.npz")
    assert read(tmp_path / "t.npz", ReadConfig(label_column="none")).y is None
    np.savez(tmp_path / "t.npz", x=x, y=np.eye(3)[np.arange(30) % 3])
    with pytest.raises(InputError, match=r"save y.argmax\(axis=1\)"):
        read(tmp_path / "t.npz")


def test_images_of_one_value_in_a_file_are_refused_in_any_type(tmp_path: Path) -> None:
    for dtype in (np.uint8, np.float32):
        np.savez(tmp_path / "t.npz", x=np.full((20, 8, 8), 7, dtype))
        with pytest.raises(InputError, match="holds the one value 7: there is nothing to tell apart"):
            read(tmp_path / "t.npz")


def test_floats_of_few_bits_are_numbers() -> None:
    import jax.numpy as jnp

    x = jnp.asarray(RNG.normal(size=(5, 3)), jnp.bfloat16)
    np.testing.assert_array_equal(check_array(x), np.asarray(x, np.float32))


@pytest.mark.parametrize(
    ("x", "what"),
    [
        ((n for n in range(3)), "pass one array"),
        ([[1, None], [2, 3]], "pass one array"),
        (np.zeros(3, [("a", float), ("b", float)]), "structured_to_unstructured"),
        (np.ones((3, 2)) * 1j, "absolute values"),
    ],
)
def test_what_holds_no_numbers_is_told_what_to_do(x: object, what: str) -> None:
    with pytest.raises(InputError, match=f"got dtype .*; .*{what}"):
        check_array(x)


@pytest.mark.parametrize("seed", range(40))
def test_what_pandas_writes_in_any_way_is_read_as_it_is(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    n, width = int(rng.integers(8, 80)), int(rng.integers(2, 7))
    x = rng.normal(size=(n, width)) * 10.0 ** rng.integers(-6, 9)
    x = rng.integers(0, 10 ** rng.integers(1, 7), (n, width)).astype(float) if seed % 2 else x
    names = rng.permutation(["len", "mass", "ratio", "count", "w 1", "T2", "alpha"])[:width].tolist()
    frame, y = pd.DataFrame(x, columns=names, index=[f"S{row}" for row in rng.permutation(n)]), rng.permutation(n) % 3
    if labelled := bool(rng.random() < 0.5):
        frame.insert(int(rng.integers(0, width + 1)), "species", np.array(["a", "b", "c"])[y])
    separator, decimal = [(",", "."), (";", ","), (";", "."), ("\t", "."), ("\t", ","), ("|", ".")][seed % 6]
    with_index, quoting = bool(rng.random() < 0.5), int(rng.choice([0, 2]))
    encoding = str(rng.choice(["utf-8", "utf-8-sig", "utf-16"]))
    path = tmp_path / "t.csv"
    frame.to_csv(path, sep=separator, decimal=decimal, index=with_index, encoding=encoding, quoting=quoting)
    found = read(path)
    np.testing.assert_allclose(found.x, x, rtol=1e-6)
    assert found.columns is not None
    assert list(found.columns.features) == names
    assert found.row_names == (tuple(frame.index) if with_index else None)
    if labelled:
        np.testing.assert_array_equal(found.y, y)
