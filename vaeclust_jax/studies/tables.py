"""The tables of a study, from the figures in `metrics.json`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.folder.records.clusters import ClusterRecord
from vaeclust_jax.folder.records.scores import Origins, Result, Results
from vaeclust_jax.folder.records.task import Summary
from vaeclust_jax.folder.records.uncertainty import (
    Calibration,
    EnsembleRecord,
    Flagging,
    OutlierRecord,
    SeedCalibration,
    SeedFlagging,
)
from vaeclust_jax.folder.table import Cell, Column, Spread, Table, spread
from vaeclust_jax.studies.classification_figures import classification_tables
from vaeclust_jax.studies.comparison_tables import comparison_table, reported_table, reported_tests_table
from vaeclust_jax.studies.scores import SCORES
from vaeclust_jax.studies.unseen_classes import landing_table

_SCORE_COLUMNS = tuple(Column(title) for title in SCORES.values())


def tables_of(metrics: ClusteringRecord) -> list[Table]:
    """Every table that the metrics have figures for, the most important first."""
    tables = [scores_table(metrics.results, metrics.origins or {})]
    if metrics.clusters is not None:
        tables.append(clusters_table(metrics.clusters))
    if metrics.reported and metrics.reported_runs is not None and metrics.reported_tests is not None:
        tables.append(reported_table(metrics.reported, metrics.reported_runs))
        tables.append(reported_tests_table(metrics.reported_tests))
    compared = [row for row in metrics.comparisons if row.difference is not None]
    fitted = [row for row in compared if row.second not in metrics.shallow]
    shallow = [row for row in compared if row.second in metrics.shallow]
    if fitted:
        tables.append(comparison_table("comparisons", "the other models", fitted))
    if shallow:
        tables.append(comparison_table("shallow", "the shallow methods", shallow))
    if len(metrics.seeds) > 1:
        tables.append(intervals_table(metrics.results))
    uncertainty = metrics.uncertainty
    if uncertainty.measures is not None:
        tables.append(flagging_table(uncertainty.measures, uncertainty.ensemble, uncertainty.error_free or ()))
        tables.append(correlation_table(uncertainty.measures, uncertainty.groups))
    if uncertainty.calibration is not None:
        tables.append(calibration_table(uncertainty.calibration))
    if metrics.classification is not None:
        tables[1:1] = classification_tables(metrics.classification, metrics.method)
    if metrics.outliers is not None:
        tables.append(outlier_table(metrics.outliers))
        if metrics.outliers.landing is not None:
            tables.append(landing_table(metrics.outliers.dataset, metrics.outliers.landing))
    tables.append(seeds_table(metrics.results))
    return [table.without_empty() for table in tables if table.rows]


def scores_table(results: Results, origins: Origins, over: str = "seeds") -> Table:
    """Every method and protocol, mean and deviation over seeds, or over what stands in their place."""
    rows = []
    for method, protocols in results.items():
        for protocol, result in protocols.items():
            cells = [_spread(result, key) for key in SCORES]
            if any(cell is not None for cell in cells):
                rows.append((method, protocol, *cells, len(result.seeds)))
    columns = (Column("method", "text"), Column("protocol", "text"), *_SCORE_COLUMNS, Column(over, "integer"))
    note = (
        f"Mean ± standard deviation over {over}. ACC: best one-to-one match of clusters and classes. The silhouette is "
        "that of each method's own latent space: it says how compact clusters are, not whether they are right."
    )
    note += voted_note(name for name, origin in origins.items() if origin.together)
    return Table("scores", "Scores", columns, tuple(rows), note)


def voted_note(names: Iterable[str]) -> str:
    """A sentence, after a space, on methods whose seeds are not independent; nothing if there are none."""
    joined = " and ".join(names)
    return f" The seeds of {joined} learned from each other: their deviation is within one vote." if joined else ""


def clusters_table(clusters: Sequence[ClusterRecord]) -> Table:
    """Every cluster of the first seed, and what speaks against it."""
    rows = tuple(
        (
            one.cluster,
            one.samples,
            one.probability,
            one.stability,
            one.class_,
            one.purity,
            "; ".join(one.doubts) or None,
        )
        for one in clusters
    )
    columns = (
        Column("cluster", "integer"),
        Column("samples", "integer"),
        Column("mean probability"),
        Column("stability"),
        Column("most frequent class", "text"),
        Column("its share"),
        Column("doubts", "text"),
    )
    note = (
        "Of the first seed. Stability: the Jaccard index with the most similar cluster of another seed, mean over the "
        "others; below 0.6 a cluster should not be trusted (Hennig, 2007). Probabilities of several seeds are at the "
        "temperature of the other seeds' votes, those of one seed as trained."
    )
    return Table("clusters", "Clusters", columns, rows, note)


def intervals_table(results: Results, over: str = "seeds") -> Table:
    """95 % intervals of the means over seeds, or over what stands in their place."""

    def cell(interval: tuple[float, float] | None) -> Cell:
        return None if interval is None else "[{:.3f}, {:.3f}]".format(*interval)

    rows = tuple(
        (method, protocol, *(cell(result.interval[key]) for key in SCORES))
        for method, protocols in results.items()
        for protocol, result in protocols.items()
        if len(result.seeds) > 1 and any(result.interval.values())
    )
    columns = (Column("method", "text"), Column("protocol", "text"), *_SCORE_COLUMNS)
    same, other = ("the data and the split", "another split") if over == "seeds" else ("the data", "other data")
    note = (
        f"95 % intervals of the mean over {over}, by Student's t, within the range of the score. They share {same}, so "
        f"that {other} would add to them."
    )
    return Table("intervals", "Intervals", columns, rows, note)


def flagging_table(
    measures: Mapping[str, Summary[Flagging, SeedFlagging]],
    ensemble: EnsembleRecord | None,
    error_free: Sequence[int | None],
) -> Table:
    """How well each uncertainty flags wrong assignments."""
    keys = ("auroc", "aurc", "excess_aurc", "error", "error_at_80")
    names = ("AUROC", "AURC", "excess AURC", "error, all", "error, surest 80 %")
    rows = [(name, *(_spread(of, key) for key in keys)) for name, of in measures.items()]
    note = (
        "Of the named method, on all samples, mean ± deviation over seeds. AUROC: a wrong assignment is less certain "
        "than a correct one. AURC: mean error over coverages, lower is better; excess: over the best possible order."
    )
    if len(error_free) == len(next(iter(measures.values())).seeds):
        note += " AUROC is not defined: no assignment is wrong."
    elif error_free:
        note += f" AUROC is of the seeds that made an error: without {', '.join(map(str, error_free))}."
    if ensemble is not None:
        rows += [
            (f"{name} (of the ensemble's own errors)", *(getattr(of, key) for key in keys))
            for name, of in ensemble.measures.items()
        ]
        note += (
            f" The ensemble is the average of the seeds' matched probabilities: ACC {ensemble.acc:.3f}, "
            f"NMI {ensemble.nmi:.3f}, ARI {ensemble.ari:.3f}."
        )
    columns = (Column("uncertainty", "text"), *map(Column, names))
    return Table("uncertainty", "Does uncertainty flag the errors?", columns, tuple(rows), note)


def correlation_table(measures: Mapping[str, Summary[Flagging, SeedFlagging]], groups: int | None) -> Table:
    """Each uncertainty against correctness: correlations, means by group, tests."""
    keys = ("point_biserial", "spearman", "mean_correct", "mean_wrong")
    rows = []
    for name, of in measures.items():
        first = of.seeds[0]
        interval = None
        if first.point_biserial is not None:
            interval = f"[{first.point_biserial_low:.2f}, {first.point_biserial_high:.2f}]"
        largest = (_largest(row.welch_p for row in of.seeds), _largest(row.mann_whitney_p for row in of.seeds))
        rows.append((name, *(_spread(of, key) for key in keys), interval, *largest))
    columns = (
        Column("uncertainty", "text"),
        Column("point-biserial r"),
        Column("Spearman r"),
        Column("mean, correct"),
        Column("mean, wrong"),
        Column("95 % of r, first seed", "text"),
        Column("largest Welch p", "p"),
        Column("largest Mann-Whitney p", "p"),
    )
    note = "Negative r: the less certain, the less often correct. "
    if groups is None:
        note += "Interval and p take samples as independent; p: wrong against correct, the largest of the seeds."
    else:
        note += f"Interval: the samples of each of the {groups} subjects are resampled as one, so that none is tested."
    return Table("correlations", "Uncertainty and correctness", columns, tuple(rows), note)


def calibration_table(calibration: Mapping[str, Summary[Calibration, SeedCalibration]]) -> Table:
    """Expected calibration error, raw and at fitted temperatures."""
    keys = ("ece", "mean_confidence", "accuracy", "temperature")
    rows = tuple((name, *(_spread(of, key) for key in keys)) for name, of in calibration.items())
    columns = (Column("probability", "text"), *map(Column, ("ECE", "mean confidence", "accuracy", "temperature")))
    note = (
        "ECE: 15 bins. A temperature fitted to the votes of other seeds reads no label, and cannot see an error that "
        "all seeds share; there is none where the best temperature lies outside 0.01 to 100."
    )
    return Table("calibration", "Are the probabilities honest?", columns, rows, note)


def outlier_table(outliers: OutlierRecord) -> Table:
    """AUROC of each score of strangeness."""
    rows = tuple((name, spread(mean, outliers.std[name])) for name, mean in outliers.mean.items())
    note = f"{outliers.known} held-out samples against {outliers.strange} of {outliers.dataset}; 0.5 is chance."
    columns = (Column("score", "text"), Column("AUROC"))
    return Table("outliers", f"Are samples of {outliers.dataset} noticed?", columns, rows, note)


def seeds_table(results: Results) -> Table:
    """Every seed of every method: no best one is picked."""
    rows = tuple(
        (method, protocol, row.seed, *(getattr(row, key) for key in SCORES))
        for method, protocols in results.items()
        for protocol, result in protocols.items()
        for row in result.seeds
        if any(getattr(row, key) is not None for key in SCORES)
    )
    columns = (Column("method", "text"), Column("protocol", "text"), Column("seed", "integer"), *_SCORE_COLUMNS)
    return Table("seeds", "Every seed", columns, rows, "Methods in which nothing is random have no seed.")


def _spread(of: Result | Summary[Any, Any], key: str) -> Spread | None:
    return spread(getattr(of.mean, key), getattr(of.std, key))


def _largest(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) if known else None
