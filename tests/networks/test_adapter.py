import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from vaeclust_jax.errors import InputError
from vaeclust_jax.networks.adapter import from_module, standardised
from vaeclust_jax.types import Network

KEY = jax.random.key(0)


class Pair(nnx.Module):
    """Two layers in a nested container, two inputs, two outputs."""

    def __init__(self, rngs):
        self.parts = nnx.List([nnx.Linear(3, 2, rngs=rngs), nnx.Linear(2, 2, rngs=rngs)])
        self.shift = nnx.Param(jnp.zeros(2))

    def __call__(self, a, b):
        first = self.parts[0](a)
        return first + self.shift[...], self.parts[1](b)


class KeepsRngs(nnx.Module):
    def __init__(self, rngs):
        self.linear = nnx.Linear(2, 2, rngs=rngs)
        self.rngs = rngs

    def __call__(self, x):
        return self.linear(x)


class Wrapped(nnx.Module):
    """Hides a layer one level down."""

    def __init__(self, layer):
        self.layers = nnx.List([layer])

    def __call__(self, x):
        return self.layers[0](x)


def linear():
    return from_module(lambda rngs: nnx.Linear(3, 2, rngs=rngs))


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda rngs: nnx.BatchNorm(2, rngs=rngs), "BatchStat"),
        (lambda rngs: Wrapped(nnx.BatchNorm(2, rngs=rngs)), "BatchStat"),
        (lambda rngs: Wrapped(nnx.Dropout(0.5, rngs=rngs)), "RngKey"),
        (KeepsRngs, "RngKey"),
    ],
    ids=["batch norm", "batch norm inside", "dropout inside", "stored rngs"],
)
def test_a_module_with_more_than_parameters_is_refused_at_construction(build, name):
    with pytest.raises(InputError, match=f"the module may hold nnx.Param alone, got .*{name}"):
        from_module(build)


def test_a_module_in_place_of_what_makes_it_is_refused():
    with pytest.raises(InputError, match=r"lambda rngs: Linear\(rngs=rngs\), got a Linear itself"):
        from_module(nnx.Linear(3, 2, rngs=nnx.Rngs(0)))


def check_plain(node):
    if isinstance(node, dict):
        assert type(node) is dict
        for child in node.values():
            check_plain(child)
    else:
        assert isinstance(node, jax.Array)


def test_params_are_plain_nested_dicts_of_arrays():
    params = jax.jit(from_module(Pair).init)(KEY)
    check_plain(params)
    layer = {"kernel": (2, 2), "bias": (2,)}
    assert jax.tree.map(jnp.shape, params) == {
        "parts": {0: {"kernel": (3, 2), "bias": (2,)}, 1: layer},
        "shift": (2,),
    }


def test_the_key_alone_decides_the_params():
    network = linear()
    chex.assert_trees_all_equal(network.init(KEY), network.init(KEY), linear().init(KEY))
    assert np.all(network.init(KEY)["kernel"] != network.init(jax.random.key(1))["kernel"])


def test_apply_takes_and_returns_several_arrays():
    network = from_module(Pair)
    params = network.init(KEY)
    params["shift"] = jnp.array([10.0, 20.0])
    a, b = jnp.ones((4, 3)), jnp.full((4, 2), 2.0)
    first, second = network.apply(params, a, b)
    np.testing.assert_allclose(first, a @ params["parts"][0]["kernel"] + params["shift"], rtol=1e-6)
    np.testing.assert_allclose(second, b @ params["parts"][1]["kernel"], rtol=1e-6)


def test_apply_is_a_pure_function_of_its_arguments():
    network = linear()
    one, two = network.init(KEY), network.init(jax.random.key(1))
    before = jax.tree.map(np.array, one)
    x = jnp.arange(6.0).reshape(2, 3)
    first = network.apply(one, x)
    compiled = jax.jit(network.apply)
    np.testing.assert_allclose(compiled(two, x), network.apply(two, x), rtol=1e-6)
    assert np.all(network.apply(two, x) != first)
    np.testing.assert_array_equal(network.apply(one, x), first)
    np.testing.assert_allclose(compiled(one, x), first, rtol=1e-6)
    chex.assert_trees_all_equal(one, before)


def test_init_and_apply_under_vmap_over_seeds():
    network = linear()
    keys = jax.random.split(KEY, 3)
    params = jax.jit(jax.vmap(network.init))(keys)
    x = jnp.arange(6.0).reshape(2, 3)
    together = jax.vmap(network.apply, (0, None))(params, x)
    alone = [network.init(key) for key in keys]
    chex.assert_trees_all_close(params, jax.tree.map(lambda *leaves: jnp.stack(leaves), *alone), rtol=1e-6)
    np.testing.assert_allclose(together, np.stack([network.apply(p, x) for p in alone]), rtol=1e-5)


def test_gradients_have_the_structure_of_the_params():
    network = from_module(Pair)
    params = network.init(KEY)
    a, b = jnp.ones((4, 3)), jnp.ones((4, 2))
    gradients = jax.grad(lambda p: network.apply(p, a, b)[0].sum())(params)
    chex.assert_trees_all_equal_structs(gradients, params)
    np.testing.assert_array_equal(gradients["shift"], [4.0, 4.0])
    np.testing.assert_array_equal(gradients["parts"][1]["kernel"], np.zeros((2, 2)))


# Standardised input ----------------------------------------------------------------------------------

SCALE = Network(init=lambda key: {"scale": jnp.asarray(2.0)}, apply=lambda params, x: params["scale"] * x)


def test_standardised_subtracts_the_mean_and_divides_by_the_deviation():
    network = standardised(SCALE, 3.0, 0.5)
    output = network.apply(network.init(KEY), jnp.array([3.0, 4.0, 2.5]))
    np.testing.assert_array_equal(output, [0.0, 4.0, -2.0])
    assert network.init(KEY) == SCALE.init(KEY)


def test_standardised_by_nothing_is_the_same_network():
    assert standardised(SCALE, 0.0, 1.0) is SCALE
    assert standardised(SCALE, 0.0, 2.0) is not SCALE
    assert standardised(SCALE, 1.0, 1.0) is not SCALE


def test_standardised_network_of_a_module():
    network, x = linear(), jax.random.uniform(KEY, (4, 3))
    params = network.init(KEY)
    expected = (np.asarray(x, np.float64) - 0.3022) / 0.2893 @ params["kernel"] + params["bias"]
    np.testing.assert_allclose(standardised(network, 0.3022, 0.2893).apply(params, x), expected, rtol=1e-4, atol=1e-6)
