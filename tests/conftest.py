"""Settings of the whole test run, made before jax starts."""

import os
import resource
from collections.abc import Iterator

import pytest

# Most of a test's time is compiling; unoptimised programs compute the same numbers and compile much faster.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true")

# No test leaves programs in the person's cache folder, or depends on what is there.
os.environ.setdefault("JAX_ENABLE_COMPILATION_CACHE", "false")


_LARGE = 3 * 2**20
"""KiB of memory."""


@pytest.fixture(scope="module", autouse=True)
def _forget_programs() -> Iterator[None]:
    """A process that keeps the programs of all tests grows to gigabytes; modules share them until it has."""
    yield
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > _LARGE:
        import jax  # after the settings above

        jax.clear_caches()
