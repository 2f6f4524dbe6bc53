"""T9: whole clusterings beside ClustPy's DEC, IDEC and VaDE, each fit in a fresh process without a compilation cache.

What is timed begins with everything imported and holds all compilation. Both sides get the same rows in [0, 1] and
train on all of them, as many epochs of as large batches; nothing stops early; what else they choose is their default.
Our best method stands beside them as a person calls it, `vc.cluster` with its defaults.
Labels are read for the scores alone, in this process.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import vaeclust_jax as vc
from benchmarks.case import Case, Effort, Measured, Row
from benchmarks.cases.clustpy_fits import BATCH_SIZE, BEST, CLUSTPY, IMAGE_SIZES, OURS, Data, Way, fit_alone, prepared
from benchmarks.peers.available import missing
from benchmarks.peers.clustpy_models import HIDDEN, METHODS, MODULES
from benchmarks.timing import measured
from vaeclust_jax.metrics import summarise

Fits = list[dict[str, Any]]
"""What `fit_alone` returns, one a seed."""

OUR_HIDDEN = vc.MLP().hidden
OUR_DEFAULT = Way(OURS, OUR_HIDDEN)
TARGET = 2.0
_FAULTS = {"VaDE": ("ClustPy's p(c|z) has the whole log-variance, not half of it",)}
"""What a formula of ClustPy 0.0.3 has otherwise than its source, by method."""


class Plan(NamedTuple):
    """How much of the case an effort runs."""

    datasets: tuple[str, ...]
    methods: tuple[str, ...]
    epochs: int
    """Before clustering, and again while clustering."""
    num_seeds: int
    ours: tuple[Way, ...] = (OUR_DEFAULT,)
    """The first is compared with every method."""
    num_rows: int | None = None
    """Of a data set, at most."""
    target: float | None = None


PLANS = {
    "full": Plan(
        tuple(IMAGE_SIZES),
        METHODS,
        epochs=50,
        num_seeds=3,
        ours=(OUR_DEFAULT, Way(OURS, (), network="conv"), Way(OURS, (), BEST)),
        target=TARGET,
    ),
    # A few epochs are mostly our compilation: no target.
    "quick": Plan(("digits",), ("IDEC",), epochs=5, num_seeds=1),
    "smoke": Plan(("digits",), ("DEC",), epochs=1, num_seeds=1, num_rows=256),
}


def _run(effort: Effort) -> Iterator[Row]:
    plan, absent = PLANS[effort.name], missing(*MODULES)
    methods = () if absent else plan.methods
    peers = [Way(CLUSTPY, HIDDEN, method) for method in methods]
    with tempfile.TemporaryDirectory() as folder:
        for name in plan.datasets:
            data = prepared(name, plan.num_rows, Path(folder))
            fits = _fit_all(data, plan, [*plan.ours, *peers])
            yield from (rows(name, plan, fits) if peers else alone_rows(name, plan, fits, str(absent)))


def _fit_all(data: Data, plan: Plan, ways: list[Way]) -> dict[Way, Fits]:
    """Every way with every seed, all ways in turn.

    Where there are several seeds, ClustPy runs its first on all cores and on one thread, and the others as was faster.
    """
    fits: dict[Way, Fits] = {way: [] for way in ways}
    for seed in range(plan.num_seeds):
        for way, earlier in fits.items():
            tried = [way]
            if earlier:
                tried = [way._replace(one_thread=earlier[0]["one_thread"])]
            elif way.side == CLUSTPY and plan.num_seeds > 1:
                tried = [way, way._replace(one_thread=True)]
            found = [{"one_thread": one.one_thread, **fit_alone(data, one, plan.epochs, seed)} for one in tried]
            fastest, *slower = sorted(found, key=lambda fit: fit["seconds"])
            earlier.append({**fastest, "with_other_threads": slower})
    return fits


def rows(dataset: str, plan: Plan, fits: dict[Way, Fits]) -> Iterator[Row]:
    """Our first way beside each of ClustPy's, with the target; our others beside the most accurate of those."""
    first, *others = plan.ours
    peers = [way for way in fits if way.side == CLUSTPY]
    best = max(peers, key=lambda way: _mean(fits[way], "acc"))
    for ours, peer in [*((first, peer) for peer in peers), *((other, best) for other in others)]:
        better = _mean(fits[ours], "acc") >= _mean(fits[peer], "acc")
        yield Row(
            peer=_seconds(fits[peer]),
            peer_name=peer._replace(one_thread=fits[peer][0]["one_thread"]).name,
            target=plan.target if ours == first else None,
            condition=better,
            note="; ".join((_against(fits[ours], fits[peer]), _again(fits[ours]), *_FAULTS.get(peer.method, ()))),
            details={OURS: fits[ours], CLUSTPY: fits[peer]},
            **_common(dataset, plan, ours, fits),
        )


def alone_rows(dataset: str, plan: Plan, fits: dict[Way, Fits], why: str) -> Iterator[Row]:
    """Our ways where ClustPy is not installed."""
    for way in plan.ours:
        note = f"{why}; {_against(fits[way])}; {_again(fits[way])}"
        yield Row(peer_name=CLUSTPY, note=note, details={OURS: fits[way]}, **_common(dataset, plan, way, fits))


def _common(dataset: str, plan: Plan, ours: Way, fits: dict[Way, Fits]) -> dict[str, Any]:
    name = ours.name.removeprefix(OURS).strip()
    lasts = f"{plan.epochs} + {plan.epochs} epochs, batch {BATCH_SIZE}"
    what = f"{dataset}, {f'{name}, as vc.cluster takes it' if ours.method == BEST else f'{name}, {lasts}'}"
    return {"case": "T9", "what": what, "unit": "s", "ours": _seconds(fits[ours])}


def _seconds(fits: Fits, name: str = "seconds") -> Measured:
    return measured([fit[name] for fit in fits])


def _mean(fits: Fits, score: str) -> float:
    return sum(fit[score] for fit in fits) / len(fits)


def _again(fits: Fits) -> str:
    return f"ours once compiled {_seconds(fits, 'again_seconds').median:.3g} s"


def _against(*sides: Fits) -> str:
    """E.g. "ACC 0.731 ± 0.020 against 0.702 ± 0.031, NMI ..., mean ± sd of 3 seeds"; without spread for one seed."""
    scores = [summarise([{name: fit[name] for name in ("acc", "nmi")} for fit in fits]) for fits in sides]
    said = []
    for name in ("acc", "nmi"):
        pairs = [(score["mean"][name], score["std"][name]) for score in scores]
        said.append(f"{name.upper()} {' against '.join(_spread(*pair) for pair in pairs)}")
    count = len(sides[0])
    return ", ".join([*said, "one seed" if count == 1 else f"mean ± sd of {count} seeds"])


def _spread(mean: float | None, std: float | None) -> str:
    return f"{mean:.3f}" if std is None else f"{mean:.3f} ± {std:.3f}"


CASES = [Case("T9", "whole clusterings beside ClustPy's", _run)]
