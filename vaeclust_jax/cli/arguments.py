"""The arguments of the commands that fit: those of every run, and the settings of the method that was asked for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, make_dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import tyro

from vaeclust_jax.cli.flags import (
    Section,
    all_switches,
    as_flag,
    check_known,
    method_section,
    network_section,
    prepare_section,
    reading_section,
    switches_of,
    training_section,
    without_effect,
)
from vaeclust_jax.cli.help import show_help
from vaeclust_jax.cli.parsing import parsed
from vaeclust_jax.cli.reached import check_reached
from vaeclust_jax.cli.words import in_full, is_data
from vaeclust_jax.data import ReadConfig
from vaeclust_jax.errors import InputError
from vaeclust_jax.experiments import DEFAULT, EXPERIMENTS, experiment_of
from vaeclust_jax.folder.latest import RUNS
from vaeclust_jax.methods.registry import all_methods, name_of
from vaeclust_jax.studies.experiment import Experiment


@dataclass(frozen=True)
class Arguments:
    """What to fit, and where to keep what comes of it."""

    experiment: tyro.conf.Positional[str] = DEFAULT
    """An experiment or a method: see `vaeclust list`. Data may follow it, or stand in its place."""
    on: str | None = None
    """Another form of the experiment, where it has one: `course-hopfield --on latents`."""
    dataset: str | None = None
    """A file or folder of one's own, or a name from `vaeclust data list`. An array file (.npz, .npy, .mat, .h5ad), a
    table (.csv, .tsv, .txt, .parquet, .feather), or a folder of images or of WAV recordings; default: the
    experiment's."""
    clusters: int | Literal["auto"] | None = None
    """Number of clusters K, or auto. Default: the documented number of classes of a named set. auto (vaeclust run): the
    number from 2 to 20 that the graph's tree has for longest, or, where the method follows no graph, at which the BIC
    of a mixture on the VAE's latents is lowest; chosen without labels."""
    seeds: int = 1
    """Number of seeds, fitted as one program. They count from first_seed on."""
    first_seed: int = 0
    """The first seed."""
    epochs: int | None = None
    """Epochs of every stage that the method has. Flags such as --pretrain-epochs override it for theirs."""
    quick: bool = False
    """The experiment's quick form: a small data set and fewer epochs, at most two minutes on two cores."""
    out: Path = RUNS
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
        reading: what the person said about the way files are read.
        resume: as `flags.resume` has it, for commands that have it.
    """

    flags: A
    experiment: Experiment
    reading: ReadConfig

    @property
    def resume(self) -> Path | None:
        """The folder of a run to go on with."""
        return getattr(self.flags, "resume", None)


def parse(kind: type[A], argv: Sequence[str], prog: str) -> Parsed[A]:
    """The command's arguments: the experiment and --epochs choose the defaults, --network and the like the flags.

    Raises:
        InputError: no such experiment, a flag that is not there, or data that are given twice or after the flags.
    """
    argv = in_full(argv, {*EXPERIMENTS, *all_methods()})
    return _parse_as(kind, argv, prog, _name_among(kind, argv), None)


def _parse_as(kind: type[A], argv: list[str], prog: str, name: str, epochs: int | None) -> Parsed[A]:
    """The words with the defaults of an experiment; again with others, if they turn out to ask for them."""
    base = experiment_of(name)
    if "--quick" in argv:
        if base.quick is None:
            raise InputError(f"{name} has no quick form: give --dataset and --epochs")
        base = base.quick(base)
    method = base.method if epochs is None else base.method.for_epochs(epochs)
    told = any(arm.labelled > 0 for arm in base.arms.values())
    sections = {
        "reading": reading_section(),
        "prepare": prepare_section(base.prepare),
        "method": method_section(name_of(method), method, argv, told),
        "network": network_section(base.network, argv),
        "training": training_section(base.training),
    }
    sections |= {part: without_effect(sections[part], name_of(method)) for part in method.unused}
    if "--help" in argv or "-h" in argv:
        show_help(kind, prog, base, sections)
        raise SystemExit(0)
    check_known(argv, _flags(kind, sections), sections)
    given = _given(kind, argv, prog, name, sections)
    if given.experiment != name and given.experiment not in EXPERIMENTS and is_data(given.experiment):
        raise InputError(f"data come before the flags: {prog} {given.experiment} ..., or --dataset {given.experiment}")
    if (given.experiment, given.epochs) != (name, epochs):
        return _parse_as(kind, argv, prog, given.experiment, given.epochs)
    if epochs is not None and base.method.for_epochs(1) == base.method.for_epochs(2):
        raise InputError(f"the method {name_of(method)} has no epochs: leave --epochs out")
    values = {part: section.parsed(getattr(given, part)) for part, section in sections.items()}
    flags_given = kind(**{one.name: getattr(given, one.name) for one in fields(kind)})
    reading = values.pop("reading")
    asked = replace(base, **values).with_labels()
    check_reached(asked, base)
    return Parsed(flags_given, asked, reading)


def _name_among(kind: type[A], argv: list[str]) -> str:
    """The experiment or method that the words ask for: the first of them, or one that is no flag's value."""
    if argv and not argv[0].startswith("-"):
        return argv[0]
    known, switches = {*EXPERIMENTS, *all_methods()}, {*switches_of(kind), *all_switches()}
    for before, word in pairwise(argv):
        if word in known and (not before.startswith("-") or "=" in before or as_flag(before) in switches):
            return word
    return DEFAULT


def _flags(kind: type[A], sections: dict[str, Section]) -> list[str]:
    """Every flag that there is.

    Raises:
        InputError: a method of one's own has a setting of a name that is taken.
    """
    own = [f"--{one.name.replace('_', '-')}" for one in fields(kind)]
    settings = [one for section in sections.values() for one in section.settings()]
    counts = Counter([*own, *(one.flag for one in settings)])
    for flag, count in counts.items():
        if count > 1:
            raise InputError(f"two settings of {sections['method'].title} and its surroundings are called {flag}")
    switches = (*switches_of(kind), *(flag for one in settings for flag in one.switches()))
    return sorted({*counts, *switches, "--help", "--help-all"})


def _given(kind: type[A], argv: list[str], prog: str, name: str, sections: dict[str, Section]) -> Any:
    """One dataclass of all flags, filled in by tyro."""
    parts = [(part, (made := section.arguments()), field(default_factory=made)) for part, section in sections.items()]
    whole = make_dataclass("Given", parts, bases=(kind,), frozen=True)
    whole.__doc__ = kind.__doc__
    words = ["--help" if word == "--help-all" else word for word in argv]
    return parsed(whole, words, prog, default=whole(experiment=name), config=(tyro.conf.OmitArgPrefixes,))


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
            raise InputError(f"--clusters must be at least 2 to be scored, got {asked}")
        return int(asked)
    if documented is None:  # never counted from the labels: no run reads them
        raise InputError(f"--clusters is needed: {dataset} has no documented number of classes; auto chooses one")
    return documented
