"""Shall the encoder be taught to forget how images are moved? Chosen without labels, by what the graph then says."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from vaeclust_jax.data import Rows, checked_rows
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.fit import OnEpoch, fit
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.training.graph_start import posterior_of
from vaeclust_jax.types import Key, Networks
from vaeclust_jax.uncertainty.ensemble import pairwise_agreement

STRENGTHS = (0.0, 1.0)
NUM_GRAPHS = 4
MAX_ROWS = 10_000
"""Rows that a graph is judged on: there are several, and their merge takes longest."""


class AugmentChoice(NamedTuple):
    """A strength of views, and why.

    Attributes:
        augment: as `ModelConfig.augment`.
        stability: of each strength tried, how far the clusters of graphs from independent draws agree: the mean
            adjusted Rand index of all pairs.
        reason: in a sentence.
    """

    augment: float
    stability: dict[float, float]
    reason: str

    def record(self) -> dict[str, Any]:
        """As `metrics.json` holds it."""
        return self._asdict()


def choose_augment(
    config: Config,
    x: Any,
    key: Key,
    *,
    candidates: Sequence[float] = STRENGTHS,
    networks: Networks | None = None,
    on_epoch: OnEpoch | None = None,
) -> AugmentChoice:
    """Trains the config's VAE alone under each strength of views; the one whose graph is the most stable wins.

    A graph is made of draws of the codes and of the views. Where its clusters are those of the data, other draws find
    them again; where views make one thing of two, or the lack of them two of one, they do not. On digits, COIL-20 and
    training images of MNIST, whose labels were looked at, this chose what had the higher accuracy.

    Args:
        config: K and the settings of the VAE; its `augment` is not used.
        x: raw data, as for `fit`.
        key: of `jax.random.key`.
        candidates: strengths to try; the first wins ties, and no view is of vectors: they have 0 alone.
        networks: as for `fit`.
        on_epoch: as for `fit`.

    Raises:
        InputError: no strength to try, or as `fit`.
        TrainingDivergedError: as `fit`.
    """
    raw = checked_rows(x)
    candidates = [float(strength) for strength in candidates if raw.ndim == 4 or strength == 0]
    if not candidates:
        raise InputError(f"candidates must hold a strength, 0 for vectors, got {candidates}")
    if len(candidates) == 1:
        return AugmentChoice(candidates[0], {}, f"augment {candidates[0]:g}: there is nothing else to choose from.")
    vae_key, graphs_key = jax.random.split(key)
    stability = {}
    for strength in candidates:
        model = replace(config.model, augment=strength, clustering="dec", joint_reconstruction=True)
        alone = replace(config, model=model, training=replace(config.training, joint_epochs=0))
        run = fit(alone, raw, vae_key, networks=networks, on_epoch=on_epoch)
        stability[strength] = _stability(graphs_key, run, raw[run.train_index], config.num_clusters)
    best = max(candidates, key=lambda strength: stability[strength])
    others = ", ".join(f"{value:.3f} with {one:g}" for one, value in stability.items() if one != best)
    reason = (
        f"augment {best:g}: clusters of graphs from {NUM_GRAPHS} sets of draws agree best (adjusted Rand index "
        f"{stability[best]:.3f}; {others})."
    )
    return AugmentChoice(best, stability, reason)


def _stability(key: Key, run: Run, raw: Rows, num_clusters: int) -> float:
    from vaeclust_jax.graph.clusters import graph_clusters  # scipy and scikit-learn take long to import
    from vaeclust_jax.graph.neighbours import posterior_graph

    rows_key, *graph_keys = jax.random.split(key, NUM_GRAPHS + 1)
    if len(raw) > MAX_ROWS:
        raw = raw[np.sort(np.asarray(jax.random.permutation(rows_key, len(raw))[:MAX_ROWS]))]
    rows = run.preparation.rows(raw)
    graphs = [posterior_graph(posterior_of(key, run.learner, run.params, rows)) for key in graph_keys]
    agreement = pairwise_agreement(np.stack([graph_clusters(graph, num_clusters) for graph in graphs]))
    assert agreement is not None, "there are several graphs"
    return agreement
