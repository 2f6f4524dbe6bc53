"""Words that people type, as the flags that they stand for."""

import os
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path

from vaeclust_jax.data.registry import DATASETS
from vaeclust_jax.errors import InputError

SHORT = {"--clusters": "-k", "--out": "-o", "--learning-rate": "--lr"}
_LONG = {short: long for long, short in SHORT.items()}


def in_full(argv: Sequence[str], names: Collection[str]) -> list[str]:
    """The words with data in the place of an argument and short flags written as `--dataset` and the long ones.

    Args:
        argv: `[NAME] [DATA] flags`.
        names: of experiments and methods, which a folder of the same name does not hide.

    Raises:
        InputError: data are given twice, or the experiment has no such form.
    """
    words = _with_form(with_header([_in_full(word) for word in argv]), names)
    place = int(bool(words) and words[0] in names)
    if len(words) > place and not words[place].startswith("-") and (place or is_data(words[0])):
        data = words.pop(place)
        if any(word.partition("=")[0] == "--dataset" for word in words):
            raise InputError(f"data are given twice, as {data} and by --dataset")
        words[place:place] = ["--dataset", data]
    return words


def _with_form(words: list[str], names: Collection[str]) -> list[str]:
    """`NAME --on WORD` as the experiment `NAME-on-WORD`."""
    place = next((number for number, word in enumerate(words) if word.partition("=")[0] == "--on"), None)
    if place is None:
        return words
    _, equals, form = words[place].partition("=")
    end = place + 1 if equals else place + 2
    form = form if equals else "".join(words[place + 1 : end])
    rest = words[:place] + words[end:]
    base = rest[0] if rest and rest[0] in names else ""
    forms = [name.removeprefix(f"{base}-on-") for name in names if base and name.startswith(f"{base}-on-")]
    if form not in forms:
        known = f"must be {' or '.join(sorted(forms))} of {base}" if forms else "follows an experiment that has forms"
        raise InputError(f"--on {known}, got {form!r}" if forms else f"--on {known}, such as course-hopfield")
    return [f"{base}-on-{form}", *rest[1:]]


def _in_full(word: str) -> str:
    flag, equals, value = word.partition("=")
    return f"{_LONG.get(flag, flag)}{equals}{value}"


def is_data(word: str) -> bool:
    """Whether a word that is no experiment's name means data: a named set, or what looks like a path."""
    return word in DATASETS or os.sep in word or Path(word).suffix != "" or os.path.exists(word)


def with_header(argv: Sequence[str]) -> list[str]:
    """The words with `--header` and `--no-header` as the setting of three values that they are short for."""
    found = []
    for word, following in pairwise([*argv, ""]):
        bare = word == "--header" and following not in ("auto", "yes", "no")
        found.append("--header=yes" if bare else "--header=no" if word == "--no-header" else word)
    return found
