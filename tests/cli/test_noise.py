"""Noise from a run to a table."""

import csv
from pathlib import Path

import numpy as np
import pytest

import vaeclust_jax as vc
from tests.cli.test_hints import Run
from tests.fitting.made import config
from tests.graph.test_noise import with_noise
from vaeclust_jax.errors import InputError


@pytest.mark.long
def test_a_run_cuts_and_predicts_with_noise(vaeclust: Run, tmp_path: Path) -> None:
    x, _ = with_noise(1, 200, 40)
    run = vc.fit(config(method="graph", num_clusters=2), x, 0)
    noise, labels = run.noise(), run.cut(3, noise=True)
    assert (labels[noise] == -1).all()
    np.testing.assert_array_equal(labels[~noise], run.cut(3)[~noise])
    with pytest.raises(InputError, match="num_clusters must lie in 1 to"):
        run.cut(10**6, noise=True)
    run.save(tmp_path / "model.vaeclust")
    np.savez(tmp_path / "new.npz", x=x)
    words = ("predict", tmp_path / "model.vaeclust", tmp_path / "new.npz", "--noise", "--out", tmp_path / "labels.csv")
    code, _, err = vaeclust(*words)
    assert code == 0, err
    cells = [row["cluster"] for row in csv.DictReader((tmp_path / "labels.csv").open())]
    assert [cell == "noise" for cell in cells] == run.noise(x).tolist()
    assert {*cells} - {"noise"} <= {"0", "1"}
    vc.fit(config(num_clusters=2), x, 0).save(tmp_path / "other.vaeclust")
    code, _, err = vaeclust("predict", tmp_path / "other.vaeclust", *words[2:-1], tmp_path / "none.csv")
    assert code == 2
    assert "there is no tree to cut" in err
