"""How new are held-out images of COIL-20? A random fifth of the poses against a whole arc of every object.

    python -m benchmarks.quality.arcs                    # goes on where it was; writes arcs.md
    python -m benchmarks.quality.arcs --quick --out folder

The default method without views is fitted to the other images. Clusters are matched to objects by the labels of these
alone; the held-out images are then predicted and scored.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.neighbors import NearestNeighbors

from benchmarks.machine import commit
from benchmarks.quality.arguments import parsed
from benchmarks.quality.datasets import NUM_CLASSES, dataset
from benchmarks.quality.rows import read_as, spread
from vaeclust_jax import fit
from vaeclust_jax.fitting.config import with_method
from vaeclust_jax.folder import write_json
from vaeclust_jax.metrics import match_clusters, summarise, t_interval
from vaeclust_jax.selection.cluster import default_config
from vaeclust_jax.whole_file import write_whole

BENCHMARKS = Path(__file__).parent.parent
POSES, SHARE, SEEDS = 72, 0.2, 3
FORMS = ("random", "arcs")
_QUICK = {"pretrain_epochs": 2, "joint_epochs": 2}


class Point(NamedTuple):
    """One seed under one form of holding out; its split has the seed's number, too."""

    held_out: str
    seed: int
    known: float
    """ACC on the images that were trained on."""
    unseen: float
    """Accuracy on the others, by the match of clusters and objects on the former."""
    neighbour: float
    """Share of the held-out images whose nearest image among the others, in pixels, is of their object."""
    seconds: float
    """CPU seconds of all cores, compilation included."""
    commit: str | None


def held_out_rows(form: str, n: int, seed: int) -> np.ndarray:
    """(n,) True of a fifth of the rows, which come by object and then by pose.

    Args:
        form: "random" over all rows, or "arcs": of every object neighbouring poses from a random one on, in a circle.
        n: number of rows.
        seed: of the split.
    """
    rng = np.random.default_rng(seed)
    if form == "random":
        held = np.zeros(n, bool)
        held[rng.permutation(n)[: round(SHARE * n)]] = True
        return held
    starts = rng.integers(0, POSES, (n // POSES, 1))
    return ((np.arange(POSES) - starts) % POSES < round(SHARE * POSES)).ravel()


def neighbour_share(x: np.ndarray, y: np.ndarray, held: np.ndarray) -> float:
    """As `Point.neighbour`."""
    flat = x.reshape(len(x), -1).astype(np.float32)
    nearest = NearestNeighbors(n_neighbors=1).fit(flat[~held]).kneighbors(flat[held], return_distance=False)[:, 0]
    return float((y[~held][nearest] == y[held]).mean())


def _measured(form: str, seed: int, quick: bool) -> Point:
    whole = dataset("coil20")
    assert whole.y is not None
    n = 4 * POSES if quick else len(whole.x)
    x, y, held = whole.x[:n], whole.y[:n], held_out_rows(form, n, seed)
    config = default_config(4 if quick else NUM_CLASSES["coil20"])
    config = with_method(config, augment=0.0, **(_QUICK if quick else {}))
    started = time.process_time()
    run = fit(config, x[~held], seed)
    known, unseen = run.predict(x[~held]), run.predict(x[held])
    seconds = time.process_time() - started
    match = match_clusters(y[~held], known)
    right = [np.array([match.get(int(one)) for one in found]) for found in (known, unseen)]
    accuracies = [float((found == of).mean()) for found, of in zip(right, (y[~held], y[held]), strict=True)]
    figures = [round(one, 4) for one in (*accuracies, neighbour_share(x, y, held))]
    return Point(form, seed, *figures, round(seconds, 1), commit())


def page(points: Sequence[Point]) -> str:
    """`arcs.md`."""
    lines = [
        "# How new are held-out images of COIL-20?\n",
        "```bash\npython -m benchmarks.quality.arcs\n```\n",
        "`vaegraph` as it is by default, without views, fitted to four fifths of the images.",
        "*A random fifth* leaves every held-out pose its two neighbours, 5 degrees away, in most cases.",
        "*Arcs* are 14 neighbouring poses of every object, which is 70 degrees that nothing has seen.",
        "Clusters are matched to objects on the images that were trained on.",
        "*Neighbour of its object*: the share of held-out images whose nearest training image shows the same object.",
        "Each seed has a split of its own.",
        "Means ± standard deviation, and the 95 % t interval of the mean, are over seeds and splits together.",
        "Labels of COIL-20 were in view while the method was made.\n",
        "| held out | seeds | ACC, trained on | accuracy, held out | 95 % interval | neighbour of its object | CPU s |",
        "| --- | ---: | ---: | ---: | --- | ---: | ---: |",
    ]
    for form, title in zip(FORMS, ("a random fifth", "arcs"), strict=True):
        own = [point for point in points if point.held_out == form]
        if own:
            keys = ("known", "unseen", "neighbour", "seconds")
            found = summarise([{key: getattr(point, key) for key in keys} for point in own])
            known, unseen, neighbour = (spread(found["mean"][key], found["std"][key]) for key in keys[:3])
            interval = t_interval([point.unseen for point in own], limits=(0.0, 1.0))
            shown = "not defined" if interval is None else f"{interval.low:.3f} to {interval.high:.3f}"
            seconds = f"{found['mean']['seconds']:.0f}"
            lines.append(f"| {title} | {len(own)} | {known} | {unseen} | {shown} | {neighbour} | {seconds} |")
    return "\n".join([*lines, ""])


def read(path: Path) -> list[Point]:
    """The points that were measured, as `read_as`."""
    return read_as(Point, path, "the table of arcs")


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.arcs", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(SEEDS)))
    args = parsed(parser, argv)
    folder = BENCHMARKS if args.out is None else args.out
    path = folder / "results" / "quality" / "arcs.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    for seed in args.seeds[:1] if args.quick else args.seeds:
        for form in FORMS:
            points = read(path)
            if (form, seed) not in {point[:2] for point in points}:
                points.append(point := _measured(form, seed, args.quick))
                write_json(path, [one._asdict() for one in points])
                print(f"{form} seed {seed}: {point.unseen:.3f} of unseen images", file=sys.stderr)
    write_whole(folder / "arcs.md", page(read(path)))
    print(folder / "arcs.md")


if __name__ == "__main__":
    main()
