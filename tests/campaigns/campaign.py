"""Trials by seed: how each of them ended, what it took, and which ones failed."""

import json
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import numpy as np

Rng = np.random.Generator
Trial = Callable[[Rng], str]
"""Does one thing that the generator chooses, and says in a few words how it ended; raises where it may not end so."""

_HANGS = 1200
"""Seconds by the clock, whatever else the machine does."""
_ADDRESSES = 8 * 2**30
"""Bytes that a trial may map beyond what the process has, lest it takes the machine's memory."""


@dataclass
class Report:
    """How the trials of a campaign ended.

    Attributes:
        outcomes: numbers of trials by how they ended.
        failures: by seed.
    """

    campaign: str
    seed: int
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: dict[int, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Trials that ended, one way or the other."""
        return self.outcomes.total() + len(self.failures)

    def line(self) -> str:
        """As one line of JSON."""
        counts = {"count": self.count, "outcomes": dict(self.outcomes.most_common()), "failures": self.failures}
        return json.dumps({"campaign": self.campaign, "seed": self.seed, **counts})


class HangsError(BaseException):
    """No `Exception`: whoever catches all errors of a damaged file must not catch this."""


def run(name: str, trial: Trial, count: int, seed: int, seconds: float = float("inf")) -> Report:
    """Trials of the seeds from `seed` on.

    Args:
        name: of the campaign.
        trial: see `Trial`.
        count: how many.
        seed: of the first.
        seconds: begins no trial after so many.
    """
    report, started, told = Report(name, seed), time.monotonic(), time.monotonic()
    with _few_addresses():
        for number in range(seed, seed + count):
            if time.monotonic() - started > seconds:
                break
            try:
                with _alarm(_HANGS):
                    report.outcomes[trial(np.random.default_rng(number))] += 1
            except (Exception, HangsError) as error:
                report.failures[number] = f"{type(error).__name__}: {error}"[:1000]
                print(f"{name}: seed {number} failed", file=sys.stderr)
                traceback.print_exception(error, limit=-8)
            if time.monotonic() - told > 20:
                told = time.monotonic()
                print(f"{name}: {report.count} of {count}, {len(report.failures)} failed", file=sys.stderr, flush=True)
    return report


@contextmanager
def _alarm(seconds: int) -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise HangsError(f"it took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _few_addresses() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_of_this_process("VmSize") + _ADDRESSES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextmanager
def bounded(seconds: float, megabytes: float) -> Iterator[None]:
    """Fails what takes more processor time or memory than that."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, started = _of_this_process("VmRSS"), time.process_time()
    yield
    took, grown = time.process_time() - started, (_of_this_process("VmHWM") - before) / 2**20
    assert took <= seconds, f"it took {took:.1f} s, more than {seconds}"
    assert grown <= megabytes, f"it took {grown:.0f} MB, more than {megabytes}"


def _of_this_process(name: str) -> int:
    """Bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
