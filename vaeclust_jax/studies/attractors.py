"""All attractors of nets of two and three saturating units, found from a grid over the whole cube.

The patterns are those of a course on neural networks: in the plane (1, 1), (-1, -1) and (1, -1); in space (1, 1, 1),
(-1, -1, 1) and (1, -1, -1).
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from vaeclust_jax.folder.records.memory import RestingPoint, SmallNet
from vaeclust_jax.methods.hopfield import Saturating
from vaeclust_jax.objectives.hopfield import settle

PATTERNS = (((1, 1), (-1, -1), (1, -1)), ((1, 1, 1), (-1, -1, 1), (1, -1, -1)))
_ACROSS = {2: 41, 3: 21}
"""Starts along an axis, by the number of units: odd, so that points between two attractors are among them."""
_MOST, _RANDOM, _BESIDE = 200, 1000, 1e-3
_DIGITS = 3


def small_net(patterns: tuple[tuple[float, ...], ...], net: Saturating, seed: int = 0) -> SmallNet:
    """Every place where the net comes to rest, and how long it takes from random starts."""
    generator, units = np.random.default_rng(seed), len(patterns[0])
    across = np.arange(_ACROSS[units]) - _ACROSS[units] // 2
    starts = np.array(list(itertools.product(across / across.max(), repeat=units)))
    ends, _ = _settled(patterns, net, starts)
    places, counts = np.unique(np.round(ends, _DIGITS) + 0.0, axis=0, return_counts=True)
    noise = generator.normal(scale=_BESIDE, size=(20, *places.shape))
    back, _ = _settled(patterns, net, (places + noise).reshape(-1, units))
    stable = (np.abs(back.reshape(noise.shape) - places).max(axis=2) < 10**-_DIGITS).all(axis=0)
    stored = {tuple(map(float, one)) for one in patterns}
    _, taken = _settled(patterns, net, generator.uniform(-1, 1, (_RANDOM, units)))
    return SmallNet(
        patterns=tuple(tuple(map(float, one)) for one in patterns),
        starts=len(starts),
        resting=tuple(
            RestingPoint(place=place, share=int(count) / len(starts), stable=bool(good), stored=place in stored)
            for place, count, good in zip(map(tuple, places.tolist()), counts, stable, strict=True)
        ),
        iterations=float(taken.mean()),
        iterations_std=float(taken.std(ddof=1)),
    )


def trajectories(
    patterns: tuple[tuple[float, ...], ...], net: Saturating, starts: Float[np.ndarray, "n f"], steps: int
) -> Float[np.ndarray, "t n f"]:
    """The states from each start on, the start first."""
    params = net.write(jnp.asarray(patterns, jnp.float32))
    state, found = jnp.asarray(starts, jnp.float32), [np.asarray(starts, np.float32)]
    for _ in range(steps):
        state = net.step(params, state)
        found.append(np.asarray(state))
    return np.stack(found)


def _settled(
    patterns: tuple[tuple[float, ...], ...], net: Saturating, starts: Float[np.ndarray, "n f"]
) -> tuple[np.ndarray, np.ndarray]:
    """In float64: between two attractors a state grows away from where it should stay, by its rounding error."""
    with jax.enable_x64(True):
        params = net.write(jnp.asarray(patterns, jnp.float64))
        ends, taken, _ = settle(lambda state: net.step(params, state), jnp.asarray(starts, jnp.float64), _MOST)
        return np.asarray(ends), np.asarray(taken)
