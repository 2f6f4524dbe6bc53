"""Shall the encoder be taught to forget how images are moved? Chosen without labels, by what the graph then says."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from vaeclust_jax.data import Rows, checked_rows
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.fit import OnEpoch, fit_seeds
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.training.graph_start import posterior_of
from vaeclust_jax.types import Key, Networks
from vaeclust_jax.uncertainty.ensemble import pairwise_agreement

STRENGTHS = (0.0, 1.0)
SEEDS = (0, 1, 2)
NUM_GRAPHS, NUM_DRAWS = 4, 16
MAX_ROWS = 10_000
"""Rows that a graph is judged on: there are several, and their merge takes longest."""

_GRAPHS = 2**32 - 6  # folded into a seed's key, whose stages count from 0


class Tried(NamedTuple):
    """What graphs from independent draws say of the clusters under one strength of views.

    Attributes:
        augment: the strength.
        stability: how far the graphs' clusters agree, the mean adjusted Rand index of all pairs.
        gap: mean log of what it would cost to merge two of the K clusters over what the last merge did.
    """

    augment: float
    stability: float
    gap: float

    @property
    def score(self) -> float:
        """The higher, the better."""
        return self.stability + self.gap


class AugmentChoice(NamedTuple):
    """A strength of views, and why.

    Attributes:
        augment: as `ModelConfig.augment`.
        tried: every strength with its scores.
        reason: in a sentence.
    """

    augment: float
    tried: tuple[Tried, ...]
    reason: str

    def record(self) -> dict[str, Any]:
        """As `metrics.json` holds it."""
        return {**self._asdict(), "tried": [{**one._asdict(), "score": one.score} for one in self.tried]}


def choose_augment(
    config: Config,
    x: Any,
    seeds: Sequence[int] = SEEDS,
    *,
    candidates: Sequence[float] = STRENGTHS,
    networks: Networks | None = None,
    on_epoch: OnEpoch | None = None,
) -> AugmentChoice:
    """Trains the config's VAE alone under each strength of views; the one whose graph shows K clusters best wins.

    A graph is made of draws of the codes and of the views. Where its clusters are those of the data, other draws find
    them again, and two of them are far dearer to merge than what was merged last; where views make one thing of two, or
    the lack of them two of one, they are not. That the two are added was decided with labels of digits, COIL-20 and
    training images of MNIST in view.

    Args:
        config: K and the settings of the VAE; its `augment` is not used.
        x: raw data, as for `fit`.
        seeds: of the VAEs, as for `fit_seeds`, trained as one program. What graphs say differs from one VAE to
            the next, on some data by more than views change it: the scores are means over the seeds.
        candidates: strengths to try; the first wins ties, and no view is of vectors: they have 0 alone.
        networks: as for `fit`.
        on_epoch: as for `fit`.

    Raises:
        InputError: no strength to try, or as `fit`.
        TrainingDivergedError: as `fit`.
    """
    raw = checked_rows(x)
    possible = [float(strength) for strength in candidates if raw.ndim == 4 or strength == 0]
    if not possible:
        raise InputError(f"candidates must hold a strength, 0 for vectors, got {list(candidates)}")
    if len(possible) == 1:
        return AugmentChoice(possible[0], (), f"augment {possible[0]:g}: there is nothing else to choose from.")
    tried = []
    for strength in possible:
        model = replace(config.model, augment=strength, clustering="dec", joint_reconstruction=True)
        alone = replace(
            config,
            prepare=replace(config.prepare, stratify=False),  # which would read labels
            model=model,
            training=replace(config.training, joint_epochs=0),
        )
        runs = fit_seeds(alone, raw, seeds, networks=networks, on_epoch=on_epoch)
        judged = [
            _judged(jax.random.fold_in(jax.random.key(seed), _GRAPHS), run, raw[run.train_index], config.num_clusters)
            for seed, run in zip(seeds, runs, strict=True)
        ]
        tried.append(Tried(strength, *np.mean(judged, axis=0).tolist()))
    best = max(tried, key=lambda one: one.score)
    others = ", ".join(f"{_said(one)} with {one.augment:g}" for one in tried if one is not best)
    reason = f"augment {best.augment:g}: its graphs show {config.num_clusters} clusters best ({_said(best)}; {others})."
    return AugmentChoice(best.augment, tuple(tried), reason)


def _said(tried: Tried) -> str:
    return f"agreement {tried.stability:.3f} + log gap {tried.gap:.3f}"


def _judged(key: Key, run: Run, raw: Rows, num_clusters: int) -> tuple[float, float]:
    """Stability and gap."""
    from vaeclust_jax.graph.clusters import merged_clusters  # scipy and scikit-learn take long to import
    from vaeclust_jax.graph.neighbours import posterior_graph

    rows_key, *graph_keys = jax.random.split(key, NUM_GRAPHS + 1)
    if len(raw) > MAX_ROWS:
        raw = raw[np.sort(np.asarray(jax.random.permutation(rows_key, len(raw))[:MAX_ROWS]))]
    rows = run.preparation.rows(raw)
    posteriors = [posterior_of(key, run.learner, run.params, rows) for key in graph_keys]
    graphs = [posterior_graph(posterior, NUM_DRAWS) for posterior in posteriors]
    found = [merged_clusters(graph, num_clusters) for graph in graphs]
    agreement = pairwise_agreement(np.stack([one.labels for one in found]))
    assert agreement is not None, "there are several graphs"
    return agreement, float(np.mean([one.gap for one in found]))
