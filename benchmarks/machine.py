"""What figures were measured on: machine, versions, commit, load, and the matmul rate they are held against."""

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import jax

from benchmarks.case import Effort
from benchmarks.peers.available import missing
from benchmarks.timing import measure
from vaeclust_jax.machine import num_cores

CHECKOUT = Path(__file__).parent.parent
PEERS = ("torch", "clustpy")


@dataclass(frozen=True)
class Machine:
    """Where figures come from; two equal ones may share a file."""

    name: str
    cores: int
    """Those this process may use."""
    memory_gb: float | None
    system: str
    platform: str
    """"cpu", "gpu" or "tpu"."""
    device: str
    """The accelerator's own name; "cpu" where there is none."""

    @property
    def label(self) -> str:
        """A file name: "cpu-2" (cores), "gpu-nvidia-h200"."""
        if self.platform == "cpu":
            return f"cpu-{self.cores}"
        return f"{self.platform}-{'-'.join(self.device.lower().split())}"


class Peak(NamedTuple):
    """FLOP/s of a large square float32 matmul, best of several, at each library's default precision."""

    size: int
    ours: float
    torch: float | None
    """None where PyTorch is not installed."""


def describe(effort: Effort, command: str) -> dict[str, Any]:
    """A run, as it is kept beside its rows."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "effort": effort.name,
        "commit": commit(),
        "load": load(),  # before we are the load ourselves
        "machine": asdict(this_machine()),
        "versions": versions(),
        "peak": matmul_peak(effort)._asdict(),
    }


def this_machine() -> Machine:
    """The machine and device that jax computes on."""
    cores = num_cores()
    has_memory = "SC_PHYS_PAGES" in os.sysconf_names
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9 if has_memory else None
    return Machine(
        name=_processor(),
        cores=cores,
        memory_gb=None if memory is None else round(memory, 1),
        system=f"{platform.system()} {platform.machine()}",
        platform=jax.default_backend(),
        device=jax.devices()[0].device_kind,
    )


def versions() -> dict[str, str | None]:
    """Versions of what computes; None for a peer that is not installed."""
    found: dict[str, str | None] = {"python": sys.version.split()[0]}
    for name in ("vaeclust_jax", "jax", "jaxlib", "flax", "optax", "numpy", "scikit-learn"):
        found[name] = version(name)
    for peer in PEERS:
        found[peer] = None if missing(peer) else version(peer)
    return found


def matmul_peak(effort: Effort) -> Peak:
    """Measures the matmul rate of jax and PyTorch in turn; on an accelerator, on a matrix that fills it."""
    size = 200 if effort.smoke else 2000 if jax.default_backend() == "cpu" else 8000
    multiply = jax.jit(lambda a: a @ a)
    ones = jax.numpy.ones((size, size))
    functions: dict[str, Callable[[], Any]] = {"ours": lambda: multiply(ones)}
    if not missing("torch"):
        functions["torch"] = _torch_matmul(size)
    seconds = measure(functions, repetitions=2 * effort.repetitions)
    rates = {name: 2 * size**3 / taken.low for name, taken in seconds.items()}
    return Peak(size, rates["ours"], rates.get("torch"))


def load() -> float | None:
    """Processes that ran or waited in the last minute; None where the system does not say."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def commit() -> str | None:
    """The checkout's commit, "+" behind it where code differs from it; None outside a checkout."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--", "vaeclust_jax", "benchmarks/*.py")
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{head}+" if changed else head


def _torch_matmul(size: int) -> Callable[[], Any]:
    import torch

    on_gpu = jax.default_backend() == "gpu" and torch.cuda.is_available()
    ones = torch.ones((size, size), device="cuda" if on_gpu else "cpu")

    def multiply() -> None:
        ones @ ones
        if on_gpu:
            torch.cuda.synchronize()

    return multiply


def _git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(CHECKOUT), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
