"""Fetching the published files of a named data set, and making sure they are the right ones."""

import hashlib
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaeclust_jax.data.formats import Arrays, Files
from vaeclust_jax.errors import InputError

_TRUSTED = ("https://", "http://127.0.0.1:", "http://localhost:")
"""Where files come from whose bytes nobody states a hash of: they are unpacked before what is in them is checked."""
TIMEOUT_SECONDS = 30.0  # of silence on the line, not of the whole transfer


@dataclass(frozen=True)
class Archive:
    """One published file.

    Attributes:
        file: the name it is stored under.
        urls: where it is published, in the order they are tried.
        known_hash: "md5:..." or "sha256:..." where its publisher or users state one; otherwise the decoded
            arrays are checked instead.
    """

    file: str
    urls: tuple[str, ...]
    known_hash: str | None = None


def array_digest(*arrays: np.ndarray | None) -> str:
    """SHA-256 of the dtypes, shapes and C-order values of the arrays; None stands for an absent one."""
    digest = hashlib.sha256()
    for array in arrays:
        if array is not None:
            little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            digest.update(f"{little.dtype.str}{little.shape}".encode())
            digest.update(little.tobytes())
    return digest.hexdigest()


def download_arrays(
    archives: tuple[Archive, ...], decode: Callable[[Files], Arrays], digest: str | None, folder: Path
) -> Arrays:
    """Downloads, decodes and verifies; files already in `folder` are used as they are.

    The folder is removed once its files are decoded or proved wrong, so that nothing half-right is kept.

    Args:
        archives: the files to fetch.
        decode: turns the files, by name, into `x` and `y`.
        digest: the expected `array_digest(x, y)`, or None where every archive has its own hash.
        folder: where the files are kept between download and decoding.

    Raises:
        InputError: with a clause (no full sentence) that says which file failed and how.
    """
    files = {archive.file: _fetch(archive, folder) for archive in archives}
    try:
        x, y = decode(files)
    except InputError:
        shutil.rmtree(folder)
        raise
    except Exception as error:  # whatever a decoder trips over, the file is not what was published
        shutil.rmtree(folder)
        raise InputError(
            f"{' and '.join(files)} could not be decoded, corrupt or changed upstream ({error})"
        ) from error
    shutil.rmtree(folder)
    got = array_digest(x, y)
    if digest is not None and got != digest:
        raise InputError(
            f"the arrays in {' and '.join(files)} are corrupt or were changed upstream"
            f" (expected sha256:{digest}, got sha256:{got})"
        )
    return x, y


def _fetch(archive: Archive, folder: Path) -> Path:
    import pooch

    pooch.get_logger().setLevel("WARNING")  # its progress bar says enough
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=TIMEOUT_SECONDS)
    failures = []
    for url in archive.urls:
        if archive.known_hash is None and not url.startswith(_TRUSTED):
            failures.append(f"{url}: neither encrypted nor of a known hash")
            continue
        try:
            return Path(pooch.retrieve(url, archive.known_hash, archive.file, folder, downloader=downloader))
        except ValueError as error:
            # Pooch ends a wrong hash with "... the known hash: expected A but got B. Deleted ...".
            hashes = str(error).rpartition("known hash: ")[2].partition(". ")[0]
            failures.append(f"{url}: corrupt or changed upstream, {hashes}")
        except OSError as error:  # every network error of requests is one
            failures.append(f"{url}: {_reason(error)}")
    raise InputError(f"{archive.file} could not be fetched ({'; '.join(failures)})")


def _reason(error: OSError) -> str:
    from requests import exceptions

    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, exceptions.ChunkedEncodingError):
        return "the transfer broke off before the end"
    if isinstance(error, exceptions.Timeout):
        return f"no answer within {TIMEOUT_SECONDS:g} s"
    if isinstance(error, exceptions.ConnectionError):
        return "the connection failed"
    return str(error)
