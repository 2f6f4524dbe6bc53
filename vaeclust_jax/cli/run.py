"""`vaeclust run`."""

import difflib
import shutil
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import jax
import tyro

from vaeclust_jax.cli.compiling import use_compilation_cache
from vaeclust_jax.cli.interrupt import Interrupt
from vaeclust_jax.cli.progress import Reporter
from vaeclust_jax.cli.resume import ARGUMENTS, CHOSEN, chosen_before, given_again, remember
from vaeclust_jax.data import Dataset, PrepareConfig, load
from vaeclust_jax.errors import InputError
from vaeclust_jax.experiments import DEFAULT, EXPERIMENTS
from vaeclust_jax.fitting.config import Config, ModelConfig, TrainingConfig
from vaeclust_jax.folder import Table, check_writable, new_run_folder, print_tables
from vaeclust_jax.networks.build import NetworkConfig
from vaeclust_jax.selection.augment import SEEDS, AugmentChoice, choose_augment
from vaeclust_jax.selection.num_clusters import NUM_SEEDS, Choice, choose_num_clusters
from vaeclust_jax.studies.classification import check_labelled_rows, hold_back
from vaeclust_jax.studies.execute import execute
from vaeclust_jax.studies.experiment import Experiment
from vaeclust_jax.training.checkpoint import Checkpoint, lock


@dataclass(frozen=True)
class Arguments:
    """What to fit, and where to keep what comes of it."""

    experiment: tyro.conf.Positional[str] = DEFAULT
    """See `vaeclust list`."""
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
    """Epochs of every stage that the experiment has; --pretrain-epochs and --joint-epochs override it for theirs."""
    out: Path = Path("runs")
    """Parent of the run's folder; made if need be."""
    quiet: bool = False
    """No progress on stderr."""
    compilation_cache: bool = True
    """Keep compiled programs on disk, so that a later command starts faster (`vaeclust info` says where)."""
    prepare: PrepareConfig = field(default_factory=PrepareConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)


@dataclass(frozen=True)
class RunArguments(Arguments):
    """Fits an experiment and writes a folder: clusters with probabilities, scores, figures, the model."""

    outliers: str | None = None
    """Another data set, as --dataset: how well do its samples stand out? Default: the experiment's, on its own data."""
    resume: Path | None = None
    """The folder of a run that was ended early, to go on from its last checkpoint; other flags may be left out."""
    checkpoint_epochs: int | None = None
    """Epochs between two checkpoints; default: by the clock alone."""
    checkpoint_minutes: float = 5.0
    """Minutes between two checkpoints."""


_PRINTED = ("scores", "reported", "reported-tests", "comparisons", "uncertainty")  # the others are in the report

A = TypeVar("A", bound=Arguments)


def run(argv: list[str]) -> None:
    """Runs the command."""
    args = parse(RunArguments, argv, "vaeclust run")
    if args.resume is not None:
        args = given_again(args, argv, lambda argv: parse(RunArguments, argv, "vaeclust run"))
    if _experiment(args.experiment).classifies:
        check_labelled_rows(args.prepare)  # before anything is chosen, which trains
    use_compilation_cache(args.compilation_cache)
    started = time.perf_counter()
    choice, views = (None, None) if args.resume is None else chosen_before(args.resume)
    if args.clusters == "auto":
        choice = choice or _choice(args)
        args = replace(args, clusters=choice.num_clusters)
    if args.model.augment == "auto":
        views = views or _views(args)
        args = replace(args, model=replace(args.model, augment=views.augment))
    experiment, dataset, config, seeds = resolve(args)
    others = _outliers(args, experiment, dataset)
    interrupt = Interrupt()
    if args.resume is None:
        check_writable(args.out)
        folder = new_run_folder(args.out, experiment.name)
        remember(folder, argv, choice, views)
    else:
        folder = args.resume
    held = lock(folder / "checkpoints")
    with Reporter(config.training, quiet=args.quiet) as reporter:
        reporter.say(f"{experiment.name} on {dataset.name}: {len(dataset.x)} samples, {config.num_clusters} clusters")
        try:
            metrics, tables = execute(
                experiment,
                config,
                dataset,
                seeds,
                folder,
                say=interrupt.checked(reporter.say),
                on_epoch=interrupt.checked(reporter.on_epoch),
                others=others,
                choice=choice,
                views=views,
                checkpoint=Checkpoint(folder / "checkpoints", args.checkpoint_epochs, args.checkpoint_minutes),
            )
        except InputError:
            if not _discard(folder):
                print(f"vaeclust: what was written so far is in {folder}", file=sys.stderr)
            raise
        except BaseException as error:
            print(f"vaeclust: what was written so far is in {folder}", file=sys.stderr)
            if isinstance(error, KeyboardInterrupt):
                print(f"vaeclust: to go on from there: vaeclust run --resume {folder}", file=sys.stderr)
            raise
        finally:
            held.release()
    _summary(metrics, tables, folder, time.perf_counter() - started)


def parse(kind: type[A], argv: list[str], prog: str) -> A:
    """The command's arguments, read twice: the experiment and --epochs choose the defaults of the other flags."""
    pairs = zip([prog, *argv], argv, strict=False)
    name = next((word for before, word in pairs if word in EXPERIMENTS and not before.startswith("-")), DEFAULT)
    first = _parse_with(kind, argv, prog, EXPERIMENTS[name], None)
    return _parse_with(kind, argv, prog, _experiment(first.experiment), first.epochs)


def _parse_with(kind: type[A], argv: list[str], prog: str, experiment: Experiment, epochs: int | None) -> A:
    training = experiment.training
    if epochs is not None:
        training = replace(training, pretrain_epochs=epochs, joint_epochs=epochs if training.joint_epochs else 0)
    defaults = kind(
        experiment=experiment.name,
        prepare=experiment.prepare,
        network=experiment.network,
        model=experiment.model,
        training=training,
    )
    return tyro.cli(kind, args=argv, default=defaults, prog=prog, config=(tyro.conf.OmitArgPrefixes,))


def resolve(args: Arguments) -> tuple[Experiment, Dataset, Config, list[int]]:
    """What the arguments stand for.

    Raises:
        InputError: no such experiment or data set, seeds out of range, or no number of clusters.
    """
    experiment = _experiment(args.experiment)
    if args.seeds < 1:
        raise InputError(f"seeds must be at least 1, got {args.seeds}")
    if args.first_seed < 0:
        raise InputError(f"first_seed must be 0 or more, got {args.first_seed}")
    dataset = load(experiment.dataset if args.dataset is None else args.dataset)
    config = Config(_num_clusters(args, dataset), args.prepare, args.network, args.model, args.training)
    return experiment, dataset, config, list(range(args.first_seed, args.first_seed + args.seeds))


def _experiment(name: str) -> Experiment:
    if name not in EXPERIMENTS:
        near = difflib.get_close_matches(name, EXPERIMENTS, n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(EXPERIMENTS)}"
        raise InputError(f"no experiment {name!r}; {hint}")
    return EXPERIMENTS[name]


def _choice(args: RunArguments) -> Choice:
    """The number of clusters, chosen by what VAEs with keys of the first seed make of the data."""
    model = replace(args.model, augment=0.0) if args.model.augment == "auto" else args.model
    experiment, dataset, config, seeds = resolve(replace(args, clusters=2, model=model))
    x = hold_back(dataset)[0].x if experiment.classifies else dataset.x
    with Reporter(config.training, quiet=args.quiet) as reporter:
        reporter.say(f"how many clusters? {NUM_SEEDS} VAEs on {len(x)} samples of {dataset.name}")
        choice = choose_num_clusters(
            config, x, jax.random.key(seeds[0]), on_epoch=Interrupt().checked(reporter.on_epoch)
        )
        reporter.say(choice.reason)
    return choice


def _views(args: RunArguments) -> AugmentChoice:
    """The strength of views, chosen by what the graphs of three seeds show, the run's first and the next."""
    experiment, dataset, config, _ = resolve(replace(args, seeds=len(SEEDS)))
    seeds = [args.first_seed + number for number in SEEDS]
    x = hold_back(dataset)[0].x if experiment.classifies else dataset.x
    with Reporter(config.training, quiet=args.quiet) as reporter:
        reporter.say(f"shall views of {dataset.name} be moved? {len(seeds)} VAEs with them and as many without")
        views = choose_augment(config, x, seeds, on_epoch=Interrupt().checked(reporter.on_epoch))
        reporter.say(views.reason)
    return views


def _num_clusters(args: Arguments, dataset: Dataset) -> int:
    if args.clusters == "auto":
        raise InputError("clusters 'auto' is of vaeclust run: give a number here")
    if args.clusters is not None:
        if args.clusters < 2:
            raise InputError(f"num_clusters must be at least 2 to be scored, got {args.clusters}")
        return args.clusters
    if dataset.num_classes is None:  # never counted from the labels: no run reads them
        raise InputError(f"--clusters is needed: {dataset.name} has no documented number of classes; auto chooses one")
    return dataset.num_classes


def _outliers(args: RunArguments, experiment: Experiment, dataset: Dataset) -> Dataset | None:
    if args.outliers is not None:
        return load(args.outliers)
    own = experiment.outliers is not None and dataset.name == experiment.dataset
    return load(experiment.outliers) if own else None  # type: ignore[arg-type]


def _discard(folder: Path) -> bool:
    """Removes the folder of a run that was refused before it trained; one that holds results stays."""
    if {path.name for path in folder.iterdir()} - {"config.json", ARGUMENTS, CHOSEN, "checkpoints"}:
        return False
    if any((folder / "checkpoints").glob("*/epochs")):
        return False
    shutil.rmtree(folder)
    return True


def _summary(metrics: dict[str, Any], tables: list[Table], folder: Path, seconds: float) -> None:
    print_tables([table for table in tables if table.name in _PRINTED])
    for finding in metrics["findings"]:
        print(finding)
    for warning in metrics["warnings"]:
        print(f"warning: {warning}")
    print(f"labels were used for: {metrics['protocol']['labels_used_for']}")
    print(
        f"{seconds:.0f} s; results, figures and the model are in the folder below; vaeclust report makes a page of it"
    )
    print(folder)
