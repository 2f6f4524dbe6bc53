"""The figures of a run, of its first seed (never the best one) unless the figure shows all."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder import FigureEntry, LatentMap
from vaeclust_jax.graph.tree import Tree
from vaeclust_jax.keys import SAMPLES, key_of
from vaeclust_jax.metrics import match_clusters
from vaeclust_jax.plots import (
    confidence_histogram,
    confusion,
    decoded_clusters,
    dendrogram,
    images_by_cluster,
    latent_map,
    loss_parts,
    most_and_least_certain,
    num_clusters_figure,
    profiles_by_cluster,
    projection_title,
    reconstructions,
)
from vaeclust_jax.plots.style import categorical_colours, matched_colours
from vaeclust_jax.selection.num_clusters import Choice
from vaeclust_jax.streamed import spaced
from vaeclust_jax.studies.assignments import Answer
from vaeclust_jax.training.loop import History
from vaeclust_jax.uncertainty.selective import correctness

_MAX_SHOWN = 5000  # images prepared for the mosaics, evenly spaced rows
_SAMPLES = 9  # drawn of each cluster


class Picture(NamedTuple):
    """A figure and what is said about it."""

    figure: Any
    section: str
    title: str
    caption: str

    def entry(self, name: str) -> FigureEntry:
        """Its line in `figures.json`."""
        return FigureEntry(f"{name}.png", self.section, self.title, self.caption)


class Shown(NamedTuple):
    """What a map shows: the answer of a method and seed, and the places of some of its rows in the plane."""

    method: str
    seed: int
    answer: Answer
    points: np.ndarray
    rows: np.ndarray


def loss_picture(method: str, history: History) -> Picture:
    """The losses of all seeds of a method."""
    several = len({row["seed"] for row in history}) > 1
    lines = "; thin lines are seeds, the thick one their mean" if several else ""
    caption = f"Every part of the loss over the epochs{lines}."
    return Picture(loss_parts(history), "Training", f"Losses of {method}", caption)


def num_clusters_picture(choice: Choice) -> Picture:
    """The criteria by which the number of clusters was chosen."""
    drawn = num_clusters_figure(choice.curve, choice.criterion)
    return Picture(drawn, "Clusters", "How many clusters?", choice.reason)


def map_pictures(model: Shown, dataset: Dataset) -> Iterator[tuple[str, Picture]]:
    """The latent maps of a method by class, by cluster and by confidence, after their file names."""
    what = f"{model.method}, seed {model.seed}"
    labels = model.answer.labels
    title = f"{what}: {projection_title(model.answer.latents.shape[1])}"  # type: ignore[union-attr]
    section = "Latent space"
    note = "Distances between groups mean little in a t-SNE; who is beside whom means more."
    by_cluster, by_class = _colours(model.answer, dataset)
    if dataset.y is not None:
        drawn = latent_map(
            model.points, dataset.y[model.rows], title=title, label="class", categorical=True,
            names=dataset.class_names, colours=by_class,
        )  # fmt: skip
        yield "map_by_class", Picture(drawn, section, f"{what}: true classes", note)
    drawn = latent_map(
        model.points, labels[model.rows], title=title, label="cluster", categorical=True, colours=by_cluster
    )
    yield "map_by_cluster", Picture(drawn, section, f"{what}: clusters found", note)
    confidence = model.answer.probabilities.max(axis=1)[model.rows]
    drawn = latent_map(model.points, confidence, title=title, label="probability of the cluster", categorical=False)
    caption = "Dark: near the border of two clusters."
    yield "map_by_confidence", Picture(drawn, section, f"{what}: how sure", caption)


def tree_picture(tree: Tree, found: Answer, dataset: Dataset) -> Picture:
    """How the first seed's graph was merged, each cluster of the cut in the colour of the model's that is most like it.

    They have the same numbers, unless seeds voted.
    """
    k = found.num_clusters
    partner = match_clusters(found.labels, tree.cut(k))
    free = iter(set(range(k)) - set(partner.values()))  # the numbers of the model's empty clusters
    order = [partner[cluster] if partner[cluster] >= 0 else next(free) for cluster in range(k)]
    colours = _colours(found, dataset)[0][order]
    drawn = dendrogram(tree.linkage, tree.sizes, tree.cut_groups(k), colours=colours)
    caption = (
        "How the neighbour graph's micro-clusters were merged. Below the dashed line are the clusters that the joint "
        "stage began with, in the colours of the map. run.cut(k) gives any other number."
    )
    return Picture(drawn, "Tree", "Dendrogram", caption)


def _colours(found: Answer, dataset: Dataset) -> tuple[np.ndarray, np.ndarray | None]:
    """Of the clusters, and of the classes where there are any."""
    if dataset.y is None:
        return categorical_colours(found.num_clusters), None
    classes = int(dataset.y.max()) + 1 if dataset.class_names is None else len(dataset.class_names)
    return matched_colours(dataset.y, found.labels, classes, found.num_clusters)


def named_pictures(
    run: Run, found: Answer, dataset: Dataset, data: Prepared, seed: int
) -> Iterator[tuple[str, Picture]]:
    """What the named method found, after the file names."""
    assert found.passes is not None
    labels, confidence = found.labels, found.probabilities.max(axis=1)
    correct = None if dataset.y is None else correctness(dataset.y, labels)
    rows = spaced(len(labels), _MAX_SHOWN)
    x = np.asarray(data.rows[rows])
    images = x.ndim == 4
    k = run.config.num_clusters
    if images:
        mosaic = images_by_cluster(_visible(x), labels[rows], confidence[rows], num_clusters=k)
        caption = "One row a cluster, the surest first."
    else:
        names = None if dataset.columns is None else dataset.columns.features
        mosaic = profiles_by_cluster(x, labels[rows], num_clusters=k, names=names)
        caption = "Mean and standard deviation of each feature, as the model sees it."
    yield "clusters", Picture(mosaic, "Clusters", "What each cluster holds", caption)
    yield "decoded", Picture(*_decoded(run, seed, images))
    yield "reconstructions", reconstruction_picture(run, data)
    certain = most_and_least_certain(
        _visible(x) if images else x,
        found.passes.entropy[rows],
        labels[rows],
        None if correct is None else correct[rows],
        label="entropy over passes (nats)",
    )
    caption = "Over each sample: its cluster and its entropy, mean over draws of its code."
    if correct is not None:
        caption += " Framed: the cluster is not matched to the class."
    yield "certain", Picture(certain, "Uncertainty", "The most and the least certain samples", caption)
    caption = (
        f"The probability of the chosen cluster{'' if correct is None else ', of correct and of wrong assignments'}."
    )
    yield "confidence", Picture(confidence_histogram(confidence, correct), "Uncertainty", "Confidence", caption)
    if dataset.y is not None:
        caption = "Classes by clusters, in the order of the best one-to-one match; agreement lies on the diagonal."
        table = confusion(dataset.y, labels, dataset.class_names)
        yield "confusion", Picture(table, "Clusters", "Confusion after matching", caption)


def interactive_map(model: Shown, dataset: Dataset, data: Prepared) -> LatentMap:
    """The points of the page's map with all that is known of each."""
    found, index = model.answer, model.rows
    assert found.passes is not None
    x = np.asarray(data.rows[index])
    names, files, y = dataset.class_names, dataset.row_names, dataset.y
    return LatentMap(
        points=model.points.astype(np.float32),
        row=dataset.numbers[index],
        cluster=found.labels[index],
        probability=found.probabilities.max(axis=1)[index],
        entropy=found.passes.entropy[index],
        latent_variance=found.passes.latent_variance[index],
        mutual_information=found.passes.mutual_information[index],
        y=None if y is None else y[index],
        correct=None if y is None else correctness(y, found.labels)[index],
        thumbnails=None if x.ndim != 4 else np.round(255 * _visible(x)).astype(np.uint8),
        class_names=None if names is None else np.array(names, dtype=str),
        file=None if files is None else np.array(files, dtype=str)[index],
    )


def history_of(runs: list[Run]) -> History:
    """The epochs of all seeds."""
    return [row for run in runs for row in run.history]


def watched_in(history: History) -> History:
    """The columns worth a panel: what training adds up and watches, and weights that change, with what moved them."""
    weights = [name for name in ("beta", "gamma") if len({row[name] for row in history if name in row}) > 1]
    parts = ("reconstruction", "kl", "cluster", "instability", "conditional", "marginal", "changed")
    watched = ("loss", *parts, *weights, "beta_d_rec", "beta_d_reg")
    columns = ("seed", "stage", "epoch", *watched, *(f"val_{name}" for name in watched), "beta_regime")
    return [{name: row[name] for name in columns if name in row} for row in history]


def _decoded(run: Run, seed: int, images: bool) -> tuple[Any, str, str, str]:
    """Centroids and samples."""
    keys = jax.random.split(key_of(seed, SAMPLES), run.config.num_clusters)
    samples = np.stack([run.sample(key, _SAMPLES, cluster) for cluster, key in enumerate(keys)])
    centroids = run.decode(run.centroids)
    if images:
        samples, centroids = _visible(samples), _visible(centroids)
    caption = "One row a cluster: the decoded centroid (framed), then new samples of the cluster."
    return decoded_clusters(centroids, samples), "Clusters", "Centroids and samples", caption


def reconstruction_picture(run: Run, data: Prepared) -> Picture:
    """Held-out rows where there are any, over what the decoder makes of them."""
    held_out = len(run.validation_index) > 0
    whose = "Held-out samples" if held_out else "Samples that were trained on,"
    caption = f"{whose} over what the decoder makes of their latent means."
    drawn = _reconstructions(run, data, run.validation_index if held_out else run.train_index)
    return Picture(drawn, "Reconstruction", "Reconstructions", caption)


def _reconstructions(run: Run, data: Prepared, pool: np.ndarray) -> Any:
    rows = pool[spaced(len(pool), 20)]
    mean, _ = data.encodings.of(run.heads, run.params)
    x, x_hat = np.asarray(data.rows[rows]), run.decode(mean[rows])
    return reconstructions(_visible(x), _visible(x_hat)) if x.ndim == 4 else reconstructions(x, x_hat)


def _visible(images: np.ndarray) -> np.ndarray:
    """Grey or colour: of two or four channels the last is transparency, which is not drawn."""
    return images[..., :-1] if images.shape[-1] in (2, 4) else images
