"""The figures; the only room with matplotlib, which is imported only to draw."""

from vaeclust_jax.plots.agreement import confidence_histogram, confusion
from vaeclust_jax.plots.attention import attention_maps
from vaeclust_jax.plots.candidates import scores_by_size
from vaeclust_jax.plots.classifier import class_confusion, component_map, naming_curves
from vaeclust_jax.plots.codes import class_shares, codes_beside_prior
from vaeclust_jax.plots.curves import loss_part, loss_parts, loss_phases
from vaeclust_jax.plots.dendrogram import dendrogram
from vaeclust_jax.plots.figures import reconstructions, save_figures
from vaeclust_jax.plots.forecasts import errors_by_origin, fold_losses, forecasts_from, forecasts_of
from vaeclust_jax.plots.generated import decoded_clusters, most_and_least_certain, samples_beside_data
from vaeclust_jax.plots.images import image_pairs, images_by_cluster
from vaeclust_jax.plots.lines import accuracy_by_labels
from vaeclust_jax.plots.num_clusters import num_clusters_figure
from vaeclust_jax.plots.optimisers import accuracy_bands, loss_bands
from vaeclust_jax.plots.predictions import predictions_against_truth, surfaces
from vaeclust_jax.plots.projections import latent_map, project, projection_title
from vaeclust_jax.plots.ranks import critical_difference_diagram
from vaeclust_jax.plots.rows import components, named_rows
from vaeclust_jax.plots.sizes import cluster_sizes
from vaeclust_jax.plots.uncertainty import (
    correctness_curve,
    reliability_diagram,
    risk_coverage_curves,
    uncertainty_histogram,
)
from vaeclust_jax.plots.vectors import profiles_by_cluster

__all__ = [
    "accuracy_bands",
    "accuracy_by_labels",
    "attention_maps",
    "class_confusion",
    "class_shares",
    "cluster_sizes",
    "codes_beside_prior",
    "component_map",
    "components",
    "confidence_histogram",
    "confusion",
    "correctness_curve",
    "critical_difference_diagram",
    "decoded_clusters",
    "dendrogram",
    "errors_by_origin",
    "fold_losses",
    "forecasts_from",
    "forecasts_of",
    "image_pairs",
    "images_by_cluster",
    "latent_map",
    "loss_bands",
    "loss_part",
    "loss_parts",
    "loss_phases",
    "most_and_least_certain",
    "named_rows",
    "naming_curves",
    "num_clusters_figure",
    "predictions_against_truth",
    "profiles_by_cluster",
    "project",
    "projection_title",
    "reconstructions",
    "reliability_diagram",
    "risk_coverage_curves",
    "samples_beside_data",
    "save_figures",
    "scores_by_size",
    "surfaces",
    "uncertainty_histogram",
]
