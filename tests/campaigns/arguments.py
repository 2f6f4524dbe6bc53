"""Odd words: whatever is typed after `vaeclust`, it works, or ends with one sentence and code 2."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from tests.campaigns.campaign import Rng, Trial, bounded
from tests.campaigns.command import Reached, check_answer, vaeclust
from tests.campaigns.mutate import LONG, pick
from tests.fitting.made import blobs
from tests.page.made_run import make_run
from vaeclust_jax.cli.flags import all_switches, as_flag, switches_of
from vaeclust_jax.cli.run import RunArguments
from vaeclust_jax.cli.words import SHORT
from vaeclust_jax.data import DATASETS, PrepareConfig, ReadConfig
from vaeclust_jax.experiments import EXPERIMENTS
from vaeclust_jax.fitting.config import TrainingConfig
from vaeclust_jax.methods.registry import all_methods
from vaeclust_jax.networks import NETWORKS

_COMMANDS = ("run", "predict", "report", "compare", "tune", "check", "list", "data", "info")
_KINDS: tuple[Any, ...] = (
    RunArguments,
    PrepareConfig,
    ReadConfig,
    TrainingConfig,
    *NETWORKS.values(),
    *all_methods().values(),
)
FLAGS = sorted({as_flag(one.name) for kind in _KINDS for one in fields(kind)} | {*SHORT.values()})
SWITCHES = sorted({*all_switches(), *switches_of(RunArguments), "--help", "--help-all", "-h", "-V", "--version"})
OF_OTHERS = ("--seed", "--overwrite", "--force", "--write-h5ad", "--score", "--protocol", "--every-method", "--stepp")
NAMES = (
    "digits",
    "kmeans",
    "vae",
    "auto",
    "none",
    "mlp",
    "conv",
    "bernoulli",
    "gaussian",
    "dynamic",
    "nmi",
    "all",
    "yes",
)
ODD = (
    *("", " ", "-", "--", "=", "*", "..", "%s%n", "$HOME", "[1]", "{}", "a=b", "None", "no/such", "no/such.npz"),
    *("-1", "0", "1", "2", "3", "7", "1e9", "-1e308", "nan", "inf", "3.5", "0x10", "1_000", "4294967295", "1000000000"),
    *("é", "Ω-run", "\U0001f600", "a\nb", "\x1b[31mred", "\udcff", "x" * 300, LONG, str(10**50)),
    *("dynamic:a=0.1", "dynamic:", "pid:x", "linear:0,1"),
)  # fmt: skip


def arguments(folder: Path) -> Trial:
    """Words of the real parser, of its flags and values, and any other; nothing is trained, and nothing downloaded."""
    data = _files(folder)
    work = folder / "a" / "b" / "c"  # where "../.." is still ours
    work.mkdir(parents=True)

    def trial(rng: Rng) -> str:
        words = line(rng, data)
        with _alone(work, folder):
            try:
                with bounded(seconds=20, megabytes=400):
                    answer = vaeclust(*words)
                outcome = check_answer(answer, folder)
            except Reached:
                outcome = "would train"
            except BaseException as error:
                error.add_note(f"vaeclust {words!r}"[:2000])
                raise
        return f"{words[0] if words and words[0] in _COMMANDS else 'no command'}: {outcome}"

    return trial


def line(rng: Rng, data: list[str]) -> list[str]:
    """The words of a command, more right than wrong."""
    command = pick(rng, _COMMANDS) if rng.random() < 0.5 else "run"
    words = [command] if rng.random() < 0.98 else []
    for _ in range(rng.integers(0, 3)):
        words.append(_word(rng, [*EXPERIMENTS, *all_methods(), *data]))
    for _ in range(rng.integers(0, 6)):
        if rng.random() < 0.25:
            words.append(pick(rng, SWITCHES))
            continue
        flag = pick(rng, OF_OTHERS if rng.random() < 0.1 else FLAGS)
        if rng.random() < 0.05:
            flag = pick(rng, [flag[:-1], flag.upper(), flag.replace("-", "_"), flag[1:], f"{flag}x"])
        value = _word(rng, [*NAMES, *NETWORKS, *data, "1", "2", "3", "5", "0.5"])
        words += [f"{flag}={value}"] if rng.random() < 0.3 else [flag, value][: 1 if rng.random() < 0.05 else 2]
    if rng.random() < 0.05:
        rng.shuffle(words)
    return words


def _word(rng: Rng, right: list[str]) -> str:
    if rng.random() < 0.5:
        return pick(rng, right)
    if rng.random() < 0.7:
        return pick(rng, ODD)
    return "".join(chr(pick(rng, [*range(1, 300), *range(0x4E00, 0x4E80)])) for _ in range(rng.integers(1, 9))).lstrip(
        "/."
    )


def _files(folder: Path) -> list[str]:
    """Data, good and bad, a run's folder, and names that need a network."""
    x, y = blobs()
    np.savez(folder / "x.npz", x=x, y=y)
    np.savez(folder / "cut.npz", x=x)
    (folder / "cut.npz").write_bytes((folder / "cut.npz").read_bytes()[:200])
    (folder / "notes.txt").write_text("mine")
    (folder / "table.csv").write_text(
        "a,b,label\n" + "".join(f"{number},{number % 7},{number % 3}\n" for number in range(40))
    )
    (folder / "empty").mkdir()
    make_run(folder / "run")
    return [*(str(folder / name) for name in ("x.npz", "cut.npz", "notes.txt", "table.csv", "empty", "run")), *DATASETS]


@contextmanager
def _alone(work: Path, home: Path) -> Iterator[None]:
    """In a folder of its own, without data sets, a network or training."""
    places = {"VAECLUST_CACHE": str(home / "cache"), "VAECLUST_DATA": str(home / "data"), "HOME": str(home)}
    before = os.getcwd()
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, places))
        stack.enter_context(patch("vaeclust_jax.fitting.fit.train", side_effect=Reached))
        stack.enter_context(patch.object(socket.socket, "connect", side_effect=OSError("no network here")))
        stack.enter_context(patch.object(socket, "getaddrinfo", side_effect=OSError("no network here")))
        os.chdir(work)
        try:
            yield
        finally:
            os.chdir(before)
