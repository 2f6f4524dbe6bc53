"""Subcommands: each parses its own arguments, so that `--help` shows what belongs to it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import tyro

from vaeclust_jax.cli.parsing import parsed
from vaeclust_jax.errors import InputError


class _Command(NamedTuple):
    """What is typed after its name, what it does, and what does it."""

    words: str
    text: str
    run: Callable[[list[str]], None]


def _usage() -> str:
    lines = (f"  {f'{name} {one.words}':26}{one.text}" for name, one in _COMMANDS.items())
    return f"""usage: vaeclust COMMAND ...

Deep clustering with variational autoencoders: clusters, a probability for every sample, figures, a model.

commands:
{chr(10).join(lines)}

`vaeclust COMMAND --help` shows a command's options, `vaeclust -V` the version."""


@dataclass(frozen=True)
class _Data:
    """The named data sets."""

    action: tyro.conf.Positional[Literal["list", "get"]]
    """list: what there is and where; get: download one."""
    name: tyro.conf.Positional[Annotated[str | None, tyro.conf.arg(metavar="[NAME]")]] = None
    """The set to get."""


@dataclass(frozen=True)
class _Nothing:
    """No options."""


def dispatch(argv: list[str]) -> None:
    """Runs the command in `argv`."""
    if len(argv) > 1 and argv[0] == "help":
        argv = [argv[1], "--help"]
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_usage())
        return
    if argv[0] in ("-V", "--version"):
        from importlib.metadata import version

        print(version("vaeclust_jax"))
        return
    if argv[0] not in _COMMANDS:
        import difflib

        near = difflib.get_close_matches(argv[0], _COMMANDS, n=1)
        raise InputError(
            f"no command {argv[0]!r}; {f'did you mean {near[0]}?' if near else 'commands are ' + ', '.join(_COMMANDS)}"
        )
    _COMMANDS[argv[0]].run(argv[1:])


def _run(argv: list[str]) -> None:
    from vaeclust_jax.cli.repetitions import run

    run(argv)


def _predict(argv: list[str]) -> None:
    from vaeclust_jax.cli.predict import predict

    predict(argv)


def _report(argv: list[str]) -> None:
    from vaeclust_jax.cli.report import report

    report(argv)


def _compare(argv: list[str]) -> None:
    from vaeclust_jax.cli.compare import compare

    compare(argv)


def _suggest(argv: list[str]) -> None:
    from vaeclust_jax.cli.suggest import suggest

    suggest(argv)


def _tune(argv: list[str]) -> None:
    from vaeclust_jax.cli.tune import tune

    tune(argv)


def _study(argv: list[str]) -> None:
    from vaeclust_jax.cli.study.command import study

    study(argv)


def _check(argv: list[str]) -> None:
    from vaeclust_jax.cli.check import check

    check(argv)


def _completion(argv: list[str]) -> None:
    from vaeclust_jax.cli.completion import completion

    completion(argv, {name: one.text for name, one in _COMMANDS.items()})


def _list(argv: list[str]) -> None:
    parsed(_Nothing, argv, "vaeclust list", description="The experiments and methods that `vaeclust run` knows.")
    from vaeclust_jax.experiments import DEFAULT, EXPERIMENTS, summary_of
    from vaeclust_jax.methods.registry import all_methods

    for name, experiment in EXPERIMENTS.items():
        print(f"{name:30}{experiment.summary}{' (default)' if name == DEFAULT else ''}")
    print("\nmethods, each alone:")
    for name, kind in all_methods().items():
        print(f"{name:30}{summary_of(kind)}")


def _data(argv: list[str]) -> None:
    args = parsed(_Data, argv, "vaeclust data")
    from vaeclust_jax.data import get, list_datasets

    if args.action == "get":
        if args.name is None:
            raise InputError("data get needs the name of a set: `vaeclust data list` shows them")
        print(get(args.name))
        return
    for row in list_datasets():
        classes = "no classes" if row.num_classes is None else f"{row.num_classes} classes"
        print(f"{row.name:22}{' x '.join(map(str, row.shape)):24}{classes:13}{row.description}\n{'':22}{row.where}")


def _info(argv: list[str]) -> None:
    parsed(_Nothing, argv, "vaeclust info", description="Devices, versions and folders.")
    import os
    from importlib.metadata import PackageNotFoundError, version

    import jax

    from vaeclust_jax.compiling import compilation_cache_bytes, compilation_cache_dir
    from vaeclust_jax.data import cache_dir
    from vaeclust_jax.machine import num_cores

    def line(name: str, value: object) -> None:
        print(f"{name:18}{value}")

    devices = jax.devices()
    # A CPU has one word for both.
    words = (dict.fromkeys((device.platform, device.device_kind)) for device in devices)
    line("devices", ", ".join(map(" ".join, words)))
    gpu = any(device.platform == "gpu" for device in devices)
    line("GPU", "yes" if gpu else "no (pip install 'vaeclust_jax[cuda]' where there is one)")
    line("CPU cores", num_cores())
    line("python", sys.version.split()[0])
    for name in (
        "vaeclust_jax",
        "jax",
        "jaxlib",
        "flax",
        "optax",
        "orbax-checkpoint",
        "numpy",
        "scikit-learn",
    ):
        try:
            line(name, version(name))
        except PackageNotFoundError:
            line(name, "not installed")
    line("VAECLUST_DATA", os.environ.get("VAECLUST_DATA", "not set (a folder of data sets to look in first)"))
    line("data cache", cache_dir())
    compiled = compilation_cache_dir()
    size = "" if compiled is None else f"{compiled} ({compilation_cache_bytes(compiled) / 1e6:.1f} MB)"
    line("compiled programs", size or "not kept (jax_enable_compilation_cache is off)")


_COMMANDS = {
    "run": _Command("[EXPERIMENT] [DATA]", "fit, score, draw; default: our best method on the embedded digits", _run),
    "predict": _Command("RUN_DIR INPUT", "label new samples with a run's model", _predict),
    "report": _Command("RUN_DIR", "the page of a run again, and its tables for other programs", _report),
    "compare": _Command("RUN_DIR...", "runs side by side: scores, tests of every pair, ranks over data sets", _compare),
    "suggest": _Command("RUN_DIR", "which rows to label, for run --hints", _suggest),
    "tune": _Command("[EXPERIMENT] [DATA]", "choose settings without labels", _tune),
    "study": _Command("FILE.toml", "methods on data sets: a run each, side by side; goes on where it ended", _study),
    "check": _Command("DATA", "what would be trained on, and what is odd about it", _check),
    "list": _Command("", "the experiments and the methods", _list),
    "data": _Command("list | get NAME", "the data sets, and where they are", _data),
    "info": _Command("", "devices, versions, folders", _info),
    "completion": _Command("SHELL", "the script by which bash, zsh or fish completes these words", _completion),
}
