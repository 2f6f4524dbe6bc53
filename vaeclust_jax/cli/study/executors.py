"""Where the cells of a study run: processes of this machine, or jobs that submitit hands to a cluster."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from vaeclust_jax.cli.interrupt import Terminated
from vaeclust_jax.cli.study.cell import Outcome, pass_on, run_cell
from vaeclust_jax.errors import InputError

_SECONDS = 5.0
"""Between two looks at a cluster's jobs."""


class Work(NamedTuple):
    """A cell to run.

    Attributes:
        name: for a person.
        words: after `vaeclust run`.
        folder: its own.
    """

    name: str
    words: tuple[str, ...]
    folder: Path


Executor = Callable[[Sequence[Work]], Iterator[tuple[Work, Outcome]]]
"""Yields each cell when it has ended, in whatever order."""


def local(workers: int) -> Executor:
    """So many processes at a time. An interrupt ends those under way after their epoch, and begins no more."""

    def execute(cells: Sequence[Work]) -> Iterator[tuple[Work, Outcome]]:
        with ThreadPoolExecutor(workers) as pool:
            futures = {pool.submit(run_cell, cell.words, cell.folder): cell for cell in cells}
            try:
                for future in as_completed(futures):
                    yield futures[future], future.result()
            except BaseException as error:
                pool.shutdown(wait=False, cancel_futures=True)
                pass_on(signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT)
                raise

    return execute


def submitit(folder: Path, parameters: Mapping[str, Any]) -> Executor:
    """A job a cell, of one array; they go on when this process ends, and the next one takes up what they did.

    Args:
        folder: of submitit's own files.
        parameters: of `submitit.AutoExecutor.update_parameters`; `cluster` is that of `AutoExecutor`.

    Raises:
        InputError: submitit is not installed, or does not know a parameter.
    """
    if find_spec("submitit") is None:
        raise InputError("submitit is not installed: pip install 'vaeclust_jax[submitit]'")
    import submitit as library

    settings = dict(parameters)
    try:
        executor = library.AutoExecutor(folder=folder, cluster=settings.pop("cluster", None))
        executor.update_parameters(**settings)
    except (NameError, TypeError, ValueError, AssertionError, RuntimeError) as error:
        raise InputError(f"submitit refuses the study's settings of a job: {error}") from error

    def execute(cells: Sequence[Work]) -> Iterator[tuple[Work, Outcome]]:
        with executor.batch():
            jobs = [executor.submit(run_cell, cell.words, cell.folder) for cell in cells]
        waiting = dict(zip(jobs, cells, strict=True))
        while waiting:
            for job in [job for job in waiting if job.done()]:
                yield waiting.pop(job), _outcome(job)
            if waiting:
                time.sleep(_SECONDS)

    return execute


def _outcome(job: Any) -> Outcome:
    try:
        found: Outcome = job.result()
    except Exception as error:  # submitit's: killed, out of memory, out of time
        return Outcome(None, f"job {job.job_id} ended early: {str(error).strip().splitlines()[-1]}")
    return found
