"""Convolutions along the time of a series, and how a sample is read as one."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from vaeclust_jax.networks.linear import linear
from vaeclust_jax.random import truncated_normal

_STRIDE = 2


def as_steps(shape: tuple[int, ...], channels: int) -> tuple[int, int]:
    """Steps T and values C at each, of a sample.

    Args:
        shape: (T C,), the values of a step side by side.
        channels: C.
    """
    return shape[0] // channels, channels


def conv1d(x: Float[Array, "n t c"], kernel: Float[Array, "k c o"], stride: int) -> Float[Array, "n s o"]:
    """Convolution along time, of ceil(t / stride) steps: zeros on both sides, as a product of matrices.

    XLA's own convolutions fall back to naive loops inside a loop on a CPU (`networks.conv`).
    """
    size, steps = kernel.shape[0], -(-x.shape[1] // stride)
    before = (size - 1) // 2
    after = max((steps - 1) * stride + size - before - x.shape[1], 0)
    padded = jnp.pad(x, ((0, 0), (before, after), (0, 0)))
    seen = [padded[:, i : i + (steps - 1) * stride + 1 : stride] for i in range(size)]
    return jnp.concatenate(seen, axis=-1) @ kernel.reshape(-1, kernel.shape[-1])


class Conv1D(nnx.Module):
    """`conv1d` with bias."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, rngs: nnx.Rngs):
        variance = 1 / (kernel * inputs)
        self.kernel = nnx.Param(truncated_normal(rngs.params(), (kernel, inputs, outputs), variance))
        self.bias = nnx.Param(jnp.zeros(outputs))
        self.stride = stride

    def __call__(self, x: Float[Array, "n t c"]) -> Float[Array, "n s o"]:  # noqa: D102
        return conv1d(x, self.kernel[...], self.stride) + self.bias[None, None]


def step_counts(steps: int, num_layers: int) -> list[int]:
    """Before the first layer and after each one."""
    counts = [steps]
    for _ in range(num_layers):
        counts.append(-(-counts[-1] // _STRIDE))
    return counts


class Conv1DEncoder(nnx.Module):
    """x -> (mean, logvar): convolutions of stride 2 with ReLU, flattened, two linear heads."""

    def __init__(
        self,
        shape: tuple[int, ...],
        channels: int,
        filters: tuple[int, ...],
        kernel: int,
        latent_dim: int,
        rngs: nnx.Rngs,
    ):
        self.steps = as_steps(shape, channels)
        widths = (self.steps[1], *filters)
        self.layers = nnx.List(Conv1D(widths[i], widths[i + 1], kernel, _STRIDE, rngs) for i in range(len(filters)))
        features = step_counts(self.steps[0], len(filters))[-1] * filters[-1]
        self.mean = linear(features, latent_dim, rngs)
        self.logvar = linear(features, latent_dim, rngs)

    def __call__(self, x: Float[Array, "n ..."]) -> tuple[Array, Array]:  # noqa: D102
        x = x.reshape(x.shape[0], *self.steps)
        for layer in self.layers:
            x = jax.nn.relu(layer(x))
        x = x.reshape(x.shape[0], -1)
        return self.mean(x), self.logvar(x)


class Conv1DDecoder(nnx.Module):
    """z -> logits or mean of x: a linear layer, then steps doubled and convolved until there are as many as in x.

    Doubling and then convolving leaves no comb of strong and weak steps (Odena et al., 2016).
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        channels: int,
        filters: tuple[int, ...],
        kernel: int,
        latent_dim: int,
        rngs: nnx.Rngs,
    ):
        self.shape = shape
        steps, outputs = as_steps(shape, channels)
        self.counts = tuple(step_counts(steps, len(filters))[::-1])
        self.first = linear(latent_dim, self.counts[0] * filters[-1], rngs)
        widths = (*filters[::-1], outputs)
        self.layers = nnx.List(Conv1D(widths[i], widths[i + 1], kernel, 1, rngs) for i in range(len(filters)))

    def __call__(self, z: Float[Array, "n l"]) -> Float[Array, "n ..."]:  # noqa: D102
        y = self.first(z).reshape(z.shape[0], self.counts[0], -1)
        for layer, steps in zip(self.layers, self.counts[1:], strict=True):
            y = layer(jnp.repeat(jax.nn.relu(y), _STRIDE, axis=1)[:, :steps])
        return y.reshape(z.shape[0], *self.shape)
