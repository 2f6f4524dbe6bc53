"""For scikit-learn: estimators that fit into its pipelines, searches and checks. Nothing below imports them."""

from vaeclust_jax.estimators.clusterers import VAEDEC, DynamicBetaVAE, VaDE, VAEGaussianMixture, VAEKMeans
from vaeclust_jax.estimators.vaegraph import VAEGraph

__all__ = ["VAEDEC", "DynamicBetaVAE", "VAEGaussianMixture", "VAEGraph", "VAEKMeans", "VaDE"]
