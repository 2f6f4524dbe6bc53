"""`vaeclust study`."""

import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal

import tyro

from vaeclust_jax.cli.compare import read_runs, show, write_comparison
from vaeclust_jax.cli.interrupt import Terminated
from vaeclust_jax.cli.parsing import parsed
from vaeclust_jax.cli.study.cell import LOG, ended_run
from vaeclust_jax.cli.study.executors import Executor, Work, local, submitit
from vaeclust_jax.cli.study.plan import StudyFile, cells_of, read_study
from vaeclust_jax.errors import InputError
from vaeclust_jax.folder import check_writable
from vaeclust_jax.studies.side_by_side.runs import compare_runs
from vaeclust_jax.training.checkpoint_folder import lock


@dataclass(frozen=True)
class Arguments:
    """Runs every method of a study file on every data set of it, and puts the runs side by side.

    The file is TOML: methods = ["vaegraph", "vaedec --gamma 0.5"], datasets = ["digits", "my.csv --clusters 3"],
    seeds = 5, flags = "--epochs 30". Each pair is a run with all seeds as one program, in a process of its own. The
    same command goes on where it was ended: it runs what is missing.
    """

    file: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="FILE")]]
    """The study file."""
    out: Path = Path("studies")
    """Parent of the study's folder, which has the name of the file."""
    executor: Literal["local", "submitit"] = "local"
    """local: processes of this machine; submitit: jobs of a cluster, with the settings of the file's [submitit]."""
    workers: int = 1
    """Runs at a time on this machine: each takes all cores that it finds."""
    score: Literal["nmi", "acc", "ari", "ami"] = "nmi"
    """What pairs are tested in and ranks are made from."""
    quiet: bool = False
    """No progress on stderr."""


def study(argv: list[str]) -> None:
    """Runs the command."""
    args = parsed(Arguments, argv, "vaeclust study")
    if args.workers < 1:
        raise InputError(f"--workers must be at least 1, got {args.workers}")
    asked = read_study(args.file)
    folder = args.out / args.file.stem
    work = [Work(cell.name, cell.words, folder / cell.folder) for cell in cells_of(asked)]
    check_writable(folder)
    executor = _executor(args, asked, folder)
    with lock(folder):
        try:
            with _ends_on_sigterm():
                failed = _run(work, executor, asked.seeds, args.quiet)
        except KeyboardInterrupt:
            again = shlex.join(["vaeclust", "study", str(args.file), "--out", str(args.out)])
            print(f"vaeclust: to go on from there: {again}", file=sys.stderr)
            raise
        _compare(work, folder / "comparison", args.score)
    print(folder)
    if failed:
        print(f"vaeclust: {failed} of {len(work)} runs failed; the same command tries them again", file=sys.stderr)
        sys.exit(1)


def _executor(args: Arguments, asked: StudyFile, folder: Path) -> Executor:
    if args.executor == "submitit":
        return submitit(folder / "jobs", asked.submitit or {})
    return local(args.workers)


def _run(work: Sequence[Work], executor: Executor, seeds: int, quiet: bool) -> int:
    """Runs what is missing; how many failed."""

    def say(line: str) -> None:
        if not quiet:
            print(line, file=sys.stderr, flush=True)

    missing = [cell for cell in work if ended_run(cell.folder) is None]
    before = len(work) - len(missing)
    say(f"{len(work)} runs of {seeds} seed{'' if seeds == 1 else 's'}; {before} have ended before")
    if missing:
        say(f"each says in its folder how far it is: {missing[0].folder / LOG}")
    failed = 0
    for number, (cell, outcome) in enumerate(executor(missing), before + 1):
        failed += outcome.run is None
        how = f"failed: {outcome.said}" if outcome.run is None else f"ended in {outcome.seconds:.0f} s"
        say(f"{number}/{len(work)}  {cell.name}: {how}")
    return failed


def _compare(work: Sequence[Work], folder: Path, score: str) -> None:
    """Those that have ended, if there are two."""
    runs = [run for cell in work if (run := ended_run(cell.folder)) is not None]
    if len(runs) < 2:
        return
    found = compare_runs(read_runs(runs), score=score)
    check_writable(folder)
    write_comparison(folder, found)
    show(found)


@contextmanager
def _ends_on_sigterm() -> Iterator[None]:
    """SIGTERM, like Ctrl-C, is an exception here, and is passed on to the runs under way."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
