"""What trackers have written, read without them: `{series: {step: {name: value}}}`, each of them once."""

import importlib.util
import json
import os
import sqlite3
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Point = tuple[str, int, str, float]
"""Series, step, name, value."""


def _tensorboard(folder: Path) -> Iterator[Point]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    top = folder / "tensorboard"
    for series in {path.parent for path in top.rglob("events.out.tfevents.*")}:
        events = EventAccumulator(str(series)).Reload()
        for tag in events.Tags()["scalars"]:
            yield from ((str(series.relative_to(top)), one.step, tag, one.value) for one in events.Scalars(tag))


def _mlflow(folder: Path) -> Iterator[Point]:
    query = "select name, step, key, value from metrics join runs on metrics.run_uuid = runs.run_uuid"
    with sqlite3.connect(folder / "mlflow.db") as connection:
        for name, *rest in connection.execute(query):
            yield (name.removeprefix(f"{folder.name}/"), *rest)


def _trackio(folder: Path) -> Iterator[Point]:
    query = "select run_name, step, metrics from metrics where run_name like ?"
    with sqlite3.connect(Path(os.environ["TRACKIO_DIR"]) / "vaeclust.db") as connection:
        for name, step, metrics in connection.execute(query, [f"{folder.name}/%"]):
            found = {key: value for key, value in json.loads(metrics).items() if isinstance(value, float)}
            yield from ((name.removeprefix(f"{folder.name}/"), step, key, value) for key, value in found.items())


def _wandb(folder: Path) -> Iterator[Point]:
    import wandb
    from wandb.proto.wandb_internal_pb2 import Record

    wandb.teardown()  # its process has written everything when it has ended
    for path in folder.glob("wandb/offline-run-*/*.wandb"):
        records = [Record.FromString(data) for data in _leveldb_log(path.read_bytes())]
        (name,) = {record.run.display_name for record in records if record.HasField("run")}
        for record in records:
            items = {item.key or item.nested_key[0]: json.loads(item.value_json) for item in record.history.item}
            step = items.pop("_step", None)
            yield from ((name, step, key, float(value)) for key, value in items.items() if "/" in key)


def _leveldb_log(data: bytes) -> Iterator[bytes]:
    """Records of LevelDB's log format, after a header of 7 bytes: blocks of 32 KiB, records in parts of a block."""
    assert data[:4] == b":W&B"
    place, whole = 7, b""
    while len(data) - place >= 7:
        if (left := -place % 32768) < 7:
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        whole += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # the only part, or the last
            yield whole
            whole = b""


_READERS: dict[str, Callable[[Path], Iterator[Point]]] = {
    "tensorboard": _tensorboard,
    "trackio": _trackio,
    "wandb": _wandb,
    "mlflow": _mlflow,
}

INSTALLED = [
    pytest.param(
        name, marks=pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"{name} is not installed")
    )
    for name in _READERS
]


def read(name: str, folder: Path) -> dict[str, dict[int, dict[str, float]]]:
    """All scalars of a run."""
    found: dict[str, dict[int, dict[str, float]]] = {}
    for series, step, key, value in _READERS[name](folder):
        point = found.setdefault(series, {}).setdefault(step, {})
        assert key not in point, f"{series}: {key} of step {step} is there twice"
        point[key] = value
    return found
