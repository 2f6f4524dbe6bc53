"""Fits on one device and on meshes of eight forced host devices, in a process of their own: a line of JSON each.

    python -m tests.training.eight_devices METHOD MESH...

jax takes the number of its devices from `XLA_FLAGS` when it starts, so that no test can change it. Each fit on a mesh
is killed after some epochs, and goes on with another.
"""

import json
import sys
import tempfile
from dataclasses import replace
from typing import Any

import numpy as np

import vaeclust_jax as vc
from benchmarks.devices import compared
from vaeclust_jax.training.mesh import Mesh

K, N, SEEDS = 3, 59, 3
"""47 rows are trained on, a prime, and 3 seeds do not divide over 2 devices."""
METHODS = {
    "kmeans": vc.VAEKMeans(K, pretrain_epochs=3),
    "dec": vc.DEC(K, pretrain_epochs=1, joint_epochs=3, update_target_interval=1, stopping=vc.Settled(0.0)),
    "graph": vc.GraphDEC(K, pretrain_epochs=1, joint_epochs=3, update_target_interval=1),
    "vade": vc.VaDE(K, pretrain_epochs=1, joint_epochs=3, update_target_interval=1, stopping=vc.Settled(0.0)),
    "mixture": vc.VAEMixture(K, pretrain_epochs=3),
}


class Killed(BaseException):
    """As if the power had gone."""


class Dies(vc.Callback):
    """Ends a fit after its second epoch."""

    epochs = 0

    def on_epoch(self, rows: Any) -> None:
        self.epochs += 1
        if self.epochs == 2:
            raise Killed


def data() -> np.ndarray:
    """Three clusters, two of which touch."""
    rng = np.random.default_rng(0)
    return ((np.arange(N) % K * 2.5)[:, None] * np.ones(6) + rng.normal(size=(N, 6))).astype(np.float32)


def main(method: str, meshes: list[str]) -> None:
    x, seeds = data(), range(5, 5 + SEEDS)
    config = vc.Config(METHODS[method], vc.PrepareConfig(), vc.MLP(hidden=(8,), latent_dim=2), vc.TrainingConfig(16))

    def fit(mesh: Mesh | None) -> list[vc.Run]:
        if mesh is None:
            return vc.fit_seeds(config, x, seeds)
        with tempfile.TemporaryDirectory() as folder:
            kept = vc.Checkpoint(folder, every_epochs=1)  # type: ignore[arg-type]
            try:
                vc.fit_seeds(config, x, seeds, mesh=mesh, checkpoint=kept, callbacks=[Dies()])
            except Killed:
                return vc.fit_seeds(config, x, seeds, mesh=replace(mesh, seeds=mesh.seeds + 1), checkpoint=kept)
            raise AssertionError("it was not killed")

    for line in compared(fit, x, meshes):
        print(json.dumps(line._asdict()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
