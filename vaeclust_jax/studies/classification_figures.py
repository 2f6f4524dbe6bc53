"""Tables, sentences and pictures of clusters as a classifier, from the record of `classifying`."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.named_clusters import NamedClusters
from vaeclust_jax.folder.table import Column, Spread, Table, spread
from vaeclust_jax.plots import class_confusion, component_map, naming_curves, reliability_diagram
from vaeclust_jax.streamed import spaced
from vaeclust_jax.studies.figures import Picture
from vaeclust_jax.uncertainty.calibration import reliability

_SECTION = "Classification"
_MAX_POINTS = 5000


def classification_tables(record: NamedClusters, named: str) -> list[Table]:
    """Accuracy of every method, of every number of labels, and the report by class."""
    accuracies = tuple(
        (name, spread(of.mean.accuracy, of.std.accuracy), spread(of.mean.ece, of.std.ece), len(of.seeds))
        for name, of in record.methods.items()
    )
    note = (
        f"Clusters are named after the class that most of their labelled rows have ({record.labels} held-out rows) "
        f"and judged on {record.tested_on} rows that were in neither part. No label touched the clustering."
    )
    columns: tuple[Column, ...] = (
        Column("method", "text"), Column("accuracy"), Column("ECE"), Column("seeds", "integer"),
    )  # fmt: skip
    tables = [Table("classification", "Clusters as a classifier", columns, accuracies, note)]
    curve = tuple((point.method, point.naming, point.labels, Spread(point.mean, point.std)) for point in record.curve)
    columns = (Column("method", "text"), Column("naming", "text"), Column("labels", "integer"), Column("accuracy"))
    note = (
        "Labelled rows are drawn at random, twenty times; mean ± deviation over draws and seeds. A cluster without a "
        "labelled row has no name, and its rows count as wrong."
    )
    tables.append(Table("naming", "How many labels do names need?", columns, curve, note))
    rows = tuple((row.class_, row.precision, row.recall, row.f1, row.support) for row in record.classes)
    columns = (
        Column("class", "text"), *map(Column, ("precision", "recall", "F1")), Column("rows", "integer"),
    )  # fmt: skip
    note = f"Of {named}, first seed, all labels. Not defined: no cluster has this name."
    return [*tables, Table("classes", "Report by class", columns, rows, note)]


def classification_finding(record: NamedClusters, named: str) -> list[str]:
    """One sentence on the accuracy, and one on classes without a name."""
    mean = record.methods[named].mean.accuracy
    hundred = [point.mean for point in record.curve if (point.method, point.labels) == (named, 100)]
    few = f"; 100 labels reach {max(hundred):.3f}" if hundred else ""
    found = [
        f"With its clusters named by {record.labels} labels, {named} classifies {record.tested_on} unseen rows "
        f"with accuracy {mean:.3f}{few}."
    ]
    if record.missing_classes:
        classes = ", ".join(map(str, record.missing_classes))
        found.append(f"The labelled part has no row of class {classes}, so that no cluster is named so.")
    return found


def classification_pictures(
    record: NamedClusters, run: Run, test: Dataset, named: str, seed: int
) -> Iterator[tuple[str, Picture]]:
    """Figures of the first seed, by file name."""
    caption = "Accuracy on the test part by how many labels name the clusters; bars: deviation over draws and seeds."
    rows = [{**asdict(point), "name": f"{point.method}, {point.naming}"} for point in record.curve]
    yield "naming_curve", Picture(naming_curves(rows), _SECTION, "How many labels do names need?", caption)
    counts = np.array(record.confusion)
    caption = "Classes by answers on the test part; the last column is of clusters without a name."
    drawn = class_confusion(counts, test.class_names)
    yield "classification_confusion", Picture(drawn, _SECTION, "Confusion on the test part", caption)
    bins = reliability(record.confidence.probability, record.confidence.correct)
    drawn = reliability_diagram(bins.confidence, bins.accuracy, bins.count, bins.low, bins.high, ece=bins.ece)
    caption = "Accuracy against the probability of the class on the test part."
    yield "classification_reliability", Picture(drawn, _SECTION, "Reliability on the test part", caption)
    if run.heads.prior is not None and run.config.network.latent_dim > 1:
        yield from _pca_pictures(run, test, f"{named}, seed {seed}")


def _pca_pictures(run: Run, test: Dataset, what: str) -> Iterator[tuple[str, Picture]]:
    """The latents of the test part on the plane of their largest variance, with the components of the mixture."""
    assert test.y is not None
    rows = spaced(len(test.x), _MAX_POINTS)
    latents = run.embed(test.x[rows]).astype(np.float64)
    mean = latents.mean(axis=0)
    _, values, axes = np.linalg.svd(latents - mean, full_matrices=False)
    plane = axes[:2].T
    assert run.heads.prior is not None
    mixture = run.heads.prior(run.params)
    covariances = np.asarray(mixture.covariances, np.float64)
    if covariances.ndim == 2:
        covariances = covariances[:, :, np.newaxis] * np.eye(len(mean))
    shapes = (np.asarray(mixture.means, np.float64) - mean) @ plane, plane.T @ covariances @ plane
    share = (values[:2] ** 2).sum() / (values**2).sum()
    title = f"{what}: PCA of the latents"
    caption = (
        f"Latents of the test part on two principal axes, which hold {share:.0%} of their variance; ellipses: two "
        "standard deviations of the components, projected."
    )
    components = run.log_assign(latents.astype(np.float32)).argmax(axis=1)
    for name, ids, names in (("class", test.y[rows], test.class_names), ("component", components, None)):
        drawn = component_map((latents - mean) @ plane, ids, *shapes, title=title, label=name, names=names)
        yield f"pca_by_{name}", Picture(drawn, _SECTION, f"PCA of the latents, by {name}", caption)
