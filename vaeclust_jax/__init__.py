"""Deep clustering with variational autoencoders in JAX.

import vaeclust_jax as vc

data = vc.data.load("digits")
run = vc.fit(vc.Config(vc.DEC(num_clusters=10)), data.x, 0)
run.predict(data.x)

The examples in docstrings begin with `import jax, jax.numpy as jnp, numpy as np, vaeclust_jax as vc`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vaeclust_jax import data, uncertainty
from vaeclust_jax.compiling import enable_compilation_cache
from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.errors import InputError, InputWarning, TrainingDivergedError
from vaeclust_jax.field_texts import show_in_help
from vaeclust_jax.fitting.annotate import to_anndata
from vaeclust_jax.fitting.calibrate import calibrated
from vaeclust_jax.fitting.callback import Callback
from vaeclust_jax.fitting.config import Config, TrainingConfig
from vaeclust_jax.fitting.fit import fit, fit_seeds
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.fitting.serialisation import load
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.methods.boltzmann import ContrastiveDivergence, PersistentDivergence
from vaeclust_jax.methods.classifier import Classifier
from vaeclust_jax.methods.dbm import DBM
from vaeclust_jax.methods.dec import DEC, GraphDEC
from vaeclust_jax.methods.forecaster import Forecaster
from vaeclust_jax.methods.gan import GAN
from vaeclust_jax.methods.generative_vae import VAE, MixturePrior, StandardPrior
from vaeclust_jax.methods.greedy import GreedyStart, RandomStart
from vaeclust_jax.methods.hopfield import Classical, Hopfield, Modern, Saturating
from vaeclust_jax.methods.hopfield_clusters import HopfieldClusters
from vaeclust_jax.methods.information import InformationMax
from vaeclust_jax.methods.joint import BestValidation, Settled
from vaeclust_jax.methods.kmeans import VAEKMeans
from vaeclust_jax.methods.method import About, DataSpec, Method
from vaeclust_jax.methods.mixture import VAEMixture
from vaeclust_jax.methods.optimisers import LBFGS, Optax
from vaeclust_jax.methods.rbm import RBM
from vaeclust_jax.methods.registry import METHODS
from vaeclust_jax.methods.regressor import Regressor
from vaeclust_jax.methods.settings import VAEMethod
from vaeclust_jax.methods.stacked import StackedAutoencoder
from vaeclust_jax.methods.vade import EMStart, GraphStart, VaDE
from vaeclust_jax.networks import CNN, LSTM, MLP, AutoNetwork, Conv, Conv1D, Dense, PooledCNN, ViT
from vaeclust_jax.selection.augment import AugmentChoice, choose_augment
from vaeclust_jax.selection.cluster import Clustered, cluster
from vaeclust_jax.selection.consensus import Consensus, consensus
from vaeclust_jax.selection.num_clusters import Choice, choose_num_clusters
from vaeclust_jax.training.checkpoint import Checkpoint
from vaeclust_jax.training.mesh import Mesh
from vaeclust_jax.types import Batch, Heads, Learner, Network, Networks, Stage, State, Stopping

if TYPE_CHECKING:
    from vaeclust_jax import estimators, plot
    from vaeclust_jax.estimators import VAEDEC, DynamicBetaVAE, VAEGaussianMixture, VAEGraph

__all__ = [
    "CNN",
    "DBM",
    "DEC",
    "GAN",
    "LBFGS",
    "LSTM",
    "METHODS",
    "MLP",
    "RBM",
    "VAE",
    "VAEDEC",
    "About",
    "AugmentChoice",
    "AutoNetwork",
    "Batch",
    "BestValidation",
    "Callback",
    "Checkpoint",
    "Choice",
    "Classical",
    "Classifier",
    "Clustered",
    "Config",
    "Consensus",
    "ContrastiveDivergence",
    "Conv",
    "Conv1D",
    "DataSpec",
    "Dense",
    "DynamicBetaVAE",
    "EMStart",
    "Forecaster",
    "GraphDEC",
    "GraphStart",
    "GreedyStart",
    "Heads",
    "Hints",
    "Hopfield",
    "HopfieldClusters",
    "InformationMax",
    "InputError",
    "InputWarning",
    "Learner",
    "Mesh",
    "Method",
    "MixturePrior",
    "Modern",
    "Network",
    "Networks",
    "Optax",
    "PersistentDivergence",
    "PooledCNN",
    "PrepareConfig",
    "RandomStart",
    "Regressor",
    "Run",
    "Saturating",
    "Settled",
    "StackedAutoencoder",
    "Stage",
    "StandardPrior",
    "State",
    "Stopping",
    "TrainingConfig",
    "TrainingDivergedError",
    "VAEGaussianMixture",
    "VAEGraph",
    "VAEKMeans",
    "VAEMethod",
    "VAEMixture",
    "VaDE",
    "ViT",
    "calibrated",
    "choose_augment",
    "choose_num_clusters",
    "cluster",
    "consensus",
    "data",
    "enable_compilation_cache",
    "estimators",
    "fit",
    "fit_seeds",
    "load",
    "plot",
    "to_anndata",
    "uncertainty",
]


show_in_help({*METHODS.values(), *(kind for kind in list(globals().values()) if isinstance(kind, type))})

_ESTIMATORS = ("VAEDEC", "DynamicBetaVAE", "VAEGaussianMixture", "VAEGraph")
"""Those whose names are not those of methods."""


def __getattr__(name: str) -> Any:
    """What takes long to import is imported when it is asked for."""
    if name in ("estimators", "plot"):
        return import_module(f"vaeclust_jax.{name}")
    if name in _ESTIMATORS:
        return getattr(import_module("vaeclust_jax.estimators"), name)
    if name == "__version__":
        return import_module("importlib.metadata").version("vaeclust_jax")
    raise AttributeError(f"module 'vaeclust_jax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__doc__", "__version__"])
