"""Arrays in files, under the names that people use."""

import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_matrix, save_npz

from vaeclust_jax.data import Dataset, ReadConfig, load, mapped
from vaeclust_jax.errors import InputError, InputWarning

X = np.random.default_rng(0).normal(size=(12, 4))
Y = np.arange(12) % 3


def read(path: Path, **settings: object) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        return load(path, ReadConfig(**settings))  # type: ignore[arg-type]


def test_npy(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    found = load(tmp_path / "a.npy")
    np.testing.assert_array_equal(found.x, X)
    assert (found.name, found.y, found.taken) == ("a", None, ())
    np.save(tmp_path / "o.npy", np.array([{}]))
    with pytest.raises(InputError, match="pickled"):
        load(tmp_path / "o.npy")


def test_a_large_npy_stays_in_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "a.npy", X)
    monkeypatch.setattr(mapped, "memory", lambda: 4 * X.nbytes)
    found = read(tmp_path / "a.npy")
    assert mapped.is_mapped(found.x)
    assert found.taken == ("it takes 0.0 GB and stays in its file",)
    np.testing.assert_array_equal(found.x, X)
    monkeypatch.setattr(mapped, "memory", lambda: 8 * X.nbytes)
    assert not mapped.is_mapped(read(tmp_path / "a.npy").x)
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:300])
    monkeypatch.setattr(mapped, "memory", lambda: 4)
    with pytest.raises(InputError, match="cut short"):
        load(tmp_path / "a.npy")


@pytest.mark.parametrize("x", ["X", "data", "features", "images", "x"])
@pytest.mark.parametrize("y", ["y", "labels", "target", None])
def test_names_that_people_use(tmp_path: Path, x: str, y: str | None) -> None:
    np.savez(tmp_path / "a.npz", **{x: X}, **({} if y is None else {y: Y}))
    found = read(tmp_path / "a.npz")
    np.testing.assert_array_equal(found.x, X)
    assert (found.y is None) == (y is None)
    assert (f"samples: array {x!r} (--array)" in found.taken) == (x != "x")
    assert (f"labels: array {y!r}" in found.taken) == (y in ("labels", "target"))


def test_an_array_alone_needs_no_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X)
    assert read(tmp_path / "a.npz").taken == ("samples: array 'arr_0' (--array)",)


def test_what_is_not_clear_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, X=X, data=2 * X, label=Y, target=Y)
    with pytest.raises(InputError, match="--array"):
        load(path)
    with pytest.raises(InputError, match="--label-column"):
        read(path, array="X")
    found = read(path, array="data", label_column="target")
    np.testing.assert_array_equal(found.x, 2 * X)
    assert "arrays left out: 'X', 'label'" in found.taken
    assert read(path, array="X", label_column="none").y is None
    with pytest.raises(InputError, match="no array 'z'"):
        read(path, array="z")


@pytest.mark.parametrize(("x", "y"), [("x_{}", "y_{}"), ("X_{}", "y_{}"), ("{}_images", "{}_labels")])
@pytest.mark.parametrize("column", [False, True])
def test_training_and_test_parts_are_joined(tmp_path: Path, x: str, y: str, column: bool) -> None:
    labels = Y[:, np.newaxis] if column else Y
    parts = {"test": slice(8, None), "train": slice(0, 6), "val": slice(6, 8)}
    arrays = {x.format(part): X[rows] for part, rows in parts.items()}
    np.savez(tmp_path / "k.npz", **arrays, **{y.format(part): labels[rows] for part, rows in parts.items()})
    found = read(tmp_path / "k.npz")
    np.testing.assert_array_equal(found.x, X)
    assert found.y is not None
    assert found.y.tolist() == Y.tolist()
    assert "with their labels" in found.taken[-1]
    np.savez(tmp_path / "k.npz", **arrays, **{y.format("train"): labels[:6]})
    found = read(tmp_path / "k.npz")
    np.testing.assert_array_equal(found.x, X)
    assert found.y is None
    assert "without labels" in found.taken[0]
    np.savez(tmp_path / "k.npz", x_train=X, x_test=X[:, :2])
    with pytest.raises(InputError, match="differ in shape"):
        read(tmp_path / "k.npz")


def test_labels_in_a_column_are_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=Y[:, np.newaxis])
    np.testing.assert_array_equal(read(tmp_path / "a.npz").y, Y)


def test_mat(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"fea": csc_matrix(X), "gnd": Y[:, np.newaxis] + 1})
    found = read(tmp_path / "a.mat")
    np.testing.assert_allclose(found.x, X)
    assert found.class_names == ("1", "2", "3")
    savemat(tmp_path / "b.mat", {"X": X.T, "y": Y})
    np.testing.assert_allclose(read(tmp_path / "b.mat").x, X)
    (tmp_path / "c.mat").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"cannot be read as a \.mat file"):
        load(tmp_path / "c.mat")


def hdf(path: Path, **arrays: Any) -> Path:
    """As MATLAB 7.3 writes numbers, texts and cells of texts (with the last axis first), and sparse matrices."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in arrays.items():
            if isinstance(value, csc_matrix):
                group = file.create_group(name)
                group.attrs["MATLAB_sparse"] = np.uint64(value.shape[0])
                group["data"], group["ir"], group["jc"] = value.data, value.indices, value.indptr.astype(np.uint64)
            elif value.dtype == object:
                for number, text in enumerate(value.flat):
                    codes = np.array([[ord(letter)] for letter in text], np.uint16) if text else np.zeros(2, np.uint64)
                    cell = file.create_dataset(f"#refs#/{name}{number}", data=codes)
                    cell.attrs["MATLAB_class"] = np.bytes_("char")
                    if not text:
                        cell.attrs["MATLAB_empty"] = 1
                cells = [[file[f"#refs#/{name}{number}"].ref for number in range(value.size)]]
                made = file.create_dataset(name, data=np.array(cells, h5py.ref_dtype))
                made.attrs["MATLAB_class"] = np.bytes_("cell")
            else:
                file[name] = value.T
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(128))
    return path


def mat(path: Path, **arrays: Any) -> Path:
    savemat(path, arrays)
    return path


@pytest.mark.parametrize("saved", [mat, hdf])
def test_mat_of_any_version(saved: Any, tmp_path: Path) -> None:
    found = read(saved(tmp_path / "a.mat", X=X, y=Y[:, np.newaxis]))
    np.testing.assert_allclose(found.x, X)
    assert found.y is not None
    np.testing.assert_allclose(read(saved(tmp_path / "s.mat", X=csc_matrix(X))).x, X)


@pytest.mark.parametrize("saved", [mat, hdf])
@pytest.mark.parametrize("samples", ["X", "mine"])
def test_cells_of_texts_are_labels(saved: Any, samples: str, tmp_path: Path) -> None:
    cells = np.array(["oak", "\u00e4sh", ""], object)[Y][:, np.newaxis]
    found = read(saved(tmp_path / "a.mat", **{samples: X, "labels": cells}))
    np.testing.assert_allclose(found.x, X)
    assert found.y is not None
    assert found.class_names is not None
    assert [found.class_names[k] for k in found.y] == cells[:, 0].tolist()
    names = saved(tmp_path / "n.mat", X=X, y=Y[:, np.newaxis], classes=cells[:3])
    assert "arrays left out: 'classes'" in read(names).taken
    assert read(saved(tmp_path / "n.mat", X=X, classes=cells[:3])).y is None


def test_what_is_no_array_is_named(tmp_path: Path) -> None:
    numbers, both = np.array(Y.tolist(), object), np.array(["a", 1.0], object)
    found = read(mat(tmp_path / "a.mat", X=X, y=numbers, info={"a": 1}, notes=both))
    assert found.y is not None
    assert "arrays left out: 'info', 'notes'" in found.taken


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia"])
def test_sparse_npz(kind: str, tmp_path: Path) -> None:
    save_npz(tmp_path / "s.npz", csc_matrix(X).asformat(kind))
    np.testing.assert_array_equal(load(tmp_path / "s.npz").x, X)
    with np.load(tmp_path / "s.npz") as found:
        np.savez(tmp_path / "s.npz", **{**found, "format": np.array(b"no")})
    with pytest.raises(InputError, match="cannot be read as a sparse matrix"):
        load(tmp_path / "s.npz")


def test_zarr(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    zarr.save(str(tmp_path / "a.zarr"), X)
    np.testing.assert_array_equal(load(tmp_path / "a.zarr").x, X)
    zarr.save(str(tmp_path / "g.zarr"), X=X, labels=Y)
    found = read(tmp_path / "g.zarr")
    np.testing.assert_array_equal(found.x, X)
    assert found.y is not None
    (tmp_path / "bad.zarr").mkdir()
    with pytest.raises(InputError):
        load(tmp_path / "bad.zarr")


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.float64])
def test_images_of_any_range_are_brought_to_one(tmp_path: Path, dtype: type) -> None:
    images = np.random.default_rng(0).integers(100, 4000, (9, 6, 5)).astype(dtype)
    low, high = float(images.min()), float(images.max())
    np.savez(tmp_path / "a.npz", x=images)
    found = read(tmp_path / "a.npz")
    np.testing.assert_allclose(found.x[..., 0], (images - low) / (high - low), atol=1e-6)
    assert f"{low:g} is black and {high:g} is white" in found.taken[0]
    np.savez(tmp_path / "b.npz", x=images[:3])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        later = load(tmp_path / "b.npz", like=found)
    np.testing.assert_array_equal(later.x, found.x[:3])
    asked = read(tmp_path / "a.npz", intensity_range=(0.0, 4095.0))
    np.testing.assert_allclose(asked.x[..., 0], images / 4095, atol=1e-6)


def test_structures_of_matlab_are_named(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"S": {"data": X}})
    with pytest.raises(InputError, match=r"holds no plain arrays, only 'S': save the fields"):
        load(tmp_path / "a.mat")


def test_endings_in_capitals(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"X": X.T, "y": Y})
    np.save(tmp_path / "b.npy", X)
    np.savez(tmp_path / "c.npz", x=X)
    for name in ("a.mat", "b.npy", "c.npz"):
        (tmp_path / name).rename(tmp_path / name.upper())
        np.testing.assert_allclose(read(tmp_path / name.upper()).x, X)


@pytest.mark.parametrize(
    "settings",
    [{"drop_columns": ("a",)}, {"index_column": "a"}, {"missing": "drop"}, {"categorical": "onehot"},
     {"sizes": "crop"}, {"longest_side": 8}, {"recordings": "convert"}, {"window": 1.0}],
)  # fmt: skip
def test_what_changes_nothing_is_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    (name,) = settings
    np.savez(tmp_path / "a.npz", x=X)
    for source, kind in ((tmp_path / "a.npz", "a file of arrays"), ("digits", "a named set")):
        with pytest.raises(InputError, match=rf"is {kind}, of which --{name.replace('_', '-')} changes nothing"):
            load(source, ReadConfig(**settings))
    assert len(read(tmp_path / "a.npz", index_column="none", label_column="none").x) == 12


def test_what_names_an_array_or_labels_is_refused_where_there_are_none(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,3\n2,1\n")
    for source in (tmp_path / "t.csv", "digits"):
        for settings in ({"array": "x"}, {"intensity_range": (0.0, 1.0)}):
            with pytest.raises(InputError, match="changes nothing: leave it out"):
                load(source, ReadConfig(**settings))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="digits is a named set, of which --label-column changes nothing"):
        load("digits", ReadConfig(label_column="a"))


def test_matlab_images_without_labels_say_which_axis_is_that_of_the_samples(tmp_path: Path) -> None:
    savemat(tmp_path / "m.mat", {"images": np.random.default_rng(0).integers(0, 255, (16, 16, 20), np.uint8)})
    found = read(tmp_path / "m.mat")
    assert found.taken[-1].startswith("samples are on the first axis of (16, 16, 20): if they are on the last")
