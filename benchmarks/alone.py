"""Runs a command in a process of its own, and says how long it took and how much memory it held at most."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

# A process inherits, as its own peak, what its parent held when it started it (Linux counts the memory that `exec`
# throws away). We hold gigabytes, so a small process stands between us and the command.
_BETWEEN = """
import os, sys, time
start = time.perf_counter()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(child, 0)
seconds = time.perf_counter() - start
peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
with open(sys.argv[1], "w") as file:
    file.write(f"{os.waitstatus_to_exitcode(status)} {seconds} {peak}")
"""


class Alone(NamedTuple):
    """What a command took."""

    seconds: float
    peak_bytes: int
    """Largest resident memory of the command, or of one process it started; about 10 MB at least."""
    stdout: str


def run_alone(argv: list[str], env: Mapping[str, str] | None = None) -> Alone:
    """Runs a command to its end in a fresh process.

    Args:
        argv: the command, e.g. `[sys.executable, "-c", code]`.
        env: environment variables set beside those of this process.

    Raises:
        RuntimeError: the command failed; the message ends with what it wrote to stderr.
    """
    with tempfile.TemporaryDirectory() as folder:
        used = Path(folder) / "used"
        between = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _BETWEEN, str(used), *argv],
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        code, seconds, peak = used.read_text().split() if used.exists() else (str(between.returncode), "0", "0")
    if int(code) != 0:
        raise RuntimeError(f"{' '.join(argv)[:200]} failed with exit code {code}:\n{between.stderr[-2000:]}")
    return Alone(float(seconds), int(peak), between.stdout)
