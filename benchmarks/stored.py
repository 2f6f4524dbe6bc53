"""Data larger than memory: what the disk gives, the reader, the step, and both together; one JSON line each.

    python -m benchmarks.stored FOLDER --rows 1e8 --kind npy

Rows of 32 float32 are ten Gaussians in four dimensions, lifted by a random matrix, with noise; they are written to
FOLDER, read, trained on for an epoch, labelled, and removed. A rate is in rows a second. Memory is the largest resident
size so far (VmHWM), in MB, pages of mapped files included.
"""

import argparse
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import vaeclust_jax as vc
from vaeclust_jax.cli.predict import _tables
from vaeclust_jax.data import Dataset, StoredRows, checked_rows
from vaeclust_jax.data.blocks import ParquetFile
from vaeclust_jax.data.mapped import stored_rows
from vaeclust_jax.fitting.prepared import prepare
from vaeclust_jax.folder import write_assignment_parts
from vaeclust_jax.metrics import scores
from vaeclust_jax.streamed import spaced
from vaeclust_jax.training.epoch import Data, begin, epoch_program
from vaeclust_jax.training.loop import stack
from vaeclust_jax.training.shuffled import ShuffledBlocks

_FEATURES, _CLUSTERS, _PART = 32, 10, 2**18


def parts_of_data(num_rows: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows and their clusters, a part at a time."""
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 3, (_CLUSTERS, 4)).astype(np.float32)
    lift = rng.normal(0, 1, (4, _FEATURES)).astype(np.float32)
    for start in range(0, num_rows, _PART):
        count = min(_PART, num_rows - start)
        y = rng.integers(0, _CLUSTERS, count)
        z = centres[y] + rng.standard_normal((count, 4), np.float32)
        yield z @ lift + 0.5 * rng.standard_normal((count, _FEATURES), np.float32), y


def write(kind: str, path: Path, num_rows: int) -> np.ndarray:
    """The data set on the disk, and its clusters."""
    labels = []
    if kind == "npy":
        with path.open("wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (num_rows, _FEATURES)}
            np.lib.format.write_array_header_1_0(file, header)
            for x, y in parts_of_data(num_rows):
                x.tofile(file)
                labels.append(y.astype(np.uint8))
    elif kind == "zarr":
        import zarr

        array = zarr.create_array(path, shape=(num_rows, _FEATURES), chunks=(2**15, _FEATURES), dtype="f4")
        for number, (x, y) in enumerate(parts_of_data(num_rows)):
            array[number * _PART : number * _PART + len(x)] = x
            labels.append(y.astype(np.uint8))
    else:
        import pyarrow
        from pyarrow import parquet

        path.mkdir()
        for number, (x, y) in enumerate(parts_of_data(num_rows)):
            table = pyarrow.table({f"f{place}": x[:, place] for place in range(_FEATURES)})
            parquet.write_table(table, path / f"{number:05}.parquet", row_group_size=2**15)
            labels.append(y.astype(np.uint8))
    return np.concatenate(labels)


def opened(kind: str, path: Path) -> StoredRows:
    """Its rows."""
    if kind == "parquet":
        shards = sorted(path.glob("*.parquet"))
        source = ParquetFile(shards, [f"f{place}" for place in range(_FEATURES)], np.float32, str(path))
        return stored_rows(source, vc.data.check_array)
    if kind == "zarr":
        import zarr

        found = checked_rows(zarr.open(path, mode="r"))
    else:
        found = checked_rows(np.load(path, mmap_mode="r"))
    assert isinstance(found, StoredRows)
    assert found.by_blocks
    return found


def read_all(path: Path) -> None:
    """Every file once, by plain reads."""
    buffer = bytearray(2**24)
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb", buffering=0) as stream:
                while stream.readinto(buffer):
                    pass


def forget(path: Path) -> None:
    """Leaves nothing of the files in the system's cache."""
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb+") as stream:
                os.fsync(stream.fileno())
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def peak() -> float:
    """Of resident memory so far, MB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def say(what: str, rows: int, began: float, cpu: float, **more: Any) -> None:
    """One line."""
    seconds, busy = time.perf_counter() - began, time.process_time() - cpu
    line = {"what": what, "rows": rows, "seconds": round(seconds, 2), "cpu_seconds": round(busy, 2)}
    print(json.dumps(line | {"rows_a_second": round(rows / seconds), "peak_mb": round(peak())} | more), flush=True)


@jax.tree_util.register_static
class _InMemory(ShuffledBlocks):
    """One window, again and again: the step alone."""

    def read(self, key_data: Any, number: int, batch_size: int) -> np.ndarray:
        if not hasattr(self, "_one"):
            self._one = self._read(key_data, 0, batch_size)
        return self._one


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=float, default=1e6)
    parser.add_argument("--kind", choices=["npy", "zarr", "parquet"], default="npy")
    parser.add_argument("--batch-size", type=int, default=16384)
    args = parser.parse_args()
    n, path = int(args.rows), args.folder / f"rows.{args.kind}"
    try:
        measure(n, args.kind, path, args.batch_size)
    finally:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def measure(n: int, kind: str, path: Path, batch_size: int) -> None:
    """All figures of one data set."""

    def now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    at = now()
    y = write(kind, path, n)
    say("written", n, *at)
    forget(path)
    for what in ("files read in order", "again, what is in the system's cache"):
        at = now()
        read_all(path)
        say(what, n, *at)
    x = opened(kind, path)
    config = vc.Config(
        vc.DEC(_CLUSTERS, pretrain_epochs=1, joint_epochs=0),
        network=vc.MLP(hidden=(64,), latent_dim=4),
        training=vc.TrainingConfig(batch_size=batch_size),
    )
    at = now()
    data = prepare(vc.PrepareConfig(), x)
    assert data.shuffled is not None
    say("scaling and extremes: three passes", n, *at)
    at = now()
    key_data = np.asarray(jax.random.key_data(jax.random.key(0)))
    for number in range(data.shuffled.num_windows(batch_size)):
        data.shuffled.read(key_data, number, batch_size)
    say("reader alone: an epoch's windows", n, *at)
    about = vc.About(config.network.build((_FEATURES,)), 4, len(data.train_index), batch_size, 1e-3, 10, True)
    stage = vc.VAEKMeans(_CLUSTERS, likelihood="gaussian", beta=1.0).stages(about)[0]
    assert data.blocks is not None
    for what, blocks in (("step alone", _InMemory(data.blocks)), ("reader and step: an epoch", data.shuffled)):
        program = epoch_program(stage.learner, stage.stopping, batch_size)
        keys = jax.random.split(jax.random.key(0), 1)
        progress = stack([begin(stage.learner.init(jax.random.key(1)), stage.stopping)])
        rows = (Data(data.train, blocks=blocks), Data(data.validation))
        compiled = program.lower(keys, progress, jnp.asarray(1), *rows).compile()
        at = now()
        jax.block_until_ready(compiled(keys, progress, jnp.asarray(1), *rows))
        say(what, n, *at)
    at = now()
    run = vc.fit(config, x, 0)
    say("whole fit: passes, an epoch, k-means", n, *at)
    at = now()
    out = path.with_name("labels.parquet")
    write_assignment_parts(out, _tables(run, Dataset(x, None, "rows"), noise=False))  # type: ignore[arg-type]
    few = spaced(n, 2**15)
    found = scores(y[few], run.predict(x[few]), None)
    say("labels written to parquet", n, *at, acc=found["acc"])
    out.unlink()


if __name__ == "__main__":
    main()
