"""Decoders of the files in which the named data sets are published.

Each takes the downloaded files by name and returns `x` and, where the set has classes, `y` as they are
stored. A damaged file may raise any exception; the caller turns it into a sentence.
"""

import bz2
import gzip
import io
import re
import stat
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vaeclust_jax.errors import InputError

Files = Mapping[str, Path]
Arrays = tuple[np.ndarray, np.ndarray | None]


def read_digits() -> Arrays:
    """The digits that come with scikit-learn, scaled to [0, 1]."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return (digits.images / 16).astype(np.float32), digits.target


def read_idx(path: Path) -> np.ndarray:
    """One gzipped idx file of unsigned bytes: magic number, one big-endian length an axis, then the bytes."""
    data = gzip.decompress(path.read_bytes())
    zero, kind, rank = struct.unpack_from(">HBB", data)
    if zero != 0 or kind != 0x08:
        raise ValueError(f"{path.name} is not an idx file of unsigned bytes (it starts with {data[:4].hex()})")
    shape = struct.unpack_from(f">{rank}I", data, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def decode_mnist(files: Files) -> Arrays:
    """The four idx files of MNIST or Fashion-MNIST; training rows first."""
    parts = ("train", "t10k")
    x = np.concatenate([read_idx(files[f"{part}-images-idx3-ubyte.gz"]) for part in parts])
    return x, np.concatenate([read_idx(files[f"{part}-labels-idx1-ubyte.gz"]) for part in parts])


def decode_usps(files: Files) -> Arrays:
    """Bzip2 text, a line a digit: the label 1..10, then `index:value` for 256 pixels in [-1, 1]."""
    text = b"".join(bz2.decompress(files[name].read_bytes()) for name in ("usps.bz2", "usps.t.bz2")).decode("ascii")
    lines = [line.split() for line in text.splitlines() if line.strip()]
    pixels = np.zeros((len(lines), 256), np.float32)
    for row, (_, *pairs) in zip(pixels, lines, strict=True):
        indices, values = zip(*(pair.split(":") for pair in pairs), strict=True)
        row[np.array(indices, int) - 1] = np.array(values, np.float32)
    labels = np.array([round(float(line[0])) for line in lines]) - 1
    return ((pixels + 1) / 2).reshape(-1, 16, 16), labels.astype(np.uint8)


def read_zip(path: Path) -> dict[str, bytes]:
    """The files of a zip archive, in memory.

    Raises:
        InputError: if a member is a link or would lie outside the archive's own folder.
    """
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = member.filename.replace("\\", "/")
            outside = name.startswith("/") or ".." in name.split("/") or re.match(r"[A-Za-z]:", name)
            if outside or stat.S_ISLNK(member.external_attr >> 16):
                raise InputError(f"{path.name} holds the unsafe entry {member.filename!r} and is not read")
        return {member.filename: archive.read(member) for member in archive.infolist() if not member.is_dir()}


def decode_coil20(files: Files) -> Arrays:
    """A zip of grey PNGs `objK__P.png`, object K = 1..20 and pose P = 0..71; rows by object, then pose."""
    from PIL import Image

    images = {}
    for name, content in read_zip(files["coil-20-proc.zip"]).items():
        if match := re.search(r"(?:^|/)obj(\d+)__(\d+)\.png$", name):
            key = (int(match[1]) - 1, int(match[2]))
            images[key] = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
    keys = sorted(images)
    return np.stack([images[key] for key in keys]), np.array([k for k, _ in keys], np.uint8)


def decode_pendigits(files: Files) -> Arrays:
    """A zip with two comma-separated texts, a line a digit: 16 coordinates 0..100, then the label."""
    (archive,) = files.values()
    members = read_zip(archive)
    tables = [np.loadtxt(io.BytesIO(members[f"pendigits.{part}"]), np.int64, delimiter=",") for part in ("tra", "tes")]
    table = np.concatenate(tables).astype(np.uint8)
    return table[:, :-1], table[:, -1]


def decode_santafe(files: Files) -> Arrays:
    """Two texts, a whole number a line: the published series, then its continuation."""
    text = files["A.dat"].read_text("ascii") + "\n" + files["A.cont"].read_text("ascii")
    return np.array(text.split(), np.uint8), None


def decode_frequencies(files: Files) -> Arrays:
    """Comma-separated text with a header line: frequency (Hz), species 1..5, temperature (C), context."""
    (path,) = files.values()
    table = np.loadtxt(path, delimiter=",", skiprows=1, usecols=(0, 1, 2))
    return table[:, [0, 2]].astype(np.float32), (table[:, 1] - 1).astype(np.uint8)
