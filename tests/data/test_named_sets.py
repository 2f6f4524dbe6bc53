import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vaeclust_jax.data import DATASETS, get, list_datasets, load
from vaeclust_jax.data.download import array_digest
from vaeclust_jax.data.files import read_npz
from vaeclust_jax.errors import InputError

COUNTS = {
    "digits": [178, 182, 177, 183, 181, 182, 181, 179, 174, 180],
    "digit-shapes": [1] * 10,
    "coil20": [72] * 20,
    "mnist": [6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958],
    "mnist-test": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    "fashion-mnist": [7000] * 10,
    "usps": [1553, 1269, 929, 824, 852, 716, 834, 792, 708, 821],
    "pendigits": [1143, 1143, 1144, 1055, 1144, 1055, 1056, 1142, 1055, 1055],
    "santafe-laser": None,
    "wingbeat-frequencies": [7010, 10298, 22432, 1941, 59719],
    "wingbeat-aedes": [946, 854],
    "wingbeat-simulated": [1000] * 11,
    "wingbeat": [1041, 1132, 1114, 1314, 733, 703, 921, 786, 1378, 778, 600],
    "wingbeat-strangers": [100] * 4,
    "lorenz": None,
    "cylinder-bell-funnel": [300] * 3,
    "smooth-surface": None,
    "noisy-wave": None,
}


def have(name: str, folder: Path) -> Path:
    entry = DATASETS[name]
    path = folder / f"{entry.part_of[0] if entry.part_of else name}.npz"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    return path


def test_every_set_has_its_counts_here() -> None:
    assert set(COUNTS) == set(DATASETS)


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name, entry in DATASETS.items() if entry.embedded is None])
def test_real_set_is_what_it_is_documented_to_be(name: str, real_data: Path) -> None:
    path = have(name, real_data)
    data, entry = load(name), DATASETS[name]
    assert data.x.shape == entry.shape
    assert data.x.dtype == (np.uint8 if name in ("coil20", "mnist", "mnist-test", "fashion-mnist") else np.float32)
    assert (data.name, data.source, data.num_classes) == (name, str(path), entry.num_classes)
    assert get(name) == path
    counts = COUNTS[name]
    if counts is None:
        assert data.y is None
        assert data.num_classes is None
    else:
        assert data.y is not None
        assert np.bincount(data.y).tolist() == counts
        assert data.num_classes == len(counts)
        assert data.class_names is not None
        assert len(data.class_names) == len(counts)


@pytest.mark.parametrize("name", [name for name, entry in DATASETS.items() if entry.digest])
def test_expected_digests_are_those_of_the_real_arrays(name: str, real_data: Path) -> None:
    x, y = read_npz(have(name, real_data))
    assert array_digest(x, None if DATASETS[name].num_classes is None else y) == DATASETS[name].digest


def test_class_names_of_simulated_spectra_follow_the_frequencies(real_data: Path) -> None:
    _, y = read_npz(have("wingbeat-simulated", real_data))
    names = load("wingbeat-simulated").class_names
    assert names == tuple(f"{frequency} Hz" for frequency in np.unique(y))


def test_digits_are_embedded(no_local_data: None) -> None:
    data = load("digits")
    assert get("digits") == "embedded" == data.source
    assert data.x.shape == (1797, 8, 8, 1)
    assert data.x.dtype == np.float32
    assert (data.x.min(), data.x.max()) == (0, 1)
    assert data.y is not None
    assert np.bincount(data.y).tolist() == COUNTS["digits"]


@pytest.mark.long
@pytest.mark.parametrize("name", ["wingbeat", "wingbeat-strangers"])
def test_made_sets_are_what_they_are_documented_to_be(name: str, no_local_data: None) -> None:
    data, entry = load(name), DATASETS[name]
    assert get(name) == "embedded" == data.source
    assert (data.x.shape, data.x.dtype) == (entry.shape, np.float32)
    assert (data.x.min(axis=1) == 0).all()
    assert (data.x.max(axis=1) == 1).all()
    assert data.y is not None
    assert np.bincount(data.y).tolist() == COUNTS[name]


def test_listing_downloads_nothing_and_says_where(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECLUST_DATA", str(tmp_path))
    np.savez(tmp_path / "mnist.npz", x=np.ones((2, 2)))
    where = {line.name: line.where for line in list_datasets()}
    assert list(where) == list(DATASETS)
    assert where["digits"] == "embedded"
    assert where["mnist"] == where["mnist-test"] == str(tmp_path / "mnist.npz")
    assert where["usps"].startswith("not here: would be downloaded from https://www.csie.ntu.edu.tw/")
    assert where["wingbeat-aedes"].startswith("not here: to be fetched by hand from https://")
    assert not cache.exists()


def test_the_persons_folder_comes_before_the_cache(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir()
    (cache / "usps.npz").write_bytes(b"")
    monkeypatch.delenv("VAECLUST_DATA", raising=False)
    assert get("usps") == cache / "usps.npz"
    (tmp_path / "usps.npz").write_bytes(b"")
    monkeypatch.setenv("VAECLUST_DATA", str(tmp_path))
    assert get("usps") == tmp_path / "usps.npz"


def test_local_file_of_another_shape_or_labelling_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECLUST_DATA", str(tmp_path))
    path = tmp_path / "pendigits.npz"
    np.savez(path, x=np.ones((5, 16)), y=np.arange(5))
    with pytest.raises(InputError, match=r"pendigits\.npz has shape \(5, 16\).*\(10992, 16\)"):
        load("pendigits")
    np.savez(path, x=np.ones((10992, 16)))
    with pytest.raises(InputError, match=r"pendigits\.npz has no labels y.*10 classes"):
        load("pendigits")
    np.savez(path, x=np.ones((10992, 16)), y=np.arange(10992) % 9)
    with pytest.raises(InputError, match=r"pendigits\.npz has 9 classes.*has 10"):
        load("pendigits")
    np.savez(path, x=np.array([[None]]))
    with pytest.raises(InputError, match=r"pendigits\.npz holds pickled"):
        load("pendigits")


def test_data_folder_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECLUST_DATA", "/no/such/folder")
    with pytest.raises(InputError, match="VAECLUST_DATA names /no/such/folder"):
        load("mnist")


def test_unknown_name_to_get_is_named() -> None:
    with pytest.raises(InputError, match="did you mean coil20"):
        get("coil-20")


def test_import_is_cheap() -> None:
    heavy = "{'sklearn', 'pooch', 'PIL', 'platformdirs', 'requests'}"
    code = f"import sys, vaeclust_jax.data; print({heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
