"""Everything a fit depends on, besides the data and the key."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from vaeclust_jax.checks import check_types
from vaeclust_jax.control.parse import parse_controller
from vaeclust_jax.data import PrepareConfig, Rows
from vaeclust_jax.data.mapped import extremes, moments
from vaeclust_jax.errors import InputError
from vaeclust_jax.graph import MAX_GROUPS, NUM_NEIGHBOURS
from vaeclust_jax.networks.build import NetworkConfig, check_network
from vaeclust_jax.types import Controller

_LARGEST = float(np.finfo(np.float32).max)
_MOST_MOVED = 5.0
"""Views at this strength are half out of the picture."""


@dataclass(frozen=True)
class ModelConfig:
    """The objective: loss = reconstruction + beta KL + gamma KL(P || Q)."""

    likelihood: Literal["auto", "bernoulli", "gaussian", "squared"] = "auto"
    """auto: bernoulli for images (pixels in [0, 1]), gaussian for vectors; squared: the squared error of values in
    [0, 1], a Gaussian of variance 1/2."""
    clustering: Literal["dec", "vade", "graph", "mixture"] = "dec"
    """The joint stage: dec draws latents to Student-t centroids; vade gives the VAE a mixture of Gaussians as its
    prior, in place of the standard normal, and has no gamma; graph is dec with several prototypes a cluster and a
    target that follows the posterior's neighbour graph; mixture has no joint stage (joint_epochs 0) and ends with a
    mixture of Gaussians on the VAE's latents."""
    covariance: Literal["full", "diag", "spherical"] = "full"
    """mixture: covariances of the components."""
    mixture_start: Literal["em", "graph"] = "em"
    """vade: the mixture that the joint stage starts from, fitted by EM to the VAE's latents, or that of the clusters of
    the posterior's neighbour graph."""
    num_prototypes: int = 5
    """graph: prototypes of each cluster."""
    degrees: float | None = None
    """graph: degrees of freedom of the Student-t around prototypes; left out: latent_dim - 1, at least 1."""
    graphs: Literal["own", "shared"] = "own"
    """graph: every seed follows its own; or, after that, seeds that are trained together vote on their clusters and go
    on with the mean of their graphs, so that each learns what all of them say."""
    augment: float | Literal["auto"] = 0.0
    """Images: strength of random views that the encoder sees while it is trained, 1 for shifts of up to a tenth of the
    size, turns of up to 10 degrees and zooms of up to a tenth; the decoder gives back the image as it is, so that codes
    forget how it was moved. The draws of a graph are of views, too. auto (`choose_augment`, vaeclust run): 0 or 1,
    whichever lets the graph show K clusters better."""
    joint_reconstruction: bool = True
    """dec: whether the joint stage reconstructs; if not, it minimises the clustering loss alone and leaves the decoder
    as it is. With deterministic and beta 0 these are IDEC and DEC."""
    deterministic: bool = False
    """The decoder sees the posterior's mean; nothing is sampled. vade: so it is until the mixture is fitted, without a
    KL term, which makes an autoencoder of it; the joint stage has the posterior that VaDE needs."""
    beta: float | str = 1.0
    """Weight of the KL term: a number, or what controls it while training: linear, cyclic, two-level, dynamic, pid or
    geco, with arguments by name as in dynamic:a=0.05,interval=11 (see vaeclust_jax.control)."""
    gamma: float | str = 100.0
    """Weight of the clustering loss, likewise. Losses are summed over pixels, so that 1 does next to nothing."""
    supervision: float | str = "two-level"
    """Weight of the compactness of known classes, likewise; used where some labels are given (partial_labels)."""
    q_from: Literal["mean", "sample"] = "mean"
    """dec and vade: what the training q is computed from: the posterior's mean, or a sample of it."""

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True)
class TrainingConfig:
    """The stages and their optimiser: a VAE alone, k-means on its latents, then all jointly."""

    pretrain_epochs: int = 50
    """Epochs of the VAE stage, at most."""
    joint_epochs: int = 50
    """Epochs of the joint stage, at most; 0 ends with k-means on the VAE's latents."""
    batch_size: int = 64
    """Rows a gradient step."""
    learning_rate: float = 1e-3
    """Adam's."""
    patience: int = 10
    """Epochs without a lower validation VAE loss before a stage stops early. Under a beta that changes no stage stops
    so: losses with different weights do not compare."""
    update_target_interval: int = 5
    """Epochs between refreshes of the target distribution P."""
    joint_stopping: Literal["assignments", "validation"] = "assignments"
    """How the joint stage stops early: when the assignments settle, keeping the last state; or by patience on the
    validation VAE loss, keeping the best (which is the state from before clustering)."""
    tolerance: float = 0.001
    """Share of assignments that must change between two refreshes for the joint stage to go on."""
    halvings: int = 3
    """How often, in each stage, an epoch whose loss is not finite is taken back and tried again with half the learning
    rate, before training stops; 0 stops at once."""

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True)
class Config:
    """All settings of a fit. Sections: data preparation, networks, objective, training."""

    num_clusters: int
    """K, the number of clusters."""
    prepare: PrepareConfig = field(default_factory=lambda: PrepareConfig(image_size=(32, 32)))
    network: NetworkConfig = field(default_factory=NetworkConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        check_types(self)


def resolve_kind(config: Config, x: Rows, custom: bool) -> Config:
    """Replaces every "auto" by what it means for these data.

    Args:
        config: as the person gave it.
        x: checked raw data, images or vectors.
        custom: whether networks were handed in.
    """
    images = x.ndim == 4
    prepare, network, model = config.prepare, config.network, config.model
    if not images:  # the sizes of images say nothing about vectors
        prepare = replace(prepare, image_size=None, grey=False)
    if prepare.scaling == "auto":
        prepare = replace(prepare, scaling="none" if images else "standardise")
    if custom:
        network = replace(network, network="custom")
    elif network.network == "auto":
        network = replace(network, network="conv" if images else "mlp")
    elif network.network == "custom":
        raise InputError("network 'custom' needs the networks themselves: fit(..., networks=Networks(...))")
    if model.likelihood == "auto":
        model = replace(model, likelihood="bernoulli" if images else "gaussian")
    return replace(config, prepare=prepare, network=network, model=model)


def measure_input(config: Config, x: Rows) -> Config:
    """Replaces an open `input_mean` and `input_std` by those of the prepared training rows (images), or 0 and 1."""
    network = config.network
    if x.ndim == 4:
        mean, std = map(float, moments(x))
        std = std or 1.0
    else:
        mean, std = 0.0, 1.0
    mean = mean if network.input_mean is None else network.input_mean
    std = std if network.input_std is None else network.input_std
    return replace(config, network=replace(network, input_mean=mean, input_std=std))


def controllers(config: Config) -> tuple[Controller, Controller, Controller]:
    """What controls beta, gamma and supervision. Where the text does not say how long a schedule takes, it takes the
    epochs of the VAE stage, gamma's those of the joint stage.

    Raises:
        InputError: names the weight, what was got and what is allowed.
    """
    model, training = config.model, config.training
    return (
        parse_controller("beta", model.beta, training.pretrain_epochs),
        parse_controller("gamma", model.gamma, max(training.joint_epochs, 1)),
        parse_controller("supervision", model.supervision, training.pretrain_epochs),
    )


def check_config(config: Config, x: Rows) -> None:
    """One sentence on the first setting that cannot work, before anything is trained.

    Args:
        config: resolved.
        x: prepared training rows.

    Raises:
        InputError: names the setting, what was got and what is allowed.
    """
    check_settings(config, x.shape[1:])
    if len(x) < config.num_clusters:
        raise InputError(
            f"num_clusters must be at most the number of training samples, got {config.num_clusters} clusters "
            f"for {len(x)} samples"
        )
    asking: dict[str, str] = {"clustering": config.model.clustering}
    if config.model.clustering == "vade":
        asking["mixture_start"] = config.model.mixture_start
    for name, value in asking.items():
        if value == "graph":
            check_graph(f"{name} 'graph'", config.num_clusters, len(x))
    likelihood = config.model.likelihood
    if likelihood in ("bernoulli", "squared"):
        low, high = extremes(x)
        if low < 0 or high > 1:
            raise InputError(
                f"likelihood {likelihood!r} needs values in [0, 1], got {low:.4g} to {high:.4g}: "
                "use 'gaussian' or scaling 'minmax'"
            )


def check_graph(name: str, num_clusters: int, num_samples: int) -> None:
    """Whether the graph of so many samples can show so many clusters.

    Args:
        name: of what makes the graph.
        num_clusters: K.
        num_samples: of training, as many as the graph is made of.

    Raises:
        InputError: too few samples, or too many clusters.
    """
    if num_samples <= NUM_NEIGHBOURS:
        raise InputError(f"{name} needs more than {NUM_NEIGHBOURS} training samples, got {num_samples}")
    most = min(num_samples, MAX_GROUPS)
    if num_clusters > most:
        raise InputError(f"{name} can show at most {most} clusters of {num_samples} samples, got {num_clusters}")


def check_settings(config: Config, shape: tuple[int, ...]) -> None:
    """`check_config` without the data: `shape` is that of one prepared sample."""
    training, model = config.training, config.model
    if config.num_clusters < 1:
        raise InputError(f"num_clusters must be at least 1, got {config.num_clusters}")
    for name, lowest in {
        "pretrain_epochs": 1,
        "joint_epochs": 0,
        "batch_size": 1,
        "patience": 1,
        "update_target_interval": 1,
        "halvings": 0,
    }.items():
        if getattr(training, name) < lowest:
            raise InputError(f"{name} must be at least {lowest}, got {getattr(training, name)}")
    if not 0 < training.learning_rate < _LARGEST:
        raise InputError(f"learning_rate must be positive and finite, got {training.learning_rate}")
    if not 0 <= training.tolerance <= 1:
        raise InputError(f"tolerance must lie in [0, 1], got {training.tolerance}")
    controllers(config)
    vade_from_em = model.clustering == "vade" and model.mixture_start == "em"
    if model.deterministic and model.clustering != "dec" and not vade_from_em:
        raise InputError(f"clustering {model.clustering!r} needs a posterior: set deterministic to False")
    if model.clustering != "dec" and not model.joint_reconstruction:
        raise InputError(f"clustering {model.clustering!r} needs a decoder: set joint_reconstruction to True")
    if model.clustering == "mixture" and training.joint_epochs:
        raise InputError(f"clustering 'mixture' has no joint stage: set joint_epochs to 0, got {training.joint_epochs}")
    if model.clustering in ("graph", "mixture") and model.q_from != "mean":
        raise InputError(f"clustering {model.clustering!r} takes q from the posterior's mean: set q_from to 'mean'")
    if model.augment == "auto":
        raise InputError("augment 'auto' is for vaeclust run; in Python, choose_augment chooses it before a fit")
    if not 0 <= model.augment <= _MOST_MOVED:
        raise InputError(f"augment must lie in 0 to {_MOST_MOVED:g}, got {model.augment}")
    if model.augment > 0 and len(shape) != 3:
        raise InputError(
            f"augment moves images, got vectors (n, {shape[0]}): set it to 0, or fit networks with a view of your own"
        )
    if model.num_prototypes < 1:
        raise InputError(f"num_prototypes must be at least 1, got {model.num_prototypes}")
    if model.degrees is not None and not 0 < model.degrees < _LARGEST:
        raise InputError(f"degrees must be positive and finite, got {model.degrees}")
    if config.network.heads == "relu" and model.likelihood not in ("auto", "bernoulli"):
        raise InputError(f"heads 'relu' need the likelihood 'bernoulli', got {model.likelihood!r}")
    check_network(config.network, shape)
