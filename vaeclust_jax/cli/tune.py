"""`vaeclust tune`."""

import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vaeclust_jax.cli.arguments import Arguments, Parsed, parse
from vaeclust_jax.cli.compiling import use_compilation_cache
from vaeclust_jax.cli.interrupt import Interrupt
from vaeclust_jax.cli.progress import Reporter
from vaeclust_jax.cli.run import config_of, load_dataset, seeds_of
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.folder import Table, check_writable, new_run_folder, print_tables, write_json
from vaeclust_jax.folder.table import Column
from vaeclust_jax.networks import NETWORKS
from vaeclust_jax.selection.search import Trial, search


@dataclass(frozen=True)
class TuneArguments(Arguments):
    """Chooses settings without labels: networks and learning rate by the held-out ELBO, the rest by stability.

    Writes what was tried into a new folder and prints the command that runs the experiment with what was chosen.
    """

    seeds: int = 3
    """Number of seeds, at least 2: stability is their agreement."""


def tune(argv: list[str]) -> None:
    """Runs the command."""
    args = parse(TuneArguments, argv, "vaeclust tune")
    use_compilation_cache(args.flags.compilation_cache)
    seeds, dataset = seeds_of(args.flags), load_dataset(args)
    config = _held_out(config_of(args, dataset), argv)
    check_writable(args.flags.out)
    record = _Record(args, argv, seeds)
    try:
        with Reporter(quiet=args.flags.quiet) as reporter, Interrupt() as interrupt:
            chosen, trials = search(
                config,
                dataset.x,
                seeds,
                say=interrupt.checked(reporter.say),
                callbacks=[reporter, interrupt],
                on_trial=record.keep,
            )
    except BaseException:
        if record.folder is not None:
            print(f"vaeclust: what was tried so far is in {record.folder}", file=sys.stderr)
        raise
    flags = [word for trial in trials if trial.chosen for word in _flag(trial)]
    if type(chosen.network) is not type(config.network):  # one that has what was chosen
        flags[:0] = ["--network", next(name for name, kind in NETWORKS.items() if kind is type(chosen.network))]
    # The person's own words first: data, clusters and all that was not searched; of a flag given twice the last holds.
    command = shlex.join(["vaeclust", "run", *argv, *flags])
    record.write(trials, command)
    print_tables([_table(trials)])
    print(f"labels were used for: nothing\n{command}\n{record.folder}")


def _held_out(config: Config, argv: list[str]) -> Config:
    """Held-out rows judge the networks: a fifth, where neither the experiment nor the person says how many."""
    if config.prepare.validation > 0 or any(word.partition("=")[0] == "--validation" for word in argv):
        return config
    return replace(config, prepare=replace(config.prepare, validation=0.2))


class _Record:
    """`search.json`, written after every trial: a search takes long, and nothing of it is lost.

    Attributes:
        folder: made with the first trial.
    """

    def __init__(self, args: Parsed[TuneArguments], argv: list[str], seeds: list[int]) -> None:
        self.folder: Path | None = None
        self._parent, self._name = args.flags.out, f"tune-{args.experiment.name}"
        self._head = {"command": shlex.join(["vaeclust", "tune", *argv]), "seeds": seeds}
        self._trials: list[Trial] = []

    def keep(self, trial: Trial) -> None:
        self._trials.append(trial)
        self.write(self._trials, None)

    def write(self, trials: list[Trial], chosen: str | None) -> None:
        if self.folder is None:
            self.folder = new_run_folder(self._parent, self._name)
        rows = [trial._asdict() for trial in trials]
        write_json(self.folder / "search.json", {**self._head, "chosen": chosen, "trials": rows})


def _flag(trial: Trial) -> list[str]:
    value = trial.value if isinstance(trial.value, tuple) else (trial.value,)
    return [f"--{trial.setting.replace('_', '-')}", *map(str, value)]


def _table(trials: list[Trial]) -> Table:
    def row(trial: Trial) -> tuple[Any, ...]:
        return trial.setting, str(trial.value), trial.judge, trial.score, "chosen" if trial.chosen else ""

    columns = (Column("setting", "text"), Column("value", "text"), Column("judged by", "text"), Column("score"))
    note = "elbo: held-out -ELBO in nats, lower is better; stability: agreement of seeds and draws, higher is better"
    return Table("search", "Settings tried", (*columns, Column("", "text")), tuple(map(row, trials)), note)
