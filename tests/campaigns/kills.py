"""Kills of the command at any moment, and disks that fill: what goes on from there ends with the same bytes."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.campaigns.campaign import Rng, Trial
from tests.campaigns.command import TINY, Answer, check_answer
from tests.campaigns.folders import contents
from tests.campaigns.mutate import pick
from tests.fitting.made import blobs

HOLD_TIMES = {"timing.json", "report.html"}
"""The page shows what `timing.json` says."""
_COMMAND = (sys.executable, "-m", "vaeclust_jax.cli")


def kills(folder: Path) -> Trial:
    """Of `run`, once or twice; of `report`; and `run` on a disk that is full."""
    np.savez(folder / "x.npz", x=blobs()[0], y=blobs()[1])
    environment = {**os.environ, "VAECLUST_CACHE": str(folder / "cache"), "COLUMNS": "120"}
    settings = ("--epochs", "3", "--seeds", "2", "--checkpoint-epochs", "1")
    command = Commands(("run", "vaedec", str(folder / "x.npz"), "-k", "3", *TINY, *settings), environment)
    started = time.monotonic()
    assert command.answer(folder / "whole").code == 0
    seconds = time.monotonic() - started
    whole = run_in(folder / "whole")
    assert whole is not None
    reference, mounts = of_results(whole), can_mount(folder / "disk")

    def trial(rng: Rng) -> str:
        place = folder / "trial"
        shutil.rmtree(place, ignore_errors=True)
        match pick(rng, ["run", "run", "run", "report", "full"]):
            case "run":
                return killed_runs(rng, command, place, seconds, reference)
            case "report":
                return killed_report(rng, command, whole, place, seconds / 3)
            case _ if not mounts:
                return "full disk: none can be mounted here"
            case _:
                return full_disk(rng, command, place, whole, reference)

    return trial


class Commands:
    """The command as a process of its own.

    Args:
        words: of the run.
        environment: of the process.
    """

    def __init__(self, words: tuple[str, ...], environment: dict[str, str]):
        self.words, self._environment = words, environment

    def started(self, place: Path, *words: str) -> subprocess.Popen[str]:
        """One that goes on by itself, in a folder that is made."""
        place.mkdir(exist_ok=True)
        return subprocess.Popen(
            [*_COMMAND, *(words or self.words)],
            cwd=place,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def answer(self, place: Path, *words: str) -> Answer:
        """Of one that nothing ends."""
        process = self.started(place, *words)
        try:
            out, err = process.communicate()
        finally:
            process.kill()  # it hangs, and so does the trial
        return Answer(process.returncode, out, err)

    def killed(self, place: Path, seconds: float, *words: str) -> bool:
        """Kills it after so many seconds; False if it was faster."""
        process = self.started(place, *words)
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        return process.returncode != 0


def run_in(place: Path) -> Path | None:
    """The folder of the one run that was started there; None where it was killed before it said what it is."""
    found = [path for path in place.glob("runs/vaedec-*") if (path / "arguments.json").exists()]
    assert len(found) <= 1
    return found[0] if found else None


def of_results(folder: Path) -> dict[str, bytes]:
    """All files of a run, without the bytes of those that hold times."""
    return {name: b"" if name in HOLD_TIMES else content for name, content in contents(folder).items()}


def killed_runs(rng: Rng, command: Commands, place: Path, seconds: float, reference: dict[str, bytes]) -> str:
    """Once or twice; what is left goes on to the end."""
    killed = int(command.killed(place, rng.uniform(0, 1.1 * seconds)))
    folder = run_in(place)
    if folder is None:
        return "run: killed before it began"
    if rng.random() < 0.5:
        killed += command.killed(place, rng.uniform(0, 1.1 * seconds), "run", "--resume", str(folder))
    check_end(command, place, folder, reference)
    return f"run: killed {killed} times, the same bytes"


def check_end(command: Commands, place: Path, folder: Path, reference: dict[str, bytes]) -> None:
    """Checks that a run that was ended early goes on to the same files, and leaves no other."""
    answer = command.answer(place, "run", "--resume", str(folder))
    assert answer.code == 0 or "has ended: there is nothing left to do" in answer.err, answer.err[-1500:]
    if answer.code == 2 and not (folder / "report.html").exists():  # killed after its end, while the page was written
        assert command.answer(place, "report", str(folder)).code == 0
        shutil.rmtree(folder / "tables")
    check_same(of_results(folder), reference)


def check_same(found: dict[str, bytes], reference: dict[str, bytes]) -> None:
    """Checks names and bytes."""
    assert sorted(found) == sorted(reference), f"other files: {sorted({*found} ^ {*reference})}"
    different = [name for name in reference if found[name] != reference[name]]
    assert not different, f"other bytes: {different}"


def killed_report(rng: Rng, command: Commands, whole: Path, place: Path, seconds: float) -> str:
    """The page and the tables again: those of a report that nothing ended."""
    place.mkdir()
    folder = shutil.copytree(whole, place / whole.name)
    assert command.answer(place, "report", str(folder)).code == 0  # the page says where it lies
    reference = contents(folder)
    killed = command.killed(place, rng.uniform(0, 1.2 * seconds), "report", str(folder))
    assert command.answer(place, "report", str(folder)).code == 0
    check_same(contents(folder), reference)
    return f"report: {'killed' if killed else 'too fast'}, the same bytes"


def full_disk(rng: Rng, command: Commands, place: Path, whole: Path, reference: dict[str, bytes]) -> str:
    """A sentence; with more room, the run goes on."""
    size = sum(len(content) for content in contents(whole).values())
    with small_disk(place, int(rng.uniform(30_000, 1.3 * size))) as grow:
        answer = command.answer(place)
        if answer.code == 0:
            return "full disk: there was room for all"
        check_answer(answer, place, codes=(1, 2))
        grow()
        folder = run_in(place)
        if folder is None:
            return "full disk: refused before it began"
        check_end(command, place, folder, reference)
    return "full disk: one sentence, then the same bytes"


def can_mount(place: Path) -> bool:
    """Whether this process may mount a file system."""
    try:
        with small_disk(place, 10**5):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def small_disk(place: Path, size: int) -> Iterator[object]:
    """A file system of so many bytes; yields what gives it more. Needs the right to mount one."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=True, capture_output=True)
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,size=1g", place], check=True, capture_output=True)
    finally:
        subprocess.run(["umount", "-l", place], check=True, capture_output=True)
