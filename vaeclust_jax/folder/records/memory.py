"""What `metrics.json` of a memory holds: recall from noise, capacity, and where small nets rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vaeclust_jax.folder.records.task import Measures, OfSeed, Summary, TaskRecord


@dataclass(frozen=True, kw_only=True)
class MemoryScores(Measures):
    """Over all noise: the share of patterns that came back in every unit, and the iterations until nothing moved."""

    names: ClassVar[Mapping[str, str]] = {"recalled": "recalled", "iterations": "iterations"}

    recalled: float | None
    iterations: float | None


@dataclass(frozen=True, kw_only=True)
class SeedMemoryScores(MemoryScores, OfSeed):
    """Those of one seed, which draws the noise."""


@dataclass(frozen=True, kw_only=True)
class NoisePoint:
    """Recall from noise of one deviation.

    Attributes:
        noise: standard deviation of what is added to units of -1 and 1.
        most: iterations that were allowed.
        recalled, recalled_std: share of patterns that came back, mean and deviation over draws of the noise.
        iterations, iterations_std: that were taken, over patterns and draws.
    """

    noise: float
    most: int
    recalled: float
    recalled_std: float
    iterations: float
    iterations_std: float


@dataclass(frozen=True, kw_only=True)
class LoadPoint:
    """Recall of random patterns at one load.

    Attributes:
        load: patterns a unit.
        recalled, recalled_std: share of patterns that came back, mean and deviation over pattern sets.
    """

    load: float
    recalled: float
    recalled_std: float


@dataclass(frozen=True, kw_only=True)
class RestingPoint:
    """A state that a net leaves no more.

    Attributes:
        place: its units.
        share: of the starts that end there.
        stable: whether the net comes back to it from beside it: an attractor.
        stored: whether it is one of the patterns.
    """

    place: tuple[float, ...]
    share: float
    stable: bool
    stored: bool


@dataclass(frozen=True, kw_only=True)
class SmallNet:
    """A net of saturating units, few enough to begin everywhere.

    Attributes:
        patterns: that it stores.
        starts: on a grid over the whole cube.
        resting: every place where one of them ended.
        iterations, iterations_std: until nothing moved, over random starts.
    """

    patterns: tuple[tuple[float, ...], ...]
    starts: int
    resting: tuple[RestingPoint, ...]
    iterations: float
    iterations_std: float


@dataclass(frozen=True, kw_only=True)
class MemoryRecord(TaskRecord):
    """A run of a memory.

    Attributes:
        results: of every arm.
        noise: of every arm, recall of its patterns.
        capacity: of every arm, recall of random patterns.
        by_units: likewise of classical nets, by how many units they have.
        small: nets whose attractors are all known.
    """

    task: ClassVar[str] = "memory"

    mean: MemoryScores
    std: MemoryScores
    seeds: tuple[SeedMemoryScores, ...]
    results: dict[str, Summary[MemoryScores, SeedMemoryScores]]
    noise: dict[str, tuple[NoisePoint, ...]]
    capacity: dict[str, tuple[LoadPoint, ...]]
    by_units: dict[str, tuple[LoadPoint, ...]]
    small: tuple[SmallNet, ...]
