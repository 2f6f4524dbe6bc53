"""VAE + DEC, with a centroid a cluster, or with several prototypes and the posterior's neighbour graph.

The objective and its sources: `methods.dec_learner`.
"""

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.control.parse import parse_controller
from vaeclust_jax.data.mapped import Rows
from vaeclust_jax.errors import InputError
from vaeclust_jax.graph import in_reach
from vaeclust_jax.graph.clarity import Separation
from vaeclust_jax.graph.tree import Merges
from vaeclust_jax.keys import OBJECTIVE_GRAPH, key_of
from vaeclust_jax.methods.dec_learner import (
    EDGES_KEPT,
    dec,
    dec_heads,
    graph_dec,
    joint_loss,
    prototype_heads,
)
from vaeclust_jax.methods.dec_target import Edges, log_agreed, refreshed
from vaeclust_jax.methods.graph_starts import from_graph, from_vote, posterior_of, values_graph
from vaeclust_jax.methods.greedy import GreedyStart, RandomStart, beginning
from vaeclust_jax.methods.joint import JointMethod, Settled
from vaeclust_jax.methods.kmeans import kmeans_of
from vaeclust_jax.methods.method import About, DataSpec, check_at_least, check_graph, mean_score
from vaeclust_jax.methods.settings import relative_weight
from vaeclust_jax.methods.shallow_starts import named
from vaeclust_jax.methods.starts import carry_on, from_centroids
from vaeclust_jax.objectives.average import average
from vaeclust_jax.objectives.dec import kl_divergence, target_distribution
from vaeclust_jax.objectives.elbo import kl_to_standard_normal
from vaeclust_jax.training.rows import by_chunk, encode_rows
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Controller, Heads, Networks, Params, Stage

if TYPE_CHECKING:
    from vaeclust_jax.graph.neighbours import Graph

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class _WithTarget(JointMethod):
    """What both share: the weight of the clustering loss, and the objective."""

    takes_weights: ClassVar[bool] = True

    gamma: float | str = "auto"
    """Weight of the clustering loss, as for beta. Losses are summed over pixels, so that 1 does next to nothing. auto:
    100 for every 1,024 values of an image; 100 for vectors."""

    def resolved(self, data: DataSpec) -> Self:
        found = super().resolved(data)
        return replace(found, gamma=100 * relative_weight(data)) if found.gamma == "auto" else found

    def check(self, data: DataSpec) -> None:
        super().check(data)
        self.gamma_controller()

    def gamma_controller(self) -> Controller:
        """What controls gamma, over the joint epochs where the text does not say how long."""
        return parse_controller("gamma", self.gamma, max(self.joint_epochs, 1))

    def objective(self, heads: Heads, params: Params, x: Rows, weight: Float[np.ndarray, " n"] | None = None) -> float:
        """Reconstruction + beta KL + gamma KL(P || Q) of all rows.

        P is computed from the model's own q, spread over the graph of its own codes if training followed one: models
        are compared after a refresh that all of them get.
        """
        bound = mean_score(heads, params, x, weight)
        if self.joint_epochs == 0 or isinstance(self.beta, str) or isinstance(self.gamma, str):
            return bound
        assert heads.assign is not None
        codes = encode_rows(heads, params, x)
        log_q = jnp.asarray(by_chunk(heads.assign, params, codes[0]))
        counts = None if weight is None else jnp.asarray(weight, jnp.float32)
        agreed = self._agreed(heads, params, x, log_q, weight)
        return float(_joint_loss(bound, codes, log_q, agreed, counts, self.beta, self.gamma))

    def _agreed(
        self, heads: Heads, params: Params, x: Rows, log_q: Float[Array, "n k"], weight: Float[np.ndarray, " n"] | None
    ) -> Float[Array, "n k"]:
        """What the target is made of."""
        return log_q


@jax.jit  # one program: as single operations they are three dozen
def _joint_loss(
    bound: float,
    codes: tuple[Float[Array, "n l"], Float[Array, "n l"]],
    log_q: Float[Array, "n k"],
    agreed: Float[Array, "n k"],
    weight: Float[Array, " n"] | None,
    beta: float,
    gamma: float,
) -> Float[Array, ""]:
    """The joint loss from reconstruction + KL (`bound`) and what the posterior and the assignments add.

    P is of these rows, and draws clusters to one size, also where the target of training kept their shares.
    """
    p = target_distribution(agreed, weight)
    kl, cluster = (average(part, weight) for part in (kl_to_standard_normal(*codes), kl_divergence(p, log_q)))
    return joint_loss({"reconstruction": bound - kl, "kl": kl, "cluster": cluster}, beta, gamma)[0]


@dataclass(frozen=True)
class DEC(_WithTarget):
    """A VAE whose latents are drawn to Student-t centroids, from k-means on (VAE + DEC; IDEC and DEC are its kin).

    Example:
        >>> vc.Config(vc.DEC(10, gamma=50.0, joint_epochs=30))
        Config(method=DEC(num_clusters=10, joint_epochs=30, gamma=50.0))
    """

    per_cluster: ClassVar[tuple[str, ...]] = ("centroids",)

    deterministic: bool = False
    """The decoder sees the posterior's mean; nothing is sampled. With beta 0 this is IDEC."""
    joint_reconstruction: bool = True
    """Whether the joint stage reconstructs; if not, it minimises the clustering loss alone and leaves the decoder as it
    is. With deterministic and beta 0 this is DEC without a VAE."""
    q_from: Literal["mean", "sample"] = "mean"
    """What the training q is computed from: the posterior's mean, or a sample of it."""
    target: Literal["auto", "all", "batch"] = "auto"
    """What the target P is computed from: all rows, every update_target_interval epochs; or each batch's own q, with
    running frequencies of the clusters, which holds nothing of a row. auto: all, unless rows are read by blocks."""

    start: RandomStart | GreedyStart = field(default_factory=RandomStart)
    """What the autoencoder begins as."""

    def check(self, data: DataSpec) -> None:  # noqa: D102
        self.start.check()
        super().check(data)

    def resolved(self, data: DataSpec) -> Self:  # noqa: D102
        found = super().resolved(data)
        return replace(found, target="batch" if data.by_blocks else "all") if found.target == "auto" else found

    def for_epochs(self, num_epochs: int) -> Self:  # noqa: D102
        return replace(super().for_epochs(num_epochs), start=self.start.for_epochs(num_epochs))

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        learner = dec(
            about.networks,
            num_clusters=self.num_clusters,
            num_samples=about.num_samples,
            latent_dim=about.latent_dim,
            q_from=self.q_from,
            joint_reconstruction=self.joint_reconstruction,
            gamma=self.gamma_controller(),
            update_target_interval=self.update_target_interval,
            target=self.target,
            **self.vae_settings(about, self.deterministic),
        )
        stopping = self.joint_stopping(about)
        joint = Stage("joint", learner, self.joint_epochs, from_centroids(learner), stopping, self)
        return [*beginning(kmeans_of(self).stages(about), about, self.start, self.likelihood), joint]

    def heads(self, networks: Networks) -> Heads:  # noqa: D102
        return dec_heads(networks, self.likelihood, self.deterministic)


@dataclass(frozen=True)
class GraphDEC(_WithTarget):
    """VAE + DEC with several prototypes a cluster and a target that follows the posterior's neighbour graph.

    It begins with the clusters of that graph, or with ones found without a network (`methods.shallow_starts`) where
    these are far clearer, or the graph misleads.

    Example:
        >>> vc.Config(vc.GraphDEC(10, num_prototypes=3))
        Config(method=GraphDEC(num_clusters=10, num_prototypes=3))
    """

    per_cluster: ClassVar[tuple[str, ...]] = ("prototypes",)
    shared: ClassVar[tuple[str, ...]] = (*_WithTarget.shared, "log_scale")
    follows_graph: ClassVar[bool] = True
    takes_hints: ClassVar[bool] = True

    num_prototypes: int = 5
    """Prototypes of each cluster."""
    degrees: float | None = None
    """Degrees of freedom of the Student-t around prototypes; left out: latent_dim - 1, at least 1."""
    value_share: float | Literal["auto"] = "auto"
    """Share of the graph of the samples' own values in the neighbour graph; the rest is the posterior's. auto: 0.5; 0
    with views, which codes forget and values do not, and where that graph would take minutes or gigabytes (n^2 F above
    10^13, or n F above 2^28)."""
    vote: bool = True
    """Seeds that are trained together then vote on their clusters and go on with the mean of their graphs: each learns
    what all of them say."""
    stopping: Settled = field(default_factory=lambda: Settled(0.0))
    """When the joint stage stops early."""

    def check(self, data: DataSpec) -> None:  # noqa: D102
        super().check(data)
        check_at_least(self, num_prototypes=1)
        if self.value_share != "auto" and not 0 <= self.value_share < 1:
            raise InputError(f"value_share must be auto or lie in 0 to below 1, got {self.value_share}")
        if self.degrees is not None and not 0 < self.degrees < _LARGEST:
            raise InputError(f"degrees must be positive and finite, got {self.degrees}")
        if data.num_samples is not None:
            check_graph("the graph of GraphDEC", self.num_clusters, data.num_samples)

    def resolved(self, data: DataSpec) -> Self:  # noqa: D102
        found = super().resolved(data)
        if found.value_share != "auto":
            return found
        return replace(found, value_share=_value_share(data) if found.augment == 0 else 0.0)

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        assert self.value_share != "auto", "it has been resolved"
        learner = graph_dec(
            about.networks,
            num_clusters=self.num_clusters,
            num_samples=about.num_samples,
            latent_dim=about.latent_dim,
            num_prototypes=self.num_prototypes,
            degrees=self.degrees,
            likelihood=self.likelihood,
            beta=self.controller_of("beta"),
            gamma=self.gamma_controller(),
            learning_rate=about.learning_rate,
            update_target_interval=self.update_target_interval,
            hinted=about.hints is not None,
        )
        heads, stopping = self.heads(about.networks), self.joint_stopping(about)
        start = replace(self, joint_epochs=0)
        from_own = from_graph(learner, heads, refreshed, self.value_share, self.num_clusters, about.hints)
        stages = [
            *kmeans_of(self).stages(about),
            Stage("graph", learner, 0, from_own, NEVER, start),
            Stage("joint", learner, self.joint_epochs, carry_on, stopping, self),
        ]
        if self.vote and about.num_seeds > 1:
            stages += [
                Stage("shared-graph", learner, 0, from_vote(learner, heads, refreshed, about.hints), NEVER, self),
                Stage("shared-joint", learner, self.joint_epochs, carry_on, stopping, self),
            ]
        return stages

    def heads(self, networks: Networks) -> Heads:  # noqa: D102
        return prototype_heads(networks, self.likelihood, self.degrees)

    def merges(self, memory: Any) -> Merges:  # noqa: D102
        groups, pairs, heights = (np.asarray(part) for part in memory.merges)
        count = int(groups.max())
        return Merges(groups, pairs[:count], heights[:count])

    def could_begin(self, memory: Any) -> dict[str, Separation] | None:  # noqa: D102
        return named(np.asarray(memory.separation))

    def graph(self, heads: Heads, params: Params, x: Rows) -> "Graph":  # noqa: D102
        from vaeclust_jax.graph.neighbours import posterior_graph  # scipy takes long to import

        assert self.value_share != "auto", "it has been resolved"
        own = values_graph(x, self.value_share)
        posterior = posterior_of(key_of(0, OBJECTIVE_GRAPH), heads, params, x)
        return posterior_graph(posterior, beside=own, share=self.value_share)

    def _agreed(
        self, heads: Heads, params: Params, x: Rows, log_q: Float[Array, "n k"], weight: Float[np.ndarray, " n"] | None
    ) -> Float[Array, "n k"]:
        from vaeclust_jax.graph.neighbours import strongest

        neighbours, weights = strongest(self.graph(heads, params, x), EDGES_KEPT, weight)
        edges = Edges(jnp.asarray(neighbours, jnp.int32), jnp.asarray(weights, jnp.float32))
        return jax.jit(log_agreed)(edges, log_q)


def _value_share(data: DataSpec) -> float:
    """What an open `value_share` means."""
    return 0.5 if in_reach(data.num_samples or 0, math.prod(data.shape)) else 0.0
