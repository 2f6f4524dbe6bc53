"""A fitted model as one file: a zip of `manifest.json` and one `.npy` an array, stored without compression.

So it is an .npz, whose arrays `numpy.load(path, allow_pickle=False)` reads without this library. Reading runs no code
from the file and allocates nothing larger than the file.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from vaeclust_jax.data import Preparation
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config_json import config_from_json, config_of_format_2, config_to_json
from vaeclust_jax.fitting.packed import Packed
from vaeclust_jax.methods.registry import warn_unlisted
from vaeclust_jax.shown import in_a_line
from vaeclust_jax.whole_file import whole_file

FORMAT = 4
"""1 was a folder; in 2 a string said which method it was; in 3 there was no tree. 2 and 3 are read still."""
_LIBRARIES = ("vaeclust_jax", "jax", "flax", "numpy")
_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 2**26
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def write_model(path: Path, packed: Packed, more: Mapping[str, Any] | None = None) -> None:
    """Writes the file, in place of one of that name; it appears whole or not at all.

    A method that no installed package lists cannot be read back, and is an `InputWarning`.

    Args:
        path: of the file; folders are made.
        packed: the model.
        more: what else `read_model` gives back, as JSON.

    Raises:
        InputError: the place cannot be written to, or an array is of a type that numpy's format does not know.
    """
    warn_unlisted(packed.config.method)
    contents = {name: _to_npy(name, array) for name, array in packed.arrays.items()}
    manifest = {
        "format": FORMAT,
        "versions": {name: version(name) for name in _LIBRARIES},
        "config": config_to_json(packed.config),
        "preparation": packed.preparation.to_json(),
        "arrays": {
            name: {
                "shape": packed.arrays[name].shape,
                "dtype": str(packed.arrays[name].dtype),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            for name, content in contents.items()
        },
        "more": more or {},
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file, zipfile.ZipFile(file, "w") as entries:
            entries.writestr(_entry(_MANIFEST), json.dumps(manifest, indent=2) + "\n")
            for name, content in contents.items():
                entries.writestr(_entry(f"{name}.npy"), content)
    except OSError as error:
        raise InputError(f"the model cannot be written to {path}: {error.strerror or error}") from error


def read_model(path: Path) -> tuple[Packed, dict[str, Any]]:
    """The model that `write_model` wrote, and what came with it.

    Raises:
        InputError: not such a file, of a newer format, or damaged; whatever the file holds, no other error.
    """
    try:
        with zipfile.ZipFile(path) as file:
            entries = _checked_entries(file, path.stat().st_size)
            manifest = json.loads(file.read(entries[_MANIFEST]))
            _check_format(path, manifest)
            arrays = {
                name: _from_npy(file.read(entries[f"{name}.npy"]), said) for name, said in manifest["arrays"].items()
            }
            preparation = Preparation.from_json(manifest["preparation"])
            read = config_of_format_2 if manifest["format"] == 2 else config_from_json
            return Packed(read(manifest["config"]), preparation, arrays), dict(manifest["more"])
    except _NewerFormatError as error:
        raise InputError(str(error)) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # a damaged file can fail in any way
        raise InputError(f"{path} is damaged, or no model of vaeclust_jax: {shortened(error)}") from error


def shortened(error: Exception) -> str:
    """The start of a message in one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]} ..."


class _NewerFormatError(Exception):
    pass


def _check_format(path: Path, manifest: Mapping[str, Any]) -> None:
    if manifest["format"] > FORMAT:
        theirs = in_a_line(manifest["versions"]["vaeclust_jax"])
        raise _NewerFormatError(
            f"{path} was written by vaeclust_jax {theirs}, in a newer format than this version "
            f"({version('vaeclust_jax')}) reads: upgrade vaeclust_jax"
        )
    if manifest["format"] not in (2, 3, FORMAT):
        raise ValueError(f"unknown format {manifest['format']!r}")


def _checked_entries(file: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The entries by name, none of which can become larger than the file."""
    entries = {entry.filename: entry for entry in file.infolist()}
    if len(entries) < len(file.infolist()):
        raise ValueError("two entries have the same name")
    for entry in entries.values():
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise ValueError(f"entry {entry.filename!r} is compressed")
    if sum(entry.file_size for entry in entries.values()) > size:
        raise ValueError("its entries are larger than the file")
    if entries[_MANIFEST].file_size > _LARGEST_MANIFEST:
        raise ValueError(f"{_MANIFEST} is too large")
    return entries


def _entry(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name)  # of a fixed date: the same model gives the same bytes


def _to_npy(name: str, array: np.ndarray) -> bytes:
    if array.dtype.kind not in "biuf":
        raise InputError(f"parameters must be numbers of numpy's types to be saved, got {array.dtype} for {name}")
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array, order="C"), allow_pickle=False)
    return stream.getvalue()


def _from_npy(content: bytes, said: Mapping[str, Any]) -> np.ndarray:
    """The array, once its header says what the manifest says and the bytes are as many."""
    if hashlib.sha256(content).hexdigest() != said["sha256"]:
        raise ValueError("an array is not the one that was written")
    stream = io.BytesIO(content)
    shape, fortran, dtype = _HEADERS[np.lib.format.read_magic(stream)](stream)
    if fortran or dtype.kind not in "biuf" or [list(shape), str(dtype)] != [said["shape"], said["dtype"]]:
        raise ValueError(f"an array is {dtype} {shape}, expected {said['dtype']} {said['shape']}")
    # As many numbers as there are bytes for, whatever the shape says: reshape then refuses another number.
    return np.frombuffer(content, dtype, offset=stream.tell()).reshape(shape).copy()
