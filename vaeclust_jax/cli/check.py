"""`vaeclust check`."""

from dataclasses import dataclass, field
from typing import Annotated

import tyro

from vaeclust_jax.cli.parsing import parsed
from vaeclust_jax.cli.reading import read
from vaeclust_jax.cli.words import with_header
from vaeclust_jax.data import ReadConfig
from vaeclust_jax.data.oddities import oddities, summary


@dataclass(frozen=True)
class Arguments:
    """Says what `vaeclust run --dataset DATA` would train on, and what is odd about it; trains nothing."""

    data: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="DATA")]]
    """As --dataset: a file, a folder, or the name of a data set."""
    reading: tyro.conf.OmitArgPrefixes[ReadConfig] = field(default_factory=ReadConfig)
    """How it is read."""


def check(argv: list[str]) -> None:
    """Runs the command."""
    args = parsed(Arguments, with_header(argv), "vaeclust check")
    dataset = read(args.data, args.reading)
    for line in summary(dataset):
        print(line)
    odd = oddities(dataset)
    for line in odd:
        print(f"odd: {line}")
    if not odd:
        print("nothing odd was found")
