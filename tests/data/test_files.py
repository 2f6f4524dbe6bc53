import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaeclust_jax.data import load
from vaeclust_jax.data.files import write_npz
from vaeclust_jax.errors import InputError


def save_image(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)
COLOUR = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)


def test_npz_with_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=np.ones((3, 2)), y=["b", "a", "b"])
    data = load(tmp_path / "mine.npz")
    assert data.x.shape == (3, 2)
    assert data.y is not None
    assert data.y.tolist() == [1, 0, 1]
    assert (data.name, data.class_names, data.num_classes) == ("mine", ("a", "b"), None)
    assert data.source == str(tmp_path / "mine.npz")


def test_npz_without_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=np.ones((3, 2)))
    assert load(str(tmp_path / "mine.npz")).y is None


def test_written_npz_replaces_the_old_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_npz(path, np.ones((2, 2)), None)
    with pytest.raises(ValueError, match="allow_pickle"):
        write_npz(path, np.array([{}]), None)
    assert load(path).x.shape == (2, 2)
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_npz_errors(tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, mine=np.ones((3, 2)), y=np.ones(3))
    with pytest.raises(InputError, match=r"bad\.npz must hold an array named x, got \['mine', 'y'\]"):
        load(path)
    np.savez(path, x=np.ones((3, 2)), y=np.ones(4))
    with pytest.raises(InputError, match=r"y of .*bad\.npz has 4 labels but x has 3"):
        load(path)
    np.savez(path, x=np.full((3, 2), np.nan))
    with pytest.raises(InputError, match=r"x of .*bad\.npz must be finite"):
        load(path)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (npz(x=np.array([[1, "a", None]], object)), "pickled Python objects"),
        (pickle.dumps([1, 2]), "pickled Python objects"),
        (npz(x=np.random.default_rng(0).random((50, 50)))[:9000], "damaged or cut short"),
        (b"", "damaged or cut short"),
        (b"\0" * 100, "damaged or cut short"),
        (b"some other text", "damaged or cut short"),
        (npy(np.ones((3, 2))), "bad.npz"),
    ],
)
def test_unreadable_npz(content: bytes, part: str, tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(InputError, match=part):
        load(tmp_path / "bad.npz")


def test_damaged_member_of_an_npz(tmp_path: Path) -> None:
    content = bytearray(npz(x=np.random.default_rng(0).random((50, 50))))
    content[5000:5100] = bytes(100)
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        load(tmp_path / "bad.npz")


def test_flat_folder(tmp_path: Path) -> None:
    for name in ("b.png", "a.PGM", ".hidden.png"):
        save_image(tmp_path / name, GREY + ord(name[0]))
    (tmp_path / "notes.txt").write_text("not an image")
    data = load(tmp_path)
    assert data.x.shape == (2, 3, 4, 1)
    assert data.y is None
    assert data.class_names is None
    assert data.row_names == ("a.PGM", "b.png")
    assert data.name == tmp_path.name
    np.testing.assert_array_equal(data.x[0, ..., 0], GREY + ord("a"))


def test_folder_of_classes(tmp_path: Path) -> None:
    for name in ("dog/2.png", "dog/1.png", "cat/9.png", ".git/3.png", "cat/deeper/4.png"):
        save_image(tmp_path / name, GREY + ord(name[4]))
    data = load(tmp_path)
    assert data.class_names == ("cat", "dog")
    assert data.y is not None
    assert data.y.tolist() == [0, 1, 1]
    assert data.row_names == ("cat/9.png", "dog/1.png", "dog/2.png")
    assert data.num_classes is None


def test_modes(tmp_path: Path) -> None:
    save_image(tmp_path / "1 colour.png", COLOUR)
    bright = GREY * 23  # nearly all of the range, or deep pixels beside bytes would be of an unknown one
    save_image(tmp_path / "2 grey.png", bright)
    save_image(tmp_path / "3 alpha.png", np.concatenate([COLOUR, np.zeros((3, 4, 1), np.uint8)], axis=-1))
    save_image(tmp_path / "4 deep.png", bright.astype(np.uint16) * 257)
    Image.fromarray(COLOUR).quantize(12).save(tmp_path / "5 palette.png")
    Image.fromarray(GREY > 5).save(tmp_path / "6 bits.png")
    x = load(tmp_path).x
    assert x.shape == (6, 3, 4, 3)
    np.testing.assert_array_equal(x[0], COLOUR)
    np.testing.assert_array_equal(x[1], np.stack([bright] * 3, axis=-1))
    np.testing.assert_array_equal(x[2], np.full_like(COLOUR, 255))  # wholly transparent, on white
    np.testing.assert_array_equal(x[3], x[1])
    assert set(np.unique(x[5])) == {0, 255}


def test_grey_modes_stay_grey(tmp_path: Path) -> None:
    bright = GREY * 23
    save_image(tmp_path / "1.png", bright)
    save_image(tmp_path / "2.tif", bright.astype(np.int32) * 257)
    Image.fromarray(np.stack([bright, np.full_like(bright, 255)], axis=-1)).save(tmp_path / "3.png")
    save_image(tmp_path / "4.png", bright[::-1])
    x = load(tmp_path).x
    assert x.shape == (4, 3, 4, 1)
    np.testing.assert_array_equal(x[0], x[1])
    np.testing.assert_array_equal(x[0], x[2])


def test_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_text("")
    with pytest.raises(InputError, match=r"holds no images.*png"):
        load(tmp_path)


def test_folder_both_flat_and_with_classes(tmp_path: Path) -> None:
    save_image(tmp_path / "a.png", GREY)
    save_image(tmp_path / "cat" / "b.png", GREY)
    with pytest.raises(InputError, match=r"a\.png.*cat"):
        load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_unreadable_image_is_named(content: bytes | None, tmp_path: Path) -> None:
    save_image(tmp_path / "a.png", np.random.default_rng(0).integers(0, 256, (30, 30), np.uint8))
    cut = (tmp_path / "a.png").read_bytes()[:500]
    (tmp_path / "b.png").write_bytes(cut if content is None else content)
    with pytest.raises(InputError, match=r"b\.png cannot be read as an image"):
        load(tmp_path)


@pytest.mark.parametrize("limit", [5, 11])
def test_decompression_bomb_is_named(limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_image(tmp_path / "a.png", GREY)  # 12 pixels: Pillow warns above the limit, refuses above its double
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(InputError, match=r"a\.png claims too many pixels"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("mnits", ["'mnits'", "did you mean mnist", "vaeclust data list"]),
        ("qqqqq", ["known are digits, digit-shapes, coil20", "vaeclust data list"]),
        ("gone/data.npz", ["gone/data.npz does not exist"]),
        ("gone.npz", ["gone.npz does not exist"]),
        ("", ["'' is no data set"]),
        ("a" * 300, ["aaa cannot be read", "too long"]),
    ],
)
def test_unknown_names(name: str, parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        load(name)
    for part in parts:
        assert part in str(caught.value)


def test_other_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_text("1,2")
    with pytest.raises(InputError, match=r"x\.xlsx is a file that is not read"):
        load(tmp_path / "x.xlsx")
    with pytest.raises(InputError, match=r"/dev/null is neither a file nor a folder; give an array file"):
        load("/dev/null")
