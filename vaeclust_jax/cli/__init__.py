"""The command `vaeclust`."""

import io
import os
import sys
import warnings
from typing import Any


def main() -> None:
    """Exits with 0, 2 (the person's mistake, one sentence), 1 (ours), 130 (Ctrl-C) or 143 (SIGTERM)."""
    # orbax and absl log at INFO through the root handler; a person wants our lines alone. XLA even logs errors that
    # are none: of every program read from the cache on some Intel CPUs (jax issue 38445). Real ones raise.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that knows no en dash shows a question mark
            stream.reconfigure(errors="replace")
    status = _status(sys.argv[1:])
    if status:
        _end_beside_others(status)
        sys.exit(status)


def _end_beside_others(status: int, error: Exception | None = None) -> None:
    """Where several processes do a run, and this one fails."""
    if "vaeclust_jax.cli.processes" in sys.modules:
        from vaeclust_jax.cli.processes import end

        end(status, error)


def _status(argv: list[str]) -> int:
    from vaeclust_jax.errors import InputError, ProcessGoneError, TrainingDivergedError

    try:
        from vaeclust_jax.cli.commands import dispatch

        with warnings.catch_warnings():
            warnings.showwarning = _show  # type: ignore[assignment]
            dispatch(argv)
    except InputError as error:
        print(f"vaeclust: {error}", file=sys.stderr)
        return 2
    except (TrainingDivergedError, ProcessGoneError) as error:
        print(f"vaeclust: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as error:
        print("vaeclust: interrupted", file=sys.stderr)
        return 143 if type(error).__name__ == "Terminated" else 130
    except BrokenPipeError:  # `vaeclust data list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "RESOURCE_EXHAUSTED" not in str(error):
            _end_beside_others(1, error)
            raise
        why = " ".join(str(error).split())[:150]
        print(f"vaeclust: there is not enough memory ({why}): make the model or the batches smaller", file=sys.stderr)
        return 1
    except OSError as error:  # of a place that the person chose: no room on its disk, a name that is too long
        place = "" if error.filename is None else f": {error.filename}"
        print(f"vaeclust: {InputError(f'{error.strerror or error}{place}')}", file=sys.stderr)
        return 2
    except Exception as error:
        _end_beside_others(1, error)
        raise
    return 0


def _show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *more: Any) -> None:
    """What was taken of data is a line for the person; other warnings are shown with their place in the code."""
    from vaeclust_jax.errors import InputWarning

    if issubclass(category, InputWarning):
        print(f"warning: {message}", file=sys.stderr)
    else:
        print(warnings.formatwarning(message, category, filename, lineno), end="", file=sys.stderr)
