"""Where convolutions pay: the default method with either network, on images of several sizes, without views.

python -m benchmarks.quality.networks                 # goes on where it was; writes networks.md
python -m benchmarks.quality.networks --quick --out folder
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.machine import commit
from benchmarks.quality.arguments import parsed
from benchmarks.quality.datasets import NUM_CLASSES, dataset
from benchmarks.quality.rows import Row, keep, read, spread
from vaeclust_jax import MLP, Conv, fit
from vaeclust_jax.fitting.config import with_method
from vaeclust_jax.metrics import scores, summarise
from vaeclust_jax.networks import NetworkConfig
from vaeclust_jax.selection.cluster import default_config
from vaeclust_jax.whole_file import write_whole

BENCHMARKS = Path(__file__).parent.parent
_ROWS = 2000  # of a set, at most, at even distances
NETWORKS: dict[str, NetworkConfig] = {"MLP": MLP(), "convolutions": Conv()}
PLACES = (("digits", 8), ("coil20", 16), ("mnist-train-10k", 28), ("coil20", 32), ("coil20", 64))
"""Data sets and the side at which their images are clustered, in pixels."""
SEEDS = 3


def _measured(name: str, side: int, network: str, seed: int, quick: bool) -> Row:
    whole = dataset(name)
    assert whole.y is not None
    rows = np.linspace(0, len(whole.x) - 1, 200 if quick else min(len(whole.x), _ROWS)).astype(int)
    config = with_method(default_config(NUM_CLASSES[name]), augment=0.0, **(_QUICK if quick else {}))
    config = replace(config, network=NETWORKS[network], prepare=replace(config.prepare, image_size=(side, side)))
    started = time.process_time()
    labels = fit(config, whole.x[rows], seed).predict(whole.x[rows])
    seconds = time.process_time() - started
    found = scores(whole.y[rows], labels, None)
    return Row(_place(name, side), network, seed, "quick" if quick else "default", *(
        round(float(found[key] or 0.0), 4) for key in ("acc", "nmi", "ari")
    ), round(seconds, 1), commit())  # fmt: skip


_QUICK = {"pretrain_epochs": 2, "joint_epochs": 2}


def _place(name: str, side: int) -> str:
    return f"{name}, {side} x {side}"


def page(rows: Sequence[Row]) -> str:
    """`networks.md`."""
    lines = [
        "# Where convolutions pay\n",
        "```bash\npython -m benchmarks.quality.networks\n```\n",
        f"`vaegraph` as it is by default, but for the network, and without views; at most {_ROWS:,} rows of a set.",
        f"Means ± standard deviation over {SEEDS} seeds; seconds: CPU time of all cores, with compilation.",
        "Labels of these sets were in view while the rule was chosen.",
        "Sizes without a row were not measured.\n",
        "| images | network | ACC | NMI | seconds |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for name, side in PLACES:
        for network in NETWORKS:
            own = [row for row in rows if (row.dataset, row.method) == (_place(name, side), network)]
            if own:
                found = summarise([{key: getattr(row, key) for key in ("acc", "nmi", "seconds")} for row in own])
                cells = [spread(found["mean"][key], found["std"][key], digits) for key, digits in _DIGITS.items()]
                lines.append(f"| {_place(name, side)} | {network} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


_DIGITS = {"acc": 3, "nmi": 3, "seconds": 0}


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.networks", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    args = parsed(parser, argv)
    folder = BENCHMARKS if args.out is None else args.out
    path = folder / "results" / "quality" / "networks.json"
    for name, side in PLACES[:1] if args.quick else PLACES:
        for network in NETWORKS:
            for seed in range(1 if args.quick else SEEDS):
                if (_place(name, side), network, seed) not in {row[:3] for row in read(path)}:
                    keep(path, row := _measured(name, side, network, seed, args.quick))
                    print(f"{row.dataset} {network} seed {seed}: ACC {row.acc:.3f}", file=sys.stderr)
    write_whole(folder / "networks.md", page(read(path)))
    print(folder / "networks.md")


if __name__ == "__main__":
    main()
