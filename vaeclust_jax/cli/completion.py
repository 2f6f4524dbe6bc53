"""`vaeclust completion`: the script by which a shell completes commands, experiments and flags."""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import shtab
import tyro

from vaeclust_jax.cli import check, compare, predict, report, suggest
from vaeclust_jax.cli.arguments import Arguments as FitArguments
from vaeclust_jax.cli.flags import NETWORKS_BY_NAME, Section, Setting, choices_of
from vaeclust_jax.cli.parsing import parsed
from vaeclust_jax.cli.run import RunArguments
from vaeclust_jax.cli.study.command import Arguments as StudyArguments
from vaeclust_jax.cli.tune import TuneArguments
from vaeclust_jax.cli.words import SHORT
from vaeclust_jax.data import ReadConfig
from vaeclust_jax.data.registry import DATASETS
from vaeclust_jax.experiments import DEFAULT, EXPERIMENTS, experiment_of
from vaeclust_jax.field_texts import texts_of
from vaeclust_jax.methods.registry import all_methods

_READ_FROM = ("data", "dataset", "input", "outliers")
"""Words that are a path or the name of a data set."""


@dataclass(frozen=True)
class Arguments:
    """Prints the script by which a shell completes commands, experiments and flags.

    bash: eval "$(vaeclust completion bash)" in ~/.bashrc. zsh: write it to a file _vaeclust in a folder of $fpath.
    fish: write it to ~/.config/fish/completions/vaeclust.fish.
    """

    shell: tyro.conf.Positional[Literal["bash", "zsh", "fish"]]
    """The shell that is to complete."""


_ARGUMENTS: dict[str, type] = {
    "run": RunArguments,
    "predict": predict.Arguments,
    "report": report.Arguments,
    "compare": compare.Arguments,
    "suggest": suggest.Arguments,
    "tune": TuneArguments,
    "study": StudyArguments,
    "check": check.Arguments,
    "completion": Arguments,
}


def completion(argv: list[str], commands: Mapping[str, str]) -> None:
    """Runs the command.

    Args:
        argv: its words.
        commands: all of them, and what is said of each.
    """
    args = parsed(Arguments, argv, "vaeclust completion")
    print(shtab.complete(_parser(commands), shell=args.shell))


def _parser(commands: Mapping[str, str]) -> argparse.ArgumentParser:
    """The words of every command. It parses nothing: the script is made from it."""
    whole = argparse.ArgumentParser(prog="vaeclust")
    whole.add_argument("-V", "--version", action="store_true", help="the version")
    parsers = whole.add_subparsers()
    for name, text in commands.items():
        parser = parsers.add_parser(name, help=text, description=text)
        if name == "data":
            parser.add_argument("action", choices=("list", "get"))
            parser.add_argument("name", choices=tuple(DATASETS))
        seen = set()
        for setting, positional in _words(_ARGUMENTS[name]) if name in _ARGUMENTS else ():
            if setting.name not in seen:  # of several methods that have it, the first
                _add(parser, setting, positional)
            seen.add(setting.name)
    return whole


def _words(kind: type) -> Iterator[tuple[Setting, bool]]:
    """Those of a command, and whether each stands without a flag; of a fit also those of every method and network."""
    hints, marked, texts = get_type_hints(kind), get_type_hints(kind, include_extras=True), texts_of(kind)
    values: list[Any] = []
    for one in fields(kind):
        if hints[one.name] is ReadConfig:
            values.append(ReadConfig())
            continue
        named = one.name == "experiment"
        hint = Literal[tuple(dict.fromkeys([*EXPERIMENTS, *all_methods()]))] if named else hints[one.name]
        yield (
            Setting(one.name, hint, None, texts.get(one.name, "")),
            "Positional" in map(str, get_args(marked[one.name])),
        )
        if named:
            yield Setting("data", str, None, "A data set or a path"), True
    if issubclass(kind, FitArguments):
        base = experiment_of(DEFAULT)
        values += [ReadConfig(), base.prepare, base.training]
        values += [experiment_of(name).method for name in all_methods()]
        values += [network() for network in NETWORKS_BY_NAME.values()]
    for value in values:
        for setting in _every(value):
            yield setting, False


def _every(value: Any) -> Iterator[Setting]:
    """The settings of a value, and those of all choices inside it."""
    yield from Section("", value).settings()
    hints = get_type_hints(type(value))
    for one in fields(value):
        for inner in choices_of(hints[one.name]).values():
            yield from _every(inner())


def _add(parser: argparse.ArgumentParser, setting: Setting, positional: bool) -> None:
    text = setting.text.partition(". ")[0].replace("%", "%%")
    names = [setting.name] if positional else [setting.flag, *filter(None, [SHORT.get(setting.flag)])]
    if setting.hint is bool:
        for flag in setting.switches():
            parser.add_argument(flag, action="store_true", help=text)
        return
    word = parser.add_argument(*names, help=text, choices=_choices(setting.hint))
    if setting.name in _READ_FROM or Path in (setting.hint, *get_args(setting.hint)):
        word.complete = shtab.FILE  # type: ignore[attr-defined]


def _choices(hint: Any) -> tuple[str, ...] | None:
    """The words that a Literal, or one beside other types, is among."""
    if get_origin(hint) is Literal:
        return tuple(map(str, get_args(hint)))
    inner = [one for part in get_args(hint) if (one := _choices(part))]
    return tuple(word for words in inner for word in words) or None
