"""The bars of a run: one for every stage that has epochs, whatever it is called."""

from types import SimpleNamespace

import pytest
from vaeclust_jax.fitting.stages import plan

from tests.fitting.made import LINEAR, N, config
from vaeclust_jax.cli.progress import Reporter


@pytest.mark.parametrize("clustering", ["dec", "vade", "graph"])
def test_every_stage_has_a_bar_of_its_epochs(clustering: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config(clustering=clustering, vote=True, likelihood="gaussian", pretrain_epochs=3, joint_epochs=2)
    reporter = Reporter(settings.training, quiet=True)
    bars: list[tuple[str, int]] = []
    drawn = SimpleNamespace(
        add_task=lambda stage, total, losses: bars.append((stage, total)), update=lambda *_, **__: None
    )
    monkeypatch.setattr(reporter, "_progress", drawn)
    stages = [stage for stage in plan(settings, LINEAR, N, True, num_seeds=2) if stage.num_epochs > 0]
    for stage in stages:
        reporter.on_epoch([{"seed": 0, "stage": stage.name, "epoch": 1, "loss": 1.0}])
    assert bars == [(stage.name, stage.num_epochs) for stage in stages]
    assert len(bars) == (3 if clustering == "graph" else 2)
