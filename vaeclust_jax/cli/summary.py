"""The end of a run in five answers: what was found, how good, how sure, where it is, and what to do next."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.folder.records.task import TaskRecord
from vaeclust_jax.folder.table import Table, print_tables
from vaeclust_jax.studies.clusters import agreeing
from vaeclust_jax.studies.scores import against_the_floor, is_below_the_floor
from vaeclust_jax.studies.tests import reached

_WIDTH, _INDENT = 100, 10
_LISTED = 12


def print_summary(
    metrics: TaskRecord, tables: Sequence[Table], folder: Path, seconds: float, *, verbose: bool = False
) -> None:
    """Prints it, the folder last.

    Args:
        metrics: of the run.
        tables: of the run.
        folder: where all is written.
        seconds: that the run took.
        verbose: with all tables and findings before it.
    """
    clustering = isinstance(metrics, ClusteringRecord)
    if verbose or not clustering:  # other tasks have their scores as a table
        print_tables([table for table in tables if verbose or table.name == "scores"])
        for finding in metrics.findings:
            print(finding)
    answers = _of_clustering(metrics) if isinstance(metrics, ClusteringRecord) else {}
    for topic, sentences in answers.items():
        _say(topic, sentences)
    for warning in metrics.warnings:
        print(f"warning: {warning}")
    print(f"labels were used for: {metrics.protocol['labels_used_for']}")
    _say("files", [f"{seconds:.0f} s; figures, tables, assignments and the model are in the folder below."])
    for number, line in enumerate(_next(metrics, folder)):  # a command is not broken
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


def _of_clustering(metrics: ClusteringRecord) -> dict[str, list[str]]:
    """The first three answers; a method that is below its floor says so first."""
    answers = {"found": _found(metrics), "how good": _how_good(metrics), "how sure": _how_sure(metrics)}
    first = ["how good"] if is_below_the_floor(metrics.results, metrics.method, metrics.shallow) else []
    return {topic: answers[topic] for topic in dict.fromkeys([*first, *answers])}


def _found(metrics: ClusteringRecord) -> list[str]:
    sizes = [one.samples for one in metrics.clusters or ()]
    filled = [size for size in sizes if size]
    said = f"{len(filled)} clusters in {metrics.dataset.shape[0]} samples of {metrics.dataset.name}"
    if len(sizes) <= _LISTED:
        return [f"{said}; of cluster 0 to {len(sizes) - 1}: {', '.join(map(str, sizes))}."]
    return [f"{said}, of {min(filled)} to {max(filled)} samples each."]


def _how_good(metrics: ClusteringRecord) -> list[str]:
    if judged := against_the_floor(metrics.results, metrics.method, metrics.shallow):
        return [*judged, *reached(metrics.reported)]
    said = []
    if metrics.mean.acc is not None:
        said.append(f"{metrics.method}: ACC {metrics.mean.acc:.3f}, NMI {metrics.mean.nmi:.3f}.")
    else:
        said.append("There are no labels to score by.")
    if metrics.mean.silhouette is not None:
        said.append(f"Silhouette of the latents: {metrics.mean.silhouette:.2f}.")
    if metrics.alike:
        most = max(metrics.alike, key=metrics.alike.__getitem__)
        said.append(f"Of the shallow methods, {most} is most like it (adjusted Rand index {metrics.alike[most]:.2f}).")
    return said


def _how_sure(metrics: ClusteringRecord) -> list[str]:
    said, sure, seeds = [], metrics.uncertainty, len(metrics.seeds)
    if sure.agreed is not None and sure.seed_agreement is not None:
        least = agreeing(seeds)
        who = f"All {seeds} seeds" if least == seeds else f"At least {least} of {seeds} seeds"
        said.append(
            f"{who} agree on {sure.agreed:.0%} of the samples (adjusted Rand index of two: {sure.seed_agreement:.2f})."
        )
    if sure.calibration is not None:
        raw = next(iter(sure.calibration.values())).mean
        said.append(f"The mean probability is {raw.mean_confidence:.2f} at an accuracy of {raw.accuracy:.2f}.")
    doubted = [one for one in metrics.clusters or () if one.doubts]
    said += [f"Doubt cluster {one.cluster}: {'; '.join(one.doubts)}." for one in doubted[:_LISTED]]
    if len(doubted) > _LISTED:
        said.append(f"Doubt {len(doubted) - _LISTED} more (table Clusters).")
    if sure.agreed is None:
        said.append("One seed cannot say which clusters would be found again: add --seeds 5.")
    elif not doubted:
        said.append("No cluster is in doubt.")
    return said


def _next(metrics: TaskRecord, folder: Path) -> list[str]:
    said = [f"a page of it:      vaeclust report {folder}"]
    if isinstance(metrics, ClusteringRecord):
        said.append(f"new samples:       vaeclust predict {folder} NEW_DATA")
        if metrics.num_clusters_choice is None and metrics.mean.acc is None:
            said.append("another number:    --clusters auto chooses it")
    return said
