"""Flax modules as `Network`s: built from a key, split once, plain nested dicts outside this room."""

from collections.abc import Callable

import jax
from flax import nnx

from vaeclust_jax.types import Key, Network, Params


def from_module(build: Callable[[nnx.Rngs], nnx.Module]) -> Network:
    """A pure `Network` from a Flax NNX module.

    Args:
        build: makes the module; its `__call__` takes arrays with the batch first. The module may hold
            `nnx.Param` alone: BatchNorm statistics or stored Rngs raise here, at construction.
    """
    graph, _ = nnx.split(nnx.eval_shape(lambda: build(nnx.Rngs(0))), nnx.Param)

    def init(key: Key) -> Params:
        _, params = nnx.split(build(nnx.Rngs(key)), nnx.Param)
        return nnx.to_pure_dict(params)

    def apply(params: Params, *arrays: jax.Array) -> jax.Array | tuple[jax.Array, ...]:
        return nnx.merge(graph, nnx.State(params))(*arrays)

    return Network(init, apply)


def standardised(network: Network, mean: float, std: float) -> Network:
    """The same network behind x -> (x - mean) / std: an encoder sees standardised pixels, the loss [0, 1] ones."""
    if (mean, std) == (0.0, 1.0):
        return network
    return Network(network.init, lambda params, x: network.apply(params, (x - mean) / std))
