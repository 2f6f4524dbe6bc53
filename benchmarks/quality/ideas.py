"""What ideas of other papers would give to vaegraph: each tried on the development sets, kept or not.

    python -m benchmarks.quality.ideas                       # goes on where it was; writes ideas.md
    python -m benchmarks.quality.ideas --datasets digits --ideas "soft resets" --out folder

All seeds of an idea are one program. The ideas themselves: `benchmarks.quality.tried`.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.metrics.cluster import contingency_matrix

from benchmarks.machine import commit
from benchmarks.quality.arguments import parsed
from benchmarks.quality.datasets import NUM_CLASSES, dataset
from benchmarks.quality.methods import setting_of
from benchmarks.quality.rows import read_as, spread
from benchmarks.quality.tried import MOVES, TERMS, Tried, acai, brb, from_one_graph
from vaeclust_jax import Run
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.fit import fit_stages
from vaeclust_jax.fitting.resolve import prepared_for
from vaeclust_jax.folder import write_json
from vaeclust_jax.metrics import scores, summarise, t_interval
from vaeclust_jax.whole_file import write_whole

BENCHMARKS = Path(__file__).parent.parent
SIDES = {"digits": 8, "coil20": 32}
SEEDS = 5
OWN = "vaegraph as it is"
LONGER = {"VAE, 2 x epochs": 2, "VAE, 4 x epochs": 4}
OF_VAE: dict[str, Callable] = {"soft resets": brb, "ACAI critic": acai}  # type: ignore[type-arg]
OF_JOINT = (*MOVES, *TERMS)
IDEAS = (OWN, *OF_JOINT, *OF_VAE, *LONGER)


class Point(NamedTuple):
    """One seed under one idea."""

    dataset: str
    idea: str
    seed: int
    graph_acc: float
    graph_nmi: float
    purity: float
    """Share of samples that are of their micro-cluster's commonest class."""
    acc: float
    nmi: float
    """Of the encoder, after the last stage."""
    commit: str | None


def setting(name: str, tried: Callable, longer: int = 1, quick: bool = False) -> Config:  # type: ignore[type-arg]
    """The quality table's vaegraph, without views, its images at the size of `SIDES`."""
    config = setting_of("vaegraph", NUM_CLASSES[name], quick)
    assert isinstance(config, Config)
    own = {one.name: getattr(config.method, one.name) for one in fields(config.method)}
    epochs = longer * own["pretrain_epochs"]
    method = Tried(**{**own, "augment": 0.0, "pretrain_epochs": epochs, "tried": tried})
    side = SIDES[name]
    return replace(config, method=method, prepare=replace(config.prepare, image_size=(side, side)))


def _measured(name: str, ideas: Sequence[str], seeds: Sequence[int], quick: bool) -> list[Point]:
    """All ideas of one training."""
    whole = dataset(name)
    assert whole.y is not None
    rows = slice(0, 200 if quick else None)
    x, y, stage_of = whole.x[rows], whole.y[rows], {idea: idea for idea in ideas} | {OWN: "joint"}
    idea = ideas[0]
    if idea == OWN:
        prepared = prepared_for(setting(name, _unchanged, quick=quick), x)
        tried = from_one_graph(np.asarray(prepared.train[np.arange(len(x))]), ideas)
    else:
        tried, stage_of = OF_VAE.get(idea, _unchanged), {idea: "joint"}
    stages = fit_stages(setting(name, tried, LONGER.get(idea, 1), quick), x, seeds)
    return [
        _point(name, one, seed, run, x, y)
        for one in ideas
        for seed, run in zip(seeds, stages[stage_of[one]], strict=True)
    ]


def _unchanged(stages: list, *_: object) -> list:  # type: ignore[type-arg]
    return stages


def _point(name: str, idea: str, seed: int, run: Run, x: np.ndarray, y: np.ndarray) -> Point:
    assert run.tree_ is not None
    graph, encoder = scores(y, run.cut(NUM_CLASSES[name]), None), scores(y, run.predict(x), None)
    purity = contingency_matrix(y, run.tree_.merges.groups).max(axis=0).sum() / len(y)
    found = (graph["acc"], graph["nmi"], purity, encoder["acc"], encoder["nmi"])
    return Point(name, idea, seed, *(round(float(one or 0.0), 4) for one in found), commit())


def programs(ideas: Sequence[str]) -> list[list[str]]:
    """Ideas by what is trained together: those of the joint stage with vaegraph itself, from one graph."""
    of_joint = [OWN, *(one for one in OF_JOINT if one in ideas)]
    return [of_joint, *([one] for one in IDEAS if one in ideas and one not in of_joint)]


_HEAD = """Each row is one idea of another paper, around `vaegraph` without views, with an MLP.
Images of digits have 8 x 8 pixels, those of COIL-20 32 x 32.
The rest of the protocol is that of [quality.md](quality.md).
Every idea has one setting, its paper's where it has one, and none was tuned.
Seeds are 0 to 4, and differences are of the same seed.
Ideas of the joint stage start from the very graph that `vaegraph` has, whose scores they share.
They draw other noise than its own joint stage.
The rows were taken when terms, resets and the critic still drew from keys that the step's own noise came from.
Labels of these sets were in view while the method was made.
"""
_WHAT = {
    "sure points": "20 more epochs of the encoder alone, on rows on which all seeds agree with p > .9 each: "
    "it learns of a changed input what it said of the clean one (DEC-DA, ASPC-DA, Kingdra); "
    "changed by noise of .1, or moved as views are",
    "IM": "gamma .1 (H of c given x - 4 H of c) in the joint loss (Krause et al. 2010; Hu et al. 2017)",
    "VAT": "gamma KL(q(x), q(x + r)) in it, r adversarial, a quarter of the distance to the tenth neighbour long",
    "IM and VAT": "both",
    "edges": "gamma .1 parametric UMAP's cross-entropy of the graph's edges in it, 5 negatives each",
    "soft resets": "every 20 epochs the hidden layers of the VAE's encoder become .8 of themselves and .2 fresh "
    "(after BRB, Miklautz et al. 2025, who reset while they cluster)",
    "ACAI critic": "a critic reads off decoded mixed codes how they were mixed, and the VAE hides it "
    "(Berthelot et al. 2019); weight .5 for each pixel",
    "VAE, 2 x, 4 x epochs": "200 and 400 instead of 100",
}
_VERDICT = """*Difference* is in the encoder's ACC, with the 95 % t interval of its mean over seeds.
A *candidate* gains more than `vaegraph`'s own standard deviation over seeds on a set, and loses on none in the mean.
All else is *kept nowhere*.
"""
_COLUMNS = ("seeds", "graph: ACC", "NMI", "purity of micro-clusters", "encoder: ACC", "NMI", "difference", "verdict")


def gains(points: Sequence[Point], name: str, idea: str) -> np.ndarray:
    """(seeds,) the encoder's ACC under an idea - that of vaegraph with the same seed."""
    own = {one.seed: one.acc for one in points if (one.dataset, one.idea) == (name, OWN)}
    return np.array(
        [one.acc - own[one.seed] for one in points if (one.dataset, one.idea) == (name, idea) and one.seed in own]
    )


def verdict(points: Sequence[Point], idea: str) -> str:
    """Whether an idea gains beyond the spread somewhere and loses nowhere."""
    found = {name: gains(points, name, idea) for name in SIDES}
    if any(len(of) and of.mean() < 0 for of in found.values()):
        return "kept nowhere"
    if any(len(of) < 2 for of in found.values()):
        return "not measured on both sets"
    deviations = {
        name: np.std([one.acc for one in points if (one.dataset, one.idea) == (name, OWN)], ddof=1) for name in SIDES
    }
    beyond = any(of.mean() > deviations[name] for name, of in found.items())
    return "a candidate" if beyond else "kept nowhere"


def page(points: Sequence[Point]) -> str:
    """`ideas.md`."""
    lines = ["# Ideas that were tried\n", "```bash\npython -m benchmarks.quality.ideas\n```\n", _HEAD]
    lines += ["| idea | is |", "| --- | --- |", *(f"| {idea} | {what} |" for idea, what in _WHAT.items()), "", _VERDICT]
    for name in (name for name in SIDES if any(one.dataset == name for one in points)):
        lines += [
            f"## {name}\n",
            f"| idea | {' | '.join(_COLUMNS)} |",
            "| --- |" + " ---: |" * 6 + " --- | --- |",
        ]
        for idea in IDEAS:
            own = [one for one in points if (one.dataset, one.idea) == (name, idea)]
            if own:
                keys = ("graph_acc", "graph_nmi", "purity", "acc", "nmi")
                found = summarise([{key: getattr(one, key) for key in keys} for one in own])
                cells = [spread(found["mean"][key], found["std"][key]) for key in keys]
                last = ["", ""] if idea == OWN else [_difference(gains(points, name, idea)), verdict(points, idea)]
                lines.append(f"| {idea} | {len(own)} | {' | '.join([*cells, *last])} |")
        lines.append("")
    return "\n".join(lines)


def _difference(found: np.ndarray) -> str:
    interval = t_interval(found.tolist())
    shown = "" if interval is None else f" ({interval.low:+.3f} to {interval.high:+.3f})"
    return f"{found.mean():+.3f}{shown}" if len(found) else ""


def read(path: Path) -> list[Point]:
    """The points that were measured, as `read_as`."""
    return read_as(Point, path, "the table of ideas")


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.ideas", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--datasets", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(SEEDS)), help="sure points need all of them")
    parser.add_argument("--ideas", nargs="+", choices=IDEAS, default=list(IDEAS))
    args = parsed(parser, argv)
    folder = BENCHMARKS if args.out is None else args.out
    path = folder / "results" / "quality" / "ideas.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    for name in args.datasets[:1] if args.quick else args.datasets:
        for ideas in programs(args.ideas):
            seeds = args.seeds[:1] if args.quick else args.seeds
            points = read(path)
            known = {one[:3] for one in points}
            if any((name, idea, seed) not in known for idea in ideas for seed in seeds):
                found = _measured(name, ideas, seeds, args.quick)
                again = {one[:3] for one in found}
                points = [one for one in points if one[:3] not in again] + found
                write_json(path, [one._asdict() for one in points])
                for idea in ideas:
                    mean = np.mean([one.acc for one in found if one.idea == idea])
                    print(f"{name} {idea}: ACC {mean:.3f}", file=sys.stderr)
    write_whole(folder / "ideas.md", page(read(path)))
    print(folder / "ideas.md")


if __name__ == "__main__":
    main()
