"""The arguments of the commands that fit: those of every run, and the settings of the method that was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, make_dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import tyro

from vaeclust_jax.cli.flags import (
    Section,
    check_known,
    method_section,
    network_section,
    prepare_section,
    texts_of,
    training_section,
)
from vaeclust_jax.cli.help import show_help
from vaeclust_jax.errors import InputError
from vaeclust_jax.experiments import DEFAULT, EXPERIMENTS, experiment_of
from vaeclust_jax.methods.registry import all_methods, name_of
from vaeclust_jax.studies.experiment import Experiment


@dataclass(frozen=True)
class Arguments:
    """What to fit, and where to keep what comes of it."""

    experiment: tyro.conf.Positional[str] = DEFAULT
    """An experiment or a method: see `vaeclust list`."""
    dataset: str | None = None
    """A name from `vaeclust data list`, an .npz file with x (and y), a .csv table, or a folder of images
    or of WAV recordings; default: the
    experiment's."""
    clusters: int | Literal["auto"] | None = None
    """Number of clusters K; default: the documented number of classes of a named set. auto (vaeclust run): the
    number from 2 to 20 at which the BIC of a mixture on the VAE's latents is lowest, chosen without labels."""
    seeds: int = 1
    """Number of seeds, fitted as one program: first_seed, first_seed + 1, ..."""
    first_seed: int = 0
    """The first seed."""
    epochs: int | None = None
    """Epochs of every stage that the method has; flags such as --pretrain-epochs override it for theirs."""
    out: Path = Path("runs")
    """Parent of the run's folder; made if need be."""
    quiet: bool = False
    """No progress on stderr."""
    compilation_cache: bool = True
    """Keep compiled programs on disk, so that a later command starts faster (`vaeclust info` says where)."""


A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True)
class Parsed(Generic[A]):
    """What the words mean.

    Attributes:
        flags: of the command itself.
        experiment: with the method, the network and the other sections as the person set them.
        resume: as `flags.resume` has it, for commands that have it.
    """

    flags: A
    experiment: Experiment

    @property
    def resume(self) -> Path | None:
        """The folder of a run to go on with."""
        return getattr(self.flags, "resume", None)


def parse(kind: type[A], argv: Sequence[str], prog: str) -> Parsed[A]:
    """The command's arguments: the experiment and --epochs choose the defaults, --network and the like the flags.

    Raises:
        InputError: no such experiment, or a flag that is not there.
    """
    argv = list(argv)
    known = {*EXPERIMENTS, *all_methods()}
    pairs = zip([prog, *argv], argv, strict=False)
    name = next((word for before, word in pairs if word in known and not before.startswith("--")), DEFAULT)
    base = experiment_of(name)
    epochs = _whole_number_after("--epochs", argv)
    method = base.method if epochs is None else base.method.for_epochs(epochs)
    sections = {
        "prepare": prepare_section(base.prepare),
        "method": method_section(name_of(method), method, argv),
        "network": network_section(base.network, argv),
        "training": training_section(base.training),
    }
    if "--help" in argv or "-h" in argv:
        show_help(kind, prog, base, sections)
        raise SystemExit(0)
    flags = {f"--{one.name.replace('_', '-')}" for one in fields(kind)} | {"--help-all"}
    for section in sections.values():
        flags |= {setting.flag for setting in section.settings()}
    check_known(argv, dict.fromkeys(sorted(flags)), sections["method"].title, sections["network"].title)
    given = _given(kind, argv, prog, base.name, sections)
    if given.experiment != base.name:
        experiment_of(given.experiment)  # says what is wrong with the name
    values = {part: section.parsed(getattr(given, part)) for part, section in sections.items()}
    flags_given = kind(**{one.name: getattr(given, one.name) for one in fields(kind)})
    return Parsed(flags_given, replace(base, **values))


def _given(kind: type[A], argv: list[str], prog: str, name: str, sections: dict[str, Section]) -> Any:
    """One dataclass of all flags, filled in by tyro."""
    parts = [(part, (made := section.arguments()), field(default_factory=made)) for part, section in sections.items()]
    whole = make_dataclass("Given", parts, bases=(kind,), frozen=True)
    whole.__doc__ = kind.__doc__
    words = ["--help" if word == "--help-all" else word for word in argv]
    return tyro.cli(whole, args=words, default=whole(experiment=name), prog=prog, config=(tyro.conf.OmitArgPrefixes,))


def _whole_number_after(flag: str, argv: list[str]) -> int | None:
    """The number that a flag was given; what is none is left for tyro to say."""
    for word, following in pairwise([*argv, ""]):
        text = following if word == flag else word.partition("=")[2] if word.startswith(f"{flag}=") else ""
        if text.isdecimal():
            return int(text)
    return None


def num_clusters_of(args: Parsed[Any], documented: int | None, dataset: str) -> int | None:
    """K: what was asked for, or the documented number of classes; None of a method without clusters.

    Raises:
        InputError: no number, one that cannot be scored, or clusters for a method without any.
    """
    asked = args.flags.clusters
    if not hasattr(args.experiment.method, "num_clusters"):
        if asked is not None:
            raise InputError(f"the method {name_of(args.experiment.method)} has no clusters: leave --clusters out")
        return None
    if asked == "auto":
        raise InputError("clusters 'auto' is of vaeclust run: give a number here")
    if asked is not None:
        if asked < 2:
            raise InputError(f"num_clusters must be at least 2 to be scored, got {asked}")
        return int(asked)
    if documented is None:  # never counted from the labels: no run reads them
        raise InputError(f"--clusters is needed: {dataset} has no documented number of classes; auto chooses one")
    return documented


__all__ = ["Arguments", "Parsed", "num_clusters_of", "parse", "texts_of"]
