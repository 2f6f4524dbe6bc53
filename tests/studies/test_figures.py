"""Captions say what a figure shows."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vaeclust_jax.studies.figures import loss_picture, reconstruction_picture


@pytest.mark.parametrize(("held_out", "caption"), [(4, "Held-out samples over"), (0, "Samples that were trained on,")])
def test_reconstructions_are_called_held_out_where_some_are(held_out: int, caption: str) -> None:
    x = np.random.default_rng(0).random((24, 3)).astype(np.float32)
    validation, train = np.split(np.arange(len(x)), [held_out])
    run: Any = SimpleNamespace(
        validation_index=validation, train_index=train, heads=None, params=None, decode=lambda mean: mean / 2
    )
    data: Any = SimpleNamespace(rows=x, encodings=SimpleNamespace(of=lambda heads, params: (x, None)))
    assert reconstruction_picture(run, data).caption.startswith(caption)


@pytest.mark.parametrize("seeds", [1, 2])
def test_one_seed_has_no_mean_among_its_losses(seeds: int) -> None:
    history = [
        {"seed": seed, "stage": "vae", "epoch": 1 + epoch, "loss": 1.0} for seed in range(seeds) for epoch in (0, 1)
    ]
    assert ("their mean" in loss_picture("vaedec", history).caption) == (seeds > 1)
