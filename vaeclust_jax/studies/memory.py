"""The task of memories: what they recall from noise, how much they hold, and where the smallest of them rest."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.memory import (
    LoadPoint,
    MemoryRecord,
    MemoryScores,
    NoisePoint,
    RestingPoint,
    SeedMemoryScores,
    SmallNet,
)
from vaeclust_jax.folder.table import Column, Spread, Table, spread
from vaeclust_jax.keys import SAMPLES, key_of
from vaeclust_jax.methods.hopfield import CRITICAL_LOAD, Hopfield, Saturating, as_rows, as_units, warn_of_load
from vaeclust_jax.plots.memory import Line, attractors, recall_by_load, recall_by_noise, recalled_images
from vaeclust_jax.random import normal
from vaeclust_jax.streamed import spaced
from vaeclust_jax.studies.attractors import PATTERNS, small_net, trajectories
from vaeclust_jax.studies.capacity import FLIPPED, ITERATIONS, SETS, UNITS, WRONG, capacity, capacity_by_units
from vaeclust_jax.studies.common import common_fields, over_seeds, split_sentence
from vaeclust_jax.studies.figures import Picture
from vaeclust_jax.studies.task import Drawn, Measured, Study, Task

SCORES = MemoryScores.names
_NOISE, _ITERATIONS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0), (1, 4, 10, 40, 100)
_DRAWS, _MOST_PATTERNS, _SHOWN = 20, 100, 10


def _measure(study: Study, step: Callable[[str], None]) -> Measured:
    named = study.experiment.named
    noise: dict[str, tuple[NoisePoint, ...]] = {}
    results = {}
    for arm, runs in study.runs.items():
        step(f"recall of {arm}")
        of_seeds = [_recalled(run, _patterns(study, arm), seed) for run, seed in zip(runs, study.seeds, strict=True)]
        noise[arm] = _over_draws(of_seeds)
        results[arm] = over_seeds(MemoryScores, SeedMemoryScores, [_scores(one) for one in of_seeds], study.seeds)
    step("capacity")
    key = jax.random.fold_in(key_of(study.seeds[0], SAMPLES), 2)  # the noise takes the key itself
    of_named = results[named]
    record = MemoryRecord(
        **common_fields(study.experiment, study.dataset),
        protocol={
            "fitted_on": split_sentence(study),
            "scored_on": f"stored rows with noise of deviation 0 to 5 on units of -1 and 1, {_DRAWS} draws a seed",
            "labels_used_for": "nothing",
            "spread": "standard deviation over seeds (n - 1)",
        },
        mean=of_named.mean,
        std=of_named.std,
        seeds=of_named.seeds,
        findings=tuple(_finding(arm, points) for arm, points in noise.items()),
        warnings=tuple(_warnings(study)),
        results=results,
        noise=noise,
        capacity={arm: capacity(_method(runs[0]).net, jax.random.clone(key)) for arm, runs in study.runs.items()},
        by_units=capacity_by_units(jax.random.clone(key)),
        small=tuple(small_net(patterns, Saturating()) for patterns in PATTERNS),
    )
    return Measured(record)


def _method(run: Run) -> Hopfield:
    assert isinstance(run.config.method, Hopfield)
    return run.config.method


def _patterns(study: Study, arm: str) -> jnp.ndarray:
    """Stored rows, evenly spaced where there are many, as the arm's units show them."""
    data, method = study.data[arm], _method(study.runs[arm][0])
    assert method.num_patterns is not None, "resolved"
    stored = data.train_index[spaced(len(data.train_index), method.num_patterns)]
    units = as_units(jnp.asarray(np.asarray(data.rows[stored[spaced(len(stored), _MOST_PATTERNS)]])))
    return jnp.where(units >= 0, 1.0, -1.0) if method.net.binary else units


def _recalled(run: Run, patterns: jnp.ndarray, seed: int) -> dict[tuple[float, int], tuple[np.ndarray, np.ndarray]]:
    """By noise and iterations: whether each pattern came back, (draws, p), and the iterations.

    One has come back if in every unit it is nearer than 1, and than half the way to the next other pattern.
    """
    recall, shape = jax.jit(run.heads.recall), run.preparation.output_shape  # type: ignore[arg-type]
    drawn = normal(key_of(seed, SAMPLES), (_DRAWS, *patterns.shape))
    between = np.array([np.abs(np.asarray(patterns) - one).max(axis=1) for one in np.asarray(patterns)])
    near = np.minimum(1, np.where(between > 0, between, np.inf).min(axis=1) / 2)
    found = {}
    for noise in _NOISE:
        x = as_rows((patterns + noise * drawn).reshape(-1, patterns.shape[1]), shape)
        for most in _ITERATIONS:
            ends, count = recall(run.params, x, jnp.asarray(most))
            away = jnp.abs(as_units(ends).reshape(drawn.shape) - patterns).max(axis=2)
            found[noise, most] = np.asarray(away) < near, np.asarray(count).reshape(_DRAWS, -1)
    return found


def _scores(found: Mapping[tuple[float, int], tuple[np.ndarray, np.ndarray]]) -> MemoryScores:
    last = [found[noise, _ITERATIONS[-1]] for noise in _NOISE]
    right, count = (np.mean([one[part].mean() for one in last]) for part in (0, 1))
    return MemoryScores(recalled=float(right), iterations=float(count))


def _over_draws(
    of_seeds: Sequence[Mapping[tuple[float, int], tuple[np.ndarray, np.ndarray]]],
) -> tuple[NoisePoint, ...]:
    points = []
    for noise, most in of_seeds[0]:
        right, count = (np.concatenate([one[noise, most][part] for one in of_seeds]) for part in (0, 1))
        shares = right.mean(axis=1)
        points.append(
            NoisePoint(
                noise=noise, most=most,
                recalled=float(shares.mean()), recalled_std=float(shares.std(ddof=1)),
                iterations=float(count.mean()), iterations_std=float(count.std(ddof=1)),
            )
        )  # fmt: skip
    return tuple(points)


def _finding(arm: str, points: Sequence[NoisePoint]) -> str:
    at = {point.noise: point for point in points if point.most == _ITERATIONS[-1]}
    return (
        f"{arm} recalls {at[0.0].recalled:.0%} of its patterns without noise, {at[1.0].recalled:.0%} at noise 1 and "
        f"{at[5.0].recalled:.0%} at noise 5."
    )


def _warnings(study: Study) -> list[str]:
    sentences = []
    for runs in study.runs.values():
        method, units = _method(runs[0]), int(np.prod(runs[0].preparation.output_shape))
        assert method.num_patterns is not None, "resolved"
        if sentence := warn_of_load(method.net, method.num_patterns, units):
            sentences.append(f"{sentence}.")
    return sentences


def _tables(record: MemoryRecord) -> list[Table]:
    scores = Table(
        "scores", "Recall",
        (Column("net", "text"), *map(Column, SCORES.values())),
        tuple(
            (arm, *(spread(getattr(of.mean, key), getattr(of.std, key)) for key in SCORES))
            for arm, of in record.results.items()
        ),
        "Share of patterns that came back in every unit, and iterations until nothing moved, over all noise.",
    )  # fmt: skip
    by_noise = Table(
        "noise", "Recall by noise and iterations",
        (
            Column("net", "text"),
            Column("noise"),
            *(Column(f"{most} iterations") for most in _ITERATIONS),
            Column("taken"),
        ),
        tuple(_noise_row(arm, noise, points) for arm, points in record.noise.items() for noise in _NOISE),
        "Share recalled, mean ± deviation over draws of the noise; taken: iterations until nothing moved.",
    )  # fmt: skip
    by_load = _load_table(
        "capacity", "Random patterns recalled by load", record.capacity,
        f"{SETS} sets of random patterns of {UNITS} units, from {FLIPPED:.0%} flipped units; mean ± deviation. A "
        f"pattern has come back that has at most {WRONG:.0%} wrong units after {ITERATIONS} iterations.",
    )  # fmt: skip
    by_units = _load_table(
        "capacity_by_units", "Random patterns recalled by classical nets of few and many units", record.by_units,
        f"As above. Of very many units, {CRITICAL_LOAD} patterns a unit can be recalled, with a few wrong units.",
    )  # fmt: skip
    resting = Table(
        "attractors", "Where small saturating nets rest",
        (Column("units", "integer"), Column("place", "text"), Column("kind", "text"), Column("share of starts")),
        tuple(
            (len(net.patterns[0]), ", ".join(f"{value:g}" for value in point.place), kind_of(point), point.share)
            for net in record.small
            for point in net.resting
        ),
        " ".join(
            f"{len(net.patterns[0])} units: {net.starts} starts on a grid; from random starts "
            f"{net.iterations:.1f} ± {net.iterations_std:.1f} iterations."
            for net in record.small
        ),
    )  # fmt: skip
    return [scores, by_noise, by_load, by_units, resting]


def _load_table(name: str, title: str, lines: Mapping[str, Sequence[LoadPoint]], note: str) -> Table:
    loads = sorted({point.load for points in lines.values() for point in points})
    rows = tuple((load, *(_at_load(load, points) for points in lines.values())) for load in loads)
    return Table(name, title, (Column("patterns a unit"), *map(Column, lines)), rows, note)


def kind_of(point: RestingPoint) -> str:
    """How a resting point is called."""
    if not point.stable:
        return "unstable"
    return "stored" if point.stored else "spurious attractor"


def _noise_row(arm: str, noise: float, points: Sequence[NoisePoint]) -> tuple[str | float | Spread, ...]:
    own = {point.most: point for point in points if point.noise == noise}
    last = own[_ITERATIONS[-1]]
    shares = (Spread(own[most].recalled, own[most].recalled_std) for most in _ITERATIONS)
    return (arm, noise, *shares, Spread(last.iterations, last.iterations_std))


def _at_load(load: float, points: Sequence[LoadPoint]) -> Spread | None:
    return next((Spread(one.recalled, one.recalled_std) for one in points if one.load == load), None)


def _figures(study: Study, measured: Measured) -> Drawn:
    record = measured.metrics
    assert isinstance(record, MemoryRecord)
    caption = "Lines are recalls from a grid of starts. Every place where any start of a fine grid ended is marked."
    yield "attractors", Picture(_attractors(record.small), "Attractors", "Small saturating nets", caption)
    panels = {
        arm: {
            most: _line((one.noise, one.recalled, one.recalled_std) for one in points if one.most == most)
            for most in _ITERATIONS
        }
        for arm, points in record.noise.items()
    }
    caption = "Share of stored patterns that came back in every unit; bands: deviation over draws of the noise."
    yield "noise", Picture(recall_by_noise(panels), "Recall", "Recall from noise", caption)
    caption = f"Random patterns of {UNITS} units from {FLIPPED:.0%} flipped units; bands: deviation over {SETS} sets."
    yield "capacity", Picture(_by_load(record.capacity), "Recall", "Capacity", caption)
    caption = "The same of classical nets. The more units, the steeper the fall at the bound."
    yield "capacity_by_units", Picture(_by_load(record.by_units), "Recall", "Capacity by units", caption)
    first = study.runs[study.experiment.named][0]
    if len(first.preparation.output_shape) == 3:
        caption = "Noise of deviation 3 on units of -1 and 1, and what each net makes of it."
        yield "recalled", Picture(recalled_images(_examples(study, 3.0)), "Recall", "Patterns recalled", caption)


def _by_load(of: Mapping[str, Sequence[LoadPoint]]):  # type: ignore[no-untyped-def]  # as `_attractors`
    lines = {name: _line((one.load, one.recalled, one.recalled_std) for one in points) for name, points in of.items()}
    return recall_by_load(lines, CRITICAL_LOAD)


def _attractors(nets: Sequence[SmallNet]):  # type: ignore[no-untyped-def]  # a Figure, whose library is imported late
    panels = []
    for net in nets:
        units = len(net.patterns[0])
        axis = np.linspace(-0.9, 0.9, 8 if units == 2 else 4)
        starts = np.stack(np.meshgrid(*[axis] * units), axis=-1).reshape(-1, units)
        kinds = dict.fromkeys(map(kind_of, sorted(net.resting, key=lambda one: (not one.stored, not one.stable))))
        places = {kind: np.array([one.place for one in net.resting if kind_of(one) == kind]) for kind in kinds}
        panels.append((trajectories(net.patterns, Saturating(), starts, 40), places))
    return attractors(panels)


def _line(points: Iterable[tuple[float, float, float]]) -> Line:
    places, means, deviations = zip(*points, strict=True)
    return places, means, deviations


def _examples(study: Study, noise: float) -> dict[str, np.ndarray]:
    named = study.experiment.named
    patterns = _patterns(study, named)[:_SHOWN]
    shape = study.runs[named][0].preparation.output_shape
    x = as_rows(patterns + noise * normal(key_of(study.seeds[0], SAMPLES), patterns.shape), shape)
    recalled = {
        arm: np.asarray(runs[0].heads.recall(runs[0].params, x)[0])  # type: ignore[misc]
        for arm, runs in study.runs.items()
    }
    return {"stored": np.asarray(as_rows(patterns, shape)), "shown": np.asarray(x), **recalled}


MEMORY = Task(("recall",), lambda data: None, _measure, _tables, _figures)
