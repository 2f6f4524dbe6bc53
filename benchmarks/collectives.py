"""What devices of a mesh say to each other in an epoch, counted in the compiled program: nothing is trained.

    XLA_FLAGS=--xla_force_host_platform_device_count=8 python -m benchmarks.collectives --mesh seeds=1,rows=8

Bytes are those that a device sends, as the ring algorithms of NCCL do: of n bytes over R devices an all-reduce sends
2 n (R - 1) / R, a reduce-scatter or an all-gather n (R - 1) / R, n the larger side.
"""

import argparse
import math
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import vaeclust_jax as vc
from vaeclust_jax.training.epoch import Data, begin, epoch_program
from vaeclust_jax.training.layout import LaidRows, Layout
from vaeclust_jax.training.mesh import Mesh

_BYTES = {"f64": 8, "s64": 8, "u64": 8, "f32": 4, "s32": 4, "u32": 4, "bf16": 2, "f16": 2, "pred": 1, "s8": 1, "u8": 1}
_KINDS = ("all-reduce", "reduce-scatter", "all-gather", "all-to-all", "collective-permute")


@dataclass(frozen=True)
class Collective:
    """One instruction of the program.

    Attributes:
        kind: one of `_KINDS`.
        shape: of what it gives, as XLA writes it.
        sent: bytes that a device sends each time.
        groups: of devices, that take part together.
        times: how often it runs in an epoch; what a condition decides counts as if it held.
        conditional: a condition inside the epoch decides: the refresh of the target.
    """

    kind: str
    shape: str
    sent: float
    groups: str
    times: int
    conditional: bool


def collectives(hlo: str, size: int) -> list[Collective]:
    """Those of a compiled program, by a walk from its entry through its loops.

    Args:
        hlo: `compiled.as_text()`.
        size: devices of a group, R.
    """
    bodies: dict[str, list[str]] = {}
    entry = name = ""
    for line in hlo.splitlines():
        if opened := re.match(r"(ENTRY )?%?([\w.\-]+) \(.*\{$", line):
            name = opened[2]
            entry = name if opened[1] else entry
            bodies[name] = []
        elif name:
            bodies[name].append(line.strip())
    found: list[Collective] = []

    def visit(computation: str, times: int, conditions: int) -> None:
        for line in bodies.get(computation, []):
            got = re.match(r"(?:ROOT )?%[\w.\-]+ = (\(.*?\)|\S+) ([\w\-]+)\(", line)
            if got is None:
                continue
            shape, operation = got[1], got[2].removesuffix("-start")
            if operation in _KINDS:
                groups = re.search(
                    r"(?:replica_groups|source_target_pairs)=(\{\{.*?\}\}|\[[\d,]+\]<=\[[\d,]+\](?:T\([\d,]+\))?)", line
                )
                sent = _sent(operation, _bytes(shape), size)
                found.append(Collective(operation, shape, sent, groups[1] if groups else "", times, conditions > 1))
            loop = re.search(r'known_trip_count":\{"n":"(\d+)"', line)
            for role, inner in re.findall(r"(body|to_apply|calls|\w+_computation)=%?([\w.\-]+)", line):
                if operation == "while" and role == "body":
                    visit(inner, times * (int(loop[1]) if loop else 1), conditions)
                elif operation == "call":
                    visit(inner, times, conditions)
                elif operation == "conditional":
                    visit(inner, times, conditions + 1)
            if operation == "conditional" and (branches := re.search(r"branch_computations=\{(.*?)\}", line)):
                for inner in branches[1].split(","):
                    visit(inner.strip().removeprefix("%"), times, conditions + 1)

    visit(entry, 1, 0)
    return found


def _bytes(shape: str) -> int:
    parts = re.findall(r"(\w+)\[([\d,]*)\]", shape)
    return sum(_BYTES[kind] * math.prod(int(size) for size in sizes.split(",") if size) for kind, sizes in parts)


def _sent(kind: str, given: int, size: int) -> float:
    share = (size - 1) / size
    if kind == "all-reduce":
        return 2 * given * share
    if kind == "reduce-scatter":
        return given * size * share  # it gives a part
    return given * share if kind != "collective-permute" else given


def compiled_epoch(method: vc.Method, network: Any, num_rows: int, width: int, batch_size: int, mesh: Mesh) -> Any:
    """The program of the last stage that is trained, one seed a device along seeds, and its learner's first state."""
    shape = (width,)
    method = method.resolved(vc.DataSpec(shape, num_rows, 0.0, 1.0))
    about = vc.About(network.build(shape), network.latent_dim, num_rows, batch_size, 1e-3, 10, False, shape=shape)
    stage = [one for one in method.stages(about) if one.num_epochs > 0][-1]
    state = jax.eval_shape(stage.learner.init, jax.random.key(0))
    zeros = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), state)
    begun = begin(zeros, stage.stopping)
    layout = Layout(mesh, stage.learner.by_row or (), mesh.seeds, num_rows)
    progress = layout.lay(jax.tree.map(lambda leaf: np.stack([np.asarray(leaf)] * mesh.seeds), begun))
    keys = layout.keys(jax.vmap(jax.random.key)(jnp.arange(mesh.seeds)))
    size = num_rows + -num_rows % mesh.rows
    spec = jax.sharding.PartitionSpec("rows") if mesh.rows > 1 else jax.sharding.PartitionSpec()
    rows: Any = jax.ShapeDtypeStruct((size, *shape), np.float32, sharding=mesh.sharding(spec))
    rows = LaidRows(rows, num_rows, mesh.rows) if mesh.rows > 1 else rows
    weight = np.ones(size, np.float32) if size > num_rows else None
    program = epoch_program(stage.learner, stage.stopping, batch_size, layout)
    data = (Data(rows, weight=weight), Data(np.zeros((0, *shape), np.float32)))
    return program.lower(keys, progress, jnp.asarray(1), *data).compile(), state  # type: ignore[attr-defined]


def main() -> None:
    """Prints a line a collective, and sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", choices=("kmeans", "dec", "graph"), default="dec")
    parser.add_argument("--mesh", default="seeds=1,rows=8")
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--width", type=int, default=784)
    parser.add_argument("--batch-size", type=int, default=256)
    args = parser.parse_args()
    mesh = Mesh.of_text(args.mesh)
    mesh.check(mesh.seeds, args.batch_size)
    methods = {"kmeans": vc.VAEKMeans(10), "dec": vc.DEC(10), "graph": vc.GraphDEC(10, value_share=0.0)}
    network = vc.MLP(hidden=(500, 500, 2000), latent_dim=10)
    method = replace(methods[args.method], likelihood="bernoulli")
    program, state = compiled_epoch(method, network, args.rows, args.width, args.batch_size, mesh)
    found = collectives(program.as_text(), mesh.rows)
    for one in found:
        when = "a refresh" if one.conditional else "an epoch"
        print(f"{one.kind:20}{one.times:6} times {when:10}{one.sent:14,.0f} bytes sent  {one.shape[:60]}  {one.groups}")
    steps = math.ceil(args.rows / args.batch_size)
    a_step = sum(one.sent for one in found if one.times == steps and not one.conditional)
    refresh = sum(one.sent * one.times for one in found if one.conditional)
    size = sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(state.params))
    memory = program.memory_analysis()
    print(f"\n{args.method} on {mesh}: {args.rows} x {args.width} rows, {steps} steps of {args.batch_size} an epoch")
    print(f"parameters {size:,} bytes; a device sends {a_step:,.0f} bytes a step and {refresh:,.0f} a refresh")
    print(f"instructions: {dict(Counter(one.kind for one in found))}")
    print(f"arguments of the program on a device: {memory.argument_size_in_bytes:,} bytes")


if __name__ == "__main__":
    main()
