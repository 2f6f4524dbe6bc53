"""`metrics.json` of any version, task and state: read, or refused in one short sentence."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.folder.made_record import (
    CLASSIFIED,
    DENSE,
    FORECAST,
    GENERATED,
    REGRESSED,
    REMEMBERED,
    made_record,
    made_scores,
)
from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.records.clustering import ComparisonRecord
from vaeclust_jax.folder.records.metrics_file import RECORDS, read_metrics
from vaeclust_jax.folder.records.task import SCHEMA, TaskRecord
from vaeclust_jax.folder.records.uncertainty import LandingOfSeed, LandingRecord, OutlierRecord
from vaeclust_jax.metrics import Interval, Outcome
from vaeclust_jax.studies.tasks import TASKS

CLUSTERED = made_record(
    {"vaedec": {"all": [made_scores(0.5, 0), made_scores(0.6, 1)]}, "ward": {"all": [made_scores(0.4, None)]}},
    shallow=("ward",),
    comparisons=(
        ComparisonRecord(
            first="vaedec",
            second="ward",
            protocol="all",
            metric="acc",
            difference=0.15,
            interval=Interval(low=0.1, high=0.2),
            welch=Outcome(statistic=3.0, p=0.2, df=1.0),
            paired=None,
            hedges_g=1.0,
            paired_effect=None,
            welch_holm=0.2,
            paired_holm=None,
        ),
    ),
    outliers=OutlierRecord(
        dataset="noise",
        known=3,
        strange=4,
        mean={"latent variance": 0.5},
        std={"latent variance": None},
        seeds=({"seed": 0, "latent variance": 0.5},),
        landing=(LandingRecord(class_="x", samples=4, seeds=(LandingOfSeed(share=1, known=None, known_share=None),)),),
    ),
)

EVERY: tuple[TaskRecord, ...] = (CLUSTERED, GENERATED, CLASSIFIED, DENSE, REMEMBERED, REGRESSED, FORECAST)


def places(content: Any, *above: Any) -> Iterator[tuple[Any, ...]]:
    """The keys to everything in a record."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, inner in items:
        yield (*above, key)
        yield from places(inner, *above, key)


def changed(record: TaskRecord, place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(json.dumps(record.record()))
    inner: Any = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return content


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.json"


def refusal(path: Path, content: Any) -> str:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(InputError) as caught:
        read_metrics(path)
    return str(caught.value)


def test_every_task_has_a_record() -> None:
    assert RECORDS.keys() == TASKS.keys() == {one.task for one in EVERY}


@pytest.mark.parametrize("whole", EVERY, ids=lambda whole: whole.task)
def test_a_record_comes_back_with_its_schema_and_task(path: Path, whole: TaskRecord) -> None:
    record = whole.record()
    assert (record["schema"], record["task"]) == (SCHEMA, whole.task)
    path.write_text(json.dumps(record, allow_nan=False))
    assert read_metrics(path) == whole == type(whole).of(record)
    assert type(read_metrics(path)) is RECORDS[whole.task]


def test_an_older_file_is_read_if_nothing_is_missing(path: Path) -> None:
    older = {name: value for name, value in CLUSTERED.record().items() if name not in ("schema", "task")}
    path.write_text(json.dumps(older))
    assert read_metrics(path) == CLUSTERED
    for name in ("findings", "results", "uncertainty"):
        less = {key: value for key, value in older.items() if key != name}
        assert refusal(path, less) == f"{path} was written by an older vaeclust_jax: run it again"


def test_a_file_of_both_tests_and_a_bootstrap_interval_is_read() -> None:
    older = json.loads(json.dumps(CLUSTERED.record()))
    older["comparisons"][0] |= {"paired": {"statistic": 2.0, "p": 0.3, "df": 1.0}, "paired_holm": 0.6}
    older["comparisons"][0] |= {"sign_flip": {"statistic": 0.15, "p": 0.5, "df": None}}
    (row,) = type(CLUSTERED).of(older).comparisons
    assert row.test == Outcome(statistic=2.0, p=0.3, df=1.0)
    assert (row.holm, row.reason) == (0.6, None)


NEWER = " was written by a newer vaeclust_jax, whose records this one cannot read: upgrade it"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"schema": SCHEMA + 1}, NEWER),
        ({"schema": SCHEMA + 1, "task": "new"}, NEWER),
        ({"schema": "2"}, ": schema must be a whole number, got '2'"),
        ({"schema": None}, ": schema must be a whole number, got None"),
        (
            {"task": "cooking"},
            ": task must be one of clustering, generation, classification, density, memory, regression, forecasting, "
            "got 'cooking'",
        ),
        ({"task": []}, ": task must be text, got []"),
        ({"task": "generation"}, ": floor is missing"),
        ({"mean": None}, ": mean must be an object, got None"),
        ({"dataset": {"name": "x", "source": "", "shape": []}}, ": dataset.shape must have at least one number"),
        ({"versions": {}}, ": versions.vaeclust_jax is missing"),
        ({"seeds": []}, ": seeds must be of different seeds, at least one"),
        (
            {"origins": {"vaedec": {"fit": 0, "together": False}}},
            ": origins must have every method of the results, but ward is missing",
        ),
        ({"clarity": {"ward": 0.4}}, ": clarity must have the named method"),
        ({"clarity": {"vaedec": 0.4}, "cut": {"ward": 0.1}}, ": cut must have the methods of clarity"),
        (
            {"starts": [{"seed": 0, "began": "ward", "clarity": {"ward": 0.4}, "cut": {"k-means": 0.1}}]},
            ": starts must have the clusters that training began with",
        ),
        ({"method": "gone"}, ": results must have the named method on all rows"),
    ],
    ids=str,
)
def test_another_version_or_a_fault_is_one_sentence(path: Path, changes: dict[str, Any], sentence: str) -> None:
    assert refusal(path, CLUSTERED.record() | changes) == f"{path}{sentence}"


@pytest.mark.parametrize("content", ["", "[]", "3", "{", '{"a": ' * 10**5, '{"schema": ' + "9" * 5000 + "}"])
def test_what_is_no_record_is_refused(path: Path, content: str) -> None:
    assert "\n" not in refusal(path, content)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([(whole, place) for whole in EVERY for place in places(whole.record())]),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([]) | st.just({}),
)
def test_whatever_is_changed_it_is_read_or_refused_in_one_short_sentence(
    at: tuple[TaskRecord, tuple[Any, ...]], value: Any
) -> None:
    whole, place = at
    try:
        read = type(whole).of(changed(whole, place, value))
    except InputError as error:
        sentence = str(error)
        assert sentence.startswith("metrics.json: ")
        assert "\n" not in sentence
        assert len(sentence) < 500
    else:
        assert type(whole).of(read.record()) == read
