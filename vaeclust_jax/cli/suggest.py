"""`vaeclust suggest`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from vaeclust_jax.cli.parsing import parsed
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.serialisation import load
from vaeclust_jax.folder import check_writable, write_assignments
from vaeclust_jax.folder.assignment_file import read_columns
from vaeclust_jax.folder.latest import run_at
from vaeclust_jax.graph.suggested import suggested
from vaeclust_jax.graph.tree import cuttable


@dataclass(frozen=True)
class Arguments:
    """Lists rows of a run whose labels should help it most, the most useful first, as a CSV to be filled in.

    Write classes into its column label, leave empty what you do not know, and give it to `vaeclust run --hints`. Rows
    are taken from different branches of the tree of the run's clusters: large ones, and those in doubt, come first.
    """

    run_dir: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RUN_DIR")]]
    """The folder that `vaeclust run` printed, or `latest`; of a method that follows a graph."""
    number: int = 20
    """Rows to list."""
    out: Path = Path("suggested.csv")
    """The CSV to write."""
    overwrite: bool = False
    """Replace a file that is there already."""


def suggest(argv: list[str]) -> None:
    """Runs the command."""
    args = parsed(Arguments, argv, "vaeclust suggest")
    if args.number < 1:
        raise InputError(f"--number must be at least 1, got {args.number}")
    if args.out.is_dir():
        raise InputError(f"--out must be a file to write, got the folder {args.out}")
    if args.out.is_file() and not args.overwrite:
        raise InputError(f"{args.out} is there already: --overwrite replaces it, --out FILE writes another")
    folder = run_at(args.run_dir)
    run = load(folder)
    tree, table = cuttable(run.tree_), read_columns(folder / "assignments.csv")
    entropy = _entropy(folder, table)
    if len(entropy) != len(tree.merges.groups):
        raise InputError(f"{folder} has a tree of {len(tree.merges.groups)} samples and assignments of {len(entropy)}")
    known = None if run.hints is None else run.hints.constraints(len(entropy)).hinted
    rows = suggested(tree, entropy, args.number, known)
    table["label"] = [""] * len(entropy)
    names = ("row", "file", "sample", "label", "cluster", "probability", "entropy")
    columns = {name: [table[name][row] for row in rows] for name in names if name in table}
    check_writable(args.out.parent)
    write_assignments(args.out.resolve(), columns)  # a link stays one
    print(args.out)


def _entropy(folder: Path, table: dict[str, list[str]]) -> np.ndarray:
    try:
        return np.array(table["entropy"], float)
    except (KeyError, ValueError) as error:
        raise InputError(f"{folder / 'assignments.csv'} does not say how sure its clusters are: {error!r}") from error
