"""One clustering, ours or ClustPy's, in a process of its own, from an array in memory to labels.

`python -m benchmarks.cases.clustpy_fits X.npy SETTINGS` prints what `fit` returns; SETTINGS is its arguments as JSON.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

import vaeclust_jax as vc
from benchmarks.alone import run_alone
from vaeclust_jax.metrics import scores

BATCH_SIZE = 256
LATENT_DIM = 10
OURS, CLUSTPY, BEST = "ours", "ClustPy", "vaegraph"
IMAGE_SIZES = {"digits": None, "coil20": (32, 32)}

_COMMANDS = {OURS: "benchmarks.cases.clustpy_fits", CLUSTPY: "benchmarks.peers.clustpy_models"}
_PARTS = ("first VAE epoch", "other VAE epochs", "k-means and first joint epoch", "other joint epochs", "labels")


class Way(NamedTuple):
    """A model to cluster with."""

    side: str
    """OURS or CLUSTPY."""
    hidden: tuple[int, ...]
    """Widths of the MLP's encoder; the decoder has them in reverse."""
    method: str | None = None
    """Of ClustPy; ours may be BEST."""
    network: str = "mlp"
    """Ours may be "conv"."""
    one_thread: bool = False
    """ClustPy's PyTorch on one thread, not on all cores."""

    @property
    def name(self) -> str:
        """E.g. "ClustPy DEC 500-500-2000"."""
        widths = "conv" if self.network == "conv" else "-".join(map(str, self.hidden))
        return " ".join(filter(None, (self.side, self.method, widths, "on one thread" if self.one_thread else None)))


class Data(NamedTuple):
    """A data set on disk for the other processes, which never see its labels."""

    name: str
    images: Path
    """(n, H, W, C) in [0, 1]."""
    vectors: Path
    """(n, H W C), the same values."""
    y: np.ndarray
    num_clusters: int


def prepared(name: str, num_rows: int | None, folder: Path) -> Data:
    """A named data set as both sides get it; its first rows where there are more than `num_rows`."""
    raw = vc.data.load(name)
    assert raw.y is not None, "labelled"
    assert raw.num_classes is not None, "documented"
    x = vc.data.fit_preparation(raw.x, vc.PrepareConfig(image_size=IMAGE_SIZES[name])).apply(raw.x)[:num_rows]
    data = Data(name, folder / f"{name}-images.npy", folder / f"{name}.npy", raw.y[:num_rows], raw.num_classes)
    np.save(data.images, x)
    np.save(data.vectors, x.reshape(len(x), -1))
    return data


def fit_alone(data: Data, way: Way, epochs: int, seed: int) -> dict[str, Any]:
    """A fit in a fresh process without a compilation cache, scored.

    Returns:
        What the process says of times, in seconds; "process_seconds", its imports included, and "peak_bytes"; "acc" and
        "nmi" of its labels; and of ClustPy "acc_own", of the labels by the model's own assignment.
    """
    ours = way.side == OURS
    settings: dict[str, Any] = {"num_clusters": data.num_clusters, "seed": seed}
    if (way.side, way.method) != (OURS, BEST):
        settings |= {
            **({"network": way.network} if ours else {"method": way.method, "one_thread": way.one_thread}),
            "hidden": way.hidden,
            "latent_dim": LATENT_DIM,
            "epochs": epochs,
            "batch_size": BATCH_SIZE,
        }
    argv = [sys.executable, "-m", _COMMANDS[way.side], str(data.images if ours else data.vectors), json.dumps(settings)]
    taken = run_alone(argv, {"PYTHONPATH": str(Path(__file__).parents[2]), "JAX_ENABLE_COMPILATION_CACHE": "false"})
    said = json.loads(taken.stdout.splitlines()[-1])  # ClustPy prints, too
    found = _scores(data, said.pop("labels"))
    if "own_labels" in said:
        found["acc_own"] = _scores(data, said.pop("own_labels"))["acc"]
    return {**said, **found, "process_seconds": taken.seconds, "peak_bytes": taken.peak_bytes}


def _scores(data: Data, labels: Sequence[int]) -> dict[str, float | None]:
    every = scores(data.y, np.asarray(labels), None)
    return {name: every[name] for name in ("acc", "nmi")}


def fit(
    x: Float[np.ndarray, "n h w c"],
    *,
    network: Any,
    hidden: Sequence[int],
    num_clusters: int,
    latent_dim: int,
    epochs: int,
    batch_size: int,
    seed: int,
) -> dict[str, Any]:
    """Our VAE+DEC on all rows, and the labels it gives them; then the same again, when nothing is left to compile.

    Args:
        x: in [0, 1].
        network: "mlp" or "conv".
        hidden: widths of the MLP.
        epochs: of each stage; none stops early.

    Returns:
        "seconds" and "again_seconds" from x to labels; "parts" and "again_parts", where they went; "labels".
    """
    config = vc.Config(
        vc.DEC(num_clusters, pretrain_epochs=epochs, joint_epochs=epochs, stopping=vc.Settled(tolerance=0.0)),
        prepare=vc.PrepareConfig(validation=0),
        network=vc.MLP(hidden=tuple(hidden), latent_dim=latent_dim)
        if network == "mlp"
        else vc.Conv(latent_dim=latent_dim),
        training=vc.TrainingConfig(batch_size=batch_size),
    )
    labels, seconds, parts = _timed(config, x, seed)
    _, again_seconds, again_parts = _timed(config, x, seed)
    again = {"again_seconds": again_seconds, "again_parts": again_parts}
    return {"seconds": seconds, "parts": parts, **again, "labels": labels.tolist()}


def _timed(config: vc.Config, x: np.ndarray, seed: int) -> tuple[np.ndarray, float, dict[str, float]]:
    """Labels, seconds, and the seconds between the ends of epochs that divide them into parts."""
    ends: dict[str, list[float]] = {"vae": [], "joint": []}

    class Timed(vc.Callback):
        def on_epoch(self, rows: list[dict[str, Any]]) -> None:
            ends[rows[0]["stage"]].append(time.perf_counter())

    start = time.perf_counter()
    run = vc.fit(config, x, jax.random.key(seed), callbacks=[Timed()])
    labels = run.predict(x)
    end = time.perf_counter()
    vae, joint = ends["vae"], ends["joint"]
    asked = config.method.pretrain_epochs, config.method.joint_epochs
    assert (len(vae), len(joint)) == asked, f"epochs must be {asked}, got {len(vae)} and {len(joint)}"
    between = np.diff([start, vae[0], vae[-1], joint[0], joint[-1], end])
    return labels, end - start, dict(zip(_PARTS, between.tolist(), strict=True))


def cluster(x: Float[np.ndarray, "n h w c"], *, num_clusters: int, seed: int) -> dict[str, Any]:
    """Our best method with all that it takes by default, and the labels it gives; then the same again.

    Returns:
        "seconds" and "again_seconds" from x to labels; "labels".
    """
    start = time.perf_counter()
    labels = vc.cluster(x, num_clusters, seed=seed).labels
    end = time.perf_counter()
    vc.cluster(x, num_clusters, seed=seed)
    return {"seconds": end - start, "again_seconds": time.perf_counter() - end, "labels": labels.tolist()}


if __name__ == "__main__":
    asked = json.loads(sys.argv[2])
    way = fit if "network" in asked else cluster
    print(json.dumps(way(np.load(sys.argv[1]), **asked)))
