"""The bfloat16 policy: narrow arithmetic in the networks, float32 everywhere else."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

import vaeclust_jax as vc
from tests.fitting.made import LINEAR, blobs, config
from vaeclust_jax.cli.run import parse_run
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.serialisation import unpack
from vaeclust_jax.methods.dec_learner import dec, dec_heads
from vaeclust_jax.networks import MLP, AutoNetwork, Conv
from vaeclust_jax.networks.adapter import in_bfloat16
from vaeclust_jax.networks.build import computing_in
from vaeclust_jax.types import Batch, Learner, Network, Networks, Params

from .reference import relative_error

KEY = jax.random.key(0)
N, L, K = 48, 2, 3
KINDS = {
    "conv": (Conv(latent_dim=L, channels=(4,), kernels=(5,)), (9, 8, 1), "bernoulli"),
    "mlp": (MLP(latent_dim=L, hidden=(16,)), (5,), "gaussian"),
}
DOT = Network(lambda key: {"w": jnp.ones((3, 2))}, lambda params, x: x @ params["w"])


def learners(kind: str) -> tuple[Learner, Learner, Batch]:
    """In float32 and in bfloat16, with a batch for both."""
    network, shape, likelihood = KINDS[kind]
    both = [
        dec(
            computing_in(network.build(shape), dtype),
            num_clusters=K,
            num_samples=N,
            latent_dim=L,
            likelihood=likelihood,
        )
        for dtype in ("float32", "bfloat16")
    ]
    x = jax.random.uniform(jax.random.key(1), (N, *shape))
    return *both, Batch(x, None, jnp.arange(N), jnp.ones(N))


def loss_and_gradient(learner: Learner, params: Params, batch: Batch) -> tuple[jax.Array, Params]:
    """Of the VAE's loss, with the state's own draws."""
    state = learner.init(KEY)

    def loss(params: Params) -> jax.Array:
        return learner.evaluate(jax.random.key(5), state._replace(params=params), batch)["loss"]

    return jax.value_and_grad(loss)(params)


def products(jaxpr: Any) -> list[str]:
    """The operands' dtypes of all matrix products and convolutions, in inner programs too."""
    found = []
    for equation in jaxpr.eqns:
        if equation.primitive.name in ("dot_general", "conv_general_dilated"):
            found += [str(variable.aval.dtype) for variable in equation.invars]
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda leaf: hasattr(leaf, "eqns")):
            inner = getattr(inner, "jaxpr", inner)
            found += products(inner) if hasattr(inner, "eqns") else []
    return found


# The wrapper -----------------------------------------------------------------------------------------


def test_float32_leaves_the_networks_as_they_are():
    networks = KINDS["mlp"][0].build(KINDS["mlp"][1])
    assert AutoNetwork().compute_dtype == "float32"
    assert computing_in(networks, "float32") is networks
    assert computing_in(networks, "bfloat16") is computing_in(networks, "bfloat16") is not networks


def test_a_product_is_that_of_rounded_operands():
    rng = np.random.default_rng(0)
    x, w = (rng.normal(size=shape).astype(np.float32) for shape in ((5, 30), (30, 2)))
    exact = x.astype(ml_dtypes.bfloat16).astype(float) @ w.astype(ml_dtypes.bfloat16).astype(float)
    got = jax.jit(in_bfloat16(DOT).apply)({"w": w}, x)  # XLA may leave the answer itself unrounded
    np.testing.assert_allclose(got, exact, rtol=2**-8)
    assert 1e-3 < relative_error(got, x @ w) < 1e-2


def test_only_floats_are_cast_and_wide_ones_come_back_wide():
    seen = {}

    def apply(params, x):
        seen.update(row=params["row"].dtype, w=params["w"].dtype, x=x.dtype)
        return x * params["w"][params["row"]], params["row"]

    network = in_bfloat16(Network(lambda key: {}, apply))
    params = {"w": np.ones(3, np.float32), "row": np.int32(1)}
    assert [a.dtype for a in network.apply(params, jnp.ones(2))] == [jnp.float32, jnp.int32]
    assert seen == {"row": jnp.int32, "w": jnp.bfloat16, "x": jnp.bfloat16}
    with jax.enable_x64(True):
        assert network.apply(params, jnp.ones(2))[0].dtype == jnp.float64
        assert network.apply({**params, "w": jnp.ones(3)}, jnp.ones(2, jnp.float32))[0].dtype == jnp.float64


def test_float64_stays_float64_without_the_policy():
    with jax.enable_x64(True):
        network = computing_in(Networks(DOT, DOT), "float32").encoder
        assert network.apply({"w": jnp.full((3, 2), 1 + 1e-12)}, jnp.ones((1, 3)))[0, 0] != 3


# A learner with it -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_is_kept_stays_float32(kind):
    _, learner, batch = learners(kind)
    state = jax.eval_shape(learner.init, KEY)
    moved, info = jax.eval_shape(learner.step, KEY, state, batch)
    ended, _ = jax.eval_shape(learner.end_epoch, moved, batch.x, jnp.asarray(5), info)
    _, gradient = jax.eval_shape(partial(loss_and_gradient, learner), state.params, batch)
    network, shape, likelihood = KINDS[kind]
    heads = dec_heads(computing_in(network.build(shape), "bfloat16"), likelihood, False)
    assert heads.encode is not None
    assert heads.decode is not None
    posterior = jax.eval_shape(heads.encode, state.params, batch.x)
    decoded = jax.eval_shape(heads.decode, state.params, posterior[0])
    for tree in (state, moved, ended, info, gradient, posterior, decoded):
        assert {leaf.dtype for leaf in jax.tree.leaves(tree)} <= {jnp.dtype("float32"), jnp.dtype("int32")}
    assert moved == state
    assert gradient == state.params


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_every_product_forward_and_backward_is_bfloat16(kind):
    wide, narrow, batch = learners(kind)
    params = wide.init(KEY).params
    for learner, dtype in ((wide, "float32"), (narrow, "bfloat16")):
        program = jax.make_jaxpr(lambda p, learner=learner: loss_and_gradient(learner, p, batch))(params)
        found = products(program.jaxpr)
        assert set(found) == {dtype}
        assert len(found) >= 2 * 3 * 4  # two operands; one product forward and two backward; four layers at least


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_loss_and_gradient_are_those_of_float32_to_the_rounding(kind):
    """And are not float32's own: a policy that did nothing would pass everything else here."""
    wide, narrow, batch = learners(kind)
    both = jax.jit(loss_and_gradient, static_argnums=0)
    params = wide.init(KEY).params
    (loss, gradient), (rounded_loss, rounded_gradient) = (both(learner, params, batch) for learner in (wide, narrow))
    assert 1e-7 < relative_error(rounded_loss, loss) < 1e-2
    flat, rounded = (ravel_pytree(tree)[0] for tree in (gradient, rounded_gradient))
    assert 1e-4 < relative_error(rounded, flat) < 3e-2
    assert flat @ rounded / jnp.linalg.norm(flat) / jnp.linalg.norm(rounded) > 0.999


@pytest.mark.long
def test_gradients_of_seeds_at_once_are_those_of_each():
    _, learner, batch = learners("conv")
    params = jax.vmap(lambda key: learner.init(key).params)(jax.random.split(KEY, 2))
    one = jax.jit(loss_and_gradient, static_argnums=0)
    together = jax.jit(jax.vmap(lambda p: loss_and_gradient(learner, p, batch)[1]))(params)
    for seed in range(2):
        alone = one(learner, jax.tree.map(lambda leaf, seed=seed: leaf[seed], params), batch)[1]
        assert relative_error(jax.tree.map(lambda leaf, seed=seed: leaf[seed], together), alone) < 2e-2


def test_a_bias_gradient_over_many_rows_does_not_stall():
    """256 + 1 is 256 in bfloat16: a sum kept in it would stop there."""
    shift = in_bfloat16(Network(lambda key: jnp.zeros(1), lambda params, x: x + params))
    gradient = jax.jit(jax.grad(lambda params, x: shift.apply(params, x).sum()))(jnp.zeros(1), jnp.zeros((5000, 1)))
    np.testing.assert_allclose(gradient, 5000, rtol=2**-8)


def test_kept_parameters_take_steps_that_bfloat16_cannot_hold():
    """Why they stay float32: 0.001 next to 1 is nothing in bfloat16, and a hundred such steps are still nothing."""
    network, optimiser = in_bfloat16(DOT), optax.sgd(1e-3)
    x, before = jnp.ones((1, 3)), DOT.init(KEY)

    def descend(params: Params) -> Params:
        gradient_of = jax.grad(lambda params: network.apply(params, x).sum())

        def body(carry, _):
            params, state = carry
            updates, state = optimiser.update(gradient_of(params), state)
            return (optax.apply_updates(params, updates), state), None

        return jax.jit(lambda params: jax.lax.scan(body, (params, optimiser.init(params)), length=100)[0][0])(params)

    np.testing.assert_allclose(descend(before)["w"], 0.9, rtol=1e-5)
    narrow = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), before)
    np.testing.assert_array_equal(descend(narrow)["w"], narrow["w"])


# From config to prediction ---------------------------------------------------------------------------


@pytest.mark.long
def test_a_fit_saves_the_policy_and_predicts_with_it(tmp_path: Path):
    x, _ = blobs()
    run = vc.fit(config(compute_dtype="bfloat16"), x, KEY)
    assert {leaf.dtype for leaf in jax.tree.leaves(run.params)} == {jnp.dtype("float32")}
    assert np.isfinite([row["loss"] for row in run.history]).all()
    run.save(tmp_path / "model")
    loaded = vc.load(tmp_path / "model")
    assert loaded.config.network.compute_dtype == "bfloat16"
    np.testing.assert_array_equal(loaded.predict_proba(x), run.predict_proba(x))
    packed = run.pack()
    exact = replace(packed.config, network=replace(packed.config.network, compute_dtype="float32"))
    assert 1e-4 < relative_error(run.embed(x), unpack(packed._replace(config=exact)).embed(x)) < 2e-2


@pytest.mark.long
def test_networks_of_ones_own_get_it_too():
    x, _ = blobs()
    run = vc.fit(config(compute_dtype="bfloat16"), x, KEY, networks=LINEAR)
    mean, _ = LINEAR.encoder.apply(run.params["encoder"], run.prepare(x))
    assert 1e-4 < relative_error(run.embed(x), mean) < 2e-2


def test_the_command_takes_it():
    assert parse_run(["--compute-dtype", "bfloat16"]).experiment.network.compute_dtype == "bfloat16"


def test_another_dtype_is_refused_in_one_sentence():
    with pytest.raises(InputError, match=r"^compute_dtype must be one of float32, bfloat16, got 'float16'$"):
        replace(AutoNetwork(), compute_dtype="float16")
