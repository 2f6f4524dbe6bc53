"""Weights that change while training: from the config to the history."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc
from vaeclust_jax.control.dynamic import Regime, dynamic
from vaeclust_jax.fitting.fit import fit_stages

X = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32) + 3 * np.repeat(np.eye(5)[:3], 20, axis=0)


def config(epochs: int, joint: int = 0, beta: float | str = 1.0, gamma: float | str = 100.0) -> vc.Config:
    method: vc.Method = vc.VAEKMeans(3, beta=beta, pretrain_epochs=epochs)
    if joint:
        rule = vc.Settled(tolerance=0.0)
        method = vc.DEC(3, beta=beta, gamma=gamma, pretrain_epochs=epochs, joint_epochs=joint, stopping=rule)
    return vc.Config(
        method,
        network=vc.MLP(hidden=(8,), latent_dim=2),
        training=vc.TrainingConfig(batch_size=16, patience=1, learning_rate=1e-2),
    )


def of(runs: list[vc.Run], seed: int, stage: str, name: str) -> list[float]:
    rows = [row for run in runs for row in run.history if (row["seed"], row["stage"]) == (seed, stage)]
    return [row[name] for row in rows]


@pytest.mark.long
def test_the_history_shows_the_weight_that_was_in_force():
    runs = vc.fit_seeds(config(4, 3, "linear:num_epochs=4", "linear:start=10,stop=40"), X, [0])
    assert of(runs, 0, "vae", "beta") == pytest.approx([0, 0.25, 0.5, 0.75])
    assert of(runs, 0, "joint", "beta") == [1, 1, 1], "goes on where the stage before ended"
    assert of(runs, 0, "joint", "gamma") == pytest.approx([10, 20, 30])
    for part in ("", "val_"):
        names = (f"{part}loss", f"{part}reconstruction", f"{part}kl", "beta")
        for whole, rec, kl, beta in zip(*(of(runs, 0, "vae", name) for name in names), strict=True):
            assert whole == pytest.approx(rec + beta * kl, rel=1e-5)


@pytest.mark.long
def test_a_changing_beta_never_stops_on_losses_that_do_not_compare():
    steady = vc.fit_seeds(config(40), X, [0])
    assert len(of(steady, 0, "vae", "loss")) < 40, "patience 1 stops a steady one"
    assert len(of(vc.fit_seeds(config(40, beta="linear"), X, [0]), 0, "vae", "loss")) == 40


@pytest.mark.long
def test_every_seed_has_a_controller_of_its_own_that_replays_its_own_losses():
    options = {"interval": 2, "warmup": 3, "a": 0.3}
    runs = vc.fit_seeds(config(25, beta="dynamic:interval=2,warmup=3,a=0.3"), X, [0, 1])
    for seed in (0, 1):
        rec, kl = of(runs, seed, "vae", "reconstruction"), of(runs, seed, "vae", "kl")
        rule = dynamic(**options)
        state = rule.init()
        for epoch, losses in enumerate(zip(rec, kl, strict=True)):
            assert of(runs, seed, "vae", "beta")[epoch] == pytest.approx(float(state.value), abs=1e-6)
            state, said = rule.update(state, dict(zip(("reconstruction", "kl"), map(jnp.float32, losses), strict=True)))
            assert of(runs, seed, "vae", "beta_regime")[epoch] == said["regime"]
            assert of(runs, seed, "vae", "beta_d_rec")[epoch] == pytest.approx(float(said["d_rec"]), abs=1e-4)
    assert {Regime.WAITING, Regime.REGULARISATION} <= set(of(runs, 0, "vae", "beta_regime"))


@pytest.mark.long
def test_the_same_seed_gives_the_same_bits_and_a_saved_model_predicts_the_same(tmp_path):
    stages = [fit_stages(config(6, 2, "dynamic:warmup=2,interval=1"), X, [3]) for _ in range(2)]
    first, second = (one["joint"][0] for one in stages)
    jax.tree.map(np.testing.assert_array_equal, first.params, second.params)
    first.save(tmp_path / "model")
    np.testing.assert_array_equal(vc.load(tmp_path / "model").predict(X), first.predict(X))


def test_one_compilation_whatever_the_controller_s_numbers():
    from vaeclust_jax.methods.vae import vae
    from vaeclust_jax.training.epoch import epoch_program
    from vaeclust_jax.training.stopping import NEVER

    networks = vc.MLP(hidden=(8,), latent_dim=2).build((5,))
    programs = {epoch_program(vae(networks, beta=dynamic(a=a, cap=5.0)), NEVER, 16) for a in (0.1, 0.2, 0.3)}
    assert len(programs) == 1
    assert programs != {epoch_program(vae(networks, beta=1.0), NEVER, 16)}


def test_a_weight_that_means_nothing_is_one_sentence():
    with pytest.raises(vc.InputError, match=r"beta: must be a number or one of .* 'dynamc' \(did you mean"):
        vc.fit_seeds(config(2, beta="dynamc"), X, [0])
