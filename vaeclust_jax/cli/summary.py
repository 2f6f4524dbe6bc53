"""The end of a run in five answers: what was found, how good, how sure, where it is, and what to do next."""

import shlex
import textwrap
from collections.abc import Sequence
from pathlib import Path

from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.folder.records.task import TaskRecord
from vaeclust_jax.folder.table import Table, print_tables

_WIDTH, _INDENT = 100, 10


def print_summary(
    metrics: TaskRecord,
    tables: Sequence[Table],
    folder: Path,
    seconds: float,
    *,
    page: Path | None = None,
    verbose: bool = False,
) -> None:
    """Prints it, the folder last.

    Args:
        metrics: of the run.
        tables: of the run.
        folder: where all is written.
        seconds: that the run took.
        page: None where none was written.
        verbose: with all tables and findings before it.
    """
    verdict = metrics.verdict if isinstance(metrics, ClusteringRecord) else None
    if verbose or verdict is None:  # other tasks have their scores as a table
        print_tables([table for table in tables if verbose or table.name == "scores"])
        for finding in metrics.findings:
            print(finding)
    for topic, sentences in (verdict or {}).items():
        _say(topic, sentences)
    for warning in metrics.warnings:
        print(f"warning: {warning}")
    print(f"labels were used for: {metrics.protocol['labels_used_for']}")
    _say("files", [f"{seconds:.0f} s; figures, tables, assignments and the model are in the folder below."])
    if page is not None:  # an address is not broken
        print(f"{'':{_INDENT}}{page}")
    for number, line in enumerate(_next(metrics, folder, page)):  # a command is not broken
        print(f"{'' if number else 'next':{_INDENT}}{line}")
    print(folder)


def _say(topic: str, sentences: Sequence[str]) -> None:
    """A line for each sentence, beside what it is about."""
    for number, sentence in enumerate(sentences):
        first = "" if number else topic
        print(
            textwrap.fill(
                sentence, _WIDTH, initial_indent=f"{first:{_INDENT}}", subsequent_indent=" " * _INDENT,
                break_long_words=False, break_on_hyphens=False,
            )
        )  # fmt: skip


def _next(metrics: TaskRecord, folder: Path, page: Path | None) -> list[str]:
    place = shlex.quote(str(folder))  # to be pasted
    said = [f"a page of it:      vaeclust report {place}"] if page is None else []
    if isinstance(metrics, ClusteringRecord):
        from vaeclust_jax.studies.verdict import better_without_a_network
        from vaeclust_jax.studies.write import SHALLOW

        if (better := better_without_a_network(metrics)) is not None and (folder / SHALLOW).is_file():
            said.append(f"better clusters:   column {better!r} of {folder / SHALLOW}")
        said.append(f"new samples:       vaeclust predict {place} NEW_DATA")
        if metrics.num_clusters_choice is None and metrics.mean.acc is None:
            said.append("another number:    --clusters auto chooses it")
    return said
