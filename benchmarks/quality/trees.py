"""Does a tree keep classes together? Dendrogram purity of vaegraph's tree beside those of other methods.

    python -m benchmarks.quality.trees                    # goes on where it was; writes trees.md
    python -m benchmarks.quality.trees --quick --out folder

Labels score the trees and nothing else. All trees see the same prepared values, or the latents of the same VAE.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import HDBSCAN

from benchmarks.machine import commit
from benchmarks.quality.arguments import parsed
from benchmarks.quality.datasets import NUM_CLASSES, dataset
from benchmarks.quality.floors import evoc_layers
from benchmarks.quality.methods import missing, prepare_of
from benchmarks.quality.peers import deepect
from benchmarks.quality.rows import read_as, spread
from vaeclust_jax import Run
from vaeclust_jax.data import fit_preparation
from vaeclust_jax.fitting.config import with_method
from vaeclust_jax.fitting.fit import fit_stages
from vaeclust_jax.folder import write_json
from vaeclust_jax.metrics import dendrogram_purity, summarise
from vaeclust_jax.selection.cluster import default_config
from vaeclust_jax.whole_file import write_whole

BENCHMARKS = Path(__file__).parent.parent
DATASETS, SEEDS = ("digits", "coil20", "pendigits", "usps"), 3
_QUICK = {"pretrain_epochs": 2, "joint_epochs": 2}
_LEAST = 5
"""`min_cluster_size` of HDBSCAN, scikit-learn's default."""


def _hdbscan(x: np.ndarray) -> np.ndarray:
    """The single linkage of mutual reachability, as the linkage matrix of scipy that it is."""
    tree = HDBSCAN(min_cluster_size=_LEAST, copy=True).fit(x)._single_linkage_tree_
    return np.stack([tree[name].astype(float) for name in tree.dtype.names], axis=1)


SHALLOW: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "Ward": lambda x: linkage(x, "ward"),
    "average linkage": lambda x: linkage(x, "average"),
    "HDBSCAN": _hdbscan,
}
OTHERS = {"DeepECT": "dcn", "EVoC on values": "evoc"}
"""Trees of other packages, by a method of the table that needs the same."""
TREES = ("vaegraph", *(f"{name} on {where}" for name in SHALLOW for where in ("values", "VAE latents")), *OTHERS)


class Point(NamedTuple):
    """One tree of one data set; linkages of values do not depend on a seed."""

    dataset: str
    tree: str
    seed: int | None
    purity: float
    leaves: int
    """Clusters of the finest layer, of EVoC."""
    seconds: float
    """CPU seconds of all cores, compilation included; of latents without the fit."""
    commit: str | None


def _measured(name: str, seed: int, known: set[tuple[str, int | None]], quick: bool) -> list[Point]:
    whole = dataset(name)
    assert whole.y is not None
    rows = slice(0, 200 if quick else None)
    x, y = whole.x[rows], whole.y[rows]
    config = with_method(default_config(NUM_CLASSES[name]), augment=0.0, **(_QUICK if quick else {}))
    started = time.process_time()
    stages = fit_stages(config, x, [seed])
    seconds = time.process_time() - started
    of_vae, run = next(iter(stages.values()))[0], stages["joint"][0]
    assert run.tree_ is not None
    points = [_point(name, "vaegraph", seed, np.asarray(run.tree_), y, run.tree_.merges.groups, seconds)]
    for where, found in {"values": _values(run, x), "VAE latents": of_vae.embed(x)}.items():
        for kind, tree_of in SHALLOW.items():
            tree, of_seed = f"{kind} on {where}", None if where == "values" else seed
            if (tree, of_seed) not in known:
                started = time.process_time()
                tree_ = tree_of(found.astype(np.float64))
                points.append(_point(name, tree, of_seed, tree_, y, None, time.process_time() - started))
    return points


def _of_others(name: str, tree: str, seed: int) -> Point:
    whole = dataset(name)
    assert whole.y is not None
    x = fit_preparation(whole.x, prepare_of(whole.x)).apply(whole.x).reshape(len(whole.x), -1)
    started = time.process_time()
    if tree == "DeepECT":
        merges, leaves = deepect(x, seed)
        return _point(name, tree, seed, merges, whole.y, leaves, time.process_time() - started)
    layers = evoc_layers(x, seed)
    seconds = round(time.process_time() - started, 1)
    purity = round(layers_purity(layers, whole.y), 4)
    return Point(name, tree, seed, purity, int(layers[0].max()) + 1, seconds, commit())


def layers_purity(layers: Sequence[np.ndarray], y: np.ndarray) -> float:
    """Dendrogram purity of layers of clusters: two rows of a class meet in the finest layer that has them together.

    Args:
        layers: finest first; -1 is in no cluster. All rows meet above the last.
        y: class numbers.
    """
    total, pairs = 0.0, 0
    for one in np.unique(y):
        own = y == one
        n = int(own.sum())
        purity = np.full((n, n), np.nan)
        for labels in [*layers, np.zeros(len(y), int)]:
            share = np.bincount(labels[own] + 1, minlength=labels.max() + 2) / np.maximum(np.bincount(labels + 1), 1)
            mine = labels[own]
            meet = np.isnan(purity) & (mine[:, np.newaxis] == mine) & (mine >= 0)
            purity[meet] = share[mine[np.nonzero(meet)[0]] + 1]
        total += purity[np.triu_indices(n, 1)].sum()
        pairs += n * (n - 1) // 2
    return total / pairs


def _values(run: Run, x: np.ndarray) -> np.ndarray:
    return np.asarray(run.prepare(x)).reshape(len(x), -1)


def _point(
    name: str, tree: str, seed: int | None, linkage: np.ndarray, y: np.ndarray, leaves: np.ndarray | None, spent: float
) -> Point:
    purity = dendrogram_purity(linkage, y, leaves)
    assert purity is not None
    return Point(name, tree, seed, round(purity, 4), len(linkage) + 1, round(spent, 1), commit())


def page(points: Sequence[Point]) -> str:
    """`trees.md`."""
    lines = [
        "# Trees of clusters\n",
        "```bash\npython -m benchmarks.quality.trees\n```\n",
        "*Dendrogram purity* (Heller and Ghahramani 2005) asks how pure a branch is where two rows of a class meet.",
        "It is the mean over all such pairs, and needs no number of clusters.",
        "`vaegraph` is as it is by default, without views; its leaves are micro-clusters.",
        "A leaf of several rows counts with its own purity.",
        "HDBSCAN's tree is the single linkage of mutual reachability.",
        "DeepECT is ClustPy's, with this library's layers; its own defaults allow it 20 leaves.",
        "EVoC has layers and no binary tree: a pair meets in the finest layer that has both rows in one cluster.",
        "All rows meet above its last layer, and its leaves are the clusters of its first.",
        "*Leaves* is their number, in the mean.",
        "Means ± standard deviation are over seeds; trees of the values have none.",
        "Labels of digits and COIL-20 were in view while the method was made.\n",
        "| data set | tree | seeds | purity | leaves | CPU s |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for name in DATASETS:
        for tree in TREES:
            own = [point for point in points if (point.dataset, point.tree) == (name, tree)]
            if own:
                found = summarise([{key: getattr(one, key) for key in ("purity", "leaves", "seconds")} for one in own])
                mean, purity = found["mean"], spread(found["mean"]["purity"], found["std"]["purity"])
                seeds = "" if own[0].seed is None else len(own)
                lines.append(f"| {name} | {tree} | {seeds} | {purity} | {mean['leaves']:.0f} | {mean['seconds']:.0f} |")
    return "\n".join([*lines, ""])


def read(path: Path) -> list[Point]:
    """The points that were measured, as `read_as`."""
    return read_as(Point, path, "the table of trees")


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.trees", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=list(DATASETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(SEEDS)))
    args = parsed(parser, argv)
    folder = BENCHMARKS if args.out is None else args.out
    path = folder / "results" / "quality" / "trees.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    for name in args.datasets[:1] if args.quick else args.datasets:
        for seed in args.seeds[:1] if args.quick else args.seeds:
            points = read(path)
            known = {(point.tree, point.seed) for point in points if point.dataset == name}
            if ("vaegraph", seed) not in known:
                points += (found := _measured(name, seed, known, args.quick))
                write_json(path, [one._asdict() for one in points])
                print(f"{name} seed {seed}: {found[0].purity:.3f}", file=sys.stderr)
            for tree in [] if args.quick else [one for one, of in OTHERS.items() if not missing(of)]:
                if (tree, seed) not in known:
                    points.append(_of_others(name, tree, seed))
                    write_json(path, [one._asdict() for one in points])
                    print(f"{name} {tree} seed {seed}: {points[-1].purity:.3f}", file=sys.stderr)
    write_whole(folder / "trees.md", page(read(path)))
    print(folder / "trees.md")


if __name__ == "__main__":
    main()
