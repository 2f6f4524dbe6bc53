"""Many fits in one process, and many epochs of one: memory, descriptors and threads stay as they are."""

import gc
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import vaeclust_jax as vc
from tests.campaigns.campaign import Report
from tests.fitting.made import blobs, calling, config, squares

_WARM = 0.2
"""Share of the samples that come before everything is compiled and allocated."""
_MEGABYTES, _SHARE = 8.0, 0.03
"""That memory may grow by, in all: noise of the allocator."""
_DESCRIPTORS, _THREADS = 1.5, 3.0
"""That their counts may: a pool of tensorstore begins up to two threads late, a step whose slope is three."""
_WRITERS = {"async_save", "save_finalize", "write_metadata_after_commits", "np_type_handler", "json_ch_save"}
"""Threads of orbax that end with a checkpoint."""


class Held(NamedTuple):
    """What a process holds."""

    megabytes: float
    descriptors: int
    threads: int


def held() -> Held:
    """By this process, now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    counts = (len(os.listdir(f"/proc/self/{name}")) for name in ("fd", "task"))
    return Held(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, *counts)


def _settle() -> None:
    """Waits for a checkpoint that is being written beside the epochs: its threads and files are no growth."""
    end = time.monotonic() + 10
    while time.monotonic() < end and any(thread.name in _WRITERS for thread in threading.enumerate()):
        time.sleep(0.01)


def faults(samples: list[Held]) -> list[str]:
    """What grows: by least squares over all samples but the first fifth."""
    warm = np.array(samples[int(_WARM * len(samples)) :], float)
    slopes = np.polyfit(np.arange(len(warm)), warm, 1)[0] * len(warm)
    allowed = (max(_MEGABYTES, _SHARE * warm[0, 0]), _DESCRIPTORS, _THREADS)
    return [
        f"{name} grew by {slope:.1f} over {len(warm)} samples, from {first:g} to {last:g}"
        for name, slope, most, first, last in zip(Held._fields, slopes, allowed, warm[0], warm[-1], strict=True)
        if slope > most
    ]


def fits(count: int, seed: int, folder: Path) -> Report:
    """So many fits, of vectors and images by several methods in turn, each saved, loaded and asked."""
    samples: list[Held] = []
    kinds: list[tuple[vc.Config, np.ndarray]] = [
        (config(), blobs()[0]),
        (config(3, "kmeans", joint_epochs=0, beta="dynamic"), blobs()[0]),
        (config(3, "vade"), blobs()[0]),
        (config(), squares()[0]),
    ]

    def fit(number: int) -> None:
        settings, x = kinds[number % len(kinds)]
        run = vc.fit(settings, x, seed + number)
        run.save(folder / "model.vaeclust")
        np.testing.assert_array_equal(vc.load(folder / "model.vaeclust").predict(x), run.predict(x))

    for number in range(count):
        fit(number)
        gc.collect()
        samples.append(held())
    return _report("fits", seed, {"all": samples})


def epochs(count: int, seed: int, folder: Path) -> Report:
    """One fit of so many epochs, with a checkpoint after every tenth."""
    samples: dict[str, list[Held]] = {"vae": [], "joint": []}  # between them, the second one is compiled

    def take(rows: list[dict[str, Any]]) -> None:
        _settle()
        samples[rows[0]["stage"]].append(held())

    half = max(count // 2, 1)
    vc.fit(
        config(pretrain_epochs=half, joint_epochs=half, tolerance=0.0, validation=0.0),
        blobs()[0],
        seed,
        checkpoint=vc.Checkpoint(folder / "checkpoints", every_epochs=10),
        callbacks=[calling(take)],
    )
    return _report("epochs", seed, samples)


def _report(name: str, seed: int, samples: Mapping[str, list[Held]]) -> Report:
    report = Report(name, seed)
    for part, of_part in samples.items():
        first = int(_WARM * len(of_part))
        report.outcomes[f"{part}: {of_part[first]} after {first + 1}, {of_part[-1]} at the end"] = len(of_part)
    if found := [f"{part}: {fault}" for part, of_part in samples.items() for fault in faults(of_part)]:
        report.failures[seed] = "; ".join(found)
    return report


GROWTH: dict[str, Callable[[int, int, Path], Report]] = {"fits": fits, "epochs": epochs}
