"""The bars of a run: one for every stage that has epochs, whatever it is called."""

from types import SimpleNamespace

import pytest

import vaeclust_jax as vc
from tests.fitting.made import blobs, config
from vaeclust_jax.cli.progress import Reporter


@pytest.mark.parametrize("method", ["dec", pytest.param("graph", marks=pytest.mark.long), "classifier"])
def test_every_stage_has_a_bar_of_its_epochs(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = blobs()
    if method == "classifier":
        settings = vc.Config(vc.METHODS["classifier"](epochs=3), network=vc.MLP(hidden=(16,), latent_dim=2))
    else:
        more = {"vote": True} if method == "graph" else {}
        settings = config(method=method, pretrain_epochs=3, joint_epochs=2, tolerance=0.0, **more)
    reporter = Reporter(quiet=True)
    bars: list[tuple[str, int]] = []
    drawn = SimpleNamespace(
        add_task=lambda stage, total, losses: bars.append((stage, total)), update=lambda *_, **__: None
    )
    monkeypatch.setattr(reporter, "_progress", drawn)
    labels = y if method == "classifier" else None
    vc.fit_seeds(settings, x, [0, 1], partial_labels=labels, callbacks=[reporter])
    expected = {
        "dec": [("vae", 3), ("joint", 2)],
        "graph": [("vae", 3), ("joint", 2), ("shared-joint", 2)],
        "classifier": [("classifier", 3)],
    }
    assert bars == expected[method]
