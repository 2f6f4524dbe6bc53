from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True)
def full_precision() -> Iterator[None]:
    """Accelerators round the factors of a product to fewer digits than these tests compare."""
    with jax.default_matmul_precision("highest"):
        yield
