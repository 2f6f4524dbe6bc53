"""`fit(..., checkpoint=...)`: 2N epochs are N, an end, and N more, bit for bit, for every learner and stage."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import assert_same_bits, blobs, calling, config
from vaeclust_jax.fitting.fit import fit_stages

LEARNERS = {
    "vaedec": config(tolerance=0.0),
    "deterministic": config(deterministic=True, tolerance=0.0),
    "vade": config(method="vade", tolerance=0.0),
    "dynamic": config(beta="dynamic:interval=2", gamma="linear", tolerance=0.0),
}


class EndedError(Exception):
    pass


def ending_after(count: int) -> vc.Callback:
    epochs: list[int] = []

    def on_epoch(rows: Any) -> None:
        epochs.append(1)
        if len(epochs) == count:
            raise EndedError

    return calling(on_epoch)


@pytest.mark.long
@pytest.mark.parametrize("die_after", [1, pytest.param(2, marks=pytest.mark.slow), 3])
@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_goes_on_in_every_stage(name: str, die_after: int, tmp_path: Path) -> None:
    x, _ = blobs()
    settings, seeds = LEARNERS[name], [3, 5]
    expected = fit_stages(settings, x, seeds)
    checkpoint = vc.Checkpoint(tmp_path)
    with pytest.raises(EndedError):
        fit_stages(settings, x, seeds, checkpoint=checkpoint, callbacks=[ending_after(die_after)])
    found = fit_stages(settings, x, seeds, checkpoint=checkpoint)
    assert list(found) == list(expected)
    for stage in expected:
        for one, other in zip(found[stage], expected[stage], strict=True):
            assert_same_bits(one, other)


@pytest.mark.long
def test_the_semi_supervised_goes_on(tmp_path: Path) -> None:
    x, y = blobs()
    told = np.where(np.arange(len(x)) % 5 == 0, y, -1)
    settings = config(beta="dynamic:interval=2", tolerance=0.0)
    expected = vc.fit(settings, x, jax.random.key(0), partial_labels=told)
    with pytest.raises(EndedError):
        vc.fit(
            settings, x, jax.random.key(0), partial_labels=told, checkpoint=vc.Checkpoint(tmp_path),
            callbacks=[ending_after(1)],
        )  # fmt: skip
    found = vc.fit(settings, x, jax.random.key(0), partial_labels=told, checkpoint=vc.Checkpoint(tmp_path))
    assert_same_bits(found, expected)


@pytest.mark.long
def test_other_settings_data_or_keys_are_refused_by_name(tmp_path: Path) -> None:
    x, _ = blobs()
    settings, checkpoint = config(joint_epochs=0, pretrain_epochs=1), vc.Checkpoint(tmp_path)
    vc.fit(settings, x, jax.random.key(0), checkpoint=checkpoint)
    for change, words in (
        ({"settings": config(joint_epochs=0, pretrain_epochs=1, beta=2.0)}, "method.beta was 1.0 and is 2.0"),
        ({"x": x + 1}, "data.train is another"),
        ({"key": jax.random.key(1)}, r"keys was \[\[0, 0\]\] and is \[\[0, 1\]\]"),
    ):
        call = {"settings": settings, "x": x, "key": jax.random.key(0)} | change
        with pytest.raises(vc.InputError, match=words):
            vc.fit(call["settings"], call["x"], call["key"], checkpoint=checkpoint)


@pytest.mark.long
def test_a_guarded_fit_goes_on_at_its_lower_learning_rate(tmp_path: Path) -> None:
    x, _ = blobs()
    wild = config(learning_rate=3e18, joint_epochs=0, pretrain_epochs=3, patience=100)
    wild = replace(wild, training=replace(wild.training, halvings=100))
    expected = vc.fit(wild, x, jax.random.key(0))
    assert np.isfinite([row["loss"] for row in expected.history]).all()
    with pytest.raises(EndedError):
        vc.fit(wild, x, jax.random.key(0), checkpoint=vc.Checkpoint(tmp_path), callbacks=[ending_after(1)])
    assert_same_bits(vc.fit(wild, x, jax.random.key(0), checkpoint=vc.Checkpoint(tmp_path)), expected)
