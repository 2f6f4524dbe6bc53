"""`python -m benchmarks`: this library beside its peers, measured in one process, in turn."""

import os
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from benchmarks.case import Case, Effort
from vaeclust_jax.errors import InputError
from vaeclust_jax.machine import num_cores
from vaeclust_jax.training.mesh import made_of_cores

FULL, QUICK, SMOKE = Effort("full", 15), Effort("quick", 3), Effort("smoke", 1)


@dataclass(frozen=True)
class Arguments:
    """Measures this library beside its peers, prints a table as it grows, and writes JSON."""

    cases: tuple[str, ...] = ()
    """Names of cases; default: all, and with --quick those that a star does not mark."""
    quick: bool = False
    """Fewer repetitions, smaller sizes: under 2 minutes, and no JSON without --out."""
    smoke: bool = False
    """Only whether it runs, in seconds; the figures mean nothing, and no JSON without --out."""
    out: Path | None = None
    """The JSON file; one of the same machine keeps the rows of cases that are not run. Default: a file of
    benchmarks/results/, named after the machine."""
    write_readme: bool = False
    """Measure nothing: write the figures in benchmarks/results/ into benchmarks/README.md."""


def main(argv: Sequence[str]) -> int:
    """Runs the command: 0, 1 where a case failed, 2 for the person's mistake (one sentence), 130 for Ctrl-C."""
    from benchmarks.cases import all_cases

    try:
        every = all_cases()
        args = _parse(argv, every)
        if args.write_readme:
            return _write_readme(args)
        chosen = _chosen(args, every)
        return _measure(args, argv, chosen, list(every))
    except InputError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("benchmarks: interrupted", file=sys.stderr)
        return 130


def _parse(argv: Sequence[str], every: dict[str, Case]) -> Arguments:
    listed = "\n".join(f"  {case.name + '*' * (not case.in_quick):4}{case.title}" for case in every.values())
    return tyro.cli(
        Arguments,
        args=list(argv),
        prog="python -m benchmarks",
        description=f"{Arguments.__doc__}\n\ncases:\n{listed}",
        config=(tyro.conf.FlagCreatePairsOff,),
    )


def _chosen(args: Arguments, every: dict[str, Case]) -> list[Case]:
    for name in args.cases:
        if name not in every:
            raise InputError(f"--cases must be of {', '.join(every)}, got {name!r}")
    if args.cases:
        return [case for case in every.values() if case.name in args.cases]
    return [case for case in every.values() if case.in_quick or not args.quick]


def _write_readme(args: Arguments) -> int:
    from benchmarks.readme import README, write_readme

    if args != Arguments(write_readme=True):
        raise InputError("--write-readme must be given alone, got other flags beside it: it measures nothing")
    files = write_readme()
    print(f"{README}: the figures of {', '.join(path.name for path in files) or 'no file'}")
    return 0


def _measure(args: Arguments, argv: Sequence[str], cases: Sequence[Case], order: Sequence[str]) -> int:
    from benchmarks.execute import execute
    from benchmarks.machine import describe, this_machine
    from benchmarks.results import FOLDER, Results
    from benchmarks.table import head, verdicts

    effort = _effort(args)
    started = time.perf_counter()
    path = FOLDER / f"{this_machine().label}.json" if args.out is None and effort.full else args.out
    run = describe(effort, shlex.join(["python", "-m", "benchmarks", *argv]))
    results = Results(path, run, order)
    print(*head(run), "", sep="\n", flush=True)
    try:
        failed = execute(cases, effort, results)
    except KeyboardInterrupt:
        if path is not None and results.rows:
            print(f"benchmarks: what was measured so far is in {path}", file=sys.stderr)
        raise
    print("", *verdicts(results.rows), *(f"{'FAILED':14}{line}" for line in failed), "", sep="\n")
    print(f"{time.perf_counter() - started:.0f} s", *([] if path is None else [path]), sep="\n")
    return 1 if failed else 0


def _effort(args: Arguments) -> Effort:
    if args.quick and args.smoke:
        raise InputError("--quick or --smoke must be given, got both")
    return SMOKE if args.smoke else QUICK if args.quick else FULL


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # XLA's notes are not the person's
    made_of_cores(num_cores())  # before jax begins; what lays nothing over devices uses the first alone, as ever
    sys.exit(main(sys.argv[1:]))
