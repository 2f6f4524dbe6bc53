"""Model files with something in them changed: `vaeclust_jax.load` gives a model that answers, or says why not."""

import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import vaeclust_jax as vc
from tests.campaigns.campaign import Rng, Trial, bounded
from tests.campaigns.mutate import LONG, bytes_of, check_sentence, json_of, pick
from tests.fitting.made import blobs, config, squares

_MANIFEST = "manifest.json"
_OLDER = Path(__file__).parent.parent / "fitting" / "format2"


def models(folder: Path) -> Trial:
    """Of every method, of vectors and images, of an estimator, and of an older format."""
    contents = [file.read_bytes() for file in [*made(folder), *sorted(_OLDER.glob("*.vaeclust"))]]
    path = folder / "changed.vaeclust"

    def trial(rng: Rng) -> str:
        path.write_bytes(changed(rng, pick(rng, contents), contents))
        return asked(path)

    return trial


def made(folder: Path) -> list[Path]:
    """Files of fitted models: those of older files written anew, and what none of these is."""
    runs = [vc.load(file) for file in sorted(_OLDER.glob("*.vaeclust"))]
    runs += [vc.fit(config(), squares()[0], 0), vc.fit(config(3, "kmeans", beta="dynamic"), blobs()[0], 0)]
    for number, run in enumerate(runs):
        run.save(folder / f"{number}.vaeclust")
    estimator = vc.estimators.VAEDEC(3, hidden=(16,), pretrain_epochs=1, joint_epochs=1, random_state=0)
    estimator.fit(blobs()[0]).save(folder / "estimator.vaeclust")
    return sorted(folder.glob("*.vaeclust"))


def asked(path: Path) -> str:
    """What becomes of a model's file."""
    try:
        with bounded(seconds=3, megabytes=100):
            run = vc.load(path)
    except vc.InputError as error:
        check_sentence(str(error), path)
        return "refused"
    _ask_estimator(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the samples are unlike all of training
        shape = run.preparation.input_shape
        if np.prod(shape) > 10**6:
            return "loads, of large samples"
        x = np.zeros((2, *shape), np.float32)
        with bounded(seconds=20, megabytes=300):
            try:
                q = run.predict_proba(x)
            except vc.InputError as error:
                check_sentence(str(error), path)
                return "loads, and refuses to predict"
    assert q.shape[0] == 2
    if not np.isfinite(q).all():
        return "loads, and its numbers are too large"
    np.testing.assert_allclose(q.sum(axis=1), 1, atol=1e-4)
    return "predicts"


def _ask_estimator(path: Path) -> None:
    try:
        model = vc.estimators.VAEDEC.load(path)
    except vc.InputError as error:
        check_sentence(str(error), path)
    else:
        assert repr(model)


def changed(rng: Rng, content: bytes, others: Sequence[bytes]) -> bytes:
    """A model's file with its bytes, its manifest, an array or its entries changed."""
    if rng.random() < 0.15:
        return bytes_of(rng, content)
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        entries = {name: file.read(name) for name in file.namelist()}
    match rng.integers(8):
        case 0:
            return _zipped(rng, _other_entries(rng, entries, others))
        case 1 | 2 | 3:
            entries = _with_array(rng, entries)
        case _:
            entries[_MANIFEST] = json_of(rng, entries[_MANIFEST])
    return _zipped(None, entries)


def _zipped(rng: Rng | None, entries: Mapping[str, bytes]) -> bytes:
    """As a zip; with a generator, one that is not quite like ours."""
    stream, odd = io.BytesIO(), 9 if rng is None else int(rng.integers(6))
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED if odd == 0 else zipfile.ZIP_STORED) as file:
        for name, content in entries.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a name that is there twice
                for _ in range(2 if odd == 1 else 1):
                    file.writestr(zipfile.ZipInfo(name) if odd else name, content)
        if odd == 2:
            file.comment = LONG.encode()
    return bytes(stream.getvalue())


def _other_entries(rng: Rng, entries: dict[str, bytes], others: Sequence[bytes]) -> dict[str, bytes]:
    """An entry less, more, under another name, or from another model."""
    name = pick(rng, sorted(entries))
    match rng.integers(5):
        case 0:
            del entries[name]
        case 1:
            entries[pick(rng, [LONG, "../x", "/x", "a/", "model/params/x.npy", "x" * 60_000])] = rng.bytes(100)
        case 2:
            entries[pick(rng, [LONG, name.upper(), "a/", sorted(entries)[0]])] = entries.pop(name)
        case 3:
            entries[name] = pick(rng, [b"", bytes_of(rng, entries[name]), bytes(10**6)])
        case 4:
            with zipfile.ZipFile(io.BytesIO(pick(rng, others))) as file:
                entries |= {
                    one: file.read(one) for one in file.namelist() if (one == _MANIFEST) == (rng.random() < 0.5)
                }
    return entries


def _with_array(rng: Rng, entries: dict[str, bytes]) -> dict[str, bytes]:
    """One array is another one, which the manifest mostly agrees with."""
    manifest = json.loads(entries[_MANIFEST])
    name = pick(rng, sorted(manifest["arrays"]))
    array = _other_array(rng, np.load(io.BytesIO(entries[f"{name}.npy"])))
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    content, said = stream.getvalue(), {"shape": list(array.shape), "dtype": str(array.dtype)}
    if rng.random() < 0.2:
        shape = pick(rng, [(10**6, 10**6), (2**40,), (-1,), (0,), (), (1,) * 40, (2**63,)])
        stream = io.BytesIO()
        np.lib.format.write_array_header_1_0(stream, {"shape": shape, "fortran_order": False, "descr": "<f4"})
        content, said = stream.getvalue() + array.tobytes(), {"shape": list(shape), "dtype": "float32"}
    elif rng.random() < 0.1:
        content = bytes_of(rng, content)
    if rng.random() < 0.9:
        manifest["arrays"][name] = {**said, "sha256": hashlib.sha256(content).hexdigest()}
    return entries | {f"{name}.npy": content, _MANIFEST: json.dumps(manifest).encode()}


def _other_array(rng: Rng, array: np.ndarray) -> np.ndarray:
    """Of another type or shape, or with other values."""
    array = np.atleast_1d(array)
    with np.errstate(all="ignore"):
        match rng.integers(4):
            case 0:
                types: list[Any] = ["f2", ">f4", "f8", "i4", "u1", "c8", "U3", "S3", "M8[s]", "?", object, "f4,i4"]
                return array.astype(pick(rng, types))
            case 1:
                several = [array.T, array.ravel(), array[None], array[..., None], array[:0], array[:1], array[1:]]
                return pick(rng, [*several, np.concatenate([array, array]), array.sum(), np.asfortranarray(array)])
            case 2:
                array = array.copy()
                array.flat[rng.integers(max(array.size, 1)) :: 3] = pick(rng, [np.nan, np.inf, -np.inf, 3e38, 0, -1])
                return array
            case _:
                return array * np.float32(pick(rng, [0, -1, 1e-30, 1e6, 1e30, 3e38]))
