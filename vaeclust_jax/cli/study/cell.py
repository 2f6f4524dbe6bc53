"""One cell of a study: a run in a process of its own, which goes on where an earlier one was ended."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from vaeclust_jax.cli.resume import ARGUMENTS
from vaeclust_jax.errors import InputError
from vaeclust_jax.studies.write import has_ended
from vaeclust_jax.training.checkpoint_folder import lock
from vaeclust_jax.whole_file import growing_file

LOG = "log.txt"
"""In a cell's folder: what its runs said."""


class Outcome(NamedTuple):
    """Of a cell.

    Attributes:
        run: the folder of the run that has ended; None: it failed.
        said: why, in a sentence.
        seconds: of this call.
    """

    run: Path | None
    said: str = ""
    seconds: float = 0.0


def ended_run(folder: Path) -> Path | None:
    """The run that has ended in a cell's folder, if there is one."""
    return next((run for run in _runs(folder) if has_ended(run)), None)


def run_cell(words: Sequence[str], folder: Path) -> Outcome:
    """Runs `vaeclust run` with the words, or goes on with the run that was ended early; of one that has ended nothing.

    Only what can be pickled goes in and out: a job may be on another machine.
    """
    began = time.monotonic()
    try:
        held = lock(folder)
    except InputError as error:
        return Outcome(None, str(error))
    with held:
        if (run := ended_run(folder)) is not None:
            return Outcome(run)
        early = _runs(folder)
        what = ["--resume", str(early[0])] if early else [*words, "--out", str(folder)]
        with growing_file(folder / LOG) as log:
            code = _call([sys.executable, "-m", "vaeclust_jax.cli", "run", *what], log)
        run, seconds = ended_run(folder), time.monotonic() - began
        return Outcome(None, _why(folder, code), seconds) if code or run is None else Outcome(run, seconds=seconds)


_under_way: set[subprocess.Popen[bytes]] = set()


def _call(command: Sequence[str], log: BinaryIO) -> int:
    """The exit code. Of Ctrl-C it hears through `pass_on` alone: a second one, a terminal's, would end it at once."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True) as process:
        _under_way.add(process)
        try:
            return process.wait()
        finally:
            _under_way.discard(process)


def pass_on(number: int) -> None:
    """Sends a signal to the runs of this process that are under way."""
    for process in list(_under_way):
        process.send_signal(number)


def _runs(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob(f"*/{ARGUMENTS}") if not path.parent.is_symlink())


def _why(folder: Path, code: int) -> str:
    """The last thing that the run said of itself."""
    lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    of_ours = [line.removeprefix("vaeclust: ") for line in lines if line.startswith("vaeclust: ")]
    last = of_ours[-1] if of_ours else f"it ended with code {code}"
    return f"{last} (see {folder / LOG})"
