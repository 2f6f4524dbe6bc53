"""Rows and states on eight forced host devices against NumPy, in a process of its own: a line of JSON.

python -m tests.training.laid_rows
"""

import json
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from vaeclust_jax.streamed import Streamed
from vaeclust_jax.training.epoch import Data
from vaeclust_jax.training.layout import Layout, lay_data, rows_of
from vaeclust_jax.training.mesh import Mesh

CHECKED: list[str] = []
FAILED: list[str] = []


class Memory(NamedTuple):
    """As a learner has."""

    p: Any
    scalar: Any


class Inner(NamedTuple):
    """As `State`."""

    memory: Memory


class Whole(NamedTuple):
    """As `Progress`."""

    state: Inner
    stopped: Any


def check(name: str, right: Any) -> None:
    CHECKED.append(name)
    if not right:
        FAILED.append(name)


def equal(one: Any, other: Any) -> bool:
    return np.array_equal(np.asarray(one), np.asarray(other))


def of_mesh(mesh: Mesh, num_seeds: int, n: int) -> None:
    """A program that gathers batches, maps rows and changes P, of seeds some of which are frozen."""
    rng, name = np.random.default_rng(n), f"{mesh}, {num_seeds} seeds, {n} rows: "
    x = rng.normal(size=(n, 3)).astype(np.float32)
    y = rng.integers(0, 5, n)
    p = rng.normal(size=(num_seeds, n, 2)).astype(np.float32)
    index = rng.integers(0, n, 2 * mesh.rows)
    streamed = Streamed(x)
    data = lay_data(mesh, Data(streamed if mesh.rows > 1 else jnp.asarray(x), jnp.asarray(y)))
    size = n + -n % mesh.rows
    check(name + "length", data.x.shape == (n, 3))
    if mesh.rows > 1:
        parts = [np.asarray(shard.data) for shard in data.x.array.addressable_shards[: mesh.rows]]
        check(name + "parts", {len(part) for part in parts} == {size // mesh.rows})
        check(name + "rows", equal(np.concatenate(parts), np.pad(x, [(0, size - n), (0, 0)])))
        expected = None if size == n else np.arange(size) < n
        check(name + "weight", data.weight is None if expected is None else equal(data.weight, expected))
    layout = Layout(mesh, ("p",), num_seeds, n)
    frozen = rng.random(num_seeds) < 0.3
    before = Whole(Inner(Memory(p, np.arange(num_seeds * 1.0))), frozen)
    laid = layout.lay(before)
    check(name + "one part of P", laid.state.memory.p.addressable_shards[0].data.shape[1] == size // mesh.rows)
    check(name + "back", jax.tree.all(jax.tree.map(equal, before, layout.back(laid))))
    check(name + "copies stopped", np.asarray(laid.stopped)[num_seeds:].all())

    def epoch(keys: Any, progress: Whole, data: Data) -> Any:
        def one(numbers: Any, progress: Whole) -> Any:
            def go() -> Any:
                batch = data.x[index]
                own = rows_of(progress.state.memory.p, index)
                doubled = 2 * progress.state.memory.p
                key = jax.random.wrap_key_data(numbers)
                info = {
                    "batch": batch.sum(0),
                    "p": (own * own).sum(),
                    "total": doubled.sum(0),
                    "draw": jax.random.uniform(key),
                }
                return progress._replace(state=Inner(progress.state.memory._replace(p=doubled))), info

            unsaid = jax.tree.map(lambda info: jnp.zeros(info.shape, info.dtype), jax.eval_shape(go)[1])
            return lax.cond(progress.stopped, lambda: (progress, unsaid), go)

        return lax.map(lambda entry: one(*entry), (jax.random.key_data(keys), progress))

    keys = jax.vmap(jax.random.key)(jnp.arange(num_seeds))
    after, infos = jax.jit(layout.program(epoch), donate_argnums=1)(layout.keys(keys), laid, data)
    infos = {key: np.asarray(values)[:num_seeds] for key, values in infos.items()}
    live = ~frozen
    factor = np.where(live, 2, 1)[:, None, None]
    check(name + "new P", equal(layout.back(after).state.memory.p, p * factor))
    check(name + "P stays laid", after.state.memory.p.sharding.is_equivalent_to(
        layout.lay(before).state.memory.p.sharding, 3))  # fmt: skip
    check(name + "batch", np.allclose(infos["batch"], live[:, None] * x[index].sum(0), atol=1e-5))
    check(name + "batch of P", np.allclose(infos["p"], live * (p[:, index] ** 2).sum((1, 2)), rtol=1e-5))
    check(name + "sum over rows", np.allclose(infos["total"], live[:, None] * 2 * p.sum(1), atol=1e-4))
    draws = [float(jax.random.uniform(key)) for key in keys]
    check(name + "draws", equal(infos["draw"], live * np.asarray(draws, np.float32)))
    if mesh.rows > 1:
        mapped = jax.jit(layout.program(lambda keys, progress, x: (
            progress, x.map_chunks(lambda rows: rows @ jnp.ones((3, 2)), 2)[None] * jnp.ones((len(keys), 1, 1))
        )))(layout.keys(keys), layout.lay(before), data.x)[1]  # fmt: skip
        check(name + "mapped", np.allclose(np.asarray(mapped)[0, :n], x @ np.ones((3, 2)), atol=1e-5))


if __name__ == "__main__":
    of_mesh(Mesh(3, 2), 4, 13)  # neither divides
    of_mesh(Mesh(1, 8), 1, 16)
    of_mesh(Mesh(8, 1), 8, 5)
    print(json.dumps({"devices": len(jax.devices()), "checked": CHECKED, "failed": FAILED}))
