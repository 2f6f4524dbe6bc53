"""The dynamic beta-VAE's controller against its table, and whole histories against a plain loop in exact numbers."""

from fractions import Fraction
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.control.oracle import dynamic_oracle
from tests.control.replay import replay
from vaeclust_jax.control.dynamic import Regime, dynamic
from vaeclust_jax.control.dynamic_equations import Rule, equations

PAPER = {"a": "0.2", "b": "0.05", "w1": "1.2", "w2": "1.2", "w3": "0.9", "w4": "1.1"}
BOUNDS = {"start": "0.001", "cap": "2", "reset": "0.05"}

# (psi[D_rec], psi[D_reg]): step for dL = -2, 0, +2, as (times a, times b).
TABLE = {
    (-1, -1): ((2, 1), (1, 0), (0, -1)),
    (-1, 1): ((1, 0), (0, 0), (-1, 0)),
    (1, -1): ((0, 0), (0, -1), (0, -2)),
    (1, 1): ((0, 0), (0, 0), (0, 0)),
}
CELLS = [(rec, reg, d, step) for (rec, reg), steps in TABLE.items() for d, step in zip((-2, 0, 2), steps, strict=True)]

# Losses that are good, on the limit or bad against a minimum of 8, and how many times the present loss L_rec(t') was
# for every dL (half and double sit on w3 and w4); all exact in float32.
EXACT = {"w1": 1.25, "w2": 1.5, "w3": 0.5, "w4": 2.0}
RECONSTRUCTION = {-1: 9.0, 0: 10.0, 1: 12.0}
KL = {-1: 11.0, 0: 12.0, 1: 13.0}
LAST = {-2: 4.0, -1: 2.0, 0: 1.0, 1: 0.5, 2: 0.25}


def step(a: float, b: float, rec: float, reg: float, last: float) -> Any:
    rule = Rule(a, b, **EXACT, balance=jnp.asarray(False))
    numbers = (jnp.float32(number) for number in (rec, reg, 8.0, 8.0, last))
    return jax.jit(equations)(rule, *numbers)


# The table -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("psi_rec", "psi_reg", "d_loss", "expected"), CELLS)
@pytest.mark.parametrize(("a", "b"), [(0.2, 0.05), (0.05, 0.05), (0.3, 0.7)])
def test_every_cell_of_the_table(
    psi_rec: int, psi_reg: int, d_loss: int, expected: tuple[int, int], a: float, b: float
) -> None:
    rec, reg = RECONSTRUCTION[psi_rec], KL[psi_reg]
    found = step(a, b, rec, reg, rec * LAST[d_loss])
    assert float(found.d_loss) == d_loss
    assert (float(np.sign(found.d_rec)), float(np.sign(found.d_reg))) == (psi_rec, psi_reg)
    assert bool(found.both_bad) is (psi_rec == psi_reg == 1)
    assert float(found.change) == pytest.approx(expected[0] * a + expected[1] * b, abs=1e-7)


@pytest.mark.parametrize(("psi_rec", "psi_reg", "d_loss"), list(product((-1, 0, 1), (-1, 0, 1), LAST)))
def test_psi_of_zero_is_zero(psi_rec: int, psi_reg: int, d_loss: int) -> None:
    """The equation itself, ties included; a and b are exact, so is the step."""
    a, b = 0.5, 0.125
    rec = RECONSTRUCTION[psi_rec]
    found = step(a, b, rec, KL[psi_reg], rec * LAST[d_loss])
    expected = -b / 4 * (1 - psi_reg) * (1 + psi_rec + d_loss) + a / 4 * (1 - psi_rec) * (1 - psi_reg - d_loss)
    assert float(found.d_loss) == d_loss
    assert float(found.change) == expected


def test_deltas_by_hand() -> None:
    found = step(0.2, 0.05, rec=9.5, reg=20.0, last=9.5)
    assert (float(found.d_rec), float(found.d_reg)) == (9.5 - 1.25 * 8, 20 - 1.5 * 8)


def test_a_tie_is_a_tie_in_an_optimised_program() -> None:
    """1.2 has no exact float32, and 1.2 x 3.3 rounds: a fused multiply-add of L - 1.2 x 3.3 sees what was rounded."""
    w, best = np.float32(1.2), np.float32(3.3)
    rule = Rule(*(jnp.float32(number) for number in (0.2, 0.05, w, w, 0.9, 1.1)), balance=jnp.asarray(False))
    tie = jnp.float32(w * best)
    arguments = (rule, tie, tie, jnp.float32(best), jnp.float32(best), tie)
    options = {"xla_backend_optimization_level": 3, "xla_llvm_disable_expensive_passes": False}  # as outside the tests
    found = jax.jit(equations).lower(*arguments).compile(options)(*arguments)
    # psi = 0, 0 and dL = 0: -b/4 + a/4
    assert float(found.change) == pytest.approx(0.15 / 4, rel=1e-6)


# Whole histories -----------------------------------------------------------------------------------------------

NUM_EPOCHS = 200


def sixteenths(seed: int, size: int, offset: float) -> np.ndarray:
    """A random walk with jumps and rests on a grid of 1/16, so that w L is exact and ties are common."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.integers(-12, 12, size) * (rng.random(size) < 0.7))
    jumps = np.repeat(rng.integers(0, 200, size // 20 + 1), 20)[:size]
    grid = 16 + np.abs(walk + jumps) % 400
    return (grid / 16 - offset).astype(np.float32)


def dyadic(low: int, high: int, parts: int) -> Any:
    return st.integers(low, high).map(lambda number: number / parts)


exact_numbers = st.fixed_dictionaries(
    {
        "a": dyadic(1, 32, 64),
        "b": dyadic(1, 32, 64),
        "w1": dyadic(12, 32, 16),
        "w2": dyadic(12, 32, 16),
        "w3": dyadic(4, 16, 16),
        "w4": dyadic(16, 32, 16),
        "interval": st.integers(1, 12),
        "since_change": st.booleans(),
        "warmup": st.integers(0, 30),
        "start": dyadic(1, 16, 64),
        "cap": dyadic(32, 160, 64),
        "reset": dyadic(1, 16, 64),
        "balance": st.booleans(),
        "leave_cap": st.booleans(),
        "compare_from_warmup": st.booleans(),
    }
)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.0, 12.0]), exact_numbers)
def test_random_histories_equal_the_plain_loop_to_the_bit(seed: int, offset: float, numbers: dict[str, Any]) -> None:
    """All numbers are multiples of powers of two, so that float32 does not round and ties are ties."""
    rec, kl = sixteenths(seed, NUM_EPOCHS, offset), sixteenths(seed + 1, NUM_EPOCHS, 0.0)
    found = replay(dynamic(**numbers), rec, kl)
    expected = dynamic_oracle(rec.tolist(), kl.tolist(), **numbers)
    np.testing.assert_array_equal(found.info["regime"], expected.regime)
    np.testing.assert_array_equal(found.after, expected.value)
    for name in ("d_rec", "d_reg", "d_loss"):
        np.testing.assert_array_equal(found.info[name], getattr(expected, name))


def training_like(rng: np.random.Generator, size: int) -> np.ndarray:
    """Losses that fall from far above, wander by some ten per cent, and rise or fall and jump now and then."""
    epoch = np.arange(size)
    decay = 1 + 4 * np.exp(-epoch / 10)
    trend = np.exp(rng.uniform(-1, 1) * epoch / size)
    wander = np.exp(np.cumsum(rng.normal(0, 0.02, size)))
    jumps = np.repeat(np.exp(rng.normal(0, 0.2, size // 25 + 1)), 25)[:size]
    return (20 * decay * trend * wander * jumps).astype(np.float32)


PUBLISHED = {
    "paper": (PAPER, {"interval": 5, "since_change": False, "warmup": 25}, set(Regime)),
    "released code on its synthetic data": (
        PAPER | {"a": "0.05"},
        {"interval": 11, "since_change": True, "warmup": 25},
        set(Regime) - {Regime.CAPPED},
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_numbers_agree_with_exact_arithmetic_over_hundreds_of_epochs(name: str) -> None:
    """Steps of 0.2 and 0.05 have no exact float32; fractions have, so that 0 and the cap are met exactly."""
    texts, timing, visited = PUBLISHED[name]
    exact = {key: Fraction(text) for key, text in (texts | BOUNDS).items()}
    controller = dynamic(**{key: float(text) for key, text in (texts | BOUNDS).items()}, **timing)
    regimes = set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        rec, kl = training_like(rng, 600), training_like(rng, 600)
        found = replay(controller, rec, kl)
        expected = dynamic_oracle(rec.tolist(), kl.tolist(), **exact, **timing)
        np.testing.assert_array_equal(found.info["regime"], expected.regime)
        np.testing.assert_allclose(found.after, np.array(expected.value, float), rtol=0, atol=1e-6)
        np.testing.assert_allclose(found.info["d_rec"], np.array(expected.d_rec, float), rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(found.info["d_reg"], np.array(expected.d_reg, float), rtol=1e-5, atol=1e-4)
        regimes |= set(expected.regime)
    assert regimes == visited


def test_the_published_defaults() -> None:
    numbers = {key: float(text) for key, text in (PAPER | BOUNDS).items()}
    assert dynamic(**numbers, interval=5, since_change=False, warmup=25, forget=0.0) is dynamic()


def test_sums_of_steps_end_at_zero_and_at_the_cap() -> None:
    """0.05 + 13 x 0.15 = 2 and 0.35 - 7 x 0.05 = 0, each beside it in float32; there the rule is off or resets."""
    flat = np.full(60, 10.0)
    up = replay(dynamic(warmup=0, interval=1, start=0.05, a=0.15), flat, np.full(60, 3.0))
    assert np.flatnonzero(up.info["regime"] == Regime.REGULARISATION).size == 13
    assert up.after[-1] == pytest.approx(2.0)
    worse = np.where(np.arange(60) < 5, 10.0, 15.0)
    down = replay(dynamic(warmup=0, interval=10, start=0.35, a=0.15, reset=1.0), worse, np.full(60, 3.0))
    # Worse than at the last change after epoch 10: 2b; then b five times, the fifth ends at 0.
    np.testing.assert_allclose(down.after[9::10], [0.25, 0.2, 0.15, 0.1, 0.05, 1.0], rtol=1e-5)


# Timing, by hand -----------------------------------------------------------------------------------------------


def test_the_first_epochs_by_hand() -> None:
    """Flat losses are good and within, so that every decision adds a: after epochs 30, 35, 40 ..."""
    found = replay(dynamic(), np.full(80, 10.0), np.full(80, 3.0))
    np.testing.assert_array_equal(found.in_force[:25], 0)  # epochs 1 to 25
    np.testing.assert_allclose(found.in_force[25:30], 1e-3)  # epoch 26 until the decision after epoch 30
    np.testing.assert_allclose(found.in_force[30:35], 0.201, rtol=1e-6)
    np.testing.assert_allclose(found.in_force[35:40], 0.401, rtol=1e-6)
    assert found.in_force[75] == pytest.approx(2.001)  # the tenth step ends above the cap, and is the last
    assert found.after[-1] == pytest.approx(2.001)
    assert found.info["regime"].tolist()[28:31] == [Regime.WAITING, Regime.REGULARISATION, Regime.WAITING]
    assert set(found.info["regime"][75:].tolist()) == {Regime.CAPPED}
    np.testing.assert_array_equal(found.info["d_rec"][:26], 0)
    np.testing.assert_allclose(found.info["d_rec"][26:], 10 - 12, rtol=1e-5)
    np.testing.assert_allclose(found.info["d_reg"][26:], 3 - 3.6, rtol=1e-5)


def test_the_released_code_decides_from_epoch_27_and_then_more_than_ten_epochs_after_a_change() -> None:
    found = replay(dynamic(since_change=True, interval=11), np.full(80, 10.0), np.full(80, 3.0))
    assert (np.flatnonzero(found.info["regime"] == Regime.REGULARISATION) + 1).tolist() == [27, 38, 49, 60, 71]


def test_minima_are_those_since_the_warm_up_and_before_the_present() -> None:
    rec = np.full(40, 10.0)
    rec[20] = 1.0  # epoch 21, before beta is above 0
    rec[27], rec[33] = 9.0, 8.0  # epochs 28 and 34
    found = replay(dynamic(), rec, np.full(40, 3.0))
    expected = rec - 1.2 * np.array([0.0] * 26 + [10.0] * 2 + [9.0] * 6 + [8.0] * 6)
    np.testing.assert_allclose(found.info["d_rec"][26:], expected[26:], rtol=1e-5)


def test_a_beta_of_zero_or_below_becomes_the_reset() -> None:
    """Bad reconstruction within: -b. From 0.001 that is below 0; from 0.05 it is 0 exactly."""
    rec = np.where(np.arange(60) < 27, 10.0, 15.0)
    found = replay(dynamic(compare_from_warmup=True), rec, np.full(60, 3.0))
    decisions = found.info["regime"] != Regime.WAITING
    assert (np.flatnonzero(decisions) + 1).tolist() == [30, 35, 40, 45, 50, 55, 60]
    np.testing.assert_allclose(found.after[decisions], 0.05)
    assert set(found.info["regime"][decisions].tolist()) == {Regime.RECONSTRUCTION}


def test_without_a_warm_up_beta_starts_at_once() -> None:
    found = replay(dynamic(warmup=0, interval=1), np.full(4, 10.0), np.full(4, 3.0))
    np.testing.assert_allclose(found.in_force, [1e-3, 1e-3, 0.201, 0.401], rtol=1e-6)
