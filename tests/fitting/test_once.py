"""Work is done once: rows are prepared, read and encoded no more often than they have to be."""

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import config, squares
from tests.studies.conftest import tiny
from vaeclust_jax.data import prepare
from vaeclust_jax.experiments import EXPERIMENTS
from vaeclust_jax.fitting import prepared
from vaeclust_jax.studies import execute as studies
from vaeclust_jax.training import encodings

GRAPH = {"method": "graph", "vote": True, "tolerance": 0.0}


class Counted:
    """How often a function was called with how many rows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, which: int):
        self.rows: list[int] = []
        original = getattr(module, name)

        def counting(*given: Any, **more: Any) -> Any:
            self.rows.append(len(given[which]))
            return original(*given, **more)

        monkeypatch.setattr(module, name, counting)


@pytest.mark.long
def test_a_study_of_three_seeds_that_vote(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """vaegraph with three seeds: three encoders each (the VAE's, the joint one, that after the vote)."""
    resized = Counted(monkeypatch, prepare, "resize_images", 0)
    encoded = Counted(monkeypatch, encodings, "encode_rows", 2)
    read = Counted(monkeypatch, prepared, "_facts", 0)
    experiment, dataset = EXPERIMENTS["vaegraph"], tiny()
    settings = config(network="mlp", image_size=(6, 6), **GRAPH)
    studies.execute(
        experiment,
        settings,
        studies.parts_of(experiment, settings, dataset),
        [0, 1, 2],
        tmp_path,
        say=lambda line: None,
    )
    n = len(dataset.x)
    assert [rows for rows in resized.rows if rows == n] == [n]
    assert encoded.rows == [n] * 9
    assert len(read.rows) == 1
    assert json.loads((tmp_path / "metrics.json").read_text())["method"] == "vaegraph"


@pytest.mark.long
def test_equal_encoders_are_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = Counted(monkeypatch, encodings, "encode_rows", 2)
    run = vc.fit(config(method="mixture", pretrain_epochs=1), squares()[0], jax.random.key(0))
    assert len(encoded.rows) == 1  # k-means, the mixture, and the clusters of both
    assert np.isfinite(run.cluster_mean).all()
