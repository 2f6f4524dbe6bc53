"""One setting of the graph, or of what comes before and after it, moved at a time, and what it then scores."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import jax
import numpy as np
from scipy import sparse
from sklearn.metrics.cluster import contingency_matrix

from benchmarks.quality.datasets import NUM_CLASSES, dataset
from benchmarks.quality.methods import setting_of
from vaeclust_jax.fitting.config import Config, with_method
from vaeclust_jax.fitting.fit import fit_seeds
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.graph.clusters import graph_clusters
from vaeclust_jax.graph.micro import micro_clusters
from vaeclust_jax.graph.neighbours import Graph, Posterior, connected, expected, nearest, posterior_graph
from vaeclust_jax.methods.graph_starts import posterior_of
from vaeclust_jax.methods.joint import JointMethod
from vaeclust_jax.methods.vade import VaDE
from vaeclust_jax.metrics import scores
from vaeclust_jax.selection.num_clusters import vae_alone

METHOD = "vaegraph, posterior alone, without views"


class Setting(NamedTuple):
    """Of the graph; the library's by default, for the draws that of few samples."""

    draws: int = 64
    temperature: float = 0.5
    neighbours: int = 5
    power: float = 2.0
    """Of the mean of the draws' weights."""
    local: bool = True
    """Distances in units of each point's own scale, not of the mean one."""
    mutual: bool = False
    """Only edges between points that are both among the other's nearest."""
    alpha: float = 0.99


GRAPHS: dict[str, tuple[str, Sequence[float]]] = {
    "draws": ("draws S of the posterior", (1, 4, 16, 32, 64, 128)),
    "temperature": ("temperature t of the draws", (0.0, 0.25, 0.35, 0.5, 0.7, 1.0)),
    "neighbours": ("neighbours m", (3, 4, 5, 6, 8, 12)),
    "power": ("power of the mean weight", (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)),
    "local": ("each point's own scale (1), or one (0)", (0, 1)),
    "mutual": ("mutual neighbours alone (1)", (0, 1)),
    "alpha": ("alpha of the walk", (0.9, 0.95, 0.98, 0.99, 0.995, 0.999)),
}
VAES: dict[str, tuple[str, Sequence[float]]] = {
    "pretrain_epochs": ("epochs of the VAE", (25, 50, 100, 300)),
    "latent_dim": ("latents L", (5, 10, 20)),
    "augment": ("strength of views", (0, 1)),
    "mixture": ("codes of VaDE (1), whose prior is a mixture", (0, 1)),
}
HEADS: dict[str, tuple[str, Sequence[float]]] = {
    "num_prototypes": ("prototypes r a cluster, joint stage", (1, 2, 5, 10)),
    "degrees": ("degrees of freedom nu, joint stage", (1, 3, 9, 30)),
}
AXES = {**GRAPHS, **VAES, **HEADS}
OWN = {
    **Setting()._asdict(), "pretrain_epochs": 100, "latent_dim": 10, "augment": 0, "mixture": 0, "num_prototypes": 5,
    "degrees": 9,
}  # fmt: skip


class Point(NamedTuple):
    """Scores at one value of one setting, all others as they are."""

    dataset: str
    axis: str
    value: float
    seed: int
    acc: float
    nmi: float
    purity: float | None = None
    """Share of samples that are of their micro-cluster's commonest class; None of an encoder's clusters."""


def graph_of(posterior: Posterior, setting: Setting) -> Graph:
    """As `posterior_graph`, with settings that it does not have."""
    draws = posterior.draws(setting.draws, setting.temperature)
    graph = expected((_weights(z, setting) for z in draws), setting.draws)
    graph.data **= setting.power / 2
    return connected(graph, posterior.mean)


def _weights(z: np.ndarray, setting: Setting) -> Graph:
    """As `self_tuning`."""
    (n, _), m = z.shape, setting.neighbours
    distances, numbers = nearest(z, m)
    scale = distances[:, -1] if setting.local else np.full(n, distances[:, -1].mean())
    weights = np.exp(-2 * distances**2 / (scale[:, np.newaxis] * scale[numbers]))
    directed = sparse.csr_array((weights.ravel(), numbers.ravel(), np.arange(0, n * m + 1, m)), shape=(n, n))
    return sparse.csr_array(directed.minimum(directed.T) if setting.mutual else (directed + directed.T) / 2)


class Task(NamedTuple):
    """A data set and a seed, of which all points are asked."""

    dataset: str
    seed: int
    x: np.ndarray
    y: np.ndarray
    config: Config

    @classmethod
    def of(cls, name: str, seed: int, quick: bool) -> "Task":
        """With 200 rows and two epochs a stage, if quick."""
        data, rows = dataset(name), slice(200) if quick else slice(None)
        config = setting_of(METHOD, NUM_CLASSES[name], quick)
        assert not isinstance(config, str)
        return cls(name, seed, data.x[rows], data.y[rows], config)  # type: ignore[arg-type, index]

    def point(self, axis: str, value: float, labels: np.ndarray, graph: Graph | None = None) -> Point:
        """Scored; with the purity of the graph's micro-clusters."""
        found = scores(self.y, labels, None)
        purity = None
        if graph is not None:
            purity = float(contingency_matrix(self.y, micro_clusters(graph)).max(axis=0).sum() / len(self.y))
        values = (found["acc"] or 0.0, found["nmi"] or 0.0, purity)
        return Point(self.dataset, axis, value, self.seed, *(one if one is None else round(one, 4) for one in values))

    def vae(self, config: Config) -> Run:
        """Trained alone."""
        return fit_seeds(vae_alone(config, config.num_clusters), self.x, [self.seed])[0]

    def on_graphs(self, asked: Sequence[tuple[str, float]]) -> Iterator[Point]:
        """Settings of the graph, all on one VAE's codes."""
        if not asked:
            return
        mean, logvar = (part.astype(np.float64) for part in self.vae(self.config).posterior(self.x))
        usual = Setting(draws=min(max(160_000 // len(self.x), 16), 64))
        for axis, value in asked:
            setting = usual._replace(**{axis: type(getattr(usual, axis))(value)})
            graph = graph_of(Posterior(np.random.default_rng(self.seed), mean, logvar), setting)
            yield self.point(axis, value, graph_clusters(graph, self.config.num_clusters, setting.alpha), graph)

    def on_vaes(self, asked: Sequence[tuple[str, float]]) -> Iterator[Point]:
        """Settings of the VAE, and the library's graph of its codes."""
        for axis, value in asked:
            run = self._other_vae(axis, value)
            posterior = posterior_of(jax.random.key(self.seed), run.heads, run.params, run.preparation.rows(self.x))
            graph = posterior_graph(posterior)
            yield self.point(axis, value, graph_clusters(graph, self.config.num_clusters), graph)

    def _other_vae(self, axis: str, value: float) -> Run:
        config = self.config
        match axis:
            case "pretrain_epochs":
                config = with_method(config, pretrain_epochs=int(value))
            case "latent_dim":
                config = replace(config, network=replace(config.network, latent_dim=int(value)))
            case "augment":
                config = with_method(config, augment=float(value))
            case "mixture" if value:
                own = config.method
                assert isinstance(own, JointMethod)
                epochs = {"pretrain_epochs": own.pretrain_epochs, "joint_epochs": own.joint_epochs}
                config = replace(config, method=VaDE(own.num_clusters, **epochs))
                return fit_seeds(config, self.x, [self.seed])[0]
        return self.vae(config)

    def on_heads(self, asked: Sequence[tuple[str, float]]) -> Iterator[Point]:
        """Settings of the joint stage."""
        for axis, value in asked:
            number = int(value) if axis == "num_prototypes" else float(value)
            config = with_method(self.config, **{axis: number})
            yield self.point(axis, value, fit_seeds(config, self.x, [self.seed])[0].predict(self.x))

    def points(self, there: Callable[[str, float], bool]) -> Iterator[Point]:
        """All that are not there."""
        for axes, ask in ((GRAPHS, self.on_graphs), (VAES, self.on_vaes), (HEADS, self.on_heads)):
            asked = [(axis, value) for axis, (_, values) in axes.items() for value in values]
            yield from ask([one for one in asked if not there(*one)])
