"""`verbose`: bars on stderr, and in a notebook; silent unless they are asked for."""

from typing import Any

import nbformat
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import assert_same_bits, calling, config
from vaeclust_jax.estimators import VAEKMeans


def test_bars_are_drawn_on_stderr_when_they_are_asked_for(
    fitted: vc.Run, vectors: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    epochs = []
    run = vc.fit(config(), vectors, 3, callbacks=[calling(epochs.append)], verbose=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("vae" in err, "joint" in err, err.count("2/2")) == (True, True, 2)
    assert f"loss {run.history[-1]['loss']:.4g}" in " ".join(err.split())
    assert len(epochs) == 4
    assert_same_bits(run, fitted)
    vc.fit(config(), vectors, 3)
    assert capsys.readouterr() == ("", "")


@pytest.mark.long
@pytest.mark.parametrize("choose", [vc.choose_num_clusters, vc.choose_augment])
def test_choices_have_it_too(images: np.ndarray, capsys: pytest.CaptureFixture[str], choose: Any) -> None:
    key = {"key": 0, "candidates": (2, 3)} if choose is vc.choose_num_clusters else {"seeds": (0, 1)}
    for verbose in (True, False):
        choose(config(pretrain_epochs=2), images, **key, verbose=verbose)
        out, err = capsys.readouterr()
        assert (out, "2/2" in err) == ("", verbose)


def test_a_refused_fit_draws_nothing(vectors: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(vc.InputError, match="num_clusters must be at least 1"):
        vc.fit_seeds(config(num_clusters=0), vectors, [0], verbose=True)
    assert capsys.readouterr().err.strip() == ""


@pytest.mark.long
def test_estimators_have_it_too(vectors: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    VAEKMeans(3, hidden=(16,), latent_dim=2, pretrain_epochs=2, batch_size=32, verbose=True).fit(vectors)
    assert "2/2" in capsys.readouterr().err
    with pytest.raises(ValueError, match="verbose"):
        VAEKMeans(3, verbose="much").fit(vectors)


@pytest.mark.long
def test_a_notebook_shows_the_bars() -> None:
    from nbclient import NotebookClient

    code = """
import numpy as np, vaeclust_jax as vc
x = np.random.default_rng(0).normal(size=(60, 4))
config = vc.Config(vc.VAEKMeans(2, pretrain_epochs=3), network=vc.MLP(hidden=(8,)))
run = vc.fit(config, x, 0, verbose=True)
vc.plot.history(run)
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    shown = notebook.cells[0].outputs
    assert any("3/3" in str(one.get("data", {}).get("text/html", "")) for one in shown)
    assert "image/png" in shown[-1]["data"]
