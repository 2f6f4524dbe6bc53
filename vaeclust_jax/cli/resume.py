"""`vaeclust run --resume`: what a run was started with, that it is the same, and what it chose before it trained."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from vaeclust_jax.cli.arguments import Arguments, Parsed
from vaeclust_jax.cli.words import in_full
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config_json import config_to_json
from vaeclust_jax.folder import write_json
from vaeclust_jax.folder.typed_json import from_json, read_json
from vaeclust_jax.selection.augment import AugmentChoice
from vaeclust_jax.selection.num_clusters import Choice
from vaeclust_jax.studies.write import has_ended, tidy
from vaeclust_jax.whole_file import whole_file, write_whole

ARGUMENTS = "arguments.json"
"""In a run's folder: the words after `vaeclust run`."""
CHECKPOINTS = "checkpoints"
"""In the folder of a run that has not ended: where its fits are."""
CHOSEN = "chosen.json"
"""In the folder of a run that was asked for `auto`: what it took, which takes minutes to find again."""
HINTS = "hints.csv"
"""In a run's folder: what a person knew of its rows, as it was given."""
_FREE = (
    "out", "quiet", "verbose", "page", "resume", "compilation_cache", "checkpoint_epochs", "checkpoint_minutes",
    "coordinator", "process_id", "num_processes",
)  # fmt: skip
"""What a resumed run may do in another way: it changes no result."""
_SWITCHES = ("quiet", "verbose", "page")
"""Those of them that take no value."""
_DEVICES = ("devices", "mesh")
"""Likewise, but those of the run unless others are given: rows over other devices are summed in another order."""

A = TypeVar("A", bound=Arguments)


def remember(
    folder: Path, argv: list[str], choice: Choice | None, views: AugmentChoice | None, hints: Path | None = None
) -> None:
    """Writes down what the run was started with, its hints, and what it chose."""
    if hints is not None:
        with whole_file(folder / HINTS) as file:
            file.write(hints.read_bytes())
    chosen = {"choice": choice, "views": views}
    if any(chosen.values()):
        write_json(folder / CHOSEN, {name: one and one.record() for name, one in chosen.items()})
    write_whole(folder / ARGUMENTS, json.dumps(argv, indent=2) + "\n")


def given_again(args: Parsed[A], argv: list[str], parse: Callable[[list[str]], Parsed[A]]) -> Parsed[A]:
    """The arguments that the run of `args.resume` was started with.

    Args:
        args: of the command that resumes it.
        argv: their words. Where there are more than `--resume DIR`, they must mean the same.
        parse: from words to arguments.

    Raises:
        InputError: no such run, one that has ended, or arguments that differ, by name.
    """
    folder = args.resume
    assert folder is not None
    try:
        before = parse(list(from_json(tuple[str, ...], read_json(folder / ARGUMENTS), folder / ARGUMENTS)))
    except InputError as error:
        there = sorted(path.parent.name for path in folder.glob(f"*/{ARGUMENTS}")) if os.path.isdir(folder) else []
        why = f"it holds runs, such as {there[-1]}: give one of them" if there else error
        why = why if os.path.lexists(folder) else "it does not exist"
        raise InputError(f"{folder} is no folder of a run that can go on: {why}") from error
    if has_ended(folder):
        tidy(folder, folder / CHECKPOINTS)  # it may have been killed in its last moment
        raise InputError(f"the run in {folder} has ended: there is nothing left to do")
    given = any(getattr(args.flags, name) is not None for name in _DEVICES)
    taken = (*_FREE, *_DEVICES) if given else _FREE
    again = replace(before, flags=replace(before.flags, **{name: getattr(args.flags, name) for name in taken}))
    if _only_free(in_full(argv, ())):
        return again
    pairs = _compared(_settings(again), _settings(args))
    different = [f"{name} was {old} and is {new}" for name, old, new in pairs if old != new and name not in _DEVICES]
    if different:
        raise InputError(f"the run in {folder} was started with other settings: {', '.join(different)}")
    return again


def chosen_before(folder: Path) -> tuple[Choice | None, AugmentChoice | None]:
    """What a run that goes on chose when it was started: the number of clusters and the views.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / CHOSEN
    if not path.exists():
        return None, None
    try:
        kept = read_json(path)
        return kept["choice"] and Choice.of(kept["choice"]), kept["views"] and AugmentChoice.of(kept["views"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} cannot be read; without it, the run chooses again: {error!r}") from error


def _only_free(argv: list[str]) -> bool:
    takes_value = False
    for word in argv:
        flag, given, _ = word.partition("=")
        name = flag.removeprefix("--no-").removeprefix("--").replace("-", "_")
        if word.startswith("-"):
            if name not in (*_FREE, *_DEVICES):
                return False
            takes_value = not given and name not in _SWITCHES
        elif takes_value:
            takes_value = False
        else:
            return False  # an experiment or data
    return True


def _settings(args: Parsed[A]) -> dict[str, Any]:
    return {**asdict(args.flags), **asdict(args.reading), **config_to_json(args.experiment.config)}


def _compared(before: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    rows = []
    for name in dict.fromkeys((*before, *now)):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            rows += _compared(old, new)
        else:
            rows.append((name, old, new))
    return rows
