"""Reads the JSON files of a run; `metrics.json` as the record of its task."""

from pathlib import Path
from typing import Any

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.records.classification import ClassificationRecord
from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.folder.records.density import DensityRecord
from vaeclust_jax.folder.records.forecasting import ForecastRecord
from vaeclust_jax.folder.records.generation import GenerationRecord
from vaeclust_jax.folder.records.memory import MemoryRecord
from vaeclust_jax.folder.records.regression import RegressionRecord
from vaeclust_jax.folder.records.task import SCHEMA, TaskRecord
from vaeclust_jax.folder.typed_json import from_json, read_json

_RECORDS: tuple[type[TaskRecord], ...] = (
    ClusteringRecord,
    GenerationRecord,
    ClassificationRecord,
    DensityRecord,
    MemoryRecord,
    RegressionRecord,
    ForecastRecord,
)
RECORDS = {one.task: one for one in _RECORDS}
"""By the name of the task."""


def read_metrics(path: Path) -> TaskRecord:
    """The record of the file's task.

    Raises:
        InputError: the file is damaged, of another version, or of a task that we do not know.
    """
    content = read_object(path)
    schema = from_json(int, content.get("schema", 1), path, "schema")
    if schema > SCHEMA:
        raise InputError(f"{path} was written by a newer vaeclust_jax, whose records this one cannot read: upgrade it")
    try:
        task = from_json(str, content.get("task", ClusteringRecord.task), path, "task")  # schema 1 had no other
        if task not in RECORDS:
            raise InputError(f"{path}: task must be one of {', '.join(RECORDS)}, got {task!r}")
        return RECORDS[task].of(content, path)
    except InputError as error:
        if schema < SCHEMA:
            raise InputError(f"{path} was written by an older vaeclust_jax: run it again") from error
        raise


def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        InputError: it cannot be read, or holds no object.
    """
    found = read_json(path)
    if not isinstance(found, dict):
        raise InputError(f"{path} must hold an object, got {type(found).__name__}")
    return found
