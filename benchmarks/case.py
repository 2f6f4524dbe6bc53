"""What a benchmark case is, and the rows of the table it gives."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Measured(NamedTuple):
    """One quantity over repetitions: seconds for times, bytes for memory, a plain number otherwise."""

    median: float
    low: float
    high: float
    repetitions: int


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    case: str
    """"T1", ..."""
    what: str
    """What was measured, e.g. "conv VAE train step, batch 64"."""
    unit: str
    """"ms", "s", "MB" or "": what the table prints the seconds, bytes or numbers in."""
    ours: Measured
    peer: Measured | None = None
    peer_name: str | None = None
    """"PyTorch eager", "five runs one after the other"; given also where that peer is not installed (`peer` is None);
    None where nothing is compared."""
    flops: float | None = None
    """Floating-point operations of the mathematics in one repetition, for the share of the measured matmul peak."""
    target: float | None = None
    """At least, for `peer / ours`; at most, for `ours` itself (in seconds, bytes) where nothing is compared; None where
    there is no target."""
    condition: bool = True
    """What the target asks for beside the figure, such as an equal accuracy; False misses it. Say it in `note`."""
    note: str = ""
    """What a reader must know beside the figures; one clause."""
    details: dict[str, Any] = field(default_factory=dict)
    """Further figures for the JSON file: numbers, strings, lists."""

    @property
    def ratio(self) -> float | None:
        """Peer's time over ours: above 1 we are faster."""
        return None if self.peer is None else self.peer.median / self.ours.median

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none, or where the peer is not installed."""
        if self.target is None or (self.peer is None and self.peer_name is not None):
            return None
        reached = self.ours.median <= self.target if self.ratio is None else self.ratio >= self.target
        return reached and self.condition


class Effort(NamedTuple):
    """How much work a case may do."""

    name: str
    """"full"; "quick": the cases that are `in_quick`, under two minutes together; "smoke": seconds, no meaning."""
    repetitions: int

    @property
    def full(self) -> bool:  # noqa: D102
        return self.name == "full"

    @property
    def smoke(self) -> bool:  # noqa: D102
        return self.name == "smoke"


class Case(NamedTuple):
    """One benchmark: `run` yields its rows one by one, so that the table grows while it works.

    A peer that is not installed leaves `peer` None, keeps `peer_name`, and says in `note` what is missing. A check
    (both compute the same loss) that fails raises AssertionError before anything is timed.
    """

    name: str
    title: str
    run: Callable[[Effort], Iterator[Row]]
    in_quick: bool = True
    """Whether --quick runs it where no case is named."""
