"""The end of a run: five answers, of records that were made by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.studies.test_tables import study
from vaeclust_jax.cli.summary import print_summary
from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.studies.tables import tables_of
from vaeclust_jax.studies.verdict import verdict_of

FOLDER = Path("runs/made-20260101-000000")
TOPICS = ["found", "how good", "how sure", "files", "next"]


def said(capsys: pytest.CaptureFixture[str], verbose: bool = False, folder: Path = FOLDER, **changes: Any) -> list[str]:
    metrics = ClusteringRecord.of(study(**changes))
    print_summary(metrics, tables_of(metrics), folder, 12.3, verbose=verbose)
    out = capsys.readouterr().out
    assert "not defined" not in out
    assert "None" not in out
    assert "nan" not in out
    return out.splitlines()


def topics(lines: list[str]) -> list[str]:
    return [topic for line in lines for topic in TOPICS if line.startswith(f"{topic} ")]


def test_five_answers_and_the_folder_last(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys)
    assert topics(lines) == TOPICS
    assert lines[-1] == str(FOLDER)
    assert len(lines) < 25
    text = " ".join(" ".join(lines).split())
    assert "3 clusters in 60 samples of coil20; of cluster 0 to 2: " in text
    assert "All 3 seeds agree on " in text
    assert "The mean probability is 0." in text
    assert f"vaeclust report {FOLDER}" in text


def test_below_the_floor_it_says_so_first(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, share=0.9)
    assert topics(lines)[:2] == ["how good", "found"]
    assert "below the best method without a network" in " ".join(lines[:2])
    assert not any("better clusters" in line for line in lines), "the folder has none"


def test_below_the_floor_it_says_where_the_better_clusters_are(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "shallow.csv").write_text("row,k-means\n")
    lines = said(capsys, share=0.9, folder=tmp_path)
    (line,) = (line for line in lines if "better clusters" in line)
    assert line.startswith("          better clusters:   column '")
    assert line.endswith(f"' of {tmp_path / 'shallow.csv'}")
    assert not any("better clusters" in line for line in said(capsys, folder=tmp_path))


def test_without_labels_nothing_of_it_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, y=None)
    assert topics(lines) == TOPICS
    text = " ".join(" ".join(lines).split())
    assert "There are no labels to score by." in text
    assert "Of the shallow methods, " in text
    assert "All 3 seeds agree on " in text
    assert "--clusters auto" in text
    assert "labels were used for: there are none" in text


def test_methods_that_find_the_same_clusters_are_named_once() -> None:
    metrics = ClusteringRecord.of(study(y=None))
    names = [f"{name} on pixels" for name in ("k-means", "ward")]
    alike = {**metrics.alike, **dict.fromkeys(names, 1.0)}
    text = " ".join(verdict_of(replace(metrics, alike=alike))["how good"])
    assert f"find the same clusters: {', '.join(names)}." in text
    assert "most like it" not in text
    alike[names[1]] = 0.5
    assert "k-means on pixels is most like it" in " ".join(verdict_of(replace(metrics, alike=alike))["how good"])


def test_clusters_of_one_size_are_said_once() -> None:
    metrics = ClusteringRecord.of(study())
    one = metrics.clusters[0]
    for sizes, said_of in (((15,) * 40, "of 15 samples each."), ((15, *(16,) * 39), "of 15 to 16 samples each.")):
        clusters = tuple(replace(one, cluster=number, samples=size) for number, size in enumerate(sizes))
        assert verdict_of(replace(metrics, clusters=clusters))["found"][0].endswith(said_of)


def test_one_seed_says_what_it_cannot_know(capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(said(capsys, seeds=range(4, 5), y=None))
    assert "One seed cannot say which clusters would be found again: add --seeds 5." in text


def test_verbose_has_all_tables_and_findings_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = ClusteringRecord.of(study())
    print_summary(metrics, tables_of(metrics), FOLDER, 12.3, verbose=True)
    lines = capsys.readouterr().out.splitlines()
    start = lines.index(metrics.findings[0])
    assert [lines.index(table.title) < start for table in tables_of(metrics)] == [True] * len(tables_of(metrics))
    assert lines[start : start + len(metrics.findings)] == list(metrics.findings)


def test_the_record_of_an_earlier_version_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    record = study()
    del record["clusters"], record["alike"], record["uncertainty"]["agreed"]
    metrics = ClusteringRecord.of(record)
    assert "clusters" not in {table.name for table in tables_of(metrics)}


def test_commands_to_be_pasted_quote_a_folder_with_spaces(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, folder=Path("my runs/made"))
    assert any(line.endswith("vaeclust predict 'my runs/made' NEW_DATA") for line in lines)
    assert any(line.endswith("vaeclust report 'my runs/made'") for line in lines)
    assert lines[-1] == "my runs/made"  # as it is, for scripts
