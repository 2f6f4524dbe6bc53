"""Scores of a clustering: agreement with known classes, shape of the latent space, spread over seeds; their tests."""

from vaeclust_jax.metrics.clustering import active_units, populated_clusters, scores, summarise
from vaeclust_jax.metrics.comparison import Comparison, compare
from vaeclust_jax.metrics.dendrogram import dendrogram_purity
from vaeclust_jax.metrics.matching import accuracy, check_ids, contingency, match_clusters
from vaeclust_jax.metrics.naming import UNNAMED, classify, name_clusters
from vaeclust_jax.metrics.num_clusters import NumClusters, num_clusters_curve
from vaeclust_jax.metrics.ranking import average_ranks, critical_difference, friedman, groups_not_different
from vaeclust_jax.metrics.statistics import (
    Interval,
    Outcome,
    hedges_g,
    holm,
    paired_effect,
    paired_t,
    sign_flip,
    t_interval,
    welch,
    welch_from_summary,
    why_no_spread,
)
from vaeclust_jax.metrics.voting import LEFT_OUT, agreement, consensus

__all__ = [
    "LEFT_OUT",
    "UNNAMED",
    "Comparison",
    "Interval",
    "NumClusters",
    "Outcome",
    "accuracy",
    "active_units",
    "agreement",
    "average_ranks",
    "check_ids",
    "classify",
    "compare",
    "consensus",
    "contingency",
    "critical_difference",
    "dendrogram_purity",
    "friedman",
    "groups_not_different",
    "hedges_g",
    "holm",
    "match_clusters",
    "name_clusters",
    "num_clusters_curve",
    "paired_effect",
    "paired_t",
    "populated_clusters",
    "scores",
    "sign_flip",
    "summarise",
    "t_interval",
    "welch",
    "welch_from_summary",
    "why_no_spread",
]
