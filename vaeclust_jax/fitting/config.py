"""Everything a fit depends on, besides the data and the key."""

from dataclasses import dataclass, field, fields, replace

import numpy as np

from vaeclust_jax.checks import check_types
from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.method import DataSpec, Method, check_at_least
from vaeclust_jax.networks import AutoNetwork, CustomNetwork, NetworkConfig
from vaeclust_jax.shown import settings, table

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class TrainingConfig:
    """The optimiser and its loop, whatever the method.

    Example:
        >>> config = vc.Config(vc.DEC(10), training=vc.TrainingConfig(batch_size=128))
        >>> config.training.learning_rate
        0.001
    """

    batch_size: int = 64
    """Rows a gradient step."""
    learning_rate: float = 1e-3
    """Adam's."""
    patience: int = 10
    """Epochs without a lower validation loss before a stage stops early. Under a beta that changes no stage stops so:
    losses with different weights do not compare."""
    halvings: int = 3
    """How often, in each stage, an epoch whose loss is not finite is taken back and tried again with half the learning
    rate, before training stops; 0 stops at once."""

    def __post_init__(self) -> None:
        check_types(self)

    def check(self) -> None:
        """One sentence on the first setting that cannot work.

        Raises:
            InputError: names the setting, what was got and what is allowed.
        """
        check_at_least(self, batch_size=1, patience=1, halvings=0)
        if not 0 < self.learning_rate < _LARGEST:
            raise InputError(f"learning_rate must be positive and finite, got {self.learning_rate}")


@dataclass(frozen=True)
class Config:
    """All settings of a fit: the method, data preparation, networks, training.

    Example:
        >>> vc.Config(vc.DEC(10), network=vc.MLP(latent_dim=5))
        Config(method=DEC(num_clusters=10), network=MLP(latent_dim=5))
    """

    method: Method
    """What is learned, such as `DEC(num_clusters=10)`."""
    prepare: PrepareConfig = field(default_factory=PrepareConfig)
    """How raw data become the model's input, and which rows are held out."""
    network: NetworkConfig = field(default_factory=AutoNetwork)
    """Encoder and decoder, such as `MLP(latent_dim=5)`."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """The optimiser and its loop."""

    def __post_init__(self) -> None:
        check_types(self)

    def __repr__(self) -> str:
        return settings(self)

    def _repr_html_(self) -> str:
        return table("Config", {one.name: settings(getattr(self, one.name)) for one in fields(self)})

    @property
    def num_clusters(self) -> int:
        """K of a method that clusters.

        Raises:
            InputError: it does not.
        """
        if not hasattr(self.method, "num_clusters"):
            raise InputError(f"the method {type(self.method).__name__} has no clusters")
        return int(self.method.num_clusters)


def with_method(config: Config, **settings: object) -> Config:
    """The config with other settings of its method."""
    return replace(config, method=replace(config.method, **settings))


def resolve(config: Config, shape: tuple[int, ...], custom: bool) -> Config:
    """Replaces every "auto" of preparation and network by what it means for these data.

    Args:
        config: as the person gave it.
        shape: of one raw sample, (H, W, C) or (F,).
        custom: whether networks were handed in.

    Raises:
        InputError: a network that is not there, or networks for a method without any.
    """
    if custom and "network" in config.method.unused:
        raise InputError(f"the method {type(config.method).__name__} has no encoder and decoder: leave `networks` out")
    images = len(shape) == 3
    prepare, network = config.prepare, config.network
    if not images:  # the sizes of images say nothing about vectors
        prepare = replace(prepare, image_size=None, grey=False)
    else:
        prepare = replace(prepare, image_size=prepare.size_of(shape))
    if prepare.scaling == "auto":
        prepare = replace(prepare, scaling="none" if images else config.method.usual_scaling)
    if custom:
        network = CustomNetwork(**{one.name: getattr(network, one.name) for one in fields(NetworkConfig)})
    elif isinstance(network, CustomNetwork):
        raise InputError("network 'custom' needs the networks themselves: fit(..., networks=Networks(...))")
    else:
        network = network.resolved((*(prepare.image_size or shape[:2]), 1) if images else shape)
    return replace(config, prepare=prepare, network=network)


def check_config(config: Config, data: DataSpec) -> None:
    """One sentence on the first setting that cannot work, before anything is trained.

    Args:
        config: resolved.
        data: what is known of the prepared training rows.

    Raises:
        InputError: names the setting, what was got and what is allowed.
    """
    config.training.check()
    config.method.check(data)
    likelihood = getattr(config.method, "likelihood", None)
    if likelihood not in (None, "auto", *config.network.likelihoods):
        allowed = " or ".join(map(repr, config.network.likelihoods))
        raise InputError(f"network {type(config.network).__name__} needs the likelihood {allowed}, got {likelihood!r}")
    if config.method.generates and not config.network.has_decoder:
        names = type(config.network).__name__, type(config.method).__name__
        raise InputError("network {} has no decoder, which the method {} needs: use another network".format(*names))
    config.network.check(config.method.network_shape(data.shape, config.network.latent_dim))
