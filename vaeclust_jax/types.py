"""The nouns that the rooms exchange: plain named tuples of arrays and pure functions."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np
from jaxtyping import Array, Float, Int

Key = jax.Array
"""A typed key of `jax.random.key`; always the first argument, never reused."""
Params = Any
"""A pytree of arrays."""
Info = dict[str, Array]
"""What a person may want to look at: scalars by name (loss parts in nats per sample)."""


class Network(NamedTuple):
    """A pair of pure functions; arrays carry the batch on their first axis.

    Attributes:
        init: (key) -> params.
        apply: (params, *arrays) -> array, or a tuple of arrays.
        train: (key, params, weight, *arrays) -> (what `apply` answers, parameters by name that replace those of
            `params`): how it answers while it is trained, where that is another function. Dropout draws by the key;
            batch norm takes the mean and the variance of the batch, in which rows count by weight, and hands on its
            running ones. None: as `apply`.

    Example:
        >>> linear = vc.Network(
        ...     init=lambda key: jax.random.normal(key, (4, 2)),
        ...     apply=lambda w, x: x @ w,
        ... )
        >>> linear.apply(linear.init(jax.random.key(0)), np.zeros((3, 4))).shape
        (3, 2)
    """

    init: Callable[[Key], Params]
    apply: Callable[..., Any]
    train: Callable[..., tuple[Any, dict[str, Params]]] | None = None


class Stack(NamedTuple):
    """The layers of an encoder and a decoder that mirror each other, one by one.

    Attributes:
        depth: layers of the encoder up to the mean, as many as the decoder has.
        up: (layer from 0, the encoder's parameters, what the layer sees) -> what the next one sees; the first sees x.
        down: (layer from 0, the decoder's parameters, what `up` of that layer gives) -> what that layer saw; of the
            first the likelihood's parameter.
    """

    depth: int
    up: Callable[[int, Params, Any], Any]
    down: Callable[[int, Params, Any], Any]


class Networks(NamedTuple):
    """The two halves of a variational autoencoder.

    Attributes:
        encoder: apply(params, x) -> (mean, logvar), each (n, L): the posterior N(mean, exp(logvar)).
        decoder: apply(params, z) -> the likelihood's parameter, of the shape of x (logits for Bernoulli,
            the mean for Gaussian).
        view: (key, x) -> x of the same shape: what the encoder sees of samples while it is trained, each
            time anew; the decoder gives back the samples as they are, so that codes forget what a view changes.
            None: the samples themselves.
        stack: the layers of both, for methods that train them one by one; None: they do not mirror each other.

    Example:
        >>> encoder = vc.Network(lambda key: jax.random.normal(key, (4, 4)), lambda w, x: jnp.split(x @ w, 2, axis=1))
        >>> decoder = vc.Network(lambda key: jax.random.normal(key, (2, 4)), lambda w, z: z @ w)
        >>> config = vc.Config(vc.VAEKMeans(2, pretrain_epochs=1), network=vc.AutoNetwork(latent_dim=2))
        >>> x = np.random.default_rng(0).normal(size=(60, 4))
        >>> vc.fit(config, x, 0, networks=vc.Networks(encoder, decoder)).embed(x).shape
        (60, 2)
    """

    encoder: Network
    decoder: Network
    view: Callable[[Key, Any], Any] | None = None
    stack: Stack | None = None


class Batch(NamedTuple):
    """Rows of the training set with a shared leading axis; a pytree.

    Example:
        >>> batch = vc.Batch(x=jnp.zeros((2, 4)), y=None, index=jnp.arange(2), weight=jnp.array([1.0, 0.0]))
        >>> int(batch.weight.sum())  # rows that are no padding
        1
    """

    x: Float[Array, "b ..."]
    y: Int[Array, " b"] | None
    """Classes from 0; None where the method reads no label."""
    index: Int[Array, " b"]  # type: ignore[assignment]  # hides tuple.index, which nobody calls
    """Row numbers in the training set: they look up what `State.memory` holds of a row."""
    weight: Float[Array, " b"]
    """0 for padding; 1 for a sample, or its `sample_weight`, which are 1 in the mean of the training rows.

    loss = sum(weight * loss) / (number of rows that are no padding), which in expectation over batches is the weighted
    mean of all rows.
    """


class Controller(NamedTuple):
    """A weight of the loss that may change after every epoch: init and update, as an optimiser is in optax.

    Attributes:
        init: () -> state, a NamedTuple of scalars. `state.value` (float32) is the weight in force in the coming epoch.
            The controller's own numbers and its count of epochs are in the state too: sweeping a number compiles
            nothing, and a state handed to the next stage goes on where it was.
        update: (state, mean losses of the epoch that ended) -> (state, info). Shapes and dtypes of the state never
            change; info holds what a person may want to look at, finite scalars by name.
    """

    init: Callable[[], Any]
    update: Callable[[Any, Info], tuple[Any, Info]]


class State(NamedTuple):
    """All that the next step needs; structure, shapes and dtypes never change while training.

    Example:
        >>> state = vc.State({"w": jnp.zeros(3)}, opt_state=(), control={}, memory=(), step=jnp.zeros((), jnp.int32))
        >>> state._replace(step=state.step + 1).step.item()
        1
    """

    params: Params
    opt_state: Any
    control: dict[str, Any]
    """Weights of the loss by name (beta, gamma), each a `Controller`'s state: swept without compiling again."""
    memory: Any
    """What `end_epoch` computes from all training rows (for DEC the target P), or what a start keeps; or ()."""
    step: Int[Array, ""]


class Learner(NamedTuple):
    """A model and its objective as pure functions; `training` runs any of them.

    Example:
        >>> networks = vc.MLP(latent_dim=2).build((4,))
        >>> about = vc.About(networks, 2, 48, 16, learning_rate=1e-3, patience=10, has_validation=True)
        >>> learner = vc.VAEKMeans(3, likelihood="gaussian", beta=1.0).stages(about)[0].learner
        >>> batch = vc.Batch(x=jnp.zeros((16, 4)), y=None, index=jnp.arange(16), weight=jnp.ones(16))
        >>> state, info = learner.step(jax.random.key(1), learner.init(jax.random.key(0)), batch)
        >>> "loss" in info
        True
    """

    init: Callable[[Key], State]
    step: Callable[[Key, State, Batch], tuple[State, Info]]
    """One gradient step: (key, state, batch) -> (state, info); info always has "loss"."""
    evaluate: Callable[[Key, State, Batch], Info]
    """The loss parts without a step: (key, state, batch) -> info; info always has "loss", what validation watches."""
    end_epoch: Callable[..., tuple[State, Info]] = lambda state, x, epoch, losses, weight=None: (state, {})
    """(state, all training rows, epoch counted from 1, mean losses of the epoch) -> (state, info): target refresh.

    Where the fit has sample weights they follow as a fifth argument, (n,) and 1 in the mean.
    """
    advance: Callable[[dict[str, Any], Info], tuple[dict[str, Any], Info]] = lambda control, losses: (control, {})
    """(controllers' states, mean losses of the epoch) -> (those of the next epoch, info)."""
    gentler: Callable[[State], State] = lambda state: state
    """The state with a lower learning rate, to try an epoch again whose loss was not finite."""
    by_row: tuple[str, ...] | None = None
    """Places in `State.memory`, such as "p" or "assigned/assignment", of arrays with an entry a training row.

    They may then be laid over devices with the rows (`training.layout`): `step` reads them by `rows_of` alone, and
    `end_epoch` takes weights, 0 for rows that are filled up with. None: the rows of this learner stay on one device.
    """
    by_blocks: bool = False
    """Whether a step needs of its rows nothing but their values, neither `Batch.y` nor `Batch.index`.

    It may then be given training rows that are read by blocks (`training.shuffled`). Of other learners a stage is
    trained on a few of them, evenly spaced, as all that `end_epoch` sees.
    """


class Heads(NamedTuple):
    """What a trained model can be asked, as pure functions; None: it cannot. Equal settings give the same functions.

    Attributes:
        encode: (params, x) -> mean and log-variance of the posterior q(z|x), (n, L) each. It reads
            `params["encoder"]` alone, so that models with the same encoder are encoded once.
        decode: (params, z) -> the expected x, in the model's units.
        assign: (params, z) -> log-probabilities of the clusters, (n, K).
        score: (key, params, x) -> (n,) nats, lower is likelier: -ELBO, or an energy.
        sample: (key, params, number) -> new x. None: drawn from `prior` and decoded.
        prior: (params) -> what z is a priori, an `objectives.mixture.Mixture`, a component a cluster; None: N(0, I).
        predict: (params, x) -> log-probabilities of classes, (n, C).
        regress: (params, x) -> (n, L), the values that follow those of x (n, F - L) in a row of F prepared values.
        centres: (params) -> (K, r, L), r prototypes of each cluster, the one that stands for most first. None: the
            means of the clusters' codes.
        energy: (params, z) -> (n,) nats, how far codes are from all clusters, which `assign` forgets; where it has such
            a thing.
        view: `Networks.view`.
        recall: (params, x, most=...) -> (x that a memory comes to rest at, iterations (n,)), of `most` at most.

    Example:
        >>> heads = vc.DEC(3, likelihood="gaussian").heads(vc.MLP(latent_dim=2).build((4,)))
        >>> heads.assign is not None, heads.predict is None
        (True, True)
    """

    encode: Callable[[Params, Float[Array, "n ..."]], tuple[Array, Array]] | None = None
    decode: Callable[[Params, Float[Array, "n l"]], Float[Array, "n ..."]] | None = None
    assign: Callable[[Params, Float[Array, "n l"]], Float[Array, "n k"]] | None = None
    score: Callable[[Key, Params, Float[Array, "n ..."]], Float[Array, " n"]] | None = None
    sample: Callable[[Key, Params, int], Float[Array, "n ..."]] | None = None
    prior: Callable[[Params], Any] | None = None
    predict: Callable[[Params, Float[Array, "n ..."]], Float[Array, "n c"]] | None = None
    regress: Callable[[Params, Float[Array, "n f"]], Float[Array, "n l"]] | None = None
    centres: Callable[[Params], Float[Array, "k r l"]] | None = None
    energy: Callable[[Params, Float[Array, "n l"]], Float[Array, " n"]] | None = None
    view: Callable[[Key, Any], Any] | None = None
    recall: Callable[..., tuple[Float[Array, "n ..."], Int[Array, " n"]]] | None = None


class Stopping(NamedTuple):
    """When a stage ends before its last epoch, and with which state; pure, so that seeds stop one by one.

    Attributes:
        init: (state) -> memory, a pytree.
        update: (memory, state, info of the epoch, "val_..." parts included) -> (memory, stop).
        result: (memory, last state) -> the state handed on.

    Example:
        >>> never = vc.Stopping(
        ...     init=lambda state: (),
        ...     update=lambda memory, state, info: (memory, jnp.asarray(False)),
        ...     result=lambda memory, state: state,
        ... )
        >>> memory, stop = never.update((), None, {})
        >>> bool(stop)
        False
    """

    init: Callable[[State], Any]
    update: Callable[[Any, State, Info], tuple[Any, Array]]
    result: Callable[[Any, State], State]


class Rows(Protocol):
    """The training rows that a start sees."""

    @property
    def x(self) -> Float[Array, "n ..."]:
        """As the programs read them: an array, or what stands for rows that stay on the host."""

    @property
    def y(self) -> Int[Array, " n"] | None:
        """As `Batch.y`."""

    @property
    def weight(self) -> Float[np.ndarray, " n"] | None:
        """What each row counts, 1 in the mean and none 0; None: all the same."""

    @property
    def blocks(self) -> Any:
        """The `training.shuffled.ShuffledBlocks` of which x are a few, evenly spaced; None: x are all."""

    def encode(self, heads: Heads, params: Params) -> tuple[Float[np.ndarray, "n l"], Float[np.ndarray, "n l"]]:
        """Posterior means and log-variances of all rows, computed once for each distinct encoder."""


class Stage(NamedTuple):
    """One part of a training run, with the hand-over from the part before.

    Example:
        >>> networks = vc.MLP(latent_dim=2).build((4,))
        >>> about = vc.About(networks, 2, 48, 16, learning_rate=1e-3, patience=10, has_validation=True)
        >>> method = vc.VAEKMeans(3, likelihood="gaussian", beta=1.0, pretrain_epochs=7)
        >>> [stage.num_epochs for stage in method.stages(about)]
        [7, 0]
    """

    name: str
    learner: Learner
    num_epochs: int
    start: Callable[[Key, Sequence[State | None], Rows], list[State]]
    """(keys (S,), last states of the stage before, training rows) -> first states; on the host, once for all seeds."""
    stopping: Stopping
    model: Any = None
    """The `methods.method.Method` whose model the stage ends with; None: one that cannot be asked yet."""
