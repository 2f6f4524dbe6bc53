"""A run over several processes, on one host or many: how they find each other, and how they end together."""

import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

from vaeclust_jax.errors import InputError, ProcessGoneError

AUTO = "auto"
_ANSWERS, _ALIVE = 30, 30
"""Seconds until a coordinator that does not answer, or a process that says nothing, is given up."""
_WATCHED = "VAECLUST_WATCHED"
"""In the environment of a process that another one watches: where it says that it has joined."""
_GONE = (
    "another process of this run has ended or cannot be reached. What was kept is in the folder of the first; "
    "`vaeclust run --resume FOLDER` goes on from there with as many processes as there are"
)


def join(coordinator: str | None, process_id: int | None, num_processes: int | None, argv: list[str]) -> bool:
    """Joins the other processes, before jax has any device; False: nobody asked.

    A process that asks does not come back from here: it starts itself once more and watches that one, which joins.
    jax ends a process on the spot when the first is gone, or when not all come.

    Args:
        coordinator, process_id, num_processes: the flags.
        argv: all words after `vaeclust`.

    Raises:
        InputError: flags that do not belong together, no cluster that jax knows, or nobody who answers.
    """
    if coordinator is None:
        if process_id is not None or num_processes is not None:
            raise InputError("--process-id and --num-processes need --coordinator HOST:PORT")
        return False
    if coordinator == AUTO and (process_id, num_processes) != (None, None):
        raise InputError("--coordinator auto asks Slurm or Open MPI: leave --process-id and --num-processes out")
    if coordinator != AUTO:
        _check(coordinator, process_id, num_processes)
    if _WATCHED not in os.environ:
        _warn_of_loopback(coordinator)
        sys.exit(_watch(coordinator, argv))
    Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
    if process_id:
        _wait_for(coordinator)
    import jax

    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    try:
        jax.distributed.initialize(
            None if coordinator == AUTO else coordinator, num_processes, process_id,
            initialization_timeout=_ANSWERS, heartbeat_timeout_seconds=_ALIVE, shutdown_timeout_seconds=_ALIVE,
        )  # fmt: skip
    except Exception as error:  # of a kind for every transport and every cluster
        said = " ".join(str(error).split())[:200]
        raise InputError(f"no processes could be joined by --coordinator {coordinator}: {said}") from error
    os.write(int(os.environ[_WATCHED]), b"joined")
    return True


def _warn_of_loopback(coordinator: str) -> None:
    """CPUs talk by gloo, which listens at the address that the host's own name leads to; jax offers no other."""
    if coordinator == AUTO:  # the address is the cluster's to know
        return
    with suppress(OSError):
        own, there = (socket.gethostbyname(name) for name in (socket.gethostname(), coordinator.rpartition(":")[0]))
        if own.startswith("127.") and not there.startswith("127."):
            print(
                f"warning: this host's name, {socket.gethostname()}, leads to {own}: CPUs of other hosts will not find "
                "it there; name its address in the network in /etc/hosts",
                file=sys.stderr,
            )


def _watch(coordinator: str, argv: list[str]) -> int:
    """Starts the same command, hands signals on to it and says what jax says in its own way; its status."""
    reads, writes = os.pipe()
    child = subprocess.Popen(
        [sys.executable, "-m", "vaeclust_jax.cli", *argv], env={**os.environ, _WATCHED: str(writes)},
        pass_fds=[writes], start_new_session=True,
    )  # fmt: skip
    os.close(writes)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: child.send_signal(number))
    status = child.wait()
    joined = os.read(reads, 1)
    if status >= 0:
        return status
    if status != -signal.SIGABRT:
        print(f"vaeclust: the process was ended by signal {-status}", file=sys.stderr)
        return 1
    said = _GONE if joined else f"not all processes joined at {coordinator} within {_ANSWERS} s"
    print(f"vaeclust: {said}", file=sys.stderr)
    return 1 if joined else 2


def _end_with(watcher: int) -> None:
    """Nobody would know of this process when the one that was started is killed."""
    while os.getppid() == watcher:
        time.sleep(1)
    os._exit(1)


def _check(coordinator: str, process_id: int | None, num_processes: int | None) -> None:
    host, colon, port = coordinator.rpartition(":")
    if not (host and colon and port.isascii() and port.isdecimal() and 0 < int(port) < 2**16):
        raise InputError(f"--coordinator must be HOST:PORT or auto, got {coordinator!r}")
    if process_id is None or num_processes is None:
        raise InputError("--coordinator HOST:PORT needs --process-id and --num-processes")
    if num_processes < 1 or not 0 <= process_id < num_processes:
        raise InputError(
            f"process_id must lie in 0 to num_processes - 1, got {process_id} with num_processes {num_processes}"
        )


def _wait_for(coordinator: str) -> None:
    host, _, port = coordinator.rpartition(":")
    until = time.monotonic() + _ANSWERS
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection((host.strip("[]"), int(port)), timeout=5):
            return
        time.sleep(0.2)
    raise InputError(f"no coordinator answers at {coordinator} for {_ANSWERS} s: is process 0 running there?")


def leave() -> None:
    """Waits until all have nothing left to fit: what follows, each does alone."""
    import jax

    if jax.process_count() > 1:
        jax.distributed.shutdown()


@contextmanager
def together() -> Iterator[None]:
    """Around what several processes do together.

    Raises:
        ProcessGoneError: another one has ended, which a transfer between devices shows.
    """
    import jax

    try:
        yield
    except (jax.errors.JaxRuntimeError, ValueError) as error:  # gloo's are of either kind
        of_transfer = isinstance(error, jax.errors.JaxRuntimeError) or "Gloo" in str(error)
        if not (of_transfer and jax.distributed.is_initialized()) or "RESOURCE_EXHAUSTED" in str(error):
            raise
        raise ProcessGoneError(f"{_GONE} ({' '.join(str(error).split())[:200]})") from error


def end(status: int, error: Exception | None = None) -> None:
    """Ends this process at once if others wait for it: jax would wait for them in turn, and they see that it is gone.

    Returns where there are none.
    """
    import jax

    if jax.distributed.is_initialized():
        if error is not None:
            traceback.print_exception(error)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
