"""`partial_fit`: data that come in parts, with a sample of all that came."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import jax
import numpy as np
from sklearn.base import _fit_context

from vaeclust_jax.errors import InputWarning
from vaeclust_jax.estimators.base import DeepClusterer
from vaeclust_jax.estimators.inputs import samples
from vaeclust_jax.fitting.callback import Callback
from vaeclust_jax.fitting.streaming import Momentum, one_more_epoch
from vaeclust_jax.graph.hints import Hints

RESERVOIR = 2048
"""Rows kept of all parts."""


class Stream(NamedTuple):
    """What a call hands to the next."""

    rng: np.random.Generator
    reservoir: np.ndarray
    """Prepared rows, each row that came being there with the same probability."""
    seen: int
    momentum: Momentum | None


class StreamingClusterer(DeepClusterer):
    """Base of those whose clusters are trained with the networks."""

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Goes on with another part of the data; y is not read.

        The first part is fitted as `fit` does it, and decides how vectors are scaled. With each further one networks
        and clusters are trained for an epoch on it and on as many rows of a reservoir of all parts as that holds; the
        target is that of both, so that clusters which a part lacks are not forgotten. Parts of equal length share a
        program. `labels_` are those of the part. After `fit` or `load`, which keep no rows, it begins anew with an
        `InputWarning`.

        Raises:
            ValueError: X or a parameter that cannot be used.
            TrainingDivergedError: a loss turned non-finite.
        """
        if not hasattr(self, "_stream"):
            if hasattr(self, "_packed"):
                warnings.warn(
                    "partial_fit begins anew and forgets what fit or load gave, which keep no rows: give the first "
                    "part to partial_fit, too",
                    InputWarning,
                    stacklevel=3,
                )
            x = samples(self, X, self.image_shape, reset=True)
            self._fit(x)
            rng = np.random.default_rng(self.history_[0]["seed"])
            rows = self._run().prepare(x)
            self._stream = _joined(Stream(rng, rows[:0], 0, None), rows)
            return self
        x = samples(self, X, self.image_shape)
        run, stream = self._run(), self._stream
        rows = run.prepare(x)
        # With replacement while the reservoir fills: as many rows in every call, and one program.
        again = stream.reservoir[stream.rng.integers(len(stream.reservoir), size=RESERVOIR)]
        key = jax.random.key(int(stream.rng.integers(2**32)))
        run, momentum = one_more_epoch(run, np.concatenate([rows, again]), key, stream.momentum)
        self._stream = _joined(stream._replace(momentum=momentum), rows)
        self._packed = run.pack()
        self.labels_ = run.predict(x)
        self.cluster_centers_ = run.centroids
        self.history_ = [*self.history_, *run.history]
        self.n_iter_ = len(self.history_)
        return self

    def _fit(
        self,
        x: np.ndarray,
        callbacks: Sequence[Callback] = (),
        sample_weight: Any = None,
        partial_labels: Any = None,
        hints: Hints | None = None,
    ) -> Self:
        if hasattr(self, "_stream"):  # `fit` begins anew
            del self._stream
        return super()._fit(x, callbacks, sample_weight, partial_labels, hints)


def _joined(stream: Stream, rows: np.ndarray) -> Stream:
    """Algorithm R (Vitter 1985)."""
    free = max(RESERVOIR - len(stream.reservoir), 0)
    kept = np.concatenate([stream.reservoir, rows[:free]])
    seen = stream.seen + len(rows[:free])
    for row in rows[free:]:
        seen += 1
        place = int(stream.rng.integers(seen))
        if place < RESERVOIR:
            kept[place] = row
    return stream._replace(reservoir=kept, seen=seen)
