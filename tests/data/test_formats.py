import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vaeclust_jax.data import DATASETS
from vaeclust_jax.data.files import read_npz
from vaeclust_jax.data.formats import read_idx, read_zip
from vaeclust_jax.errors import InputError

from .made_files import MADE, idx, zipped


def written(folder: Path, files: dict[str, bytes]) -> dict[str, Path]:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in files}


@pytest.mark.parametrize("name", MADE)
def test_decoder_returns_what_was_encoded(name: str, tmp_path: Path) -> None:
    files, x, y = MADE[name](np.random.default_rng(0))
    assert set(files) == {archive.file for archive in DATASETS[name].archives}
    decode = DATASETS[name].decode
    assert decode is not None
    got_x, got_y = decode(written(tmp_path, files))
    assert got_x.shape == x.shape
    np.testing.assert_allclose(got_x.astype(float), x, atol=1e-4)
    assert (got_y is None) == (y is None)
    if y is not None:
        np.testing.assert_array_equal(got_y, y)


def test_real_idx_files_are_the_last_rows_of_mnist(real_data: Path) -> None:
    if not (real_data / "idx").is_dir() or not (real_data / "mnist.npz").is_file():
        pytest.skip("VAECLUST_DATA has no idx folder or no mnist.npz")
    x, y = read_npz(real_data / "mnist.npz")
    assert y is not None
    images = read_idx(real_data / "idx" / "t10k-images-idx3-ubyte.gz")
    labels = read_idx(real_data / "idx" / "t10k-labels-idx1-ubyte.gz")
    np.testing.assert_array_equal(images, x[60000:])
    np.testing.assert_array_equal(labels, y[60000:])


@pytest.mark.parametrize("change", [lambda b: b[:-9], lambda b: b"\0" * len(b), lambda b: b""])
def test_damaged_idx_raises(change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(change(idx(np.zeros((4, 3, 3)))))
    with pytest.raises((OSError, EOFError, ValueError, struct.error)):
        read_idx(path)


@pytest.mark.parametrize("name", ["../out.png", "a/../../out", "/etc/out", "C:\\out", "..\\out"])
def test_zip_entries_outside_the_archive_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"fine.txt": b"1", name: b"2"}))
    with pytest.raises(InputError, match="unsafe entry") as caught:
        read_zip(path)
    assert "out" in str(caught.value)


def test_zip_links_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="unsafe entry 'link'"):
        read_zip(path)
