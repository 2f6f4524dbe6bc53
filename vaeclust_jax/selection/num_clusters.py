"""How many clusters? Chosen without labels, from the latents of VAEs that were trained alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from vaeclust_jax.checks import is_whole
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.callback import Callback
from vaeclust_jax.fitting.config import Config, with_method
from vaeclust_jax.fitting.fit import fit_seeds
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.resolve import prepared_for, resolved_for
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.keys import NUM_CLUSTERS, as_key
from vaeclust_jax.methods.kmeans import kmeans_of
from vaeclust_jax.methods.settings import VAEMethod
from vaeclust_jax.methods.starts import seed_from_key
from vaeclust_jax.metrics import NumClusters, num_clusters_curve
from vaeclust_jax.metrics.num_clusters import check_candidates
from vaeclust_jax.types import Key, Networks

CANDIDATES = tuple(range(2, 21))
_FEWEST = 7
"""Samples that have two candidates, 2 and 3, below half their number."""
NUM_SEEDS = 3
CRITERIA = ("bic", "stability", "silhouette", "gap", "layers")
MAX_ROWS = 10_000
"""Rows whose graph is merged, at random: their merge takes longest."""
_WORDS = {
    "bic": "the BIC of a Gaussian mixture on the latents is lowest",
    "stability": "it is the largest number at which k-means of three seeds' latents agrees as well as anywhere",
    "silhouette": "the silhouette of k-means is highest",
    "gap": "it is the first number whose gap statistic the next one does not surpass",
    "layers": "the trees of three seeds' graphs have so many clusters for longest",
}


class Choice(NamedTuple):
    """A number of clusters, and why.

    Attributes:
        num_clusters: K.
        criterion: which chose it.
        curve: all criteria over all candidates.
        reason: in a sentence, with what the others say.

    Example:
        >>> x = np.random.default_rng(0).normal(np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0))
        >>> config = vc.Config(vc.VAEKMeans(2, pretrain_epochs=1), network=vc.MLP(hidden=(8,)))
        >>> vc.choose_num_clusters(config, x, 0, candidates=(2, 3), criterion="silhouette").criterion
        'silhouette'
    """

    num_clusters: int
    criterion: str
    curve: NumClusters
    reason: str

    def record(self) -> dict[str, Any]:
        """As `metrics.json` holds it."""
        return {**self._asdict(), "curve": self.curve._asdict()}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Choice":
        """From its record."""
        return cls(**{**record, "curve": NumClusters(**record["curve"])})


def vae_alone(config: Config, num_clusters: int) -> Config:
    """The config's VAE and k-means on its latents; no label is read, for the split either."""
    method = config.method
    if not isinstance(method, VAEMethod):
        raise InputError(f"a choice without labels asks a VAE, which the method {type(method).__name__} does not have")
    return replace(
        config,
        method=replace(kmeans_of(method), num_clusters=num_clusters),
        prepare=replace(config.prepare, stratify=False),
    )


def choose_num_clusters(
    config: Config,
    x: Any,
    key: Key | int,
    *,
    candidates: Sequence[int] = CANDIDATES,
    criterion: Literal["auto", "bic", "stability", "silhouette", "gap", "layers"] = "auto",
    networks: Networks | None = None,
    callbacks: Sequence[Callback] = (),
    verbose: bool = False,
) -> Choice:
    """Trains three of the config's VAEs alone and asks several criteria how many clusters their latents have.

    No label is read, and the config's own number of clusters is not used. That the layers decide where there is a graph
    was settled with labels of digits, iris, wine and generated vectors in view.

    Args:
        config: settings of the VAE.
        x: raw data, as for `fit`; or prepared, without stratifying.
        key: as for `fit`.
        candidates: numbers to try; those that are not below half the number of samples are left out.
        criterion: which one decides (`vaeclust_jax.metrics.num_clusters`). auto: the layers of the graph's tree where
            the method follows a graph, else the BIC.
        networks: as for `fit`.
        callbacks: as for `fit_seeds`, of the three.
        verbose: as for `fit_seeds`.

    Raises:
        InputError: no such criterion, no two candidates that the samples suffice for, or as `fit`.
        TrainingDivergedError: as `fit`.

    Example:
        >>> x = np.random.default_rng(0).normal(np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0))
        >>> config = vc.Config(vc.VAEKMeans(2, pretrain_epochs=1), network=vc.MLP(hidden=(8,)))
        >>> choice = vc.choose_num_clusters(config, x, 0, candidates=(2, 3))
        >>> choice.num_clusters in (2, 3)
        True
    """
    if criterion not in ("auto", *CRITERIA):
        raise InputError(f"criterion must be auto or one of {', '.join(CRITERIA)}, got {criterion!r}")
    follows_graph = config.method.follows_graph
    if criterion == "layers" and not follows_graph:
        raise InputError(f"criterion 'layers' is of a graph, which {type(config.method).__name__} does not follow")
    by = ("layers" if follows_graph else "bic") if criterion == "auto" else criterion
    key = as_key(key)
    alone = vae_alone(config, num_clusters=1)
    data = x if isinstance(x, Prepared) else prepared_for(alone, x, custom=networks is not None)
    n = len(data.rows)
    numbers = candidates if isinstance(candidates, Iterable) else [candidates]
    if candidates is CANDIDATES and n < _FEWEST:  # nobody asked for these
        raise InputError(f"a number of clusters is chosen of at least {_FEWEST} samples, got {n}: give the number")
    possible = check_candidates([number for number in numbers if not is_whole(number) or 2 * number < n], n)
    seeds_key, curve_key = jax.random.split(jax.random.fold_in(key, NUM_CLUSTERS))  # a fit may have the same key
    seeds = [seed_from_key(of_seed) for of_seed in jax.random.split(seeds_key, NUM_SEEDS)]
    runs = fit_seeds(alone, data, seeds, networks=networks, callbacks=callbacks, verbose=verbose)
    latents = [data.encodings.of(run.heads, run.params)[0] for run in runs]
    curve_seed = seed_from_key(curve_key)
    layers = _layers(config, data, runs, curve_seed, networks is not None) if follows_graph else ()
    curve = num_clusters_curve(latents, possible, curve_seed, layers)
    found = curve.best[by]
    others = ", ".join(f"{name} {number}" for name, number in curve.best.items() if name != by)
    reason = f"{found} clusters of {possible[0]} to {possible[-1]}: {_WORDS[by]}. The other criteria say: {others}."
    return Choice(found, by, curve, reason)


def _layers(
    config: Config, data: Prepared, runs: Sequence[Run], seed: int, custom: bool
) -> list[Float[np.ndarray, " c"]]:
    """Of each VAE, how long 2, 3, ... clusters of its graph last."""
    from vaeclust_jax.graph.clusters import merged_clusters  # scipy takes long to import
    from vaeclust_jax.graph.tree import layers_of

    method = resolved_for(with_method(config, num_clusters=1), data, custom=custom).method
    n = len(data.rows)
    rows = np.sort(np.random.default_rng(seed).permutation(n)[:MAX_ROWS])
    found = []
    for run in runs:
        graph = method.graph(run.heads, run.params, data.rows[rows])
        assert graph is not None, "the method follows one"
        found.append(layers_of(merged_clusters(graph, 1).merges.heights))
    return found
