"""Rows of another unit, range or order than those of training are said or refused, never labelled in silence."""

import warnings
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

import vaeclust_jax as vc
from tests.fitting.made import blobs, config, squares
from vaeclust_jax.data import mapped
from vaeclust_jax.data.seen import Seen
from vaeclust_jax.errors import InputWarning

KEY = jax.random.key(0)
VECTORS, IMAGES = blobs()[0], squares()[0]
NAMES = list("abcde")


@pytest.fixture(scope="module")
def frames() -> vc.Run:
    return vc.fit(config(), pd.DataFrame(VECTORS, columns=NAMES), KEY)


@pytest.fixture(scope="module")
def images() -> vc.Run:
    return vc.fit(config(), IMAGES, KEY)


def said(run: vc.Run, x: Any) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InputWarning)
        run.predict_proba(x)
    return " ".join(str(one.message) for one in caught)


@pytest.mark.parametrize(
    "other",
    [
        (IMAGES // 16).astype(np.uint8),
        (IMAGES > 127).astype(np.uint8),
        (IMAGES / 255 / 255).astype(np.float32),
        np.zeros_like(IMAGES),
    ],
    ids=["0 to 16", "0 and 1", "twice divided", "black"],
)
def test_images_of_another_range_are_said(images: vc.Run, other: np.ndarray) -> None:
    assert "all" in said(images, other) or f"{len(other)} of {len(other)}" in said(images, other)
    odd = images.preparation.unlike(other)
    assert odd is not None
    assert odd.all_of_them


@pytest.mark.long
@pytest.mark.parametrize("white", [1, 16, 60])
def test_bytes_of_a_small_range_are_brought_to_the_whole(white: int, tmp_path: Path) -> None:
    small = np.round(IMAGES / 255 * white).astype(np.uint8)
    small[0, 0, 0] = white
    with pytest.warns(InputWarning, match=f"{white} is taken as white"):
        run = vc.fit(config(), small, KEY)
    np.testing.assert_allclose(run.prepare(small)[..., 0], small / white, atol=1e-6)
    run.save(tmp_path / "m.vaeclust")
    for again in (run, vc.load(tmp_path / "m.vaeclust")):
        assert said(again, small) == ""
        np.testing.assert_array_equal(again.predict(small), run.predict(small))
        assert said(again, IMAGES) != "" or white == 60


def test_what_was_trained_on_is_not_odd(images: vc.Run, frames: vc.Run) -> None:
    assert said(images, IMAGES) == ""
    assert said(images, IMAGES[:1]) == ""
    assert said(frames, VECTORS) == ""
    assert said(frames, VECTORS[VECTORS[:, 0] > 0]) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: 1000 * x, "120 of 120"),
        (lambda x: x / 1000, "vary"),
        (lambda x: x + 273.15, "120 of 120"),
        (lambda x: np.where(np.arange(len(x))[:, np.newaxis] == 7, 500, x), "1 of 120"),
    ],
    ids=["times 1000", "by 1000", "kelvin", "one row"],
)
def test_vectors_of_another_unit_are_said(frames: vc.Run, change: Any, words: str) -> None:
    assert words in said(frames, change(VECTORS))


@pytest.fixture(scope="module")
def spectra() -> np.ndarray:
    """Two kinds of rows, with a peak at the first or the second feature."""
    rows = np.arange(len(VECTORS))
    x = np.random.default_rng(0).uniform(0, 0.1, VECTORS.shape)
    x[rows, rows % 2] = 1
    return x


@pytest.fixture(scope="module")
def by_row(spectra: np.ndarray) -> vc.Run:
    return vc.fit(config(scaling="minmax-row"), spectra, KEY)


def test_rows_scaled_one_by_one_may_have_any_gain_and_offset(by_row: vc.Run, spectra: np.ndarray) -> None:
    gain, offset = np.geomspace(1e-6, 1e6, 120)[:, np.newaxis], np.linspace(-9, 9, 120)[:, np.newaxis]
    assert said(by_row, spectra * gain + offset * gain) == ""


@pytest.mark.parametrize(
    ("change", "count"),
    [
        (lambda x: x[:, ::-1], 120),
        (lambda x: -x, 120),
        (lambda x: np.zeros_like(x), 120),
        (lambda x: np.where(np.arange(120)[:, np.newaxis] == 7, 3.5, x), 1),
    ],
    ids=["reversed", "negated", "nothing but zeros", "one row of one value"],
)
def test_rows_scaled_one_by_one_are_judged_by_their_shape(
    by_row: vc.Run, spectra: np.ndarray, change: Any, count: int, tmp_path: Path
) -> None:
    by_row.save(tmp_path / "m.vaeclust")
    for run in (by_row, vc.load(tmp_path / "m.vaeclust")):
        assert f"{count} of 120 rows" in said(run, change(spectra))
        odd = run.preparation.unlike(change(spectra))
        assert odd is not None
        assert odd.all_of_them == (count == 120)


def test_what_an_earlier_version_kept_of_rows_scaled_one_by_one_is_not_taken_for_their_shape(by_row: vc.Run) -> None:
    record = by_row.preparation.to_json()
    record["seen"] = record.pop("seen_shapes")
    assert vc.data.Preparation.from_json(record).seen is None


@pytest.mark.parametrize("kind", ["vectors", "images", "rows"])
def test_mapped_arrays_are_judged_as_those_in_memory(
    kind: str, frames: vc.Run, images: vc.Run, by_row: vc.Run, spectra: np.ndarray, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    run, x = {"vectors": (frames, VECTORS * 9), "images": (images, IMAGES // 16), "rows": (by_row, -spectra)}[kind]
    expected = said(run, x)
    monkeypatch.setattr(mapped, "_BYTES_IN_MEMORY", 0)
    monkeypatch.setattr(mapped, "_BYTES_AT_ONCE", 999)
    np.save(tmp_path / "x.npy", x)
    in_file = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert mapped.is_streamed(in_file)
    assert said(run, in_file) == expected != ""


def test_rows_are_prepared_once_to_be_judged_and_labelled(images: vc.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = []
    own = vc.data.Preparation.apply
    monkeypatch.setattr(vc.data.Preparation, "apply", lambda self, x: (prepared.append(len(x)), own(self, x))[1])
    images.predict_proba(IMAGES)
    assert prepared == [len(IMAGES)]


def test_what_was_seen_is_saved(frames: vc.Run, images: vc.Run, tmp_path: Path) -> None:
    for run, x in ((frames, VECTORS * 1000), (images, IMAGES // 16)):
        run.save(tmp_path / "m.vaeclust")
        assert said(vc.load(tmp_path / "m.vaeclust"), x) == said(run, x) != ""


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_columns_are_taken_by_name(frames: vc.Run, library: str, tmp_path: Path) -> None:
    def framed(columns: list[str]) -> Any:
        table = pd.DataFrame(VECTORS, columns=NAMES).assign(more=1.0)[columns]
        return {"pandas": table, "polars": pl.from_pandas(table), "pyarrow": pa.Table.from_pandas(table)}[library]

    expected = frames.predict_proba(VECTORS)
    frames.save(tmp_path / "m.vaeclust")
    for run in (frames, vc.load(tmp_path / "m.vaeclust")):
        np.testing.assert_array_equal(run.predict_proba(framed(NAMES[::-1])), expected)
        assert "'more'" in said(run, framed(["more", *NAMES]))
        with pytest.raises(vc.InputError, match="lacks 'c' of the 5 columns"):
            run.predict(framed(["a", "b", "d", "e", "more"]))


@pytest.mark.parametrize("dtype", ["Float64", "float64[pyarrow]", "Int64", "category"])
def test_every_column_type_of_pandas_is_read(dtype: str) -> None:
    whole = np.round(VECTORS)
    run = vc.fit(config(), pd.DataFrame(whole, columns=NAMES).astype(dtype), KEY)
    np.testing.assert_array_equal(run.predict(whole), vc.fit(config(), whole, KEY).predict(whole))


def test_sparse_and_boolean_input_is_read() -> None:
    run = vc.fit(config(), scipy.sparse.csr_array(VECTORS), KEY)
    np.testing.assert_array_equal(run.predict(VECTORS), run.predict(scipy.sparse.csr_matrix(VECTORS)))
    flags = pd.DataFrame(VECTORS > 0, columns=NAMES).astype("boolean")
    np.testing.assert_array_equal(vc.data.check_array(flags), VECTORS > 0)


def test_frames_that_cannot_be_used_are_one_sentence() -> None:
    frame = pd.DataFrame(VECTORS, columns=NAMES)
    with pytest.raises(vc.InputError, match="'species' of the frame must hold numbers"):
        vc.fit(config(), frame.assign(species=["x", "y", "z"] * 40), KEY)
    with pytest.raises(vc.InputError, match="it holds times"):
        vc.fit(config(), frame.assign(when=pd.date_range("2020", periods=len(frame))), KEY)
    with pytest.raises(vc.InputError, match="NaN"):
        vc.fit(config(), frame.astype("Float64").mask(frame > 3, pd.NA), KEY)
    with pytest.warns(InputWarning, match="'target'"):
        vc.data.columns_of(frame.assign(target=1))
    for name in ("id", "sample_id", "Unnamed: 0"):
        numbered = pd.concat([pd.Series(range(len(frame)), name=name), frame], axis=1)
        with pytest.warns(InputWarning, match=f"'{name}' of the frame became features: drop them if they only number"):
            vc.data.columns_of(numbered)
    with pytest.raises(vc.InputError, match="complex"):
        vc.data.check_array(frame.assign(z=1j))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(vc.InputError, match="collected first"):
            vc.fit(config(), pl.from_pandas(frame).lazy(), KEY)


@pytest.mark.parametrize("rows", [1, 6, 60])
def test_a_few_rows_of_a_smaller_unit_are_said_though_none_is_far(rows: int) -> None:
    x = np.random.default_rng(0).uniform(10, 30, (200, 4))
    seen = Seen.of(x)
    odd = seen.judge(x[:rows] / 1000, list("abcd"))
    assert not odd.far.any()
    assert "feature 'a' was" in odd.sentence or "vary" in odd.sentence
    assert all(seen.judge(x[row : row + 1]).sentence == "" for row in range(200))
    assert seen.judge(np.concatenate([x[:1] / 1000, x[:5]])).sentence == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: x / 38.67, "feature 'f' has the median"),  # mg/dl, to mmol/l
        (lambda x: np.zeros_like(x), "feature 'f' has the median 0"),
        (lambda x: x / 2.2046, "feature 'f' has the median"),
    ],
    ids=["mmol/l", "filled with zeros", "pounds"],
)
def test_one_feature_of_another_unit_is_said_though_no_row_is_far(change: Any, words: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 6)) * [1, 1, 1, 1, 1, 30] + [0, 0, 0, 0, 0, 200]
    other = np.concatenate([x[:, :5], change(x[:, 5:])], axis=1)
    seen = Seen.of(x)
    odd = seen.judge(other, list("abcdef"))
    assert words in odd.sentence
    assert not odd.far.any()
    assert seen.judge(rng.permutation(x)[:20], list("abcdef")).sentence == ""
    both = np.concatenate([other, other[:, 5:]], axis=1)
    assert "(and 1 more)" in Seen.of(np.concatenate([x, x[:, 5:]], axis=1)).judge(both).sentence


def test_negatives_of_images_are_said() -> None:
    x = np.random.default_rng(0).uniform(0.1, 0.6, (60, 8, 8, 1)).astype(np.float32)
    seen = Seen.of(x)
    assert "mean (and 1 more) has the median 0.65" in seen.judge(1 - x).sentence
    assert seen.judge(1.05 * x).sentence == ""


def test_codes_of_rows_of_another_unit_are_said(frames: vc.Run) -> None:
    for asked in (frames.embed, frames.posterior, frames.reconstruct):
        with pytest.warns(InputWarning, match="120 of 120 rows"):
            asked(1000 * VECTORS)


@pytest.mark.parametrize("count", [5, 19])
def test_a_few_rows_of_another_unit_in_one_feature_are_said(frames: vc.Run, count: int) -> None:
    frame = pd.DataFrame(VECTORS[:count], columns=NAMES)
    assert said(frames, frame) == ""
    low, high = VECTORS[:, 2].min(), VECTORS[:, 2].max()
    other = frame.assign(c=np.linspace(high + 0.01, high + 0.1 * (high - low), count))
    assert "every row lies outside the range of the training rows: feature 'c' was" in said(frames, other)
    assert said(frames, other[:4]) == "", "four may do so by chance"


def test_a_few_brighter_images_are_said(images: vc.Run) -> None:
    mean = IMAGES.mean(axis=(1, 2)).max() * 1.25
    bright = np.full_like(IMAGES[:6], 0) + IMAGES[:6] // 2 + np.uint8(mean / 2)
    assert said(images, IMAGES[:6]) == ""
    assert "an image's" in said(images, bright)


def test_equal_rows_are_said(frames: vc.Run) -> None:
    equal = pd.DataFrame(np.repeat(VECTORS[:1], 30, axis=0), columns=NAMES)
    assert "the rows are equal in most features, and those of training were not" in said(frames, equal)


def test_floats_to_255_are_no_images_of_a_model_of_bytes(images: vc.Run, tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", x=(IMAGES * 0.6).round())
    with pytest.raises(vc.InputError, match="divide by 255"):
        vc.data.load(tmp_path / "t.npz", like=images.preparation)
