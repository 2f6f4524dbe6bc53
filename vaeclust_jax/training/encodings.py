"""What encoders say of a fixed set of rows, asked once for each distinct encoder."""

import hashlib
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, Int

from vaeclust_jax.streamed import HostRows
from vaeclust_jax.training.rows import encode_rows
from vaeclust_jax.training.shuffled import ShuffledBlocks
from vaeclust_jax.types import Heads, Params

Posterior = tuple[Float[np.ndarray, "n l"], Float[np.ndarray, "n l"]]
"""Means and log-variances."""


class Encodings:
    """Posteriors of all rows by encoder: models that differ in their clusters alone share theirs.

    Args:
        x: prepared rows, on the host.
    """

    def __init__(self, x: HostRows):
        self._x = x
        self._known: dict[tuple[Any, str], Posterior] = {}

    def of(self, heads: Heads, params: Params) -> Posterior:
        """Means and log-variances of all rows; not to be written to."""
        assert heads.encode is not None, "a model that encodes"
        which = (heads.encode, _digest(params["encoder"]))
        if which not in self._known:
            self._known[which] = encode_rows(heads, params, self._x)
        return self._known[which]


class TrainingRows:
    """The rows of a fit: see `types.Rows`.

    Args:
        x: as the programs read them.
        y: as `Batch.y`.
        index: of these rows among those of the encodings.
        encodings: of the whole data set.
        weight: what each row counts; None: all the same.
        blocks: the training rows, where x are a few of them; None: x are all.
    """

    def __init__(
        self,
        x: Array,
        y: Int[Array, " n"] | None,
        index: Int[np.ndarray, " n"],
        encodings: Encodings,
        weight: Float[np.ndarray, " n"] | None = None,
        blocks: ShuffledBlocks | None = None,
    ):
        self.x, self.y, self.weight, self.blocks = x, y, weight, blocks
        self._index, self._encodings = index, encodings

    def encode(self, heads: Heads, params: Params) -> Posterior:
        """Means and log-variances."""
        mean, logvar = self._encodings.of(heads, params)
        return mean[self._index], logvar[self._index]


def _digest(encoder: Params) -> str:
    """Of the numbers: a state that a program hands on is another object with the same encoder."""
    found = hashlib.sha256()
    for leaf in jax.device_get(jax.tree.leaves(encoder)):
        found.update(np.ascontiguousarray(leaf).tobytes())
    return found.hexdigest()
