"""Restricted Boltzmann machines against enumeration in NumPy, closed forms and finite differences."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vaeclust_jax as vc
from vaeclust_jax.objectives.ais import base_rates, forward_ais, reverse_ais, schedule
from vaeclust_jax.objectives.rbm import (
    Offsets,
    Phase,
    RBMParams,
    clamped_gibbs,
    flipped,
    free_energy,
    gibbs,
    hidden_logits,
    likelihood_gradient,
    log_partition,
    pseudo_log_likelihood,
    restored,
    stochastic_pseudo_log_likelihood,
)


def machine(v: int, h: int, seed: int = 0, scale: float = 1.0) -> RBMParams:
    draws = np.random.default_rng(seed)
    parts = (scale * draws.normal(size=(v, h)), draws.normal(size=v), draws.normal(size=h))
    return RBMParams(*(jnp.asarray(part, jnp.float32) for part in parts))


def all_states(units: int) -> np.ndarray:
    return np.array(list(itertools.product((0, 1), repeat=units)), np.float64)


def joint(params: RBMParams) -> np.ndarray:
    """exp(-E) of all states, (2^v, 2^h), from the energy itself."""
    w, a, c = (np.asarray(part, np.float64) for part in params)
    v, h = all_states(len(a)), all_states(len(c))
    return np.exp((v @ a)[:, None] + (h @ c)[None] + v @ w @ h.T)


def test_the_partition_function_and_free_energy_are_those_of_the_energy() -> None:
    params = machine(6, 4)
    p = joint(params)
    assert float(log_partition(params)) == pytest.approx(np.log(p.sum()), abs=1e-4)
    assert float(log_partition(flipped(params))) == pytest.approx(np.log(p.sum()), abs=1e-4)
    np.testing.assert_allclose(-free_energy(params, jnp.asarray(all_states(6))), np.log(p.sum(axis=1)), atol=1e-4)


@pytest.mark.long
def test_without_weights_the_partition_function_is_a_product() -> None:
    params = machine(30, 20, scale=0.0)
    closed = sum(float(np.logaddexp(0, np.asarray(b, np.float64)).sum()) for b in params[1:])
    assert float(log_partition(params)) == pytest.approx(closed, abs=1e-3)
    base = jnp.zeros(30)
    assert forward_ais(jax.random.key(0), params, base, schedule(100), 50).value == pytest.approx(closed, abs=0.1)


@pytest.mark.parametrize("spacing", ["uniform", pytest.param("log", marks=pytest.mark.long)])
def test_annealing_finds_the_exact_partition_function_from_both_sides(spacing: str) -> None:
    params = machine(30, 16, seed=3, scale=0.4)
    exact = float(log_partition(params))
    base, betas = base_rates(jnp.full(30, 0.4)), schedule(600, spacing)  # type: ignore[arg-type]
    forward = forward_ais(jax.random.key(1), params, base, betas, 100)
    samples = gibbs(jax.random.key(2), params, jnp.zeros((100, 30)), 300).visible
    backward = reverse_ais(jax.random.key(3), params, base, betas, samples)
    assert forward.value == pytest.approx(exact, abs=0.1)
    assert backward.value == pytest.approx(exact, abs=0.1)
    assert 0 < forward.deviation < 0.1
    assert 1 <= forward.effective <= 100 + 1e-6


@pytest.mark.long
def test_few_temperatures_put_the_truth_between_the_two_directions() -> None:
    params = machine(30, 16, seed=3, scale=0.4)
    exact = float(log_partition(params))
    base, betas = base_rates(jnp.full(30, 0.4)), schedule(3)
    groups = np.split(np.asarray(gibbs(jax.random.key(2), params, jnp.zeros((200, 30)), 300).visible), 10)
    low = np.mean([forward_ais(jax.random.key(s), params, base, betas, 20).value for s in range(10)])
    high = np.mean(
        [reverse_ais(jax.random.key(s), params, base, betas, jnp.asarray(g)).value for s, g in enumerate(groups)]
    )
    assert low < exact < high


def test_schedules_go_from_0_to_1() -> None:
    for spacing in ("uniform", "log"):
        betas = schedule(50, spacing)  # type: ignore[arg-type]
        assert (betas[0], betas[-1]) == (0, 1)
        assert (np.diff(betas) > 0).all()
    steps = np.diff(schedule(50, "log"))
    assert steps[-1] < steps[0] / 30
    with pytest.raises(vc.InputError, match="num_temperatures must be at least 2, got 1"):
        schedule(1)


def test_the_gradient_is_that_of_the_exact_likelihood() -> None:
    """Finite differences of the mean log-likelihood, from the energy in NumPy, of 6 x 4 units."""
    params = machine(6, 4, scale=0.5)
    data = np.random.default_rng(1).integers(0, 2, size=(9, 6)).astype(np.float64)
    codes = (data @ 2 ** np.arange(6)[::-1]).astype(int)

    def likelihood(flat: np.ndarray) -> float:
        parts = np.split(flat, [24, 30])
        p = joint(RBMParams(parts[0].reshape(6, 4), parts[1], parts[2]))
        return float(np.log(p.sum(axis=1)[codes] / p.sum()).mean())

    flat = np.concatenate([np.asarray(part, np.float64).ravel() for part in params])
    step = 1e-5
    differences = [(likelihood(flat + step * e) - likelihood(flat - step * e)) / (2 * step) for e in np.eye(len(flat))]
    v, p = jnp.asarray(all_states(6), jnp.float32), joint(params)
    x = jnp.asarray(data, jnp.float32)
    model = Phase(v, jax.nn.sigmoid(hidden_logits(params, v)), jnp.asarray(p.sum(axis=1) / p.sum(), jnp.float32))
    seen = Phase(x, jax.nn.sigmoid(hidden_logits(params, x)), jnp.full(9, 1 / 9))
    plain = likelihood_gradient(seen, model, Offsets(jnp.zeros(6), jnp.zeros(4)))
    np.testing.assert_allclose(np.concatenate([np.ravel(part) for part in plain]), differences, atol=1e-5)
    centred = likelihood_gradient(seen, model, Offsets(x.mean(axis=0), jnp.full(4, 0.5)))
    ascent = sum(float((a * b).sum()) for a, b in zip(plain, centred, strict=True))
    assert ascent > 0, "another direction of ascent"


def test_the_centred_gradient_does_not_depend_on_what_is_coded_as_1() -> None:
    """Turning all visible units over, with the machine that goes with it, turns the step over and no more."""
    params, x = machine(6, 4), jnp.asarray(np.random.default_rng(2).integers(0, 2, (9, 6)), jnp.float32)
    chains = jnp.asarray(np.random.default_rng(3).integers(0, 2, (5, 6)), jnp.float32)
    turned = RBMParams(-params.weights, -params.visible, params.hidden + params.weights.sum(axis=0))

    def step(params: RBMParams, x: jax.Array, chains: jax.Array) -> RBMParams:
        phases = [Phase(r, jax.nn.sigmoid(hidden_logits(params, r)), jnp.full(len(r), 1 / len(r))) for r in (x, chains)]
        return likelihood_gradient(*phases, Offsets(x.mean(axis=0), phases[0].hidden.mean(axis=0)))

    one, other = step(params, x, chains), step(turned, 1 - x, 1 - chains)
    np.testing.assert_allclose(other.weights, -one.weights, atol=1e-5)
    np.testing.assert_allclose(other.visible, -one.visible, atol=1e-5)
    np.testing.assert_allclose(other.hidden, one.hidden + one.weights.sum(axis=0), atol=1e-5)


def test_the_pseudo_likelihood_is_that_of_the_conditionals_and_its_estimate_agrees() -> None:
    params = machine(6, 4)
    p = joint(params).sum(axis=1).reshape((2,) * 6)
    v = all_states(6).astype(int)[[0, 5, 22, 63]]
    wanted = [
        sum(np.log(p[tuple(r)] / (p[tuple(r)] + p[tuple(np.where(np.arange(6) == i, 1 - r, r))])) for i in range(6))
        for r in v
    ]
    rows = jnp.asarray(v, jnp.float32)
    np.testing.assert_allclose(pseudo_log_likelihood(params, rows), wanted, atol=1e-4)
    keys = jax.random.split(jax.random.key(0), 1000)
    drawn = jax.vmap(lambda key: stochastic_pseudo_log_likelihood(key, params, rows))(keys)
    error = np.asarray(drawn.std(axis=0)) / np.sqrt(1000)
    assert (np.abs(np.asarray(drawn.mean(axis=0)) - wanted) < 5 * error + 1e-3).all()


def test_gibbs_chains_reach_the_model() -> None:
    params = machine(5, 3)
    p = joint(params).sum(axis=1)
    drawn = np.asarray(gibbs(jax.random.key(0), params, jnp.zeros((5000, 5)), 40).visible, int)
    shares = np.bincount(drawn @ 2 ** np.arange(5)[::-1], minlength=32) / len(drawn)
    assert np.abs(shares - p / p.sum()).max() < 5 * np.sqrt(0.25 / len(drawn))


@settings(max_examples=8, deadline=None)
@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 99))
def test_clamped_chains_reach_the_exact_conditional(mask: list[bool], seed: int) -> None:
    params, known = machine(5, 3, seed), np.array(mask)
    row = np.random.default_rng(seed).integers(0, 2, 5)
    p, v = joint(params).sum(axis=1), all_states(5)
    fits = (v[:, known] == row[known]).all(axis=1)
    wanted = (p * fits) @ v / (p * fits).sum()
    rows, held = jnp.asarray(np.tile(row, (1000, 1)), jnp.float32), jnp.asarray(np.tile(known, (1000, 1)))
    chain = clamped_gibbs(jax.random.key(seed), params, rows, held, 40)
    assert (np.asarray(chain.visible)[:, known] == row[known]).all()
    assert np.abs(np.asarray(chain.visible).mean(axis=0) - wanted).max() < 5 * np.sqrt(0.25 / 1000)
    mean = restored(jax.random.key(seed), params, rows[:200], held[:200], 100)
    np.testing.assert_allclose(np.asarray(mean).mean(axis=0), wanted, atol=0.04)


def test_a_machine_that_is_too_large_to_enumerate_is_refused() -> None:
    with pytest.raises(vc.InputError, match="a layer of at most 24 units, got 25"):
        log_partition(machine(30, 25))
