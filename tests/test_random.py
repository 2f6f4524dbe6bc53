"""The numbers are jax's own, to the bit."""

import jax
import numpy as np
import pytest

from vaeclust_jax import random

KEY = jax.random.key(3)


@pytest.mark.parametrize("shape", [(), (7,), (64, 10), (3, 5, 2), (0, 4)], ids=str)
def test_they_are_those_of_jax(shape: tuple[int, ...]) -> None:
    np.testing.assert_array_equal(random.normal(KEY, shape), jax.random.normal(KEY, shape))
    np.testing.assert_array_equal(random.uniform(KEY, shape), jax.random.uniform(KEY, shape))


def test_weights_start_as_those_of_flax() -> None:
    wanted = jax.nn.initializers.lecun_normal()(KEY, (30, 20))
    np.testing.assert_array_equal(random.truncated_normal(KEY, (30, 20), 1 / 30), wanted)
