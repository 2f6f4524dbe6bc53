"""How many random patterns a net can recall: shares over many pattern sets, by load."""

from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from vaeclust_jax.folder.records.memory import LoadPoint
from vaeclust_jax.methods.hopfield import Classical, Net
from vaeclust_jax.objectives.hopfield import settle
from vaeclust_jax.types import Key

UNITS, SETS, FLIPPED = 100, 100, 0.1
"""Units of a net, pattern sets, and the share of units that are wrong where recall begins."""
_SIZES, _NEAR_THE_BOUND = (50, 100, 200, 400), (0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.2)
"""Units of classical nets, whose bound is one of very many units, and loads beside it."""
_LOADS = (0.02, 0.05, 0.08, 0.1, 0.12, 0.14, 0.17, 0.2, 0.25, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0)
_BEYOND = (2.0, 5.0, 10.0)
"""Loads of all nets, and those of nets without a bound."""
ITERATIONS, WRONG = 30, 0.01
"""Of recall at most, and the share of units that may be wrong then in a pattern that has come back."""
_ASKED = 10
"""Patterns of a set that are recalled."""


def capacity(net: Net, key: Key) -> tuple[LoadPoint, ...]:
    """The share of patterns that come back in all units but one in a hundred, from a tenth of flipped units.

    Args:
        net: which.
        key: draws sets of `UNITS` random units of -1 and 1, the same for every net.
    """
    return _over_loads(net, key, UNITS, _LOADS if net.bound(UNITS) is not None else (*_LOADS, *_BEYOND))


def capacity_by_units(key: Key) -> dict[str, tuple[LoadPoint, ...]]:
    """`capacity` of classical nets of few and many units, by "50 units" and the like."""
    net, loads = Classical(), _NEAR_THE_BOUND
    return {f"{units} units": _over_loads(net, jax.random.clone(key), units, loads) for units in _SIZES}


def _over_loads(net: Net, key: Key, units: int, loads: tuple[float, ...]) -> tuple[LoadPoint, ...]:
    keys, program = jax.random.split(key, SETS), _program(net, units, round(units * max(loads)))
    points = []
    for load in loads:  # with the same sets
        shares = np.asarray(program(jax.random.clone(keys), jnp.asarray(round(load * units))))
        points.append(LoadPoint(load=load, recalled=float(shares.mean()), recalled_std=float(shares.std(ddof=1))))
    return tuple(points)


@lru_cache
def _program(net: Net, units: int, most: int) -> jax.stages.Wrapped:
    return jax.jit(jax.vmap(partial(_share, net, units, most), in_axes=(0, None)))


def _share(net: Net, units: int, most: int, key: Key, number: Array) -> Float[Array, ""]:
    """Of one set of so many patterns; the rest of `most` rows, which give all loads one program, are not written."""
    patterns_key, flips_key = jax.random.split(key)
    patterns = jax.random.rademacher(patterns_key, (most, units), jnp.float32)
    counted: Bool[Array, " p"] = jnp.arange(most) < number
    params = net.write(patterns, counted)
    asked = patterns[:_ASKED]
    flips = jnp.argsort(jax.random.uniform(flips_key, asked.shape), axis=1) < round(FLIPPED * units)
    ends, _, _ = settle(lambda state: net.step(params, state), jnp.where(flips, -asked, asked), ITERATIONS)
    right = (jnp.where(ends >= 0, 1.0, -1.0) == asked).mean(axis=1) >= 1 - WRONG
    return jnp.sum(right & counted[:_ASKED]) / jnp.minimum(number, _ASKED)
