"""What an experiment is: a default data set, a config, and the arms that it puts side by side."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

from vaeclust_jax.baselines.shallow import FLOOR
from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config, TrainingConfig, with_method
from vaeclust_jax.methods.method import Method
from vaeclust_jax.networks import AutoNetwork, NetworkConfig


class Arm(NamedTuple):
    """A model to score: a variation of the experiment's config, read off after one of its stages."""

    configure: Callable[[Config], Config]
    stage: str | None = None
    """By name; None: the last one."""
    labelled: float = 0.0
    """Share of all rows whose class the training is told; above 0 it is semi-supervised and must be named so."""
    together: bool = False
    """It needs several seeds, which learn from each other, and is left out for one."""
    label: Callable[[Config], str] | None = None
    """What it is called where its name says settings of the experiment's config; None: its name."""


def unchanged(config: Config) -> Config:
    """`Arm.configure` of the experiment's own settings."""
    return config


def with_network(config: Config, **settings: Any) -> Config:
    """The config with other settings of its network.

    Raises:
        InputError: its network, which a person may choose, has no such setting.
    """
    known = [one.name for one in fields(config.network)]
    if unknown := [name for name in settings if name not in known]:
        raise InputError(f"an arm sets {unknown[0]}, which network {type(config.network).__name__} lacks: leave it out")
    return replace(config, network=replace(config.network, **settings))


def with_beta(beta: float | str) -> Callable[[Config], Config]:
    """`Arm.configure` for another beta."""
    return lambda config: with_method(config, beta=beta)


class Reported(NamedTuple):
    """What a source prints, to be shown beside what is measured.

    Attributes:
        dataset: the figures are of this one alone.
        runs: how many the means are over.
        scores: by arm and metric, mean and standard deviation.
        tests: by metric, the source's own t and p for the first arm against the second.
    """

    dataset: str
    runs: int
    scores: dict[str, dict[str, tuple[float, float]]]
    tests: dict[str, tuple[float, float]]


class Sized(NamedTuple):
    """What a source prints of an arm that is one of many to choose from."""

    arm: str
    accuracy: float
    """On its test part."""
    seconds: float
    """Of training."""


@dataclass(frozen=True)
class Experiment:
    """An experiment; every setting is a default that the command line can change.

    Attributes:
        name: as `vaeclust run NAME`.
        summary: one line for `vaeclust list`.
        dataset: scored by default.
        arms: by name; the first is the experiment's named arm, the last the one it is held against.
        method, prepare, network, training: the config; a number of clusters is that of the data set.
        outliers: another data set whose images should look strange to the model, None for none.
        reported: what a source prints, if there is one.
        shallow: methods without a network that it is held against, of `baselines.shallow`.
        classifies: its clusters are named by the labels of the held-out rows and classify a test part, which is kept
            from everything else.
        chooses: its arms classify, and are ranked by their accuracy on held-out rows; the best of them is the named
            one, and alone is scored on the test part. What a source prints of them; empty: all are scored.
        quick: what `--quick` makes of it, which takes at most two minutes on two cores; None: it has no such form.
    """

    name: str
    summary: str
    dataset: str
    arms: dict[str, Arm]
    method: Method
    prepare: PrepareConfig = field(default_factory=PrepareConfig)
    network: NetworkConfig = field(default_factory=AutoNetwork)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    outliers: str | None = None
    reported: Reported | None = None
    shallow: tuple[str, ...] = FLOOR
    classifies: bool = False
    chooses: tuple[Sized, ...] = ()
    quick: "Callable[[Experiment], Experiment] | None" = None

    def of_seeds(self, num_seeds: int) -> "Experiment":
        """The experiment with the arms that so many seeds can be scored by."""
        kept = {name: arm for name, arm in self.arms.items() if num_seeds > 1 or not arm.together}
        return replace(self, arms=kept)

    @property
    def config(self) -> Config:
        """Its settings."""
        return Config(self.method, self.prepare, self.network, self.training)

    def with_labels(self) -> "Experiment":
        """The experiment whose arms are called by the settings that they have now."""
        called = {arm.label(self.config) if arm.label else name: arm for name, arm in self.arms.items()}
        return replace(self, arms=called)

    @property
    def named(self) -> str:
        """The arm the experiment is about."""
        return next(iter(self.arms))

    @property
    def baseline(self) -> str:
        """The arm it is held against."""
        return next(reversed(self.arms))


def unchanged_form(experiment: Experiment) -> Experiment:
    """`Experiment.quick` of one that is quick as it is."""
    return experiment
