"""What a method says about every sample, of one seed: the form in which all methods are scored."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.baselines.shallow import SHALLOW, shallow_labels, unfit
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.clustering import ON_LATENTS
from vaeclust_jax.graph.neighbours import Graph, posterior_graph
from vaeclust_jax.keys import GRAPH, PASSES, key_of
from vaeclust_jax.methods.graph_starts import posterior_of
from vaeclust_jax.metrics import active_units
from vaeclust_jax.uncertainty.latent import Uncertainty, stochastic_passes
from vaeclust_jax.uncertainty.temperature import scale, temperatures_by_votes

_LONG = 2000
"""Codes on a line whose eigenvectors take seconds; of 10,000 they took more than twenty minutes."""


class Answer(NamedTuple):
    """A clustering of n samples; what a method does not have is None.

    Attributes:
        labels: cluster ids.
        num_clusters: K.
        log_q: log-probabilities of the clusters at the posterior's mean, as trained.
        temperature: at which they say how often other seeds agree; None: of one seed, or there is none.
        latents: posterior means.
        logvar: posterior log-variances.
        passes: what draws of the code say.
        graph: of the samples as neighbours, where the clusters follow one.
    """

    labels: Int[np.ndarray, " n"]
    num_clusters: int
    log_q: Float[np.ndarray, "n k"] | None = None
    latents: Float[np.ndarray, "n l"] | None = None
    logvar: Float[np.ndarray, "n l"] | None = None
    passes: Uncertainty | None = None
    graph: Graph | None = None
    temperature: float | None = None

    @property
    def probabilities(self) -> Float[np.ndarray, "n k"]:
        """Those that a person is shown: at the temperature, where there is one."""
        assert self.log_q is not None
        return np.exp(self.log_q if self.temperature is None else scale(self.log_q, self.temperature))


def answer(run: Run, data: Prepared) -> Answer:
    """What a fitted model says about all samples, at their posterior means."""
    mean, logvar = data.encodings.of(run.heads, run.params)
    log_q = run.log_assign(mean)
    labels = np.exp(log_q).argmax(axis=1).astype(np.int32)  # as `Run.predict`
    return Answer(labels, run.config.num_clusters, log_q, mean, logvar)


def with_passes(found: Answer, run: Run, seed: int) -> Answer:
    """The same with what draws of the code say."""
    assert found.latents is not None
    assert found.logvar is not None
    key = key_of(seed, PASSES)
    return found._replace(passes=stochastic_passes(key, run.heads, run.params, found.latents, found.logvar))


def with_temperatures(answers: Sequence[Answer]) -> list[Answer]:
    """The same of several seeds, each with the temperature that the votes of the others ask for."""
    temperatures = temperatures_by_votes(np.stack([found.log_q for found in answers if found.log_q is not None]))
    return [found._replace(temperature=one) for found, one in zip(answers, temperatures, strict=True)]


def with_graph(found: Answer, vae: Run, data: Prepared, seed: int) -> Answer:
    """The same with the neighbour graph of all samples, held-out ones too, from the VAE before its joint training."""
    codes = data.encodings.of(vae.heads, vae.params)
    posterior = posterior_of(key_of(seed, GRAPH), vae.heads, vae.params, data.rows, codes)
    return found._replace(graph=posterior_graph(posterior))


def floor(
    data: Prepared,
    num_clusters: int,
    latents: list[np.ndarray],
    seeds: Sequence[int],
    names: Sequence[str],
) -> tuple[dict[str, list[Answer]], list[str]]:
    """The shallow methods on the raw data (as the model sees them) and on the latents of the VAE alone.

    k-means on the latents is one of an experiment's own methods and not repeated here.

    Args:
        data: all of it is clustered.
        num_clusters: K.
        latents: posterior means of every seed's VAE, before any joint training.
        seeds: their numbers.
        names: keys of `SHALLOW`.

    Returns:
        Answers by method, one where nothing is random, else one a seed; and a sentence on each method left out.
    """
    k, n = num_clusters, len(data.rows)
    x = np.asarray(data.rows).reshape(n, -1)
    raw = "pixels" if data.rows.ndim == 4 else "features"
    found: dict[str, list[Answer]] = {}
    skipped = []
    for name in names:
        reason = unfit(name, n)
        if reason is not None:
            skipped.append(reason)
            continue
        method = SHALLOW[name]
        found[f"{name} on {raw}"] = shallow_answers(name, x, k, seeds if method.random else seeds[:1])
        if name == "spectral" and (lying := _on_a_line(latents, seeds)):
            skipped.append(lying)
        elif method.of_latents:
            of_latents = [shallow_answers(name, z, k, [seed])[0] for z, seed in zip(latents, seeds, strict=True)]
            found[f"{name} {ON_LATENTS}"] = of_latents
    return found, skipped


def _on_a_line(latents: Sequence[Float[np.ndarray, "n l"]], seeds: Sequence[int]) -> str | None:
    """A sentence if some seed's latents lie on a line, and are many: the eigenvectors of a long chain take minutes."""
    for z, seed in zip(latents, seeds, strict=True):
        if len(z) > _LONG and (active := active_units(z)) < 2:
            return (
                f"spectral {ON_LATENTS} was left out: of seed {seed} {active} of {z.shape[1]} latent units "
                f"{'is' if active == 1 else 'are'} active, and eigenvectors of codes on a line take minutes"
            )
    return None


def shallow_answers(name: str, x: Float[np.ndarray, "n d"], num_clusters: int, seeds: Sequence[int]) -> list[Answer]:
    """What a method of `SHALLOW` says, one a seed; some find more clusters than they are asked for."""
    found = shallow_labels(name, x, num_clusters, seeds)
    return [Answer(labels, max(num_clusters, int(labels.max()) + 1)) for labels in found]
