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
    from vaeclust_jax.errors import InputError, TrainingDivergedError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that knows no en dash shows a question mark
            stream.reconfigure(errors="replace")
    try:
        from vaeclust_jax.cli.commands import dispatch

        with warnings.catch_warnings():
            warnings.showwarning = _show  # type: ignore[assignment]
            dispatch(sys.argv[1:])
    except InputError as error:
        print(f"vaeclust: {error}", file=sys.stderr)
        sys.exit(2)
    except TrainingDivergedError as error:
        print(f"vaeclust: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt as error:
        print("vaeclust: interrupted", file=sys.stderr)
        sys.exit(143 if type(error).__name__ == "Terminated" else 130)
    except BrokenPipeError:  # `vaeclust data list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # of a place that the person chose: no room on its disk, a name that is too long
        print(f"vaeclust: {InputError(f'{error.strerror or error}: {error.filename}')}", file=sys.stderr)
        sys.exit(2)


def _show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *more: Any) -> None:
    """What was taken of data is a line for the person; other warnings are shown with their place in the code."""
    from vaeclust_jax.errors import InputWarning

    if issubclass(category, InputWarning):
        print(f"warning: {message}", file=sys.stderr)
    else:
        print(warnings.formatwarning(message, category, filename, lineno), end="", file=sys.stderr)
