"""Deep clustering with variational autoencoders in JAX.

import jax
import vaeclust_jax as vc

data = vc.data.load("digits")
run = vc.fit(vc.Config(num_clusters=10), data.x, jax.random.key(0))
run.predict(data.x)
"""

from vaeclust_jax import data, uncertainty
from vaeclust_jax.compiling import enable_compilation_cache
from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.errors import InputError, TrainingDivergedError
from vaeclust_jax.fitting.config import Config, ModelConfig, TrainingConfig
from vaeclust_jax.fitting.fit import fit, fit_seeds
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.fitting.saving import load
from vaeclust_jax.networks.build import NetworkConfig
from vaeclust_jax.selection.augment import AugmentChoice, choose_augment
from vaeclust_jax.selection.num_clusters import Choice, choose_num_clusters
from vaeclust_jax.training.checkpoint import Checkpoint
from vaeclust_jax.types import Network, Networks

__all__ = [
    "AugmentChoice",
    "Checkpoint",
    "Choice",
    "Config",
    "InputError",
    "ModelConfig",
    "Network",
    "NetworkConfig",
    "Networks",
    "PrepareConfig",
    "Run",
    "TrainingConfig",
    "TrainingDivergedError",
    "choose_augment",
    "choose_num_clusters",
    "data",
    "enable_compilation_cache",
    "fit",
    "fit_seeds",
    "load",
    "uncertainty",
]
