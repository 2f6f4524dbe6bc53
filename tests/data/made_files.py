"""Small files in the formats in which the named data sets are published."""

import bz2
import gzip
import io
import struct
import zipfile
import zlib

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


def deep_png(array: np.ndarray) -> bytes:
    """Of `(H, W, C)` numbers of 16 bits: grey with transparency, colours, or colours with transparency."""
    height, width, channels = array.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    parts = (b"IHDR" + header, b"IDAT" + zlib.compress(rows), b"IEND")
    packed = (struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def tiff(array: np.ndarray, *, order: str = "<", planes: bool = False, packed: bool = False, extra: int = 2) -> bytes:
    """Of `(H, W)` or `(H, W, C)` numbers of any type, each pixel's channels together or one plane after another.

    Args:
        array: the numbers.
        order: of their bytes, as numpy writes it.
        planes: whether each channel is a plane.
        packed: whether they are compressed.
        extra: what a fourth channel is: 1 is transparency that colours are multiplied by, 2 is any other.
    """
    height, width, *rest = array.shape
    channels = rest[0] if rest else 1
    ordered = array.astype(array.dtype.newbyteorder(order))
    strips = [one.tobytes() for one in (np.moveaxis(ordered, -1, 0) if planes else [ordered])]
    strips = [zlib.compress(strip) if packed else strip for strip in strips]
    bits, kind = [8 * array.dtype.itemsize] * channels, [" uif".index(array.dtype.kind)] * channels
    starts = [8 + sum(map(len, strips[:number])) for number in range(len(strips))]
    tags = {256: [width], 257: [height], 258: bits, 259: [8 if packed else 1], 262: [2 if channels > 2 else 1],
            273: starts, 277: [channels], 278: [height], 279: [*map(len, strips)], 284: [2 if planes else 1],
            338: [extra] * (channels == 4), 339: kind}  # fmt: skip
    body, entries = b"".join(strips), []
    for tag, values in ((tag, values) for tag, values in tags.items() if values):
        content = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            body, content = body + content, struct.pack(f"{order}I", 8 + len(body))
        entries.append(struct.pack(f"{order}HHI", tag, 4, len(values)) + content)
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8 + len(body))
    return start + body + struct.pack(f"{order}H", len(entries)) + b"".join(entries) + bytes(4)
