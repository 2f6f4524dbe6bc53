"""How stages end: early, with the best or the last state, or by divergence."""

from typing import Any

import jax
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import BURNING, config
from vaeclust_jax.fitting.fit import fit_stages

LIVELY = {"deterministic": True, "pretrain_epochs": 30, "joint_epochs": 12, "patience": 2, "learning_rate": 0.05}


def validation_loss(run: vc.Run, x: np.ndarray) -> float:
    """-ELBO of the held-out rows in float64, nothing sampled: Gaussian with one scale, closed-form KL."""
    rows = x[run.validation_index]
    mean, logvar = (np.asarray(a, np.float64) for a in run.heads.encode(run.params, run.prepare(rows)))
    log_std = float(run.params["likelihood"]["log_std"])
    residual = (run.prepare(rows) - run.reconstruct(rows).astype(np.float64)) / np.exp(log_std)
    nll = (0.5 * residual**2 + log_std + 0.5 * np.log(2 * np.pi)).sum(axis=1)
    kl = 0.5 * (mean**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)
    return float((nll + kl).mean())


def losses(run: vc.Run, stage: str) -> list[float]:
    return [row["val_loss"] for row in run.history if row["stage"] == stage]


@pytest.fixture(scope="module")
def patient(vectors: np.ndarray) -> dict[str, vc.Run]:
    stages = fit_stages(config(**LIVELY, stopping=vc.BestValidation()), vectors, [0])
    return {name: run for name, (run,) in stages.items()}


@pytest.mark.parametrize(("name", "stage"), [("kmeans", "vae"), ("joint", "joint")])
def test_patience_on_the_validation_loss_keeps_the_best_parameters(
    patient: dict[str, vc.Run], vectors: np.ndarray, name: str, stage: str
) -> None:
    of_epochs = losses(patient["joint"], stage)
    best = int(np.argmin(of_epochs))
    assert best < len(of_epochs) - 1, "the last epoch is the best: this test shows nothing"
    assert validation_loss(patient[name], vectors) == pytest.approx(of_epochs[best], rel=1e-4)
    assert of_epochs[-1] != pytest.approx(of_epochs[best], rel=1e-3)


def test_patience_ends_the_vae_stage_so_many_epochs_after_the_best(patient: dict[str, vc.Run]) -> None:
    of_epochs = losses(patient["joint"], "vae")
    assert len(of_epochs) == int(np.argmin(of_epochs)) + 1 + LIVELY["patience"] < LIVELY["pretrain_epochs"]


def test_a_deterministic_vae_trains(patient: dict[str, vc.Run]) -> None:
    rows = [row for row in patient["joint"].history if row["stage"] == "vae"]
    assert min(row["reconstruction"] for row in rows) < rows[0]["reconstruction"] - 1


@pytest.mark.long
@pytest.mark.parametrize("interval", [pytest.param(1, marks=pytest.mark.long), 2])
def test_settled_assignments_end_the_joint_stage_at_a_refresh_with_the_last_state(
    vectors: np.ndarray, interval: int
) -> None:
    common = {"update_target_interval": interval, "pretrain_epochs": 1}
    stopped = vc.fit(config(joint_epochs=9, tolerance=1.0, **common), vectors, jax.random.key(0))
    joint = [row for row in stopped.history if row["stage"] == "joint"]
    assert [row["epoch"] for row in joint] == list(range(1, interval + 1))
    assert [row["changed"] < 1 for row in joint] == [False] * (interval - 1) + [True]
    whole = vc.fit(config(joint_epochs=interval, tolerance=1.0, **common), vectors, jax.random.key(0))
    np.testing.assert_array_equal(stopped.params["centroids"], whole.params["centroids"])


@pytest.mark.long
def test_no_tolerance_runs_all_epochs(vectors: np.ndarray) -> None:
    run = vc.fit(config(tolerance=0.0, joint_epochs=7, pretrain_epochs=1), vectors, jax.random.key(0))
    assert sum(row["stage"] == "joint" for row in run.history) == 7


def diverged(settings: vc.Config, x: np.ndarray, **keywords: Any) -> tuple[str, dict[str, list[vc.Run]]]:
    with pytest.raises(vc.TrainingDivergedError) as caught:
        fit_stages(settings, x, [7], **keywords)
    for runs in caught.value.last_good.values():
        for run in runs:
            assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(run.params))
            np.testing.assert_allclose(run.predict_proba(x).sum(axis=1), 1, atol=1e-5)
    return str(caught.value), caught.value.last_good


def test_divergence_of_the_vae_names_its_place_and_keeps_a_model_and_the_history(vectors: np.ndarray) -> None:
    message, last_good = diverged(config(learning_rate=1e6), vectors)
    ((run,),) = last_good.values()
    last = run.history[-1]
    assert f"epoch {last['epoch']} of stage 'vae' (seed 7)" in message
    assert "kl" in message
    assert not np.isfinite(last["val_kl"])


@pytest.mark.long
def test_divergence_of_the_joint_stage_names_its_place_and_keeps_a_model_and_the_history(vectors: np.ndarray) -> None:
    settings = config(joint_epochs=20, tolerance=0.0, learning_rate=1e-3)
    message, last_good = diverged(settings, vectors, networks=BURNING)
    assert list(last_good) == ["kmeans", "joint"]
    (run,) = last_good["joint"]
    last = run.history[-1]
    assert last["stage"] == "joint"
    assert f"reconstruction turned non-finite in epoch {last['epoch']} of stage 'joint'" in message
    assert "seed 7" in message
    assert sum(row["stage"] == "vae" for row in run.history) == 2
    assert float(run.params["decoder"]["fuse"]) > 0


def test_what_is_kept_of_a_vae_that_diverged_is_what_a_shorter_training_gives(vectors: np.ndarray) -> None:
    """Its clusters are started with the key of that start, so that they have the same numbers."""
    _, last_good = diverged(config(joint_epochs=0, pretrain_epochs=5, halvings=0), vectors, networks=BURNING)
    (kept,) = last_good["kmeans"]
    epochs = kept.history[-1]["epoch"] - 1
    assert epochs == 2
    (whole,) = vc.fit_seeds(config(joint_epochs=0, pretrain_epochs=epochs), vectors, [7], networks=BURNING)
    for one, other in zip(jax.tree.leaves(kept.params), jax.tree.leaves(whole.params), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_last_step_that_overflows_is_divergence_too(vectors: np.ndarray) -> None:
    """One step an epoch: its loss was still finite, the latents after it are not."""
    settings = config(learning_rate=1e30, pretrain_epochs=1, batch_size=len(vectors), validation=0)
    with pytest.raises(vc.TrainingDivergedError, match=r"stage '(vae|kmeans)'"):
        fit_stages(settings, vectors, [7])


def test_a_divergence_of_outliers_does_not_blame_the_learning_rate_alone(vectors: np.ndarray) -> None:
    """One row counts nearly all, so that scaling is by it, and the others lie a thousand deviations away."""
    weight = np.ones(len(vectors))
    weight[0] = 1e8
    settings = config(pretrain_epochs=1, halvings=0, validation=0.0)
    message, _ = diverged(settings, vectors, sample_weight=weight)
    assert "prepared values reach" in message
    assert message.endswith("look for outliers first.")
