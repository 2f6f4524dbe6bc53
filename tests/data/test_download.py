import dataclasses
import hashlib
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vaeclust_jax.data import DATASETS, get, list_datasets, load
from vaeclust_jax.data.download import array_digest
from vaeclust_jax.data.registry import Entry
from vaeclust_jax.errors import InputError

from .loopback import Server
from .made_files import MADE, zipped

pytestmark = pytest.mark.usefixtures("no_local_data")


@pytest.fixture
def publish(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., dict[str, bytes]]:
    """Puts a small set of a real format on the server and points its entry there."""

    def publish(name: str, urls: Callable[[str], tuple[str, ...]] | None = None) -> dict[str, bytes]:
        files, x, _ = MADE[name](np.random.default_rng(0))
        server.files.update(files)
        entry = DATASETS[name]
        archives = tuple(
            dataclasses.replace(
                archive,
                urls=urls(archive.file) if urls else (f"{server.base}/{archive.file}",),
                known_hash=archive.known_hash and f"md5:{hashlib.md5(files[archive.file]).hexdigest()}",
            )
            for archive in entry.archives
        )
        shape = (*x.shape, 1) if entry.shape[-1] == 1 else x.shape
        digest = entry.digest and _digest_of(entry, files, tmp_path)
        entry = dataclasses.replace(entry, archives=archives, shape=shape, digest=digest)
        monkeypatch.setitem(DATASETS, name, entry)
        return files

    return publish


def _digest_of(entry: Entry, files: dict[str, bytes], folder: Path) -> str:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    assert entry.decode is not None
    return array_digest(*entry.decode({name: folder / name for name in files}))


def left_in(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", MADE)
def test_a_published_set_is_downloaded_once_and_kept(
    name: str, publish: Callable[..., dict[str, bytes]], server: Server, cache: Path
) -> None:
    publish(name)
    data = load(name)
    assert data.x.shape == DATASETS[name].shape
    assert data.name == name
    assert data.num_classes == DATASETS[name].num_classes
    assert left_in(cache) == [f"{name}.npz"]
    assert data.source == str(cache / f"{name}.npz")
    asked = len(server.requests)
    np.testing.assert_array_equal(load(name).x, data.x)
    assert get(name) == cache / f"{name}.npz"
    assert len(server.requests) == asked
    assert {line.name: line.where for line in list_datasets()}[name] == data.source


def test_the_test_part_uses_the_file_of_the_whole(
    publish: Callable[..., dict[str, bytes]], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("mnist")
    part = dataclasses.replace(DATASETS["mnist-test"], part_of=("mnist", 20, 30))
    monkeypatch.setitem(DATASETS, "mnist-test", part)
    assert get("mnist-test") == cache / "mnist.npz"
    data = load("mnist-test")
    np.testing.assert_array_equal(data.x, load("mnist").x[20:])
    assert data.y is not None
    assert data.y.shape == (10,)
    assert data.name == "mnist-test"


def test_the_second_mirror_is_used_when_the_first_fails(
    publish: Callable[..., dict[str, bytes]], server: Server
) -> None:
    publish("santafe-laser", lambda file: (f"{server.base}/gone/{file}", f"{server.base}/{file}"))
    assert load("santafe-laser").x.shape == (50, 1)
    assert "gone/A.dat" in server.requests


def test_missing_file_names_url_and_status(
    publish: Callable[..., dict[str, bytes]], server: Server, cache: Path
) -> None:
    publish("usps")
    del server.files["usps.bz2"]
    with pytest.raises(InputError, match="404") as caught:
        load("usps")
    message = str(caught.value)
    assert f"{server.base}/usps.bz2" in message
    assert f"by hand into {cache / 'archives' / 'usps'}" in message
    assert "usps.npz with x (9298" not in message
    assert "usps.npz with x (20, 16, 16) and y" in message
    assert "VAECLUST_DATA" in message
    assert left_in(cache) == []


@pytest.mark.parametrize("name", ["usps", "coil20"])
def test_a_transfer_that_breaks_off_leaves_nothing(
    name: str, publish: Callable[..., dict[str, bytes]], server: Server, cache: Path
) -> None:
    server.cut = set(publish(name))
    with pytest.raises(InputError, match="broke off before the end"):
        load(name)
    assert left_in(cache) == []


def test_wrong_archive_hash_is_named_and_deleted(
    publish: Callable[..., dict[str, bytes]], server: Server, cache: Path
) -> None:
    right = hashlib.md5(publish("usps")["usps.bz2"]).hexdigest()
    server.files["usps.bz2"] = b"something else"
    with pytest.raises(InputError, match="corrupt or changed upstream") as caught:
        load("usps")
    assert right in str(caught.value)
    assert hashlib.md5(b"something else").hexdigest() in str(caught.value)
    assert left_in(cache) == []


def test_wrong_decoded_arrays_are_named_and_deleted(
    publish: Callable[..., dict[str, bytes]], server: Server, cache: Path
) -> None:
    publish("santafe-laser")
    server.files["A.dat"] = b"1\n2\n"
    with pytest.raises(InputError, match=r"corrupt or were changed upstream \(expected sha256:\w+, got sha256:"):
        load("santafe-laser")
    assert left_in(cache) == []


def test_undecodable_files_are_deleted(publish: Callable[..., dict[str, bytes]], server: Server, cache: Path) -> None:
    publish("santafe-laser")
    server.files["A.dat"] = b"<html>not the data</html>"
    with pytest.raises(InputError, match=r"A\.dat and A\.cont could not be decoded, corrupt or changed upstream"):
        load("santafe-laser")
    assert left_in(cache) == []


def test_zip_that_climbs_out_is_refused(publish: Callable[..., dict[str, bytes]], server: Server, cache: Path) -> None:
    publish("coil20")
    server.files["coil-20-proc.zip"] = zipped({"../obj1__0.png": b"x"})
    with pytest.raises(InputError, match=r"unsafe entry '\.\./obj1__0\.png'"):
        load("coil20")
    assert left_in(cache) == []
    assert not (cache.parent / "obj1__0.png").exists()


def test_without_network_the_error_says_what_to_do(publish: Callable[..., dict[str, bytes]], cache: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    publish("mnist", lambda file: (f"http://127.0.0.1:{port}/{file}",))
    with pytest.raises(InputError, match="the connection failed") as caught:
        get("mnist")
    message = str(caught.value)
    assert f"download http://127.0.0.1:{port}/train-images-idx3-ubyte.gz and" in message
    assert str(cache / "archives" / "mnist") in message
    assert "mnist.npz with x (30, 5, 4) and y into the folder" in message
    assert left_in(cache) == []


def test_files_put_there_by_hand_are_used(
    publish: Callable[..., dict[str, bytes]], server: Server, cache: Path
) -> None:
    folder = cache / "archives" / "mnist"
    folder.mkdir(parents=True)
    for name, content in publish("mnist").items():
        (folder / name).write_bytes(content)
    assert load("mnist").x.shape == (30, 5, 4, 1)
    assert server.requests == []


def test_set_without_a_download_says_where_to_get_it() -> None:
    with pytest.raises(InputError, match="cannot be downloaded") as caught:
        get("wingbeat-aedes")
    for part in ("mlquantify", "https://", "wingbeat-aedes.npz with x (1800, 8) and y", "VAECLUST_DATA"):
        assert part in str(caught.value)


def test_unwritable_cache_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VAECLUST_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(InputError, match=r"VAECLUST_CACHE.*cannot be written"):
        get("mnist")


def test_digest_depends_on_values_shape_and_dtype_only() -> None:
    x = np.arange(6, dtype=np.int32).reshape(2, 3)
    assert array_digest(x) == array_digest(np.asfortranarray(x)) == array_digest(x.astype(">i4"), None)
    others = [x.reshape(3, 2), x.astype(np.int64), x + 1]
    assert len({array_digest(a) for a in [x, *others]}) == 4
