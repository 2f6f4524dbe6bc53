"""Shall the encoder be taught to forget how images are moved? Chosen without labels, by what the graph then says."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product
from typing import Any, NamedTuple

import jax
import numpy as np

from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.callback import Callback
from vaeclust_jax.fitting.config import Config, with_method
from vaeclust_jax.fitting.fit import fit_seeds
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.progress import shown
from vaeclust_jax.fitting.resolve import prepared_for
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.keys import VIEW_GRAPHS, VIEW_ROWS, checked_seeds, key_of
from vaeclust_jax.methods.graph_starts import posterior_of
from vaeclust_jax.methods.method import check_graph
from vaeclust_jax.selection.num_clusters import vae_alone
from vaeclust_jax.types import Key, Networks
from vaeclust_jax.uncertainty.neighbours import outside_share

STRENGTHS = (0.0, 1.0)
SEEDS = (1_000_000, 1_000_001, 1_000_002)
"""Far from those that people count from 0: what is reported must not be what the choice was made by."""
NUM_GRAPHS = 2
MAX_ROWS = 10_000
"""Rows that a choice trains on and judges graphs of."""

_MOVABLE = 16  # pixels
_LEAST = 1e-4  # of disagreement and cut: of the log of nothing


class Tried(NamedTuple):
    """What the graphs of several VAEs say of the clusters under one strength of views.

    Attributes:
        augment: the strength.
        agreement: of the clusters of different seeds' graphs, the mean adjusted Rand index of all pairs.
        cut: share of the graphs' edge weight that leads from one cluster to another, the geometric mean; above 0.
        gap: mean log of what it would cost to merge two of the K clusters over what the last merge did.
    """

    augment: float
    agreement: float
    cut: float
    gap: float

    @property
    def score(self) -> float:
        """gap - log((1 - agreement) cut), the higher, the better."""
        return self.gap - float(np.log(max(1 - self.agreement, _LEAST) * self.cut))


class AugmentChoice(NamedTuple):
    """A strength of views, and why.

    Attributes:
        augment: as `VAEMethod.augment`.
        tried: every strength with its scores.
        reason: in a sentence.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(60, 4))  # vectors, which have no views
        >>> vc.choose_augment(vc.Config(vc.GraphDEC(2)), x).augment
        0.0
    """

    augment: float
    tried: tuple[Tried, ...]
    reason: str

    def record(self) -> dict[str, Any]:
        """As `metrics.json` holds it."""
        return {**self._asdict(), "tried": [{**one._asdict(), "score": one.score} for one in self.tried]}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "AugmentChoice":
        """From its record."""
        tried = (Tried(**{name: one[name] for name in Tried._fields}) for one in record["tried"])
        return cls(**{**record, "tried": tuple(tried)})


def choose_augment(
    config: Config,
    x: Any,
    seeds: Sequence[int] = SEEDS,
    *,
    candidates: Sequence[float] = STRENGTHS,
    networks: Networks | None = None,
    callbacks: Sequence[Callback] = (),
    verbose: bool = False,
) -> AugmentChoice:
    """Trains the config's VAEs alone under each strength of views; the one whose graphs show K clusters best wins.

    Of more than 10,000 training rows so many are drawn, the same for all.

    A graph is made of draws of the codes and of the views. Where its clusters are those of the data, other seeds find
    them too, few edges lead from one to another, and two of them are far dearer to merge than what was merged last.
    Without views that they need, seeds disagree; views that make one thing of two do not make seeds disagree (all of
    them take the two for one), but the edges between clusters are then several times as many. How the three are put
    together was decided with labels of digits, COIL-20 and training images of MNIST in view.

    Args:
        config: K and the settings of the VAE; its `augment` is not used.
        x: raw data, as for `fit`; or prepared, without stratifying.
        seeds: of the VAEs, at least two, as for `fit_seeds`, trained as one program; not those that are reported.
        candidates: strengths to try; the first wins ties, and no view is of vectors: they have 0 alone.
        networks: as for `fit`.
        callbacks: as for `fit`.
        verbose: as for `fit`.

    Raises:
        InputError: no strength to try, fewer than two seeds, too few samples or too many clusters for a graph of at
            most 10,000 of them, or as `fit`.
        TrainingDivergedError: as `fit`.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(60, 4))
        >>> vc.choose_augment(vc.Config(vc.GraphDEC(2)), x).reason
        'augment 0: there is nothing else to choose from.'
    """
    data = _prepared(config, x, networks)
    possible = [float(strength) for strength in candidates if data.rows.ndim == 4 or strength == 0]
    if not possible:
        raise InputError(f"candidates must hold a strength, 0 for vectors, got {list(candidates)}")
    if len(possible) == 1:
        return AugmentChoice(possible[0], (), f"augment {possible[0]:g}: there is nothing else to choose from.")
    with_views = [with_method(config, augment=strength) for strength in possible]
    with shown(verbose, callbacks) as told:
        tried = [judge_views(one, data, seeds, networks=networks, callbacks=told) for one in with_views]
    best = max(tried, key=lambda one: one.score)
    others = ", ".join(f"{_said(one)} with {one.augment:g}" for one in tried if one is not best)
    reason = f"augment {best.augment:g}: its graphs show {config.num_clusters} clusters best ({_said(best)}; {others})."
    return AugmentChoice(best.augment, tuple(tried), reason)


def judge_views(
    config: Config,
    x: Any,
    seeds: Sequence[int],
    *,
    networks: Networks | None = None,
    callbacks: Sequence[Callback] = (),
) -> Tried:
    """What the graphs of the config's VAEs, trained alone, say of its strength of views.

    Args, errors: as `choose_augment`.
    """
    seeds = checked_seeds(seeds)
    if len(seeds) < 2:
        raise InputError(
            f"seeds must be at least 2, because a choice of views asks how far they agree, got {len(seeds)}"
        )
    data = _prepared(config, x, networks)
    check_views(config, data)
    data = _of_few(data, key_of(seeds[0], VIEW_ROWS))
    runs = fit_seeds(vae_alone(config, config.num_clusters), data, seeds, networks=networks, callbacks=callbacks)
    return Tried(config.method.view_strength(), *_judged(seeds, runs, data))


def check_views(config: Config, data: Prepared) -> None:
    """Whether views can be judged by graphs of the training rows.

    Raises:
        InputError: a method without a VAE, too few samples, or too many clusters.
    """
    vae_alone(config, config.num_clusters)
    check_graph("a choice of views", config.num_clusters, min(len(data.train_index), MAX_ROWS))


def seeds_beside(first: int) -> list[int]:
    """The seeds of a choice for fits whose seeds count from the first one on: none of theirs."""
    return [(first + number) % 2**32 for number in SEEDS]


def can_be_moved(shape: tuple[int, ...]) -> bool:
    """Whether samples are images of a size that views move: a tenth of fewer pixels is hardly one."""
    return len(shape) == 3 and min(shape[:2]) >= _MOVABLE


def _prepared(config: Config, x: Any, networks: Networks | None) -> Prepared:
    if isinstance(x, Prepared):
        return x
    return prepared_for(vae_alone(config, config.num_clusters), x, custom=networks is not None)


def _of_few(data: Prepared, key: Key) -> Prepared:
    """The data with no more training rows than a choice needs: it trains six times as many VAEs as the fit.

    Of rows that are read by blocks, some of the sampled ones.
    """
    index = data.train_index
    if len(index) <= MAX_ROWS:
        return data
    few = np.sort(np.asarray(jax.random.permutation(key, len(index))[:MAX_ROWS]))
    return replace(data, train_index=index[few], sampled=None, blocks=None)


def _said(tried: Tried) -> str:
    return f"agreement {tried.agreement:.2f}, edges cut {tried.cut:.1%}, log gap {tried.gap:.2f}"


def _judged(seeds: Sequence[int], runs: Sequence[Run], data: Prepared) -> tuple[float, float, float]:
    """Agreement, cut and gap of the graphs of the same rows."""
    from sklearn.metrics import adjusted_rand_score  # takes long to import, as do the graphs

    from vaeclust_jax.graph.clusters import merged_clusters
    from vaeclust_jax.graph.neighbours import posterior_graph

    index, rows = data.train_index, data.rows[data.train_index]
    labels: list[list[np.ndarray]] = []
    cuts, gaps = [], []
    for seed, run in zip(seeds, runs, strict=True):
        mean, logvar = data.encodings.of(run.heads, run.params)
        found = []
        for key in jax.random.split(key_of(seed, VIEW_GRAPHS), NUM_GRAPHS):
            graph = posterior_graph(posterior_of(key, run.heads, run.params, rows, (mean[index], logvar[index])))
            merged = merged_clusters(graph, run.config.num_clusters)
            found.append(merged.labels)
            gaps.append(merged.gap)
            cut = np.average(outside_share(graph, merged.labels), weights=np.asarray(graph.sum(axis=1)).ravel())
            cuts.append(max(float(cut), _LEAST))
        labels.append(found)
    agreement = [adjusted_rand_score(a, b) for one, other in combinations(labels, 2) for a, b in product(one, other)]
    return float(np.mean(agreement)), float(np.exp(np.mean(np.log(cuts)))), float(np.mean(gaps))
