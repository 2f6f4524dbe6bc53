"""What bfloat16 arithmetic costs in accuracy: rows of case G that any machine can measure."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import vaeclust_jax as vc
from benchmarks.case import Effort, Row
from benchmarks.timing import measured
from vaeclust_jax.metrics import compare, scores
from vaeclust_jax.networks import NETWORKS

DTYPES = ("float32", "bfloat16")


def accuracy_rows(effort: Effort, networks: Sequence[str]) -> Iterator[Row]:
    """ACC and NMI of clusterings of the digits with bfloat16 networks, beside float32 for the same seeds.

    Args:
        effort: how many seeds and epochs.
        networks: "mlp" and "conv", or one of them.
    """
    num_seeds, epochs = (10, 30) if effort.full else (2, 1) if effort.smoke else (2, 5)
    for network in networks:
        found = {dtype: _scores(network, dtype, num_seeds, epochs) for dtype in DTYPES}
        for score in ("acc", "nmi"):
            wide, narrow = ([one[score] for one in found[dtype]] for dtype in DTYPES)
            difference, interval = compare(narrow, wide)[:2]
            low, high = interval or (difference, difference)
            beside = f"{np.mean(narrow):.3f} in the mean, {np.mean(wide):.3f} in float32; paired difference"
            note = f"{beside} {difference:+.3f}, 95 % {low:+.3f} to {high:+.3f}"
            yield Row(
                case="G",
                what=f"{score.upper()} with bfloat16, digits, {network}, {num_seeds} seeds, {epochs} + {epochs} epochs",
                unit="",
                ours=measured(narrow),
                note=note,
                details={"float32": wide, "bfloat16": narrow, "difference": difference, "interval": interval},
            )


def _scores(network: Any, dtype: Any, num_seeds: int, epochs: int) -> list[dict[str, Any]]:
    digits = vc.data.load("digits")
    config = vc.Config(
        vc.DEC(10, pretrain_epochs=epochs, joint_epochs=epochs),
        prepare=vc.PrepareConfig(image_size=(32, 32) if network == "conv" else None),
        network=NETWORKS[network](compute_dtype=dtype),
    )
    runs = vc.fit_seeds(config, digits.x, range(num_seeds))
    return [scores(digits.y, run.predict(digits.x), None) for run in runs]
