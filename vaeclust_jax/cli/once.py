"""One run of `vaeclust run`: its folder, its fits, and what becomes of it when it is ended early."""

import shlex
import shutil
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

from vaeclust_jax.cli.arguments import Parsed
from vaeclust_jax.cli.run import Plan, RunArguments, planned
from vaeclust_jax.errors import InputError, ProcessGoneError


class Done(NamedTuple):
    """A run that has ended: its record, its tables, where they are, how long it took, and its page if it has one."""

    metrics: Any
    tables: Any
    folder: Path
    seconds: float
    page: Path | None


def new_folder(args: Parsed[RunArguments]) -> Path:
    """Of a run that begins."""
    from vaeclust_jax.folder import new_run_folder

    return new_run_folder(args.flags.out, args.experiment.name)


def run_once(args: Parsed[RunArguments], argv: list[str], begin: Callable[[Plan], Path]) -> Done:
    """Plans, fits, measures and writes one run.

    Args:
        args: what was asked for; with `resume`, to go on with.
        argv: the words that mean it.
        begin: makes the folder of a run that is not resumed, when nothing of its plan can be refused any more.
    """
    from vaeclust_jax.cli.interrupt import Interrupt
    from vaeclust_jax.cli.processes import leave, together
    from vaeclust_jax.cli.progress import Reporter
    from vaeclust_jax.cli.resume import ARGUMENTS, CHECKPOINTS, remember
    from vaeclust_jax.folder.latest import point_latest
    from vaeclust_jax.studies.execute import execute
    from vaeclust_jax.studies.write import has_ended
    from vaeclust_jax.trackers import TRACKERS
    from vaeclust_jax.training.checkpoint import Checkpoint
    from vaeclust_jax.training.checkpoint_folder import lock

    started = time.perf_counter()
    plan = planned(args)
    experiment, flags = args.experiment, args.flags
    if args.resume is None:
        folder = begin(plan)
        remember(folder, argv, plan.choice, plan.views, flags.hints)
    else:
        folder = args.resume
    Thread(target=_import_what_draws, name=IMPORTS, daemon=True).start()
    held = lock(folder / CHECKPOINTS)
    trackers = [TRACKERS[name](folder, resume=args.resume is not None) for name in dict.fromkeys(flags.track)]
    with Reporter(quiet=flags.quiet) as reporter:
        reporter.say(plan.headline(experiment.name))
        try:
            with Interrupt() as interrupt, together():
                metrics, tables = execute(
                    experiment,
                    plan.config,
                    plan.parts,
                    plan.seeds,
                    folder,
                    say=interrupt.checked(reporter.say),
                    callbacks=lambda arm: [reporter, *(tracker.of(arm) for tracker in trackers), interrupt],
                    others=plan.others,
                    choice=plan.choice,
                    views=plan.views,
                    checkpoint=Checkpoint(folder / CHECKPOINTS, flags.checkpoint_epochs, flags.checkpoint_minutes),
                    mesh=plan.mesh,
                    fitted=leave,
                )
                for tracker in trackers:
                    tracker.keep()
                    reporter.say(f"{tracker.package}: {tracker.shown_by}")
            point_latest(folder)
        except InputError:
            if args.resume is not None or not discard(folder):
                print(f"vaeclust: what was written so far is in {folder}", file=sys.stderr)
            raise
        except BaseException as error:
            print(f"vaeclust: what was written so far is in {folder}", file=sys.stderr)
            again = (
                folder.parent if (folder.parent / ARGUMENTS).exists() else folder
            )  # of all repetitions, if it is one
            if isinstance(error, KeyboardInterrupt | ProcessGoneError) and not has_ended(again):
                print(
                    f"vaeclust: to go on from there: vaeclust run --resume {shlex.quote(str(again))}", file=sys.stderr
                )
            raise
        finally:
            held.release()
        page = _page(folder, reporter.say) if flags.page else None
    return Done(metrics, tables, folder, time.perf_counter() - started, page)


def run_beside(args: Parsed[RunArguments]) -> None:
    """What a run's processes do but for the first: they fit with it, and write nothing."""
    from vaeclust_jax.cli.interrupt import Interrupt
    from vaeclust_jax.cli.processes import leave, together
    from vaeclust_jax.studies.execute import fit_beside
    from vaeclust_jax.training.checkpoint import Checkpoint

    plan = planned(args)
    nowhere = Checkpoint(Path())  # the first keeps them
    with Interrupt() as interrupt, together():
        fit_beside(args.experiment, plan.config, plan.parts, plan.seeds, lambda arm: [interrupt], nowhere, plan.mesh)
        leave()


IMPORTS = "imports of what draws"
"""The name of a thread."""


def _import_what_draws() -> None:
    """Seconds, which pass on another core while the epochs run."""
    for name in ("matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "bokeh.plotting"):
        import_module(name)


def _page(folder: Path, say: Callable[[str], None]) -> Path | None:
    """The page of a run that has ended; whatever goes wrong with it, the run is there."""
    from vaeclust_jax.page.page import write_page

    say("writing the page")
    try:
        return write_page(folder)
    except Exception as error:
        print(
            f"vaeclust: no page was written: {error}; `vaeclust report {shlex.quote(str(folder))}` tries again",
            file=sys.stderr,
        )
        return None


def discard(folder: Path) -> bool:
    """Removes the folder of a run that was refused before it trained; one that holds results stays."""
    from vaeclust_jax.cli.resume import ARGUMENTS, CHECKPOINTS, CHOSEN, HINTS

    if {path.name for path in folder.iterdir()} - {"config.json", ARGUMENTS, CHOSEN, CHECKPOINTS, HINTS}:
        return False
    if any((folder / CHECKPOINTS).glob("*/epochs")):
        return False
    shutil.rmtree(folder)
    return True
