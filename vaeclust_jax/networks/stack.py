"""The layers of an MLP encoder and its mirrored decoder, one by one: `types.Stack`."""

import jax
from jaxtyping import Array

from vaeclust_jax.types import Params, Stack


def mlp_stack(shape: tuple[int, ...], hidden: int) -> Stack:
    """Of the networks of `networks.mlp` with linear heads; the last layer of the encoder is the mean.

    Args:
        shape: of one sample.
        hidden: number of hidden layers of the encoder, whose widths the decoder has in reverse.
    """

    def up(layer: int, encoder: Params, x: Array) -> Array:
        x = x.reshape(x.shape[0], -1)
        if layer == hidden:
            return _linear(encoder["mean"], x)
        return jax.nn.relu(_linear(encoder["trunk"]["layers"][layer], x))

    def down(layer: int, decoder: Params, code: Array) -> Array:
        back = _linear(decoder["trunk"]["layers"][hidden - layer], code)
        return back.reshape(len(code), *shape) if layer == 0 else jax.nn.relu(back)

    return Stack(hidden + 1, up, down)


def stack_standardised(stack: Stack, mean: float, std: float) -> Stack:
    """The same layers, the first of which sees (x - mean) / std."""

    def up(layer: int, encoder: Params, x: Array) -> Array:
        return stack.up(layer, encoder, (x - mean) / std if layer == 0 else x)

    return stack._replace(up=up)


def _linear(weights: Params, x: Array) -> Array:
    return x @ weights["kernel"] + weights["bias"][None]
