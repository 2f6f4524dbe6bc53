"""How sure: of the code, of the cluster, of the training; and whether that flags the errors.

`latent` and `outliers` ask a model with a key; `ensemble` asks several seeds, `neighbours` a graph; `selective`,
`calibration` and `temperature` judge and mend what they answered, the first two against known correctness.
"""

from vaeclust_jax.objectives.dec import assignment_energy
from vaeclust_jax.uncertainty.calibration import Reliability, expected_calibration_error, reliability
from vaeclust_jax.uncertainty.ensemble import (
    align,
    cluster_stability,
    co_association,
    ensemble_probabilities,
    pairwise_agreement,
    seed_uncertainty,
    stability,
    vote_entropy,
    votes,
)
from vaeclust_jax.uncertainty.latent import (
    Decomposition,
    Uncertainty,
    decompose,
    latent_variance,
    stochastic_passes,
)
from vaeclust_jax.uncertainty.neighbours import edge_disagreement, neighbour_entropy, outside_share
from vaeclust_jax.uncertainty.outliers import latent_distance, negative_elbo
from vaeclust_jax.uncertainty.selective import (
    Correlation,
    Groups,
    RiskCoverage,
    compare_groups,
    correctness,
    error_auroc,
    point_biserial,
    reject,
    risk_at,
    risk_coverage,
    spearman,
)
from vaeclust_jax.uncertainty.temperature import (
    fit_temperature,
    scale,
    stability_temperature,
    temperatures_by_votes,
)

__all__ = [
    "Correlation",
    "Decomposition",
    "Groups",
    "Reliability",
    "RiskCoverage",
    "Uncertainty",
    "align",
    "assignment_energy",
    "cluster_stability",
    "co_association",
    "compare_groups",
    "correctness",
    "decompose",
    "edge_disagreement",
    "ensemble_probabilities",
    "error_auroc",
    "expected_calibration_error",
    "fit_temperature",
    "latent_distance",
    "latent_variance",
    "negative_elbo",
    "neighbour_entropy",
    "outside_share",
    "pairwise_agreement",
    "point_biserial",
    "reject",
    "reliability",
    "risk_at",
    "risk_coverage",
    "scale",
    "seed_uncertainty",
    "spearman",
    "stability",
    "stability_temperature",
    "stochastic_passes",
    "temperatures_by_votes",
    "vote_entropy",
    "votes",
]
