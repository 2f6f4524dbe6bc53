"""Long short-term memory for series: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.

At every step, with gates i, f, o and the candidate g from (i, f, g, o) = x W + h U + b,

    c' = sigmoid(f) c + sigmoid(i) tanh(g),    h' = sigmoid(o) tanh(c').

The bias of f starts at 1, so that a new cell remembers (Jozefowicz et al., 2015).
"""

import itertools

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax
from jaxtyping import Array, Float

from vaeclust_jax.networks.linear import linear
from vaeclust_jax.networks.series import as_steps
from vaeclust_jax.random import truncated_normal


def lstm_step(
    c: Float[Array, "n h"], h: Float[Array, "n h"], of_input: Float[Array, "n g"], recurrent: Float[Array, "h g"]
) -> tuple[Float[Array, "n h"], Float[Array, "n h"]]:
    """One step of a cell.

    Args:
        c, h: what the cell remembers, and its answer to the step before.
        of_input: x W + b, the gates i, f, g, o side by side, g = 4 h.
        recurrent: U.

    Returns:
        The new c and h.
    """
    i, f, g, o = jnp.split(of_input + h @ recurrent, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return c, jax.nn.sigmoid(o) * jnp.tanh(c)


class LSTMLayer(nnx.Module):
    """A cell that reads a series from its first step to its last, from c = h = 0."""

    def __init__(self, inputs: int, hidden: int, rngs: nnx.Rngs):
        self.kernel = nnx.Param(truncated_normal(rngs.params(), (inputs, 4 * hidden), 1 / inputs))
        self.recurrent = nnx.Param(truncated_normal(rngs.params(), (hidden, 4 * hidden), 1 / hidden))
        self.bias = nnx.Param(jnp.zeros(4 * hidden).at[hidden : 2 * hidden].set(1.0))

    def __call__(self, x: Float[Array, "n t c"]) -> Float[Array, "n t h"]:
        """Its answers to all steps."""
        of_inputs = jnp.swapaxes(x @ self.kernel[...] + self.bias[None, None], 0, 1)  # all steps in one product
        recurrent = self.recurrent[...]
        nothing = jnp.zeros((x.shape[0], recurrent.shape[0]), of_inputs.dtype)

        def step(before: tuple[Array, Array], of_input: Array) -> tuple[tuple[Array, Array], Array]:
            c, h = lstm_step(*before, of_input, recurrent)
            return (c, h), h

        _, answers = lax.scan(step, (nothing, nothing), of_inputs)
        return jnp.swapaxes(answers, 0, 1)


class LSTMStack(nnx.Module):
    """Layers of cells, each of which reads the answers of the one before."""

    def __init__(self, sizes: tuple[int, ...], rngs: nnx.Rngs):
        self.layers = nnx.List(LSTMLayer(i, o, rngs) for i, o in itertools.pairwise(sizes))

    def __call__(self, x: Float[Array, "n t c"]) -> Float[Array, "n t h"]:  # noqa: D102
        for layer in self.layers:
            x = layer(x)
        return x


class LSTMEncoder(nnx.Module):
    """x -> (mean, logvar): the last layer's answer to the last step, two linear heads."""

    def __init__(self, shape: tuple[int, ...], channels: int, hidden: tuple[int, ...], latent_dim: int, rngs: nnx.Rngs):
        self.steps = as_steps(shape, channels)
        self.trunk = LSTMStack((self.steps[1], *hidden), rngs)
        self.mean = linear(hidden[-1], latent_dim, rngs)
        self.logvar = linear(hidden[-1], latent_dim, rngs)

    def __call__(self, x: Float[Array, "n ..."]) -> tuple[Array, Array]:  # noqa: D102
        last = self.trunk(x.reshape(x.shape[0], *self.steps))[:, -1]
        return self.mean(last), self.logvar(last)


class LSTMDecoder(nnx.Module):
    """z -> logits or mean of x: cells that are given the code at every step, a linear layer over their answers."""

    def __init__(self, shape: tuple[int, ...], channels: int, hidden: tuple[int, ...], latent_dim: int, rngs: nnx.Rngs):
        self.shape, self.steps = shape, as_steps(shape, channels)
        self.trunk = LSTMStack((latent_dim, *hidden), rngs)
        self.last = linear(hidden[-1], self.steps[1], rngs)

    def __call__(self, z: Float[Array, "n l"]) -> Float[Array, "n ..."]:  # noqa: D102
        at_every_step = jnp.broadcast_to(z[:, None], (z.shape[0], self.steps[0], z.shape[1]))
        return self.last(self.trunk(at_every_step)).reshape(z.shape[0], *self.shape)
