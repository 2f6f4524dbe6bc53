"""What a newcomer tries first: toys in two dimensions, by scikit-learn's methods and by ours.

    python -m benchmarks.quality.toys                    # goes on where it was; writes toys.md and its picture

Every seed draws the samples anew. All methods are told the number of clusters, and see standardised values.
"""

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.cluster import AgglomerativeClustering, KMeans, SpectralClustering
from sklearn.datasets import make_blobs, make_circles, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

from benchmarks.machine import commit
from benchmarks.quality.rows import read_as, spread
from vaeclust_jax.estimators import VAEGraph
from vaeclust_jax.folder import write_json
from vaeclust_jax.metrics import summarise
from vaeclust_jax.plots.style import categorical_colours, new_figure
from vaeclust_jax.whole_file import write_whole

BENCHMARKS = Path(__file__).parent.parent
SEEDS = tuple(range(200, 205))
"""None was drawn while the method was made."""
_NEIGHBOURS = 10  # of spectral clustering; scikit-learn's own number

Samples = tuple[np.ndarray, np.ndarray]
"""(n, 2) and their classes (n,)."""


def _sheared(seed: int) -> Samples:
    x, y = make_blobs(500, random_state=seed)
    return x @ np.array([[0.6, -0.6], [-0.4, 0.8]]), y


def _spirals(seed: int) -> Samples:
    rng = np.random.default_rng(seed)
    y, turn = np.arange(800) % 2, np.sqrt(rng.random(800)) * 3 * np.pi + 0.6
    angle = turn + np.pi * y
    return np.c_[turn * np.cos(angle), turn * np.sin(angle)] + 0.1 * rng.normal(size=(800, 2)), y


TOYS: dict[str, Callable[[int], Samples]] = {
    "rings": lambda seed: make_circles(500, factor=0.5, noise=0.05, random_state=seed),
    "moons": lambda seed: make_moons(500, noise=0.05, random_state=seed),
    "moons of 400 and 100": lambda seed: make_moons((400, 100), noise=0.05, random_state=seed),
    "spirals": _spirals,
    "blobs of three widths": lambda seed: make_blobs(500, cluster_std=[1.0, 2.5, 0.5], random_state=seed),
    "sheared blobs": _sheared,
    "blobs": lambda seed: make_blobs(500, random_state=seed),
}
METHODS: dict[str, Callable[[int, int], Any]] = {
    "k-means": lambda k, seed: KMeans(k, n_init=10, random_state=seed),
    "Gaussian mixture": lambda k, seed: GaussianMixture(k, random_state=seed),
    "Ward": lambda k, seed: AgglomerativeClustering(k),
    "spectral": lambda k, seed: SpectralClustering(
        k, affinity="nearest_neighbors", n_neighbors=_NEIGHBOURS, random_state=seed
    ),
    "vaegraph": lambda k, seed: VAEGraph(k, random_state=seed),
}


class Row(NamedTuple):
    """A method on one draw of a toy."""

    toy: str
    method: str
    seed: int
    ari: float
    commit: str | None


def clusters(method: str, toy: str, seed: int) -> tuple[Samples, np.ndarray]:
    """The samples, their classes and the clusters (n,) that the method finds."""
    x, y = TOYS[toy](seed)
    x = StandardScaler().fit_transform(x)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Graph is not fully connected")  # which is what one hopes for
        return (x, y), METHODS[method](int(y.max()) + 1, seed).fit_predict(x)


def page(rows: Sequence[Row]) -> str:
    """`toys.md`."""
    methods = [name for name in METHODS if any(row.method == name for row in rows)]
    lines = [
        "# Toys\n",
        "```bash\npython -m benchmarks.quality.toys\n```\n",
        "What a newcomer tries first: 500 samples in two dimensions (the spirals have 800), standardised.",
        "All methods have the settings that they come with, and are told the number of clusters.",
        "vaegraph is `VAEGraph(n_clusters)`; spectral clustering takes the 10 nearest neighbours.",
        "Adjusted Rand index, mean ± standard deviation over seeds, each of which draws the samples anew.",
        "The method was made with other draws of these toys in view; these were drawn once.\n",
        f"| toy | {' | '.join(methods)} | seeds |",
        f"| --- |{' ---: |' * (len(methods) + 1)}",
    ]
    for toy in dict.fromkeys(row.toy for row in rows):
        own = {name: [row.ari for row in rows if (row.toy, row.method) == (toy, name)] for name in methods}
        of = {name: summarise([{"": value} for value in values]) for name, values in own.items()}
        cells = [spread(one["mean"][""], one["std"][""]) for one in of.values()]
        lines.append(f"| {toy} | {' | '.join(cells)} | {max(map(len, own.values()))} |")
    return "\n".join([*lines, f"\nClusters of seed {rows[0].seed}:\n", "![Clusters](results/quality/toys.png)", ""])


def draw(path: Path, toys: Sequence[str], seed: int) -> None:
    """A row a toy, a column a method, the samples in the colours of their clusters."""
    figure = new_figure(2.2 * len(METHODS), 2.2 * len(toys))
    panels = figure.subplots(len(toys), len(METHODS), squeeze=False)
    colours = categorical_colours(3)
    for across, toy in zip(panels, toys, strict=True):
        for axes, method in zip(across, METHODS, strict=True):
            (x, y), found = clusters(method, toy, seed)
            axes.scatter(*x.T, s=3, color=colours[found])
            axes.set(xticks=[], yticks=[], title=method if toy == toys[0] else "")
            axes.text(0.98, 0.02, f"{adjusted_rand_score(y, found):.2f}", ha="right", transform=axes.transAxes)
        across[0].set_ylabel(toy)
    figure.savefig(path, dpi=80)


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.toys", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--toys", nargs="+", choices=list(TOYS), default=list(TOYS))
    parser.add_argument("--out", type=Path, default=BENCHMARKS, help="folder of all that is written")
    args = parser.parse_args(argv)
    folder: Path = args.out
    path = folder / "results" / "quality" / "toys.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = read_as(Row, path, "the table of toys")
    for toy, method, seed in ((toy, method, seed) for toy in args.toys for method in METHODS for seed in SEEDS):
        if (toy, method, seed) not in {row[:3] for row in rows}:
            (_, y), found = clusters(method, toy, seed)
            rows.append(Row(toy, method, seed, round(float(adjusted_rand_score(y, found)), 4), commit()))
            write_json(path, [one._asdict() for one in rows])
            print(f"{toy}, {method}, seed {seed}: {rows[-1].ari}", file=sys.stderr)
    write_whole(folder / "toys.md", page(rows))
    draw(path.with_suffix(".png"), list(dict.fromkeys(row.toy for row in rows)), SEEDS[0])
    print(folder / "toys.md")


if __name__ == "__main__":
    main()
