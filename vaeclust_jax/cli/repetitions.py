"""`vaeclust run`; with `--splits N` or `--groups N` a run for each, in folders beside each other, and all together.

FOLDER/split-0, split-1, ...   runs with seeds of their own; each can be reported, compared and resumed by itself
FOLDER/repetitions.json        what is said over them
"""

import math
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from vaeclust_jax.cli.arguments import Parsed
from vaeclust_jax.cli.once import discard, new_folder, run_beside, run_once
from vaeclust_jax.cli.run import Plan, RunArguments, parse_run
from vaeclust_jax.errors import InputError

if TYPE_CHECKING:  # what trains is imported when the words are understood
    from vaeclust_jax.folder.records.repetitions import Over, Repetition

_MOST, _NO_SEED = 1000, 2**32


def run(argv: list[str]) -> None:
    """Runs the command."""
    args = parse_run(argv)  # first: `--help` need not wait for what trains
    from vaeclust_jax.cli.processes import join

    flags = args.flags
    joined = join(flags.coordinator, flags.process_id, flags.num_processes, ["run", *argv])  # before jax has devices
    import jax

    from vaeclust_jax.cli.compiling import use_compilation_cache
    from vaeclust_jax.cli.resume import given_again
    from vaeclust_jax.cli.summary import print_summary

    resumed = args.resume
    if resumed is not None:
        args = given_again(args, argv, parse_run)
    several = asked_for(args)
    use_compilation_cache(args.flags.compilation_cache)
    if several and joined:
        raise InputError("splits and groups are runs of their own: start them over several processes one by one")
    if joined and jax.process_index() > 0:
        run_beside(args)
    elif several:
        run_repetitions(args, argv, resumed)
    else:
        done = run_once(args, argv, lambda plan: new_folder(args))
        print_summary(done.metrics, done.tables, done.folder, done.seconds, page=done.page, verbose=args.flags.verbose)


def asked_for(args: Parsed[RunArguments]) -> bool:
    """Whether the run is to be done several times.

    Raises:
        InputError: so many splits or groups cannot be had.
    """
    flags, experiment = args.flags, args.experiment
    for name, number in (("splits", flags.splits), ("groups", flags.groups)):
        if not 1 <= number <= _MOST:
            raise InputError(f"{name} must be at least 1 and at most {_MOST}, got {number}")
    if flags.splits == flags.groups == 1:
        return False
    if flags.splits > 1 and flags.groups > 1:
        raise InputError("splits and groups do not go together: every split has a group of seeds of its own")
    if experiment.method.task != "clustering":
        raise InputError(
            f"splits and groups are of runs that cluster: {experiment.name} is of {experiment.method.task}"
        )
    if flags.splits > 1 and experiment.prepare.validation == 0:
        raise InputError("splits need rows to hold out, and there are none: add --validation 0.2, or give --groups")
    if flags.first_seed + flags.splits * flags.groups * flags.seeds > _NO_SEED:
        raise InputError(f"seeds must be below 2**32: so many repetitions of {flags.seeds} seeds go beyond")
    if experiment.prepare.split_seed + flags.splits > _NO_SEED:
        raise InputError(f"split_seed must be below 2**32: {flags.splits} splits go beyond")
    return True


def run_repetitions(args: Parsed[RunArguments], argv: list[str], resumed: Path | None) -> None:
    """Does every run that has not been done, and writes and prints what they say together.

    Args:
        args: what was asked for.
        argv: the words that mean it.
        resumed: the folder of repetitions to go on with.
    """
    from vaeclust_jax.cli.resume import ARGUMENTS, HINTS, remember
    from vaeclust_jax.folder import write_json, write_tables
    from vaeclust_jax.folder.latest import point_latest
    from vaeclust_jax.folder.records.metrics_file import read_metrics
    from vaeclust_jax.folder.records.repetitions import REPETITIONS
    from vaeclust_jax.folder.typed_json import read_json
    from vaeclust_jax.studies.repetitions import over_repetitions, repetition_tables
    from vaeclust_jax.studies.write import Clock, has_ended, write_end

    clock, whole = Clock(), resumed
    over: Over = "splits" if args.flags.splits > 1 else "groups"
    repetitions = repetitions_of(args)
    words = argv if whole is None else [str(word) for word in read_json(whole / ARGUMENTS)]

    def begin(of: "Repetition") -> Callable[[Plan], Path]:
        def made(plan: Plan) -> Path:
            nonlocal whole
            if whole is None:
                _check_enough(args, plan)
                whole = new_folder(args)
                remember(whole, words, None, None, args.flags.hints)
            folder = whole / of.folder
            folder.mkdir()
            return folder

        return made

    for number, of in enumerate(repetitions, 1):
        clock.begin(of.folder)
        there = None if whole is None or not (whole / of.folder).exists() else whole / of.folder
        if there is not None and has_ended(there):
            continue
        if there is not None and not (there / ARGUMENTS).exists():  # ended before its first file
            discard(there)
            there = None
        if not args.flags.quiet:
            print(f"{of.folder}, {number} of {len(repetitions)}", file=sys.stderr)
        one = _repetition(args, of, None if whole is None or args.flags.hints is None else whole / HINTS, there)
        again = ["--splits", "1", "--groups", "1", "--seeds", str(args.flags.seeds)]
        again += ["--first-seed", str(of.seeds[0]), "--split-seed", str(of.split_seed)]
        try:
            run_once(one, [*words, *again], begin(of))
        except InputError:
            if whole is not None and number == 1 and resumed is None:
                discard(whole)
            raise
    assert whole is not None
    records = [read_metrics(whole / of.folder / "metrics.json") for of in repetitions]
    found = over_repetitions(cast(Any, records), repetitions, over)
    tables = repetition_tables(found)
    write_json(whole / REPETITIONS, found.record())
    write_tables(whole / "tables.json", tables)
    write_end(whole, clock, None)
    point_latest(whole)
    _print(found, tables, whole, verbose=args.flags.verbose)


def repetitions_of(args: Parsed[RunArguments]) -> "list[Repetition]":
    """Every run, with seeds that no other has."""
    from vaeclust_jax.folder.records.repetitions import Repetition

    flags, first = args.flags, args.experiment.prepare.split_seed
    several = flags.splits > 1
    found = []
    for number in range(flags.splits * flags.groups):
        start = flags.first_seed + number * flags.seeds
        split = first + number if several else first
        seeds = tuple(range(start, start + flags.seeds))
        found.append(Repetition(folder=f"{'split' if several else 'group'}-{number}", split_seed=split, seeds=seeds))
    return found


def _repetition(
    args: Parsed[RunArguments], of: "Repetition", hints: Path | None, resume: Path | None
) -> Parsed[RunArguments]:
    """The arguments of one run."""
    flags = replace(args.flags, splits=1, groups=1, first_seed=of.seeds[0], resume=resume)
    flags = flags if hints is None else replace(flags, hints=hints)
    prepare = replace(args.experiment.prepare, split_seed=of.split_seed)
    return replace(args, flags=flags, experiment=replace(args.experiment, prepare=prepare))


def _check_enough(args: Parsed[RunArguments], plan: Plan) -> None:
    """Whether there are so many splits.

    Raises:
        InputError: there are fewer ways to hold so many rows out.
    """
    import numpy as np

    from vaeclust_jax.data import subjects_of

    whose = subjects_of(plan.parts.fitted)
    n, units = (len(plan.parts.fitted.x), "rows") if whose is None else (len(np.unique(whose)), "subjects")
    held_out = round(n * args.experiment.prepare.validation)
    if args.flags.splits > 1 and (ways := math.comb(n, held_out)) < args.flags.splits:
        raise InputError(f"splits must be at most {ways}, the ways to hold {held_out} of {n} {units} out")


def _print(found: Any, tables: Any, folder: Path, *, verbose: bool) -> None:
    from vaeclust_jax.folder.table import print_tables

    print_tables([table for table in tables if verbose or table.name == "scores"])
    for sentence in found.findings:
        print(sentence)
    print(folder)
