"""Fits on one device and on meshes of eight forced host devices, in a process of their own: a line of JSON each.

    python -m tests.training.eight_devices METHOD MESH... [--resume]

jax takes the number of its devices from `XLA_FLAGS` when it starts, so that no test can change it.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from sklearn.metrics import adjusted_rand_score

import vaeclust_jax as vc
from vaeclust_jax.training import loop

K, N, SEEDS = 3, 59, 3
"""59 is prime, and 3 seeds do not divide over 2 devices."""
METHODS = {
    "kmeans": vc.VAEKMeans(K, pretrain_epochs=2),
    "dec": vc.DEC(K, pretrain_epochs=1, joint_epochs=3, update_target_interval=1, stopping=vc.Settled(0.0)),
    "graph": vc.GraphDEC(K, pretrain_epochs=1, joint_epochs=3, update_target_interval=1),
    "vade": vc.VaDE(K, pretrain_epochs=1, joint_epochs=3, update_target_interval=1, stopping=vc.Settled(0.0)),
    "mixture": vc.VAEMixture(K, pretrain_epochs=2),
}


class Killed(BaseException):
    """As if the power had gone."""


class Dies(vc.Callback):
    """Ends the fit after some epochs."""

    def __init__(self, epochs: int):
        self.left = epochs

    def on_epoch(self, rows: Any) -> None:
        self.left -= 1
        if not self.left:
            raise Killed


class Watched:
    """Bytes of the rows and of P on the fullest device, whenever an epoch begins."""

    def __init__(self) -> None:
        self.bytes: dict[str, int] = {}
        original = loop.epoch_program

        def epoch_program(*args: Any) -> Any:
            program = original(*args)

            def epoch(keys: Any, progress: Any, last: Any, train: Any, validation: Any) -> Any:
                self.note("rows", getattr(train.x, "array", train.x))
                if hasattr(progress.state.memory, "p"):
                    self.note("p", progress.state.memory.p)
                return program(keys, progress, last, train, validation)

            return epoch

        loop.epoch_program = epoch_program  # type: ignore[assignment]

    def note(self, name: str, array: jax.Array) -> None:
        self.bytes[name] = max(shard.data.nbytes for shard in array.addressable_shards)


def data() -> np.ndarray:
    """Three clusters, two of which touch."""
    rng = np.random.default_rng(0)
    return (np.arange(N) % K * 2.5)[:, None] * np.ones(6) + rng.normal(size=(N, 6))


def leaves(run: vc.Run) -> np.ndarray:
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(run.params)])


def compared(method: str, meshes: list[str], resume: bool) -> Iterator[dict[str, Any]]:
    x = data().astype(np.float32)
    prepare = vc.PrepareConfig(validation=0.2)
    settings = vc.TrainingConfig(batch_size=16)
    config = vc.Config(METHODS[method], prepare, vc.MLP(hidden=(8,), latent_dim=2), settings)
    watched, seeds = Watched(), range(5, 5 + SEEDS)
    alone = vc.fit_seeds(config, x, seeds)
    whole = dict(watched.bytes)
    for text in meshes:
        mesh = vc.Mesh.of_text(text)
        if resume:
            with tempfile.TemporaryDirectory() as folder:
                kept = vc.Checkpoint(folder, every_epochs=1)
                try:
                    vc.fit_seeds(config, x, seeds, mesh=mesh, checkpoint=kept, callbacks=[Dies(2)])
                except Killed:
                    other = replace(mesh, seeds=mesh.seeds % SEEDS + 1)
                    there = vc.fit_seeds(config, x, seeds, mesh=other, checkpoint=kept)
        else:
            there = vc.fit_seeds(config, x, seeds, mesh=mesh)
        pairs = list(zip(alone, there, strict=True))
        yield {
            "mesh": text,
            "bits": all(np.array_equal(leaves(one), leaves(other)) for one, other in pairs),
            "probabilities": max(
                float(np.abs(one.predict_proba(x) - other.predict_proba(x)).max()) for one, other in pairs
            ),
            "history": [one.history for one in alone] == [other.history for other in there],
            "epochs": [len(one.history) for one in alone] == [len(other.history) for other in there],
            "agreement": min(adjusted_rand_score(one.predict(x), other.predict(x)) for one, other in pairs),
            "renumbered": sum(bool((one.predict(x) != other.predict(x)).any()) for one, other in pairs),
            "bytes": watched.bytes,
            "bytes alone": whole,
        }


if __name__ == "__main__":
    assert len(jax.devices()) == 8, "start it with XLA_FLAGS=--xla_force_host_platform_device_count=8"
    words = [word for word in sys.argv[1:] if word != "--resume"]
    for line in compared(words[0], words[1:], "--resume" in sys.argv):
        print(json.dumps(line), flush=True)
