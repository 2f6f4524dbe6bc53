"""What `metrics.json` of every run holds, whatever its task; the rest belongs to the task's own record."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.typed_json import as_json, from_json

SCHEMA = 2
"""Of `metrics.json`, one more with every change that a reader has to know; files without a number are of schema 1."""


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Numbers by name, of one seed or over several; None is one that is not defined.

    Attributes:
        names: how each is called where people read it.
    """

    names: ClassVar[Mapping[str, str]]

    def by_name(self) -> dict[str, float | None]:
        """In the order of the fields."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class OfSeed:
    """What is said of one seed; its number is None where nothing is random."""

    seed: int | None


M = TypeVar("M", bound=Measures)
S = TypeVar("S", bound=OfSeed)


@dataclass(frozen=True, kw_only=True)
class Summary(Generic[M, S]):
    """Measures of every seed, their mean, and their standard deviation (n - 1)."""

    mean: M
    std: M
    seeds: tuple[S, ...]


@dataclass(frozen=True, kw_only=True)
class DataRecord:
    """A data set: its name, where it was read from, the shape of all samples, and sentences on it.

    Attributes:
        taken: what was found out about the file.
        odd: what is odd about the samples.
    """

    name: str
    source: str
    shape: tuple[int, ...]
    taken: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TaskRecord:
    """A run, as far as every task has it.

    Attributes:
        experiment, method: names; the method is the one that the run is about.
        dataset: what was learned.
        protocol: sentences by topic: fitted on what, judged on what, what labels were used for.
        mean, std, seeds: of the method; a task's record says of which measures.
        findings, warnings: sentences.
        versions: by name of the library.
    """

    task: ClassVar[str]

    experiment: str
    method: str
    dataset: DataRecord
    protocol: dict[str, str]
    mean: Measures
    std: Measures
    seeds: tuple[OfSeed, ...]
    findings: tuple[str, ...]
    warnings: tuple[str, ...]
    versions: dict[str, str]

    def record(self) -> dict[str, Any]:
        """As `metrics.json` holds it."""
        return {"schema": SCHEMA, "task": self.task, **as_json(self)}

    @classmethod
    def of(cls, record: dict[str, Any], file: object = "metrics.json") -> Self:
        """From its record.

        Args:
            record: what `record` returned.
            file: where it was found, for the sentence on a mistake.

        Raises:
            InputError: something in it is missing, of another kind, or does not fit the rest.
        """
        made = from_json(cls, record, file)
        if fault := made.fault():
            raise InputError(f"{file}: {fault}")
        return made

    def fault(self) -> str | None:
        """What does not fit together, as a sentence without its end."""
        if not self.dataset.shape:
            return "dataset.shape must have at least one number"
        if "vaeclust_jax" not in self.versions:
            return "versions.vaeclust_jax is missing"
        return fault_of_seeds(self.seeds, "seeds")


def fault_of_seeds(seeds: Sequence[OfSeed], place: str) -> str | None:
    """Seeds must differ, and where nothing is random there is one."""
    numbers = {row.seed for row in seeds}
    if not seeds or len(numbers) < len(seeds) or (None in numbers and len(numbers) > 1):
        return f"{place} must be of different seeds, at least one"
    return None
