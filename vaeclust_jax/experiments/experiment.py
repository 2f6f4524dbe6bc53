"""What an experiment is: a default data set, a config, and the methods it puts side by side."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import Config, ModelConfig, TrainingConfig
from vaeclust_jax.networks.build import NetworkConfig


class Method(NamedTuple):
    """A clustering to score: a variation of the experiment's config, read off after one of its stages."""

    configure: Callable[[Config], Config]
    stage: str
    """"kmeans" or "joint"."""


@dataclass(frozen=True)
class Experiment:
    """An experiment; every setting is a default that the command line can change.

    Attributes:
        name: as `vaeclust run NAME`.
        summary: one line for `vaeclust list`.
        dataset: scored by default.
        methods: by name; the first is the experiment's named method.
        prepare, network, model, training: sections of the config.
    """

    name: str
    summary: str
    dataset: str
    methods: dict[str, Method]
    prepare: PrepareConfig
    network: NetworkConfig
    model: ModelConfig
    training: TrainingConfig
