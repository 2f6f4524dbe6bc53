"""What each number of the graph buys: one moved at a time, from the setting of the quality table.

    python -m benchmarks.quality.ablations                       # digits and COIL-20, five seeds; writes ablations.md
    python -m benchmarks.quality.ablations --datasets digits --seeds 0 --out folder

The graph's settings act on the same trained VAEs, and their scores are those of the graph's clusters alone; prototypes
and degrees of freedom act on the joint stage, and theirs are the encoder's.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.quality.datasets import DEVELOPED_ON, dataset, num_classes
from benchmarks.quality.methods import setting_of
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.fit import fit_stages
from vaeclust_jax.graph.clusters import graph_clusters
from vaeclust_jax.graph.neighbours import Graph, Posterior, connected, expected, self_tuning
from vaeclust_jax.metrics import scores, summarise
from vaeclust_jax.report import write_json
from vaeclust_jax.report.whole_file import write_whole

BENCHMARKS = Path(__file__).parent.parent
METHOD = "vaegraph without views"


class Setting(NamedTuple):
    """Of the graph; the library's by default."""

    draws: int = 64
    temperature: float = 0.5
    neighbours: int = 5
    power: float = 2.0
    """Of the mean of the draws' weights."""
    alpha: float = 0.99


AXES: dict[str, tuple[str, Sequence[float]]] = {
    "draws": ("draws S of the posterior", (1, 4, 16, 32, 64, 128)),
    "temperature": ("temperature t of the draws", (0.0, 0.25, 0.35, 0.5, 0.7, 1.0)),
    "neighbours": ("neighbours m", (3, 4, 5, 6, 8, 12)),
    "power": ("power of the mean weight", (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)),
    "alpha": ("alpha of the walk", (0.9, 0.95, 0.98, 0.99, 0.995, 0.999)),
}
HEADS: dict[str, tuple[str, Sequence[float]]] = {
    "num_prototypes": ("prototypes r a cluster, joint stage", (1, 2, 5, 10)),
    "degrees": ("degrees of freedom nu, joint stage", (1, 3, 9, 30)),
}
_OWN = {**Setting()._asdict(), "num_prototypes": 5, "degrees": 9}


class Point(NamedTuple):
    """A score at one value of one setting, all others as they are."""

    dataset: str
    axis: str
    value: float
    seed: int
    acc: float
    nmi: float


def graph_of(posterior: Posterior, setting: Setting) -> Graph:
    """As `posterior_graph`, with the power of the mean weights as a setting."""
    draws = posterior.draws(setting.draws, setting.temperature)
    graph = expected((self_tuning(z, setting.neighbours) for z in draws), setting.draws)
    graph.data **= setting.power / 2
    return connected(graph, posterior.mean)


def points_of_graph(
    name: str, seed: int, mean: np.ndarray, logvar: np.ndarray, score: Callable[[np.ndarray], tuple[float, float]]
) -> Iterator[Point]:
    """All settings of the graph on one VAE's codes."""
    for axis, (_, values) in AXES.items():
        for value in values:
            setting = Setting()._replace(**{axis: type(getattr(Setting(), axis))(value)})
            posterior = Posterior(np.random.default_rng(seed), mean, logvar)
            labels = graph_clusters(graph_of(posterior, setting), num_classes(name), setting.alpha)
            yield Point(name, axis, value, seed, *score(labels))


def measured(name: str, seeds: Sequence[int], quick: bool) -> Iterator[Point]:
    """All points of a data set."""
    data = dataset(name)
    rows = slice(200) if quick else slice(None)
    x, y = data.x[rows], data.y[rows]  # type: ignore[index]

    def score(labels: np.ndarray) -> tuple[float, float]:
        found = scores(y, labels, None)
        return round(found["acc"] or 0.0, 4), round(found["nmi"] or 0.0, 4)

    config = setting_of(METHOD, num_classes(name), quick)
    assert not isinstance(config, str)
    for seed in seeds:
        stages = fit_stages(config, x, [seed])
        mean, logvar = (part.astype(np.float64) for part in stages["kmeans"][0].posterior(x))
        yield from points_of_graph(name, seed, mean, logvar, score)
        own = score(stages["joint"][0].predict(x))
        for axis, (_, values) in HEADS.items():
            for value in values:
                found = own if value == _OWN[axis] else score(_joint(config, axis, value, x, seed))
                yield Point(name, axis, value, seed, *found)


def _joint(config: Config, axis: str, value: float, x: np.ndarray, seed: int) -> np.ndarray:
    model = (
        replace(config.model, num_prototypes=int(value))
        if axis == "num_prototypes"
        else replace(config.model, degrees=float(value))
    )
    changed = replace(config, model=model)
    return fit_stages(changed, x, [seed])["joint"][0].predict(x)


def page(points: Sequence[Point]) -> str:
    """`ablations.md`."""
    names = list(dict.fromkeys(point.dataset for point in points))
    lines = [
        "# What each setting of the graph buys\n",
        "```bash\npython -m benchmarks.quality.ablations\n```\n",
        "One number moved at a time from the library's setting (in bold), in the protocol of [quality.md](quality.md),",
        "without views. The graph's settings: clusters of the graph alone, on the same VAEs; prototypes and degrees of",
        "freedom: the encoder after the joint stage. ACC / NMI, means ± standard deviation over the seeds. Labels of",
        "these sets were in view when the setting was chosen.\n",
        "![ACC against each setting](results/quality/ablations.png)\n",
    ]
    for axis, (title, values) in {**AXES, **HEADS}.items():
        lines += [f"## {title}\n", f"| value | {' | '.join(names)} |", "| ---: |" + " ---: |" * len(names)]
        for value in values:
            cells = [_cell(points, name, axis, value) for name in names]
            shown = f"**{value:g}**" if value == _OWN[axis] else f"{value:g}"
            lines.append(f"| {shown} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def _spread(points: Sequence[Point], name: str, axis: str, value: float) -> dict[str, Any]:
    own = [point for point in points if (point.dataset, point.axis, point.value) == (name, axis, value)]
    return summarise([{"acc": point.acc, "nmi": point.nmi} for point in own])


def _cell(points: Sequence[Point], name: str, axis: str, value: float) -> str:
    found = _spread(points, name, axis, value)
    return " / ".join(
        f"{found['mean'][key]:.3f}" + ("" if found["std"][key] is None else f" ± {found['std'][key]:.3f}")
        for key in ("acc", "nmi")
    )


def draw(points: Sequence[Point], path: Path) -> None:
    """ACC against each setting, a panel each, a line a data set, its deviation shaded."""
    from matplotlib.figure import Figure

    from vaeclust_jax.report.style import OKABE_ITO

    axes_of = {**AXES, **HEADS}
    figure = Figure(figsize=(14, 6), layout="constrained")
    names = list(dict.fromkeys(point.dataset for point in points))
    for panel, (axis, (title, values)) in zip(figure.subplots(2, 4, sharey=True).flat, axes_of.items(), strict=False):
        for name, colour in zip(names, OKABE_ITO, strict=False):
            found = [_spread(points, name, axis, value) for value in values]
            mean = np.array([one["mean"]["acc"] for one in found])
            std = np.array([one["std"]["acc"] or 0.0 for one in found])
            panel.plot(range(len(values)), mean, "o-", color=colour, markersize=4, label=name)
            panel.fill_between(range(len(values)), mean - std, mean + std, color=colour, alpha=0.15, linewidth=0)
        panel.axvline(list(values).index(_OWN[axis]), color="0.6", linestyle=":", zorder=0)
        panel.set_xticks(range(len(values)), [f"{value:g}" for value in values])
        panel.set(xlabel=title)
        panel.grid(alpha=0.3)
    figure.axes[0].set_ylabel("ACC")
    figure.axes[4].set_ylabel("ACC")
    figure.axes[-1].set_visible(False)  # seven settings
    figure.axes[0].legend(loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.ablations", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--datasets", nargs="+", choices=DEVELOPED_ON, default=["digits", "coil20"])
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(5)))
    parser.add_argument("--quick", action="store_true", help="200 rows, two epochs a stage; needs --out")
    parser.add_argument("--out", type=Path, help="folder of all that is written, instead of this one")
    args = parser.parse_args(argv)
    if args.quick and args.out is None:
        parser.error("--quick needs --out: its figures mean nothing and must not get among the others")
    folder = BENCHMARKS if args.out is None else args.out
    path = folder / "results" / "quality" / "ablations.json"
    points: list[Point] = []
    for name in args.datasets:
        for point in measured(name, args.seeds, args.quick):
            points.append(point)
            print(f"{name} seed {point.seed} {point.axis} {point.value:g}: ACC {point.acc:.3f}", file=sys.stderr)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, [point._asdict() for point in points])
    draw(points, path.with_suffix(".png"))
    write_whole(folder / "ablations.md", page(points))
    print(folder / "ablations.md")


if __name__ == "__main__":
    main()
