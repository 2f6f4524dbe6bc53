"""What processes of one fit have in common: one that goes on from another's checkpoint, or those beside each other."""

import hashlib
import json
from typing import Any

import jax
import numpy as np

from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.config_json import config_to_json
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.types import Key


def identity_of(
    config: Config, keys: Key, data: Prepared, known: np.ndarray | None, hints: Hints | None
) -> dict[str, Any]:
    """Everything but the networks' code, as JSON; `known`: labels of the training rows, -1 where there are none."""
    identity = {
        **config_to_json(config),
        "keys": jax.random.key_data(keys).tolist(),
        "data": {
            "train": data.facts.digest,
            "validation": data.validation_digest,
            "partial_labels": None if known is None else hashlib.sha256(known.tobytes()).hexdigest(),
        },
    }
    if data.weight is not None:  # the key is new, and checkpoints of fits without weights lack it
        identity["data"]["sample_weight"] = hashlib.sha256(data.weight.tobytes()).hexdigest()
    if hints is not None:  # likewise
        identity["data"]["hints"] = hints.digest
    return identity


def check_same(identity: dict[str, Any]) -> None:
    """Whether all processes fit the same: each lays its part of what it has over devices that they share.

    Raises:
        InputError: one has other data or settings than the first; in all of them, so that none waits.
    """
    from jax.experimental.multihost_utils import process_allgather

    own = np.frombuffer(hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).digest(), np.uint8)
    digests = process_allgather(own)
    if other := np.flatnonzero((digests != digests[0]).any(axis=1)).tolist():
        raise InputError(
            f"process {other[0]} was given other data, settings or seeds than process 0: give all processes the same"
        )
