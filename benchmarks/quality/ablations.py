"""What each number of the graph, and of what comes before and after it, buys: one moved at a time.

    python -m benchmarks.quality.ablations                       # goes on where it was; writes ablations.md
    python -m benchmarks.quality.ablations --datasets digits --seeds 0 --out folder

The setting is that of the quality table, without views. What moves the VAE or the graph is scored by the graph's
clusters alone, and by how pure its micro-clusters are: what the merge could reach at best. Prototypes and degrees of
freedom act on the joint stage, and their scores are the encoder's.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.arguments import parsed
from benchmarks.quality.datasets import DEVELOPED_ON
from benchmarks.quality.moved import AXES, OWN, Point, Task
from vaeclust_jax.folder import write_json
from vaeclust_jax.metrics import summarise
from vaeclust_jax.whole_file import write_whole

BENCHMARKS = Path(__file__).parent.parent
SEEDS = {"digits": 5, "coil20": 5, "mnist-train-10k": 1}
_HEAD = """Each table moves one number from the library's setting, which is in bold.[^draws]
The protocol is that of [quality.md](quality.md), without views.

| moved | scored | a cell has |
| --- | --- | --- |
| the VAE or the graph | the clusters of the graph | ACC / NMI / purity of its micro-clusters |
| prototypes or degrees of freedom | the encoder after the joint stage | ACC / NMI |

The purity of the micro-clusters is what the merge could reach at best.
Figures are means ± standard deviation over the seeds.
An empty cell was not measured.
Labels of these sets were in view when the setting was chosen.

[^draws]: Of 10,000 samples that setting has 16 draws.
"""


def page(points: Sequence[Point]) -> str:
    """`ablations.md`."""
    names = list(dict.fromkeys(point.dataset for point in points))
    lines = [
        "# What each setting buys\n",
        "```bash\npython -m benchmarks.quality.ablations\n```\n",
        _HEAD,
        "![ACC against each setting](results/quality/ablations.png)\n",
    ]
    for axis, (title, values) in AXES.items():
        lines += [f"## {title}\n", f"| value | {' | '.join(names)} |", "| ---: |" + " ---: |" * len(names)]
        for value in values:
            cells = [_cell(points, name, axis, value) for name in names]
            shown = f"**{value:g}**" if value == OWN[axis] else f"{value:g}"
            lines.append(f"| {shown} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def _spread(points: Sequence[Point], name: str, axis: str, value: float) -> dict[str, Any] | None:
    own = [point for point in points if (point.dataset, point.axis, point.value) == (name, axis, value)]
    return summarise([{key: getattr(one, key) for key in ("acc", "nmi", "purity")} for one in own]) if own else None


def _cell(points: Sequence[Point], name: str, axis: str, value: float) -> str:
    found = _spread(points, name, axis, value)
    if found is None:
        return ""
    return " / ".join(
        f"{mean:.3f}" + ("" if found["std"][key] is None else f" ± {found['std'][key]:.3f}")
        for key, mean in found["mean"].items()
        if mean is not None
    )


def draw(points: Sequence[Point], path: Path) -> None:
    """ACC against each setting, a panel each, a line a data set, its deviation shaded."""
    from matplotlib.figure import Figure

    from vaeclust_jax.plots.style import OKABE_ITO

    figure = Figure(figsize=(16, 9), layout="constrained")
    names = list(dict.fromkeys(point.dataset for point in points))
    panels = figure.subplots(3, 5, sharey=True)
    for panel, (axis, (title, values)) in zip(panels.flat, AXES.items(), strict=False):
        for name, colour in zip(names, OKABE_ITO, strict=False):
            found = [_spread(points, name, axis, value) for value in values]
            mean = np.array([np.nan if one is None else one["mean"]["acc"] for one in found])
            std = np.array([0.0 if one is None else one["std"]["acc"] or 0.0 for one in found])
            panel.plot(range(len(values)), mean, "o-", color=colour, markersize=4, label=name)
            panel.fill_between(range(len(values)), mean - std, mean + std, color=colour, alpha=0.15, linewidth=0)
        panel.axvline(list(values).index(OWN[axis]), color="0.6", linestyle=":", zorder=0)
        panel.set_xticks(range(len(values)), [f"{value:g}" for value in values])
        panel.set(xlabel=title)
        panel.grid(alpha=0.3)
    for panel in panels[:, 0]:
        panel.set_ylabel("ACC")
    for panel in list(panels.flat)[len(AXES) :]:
        panel.set_visible(False)
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="lower right")  # where no panel is
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.ablations", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--datasets", nargs="+", choices=DEVELOPED_ON, default=list(DEVELOPED_ON))
    parser.add_argument("--seeds", nargs="+", type=int, help="by default 0 to 4, of MNIST 0")
    args = parsed(parser, argv)
    folder = BENCHMARKS if args.out is None else args.out
    path = folder / "results" / "quality" / "ablations.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    points = [Point(**one) for one in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []
    for name in args.datasets:
        for seed in range(SEEDS[name]) if args.seeds is None else args.seeds:
            there = {point[:4] for point in points}
            for point in Task.of(name, seed, args.quick).points(lambda *at: (name, *at, seed) in there):  # noqa: B023
                points.append(point)
                write_json(path, [one._asdict() for one in points])
                print(f"{name} seed {seed} {point.axis} {point.value:g}: ACC {point.acc:.3f}", file=sys.stderr)
    draw(points, path.with_suffix(".png"))
    write_whole(folder / "ablations.md", page(points))
    print(folder / "ablations.md")


if __name__ == "__main__":
    main()
