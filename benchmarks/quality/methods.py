"""The methods of the table, all in one setting for all data sets: nothing in this file reads a label."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import numpy as np
from scipy.special import entr

from vaeclust_jax.baselines.shallow import shallow_labels
from vaeclust_jax.data import PrepareConfig, fit_preparation
from vaeclust_jax.fitting.config import Config, ModelConfig, TrainingConfig
from vaeclust_jax.fitting.fit import fit_stages
from vaeclust_jax.networks.build import NetworkConfig

PREPARE = PrepareConfig(image_size=(32, 32), validation=0.0)
NETWORK = NetworkConfig("mlp", latent_dim=10, hidden=(512, 256))
TRAINING = TrainingConfig(pretrain_epochs=100, joint_epochs=50, batch_size=256)

IN_WORDS = """images of 32 x 32 and
standardised vectors, all rows clustered and scored; an MLP 512-256 with ten latents, cross-entropy summed over pixels
(Gaussian of vectors), Adam 1e-3, batch 256; 100 epochs of the (variational) autoencoder alone, then at most 50 of the
joint stage, which ends when fewer than 0.1 % of the assignments change; beta 1, gamma 100; the mixture of VAE + mixture
has full covariances, that of VaDE diagonal ones. The autoencoder of DEC, IDEC and "VaDE, autoencoder first" is
deterministic, with beta 0. With views (and in vaegraph), the graphs of three VAEs choose for each data set whether
images are moved (`choose_augment`). Shallow methods see the same pixels."""


class Method(NamedTuple):
    """A row of the table: a deep method's objective and stage, or the name of a shallow one."""

    model: ModelConfig | None
    stage: str


_MIXTURE = ModelConfig(clustering="mixture")
_AUTOENCODER = ModelConfig(deterministic=True, beta=0.0)

METHODS: dict[str, Method] = {
    "k-means": Method(None, "k-means"),
    "PCA + mixture": Method(None, "pca-gmm"),
    "Ward": Method(None, "ward"),
    "spectral": Method(None, "spectral"),
    "VAE + k-means": Method(_MIXTURE, "kmeans"),
    "VAE + mixture": Method(_MIXTURE, "mixture"),
    "DEC": Method(replace(_AUTOENCODER, joint_reconstruction=False), "joint"),
    "IDEC": Method(_AUTOENCODER, "joint"),
    "VAE+DEC": Method(ModelConfig(), "joint"),
    "VaDE": Method(ModelConfig(clustering="vade"), "joint"),
    "VaDE, autoencoder first": Method(ModelConfig(clustering="vade", deterministic=True), "joint"),
    "VaDE, graph start": Method(ModelConfig(clustering="vade", mixture_start="graph"), "joint"),
    "VaDE, graph start, views": Method(ModelConfig(clustering="vade", mixture_start="graph", augment="auto"), "joint"),
    "vaegraph without views": Method(ModelConfig(clustering="graph"), "joint"),
    "vaegraph": Method(ModelConfig(clustering="graph", augment="auto"), "joint"),
}


class Clustering(NamedTuple):
    """What a method says of each sample."""

    labels: np.ndarray
    uncertainty: np.ndarray | None
    """(n,), entropy of q(c | x); None of shallow methods."""


def setting_of(name: str, num_clusters: int, quick: bool) -> Config | str:
    """All that a method's labels depend on besides data and seed: a config, or a shallow method's name."""
    method = METHODS[name]
    if method.model is None:
        return method.stage
    joint = 0 if method.model.clustering == "mixture" else TRAINING.joint_epochs
    training = replace(TRAINING, joint_epochs=joint)
    if quick:
        training = replace(training, pretrain_epochs=2, joint_epochs=min(joint, 2))
    return Config(num_clusters, PREPARE, NETWORK, method.model, training)


def as_text(setting: Config | str) -> str:
    """A setting as one comparable text."""
    return setting if isinstance(setting, str) else repr(asdict(setting))


def together(names: Sequence[str], num_clusters: int, quick: bool) -> list[list[str]]:
    """Methods by what has to be fitted: stages of one training are asked for together."""
    groups: dict[Any, list[str]] = {}
    for name in names:
        groups.setdefault(setting_of(name, num_clusters, quick), []).append(name)
    return list(groups.values())


def prepare_of(x: np.ndarray) -> PrepareConfig:
    """The setting's preparation, without a size where the samples are vectors."""
    return PREPARE if x.ndim > 2 else replace(PREPARE, image_size=None)


def cluster(
    names: Sequence[str], x: np.ndarray, num_clusters: int, seed: int, quick: bool, augment: float = 0.0
) -> dict[str, Clustering]:
    """Clusters of each method of one group.

    Args:
        names: of `together`.
        x: raw samples.
        num_clusters: K.
        seed: of everything random.
        quick: two epochs a stage.
        augment: strength of views, of methods that leave it to be chosen.
    """
    setting = setting_of(names[0], num_clusters, quick)
    if isinstance(setting, str):
        pixels = fit_preparation(x, prepare_of(x)).apply(x).reshape(len(x), -1)
        return {names[0]: Clustering(shallow_labels(setting, pixels, num_clusters, [seed])[0], None)}
    if setting.model.augment == "auto":
        setting = replace(setting, model=replace(setting.model, augment=augment))
    stages = fit_stages(replace(setting, prepare=prepare_of(x)), x, [seed])
    runs = {name: stages[METHODS[name].stage][0] for name in names}
    return {name: Clustering(run.predict(x), entr(run.predict_proba(x)).sum(axis=1)) for name, run in runs.items()}
