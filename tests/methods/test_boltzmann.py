"""Boltzmann machines as methods: what they learn against enumeration, what they refuse, how a machine restores."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc
from vaeclust_jax.methods.dbm import deep_machine, deep_params, mean_field, variational_energy
from vaeclust_jax.methods.restoring import restore
from vaeclust_jax.objectives.ais import forward_ais, schedule
from vaeclust_jax.objectives.rbm import RBMParams, free_energy, log_partition

PLAIN = vc.PrepareConfig(scaling="none", validation=0.2)


def patterns(rows: int = 400) -> np.ndarray:
    """Two patterns of eight units, each unit turned over with probability 1/20."""
    draws = np.random.default_rng(0)
    shown = np.array([[1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 1, 0, 0]])[draws.integers(0, 2, rows)]
    return np.where(draws.random(shown.shape) < 0.05, 1 - shown, shown).astype(np.float32)


def config(method: vc.Method, rate: float = 0.1) -> vc.Config:
    return vc.Config(method, PLAIN, training=vc.TrainingConfig(batch_size=20, learning_rate=rate))


def likelihood(run: vc.Run, x: np.ndarray) -> float:
    """Mean log-likelihood (of a deep machine its bound), with the exact partition function."""
    method = run.config.method
    energy = method.energy(run.params, method.units(jnp.asarray(x)))  # type: ignore[attr-defined]
    return float(-energy.mean() - log_partition(method.machine(run.params)))  # type: ignore[attr-defined]


def of_independent_units(x: np.ndarray) -> float:
    p = x.mean(axis=0)
    return float((p * np.log(p) + (1 - p) * np.log(1 - p)).sum())


@pytest.mark.parametrize(
    ("method", "rate"),
    [
        pytest.param(vc.RBM(4, epochs=30), 0.5, marks=pytest.mark.long),
        (vc.RBM(4, epochs=30, sampler=vc.ContrastiveDivergence(3), centred=False, decay=False, momentum=0.5), 0.2),
        pytest.param(vc.DBM((4, 4), pretrain_epochs=10, epochs=30, joint_rate=1.0), 0.5, marks=pytest.mark.long),
    ],
    ids=["pcd", "cd", "dbm"],
)
def test_it_learns_more_than_independent_units(method: vc.Method, rate: float) -> None:
    x = patterns()
    runs = vc.fit_seeds(config(method, rate), x, [0, 1])
    for run in runs:
        assert likelihood(run, x) > of_independent_units(x) + 1.0
        assert {"loss", "free_energy", "val_loss", "val_free_energy"} <= run.history[-1].keys()
        assert ((run.sample(0, 5) > 0) & (run.sample(0, 5) < 1)).all()  # probabilities of visible units
        assert run.sample(0, 5).shape == (5, 8)


def deep(seed: int = 0) -> dict[str, object]:
    """An 8-4-4 machine."""
    draws = np.random.default_rng(seed)
    w, a, c = draws.normal(size=(12, 4)), draws.normal(size=12), draws.normal(size=4)
    return deep_params(RBMParams(*(jnp.asarray(part, jnp.float32) for part in (w, a, c))), (2, 4))


def exact(params: dict[str, object]) -> tuple[np.ndarray, np.ndarray]:
    """(256, 8) states of the data's units and -log p*(v) of each, summed over both hidden layers, from the energy."""
    below: Any = params["encoder"]
    parts = (below["weights"], below["bias"], below["top"]["weights"], below["top"]["bias"])
    w1, c1, w2, c2 = (np.asarray(part, np.float64) for part in parts)
    a = np.asarray(params["visible"], np.float64).ravel()
    v, h = (np.array(list(itertools.product((0, 1), repeat=units)), np.float64) for units in (8, 4))
    energy = -(v @ a)[:, None, None] - (v @ w1 @ h.T + h @ c1)[:, :, None] - (h @ w2 @ h.T + h @ c2)[None]
    return v, -np.log(np.exp(-energy).sum(axis=(1, 2)))


def test_a_deep_machine_is_the_restricted_one_that_it_is_sampled_as() -> None:
    params = deep()
    v, energies = exact(params)
    machine = deep_machine(params)
    back = deep_params(machine, (2, 4))
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), back, params))
    total = np.log(np.exp(-energies).sum())
    assert float(log_partition(machine)) == pytest.approx(total, abs=1e-3)
    top = np.array(list(itertools.product((0, 1), repeat=4)), np.float64)
    both = np.concatenate([np.repeat(v, 16, axis=0), np.tile(top, (256, 1))], axis=1)
    summed = np.exp(-np.asarray(free_energy(machine, jnp.asarray(both)), np.float64)).reshape(256, 16).sum(axis=1)
    np.testing.assert_allclose(-np.log(summed), energies, atol=1e-3)
    found = forward_ais(jax.random.key(0), machine, jnp.zeros(12), schedule(400), 100)
    assert found.value == pytest.approx(total, abs=0.2)


@pytest.mark.long
def test_mean_field_bounds_the_exact_likelihood_and_every_update_raises_the_bound() -> None:
    params = deep(1)
    v, energies = exact(params)
    x = jnp.asarray(v, jnp.float32)
    bounds = [np.asarray(variational_energy(params, x, steps)) for steps in (1, 2, 5, 30)]
    for looser, tighter in itertools.pairwise(bounds):
        assert (tighter <= looser + 1e-4).all()
    assert (bounds[-1] >= energies - 1e-3).all()
    assert (bounds[-1] - energies).mean() < 1
    first, second = mean_field(params, x[:3], 30)
    assert (first.shape, second.shape) == ((3, 4), (3, 4))


@pytest.mark.long
def test_a_machine_restores_what_the_known_units_say() -> None:
    x = patterns()
    run = vc.fit(config(vc.RBM(8, epochs=60)), x, 0)
    machine = run.config.method.machine(run.params)  # type: ignore[attr-defined]
    known = np.array([True, True, True, True, False, False, True, True])
    whole = np.array([[1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 1, 0, 0]], np.float32)
    found = restore(jax.random.key(0), machine, np.where(known, whole, 0.5).astype(np.float32), known, 400)
    assert (np.abs(found - whole) < 0.35).all()
    np.testing.assert_array_equal(found[:, known], whole[:, known])


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        (np.ones(3, bool), "known is True everywhere: nothing is missing"),
        (np.zeros(3, bool), "known is False for a whole row: of nothing, new samples can be drawn instead"),
        (np.array([[True, True, False], [False, False, False]]), "known is False for a whole row"),
        (np.ones(4, bool), r"known must be True or False for each of 3 values, got bool \(4,\)"),
        (np.ones(3), r"known must be True or False for each of 3 values, got float64 \(3,\)"),
    ],
)
def test_masks_of_all_or_nothing_are_refused(known: np.ndarray, sentence: str) -> None:
    machine = RBMParams(jnp.zeros((3, 2)), jnp.zeros(3), jnp.zeros(2))
    with pytest.raises(vc.InputError, match=sentence):
        restore(jax.random.key(0), machine, np.zeros((2, 3), np.float32), known, 5)


@pytest.mark.parametrize(("value", "said"), [(7.0, "7"), (-0.1, "-0.1"), (np.nan, "nan"), (np.inf, "inf")])
def test_known_values_are_those_of_units_and_unknown_ones_any(value: float, said: str) -> None:
    machine = RBMParams(jnp.zeros((3, 2)), jnp.zeros(3), jnp.zeros(2))
    rows, known = np.zeros((2, 3), np.float32), np.array([True, True, False])
    rows[1, 2] = value
    assert np.isfinite(restore(jax.random.key(0), machine, rows, known, 5)).all()
    rows[1, 1] = value
    with pytest.raises(vc.InputError, match=rf"^visible must lie in \[0, 1\] where it is known, got {said} in row 1"):
        restore(jax.random.key(0), machine, rows, known, 5)


@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        (vc.RBM(0), "num_hidden must be at least 1, got 0"),
        (vc.RBM(momentum=1.0), "momentum must lie in 0 to below 1, got 1.0"),
        (vc.DBM((4, 0)), r"num_hidden must be two numbers of at least 1, got \(4, 0\)"),
        (vc.DBM(joint_rate=0.0), "joint_rate must lie above 0 and be at most 1, got 0.0"),
        (vc.DBM(mean_field_steps=0), "mean_field_steps must be at least 1, got 0"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_training(method: vc.Method, sentence: str) -> None:
    with pytest.raises(vc.InputError, match=sentence):
        vc.fit(config(method), patterns(20), 0)


def test_values_outside_of_0_to_1_are_refused_before_training() -> None:
    with pytest.raises(vc.InputError, match=r"binary units need values in \[0, 1\], got 0 to 2 as they are scaled"):
        vc.fit(config(vc.RBM(4)), 2 * patterns(20), 0)


def test_rows_of_0_and_1_are_taken_as_they_are_and_others_into_0_to_1() -> None:
    rows = np.append(patterns(20), np.ones((20, 1), np.float32), axis=1)
    for scale, offset in ((1, 0), (30, -4)):
        made = vc.fit(vc.Config(vc.RBM(4, epochs=1), vc.PrepareConfig(validation=0.0)), scale * rows + offset, 0)
        assert made.config.prepare.scaling == "minmax"
        np.testing.assert_allclose(made.prepare(scale * rows + offset)[:, :-1], rows[:, :-1], atol=1e-6)


@pytest.mark.parametrize("kind", [vc.ContrastiveDivergence, vc.PersistentDivergence])
def test_a_sampler_takes_at_least_a_step(kind: type) -> None:
    with pytest.raises(vc.InputError, match="steps must be at least 1, got 0"):
        kind(steps=0)


@pytest.mark.long
def test_a_rate_that_falls_ends_near_nothing() -> None:
    run = vc.fit(config(vc.RBM(2, epochs=4)), patterns(40), 0)
    assert [row["rate"] for row in run.history] == pytest.approx([1.0, 0.75, 0.5, 0.25])
    run = vc.fit(config(replace(vc.RBM(2, epochs=2), decay=False)), patterns(40), 0)
    assert [row["rate"] for row in run.history] == [1.0, 1.0]


class Stop(vc.Callback):
    def __init__(self, epoch: int):
        self.left = epoch

    def on_epoch(self, rows: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise EOFError


@pytest.mark.long
@pytest.mark.parametrize(
    ("method", "epoch"),
    [(vc.RBM(3, epochs=4), 2), (vc.DBM((3, 2), pretrain_epochs=1, epochs=3), 3)],
    ids=["chains", "joint"],
)
def test_a_fit_that_goes_on_ends_with_the_same_bits(method: vc.Method, epoch: int, tmp_path: Path) -> None:
    """With the chains and offsets of where it stopped."""
    x, checkpoint = patterns(60), vc.Checkpoint(tmp_path)
    with pytest.raises(EOFError):
        vc.fit_seeds(config(method), x, [0, 1], checkpoint=checkpoint, callbacks=[Stop(epoch)])
    again = vc.fit_seeds(config(method), x, [0, 1], checkpoint=checkpoint)
    for run, other in zip(again, vc.fit_seeds(config(method), x, [0, 1]), strict=True):
        assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), run.params, other.params))
        assert run.history == other.history
