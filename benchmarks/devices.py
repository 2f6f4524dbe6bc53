"""The same fit on one device and on meshes: how far apart the models are, and what lies on a device.

    XLA_FLAGS=--xla_force_host_platform_device_count=8 python -m benchmarks.devices dec seeds=4 seeds=4,rows=2 rows=8

Forced host devices share the cores of one machine, so that nothing here is about speed.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax
import numpy as np
from sklearn.metrics import adjusted_rand_score

import vaeclust_jax as vc
from vaeclust_jax.training import loop
from vaeclust_jax.training.mesh import Mesh

Fit = Callable[[Mesh | None], list[vc.Run]]


class Compared(NamedTuple):
    """A fit on a mesh beside the fit on one device.

    Attributes:
        mesh: its text.
        bits: whether all parameters of all seeds are the same to the bit.
        histories: whether all losses are.
        epochs: whether all stages ended at the same epoch.
        probability: the largest difference of a probability.
        renumbered: seeds with a sample that has another number of a cluster.
        agreement: the lowest adjusted Rand index of a seed on one device and on the mesh.
        bytes_of_rows, bytes_of_p: of training rows and of target P on the fullest device, in the last stage.
    """

    mesh: str
    bits: bool
    histories: bool
    epochs: bool
    probability: float
    renumbered: int
    agreement: float
    bytes_of_rows: int
    bytes_of_p: int


@contextmanager
def watched() -> Iterator[dict[str, int]]:
    """Bytes of rows and of P on the fullest device, as they were when the last epoch began."""
    found, original = {"rows": 0, "p": 0}, loop.epoch_program

    def epoch_program(*args: Any) -> Any:
        program = original(*args)

        def epoch(keys: Any, progress: Any, last: Any, train: Any, validation: Any) -> Any:
            arrays = {"rows": getattr(train.x, "array", train.x), "p": getattr(progress.state.memory, "p", None)}
            for name, array in arrays.items():
                found[name] = 0 if array is None else max(shard.data.nbytes for shard in array.addressable_shards)
            return program(keys, progress, last, train, validation)

        return epoch

    loop.epoch_program = epoch_program  # type: ignore[assignment]
    try:
        yield found
    finally:
        loop.epoch_program = original


def compared(fit: Fit, x: np.ndarray, meshes: Sequence[str]) -> Iterator[Compared]:
    """A line a mesh; the first is of one device beside itself.

    Args:
        fit: of a mesh, or of none.
        x: what is asked of the models.
        meshes: as texts.
    """
    with watched() as on_device:
        alone = fit(None)
        yield Compared("one device", True, True, True, 0.0, 0, 1.0, on_device["rows"], on_device["p"])
        for text in meshes:
            pairs = list(zip(alone, fit(Mesh.of_text(text)), strict=True))
            labels = [(one.predict(x), other.predict(x)) for one, other in pairs]
            yield Compared(
                text,
                all(np.array_equal(_parameters(one), _parameters(other)) for one, other in pairs),
                all(one.history == other.history for one, other in pairs),
                all(len(one.history) == len(other.history) for one, other in pairs),
                max(float(np.abs(one.predict_proba(x) - other.predict_proba(x)).max()) for one, other in pairs),
                sum(bool((one != other).any()) for one, other in labels),
                min(float(adjusted_rand_score(one, other)) for one, other in labels),
                on_device["rows"],
                on_device["p"],
            )


def _parameters(run: vc.Run) -> np.ndarray:
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(run.params)])


METHODS = {"kmeans": vc.VAEKMeans, "dec": vc.DEC, "graph": vc.GraphDEC, "vade": vc.VaDE, "mixture": vc.VAEMixture}


def main() -> None:
    """Prints a table of the digits of scikit-learn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("meshes", nargs="+")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args()
    x = vc.data.load("digits").x
    method = METHODS[args.method](10).for_epochs(args.epochs)
    config = vc.Config(method, network=vc.MLP(hidden=(64,)), training=vc.TrainingConfig(batch_size=256))

    def fit(mesh: Mesh | None) -> list[vc.Run]:
        return vc.fit_seeds(config, x, range(args.seeds), mesh=mesh)

    print("| mesh | same bits | largest difference of a probability | lowest ARI | bytes of rows | bytes of P |")
    print("| --- | --- | ---: | ---: | ---: | ---: |", flush=True)
    for one in compared(fit, x, args.meshes):
        print(
            f"| {one.mesh} | {'yes' if one.bits else 'no'} | {one.probability:.1e} | {one.agreement:.4f} | "
            f"{one.bytes_of_rows:,} | {one.bytes_of_p:,} |",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
