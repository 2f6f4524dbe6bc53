"""The figures of a run, of its first seed (never the best one) unless the figure shows all."""

from typing import Any

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.metrics import match_clusters
from vaeclust_jax.report import (
    confidence_histogram,
    confusion,
    images_by_cluster,
    latent_map,
    loss_parts,
    profiles_by_cluster,
    project,
    projection_title,
    reconstructions,
)

_MAX_SHOWN = 5000  # images prepared for the mosaics, evenly spaced rows


def pictures(runs: list[Run], answer: tuple[np.ndarray, np.ndarray], dataset: Dataset, seed: int) -> dict[str, Any]:
    """Figures by file name.

    Args:
        runs: of all seeds.
        answer: the first seed's probabilities (n, K) and latent means (n, L).
        dataset: raw data; labels only colour the pictures.
        seed: the first seed's number, for the titles.
    """
    run = runs[0]
    probabilities, latents = answer
    labels, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    k = run.config.num_clusters
    points, index = project(latents)
    title = f"{dataset.name}, seed {seed}: {projection_title(latents.shape[1])}"
    figures = {
        "loss_parts": loss_parts(_drawn([row for run in runs for row in run.history])),
        "reconstructions": _reconstructions(run, dataset),
        "map_by_cluster": latent_map(points, labels[index], title=title, label="cluster", categorical=True),
        "map_by_confidence": latent_map(
            points, confidence[index], title=title, label="probability of the cluster", categorical=False
        ),
    }
    rows = np.linspace(0, len(labels) - 1, min(len(labels), _MAX_SHOWN)).astype(int)
    shown = run.prepare(dataset.x[rows])
    if shown.ndim == 4:
        figures["clusters"] = images_by_cluster(_visible(shown), labels[rows], confidence[rows], num_clusters=k)
    else:
        figures["clusters"] = profiles_by_cluster(shown, labels[rows], num_clusters=k)
    if dataset.y is None:
        figures["confidence"] = confidence_histogram(confidence, None)
        return figures
    match = match_clusters(dataset.y, labels)
    correct = np.array([match[label] for label in labels]) == dataset.y
    figures["confidence"] = confidence_histogram(confidence, correct)
    figures["confusion"] = confusion(dataset.y, labels, dataset.class_names)
    figures["map_by_class"] = latent_map(
        points, dataset.y[index], title=title, label="class", categorical=True, names=dataset.class_names
    )
    return figures


def _drawn(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The columns worth a panel: what training adds up and watches, not constant weights."""
    watched = ("loss", "reconstruction", "kl", "cluster", "changed")
    columns = ("seed", "stage", "epoch", *watched, *(f"val_{name}" for name in watched))
    return [{name: row[name] for name in columns if name in row} for row in history]


def _reconstructions(run: Run, dataset: Dataset) -> Any:
    """Held-out rows where there are any."""
    pool = run.validation_index if len(run.validation_index) else run.train_index
    rows = pool[np.linspace(0, len(pool) - 1, min(len(pool), 20)).astype(int)]
    x, x_hat = run.prepare(dataset.x[rows]), run.reconstruct(dataset.x[rows])
    return reconstructions(_visible(x), _visible(x_hat)) if x.ndim == 4 else reconstructions(x, x_hat)


def _visible(images: np.ndarray) -> np.ndarray:
    """Grey or colour: of two or four channels the last is transparency, which is not drawn."""
    return images[..., :-1] if images.shape[-1] in (2, 4) else images
