"""Settings of the whole test run, made before jax starts."""

import ctypes
import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

# Most of a test's time is compiling; unoptimised programs compute the same numbers and compile twice as fast.
_QUICK = (
    "--xla_backend_optimization_level=0",
    "--xla_llvm_disable_expensive_passes=true",
    "--xla_cpu_use_fusion_emitters=false",
    "--xla_cpu_parallel_codegen_split_count=1",
    "--xla_force_host_platform_device_count=1",  # commands then run the programs that the tests have compiled
)
os.environ.setdefault("XLA_FLAGS", " ".join(_QUICK))

# What one test compiled, the others, the second process and the commands that tests start read from here: a folder that
# nobody else has. `.ci/run` names one, for the longer tests to find what the default ones compiled.
_SHARED = "VAECLUST_TEST_PROGRAMS"
if "PYTEST_XDIST_WORKER" not in os.environ:  # processes of pytest-xdist inherit it
    os.environ["JAX_COMPILATION_CACHE_DIR"] = os.environ.get(_SHARED) or tempfile.mkdtemp(prefix="vaeclust-programs-")
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.1"
    os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "true"


def pytest_unconfigure() -> None:
    """The folder goes with the run that made it."""
    if "PYTEST_XDIST_WORKER" not in os.environ and _SHARED not in os.environ:
        shutil.rmtree(os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)


_LARGE = 3 * 2**30
"""Bytes of memory."""


@pytest.fixture(scope="module", autouse=True)
def _forget_programs() -> Iterator[None]:
    """A process that keeps the programs of all tests grows to gigabytes; modules share them until it is large."""
    yield
    if _resident() > _LARGE:
        import jax  # after the settings above

        jax.clear_caches()
        with suppress(
            OSError, AttributeError
        ):  # glibc keeps what was freed, unless it is asked; others have no such call
            ctypes.CDLL(None).malloc_trim(0)


def _resident() -> int:
    """Bytes that this process holds now, 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return 0
