"""`vaeclust run`."""

import difflib
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import tyro

from vaeclust_jax.cli.interrupt import Interrupt
from vaeclust_jax.cli.progress import Reporter
from vaeclust_jax.data import Dataset, PrepareConfig, load
from vaeclust_jax.errors import InputError
from vaeclust_jax.experiments import DEFAULT, EXPERIMENTS
from vaeclust_jax.experiments.execute import execute
from vaeclust_jax.experiments.experiment import Experiment
from vaeclust_jax.fitting.config import Config, ModelConfig, TrainingConfig
from vaeclust_jax.networks.build import NetworkConfig
from vaeclust_jax.report import check_writable, new_run_folder, score_table


@dataclass(frozen=True)
class Arguments:
    """Fits an experiment and writes a folder: clusters with probabilities, scores, figures, the model."""

    experiment: tyro.conf.Positional[str] = DEFAULT
    """See `vaeclust list`."""
    dataset: str | None = None
    """A name from `vaeclust data list`, an .npz file with x (and y), or a folder of images; default: the
    experiment's."""
    clusters: int | None = None
    """Number of clusters K; default: the documented number of classes of a named set."""
    seeds: int = 1
    """Number of seeds, fitted as one program: first_seed, first_seed + 1, ..."""
    first_seed: int = 0
    """The first seed."""
    epochs: int | None = None
    """Epochs of every stage; --pretrain-epochs and --joint-epochs override it for theirs."""
    out: Path = Path("runs")
    """Parent of the run's folder; made if need be."""
    quiet: bool = False
    """No progress on stderr."""
    prepare: PrepareConfig = field(default_factory=PrepareConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)


def run(argv: list[str]) -> None:
    """Runs the command."""
    args = _parse(argv)
    experiment = _experiment(args.experiment)
    if args.seeds < 1:
        raise InputError(f"seeds must be at least 1, got {args.seeds}")
    if args.first_seed < 0:
        raise InputError(f"first_seed must be 0 or more, got {args.first_seed}")
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    check_writable(args.out)
    dataset = load(experiment.dataset if args.dataset is None else args.dataset)
    config = Config(_num_clusters(args, dataset), args.prepare, args.network, args.model, args.training)
    started = time.perf_counter()
    interrupt = Interrupt()
    folder = new_run_folder(args.out, experiment.name)
    with Reporter(config.training, quiet=args.quiet) as reporter:
        reporter.say(f"{experiment.name} on {dataset.name}: {len(dataset.x)} samples, {config.num_clusters} clusters")
        try:
            metrics = execute(
                experiment,
                config,
                dataset,
                list(seeds),
                folder,
                say=interrupt.checked(reporter.say),
                on_epoch=interrupt.checked(reporter.on_epoch),
            )
        except InputError:
            if not _discard(folder):
                print(f"vaeclust: what was written so far is in {folder}", file=sys.stderr)
            raise
        except BaseException:
            print(f"vaeclust: what was written so far is in {folder}", file=sys.stderr)
            raise
    _summary(metrics, folder, time.perf_counter() - started)


def _parse(argv: list[str]) -> Arguments:
    """Twice: the experiment and --epochs choose the defaults of the other flags."""
    pairs = zip(["run", *argv], argv, strict=False)
    name = next((word for before, word in pairs if word in EXPERIMENTS and not before.startswith("-")), DEFAULT)
    first = _parse_with(argv, _defaults(EXPERIMENTS[name], None))
    experiment = _experiment(first.experiment)
    return _parse_with(argv, _defaults(experiment, first.epochs))


def _parse_with(argv: list[str], defaults: Arguments) -> Arguments:
    return tyro.cli(Arguments, args=argv, default=defaults, prog="vaeclust run", config=(tyro.conf.OmitArgPrefixes,))


def _defaults(experiment: Experiment, epochs: int | None) -> Arguments:
    training = experiment.training
    if epochs is not None:
        training = replace(training, pretrain_epochs=epochs, joint_epochs=epochs)
    return Arguments(
        experiment=experiment.name,
        prepare=experiment.prepare,
        network=experiment.network,
        model=experiment.model,
        training=training,
    )


def _experiment(name: str) -> Experiment:
    if name not in EXPERIMENTS:
        near = difflib.get_close_matches(name, EXPERIMENTS, n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(EXPERIMENTS)}"
        raise InputError(f"no experiment {name!r}; {hint}")
    return EXPERIMENTS[name]


def _num_clusters(args: Arguments, dataset: Dataset) -> int:
    if args.clusters is not None:
        return args.clusters
    if dataset.num_classes is None:  # never counted from the labels: no run reads them
        raise InputError(f"--clusters is needed: {dataset.name} has no documented number of classes")
    return dataset.num_classes


def _discard(folder: Path) -> bool:
    """Removes the folder of a run that was refused before it trained; one that holds results stays."""
    if {path.name for path in folder.iterdir()} - {"config.json"}:
        return False
    (folder / "config.json").unlink(missing_ok=True)
    folder.rmdir()
    return True


def _summary(metrics: dict[str, Any], folder: Path, seconds: float) -> None:
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 140).print(score_table(metrics["results"]))
    for warning in metrics["warnings"]:
        print(f"warning: {warning}")
    print(f"labels were used for: {metrics['protocol']['labels_used_for']}")
    print(f"{seconds:.0f} s; results, figures and the model are in")
    print(folder)
