"""The nouns that the rooms exchange: plain named tuples of arrays and pure functions."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
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
    """

    init: Callable[[Key], Params]
    apply: Callable[..., Any]


class Networks(NamedTuple):
    """The two halves of a variational autoencoder.

    Attributes:
        encoder: apply(params, x) -> (mean, logvar), each (n, L): the posterior N(mean, exp(logvar)).
        decoder: apply(params, z) -> the likelihood's parameter, of the shape of x (logits for Bernoulli,
            the mean for Gaussian).
        view: (key, x) -> x of the same shape: what the encoder sees of samples while it is trained, each
            time anew; the decoder gives back the samples as they are, so that codes forget what a view changes.
            None: the samples themselves.
    """

    encoder: Network
    decoder: Network
    view: Callable[[Key, Any], Any] | None = None


class Batch(NamedTuple):
    """Rows of the training set with a shared leading axis; a pytree."""

    x: Float[Array, "b ..."]
    index: Int[Array, " b"]  # type: ignore[assignment]  # hides tuple.index, which nobody calls
    """Row numbers in the training set: they look up the rows of the target P."""
    weight: Float[Array, " b"]
    """1 for a sample, 0 for padding: loss = sum(weight * loss) / sum(weight)."""


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
    """All that the next step needs; structure, shapes and dtypes never change while training."""

    params: Params
    opt_state: Any
    control: dict[str, Any]
    """Weights of the loss by name (beta, gamma), each a `Controller`'s state: swept without compiling again."""
    target: Any
    """What `end_epoch` computes from all training rows (for DEC the distribution P), or ()."""
    step: Int[Array, ""]


class Learner(NamedTuple):
    """A model and its objective as pure functions; `training` runs any of them.

    Heads that a learner does not have are None.
    """

    init: Callable[[Key], State]
    step: Callable[[Key, State, Batch], tuple[State, Info]]
    """One gradient step: (key, state, batch) -> (state, info); info always has "loss"."""
    evaluate: Callable[[Key, State, Batch], Info]
    """The loss parts without a step: (key, state, batch) -> info; info always has "vae_loss"."""
    end_epoch: Callable[[State, Float[Array, "n ..."], Int[Array, ""], Info], tuple[State, Info]]
    """(state, all training rows, epoch counted from 1, mean losses of the epoch) -> (state, info): target refresh."""
    encode: Callable[[Params, Float[Array, "n ..."]], tuple[Float[Array, "n l"], Float[Array, "n l"]]]
    """Mean and log-variance of the posterior q(z|x)."""
    decode: Callable[[Params, Float[Array, "n l"]], Float[Array, "n ..."]]
    """The expected x, in the model's units."""
    log_assign: Callable[[Params, Float[Array, "n l"]], Float[Array, "n k"]] | None = None
    """Log-probabilities of the clusters."""
    prior: Callable[[Params], Any] | None = None
    """What z is a priori, an `objectives.mixture.Mixture` with a component a cluster; None: N(0, I)."""
    advance: Callable[[dict[str, Any], Info], tuple[dict[str, Any], Info]] = lambda control, losses: (control, {})
    """(controllers' states, mean losses of the epoch) -> (those of the next epoch, info)."""
    gentler: Callable[[State], State] = lambda state: state
    """The state with a lower learning rate, to try an epoch again whose loss was not finite."""
    view: Callable[[Key, Any], Any] | None = None
    """`Networks.view`."""


class Stopping(NamedTuple):
    """When a stage ends before its last epoch, and with which state; pure, so that seeds stop one by one.

    Attributes:
        init: (state) -> memory, a pytree.
        update: (memory, state, info of the epoch, "val_..." parts included) -> (memory, stop).
        result: (memory, last state) -> the state handed on.
    """

    init: Callable[[State], Any]
    update: Callable[[Any, State, Info], tuple[Any, Array]]
    result: Callable[[Any, State], State]


class Together(NamedTuple):
    """A `Stage.start` that is asked once for all seeds, which then see each other's states.

    Attributes:
        start: (keys (S,), last states of the stage before, all training rows) -> first states, in the seeds' order.
    """

    start: Callable[[Key, Sequence[State | None], Float[Array, "n ..."]], list[State]]


class Stage(NamedTuple):
    """One part of a training run, with the hand-over from the part before."""

    name: str
    learner: Learner
    num_epochs: int
    start: Callable[[Key, State | None, Float[Array, "n ..."]], State] | Together
    """(key, last state of the stage before, all training rows) -> first state; runs on the host, once a seed."""
    stopping: "Stopping"
