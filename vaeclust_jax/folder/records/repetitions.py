"""What `repetitions.json` holds: a clustering done again on other splits, or with other groups of seeds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from vaeclust_jax.folder.records.clustering import ComparisonRecord
from vaeclust_jax.folder.records.scores import Results
from vaeclust_jax.folder.typed_json import as_json, from_json, read_json

Over = Literal["splits", "groups"]
REPETITIONS = "repetitions.json"
"""In the folder that holds the runs."""


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """One run of several: its folder beside the file, the seed of its split, and its own seeds."""

    folder: str
    split_seed: int
    seeds: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Components:
    """Where the variation of a score comes from: standard deviations.

    Attributes:
        between: of repetitions, beyond what their seeds bring with them; 0 where there is no more than that.
        within: of the seeds of one repetition.
        reason: why they are None.
    """

    between: float | None
    within: float | None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class RepetitionsRecord:
    """Several runs of a clustering, and what is said over them.

    Attributes:
        experiment, method: names; the method is the one that the runs are about.
        dataset: its name.
        over: what differs between runs besides their seeds: the split, or nothing.
        repetitions: the runs.
        protocol: sentences by topic: what intervals, tests and deviations are over.
        results: as of a run, but every "seed" is the number of a repetition, and its scores are means over its seeds;
            populated clusters and active units are the least of them.
        deviations: by method, protocol and score.
        comparisons: of the named method with every other one, over repetitions.
        findings: sentences.
        versions: by name of the library.
    """

    experiment: str
    method: str
    dataset: str
    over: Over
    repetitions: tuple[Repetition, ...]
    protocol: dict[str, str]
    results: Results
    deviations: dict[str, dict[str, dict[str, Components]]]
    comparisons: tuple[ComparisonRecord, ...]
    findings: tuple[str, ...]
    versions: dict[str, str]

    def record(self) -> dict[str, Any]:
        """As the file holds it."""
        return dict(as_json(self))

    @classmethod
    def read(cls, path: Path) -> Self:
        """From the file.

        Raises:
            InputError: it cannot be read, or is another file.
        """
        return from_json(cls, read_json(path), path)
