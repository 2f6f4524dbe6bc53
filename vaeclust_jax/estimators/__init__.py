"""For scikit-learn: estimators that fit into its pipelines, searches and checks. Nothing below imports them."""

from vaeclust_jax.estimators.clusterers import VAEDEC, VaDE, VAEGaussianMixture, VAEKMeans
from vaeclust_jax.estimators.dynamic_beta import DynamicBetaVAE
from vaeclust_jax.estimators.rbm import RBM
from vaeclust_jax.estimators.vaegraph import VAEGraph

__all__ = ["RBM", "VAEDEC", "DynamicBetaVAE", "VAEGaussianMixture", "VAEGraph", "VAEKMeans", "VaDE"]
