"""What every controller promises, whatever its rule."""

from collections.abc import Callable
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.control.replay import replay, scan
from vaeclust_jax.control.constant import constant
from vaeclust_jax.control.cyclic import cyclic
from vaeclust_jax.control.dynamic import dynamic
from vaeclust_jax.control.geco import geco
from vaeclust_jax.control.linear import linear
from vaeclust_jax.control.pid import pid
from vaeclust_jax.control.two_level import two_level
from vaeclust_jax.errors import InputError
from vaeclust_jax.types import Controller

# Each kind with three sets of numbers, Python ints among them.
KINDS: dict[str, tuple[Callable[..., Controller], list[dict[str, Any]]]] = {
    "constant": (constant, [{"value": 1}, {"value": 0.5}, {"value": 4.0}]),
    "linear": (linear, [{"num_epochs": 10}, {"num_epochs": 3, "stop": 2}, {"num_epochs": 40, "start": 1, "stop": 0.1}]),
    "cyclic": (cyclic, [{"num_epochs": 40}, {"num_epochs": 50, "num_cycles": 3}, {"num_epochs": 9, "proportion": 1}]),
    "two_level": (
        two_level,
        [{}, {"low": 0, "high": 1, "warmup": 0, "interval": 7}, {"warmup": 3, "interval": 10, "literal": True}],
    ),
    "dynamic": (
        dynamic,
        [
            {},
            {"a": 1, "b": 0.1, "interval": 3, "warmup": 4, "forget": 0.1},
            {"warmup": 0, "since_change": True, "interval": 11, "balance": True, "leave_cap": True, "cap": 1},
        ],
    ),
    "pid": (pid, [{"target_kl": 5}, {"target_kl": 2.0, "ki": 0.05}, {"target_kl": 7.5, "low": 0.5, "high": 100}]),
    "geco": (geco, [{"target_reconstruction": 20}, {"target_reconstruction": -3.5}, {"warmup": 3}]),
}
CASES = [(name, number) for name in KINDS for number in range(3)]
NUM_EPOCHS = 120


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def controller(request: pytest.FixtureRequest) -> Controller:
    name, number = request.param
    make, numbers = KINDS[name]
    return make(**numbers[number])


def histories(seed: int) -> tuple[jax.Array, jax.Array]:
    rng = np.random.default_rng(seed)
    walks = np.exp(np.cumsum(rng.normal(0, 0.08, (2, NUM_EPOCHS)), axis=1))
    return jnp.asarray(20 * walks[0], jnp.float32), jnp.asarray(6 * walks[1], jnp.float32)


def test_the_state_keeps_structure_shapes_and_dtypes(controller: Controller) -> None:
    first = controller.init()
    found = replay(controller, *histories(0))
    chex.assert_trees_all_equal_shapes_and_dtypes(first, found.state)
    assert first.value.dtype == jnp.float32
    assert getattr(first, "epochs", jnp.int32(0)).dtype == jnp.int32
    assert {leaf.shape for leaf in jax.tree.leaves(first)} == {()}
    assert {leaf.dtype.name for leaf in jax.tree.leaves(first)} <= {"float32", "int32", "bool"}


def test_values_and_infos_are_finite_scalars_and_weights_are_never_negative(controller: Controller) -> None:
    found = replay(controller, *histories(1))
    chex.assert_tree_all_finite((found.state, found.after, found.info))
    assert (found.in_force >= 0).all()
    assert {values.shape for values in found.info.values()} <= {(NUM_EPOCHS,)}
    assert {values.dtype.name for name, values in found.info.items() if name != "regime"} <= {"float32"}


@pytest.mark.long
def test_without_jit_the_same(controller: Controller) -> None:
    rec, kl = histories(2)
    found = replay(controller, rec, kl)
    state = controller.init()
    for epoch in range(60):
        state, info = controller.update(state, {"reconstruction": rec[epoch], "kl": kl[epoch]})
        assert float(state.value) == pytest.approx(float(found.after[epoch]), abs=1e-6)
        for name, value in info.items():
            assert float(value) == pytest.approx(float(found.info[name][epoch]), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_vmap_over_seeds_and_numbers_equals_one_by_one(name: str) -> None:
    """Six seeds with a history each, twice the three sets of numbers: numbers are data."""
    make, numbers = KINDS[name]
    controllers = [make(**numbers[seed % 3]) for seed in range(6)]
    seeds = [histories(seed) for seed in range(6)]
    states = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(controller.init() for controller in controllers))
    rec, kl = (jnp.stack(losses) for losses in zip(*seeds, strict=True))
    update = controllers[0].update
    last, (in_force, after, info) = jax.jit(jax.vmap(lambda *inputs: scan(update, *inputs)))(states, rec, kl)
    for seed, (controller, losses) in enumerate(zip(controllers, seeds, strict=True)):
        alone = replay(controller, *losses)
        got = jax.tree.map(lambda leaf, seed=seed: leaf[seed], (last, in_force, after, info))
        chex.assert_trees_all_close(got, tuple(alone), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_other_numbers_compile_nothing(name: str) -> None:
    make, numbers = KINDS[name]
    controllers = [make(**one) for one in numbers]
    assert len({controller.update for controller in controllers}) == 1
    update = jax.jit(lambda *inputs: controllers[0].update(*inputs))
    for controller in controllers:
        update(controller.init(), {"reconstruction": jnp.float32(3), "kl": jnp.float32(1)})
    assert update._cache_size() == 1


@pytest.mark.parametrize("name", KINDS)
def test_equal_numbers_are_the_same_controller(name: str) -> None:
    make, numbers = KINDS[name]
    assert make(**numbers[0]) is make(**numbers[0])
    assert make(**numbers[0]) is not make(**numbers[1])
    as_numpy = {key: value if isinstance(value, bool) else np.array(value)[()] for key, value in numbers[1].items()}
    assert make(**as_numpy) is make(**numbers[1])


def test_losses_of_another_precision_leave_the_state_as_it_is(controller: Controller) -> None:
    with jax.enable_x64(True):
        first = controller.init()
        losses = {"reconstruction": jnp.asarray(30.0, jnp.float64), "kl": jnp.asarray(4.0, jnp.float64)}
        state, _ = jax.jit(controller.update)(first, losses)
    chex.assert_trees_all_equal_shapes_and_dtypes(first, state)


NAN, INF = float("nan"), float("inf")
BAD: list[tuple[Callable[..., Controller], dict[str, Any], str]] = [
    (constant, {"value": -1}, "value must be 0 or more and finite, got -1"),
    (constant, {"value": NAN}, "value must be 0 or more and finite, got nan"),
    (constant, {"value": 1e39}, "value must be 0 or more and finite"),
    (constant, {"value": "1"}, "value must be a number, got '1'"),
    (constant, {"value": [1.0]}, "value must be a number"),
    (constant, {"value": True}, "value must be a number, got True"),
    (linear, {"num_epochs": 0}, "num_epochs must be a whole number from 1"),
    (linear, {"num_epochs": 2.5}, "num_epochs must be a whole number from 1 to 2147483647, got 2.5"),
    (linear, {"num_epochs": 2**31}, "num_epochs must be a whole number"),
    (linear, {"num_epochs": 5, "start": -0.1}, "start must be 0 or more"),
    (linear, {"num_epochs": 5, "stop": INF}, "stop must be 0 or more and finite, got inf"),
    (cyclic, {"num_epochs": 4, "num_cycles": 4}, "num_cycles must be below num_epochs, got 4 cycles in 4 epochs"),
    (cyclic, {"num_epochs": 8, "num_cycles": 0}, "num_cycles must be a whole number from 1"),
    (cyclic, {"num_epochs": 8, "proportion": 0}, "proportion must be positive"),
    (cyclic, {"num_epochs": 8, "proportion": 1.1}, r"proportion must lie in \(0, 1\], got 1.1"),
    (two_level, {"low": -1}, "low must be 0 or more"),
    (two_level, {"high": NAN}, "high must be 0 or more"),
    (two_level, {"warmup": -1}, "warmup must be a whole number from 0"),
    (two_level, {"interval": 0}, "interval must be a whole number from 1"),
    (two_level, {"literal": 1}, "literal must be True or False, got 1"),
    *(
        (dynamic, {name: 0}, f"{name} must be positive and finite, got 0")
        for name in ("a", "b", "w1", "w2", "w3", "w4")
    ),
    *((dynamic, {name: NAN}, f"{name} must be positive") for name in ("a", "b", "w1", "start", "cap", "reset")),
    (dynamic, {"a": -0.2}, "a must be positive and finite, got -0.2"),
    (dynamic, {"a": 1e-60}, "a must be positive and finite, got 1e-60"),  # 0 in float32
    (dynamic, {"w3": 1.2, "w4": 1.1}, "w3 must be at most w4, got w3 1.2 and w4 1.1"),
    (dynamic, {"interval": 0}, "interval must be a whole number from 1"),
    (dynamic, {"interval": True}, "interval must be a whole number from 1"),
    (dynamic, {"warmup": -1}, "warmup must be a whole number from 0"),
    (dynamic, {"start": 0}, "start must be positive"),
    (dynamic, {"start": 3.0}, "cap must be at least start and reset, got cap 2.0, start 3.0 and reset 0.05"),
    (dynamic, {"cap": 0.01}, "cap must be at least start and reset"),
    (dynamic, {"forget": 1}, r"forget must lie in \[0, 1\), got 1"),
    (dynamic, {"forget": -0.1}, "forget must be 0 or more"),
    *(
        (dynamic, {name: 1}, f"{name} must be True or False, got 1")
        for name in ("since_change", "balance", "leave_cap")
    ),
    (dynamic, {"compare_from_warmup": "yes"}, "compare_from_warmup must be True or False, got 'yes'"),
    (pid, {"target_kl": 0}, "target_kl must be positive"),
    (pid, {"target_kl": 5, "kp": -0.01}, "kp must be positive"),
    (pid, {"target_kl": 5, "ki": NAN}, "ki must be positive"),
    (pid, {"target_kl": 5, "low": 1, "high": 1}, "high must be above low, got high 1.0 and low 1.0"),
    (pid, {"target_kl": 5, "low": -1}, "low must be 0 or more"),
    (geco, {"target_reconstruction": NAN}, "target_reconstruction must be finite, got nan"),
    (geco, {"target_reconstruction": "low"}, "target_reconstruction must be a number, got 'low'"),
    (geco, {"warmup": 0}, "warmup must be a whole number from 1"),
    (geco, {"target_reconstruction": 9, "decay": 1}, r"decay must lie in \[0, 1\), got 1"),
    (geco, {"target_reconstruction": 9, "rate": 0}, "rate must be positive"),
    (geco, {"target_reconstruction": 9, "low": 0}, "low must be positive"),
    (geco, {"target_reconstruction": 9, "start": 1e4}, "low, start and high must be in this order"),
    (geco, {"target_reconstruction": 9, "low": 1, "high": 1}, "low, start and high must be in this order"),
]


@pytest.mark.parametrize(("make", "numbers", "sentence"), BAD)
def test_bad_numbers_are_refused_at_once(
    make: Callable[..., Controller], numbers: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError, match=f"^{sentence}") as refused:
        make(**numbers)
    assert "\n" not in str(refused.value)
