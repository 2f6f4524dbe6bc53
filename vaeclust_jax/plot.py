"""Pictures of a model's answers, on axes of one's own or on new ones.

Every function returns matplotlib axes, and changes neither pyplot nor any setting. Those it makes itself are shown by
a notebook where they are a cell's last line; `ax.figure.savefig("map.svg")` writes them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Int

from vaeclust_jax import plots
from vaeclust_jax.data import Dataset, check_labels
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.frame import cluster_table
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.graph.tree import cuttable
from vaeclust_jax.keys import SAMPLES, as_key
from vaeclust_jax.plots.style import axes_for
from vaeclust_jax.streamed import spaced
from vaeclust_jax.types import Key
from vaeclust_jax.uncertainty import correctness
from vaeclust_jax.uncertainty import reliability as reliability_of
from vaeclust_jax.uncertainty import risk_coverage as risk_coverage_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "cluster_sizes",
    "confidence",
    "confusion",
    "dendrogram",
    "history",
    "latent_map",
    "members",
    "reconstructions",
    "reliability",
    "risk_coverage",
    "samples",
]

_MAX_SHOWN = 5000
_UNITS = {"probability": "probability of the cluster", "entropy": "entropy of the assignment (nats)"}


def latent_map(
    run: Run,
    x: Any,
    by: Literal["cluster", "class", "probability", "entropy"] = "cluster",
    y: Any = None,
    *,
    seed: int = 0,
    max_points: int = 2000,
    ax: "Axes | None" = None,
) -> "Axes":
    """The latent space in the plane: a t-SNE of it, unless it has two dimensions.

    Args:
        run: a fitted model.
        x: raw data, as for `fit`.
        by: what colours the points.
        y: (n,) classes; default those of `x`, if it is a data set. Read for "class" alone.
        seed: of t-SNE, and of the choice of points.
        max_points: shown at most; t-SNE takes seconds for 2,000.
        ax: to draw on; default those of a new figure.

    Raises:
        InputError: `by` is none of these, classes are missing, or `max_points` is below 1.
    """
    wanted = ("cluster", "class", *_UNITS)
    if not isinstance(by, str) or by not in wanted:
        raise InputError(f"by must be one of {', '.join(wanted)}, and classes are y=..., got {repr(by)[:100]}")
    names: Sequence[str] | None = None
    if by == "class":
        values, names = _classes(x, y, "a map by class")
    else:
        values = cluster_table(run.predict_proba(x))[by]
    if by == "cluster":
        names = [str(cluster) for cluster in range(run.config.num_clusters)]
    latents = run.embed(x)
    points, rows = plots.project(latents, seed=seed, max_points=max_points)
    drawn = plots.latent_map(
        points, values[rows], ax=ax, title=plots.projection_title(latents.shape[1]), label=_UNITS.get(by, by),
        categorical=by not in _UNITS, names=names,
    )  # fmt: skip
    return _axes(drawn, ax)


def history(runs: Run | Sequence[Run], part: str = "loss", *, ax: "Axes | None" = None) -> "Axes":
    """A part of the loss over the epochs, in training and, dashed, in validation; of several seeds their mean, too.

    Args:
        runs: a model, or those of `fit_seeds`.
        part: a column of `Run.history`, such as "loss", "reconstruction" or "kl" (nats a sample).
        ax: to draw on; default those of a new figure.

    Raises:
        InputError: there is no such part, or no history.
    """
    rows = [row for run in ([runs] if isinstance(runs, Run) else runs) for row in run.history]
    return _axes(plots.loss_part(rows, part, ax=ax), ax)


def cluster_sizes(run: Run, x: Any, *, ax: "Axes | None" = None) -> "Axes":
    """The number of samples in each cluster, and their mean probability.

    Args:
        run: a fitted model.
        x: raw data, as for `fit`.
        ax: to draw on; default those of a new figure.
    """
    found = cluster_table(run.predict_proba(x))
    drawn = plots.cluster_sizes(found["cluster"], found["probability"], num_clusters=run.config.num_clusters, ax=ax)
    return _axes(drawn, ax)


def dendrogram(run: Run, num_clusters: int | None = None, *, ax: "Axes | None" = None) -> "Axes":
    """How the graph's micro-clusters were merged: the clusters of a cut in their colours, below the dashed line.

    Args:
        run: a fitted model with a tree.
        num_clusters: of the cut; None: the K of the fit.
        ax: to draw on; default those of a new figure.

    Raises:
        InputError: there is no tree, or it cannot be cut so.
    """
    tree = cuttable(run.tree_)
    labels = tree.cut_groups(run.config.num_clusters if num_clusters is None else num_clusters)
    return _axes(plots.dendrogram(tree.linkage, tree.sizes, labels, ax=ax), ax)


def confidence(run: Run, x: Any, y: Any = None, *, ax: "Axes | None" = None) -> "Axes":
    """A histogram of the probability of the chosen cluster; where classes are known, of right and wrong assignments.

    Args:
        run: a fitted model.
        x: raw data, as for `fit`.
        y: (n,) classes; default those of `x`, if it is a data set that has any.
        ax: to draw on; default those of a new figure.
    """
    found, known = cluster_table(run.predict_proba(x)), _known_classes(x, y)
    correct = None if known is None else correctness(known[0], found["cluster"])
    return _axes(plots.confidence_histogram(found["probability"], correct, ax=ax), ax)


def confusion(run: Run, x: Any, y: Any = None, *, ax: "Axes | None" = None) -> "Axes":
    """How the samples of each class spread over the clusters, in the order of the best one-to-one match.

    Args:
        run: a fitted model.
        x: raw data, as for `fit`.
        y: (n,) classes; default those of `x`, if it is a data set.
        ax: to draw on; default those of a new figure.

    Raises:
        InputError: classes are missing.
    """
    classes, names = _classes(x, y, "a confusion table")
    return _axes(plots.confusion(classes, run.predict(x), names, ax=ax), ax)


def reliability(run: Run, x: Any, y: Any = None, *, ax: "Axes | None" = None) -> "Axes":
    """The share of correct assignments against their probability; an honest model lies on the diagonal.

    Args:
        run: a fitted model.
        x: raw data, as for `fit`.
        y: (n,) classes; default those of `x`, if it is a data set.
        ax: to draw on; default those of a new figure.

    Raises:
        InputError: classes are missing.
    """
    classes, _ = _classes(x, y, "reliability")
    found = cluster_table(run.predict_proba(x))
    bins = reliability_of(found["probability"], correctness(classes, found["cluster"]))
    axes = axes_for(ax, 4.2, 4.0)
    plots.reliability_diagram(bins.confidence, bins.accuracy, bins.count, bins.low, bins.high, ece=bins.ece, ax=axes)
    return axes


def risk_coverage(run: Run, x: Any, y: Any = None, *, ax: "Axes | None" = None) -> "Axes":
    """The share of errors among the samples that are kept when the least certain ones are not.

    By the entropy of the assignment, against the best order and a random one.

    Args:
        run: a fitted model.
        x: raw data, as for `fit`.
        y: (n,) classes; default those of `x`, if it is a data set.
        ax: to draw on; default those of a new figure.

    Raises:
        InputError: classes are missing.
    """
    classes, _ = _classes(x, y, "risk and coverage")
    found = cluster_table(run.predict_proba(x))
    correct = correctness(classes, found["cluster"])
    curve, best = risk_coverage_of(correct, found["entropy"]), risk_coverage_of(correct, 1.0 - correct)
    curves = {"entropy": (curve.coverage, curve.risk)}
    error_rate = float(1 - correct.mean())
    return _axes(plots.risk_coverage_curves(curves, error_rate=error_rate, best=(best.coverage, best.risk), ax=ax), ax)


def reconstructions(run: Run, x: Any, *, count: int = 10, ax: "Axes | None" = None) -> "Axes":
    """Images over what the decoder makes of their latent means.

    Args:
        run: a fitted model.
        x: raw images, as for `fit`.
        count: of them at even distances, at most.
        ax: to draw on; default those of a new figure.

    Raises:
        InputError: the samples are vectors, or the model does not decode.
    """
    raw = _spaced_images(run, x, count, "reconstructions")
    shown = [_visible(run.prepare(raw)), _visible(run.reconstruct(raw))]
    return _axes(plots.image_pairs(*shown, ax=ax), ax)


def members(run: Run, x: Any, *, per_cluster: int = 10, ax: "Axes | None" = None) -> "Axes":
    """The images that each cluster is surest of, a row a cluster.

    Args:
        run: a fitted model.
        x: raw images, as for `fit`; of more than 5,000, as many at even distances.
        per_cluster: images in a row.
        ax: to draw on; default those of a new figure.

    Raises:
        InputError: the samples are vectors.
    """
    raw = _spaced_images(run, x, _MAX_SHOWN, "members")
    found = cluster_table(run.predict_proba(raw))
    drawn = plots.images_by_cluster(
        _visible(run.prepare(raw)), found["cluster"], found["probability"],
        num_clusters=run.config.num_clusters, per_cluster=per_cluster, ax=ax,
    )  # fmt: skip
    return _axes(drawn, ax)


def samples(run: Run, key: Key | int = 0, *, per_cluster: int = 9, ax: "Axes | None" = None) -> "Axes":
    """What the decoder makes of each cluster: of its centre, framed, and of new samples, a row a cluster.

    Args:
        run: a fitted model.
        key: as for `fit`.
        per_cluster: samples in a row, at most ten.
        ax: to draw on; default those of a new figure.

    Raises:
        InputError: the model does not decode, or has no clusters.
    """
    import jax

    centres = run.decode(run.centroids)
    keys = jax.random.split(as_key(key, SAMPLES), len(centres))
    drawn = np.stack([run.sample(one, per_cluster, cluster) for cluster, one in enumerate(keys)])
    return _axes(plots.decoded_clusters(_visible(centres), _visible(drawn), ax=ax), ax)


def _spaced_images(run: Run, x: Any, count: int, what: str) -> np.ndarray:
    """At most so many raw images, at even distances.

    Raises:
        InputError: the model is of vectors.
    """
    if len(run.preparation.output_shape) != 3:
        raise InputError(f"{what} shows images, but the model is of vectors: run.sample and samples show those, too")
    raw = np.asarray(x.x if isinstance(x, Dataset) else x)
    return raw[spaced(len(raw), count)]


def _axes(figure: "Figure", ax: "Axes | None") -> "Axes":
    return figure.axes[0] if ax is None else ax  # the first are those of the picture, then come colour bars


def _known_classes(x: Any, y: Any) -> tuple[Int[np.ndarray, " n"], Sequence[str] | None] | None:
    """Classes (n,) from 0 and their names; None where there are none.

    Raises:
        InputError: they do not fit.
    """
    if y is not None:
        return check_labels(y, len(x.x if isinstance(x, Dataset) else x))
    return (x.y, x.class_names) if isinstance(x, Dataset) and x.y is not None else None


def _classes(x: Any, y: Any, what: str) -> tuple[Int[np.ndarray, " n"], Sequence[str] | None]:
    """`_known_classes`, which must be there."""
    found = _known_classes(x, y)
    if found is None:
        raise InputError(f"{what} needs the class of every sample: y=...")
    return found


def _visible(values: np.ndarray) -> np.ndarray:
    """Images without their transparency, the last of two or four channels; vectors as they are."""
    return values[..., :-1] if values.ndim > 3 and values.shape[-1] in (2, 4) else values
