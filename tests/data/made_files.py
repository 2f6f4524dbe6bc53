"""Small files in the formats in which the named data sets are published."""

import bz2
import gzip
import io
import struct
import zipfile

import numpy as np
from PIL import Image


def idx(array: np.ndarray) -> bytes:
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes())


def mnist(rng: np.random.Generator) -> tuple[dict[str, bytes], np.ndarray, np.ndarray]:
    x = rng.integers(0, 256, (30, 5, 4), np.uint8)
    y = np.arange(30, dtype=np.uint8) % 10
    files = {
        "train-images-idx3-ubyte.gz": idx(x[:20]),
        "train-labels-idx1-ubyte.gz": idx(y[:20]),
        "t10k-images-idx3-ubyte.gz": idx(x[20:]),
        "t10k-labels-idx1-ubyte.gz": idx(y[20:]),
    }
    return files, x, y


def usps(rng: np.random.Generator) -> tuple[dict[str, bytes], np.ndarray, np.ndarray]:
    values = rng.integers(-1000, 1001, (20, 256)) / 1000
    y = np.arange(20) % 10
    lines = [
        f"{label + 1} " + " ".join(f"{i + 1}:{v:g}" for i, v in enumerate(row)) + " \n"
        for label, row in zip(y, values, strict=True)
    ]
    files = {
        "usps.bz2": bz2.compress("".join(lines[:12]).encode()),
        "usps.t.bz2": bz2.compress("".join(lines[12:]).encode()),
    }
    return files, ((values + 1) / 2).reshape(-1, 16, 16), y


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "png")
    return buffer.getvalue()


def coil20(rng: np.random.Generator) -> tuple[dict[str, bytes], np.ndarray, np.ndarray]:
    x = rng.integers(0, 256, (20, 12, 6, 6), np.uint8)
    members = {f"coil-20-proc/obj{k + 1}__{p}.png": png(x[k, p]) for k in range(20) for p in range(12)}
    members = {"coil-20-proc/": b"", **dict(sorted(members.items()))}
    return {"coil-20-proc.zip": zipped(members)}, x.reshape(-1, 6, 6), np.repeat(np.arange(20), 12)


def pendigits_text(x: np.ndarray, y: np.ndarray) -> bytes:
    rows = np.column_stack([x, y])
    return "".join(",".join(f"{v:3d}" for v in row) + "\n" for row in rows).encode()


def pendigits(rng: np.random.Generator) -> tuple[dict[str, bytes], np.ndarray, np.ndarray]:
    x, y = rng.integers(0, 101, (20, 16)), np.arange(20) % 10
    members = {
        "pendigits.tes": pendigits_text(x[12:], y[12:]),
        "pendigits.tra": pendigits_text(x[:12], y[:12]),
        "pendigits.names": b"about",
    }
    return {"pen+based+recognition+of+handwritten+digits.zip": zipped(members)}, x, y


def santafe(rng: np.random.Generator) -> tuple[dict[str, bytes], np.ndarray, None]:
    x = rng.integers(0, 256, 50)
    text = [f" {v}\n".encode() for v in x]
    return {"A.dat": b"".join(text[:10]), "A.cont": b"".join(text[10:])}, x, None


def frequencies(rng: np.random.Generator) -> tuple[dict[str, bytes], np.ndarray, np.ndarray]:
    x = np.column_stack([rng.integers(10000, 90000, 20) / 100, rng.integers(180, 300, 20) / 10])
    y = np.arange(20) % 5
    lines = [f"{a:g},{k + 1},{b:g},1\r\n" for (a, b), k in zip(x, y, strict=True)]
    return {"WBFInsects.csv": ("wbf,species,temperature,context\r\n" + "".join(lines)).encode()}, x, y


MADE = {
    "coil20": coil20,
    "mnist": mnist,
    "fashion-mnist": mnist,
    "usps": usps,
    "pendigits": pendigits,
    "santafe-laser": santafe,
    "wingbeat-frequencies": frequencies,
}
