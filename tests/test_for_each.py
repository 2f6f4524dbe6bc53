"""The same for every entry, whether at once or in turn."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vaeclust_jax.for_each import for_each


def steps_to_one(n):
    """A loop of its own length for every entry: halving and tripling."""
    return jax.lax.while_loop(
        lambda s: s[0] > 1, lambda s: (jnp.where(s[0] % 2 == 0, s[0] // 2, 3 * s[0] + 1), s[1] + 1), (n, 0)
    )[1]


@pytest.mark.parametrize("count", [1, 4])
def test_every_entry_gets_its_own_answer(count):
    n = jnp.asarray([27, 1, 6, 7])[:count]
    expected = [111, 0, 8, 16][:count]  # known lengths of these sequences
    assert jax.jit(lambda n: for_each(steps_to_one, n))(n).tolist() == expected
    assert for_each(steps_to_one, n).tolist() == expected


def test_arguments_and_answers_are_trees_and_it_works_under_vmap_and_grad():
    tree = {"a": jnp.arange(6.0).reshape(2, 3), "b": jnp.ones(2)}

    def function(one, scale):
        return {"sum": scale * (one["a"].sum() + one["b"]), "scale": scale}

    found = for_each(function, tree, jnp.asarray([2.0, 3.0]))
    np.testing.assert_allclose(found["sum"], [2 * 4.0, 3 * 13.0])
    both = jax.vmap(lambda scale: for_each(function, tree, scale)["sum"])(jnp.ones((5, 2)))
    np.testing.assert_allclose(both, [[4.0, 13.0]] * 5)
    slope = jax.grad(lambda scale: for_each(function, tree, scale)["sum"].sum())(jnp.ones(2))
    np.testing.assert_allclose(slope, [4.0, 13.0])


def test_a_cpu_takes_them_in_turn():
    program = jax.jit(lambda n: for_each(jnp.sin, n)).lower(jnp.ones(4)).as_text()
    assert "stablehlo.while" in program
    assert "tensor<4xf32>" not in [line.split()[-1] for line in program.splitlines() if "stablehlo.sine" in line]
