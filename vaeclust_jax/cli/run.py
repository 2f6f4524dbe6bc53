"""`vaeclust run`: its arguments, and what they mean for the data, with every refusal."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import tyro

from vaeclust_jax.cli.arguments import Arguments, Parsed, num_clusters_of, parse
from vaeclust_jax.cli.execution import check_checkpoints, has_room, mesh_of
from vaeclust_jax.errors import InputError


@dataclass(frozen=True)
class RunArguments(Arguments):
    """Fits an experiment or a method and writes a folder: clusters with probabilities, scores, figures, the model."""

    outliers: str | None = None
    """Another data set: how well do its samples stand out? Read as --dataset is. Default: the experiment's, on its own
    data."""
    hints: Path | None = None
    """A CSV of what a person knows of some rows. By it vaegraph is semi-supervised: columns row, file or sample, and
    label, must_link or cannot_link. The page of a run and `vaeclust suggest` write such files."""
    splits: int = 1
    """Number of random splits into training and held-out rows. The run is done on each, with seeds of its own;
    intervals and tests are then over splits, too."""
    groups: int = 1
    """Number of groups of seeds, on one split: the run is done with each. Seeds that vote are tested over groups."""
    resume: Path | None = None
    """The folder of a run that was ended early, to go on with it. It does so from its last checkpoint; other flags may
    be left out."""
    checkpoint_epochs: int | None = None
    """Epochs between two checkpoints; default: by the clock alone."""
    checkpoint_minutes: float = 5.0
    """Minutes between two checkpoints."""
    devices: int | None = None
    """So many devices compute: seeds are laid over as many of them as divide their number, rows over the rest.
    Default: a core of the CPU a seed, an accelerator alone, or all that several processes have."""
    mesh: str | None = None
    """Devices by what is laid over them, in place of --devices: seeds=4,rows=2 is eight."""
    coordinator: str | None = None
    """HOST:PORT of process 0 of several that do this run together, each started with the same words; auto: Slurm's or
    Open MPI's processes. The first one writes the folder."""
    process_id: int | None = None
    """The number of this process, from 0."""
    num_processes: int | None = None
    """How many processes there are."""
    track: tyro.conf.UseAppendAction[tuple[Literal["tensorboard", "trackio", "wandb", "mlflow"], ...]] = ()
    """Also write for tensorboard, trackio, wandb or mlflow. That is losses, figures and models; several may be given.
    tensorboard: in the run's folder. wandb: there, offline, unless WANDB_MODE says otherwise. mlflow: mlflow.db there,
    unless MLFLOW_TRACKING_URI is set. trackio: its own folder, unless TRACKIO_SPACE_ID or TRACKIO_SERVER_URL is set."""
    verbose: bool = False
    """All tables and findings at the end, which are in the folder, too."""
    page: bool = True
    """The HTML page of the run, which `vaeclust report` writes again."""


_MOST_SEEDS, _NO_SEED = 2**16, 2**32


def parse_run(argv: list[str]) -> Parsed[RunArguments]:
    """What the words after `vaeclust run` mean."""
    return parse(RunArguments, argv, "vaeclust run")


class Plan(NamedTuple):
    """What a command is about to do: nothing of it can be refused any more.

    Attributes:
        config: with what was chosen.
        parts: of the data set.
        seeds: their numbers.
        others: a data set that should look strange.
        choice, views: what was chosen, and why.
        mesh: devices that fits are laid over; None: one.
    """

    config: Any
    parts: Any
    seeds: list[int]
    others: Any
    choice: Any
    views: Any
    mesh: Any

    def headline(self, name: str) -> str:
        """What is fitted to what."""
        dataset, clusters = self.parts.fitted, getattr(self.config.method, "num_clusters", None)
        said = "" if clusters is None else f", {clusters} clusters"
        over = ""
        if self.mesh is not None:
            over = f", on devices {self.mesh}" if self.mesh.rows > 1 else f", {self.mesh.seeds} seeds at a time"
        return f"{name} on {dataset.name}: {len(dataset.x)} samples{said}{over}"


def planned(args: Parsed[RunArguments]) -> Plan:
    """Everything that can be refused is, before what is left to a choice is chosen, which trains.

    Raises:
        InputError: what cannot be used.
    """
    from vaeclust_jax.cli.resume import chosen_before
    from vaeclust_jax.folder import check_writable
    from vaeclust_jax.selection.augment import can_be_moved, check_views
    from vaeclust_jax.studies.execute import check, parts_of
    from vaeclust_jax.trackers import TRACKERS

    experiment, flags = args.experiment, args.flags
    for name in flags.track:
        TRACKERS[name].check_installed()
    seeds = seeds_of(flags)
    mesh = mesh_of(flags.devices, flags.mesh, flags.seeds)
    check_checkpoints(flags.checkpoint_epochs, flags.checkpoint_minutes)
    dataset = load_dataset(args)
    others = _outliers(args, dataset)
    chosen_k, chosen_views = flags.clusters == "auto", getattr(experiment.method, "augment", None) == "auto"
    hints = _hints(args, dataset)
    least = 2 if hints is None else max(2, len(hints.names))
    trial = replace(args, flags=replace(flags, clusters=least)) if chosen_k else args
    config = config_of(trial, dataset)
    tried = with_settings(config, augment=0.0) if chosen_views else config
    parts = parts_of(experiment, tried, dataset, hints)
    shape = parts.data.of(tried).preparation.output_shape
    if (flags.devices, flags.mesh) == (None, None) and mesh is not None and not has_room(mesh, len(dataset.x), shape):
        mesh = None
    check(experiment, tried, parts, seeds, others, mesh)
    if chosen_views and not can_be_moved(parts.data.of(tried).preparation.output_shape):
        chosen_views, config = False, tried
    if args.resume is None:
        check_writable(flags.out)
    choice, views = (None, None) if args.resume is None else chosen_before(args.resume)
    if chosen_views and views is None:
        check_views(tried, unstratified(tried, parts))  # before a number of clusters is chosen, too
    if chosen_k:
        choice = choice or _choose(args, "clusters", tried, parts, seeds)
        number = max(choice.num_clusters, least)
        config, tried = (with_settings(one, num_clusters=number) for one in (config, tried))
    if chosen_views:
        views = views or _choose(args, "views", tried, parts, seeds)
        config = with_settings(config, augment=views.augment)
    check(experiment, config, parts, seeds, others, mesh)
    return Plan(config, parts, seeds, others, choice, views, mesh)


def _choose(args: Parsed[RunArguments], what: str, config: Any, parts: Any, seeds: list[int]) -> Any:
    """The number of clusters, or the strength of views, with VAEs of the first seed or of three beside the seeds."""
    import jax

    from vaeclust_jax.cli.interrupt import Interrupt
    from vaeclust_jax.cli.progress import Reporter
    from vaeclust_jax.selection.augment import choose_augment, seeds_beside
    from vaeclust_jax.selection.num_clusters import NUM_SEEDS, choose_num_clusters

    data, name = unstratified(config, parts), parts.fitted.name
    with Reporter(quiet=args.flags.quiet) as reporter, Interrupt() as interrupt:
        if what == "clusters":
            reporter.say(f"how many clusters? {NUM_SEEDS} VAEs on {len(data.rows)} samples of {name}")
            found: Any = choose_num_clusters(config, data, jax.random.key(seeds[0]), callbacks=[reporter, interrupt])
        else:
            three = seeds_beside(seeds[0])
            reporter.say(f"shall views of {name} be moved? {len(three)} VAEs with them and as many without")
            found = choose_augment(config, data, three, callbacks=[reporter, interrupt])
        reporter.say(found.reason)
    return found


def unstratified(config: Any, parts: Any) -> Any:
    """The rows that a choice is made by: no label is read for their split."""
    return parts.data.of(replace(config, prepare=replace(config.prepare, stratify=False)))


def _hints(args: Parsed[RunArguments], dataset: Any) -> Any:
    """Those of the file that was given; of a run that goes on, of the copy in its folder."""
    from vaeclust_jax.cli.resume import HINTS
    from vaeclust_jax.data.hints import read_hints

    if args.flags.hints is None:
        return None
    return read_hints(args.flags.hints if args.resume is None else args.resume / HINTS, dataset)


def with_settings(config: Any, **settings: Any) -> Any:
    """The config with other settings of its method."""
    from vaeclust_jax.fitting.config import with_method

    return with_method(config, **settings)


def seeds_of(flags: Arguments) -> list[int]:
    """The seeds that were asked for.

    Raises:
        InputError: none, or one that is out of range.
    """
    if not 1 <= flags.seeds <= _MOST_SEEDS:
        raise InputError(f"seeds must be at least 1 and at most {_MOST_SEEDS}, got {flags.seeds}")
    if flags.first_seed < 0:
        raise InputError(f"first_seed must be 0 or more, got {flags.first_seed}")
    if (last := flags.first_seed + flags.seeds - 1) >= _NO_SEED:
        raise InputError(f"seeds must be below 2**32, got {last}")
    return list(range(flags.first_seed, flags.first_seed + flags.seeds))


def load_dataset(args: Parsed[Any]) -> Any:
    """The data set that was asked for, or the experiment's; what was taken of it is said."""
    from vaeclust_jax.cli.reading import read
    from vaeclust_jax.data.reading import NONE

    reading = args.reading
    if args.experiment.method.task == "regression" and args.flags.dataset is not None and reading.label_column is None:
        reading = replace(reading, label_column=NONE)  # the last column is what is predicted, whatever it is called
    return read(args.experiment.dataset if args.flags.dataset is None else args.flags.dataset, reading)


def config_of(args: Parsed[Any], dataset: Any) -> Any:
    """The config that the arguments stand for.

    Raises:
        InputError: no number of clusters.
    """
    config = args.experiment.config
    clusters = num_clusters_of(args, dataset.num_classes, dataset.name)
    return config if clusters is None else with_settings(config, num_clusters=clusters)


def _outliers(args: Parsed[RunArguments], dataset: Any) -> Any:
    from vaeclust_jax.cli.reading import read

    experiment, flags = args.experiment, args.flags
    if flags.outliers is not None:
        return read(flags.outliers, args.reading, like=dataset)
    own = experiment.outliers is not None and flags.dataset in (None, experiment.dataset)
    return read(str(experiment.outliers), args.reading) if own else None
