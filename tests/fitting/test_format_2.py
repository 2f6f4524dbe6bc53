"""Model files of the format before methods were values: read as what they were, with the same predictions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vaeclust_jax as vc
from vaeclust_jax.networks import TorchStartMLP

FOLDER = Path(__file__).parent / "format2"
"""Written by the code of before, with what it then predicted."""
EPOCHS = {"pretrain_epochs": 1, "joint_epochs": 1}
BETA, WEIGHTS = {"beta": 1.0}, {"beta": 1.0, "gamma": 100.0}
METHODS = {
    "dec": vc.DEC(3, likelihood="gaussian", beta=1.0, gamma=7.0, **EPOCHS),
    "idec": vc.DEC(
        3, likelihood="gaussian", deterministic=True, beta=0.0, gamma=100.0, stopping=vc.BestValidation(), **EPOCHS
    ),
    "graph": vc.GraphDEC(
        3,
        likelihood="gaussian",
        vote=True,
        num_prototypes=2,
        degrees=3.0,
        stopping=vc.Settled(0.0),
        value_share=0.0,
        **WEIGHTS,
        **EPOCHS,
    ),
    "vade": vc.VaDE(3, likelihood="gaussian", start=vc.EMStart(deterministic=True), **BETA, **EPOCHS),
    "vade-graph": vc.VaDE(3, likelihood="gaussian", start=vc.GraphStart(), **BETA, **EPOCHS),
    "mixture": vc.VAEMixture(3, likelihood="gaussian", covariance="diag", pretrain_epochs=1, **BETA),
    "kmeans": vc.VAEKMeans(3, likelihood="gaussian", pretrain_epochs=1, **BETA),
    "torch-start": vc.DEC(3, likelihood="gaussian", **WEIGHTS, **EPOCHS),
}


def test_every_file_is_tried() -> None:
    assert {path.stem for path in FOLDER.glob("*.vaeclust")} == set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_it_is_read_as_what_it_was(name: str, tmp_path: Path) -> None:
    run = vc.load(FOLDER / f"{name}.vaeclust")
    assert run.config.method == replace(METHODS[name], compactness="sum")
    assert run.config.training == vc.TrainingConfig(batch_size=8)
    assert isinstance(run.config.network, TorchStartMLP if name == "torch-start" else vc.MLP)
    with np.load(FOLDER / "answers.npz") as answers:
        np.testing.assert_allclose(run.predict_proba(answers["x"]), answers[name], atol=1e-6)
    run.save(tmp_path / "again")
    assert vc.load(tmp_path / "again").config == run.config
