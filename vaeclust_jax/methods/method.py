"""What a method is: a value that says what is learned, in which stages, and what the model can then be asked."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.checks import check_types
from vaeclust_jax.data.mapped import Rows, chunks
from vaeclust_jax.errors import InputError
from vaeclust_jax.graph import MAX_GROUPS, NUM_NEIGHBOURS
from vaeclust_jax.graph.clarity import Separation
from vaeclust_jax.graph.constraints import Constraints
from vaeclust_jax.graph.tree import Merges
from vaeclust_jax.keys import SCORE, key_of
from vaeclust_jax.training.score import score_rows
from vaeclust_jax.types import Heads, Networks, Params, Stage

if TYPE_CHECKING:
    from vaeclust_jax.graph.neighbours import Graph  # scipy takes long to import

_NUM_DRAWS = 8
_MOST_MOVED = 5.0
"""Views at this strength are half out of the picture."""


class DataSpec(NamedTuple):
    """What is known of the prepared training rows before anything is trained.

    Attributes:
        shape: of one sample, (H, W, C) or (F,).
        num_samples: None for a model that is read back.
        low, high: the extremes of all values, likewise.
        num_classes: of the labels that the training is told; None where it is told none.
        by_blocks: whether training rows are read by blocks, and `num_samples` is of those in memory.

    Example:
        >>> vc.DEC(10).resolved(vc.DataSpec(shape=(28, 28, 1))).likelihood
        'bernoulli'
    """

    shape: tuple[int, ...]
    num_samples: int | None = None
    low: float | None = None
    high: float | None = None
    num_classes: int | None = None
    by_blocks: bool = False


class About(NamedTuple):
    """What a method's stages are made of, besides its own settings.

    Attributes:
        networks: encoder and decoder, resolved.
        latent_dim: L.
        num_samples: training rows.
        batch_size, learning_rate, patience: of `TrainingConfig`.
        has_validation: whether rows are held out.
        labels: (n,) classes of the training rows, -1 where none is known; None where no label is read.
        num_seeds: trained as one program.
        shape: of one sample.
        hints: what a person knows of the training rows; None where nobody said anything.

    Example:
        >>> networks = vc.MLP(latent_dim=2).build((4,))
        >>> about = vc.About(networks, 2, 48, 16, learning_rate=1e-3, patience=10, has_validation=True)
        >>> [stage.name for stage in vc.DEC(3, likelihood="gaussian", beta=1.0, gamma=100.0).stages(about)]
        ['vae', 'kmeans', 'joint']
    """

    networks: Networks
    latent_dim: int
    num_samples: int
    batch_size: int
    learning_rate: float
    patience: int
    has_validation: bool
    labels: Int[np.ndarray, " n"] | None = None
    num_seeds: int = 1
    shape: tuple[int, ...] = ()
    hints: Constraints | None = None


@dataclass(frozen=True)
class Method(ABC):
    """Base of all methods: a frozen dataclass of settings, hashable, one file each.

    Equal settings give the same functions, so that nothing compiles twice: what `heads` and `stages` return comes from
    functions under `functools.lru_cache`. Numbers that one sweeps (a learning rate, beta) are data in the state.

    A class of one's own is entered in `METHODS` of `methods/registry.py` by a line, or from another package by an entry
    point of the group `vaeclust.methods`.

    Example:
        >>> vc.METHODS["dec"].task, vc.METHODS["classifier"].task, vc.METHODS["gan"].task
        ('clustering', 'classification', 'generation')
    """

    task: ClassVar[str] = "clustering"
    """What is measured of it: a key of `vaeclust_jax.studies.tasks.TASKS`."""
    per_cluster: ClassVar[tuple[str, ...]] = ()
    """Names in `params` whose arrays have clusters on their first axis: renumbering clusters moves them."""
    shared: ClassVar[tuple[str, ...]] = ("encoder", "decoder", "likelihood")
    """The other names in `params`; one that is in neither list is an error."""
    follows_graph: ClassVar[bool] = False
    """Whether its clusters follow the neighbour graph of the posterior, which then says how sure they are, too."""
    needs_labels: ClassVar[bool] = False
    """Whether it learns from the labels of all rows: a supervised method."""
    usual_learning_rate: ClassVar[float] = 1e-3
    """What the command begins with, where no experiment says more."""
    usual_scaling: ClassVar[Literal["standardise", "minmax"]] = "standardise"
    """What `scaling="auto"` does to vectors."""
    unused: ClassVar[tuple[str, ...]] = ()
    """Parts of a `Config` that it does not read: "network", "training"."""
    generates: ClassVar[bool] = True
    """Whether it uses the network's decoder."""
    in_time: ClassVar[bool] = False
    """Whether its rows overlap in the order of time, so that those held out at random are of what was trained on."""
    takes_weights: ClassVar[bool] = False
    """Whether its losses, and what its stages start from, count rows by their `sample_weight`."""
    takes_partial_labels: ClassVar[bool] = False
    """Whether it reads the known classes of some rows, `About.labels`, and clusters without them, too."""
    takes_hints: ClassVar[bool] = False
    """Whether its clusters keep to `Hints`."""

    def __post_init__(self) -> None:
        check_types(self)

    @abstractmethod
    def stages(self, about: About) -> list[Stage]:
        """What is trained, one after the other; the last one ends with this method's model."""

    @abstractmethod
    def heads(self, networks: Networks) -> Heads:
        """What the model can be asked."""

    def check(self, data: DataSpec) -> None:  # noqa: B027  # not every method has any
        """The method's own refusals, before anything is trained.

        Raises:
            InputError: names the setting, what was got and what is allowed.
        """

    def check_recalled(self, rows: Rows) -> None:  # noqa: B027  # likewise
        """Its refusals of prepared rows that a fitted memory would misread.

        Raises:
            InputError: says what was got and what is allowed.
        """

    def resolved(self, data: DataSpec) -> Self:
        """The method with everything that was left open replaced by what it means for these data."""
        return self

    def merges(self, memory: Any) -> Merges | None:
        """How training samples were merged into clusters, of the last `State.memory`; None: no tree is kept."""
        return None

    def could_begin(self, memory: Any) -> dict[str, Separation] | None:
        """How a graph shows the clusters that training could begin with, by the last `State.memory`; None: none are.

        Each by its name; see `methods.shallow_starts.began_with`.
        """
        return None

    def objective(self, heads: Heads, params: Params, x: Rows, weight: Float[np.ndarray, " n"] | None = None) -> float:
        """By what the best of several seeds is chosen, in nats a sample: of VAEs the negative ELBO with beta 1."""
        return mean_score(heads, params, x, weight)

    def graph(self, heads: Heads, params: Params, x: Rows) -> "Graph | None":
        """The neighbour graph of prepared rows that clusters follow, (n, n); None where they follow none.

        Raises:
            InputError: too few rows to have neighbours.
        """
        return None

    def network_shape(self, shape: tuple[int, ...], latent_dim: int) -> tuple[int, ...]:
        """What the networks see of a sample of a shape: all of it, unless a part is what they predict."""
        return shape

    def view_strength(self) -> float:
        """Of random views of images that the encoder sees while it is trained; 0: none."""
        return 0.0

    def died(self, history: Sequence[Mapping[str, Any]]) -> str | None:
        """Why training stopped without having come to its end, by the infos of all epochs; None: it did not."""
        return None

    def for_epochs(self, num_epochs: int) -> Self:
        """The same with so many epochs in every stage that has any."""
        names = [one.name for one in fields(self) if one.name.endswith("epochs") and getattr(self, one.name) > 0]
        return replace(self, **dict.fromkeys(names, num_epochs))


def score_all(heads: Heads, params: Params, x: Rows) -> Float[np.ndarray, " n"]:
    """`Heads.score` of prepared rows, the same draws for all rows and models: nats each."""
    key = key_of(0, SCORE)
    return np.concatenate([score_rows(key, heads, params, rows, _NUM_DRAWS, common_draws=True) for rows in chunks(x)])


def mean_score(heads: Heads, params: Params, x: Rows, weight: Float[np.ndarray, " n"] | None = None) -> float:
    """The mean of `score_all`; rows count by weight."""
    return float(np.average(score_all(heads, params, x), weights=weight))


def check_at_least(method: Any, **lowest: float) -> None:
    """One sentence on the first setting that is below what is allowed.

    Raises:
        InputError: names the setting, what was got and what is allowed.
    """
    for name, least in lowest.items():
        value = getattr(method, name)
        if not value >= least:  # nor NaN
            raise InputError(f"{name} must be at least {least}, got {value}")
        if value == np.inf:
            raise InputError(f"{name} must be finite, got {value}")


def check_views(strength: float, data: DataSpec) -> None:
    """Whether there is something to move, and not too far.

    Raises:
        InputError: a strength that no view has, or data that are no images.
    """
    if not 0 <= strength <= _MOST_MOVED:
        raise InputError(f"augment must lie in 0 to {_MOST_MOVED:g}, got {strength}")
    if strength > 0 and len(data.shape) != 3:
        raise InputError(
            f"augment moves images, got vectors (n, {data.shape[0]}): set it to 0, or fit networks with a view of "
            "your own"
        )


def check_graph(name: str, num_clusters: int, num_samples: int) -> None:
    """Whether the graph of so many samples can show so many clusters.

    Args:
        name: of what makes the graph.
        num_clusters: K.
        num_samples: of training, as many as the graph is made of.

    Raises:
        InputError: too few samples, or too many clusters.
    """
    if num_samples <= NUM_NEIGHBOURS:
        raise InputError(f"{name} needs more than {NUM_NEIGHBOURS} training samples, got {num_samples}")
    most = min(num_samples, MAX_GROUPS)
    if num_clusters > most:
        raise InputError(f"{name} can show at most {most} clusters of {num_samples} samples, got {num_clusters}")
