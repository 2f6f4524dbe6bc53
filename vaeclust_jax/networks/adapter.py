"""Flax modules as `Network`s: built from a key, split once, plain nested dicts outside this room."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from vaeclust_jax.errors import InputError
from vaeclust_jax.types import Key, Network, Params

if TYPE_CHECKING:  # half a second that `import vaeclust_jax` need not take
    from flax import nnx


def from_module(build: "Callable[[nnx.Rngs], nnx.Module]", method: str = "__call__") -> Network:
    """A pure `Network` from a Flax NNX module.

    Args:
        build: makes the module; its `__call__` takes arrays with the batch first. The module may hold
            `nnx.Param` alone: BatchNorm statistics or stored Rngs raise here, at construction.
        method: of the module, what `apply` calls.

    Raises:
        InputError: a module in the place of what makes it, or one that holds more than `nnx.Param`.
    """
    from flax import nnx

    if isinstance(build, nnx.Module):
        kind = type(build).__name__
        raise InputError(f"from_module takes what makes a module, lambda rngs: {kind}(rngs=rngs), got a {kind} itself")
    module = nnx.eval_shape(lambda: build(nnx.Rngs(0)))
    kinds = {type(leaf) for _, leaf in nnx.to_flat_state(nnx.state(module))}
    if more := sorted(kind.__name__ for kind in kinds if not issubclass(kind, nnx.Param)):
        raise InputError(
            f"the module may hold nnx.Param alone, got {', '.join(more)}: leave dropout and batch norm out"
        )
    graph, _ = nnx.split(module, nnx.Param)

    def init(key: Key) -> Params:
        _, params = nnx.split(build(nnx.Rngs(key)), nnx.Param)
        return nnx.to_pure_dict(params)

    def apply(params: Params, *arrays: jax.Array) -> jax.Array | tuple[jax.Array, ...]:
        return getattr(nnx.merge(graph, nnx.State(params)), method)(*arrays)

    return Network(init, apply)


def from_training_module(build: "Callable[[nnx.Rngs], nnx.Module]") -> Network:
    """A `Network` that is another function while it is trained (`Network.train`), from a Flax NNX module.

    Its parameters are {"weights": what gradients change, "statistics": what training hands on}. They stand beside each
    other because whoever keeps a model's parameters, a stopping rule or a file, needs both.

    Args:
        build: makes the module. Its `__call__` takes arrays with the batch first; its `in_training` takes (key, weight,
            *arrays), and may change its `nnx.BatchStat`.
    """
    from flax import nnx

    def split(module: nnx.Module) -> tuple[Any, Any, Any]:
        parts: Any = nnx.split(module, nnx.Param, nnx.BatchStat)
        return parts[0], parts[1], parts[2]

    graph = split(nnx.eval_shape(lambda: build(nnx.Rngs(0))))[0]

    def init(key: Key) -> Params:
        _, weights, statistics = split(build(nnx.Rngs(key)))
        return {"weights": nnx.to_pure_dict(weights), "statistics": nnx.to_pure_dict(statistics)}

    def made(params: Params) -> Any:
        return nnx.merge(graph, nnx.State(params["weights"]), nnx.State(params["statistics"]))

    def train(key: Key, params: Params, weight: jax.Array, *arrays: jax.Array) -> tuple[Any, dict[str, Params]]:
        module = made(params)
        answer = module.in_training(key, weight, *arrays)
        return answer, {"statistics": nnx.to_pure_dict(split(module)[2])}

    return Network(init, lambda params, *arrays: made(params)(*arrays), train)


def standardised(network: Network, mean: float, std: float) -> Network:
    """The same network behind x -> (x - mean) / std: an encoder sees standardised pixels, the loss [0, 1] ones."""
    if (mean, std) == (0.0, 1.0):
        return network
    train = network.train
    return Network(
        network.init,
        lambda params, x: network.apply(params, (x - mean) / std),
        None if train is None else lambda key, params, weight, x: train(key, params, weight, (x - mean) / std),
    )


def in_bfloat16(network: Network) -> Network:
    """The same network with its arithmetic, forward and backward, in bfloat16.

    Parameters are rounded where they are used, never where they are kept: bfloat16 resolves 1 part in 256, and an
    optimiser's step below that would be lost (Micikevicius et al., Mixed Precision Training, 2018, Section 3.1).
    Arrays are rounded on the way in; answers and gradients come back in the dtype of what went in, at least float32.
    """

    def apply(params: Params, *arrays: jax.Array) -> Any:
        wide = jnp.result_type(jnp.float32, *jax.tree.leaves((params, arrays)))
        return _floats_as(wide, network.apply(*_floats_as(jnp.bfloat16, (params, *arrays))))

    return Network(network.init, apply)


def _floats_as(dtype: Any, tree: Any) -> Any:
    def cast(leaf: Any) -> Any:
        return jnp.asarray(leaf, dtype) if jnp.issubdtype(jnp.result_type(leaf), jnp.floating) else leaf

    return jax.tree.map(cast, tree)
