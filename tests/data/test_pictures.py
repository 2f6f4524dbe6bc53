"""Pictures as people have them: of any depth, size, transparency and folder; said, or refused in one sentence."""

import os
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from vaeclust_jax.data import Dataset, ReadConfig, checked_rows, load, mapped, workers
from vaeclust_jax.errors import InputError, InputWarning

from .peak import PEAK

RNG = np.random.default_rng(0)


def bands(n: int = 30) -> np.ndarray:
    """16 x 16 pictures in [0, 1] with a band in one of three places."""
    x = np.zeros((n, 16, 16))
    for row in range(n):
        place = 3 + 3 * (row % 3)
        x[row, place : place + 3, 2:14] = 1
    return np.clip(x + RNG.normal(0, 0.05, x.shape), 0, 1)


X = bands()
BYTES = (255 * X).astype(np.uint8)


def saved(folder: Path, images: list[np.ndarray] | np.ndarray, ending: str = "png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        Image.fromarray(np.asarray(image)).save(folder / f"{number:02}.{ending}")
    return folder


def read(path: Path, like: Dataset | None = None, **settings: object) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        return load(path, ReadConfig(**settings), like)  # type: ignore[arg-type]


def test_a_camera_of_12_bits_in_files_of_16(tmp_path: Path) -> None:
    found = read(saved(tmp_path / "a", (100 + 500 * X).astype(np.uint16), "tif"))
    np.testing.assert_allclose(found.x[..., 0], X, atol=0.003)
    assert "100 is black and 600 is white" in found.taken[0]
    later = read(saved(tmp_path / "b", (100 + 250 * X).astype(np.uint16), "tif"), found)
    np.testing.assert_allclose(later.x[..., 0], X / 2, atol=0.003)
    asked = read(tmp_path / "a", intensity_range=(0.0, 4095.0))
    np.testing.assert_allclose(asked.x[..., 0], (100 + 500 * X) / 4095, atol=0.001)


def test_one_bright_pixel_does_not_make_pictures_dark_in_silence(tmp_path: Path) -> None:
    dim = (8000 * X).astype(np.uint16)
    dim[3, 0, 0] = 65535
    found = read(saved(tmp_path / "a", dim, "tif"))
    np.testing.assert_allclose(found.x[..., 0], dim / 65535, atol=1e-6)
    assert "half of the pictures are nowhere brighter than 8000" in found.taken[0]
    np.savez(tmp_path / "a.npz", x=dim)
    assert "nowhere brighter than 8000" in read(tmp_path / "a.npz").taken[0]
    assert "nowhere" not in read(saved(tmp_path / "b", (8000 * X).astype(np.uint16), "tif")).taken[0]


def test_all_of_16_bits_becomes_8_bits(tmp_path: Path) -> None:
    found = read(saved(tmp_path / "a", BYTES.astype(np.uint16) * 257, "png"))
    np.testing.assert_array_equal(found.x[..., 0], BYTES)
    assert found.x.dtype == np.uint8


@pytest.mark.parametrize("scale", [1.0, 1000.0, -1.0])
def test_floats(tmp_path: Path, scale: float) -> None:
    found = read(saved(tmp_path / "a", (scale * X).astype(np.float32), "tif"))
    wanted = X if scale > 0 else 1 - X
    np.testing.assert_allclose(found.x[..., 0], wanted, atol=0.01)
    assert "is white" in found.taken[0]


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not finite"):
        read(saved(tmp_path / "a", np.where(X > 0.5, np.nan, X).astype(np.float32), "tif"))


def test_8_bits_beside_floats_are_refused(tmp_path: Path) -> None:
    saved(tmp_path / "a", BYTES)
    with pytest.raises(InputError, match="partly of 8 bits"):
        read(saved(tmp_path / "a", X[:2].astype(np.float32), "tif"))


def test_8_bits_beside_a_camera_of_12_are_refused(tmp_path: Path) -> None:
    saved(tmp_path / "a", [*BYTES[:5], *(4000 * X[5:9]).astype(np.uint16)])
    with pytest.raises(InputError, match="partly of 8 bits"):
        load(tmp_path / "a")


@pytest.mark.parametrize("how", ["pad", "crop", "stretch"])
def test_many_sizes_become_one(tmp_path: Path, how: str) -> None:
    sizes = [(16 + i % 5, 16 + i % 3) for i in range(30)]
    images = [np.asarray(Image.fromarray(image).resize(size)) for image, size in zip(BYTES, sizes, strict=True)]
    found = read(saved(tmp_path / "a", images), sizes=how)
    assert found.x.shape == (30, 17, 18, 1)
    assert f"by {how}" in found.taken[0]
    later = read(saved(tmp_path / "b", [BYTES[0], BYTES[1]]), found)
    assert later.x.shape[1:] == found.x.shape[1:]


def test_padding_keeps_proportions(tmp_path: Path) -> None:
    wide = np.full((8, 32), 200, np.uint8)
    found = read(saved(tmp_path / "a", [wide, BYTES[0], BYTES[1]]))
    assert found.x.shape == (3, 16, 16, 1)
    assert (found.x[0] == 200).all()


@pytest.mark.parametrize("colour", [0, 255])
def test_a_shape_in_the_transparency(tmp_path: Path, colour: int) -> None:
    rgba = np.full((30, 16, 16, 4), colour, np.uint8)
    rgba[..., 3] = BYTES
    found = read(saved(tmp_path / "a", rgba))
    np.testing.assert_array_equal(found.x[..., 0], BYTES)
    assert "transparency is the picture" in found.taken[0]
    later = read(saved(tmp_path / "b", rgba[:1]), found)
    np.testing.assert_array_equal(later.x[..., 0], BYTES[:1])


def test_transparency_is_put_on_white(tmp_path: Path) -> None:
    rgba = np.stack([BYTES, BYTES, BYTES, np.full_like(BYTES, 255)], axis=-1)
    rgba[0, :, :8, 3] = 0
    found = read(saved(tmp_path / "a", rgba))
    assert (found.x[0, :, :8] == 255).all()
    np.testing.assert_array_equal(found.x[1:, ..., 0], BYTES[1:])
    assert "1 pictures with transparency were put on white" in found.taken


@pytest.mark.parametrize("ending", ["tif", "gif"])
@pytest.mark.parametrize("alone", [True, False])
def test_every_page_is_a_sample(tmp_path: Path, ending: str, alone: bool) -> None:
    pages = [Image.fromarray(image) for image in BYTES]
    path = tmp_path / "a" / f"all.{ending}"
    path.parent.mkdir()
    pages[0].save(path, save_all=True, append_images=pages[1:])
    found = read(path if alone else path.parent)
    assert len(found.x) == 30
    assert found.row_names is not None
    assert found.row_names[1] == f"all.{ending}[1]"
    assert "every page is a sample" in found.taken[0]


def test_one_picture_alone_is_refused(tmp_path: Path) -> None:
    saved(tmp_path / "a", BYTES[:1])
    with pytest.raises(InputError, match="is one picture"):
        load(tmp_path / "a" / "00.png")


def test_pictures_turned_by_their_camera(tmp_path: Path) -> None:
    for number, image in enumerate(BYTES[:3]):
        turned = Image.fromarray(image)
        exif = turned.getexif()
        exif[274] = 6  # to be turned by a quarter to the right
        (tmp_path / "a").mkdir(exist_ok=True)
        turned.save(tmp_path / "a" / f"{number}.png", exif=exif)
    np.testing.assert_array_equal(read(tmp_path / "a").x[0, ..., 0], np.rot90(BYTES[0], -1))


def test_what_is_left_out_is_counted_and_most_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "a", BYTES[:5])
    for number in range(4):
        (folder / f"{number}.heic").write_bytes(b"\0\0\0\x18ftypheic")
    assert "4 .heic" in read(folder).taken[0]
    for number in range(4, 30):
        (folder / f"{number}.heic").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(InputError, match=r"5 images that are read .*30 \.heic"):
        load(folder)


def test_annotations_beside_pictures_are_no_reason_to_refuse(tmp_path: Path) -> None:
    folder = saved(tmp_path / "a", BYTES)
    for number in range(40):
        (folder / f"{number}.txt").write_text("0 1 1 1 1")
    assert len(read(folder).x) == 30


def test_parts_of_classes(tmp_path: Path) -> None:
    for part, rows in (("train", BYTES[:20]), ("test", BYTES[20:])):
        for kind in (0, 1):
            saved(tmp_path / "a" / part / f"kind{kind}", rows[kind::2])
    found = read(tmp_path / "a")
    assert found.class_names == ("kind0", "kind1")
    assert len(found.x) == 30
    assert "are parts" in found.taken[0]
    saved(tmp_path / "a" / "other" / "kind7", BYTES[:1])
    with pytest.raises(InputError, match="give one of them"):
        load(tmp_path / "a")


def test_parts_alone_are_no_classes(tmp_path: Path) -> None:
    saved(tmp_path / "a" / "train", BYTES[:20])
    saved(tmp_path / "a" / "val", BYTES[20:])
    found = read(tmp_path / "a")
    np.testing.assert_array_equal(found.x[..., 0], BYTES)
    assert found.y is None
    assert found.taken == ("'train', 'val' are parts of one set, and no classes",)


@pytest.mark.parametrize(("flat", "classes"), [("test", "train"), ("dogs", "cats")])
def test_classes_in_one_folder_alone_are_refused_with_it(flat: str, classes: str, tmp_path: Path) -> None:
    saved(tmp_path / "a" / flat, BYTES[:20])
    for kind in (0, 1):
        saved(tmp_path / "a" / classes / f"kind{kind}", BYTES[20 + kind :: 2])
    with pytest.raises(InputError, match=f"give .*/a/{classes}, whose sub-folders are classes, or another"):
        load(tmp_path / "a")


def test_pictures_deeper_than_classes_are_not_to_be_converted(tmp_path: Path) -> None:
    for kind in (0, 1):
        saved(tmp_path / "a" / f"kind{kind}", BYTES[kind:5:2])
    saved(tmp_path / "a" / "kind0" / "more", BYTES[5:])
    with pytest.raises(InputError, match=r"more files that are not \(25 \.png\): put images of other sub-folders into"):
        load(tmp_path / "a")


def test_masks_beside_pictures_are_no_class(tmp_path: Path) -> None:
    saved(tmp_path / "a" / "images", BYTES)
    saved(tmp_path / "a" / "Masks", BYTES > 100)
    saved(tmp_path / "b" / "images", BYTES)
    saved(tmp_path / "b" / "labels", BYTES > 100)
    with pytest.raises(InputError, match=r"'labels' is called like annotations"):
        load(tmp_path / "b")
    with pytest.raises(InputError, match=r"a folder of pictures, of which --label-column changes nothing"):
        load(tmp_path / "a" / "images", ReadConfig(label_column="kind"))
    with pytest.raises(InputError, match=r"'Masks' is called like annotations .* one of the folders 'Masks', 'images'"):
        load(tmp_path / "a")
    assert len(read(tmp_path / "a" / "images").x) == 30


@pytest.mark.parametrize("kind", ["Masks_png", "gt", "ground_truth", "thumbnails"])
def test_folders_called_like_masks_by_a_part_of_their_name(kind: str, tmp_path: Path) -> None:
    saved(tmp_path / "images", BYTES)
    saved(tmp_path / kind, BYTES > 100)
    with pytest.raises(InputError, match=f"'{kind}' is called like annotations"):
        load(tmp_path)


def test_folders_of_the_same_names_are_said(tmp_path: Path) -> None:
    for kind in ("images", "raw", "@eaDir", "__MACOSX"):
        saved(tmp_path / kind, BYTES)
    found = read(tmp_path)
    assert found.class_names == ("images", "raw")
    assert "'images', 'raw' are classes, though their files have the same names" in found.taken[0]


def test_parts_inside_of_classes_are_parts(tmp_path: Path) -> None:
    for kind in ("control", "drug"):
        for part in ("train", "test"):
            saved(tmp_path / kind / part, BYTES)
    found = read(tmp_path)
    assert found.class_names == ("control", "drug")
    assert found.taken[0] == "'control', 'drug' are classes, their sub-folders 'test', 'train' parts of one set"


def test_classes_that_are_all_called_so_are_classes(tmp_path: Path) -> None:
    for kind in ("with_mask", "without_mask"):
        saved(tmp_path / kind, BYTES)
    assert read(tmp_path).class_names == ("with_mask", "without_mask")


def test_masks_in_the_folder_of_their_pictures_are_no_samples(tmp_path: Path) -> None:
    for number in range(3):
        Image.fromarray(BYTES[number]).save(tmp_path / f"cell{number}.png")
        Image.fromarray(BYTES[number]).save(tmp_path / f"mask_{number}.png")  # of no other picture
    assert len(read(tmp_path).x) == 6
    Image.fromarray(BYTES[0]).save(tmp_path / "cell0_mask.png")
    Image.fromarray(BYTES[0]).save(tmp_path / "cell1_cp_masks.png")  # as cellpose calls them
    with pytest.raises(InputError, match=r"'cell0_mask.png', 'cell1_cp_masks.png' are called like what was"):
        read(tmp_path)


def test_what_a_folder_without_pictures_holds_is_said(tmp_path: Path) -> None:
    saved(tmp_path / "a" / "b" / "c" / "d", BYTES[:2])
    with pytest.raises(InputError, match=r"it holds some deeper, give .*/a/b/c/d or"):
        load(tmp_path / "a")
    (tmp_path / "n").mkdir()
    for number in range(3):
        np.save(tmp_path / "n" / f"{number}.npy", BYTES[number])
    with pytest.raises(InputError, match=r"it holds 3 \.npy"):
        load(tmp_path / "n")
    for number, says in (
        (2, r"it holds tables in 'k=2', give .*/t/k=2$"),
        (1, r"'k=1', 'k=2', give .*/t/k=1, or"),
    ):
        (tmp_path / "t" / f"k={number}").mkdir(parents=True)
        (tmp_path / "t" / f"k={number}" / "a.parquet").write_bytes(b"PAR1")
        with pytest.raises(InputError, match=says):
            load(tmp_path / "t")


def test_one_folder_below_is_no_class(tmp_path: Path) -> None:
    saved(tmp_path / "a" / "images", BYTES)
    found = read(tmp_path / "a")
    assert found.y is None
    assert "'images' is the only sub-folder, and no class" in found.taken
    assert found.row_names is not None
    assert found.row_names[0] == "images/00.png"


def test_numbered_class_folders_are_in_order(tmp_path: Path) -> None:
    for kind in range(1, 12):
        saved(tmp_path / "a" / str(kind), [BYTES[kind], BYTES[kind + 11]])
    found = read(tmp_path / "a")
    assert found.class_names == tuple(map(str, range(1, 12)))
    assert found.y is not None
    assert found.row_names is not None
    assert [found.class_names[k] for k in found.y] == [name.split("/")[0] for name in found.row_names]


def test_equal_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="all equal"):
        load(saved(tmp_path / "a", [BYTES[0]] * 3))


def test_recordings_beside_pictures_are_refused(tmp_path: Path) -> None:
    from scipy.io import wavfile

    folder = saved(tmp_path / "a", BYTES[:6])
    wavfile.write(folder / "one.wav", 20_800, np.zeros(5000, np.int16))
    with pytest.raises(InputError, match="recordings and images"):
        load(folder)


def test_a_class_folder_whose_name_is_no_utf_8_gets_one_that_can_be_drawn(tmp_path: Path) -> None:
    for name in (b"caf\xe9", b"tea"):
        saved(tmp_path / "a" / os.fsdecode(name), BYTES[: 2 + len(name)])
    found = read(tmp_path / "a")
    assert found.class_names == ("caf\ufffd", "tea")
    found.class_names[0].encode()


def kinds_of_pictures(folder: Path, kind: str) -> Path:
    """Folders each of which is decided about in another way."""
    clear = np.stack([BYTES] * 3 + [np.full_like(BYTES, 200)], axis=-1)
    made = {
        "bytes": BYTES,
        "deep": (100 + 500 * X).astype(np.uint16),
        "clear": clear,
        "sizes": [image[: 10 + number % 4] for number, image in enumerate(BYTES)],
    }
    return saved(folder, made[kind])


@pytest.mark.parametrize("kind", ["bytes", "deep", "clear", "sizes"])
def test_threads_and_an_array_in_a_file_give_the_same(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = kinds_of_pictures(tmp_path / "a", kind)
    expected = read(folder)
    monkeypatch.setattr(workers, "_FEW", 0)
    found = read(folder)
    np.testing.assert_array_equal(found.x, expected.x)
    assert (found.row_names, found.taken) == (expected.row_names, expected.taken)
    monkeypatch.setattr(mapped, "memory", lambda: 4 * expected.x.nbytes - 1)
    monkeypatch.setattr(mapped, "_BYTES_IN_MEMORY", 0)
    found = read(folder)
    np.testing.assert_array_equal(found.x, expected.x)
    assert "kept in a temporary file" in found.taken[-1]
    assert isinstance(checked_rows(found), mapped.StoredRows), "a fit does not read it as a whole"


def test_pictures_that_fit_nowhere_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "memory", lambda: 1)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1))
    with pytest.raises(InputError, match="--longest-side"):
        load(saved(tmp_path / "a", BYTES))


def test_large_pictures_can_be_made_smaller_while_they_are_read(tmp_path: Path) -> None:
    large = BYTES.repeat(4, axis=1).repeat(4, axis=2)
    folder = saved(tmp_path / "a", [*large, BYTES[0]])
    found = read(folder, longest_side=16)
    np.testing.assert_array_equal(found.x[..., 0], [*BYTES, BYTES[0]])
    assert "30 pictures were made smaller" in found.taken[0]
    np.testing.assert_array_equal(read(folder, found).x, found.x)


def test_a_photo_taken_upright_is_upright_beside_others(tmp_path: Path) -> None:
    """What its first bytes say of its size is of the picture before it is turned."""
    folder = saved(tmp_path / "a", [image[:12] for image in BYTES], "jpg")
    turned = Image.fromarray(np.rot90(BYTES[0, :12]).copy())
    exif = turned.getexif()
    exif[274] = 6
    turned.save(folder / "z.jpg", exif=exif, quality=100)
    found = read(folder)
    assert found.x.shape == (31, 12, 16, 1)
    np.testing.assert_allclose(found.x[-1, ..., 0], BYTES[0, :12], atol=8)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is asked of Linux")
def test_a_folder_of_many_pictures_takes_the_memory_of_its_array(tmp_path: Path) -> None:
    """3,000 pictures of 256 x 256, made smaller: 48 MB as an array, 600 MB as they are decoded."""
    folder = tmp_path / "a"
    folder.mkdir()
    noise = RNG.integers(0, 256, (64, 64), np.uint8)
    for number in range(3000):
        Image.fromarray(np.roll(noise, number, axis=1)).resize((256, 256)).convert("RGB").save(folder / f"{number}.jpg")
    code = f"""
{PEAK}
from vaeclust_jax.data import ReadConfig, load
before = peak()
x = load({str(folder)!r}, ReadConfig(longest_side=73)).x
assert x.shape == (3000, 73, 73, 3), x.shape
print((peak() - before) / 2**20, x.nbytes / 2**20)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    took, array = map(float, done.stdout.split())
    assert took < array + 60
