"""Scores of a clustering: agreement with known classes, shape of the latent space, spread over seeds."""

from vaeclust_jax.metrics.clustering import active_units, populated_clusters, scores, summarise
from vaeclust_jax.metrics.matching import accuracy, check_ids, contingency, match_clusters

__all__ = [
    "accuracy",
    "active_units",
    "check_ids",
    "contingency",
    "match_clusters",
    "populated_clusters",
    "scores",
    "summarise",
]
