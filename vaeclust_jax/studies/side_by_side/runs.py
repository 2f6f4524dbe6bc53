"""Runs side by side: their scores, every pair of them tested, and ranks over several data sets."""

import re
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.records.clustering import ComparisonRecord
from vaeclust_jax.folder.table import Column, Table, cell_text
from vaeclust_jax.metrics import Comparison
from vaeclust_jax.studies.comparison_tables import TEST_COLUMNS, cells_of_tests, untested_note
from vaeclust_jax.studies.design import tested, why_untested
from vaeclust_jax.studies.scores import SCORES
from vaeclust_jax.studies.side_by_side.lines import FinishedRun, Line, lines_of
from vaeclust_jax.studies.side_by_side.ranks import Ranks, best_rank, rank_lines, rank_tables
from vaeclust_jax.studies.tables import voted_note
from vaeclust_jax.studies.tests import ALPHA, Pair, tested_together


class SideBySide(NamedTuple):
    """Tables, sentences made from them, warnings, and the ranks where there are any."""

    tables: list[Table]
    findings: list[str]
    warnings: list[str]
    ranks: Ranks | None


def compare_runs(
    runs: Sequence[FinishedRun], *, score: str = "nmi", protocol: str = "all", every_method: bool = False
) -> SideBySide:
    """Puts runs side by side.

    Args:
        runs: at least two.
        score: of the pairs and ranks, a key of `SCORES`.
        protocol: the rows that are scored: "all" or "validation".
        every_method: all methods of each run, not the one alone that it is about.

    Raises:
        InputError: fewer than two runs, different data under one name, or a run without the protocol.
    """
    if len(runs) < 2:
        raise InputError(f"RUN_DIR must be the folders of at least two runs, got {len(runs)}")
    _check_same_data(runs)
    lines = lines_of(runs, protocol, every_method)
    tables: list[Table] = []
    findings: list[str] = []
    for slug, (dataset, those) in zip(_slugs(lines), lines.items(), strict=True):
        tables.append(_scores_table(f"scores-{slug}", f"Scores on {dataset}, {protocol} rows", those))
        if len(those) > 1 and all(line.spread(score) is None for line in those):
            findings.append(f"On {dataset}, {SCORES[score]} is not defined.")
        elif len(those) > 1:
            pairs = _pairs(those, protocol, score)
            title = f"Pairs on {dataset}: {SCORES[score]}, {protocol} rows"
            tables.append(_pairs_table(f"pairs-{slug}", title, pairs))
            findings.append(_best(dataset, those, pairs, score))
    if not findings:
        findings.append("No two of the runs are on one data set: there are no pairs to test.")
    ranks = rank_lines(lines, score)
    if ranks is not None:
        tables += rank_tables(ranks, SCORES[score])
        findings.append(best_rank(ranks, SCORES[score]))
    return SideBySide(tables, findings, _version_warnings(runs), ranks)


def _check_same_data(runs: Sequence[FinishedRun]) -> None:
    known: dict[str, FinishedRun] = {}
    for run in runs:
        data = run.metrics.dataset
        other = known.setdefault(data.name, run)
        shape = other.metrics.dataset.shape
        if shape != data.shape:
            raise InputError(
                f"runs on {data.name} must have the same data, got shape {shape} in {other.folder} and "
                f"{data.shape} in {run.folder}"
            )


def _version_warnings(runs: Sequence[FinishedRun]) -> list[str]:
    folders: dict[str, list[str]] = {}
    for run in runs:
        folders.setdefault(run.metrics.versions["vaeclust_jax"], []).append(run.folder)
    versions = "; ".join(f"{version} in {', '.join(those)}" for version, those in folders.items())
    return [f"the runs are of different versions of vaeclust_jax: {versions}"] if len(folders) > 1 else []


def _slugs(names: Iterable[str]) -> list[str]:
    """Names of data sets as parts of file names, unlike each other on any file system."""
    found: list[str] = []
    for name in names:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "data"
        while slug in found:
            slug += "-2"
        found.append(slug)
    return found


def _scores_table(name: str, title: str, lines: Sequence[Line]) -> Table:
    defined = [score for score in SCORES if any(line.spread(score) is not None for line in lines)]
    rows = tuple((line.name, len(line.rows), *map(line.spread, defined)) for line in lines)
    columns = (Column("method", "text"), Column("seeds", "integer"), *(Column(SCORES[score]) for score in defined))
    note = (
        "Mean ± standard deviation over seeds; of one seed there is no deviation. Silhouette: of each method's own "
        "latent space."
    ) + voted_note(line.name for line in lines if line.origin.together)
    return Table(name, title, columns, rows, note)


def _pairs(lines: Sequence[Line], protocol: str, score: str) -> list[ComparisonRecord]:
    """Every two lines; p-values adjusted over all pairs."""
    those = list(combinations(lines, 2))
    pairs = [Pair(first.name, second.name, protocol, score) for first, second in those]
    return tested_together(pairs, [_compare(first, second, protocol, score) for first, second in those])


def _compare(first: Line, second: Line, protocol: str, score: str) -> Comparison:
    """Of trained methods, paired if seeds and split are the same; so are equal scores, as of one run in two folders.

    A method in which nothing is random meets every seed with its score.
    """
    a, b = ({seed: getattr(row, score) for seed, row in line.rows.items()} for line in (first, second))
    constant = {None} in (a.keys(), b.keys())
    trained = None not in (first.origin.fit, second.origin.fit) and first.held_out == second.held_out
    if a.keys() == {None}:
        a = dict.fromkeys(b, a[None])
    if b.keys() == {None}:
        b = dict.fromkeys(a, b[None])
    one_run = first.run is second.run
    untested = why_untested(first.origin, second.origin, one_run=one_run, protocol=protocol, metric=score)
    if a.keys() == b.keys() and (constant or trained or a == b):
        return tested(list(a.values()), [b[seed] for seed in a], paired=True, untested=untested)
    return tested(list(a.values()), list(b.values()), paired=False, untested=untested)


def _pairs_table(name: str, title: str, pairs: Sequence[ComparisonRecord]) -> Table:
    rows = tuple((pair.first, pair.second, *cells_of_tests(pair)) for pair in pairs)
    columns = (Column("first", "text"), Column("second", "text"), *TEST_COLUMNS)
    note = (
        "First minus second; intervals and tests are over seeds, on one data set. Paired: both were trained with the "
        "same seeds and the same split; a method in which nothing is random meets every seed with its one score. "
        f"Holm: over the pairs that are tested.{untested_note(pairs)}"
    )
    return Table(name, title, columns, rows, note)


def _best(dataset: str, lines: Sequence[Line], pairs: Sequence[ComparisonRecord], score: str) -> str:
    """Which line is ahead, and of which others that is more than their spread over seeds."""
    spreads = {line.name: spread for line in lines if (spread := line.spread(score)) is not None}
    best = max(spreads, key=lambda name: spreads[name].mean)
    verdicts: dict[str, list[str]] = {}
    for pair in pairs:
        if best in (pair.first, pair.second):
            if pair.holm is None:
                verdict = f"not tested ({pair.reason}) against"
            else:
                verdict = "told apart from" if pair.holm < ALPHA else "not told apart from"
            other = pair.second if pair.first == best else pair.first
            verdicts.setdefault(verdict, []).append(other)
    told = "; ".join(f"{verdict} {_others(names, len(lines) - 1)}" for verdict, names in verdicts.items())
    tests = "" if all(pair.holm is None for pair in pairs) else " (t-tests over seeds, Holm)"
    return f"On {dataset}, {best} has the highest {SCORES[score]}, {cell_text(spreads[best], 'score')}: {told}{tests}."


def _others(names: Sequence[str], count: int) -> str:
    """Some of so many others: by their names where these can be read."""
    if len(names) <= 3:
        return ", ".join(names)
    return f"all {count} others" if len(names) == count else f"{len(names)} of {count} others"
