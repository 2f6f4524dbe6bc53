"""Compiled programs on disk: what XLA compiled once, the next process reads."""

import multiprocessing
import os
import shutil
import tempfile
import time
import warnings
import zlib
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import jax

# jax's own bound on the size needs a further package, and writes nothing more once a process was killed while it wrote
# (jax issue 39880).
_BYTES_AT_MOST = 2 * 10**9
_BYTES_FREE = 10**8  # a full disk keeps half a program
_FOLDER, _SECONDS = "jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs"
_SECONDS_OF_JAX, _SECONDS_OF_OURS = 1.0, 0.0  # a start compiles dozens of small programs beside the epoch
_ZSTANDARD = b"\x28\xb5\x2f\xfd"  # how jax packs programs where that package is installed; else zlib


_LEVEL, _EMITTERS = "xla_backend_optimization_level", "xla_cpu_use_fusion_emitters"


def quick_to_compile() -> dict[str, int | bool]:
    """`compiler_options` of a large program: on a CPU, LLVM's level 1, and XLA's older emitters of fusions.

    A first fit of a convolutional network takes four fifths of the CPU time, and the program is as fast: its time is
    in matrix products, which LLVM does not compile. What `XLA_FLAGS` says of either is the person's.
    """
    if jax.default_backend() != "cpu":
        return {}
    flags = os.environ.get("XLA_FLAGS", "")
    options = {_LEVEL: 1, _EMITTERS: False}
    return {name: value for name, value in options.items() if name not in flags and _is_known(name, value)}


@lru_cache
def _is_known(name: str, value: int | bool) -> bool:
    """Whether this XLA has an option: they come and go with its versions."""
    try:
        jax.jit(lambda: 0, compiler_options={name: value}).lower().compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True


def compilation_cache_dir() -> Path | None:
    """The folder of compiled programs that the command line uses; None where jax's settings switch the cache off.

    The person's own (`JAX_COMPILATION_CACHE_DIR`), else `$VAECLUST_CACHE/compiled`, else `compiled` in the user's
    cache folder.
    """
    import platformdirs

    if not jax.config.values["jax_enable_compilation_cache"]:
        return None
    if own := jax.config.values[_FOLDER]:
        return Path(own)
    chosen = os.environ.get("VAECLUST_CACHE")
    return (Path(chosen) if chosen else Path(platformdirs.user_cache_dir("vaeclust_jax"))) / "compiled"


def compilation_cache_bytes(folder: Path) -> int:
    """Size of the compiled programs in a folder; 0 if there is none."""
    return sum(size for _, size, _ in _programs(folder))


def enable_compilation_cache(directory: str | os.PathLike[str] | None = None) -> Path | None:
    """Lets jax keep compiled programs on disk: the next process reads in a second what XLA compiles in many.

    What is read is the program that was written: the results are the same bits. Importing the library does not
    switch this on; the command line does, and an estimator that is fitted in a worker process, as those of
    `GridSearchCV(n_jobs=2)` are. Processes may use one folder at a time. Whoever can write to it can make them run
    anything, so it must be one's own.

    Damaged programs are removed, and above 2 GB those not used for longest. Where the folder cannot be used there is
    one warning, and everything is compiled as ever.

    Args:
        directory: the folder; default: `compilation_cache_dir`. One that jax's settings name is left to jax:
            nothing in it is removed.

    Returns:
        The folder in use; None where there is none, such as with `JAX_ENABLE_COMPILATION_CACHE=false`.

    Example:
        >>> folder = vc.enable_compilation_cache()  # before the first fit
    """
    folder = compilation_cache_dir()
    if folder is None:
        return None
    if jax.config.values[_SECONDS] == _SECONDS_OF_JAX:
        jax.config.update(_SECONDS, _SECONDS_OF_OURS)
    if directory is None and jax.config.values[_FOLDER]:
        return folder
    if directory is not None:
        folder = Path(directory).expanduser().absolute()
    try:
        _check(folder)
        _tidy(folder)
    except OSError as error:
        reason = error.strerror or error
        warnings.warn(f"compiled programs are not kept: {str(folder)!r} cannot be used ({reason})", stacklevel=2)
        _use(None)
        return None
    _use(folder)
    return folder


@lru_cache
def share_programs() -> None:
    """`enable_compilation_cache` in a process that another one started, such as a worker of a grid search.

    There nobody can switch it on, and each worker would compile what the others did.
    """
    if multiprocessing.parent_process() is not None:
        enable_compilation_cache()


def _use(folder: Path | None) -> None:
    from jax.experimental.compilation_cache import compilation_cache

    jax.config.update(_FOLDER, None if folder is None else str(folder))
    compilation_cache.reset_cache()  # jax looks at the setting once


def _check(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
    if shutil.disk_usage(folder).free < _BYTES_FREE:
        raise OSError(f"less than {_BYTES_FREE // 10**6} MB of its disk are free")


def _programs(folder: Path) -> list[tuple[float, int, Path]]:
    """When last used, bytes and file of every program."""
    found = []
    for path in folder.glob("*-cache"):
        with suppress(OSError):  # another process removed it
            about = path.stat()
            found.append((max(about.st_atime, about.st_mtime), about.st_size, path))
    return found


def _tidy(folder: Path) -> None:
    """Removes damaged programs, which jax would complain of and never replace, and the oldest beyond the bound.

    Whether one is whole is found out once: the stamp says when this was last done.
    """
    stamp, now = folder / "checked", time.time()
    since = stamp.stat().st_mtime if stamp.exists() else 0.0
    total = 0
    for _, size, path in sorted(_programs(folder), reverse=True):
        total += size
        with suppress(OSError):
            if total > _BYTES_AT_MOST or (path.stat().st_mtime >= since and not _is_whole(path.read_bytes())):
                path.unlink()
    stamp.touch()
    os.utime(stamp, (now, now))


def _is_whole(content: bytes) -> bool:
    if content.startswith(_ZSTANDARD):
        return True
    try:
        zlib.decompress(content)
    except zlib.error:
        return False
    return True
