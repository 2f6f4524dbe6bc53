"""One experiment on several splits, or with several groups of seeds: what is said over these, and not over seeds.

Seeds are nested in repetitions: each has seeds of its own, so that their means are independent of each other given the
data. That holds of seeds that voted, too, whose repetitions are as many votes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

import numpy as np

from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.folder.records.repetitions import Components, Over, Repetition, RepetitionsRecord
from vaeclust_jax.folder.records.scores import Origin, Results, SeedScores
from vaeclust_jax.folder.table import Column, Table
from vaeclust_jax.studies.comparison_tables import comparison_table
from vaeclust_jax.studies.scores import SCORES, result_of
from vaeclust_jax.studies.tables import intervals_table, scores_table
from vaeclust_jax.studies.tests import comparisons, findings

ONE_SEED = "one value a repetition does not tell splits from seeds"
NOT_DEFINED = "a score is not defined"
WORDS: Mapping[Over, str] = {"splits": "splits", "groups": "groups of seeds"}


def over_repetitions(
    records: Sequence[ClusteringRecord], repetitions: Sequence[Repetition], over: Over
) -> RepetitionsRecord:
    """What the runs say together.

    Args:
        records: one a run, of one experiment and data set.
        repetitions: likewise.
        over: what differs between them besides the seeds.
    """
    first, words = records[0], WORDS[over]
    shared = [name for name in first.results if all(name in one.results for one in records)]
    results: Results = {
        name: {
            protocol: result_of(
                [_mean(number, one.results[name][protocol].seeds) for number, one in enumerate(records)]
            )
            for protocol in first.results[name]
        }
        for name in shared
    }
    deviations = {
        name: {
            protocol: {
                key: components([[getattr(row, key) for row in one.results[name][protocol].seeds] for one in records])
                for key in SCORES
            }
            for protocol in first.results[name]
        }
        for name in shared
    }
    compared = comparisons(results, first.method, _origins(first, shared))
    n, seeds = len(records), len(repetitions[0].seeds)
    found = RepetitionsRecord(
        experiment=first.experiment,
        method=first.method,
        dataset=first.dataset.name,
        over=over,
        repetitions=tuple(repetitions),
        protocol={
            "interval": f"95 % t interval of the mean over {n} {words} of one data set; each is the mean of its own "
            f"{seeds} seeds",
            "test": f"t-tests over {n} {words}: paired of trained methods, Welch's against methods on the data alone; "
            "Holm over all methods and scores",
            "deviations": f"between {words}, and between the seeds of one, by a one-way analysis of variance; what is "
            "below 0 is 0",
        },
        results=results,
        deviations=deviations,
        comparisons=tuple(compared),
        findings=(),
        versions=first.versions,
    )
    return replace(found, findings=(*_sentences(found), *findings(compared, [], None, first.method, over=words)))


def components(groups: Sequence[Sequence[float | None]]) -> Components:
    """Standard deviations between groups and within them (Searle, Casella and McCulloch 1992, section 3.6).

    Args:
        groups: at least two, of one size: the scores of the seeds of each repetition.
    """
    values = [[value for value in group if value is not None] for group in groups]
    if [len(group) for group in values] != [len(group) for group in groups]:
        return Components(between=None, within=None, reason=NOT_DEFINED)
    table = np.array(values, np.float64)
    size = table.shape[1]
    if size < 2:
        return Components(between=None, within=None, reason=ONE_SEED)
    within = float(table.var(axis=1, ddof=1).mean())
    between = float(table.mean(axis=1).var(ddof=1)) - within / size
    return Components(between=max(between, 0.0) ** 0.5, within=within**0.5)


def repetition_tables(record: RepetitionsRecord) -> list[Table]:
    """Scores, intervals, where they vary, and comparisons; the most important first."""
    words = WORDS[record.over]
    tables = [
        scores_table(record.results, {}, words),
        intervals_table(record.results, words),
        _deviations_table(record),
    ]
    compared = [row for row in record.comparisons if row.difference is not None]
    if compared:
        tables.append(comparison_table("comparisons", "the other methods", compared, words))
    return [table.without_empty() for table in tables if table.rows]


def _mean(number: int, rows: Sequence[SeedScores]) -> SeedScores:
    """Of a repetition."""
    columns = {key: [getattr(row, key) for row in rows] for key in SCORES}
    units = [row.active_units for row in rows if row.active_units is not None]
    return SeedScores(
        seed=number,
        **{key: None if None in values else fmean(values) for key, values in columns.items()},
        populated_clusters=min(row.populated_clusters for row in rows),
        active_units=min(units, default=None),
    )


def _origins(record: ClusteringRecord, names: Sequence[str]) -> dict[str, Origin]:
    """Over repetitions nothing is shared but the repetition: seeds that voted are one of several votes."""
    return {name: Origin(fit=None if record.origin(name).fit is None else number) for number, name in enumerate(names)}


def _deviations_table(record: RepetitionsRecord) -> Table:
    words = WORDS[record.over]

    def cell(of: Components) -> str | None:
        return None if of.between is None or of.within is None else f"{of.between:.3f} / {of.within:.3f}"

    rows = tuple(
        (method, protocol, *cells)
        for method, protocols in record.deviations.items()
        for protocol, scores in protocols.items()
        if any(cells := [cell(scores[key]) for key in SCORES])
    )
    columns = (
        Column("method", "text"),
        Column("protocol", "text"),
        *(Column(title, "text") for title in SCORES.values()),
    )
    note = (
        f"Standard deviations: between {words}, beyond what seeds bring / between the seeds of one, by a one-way "
        "analysis of variance; 0 where there is no more than that."
    )
    return Table("deviations", "What varies", columns, rows, note)


def _sentences(record: RepetitionsRecord) -> list[str]:
    """The named method's accuracy, its interval, and where it varies; none without labels."""
    result = record.results[record.method]["all"]
    if result.mean.acc is None:
        return []
    words, n, seeds = WORDS[record.over], len(record.repetitions), len(record.repetitions[0].seeds)
    of = "" if seeds == 1 else f" of {seeds} seeds each"
    interval, varies = result.interval["acc"], record.deviations[record.method]["all"]["acc"]
    if interval is None:
        shown = f"no interval: {(result.no_interval or {})['acc']}"
    else:
        shown = f"95 % interval {interval[0]:.3f} to {interval[1]:.3f}"
    sentence = f"{record.method} has ACC {result.mean.acc:.3f} over {n} {words}{of} ({shown})"
    if varies.between is None or varies.within is None:
        return [f"{sentence}."]
    return [
        f"{sentence}; its deviation is {varies.between:.3f} between {words} and {varies.within:.3f} between seeds of "
        "one."
    ]
