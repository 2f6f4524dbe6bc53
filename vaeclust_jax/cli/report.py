"""`vaeclust report`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from vaeclust_jax.cli.parsing import parsed
from vaeclust_jax.folder.export import export_tables
from vaeclust_jax.folder.latest import run_at
from vaeclust_jax.page.page import write_page
from vaeclust_jax.whole_file import sweep


@dataclass(frozen=True)
class Arguments:
    """Makes one HTML page of a run, which needs no network and no other file, and exports its tables.

    The page is RUN_DIR/report.html; the tables are in RUN_DIR/tables as Markdown, LaTeX (booktabs) and CSV.
    """

    run_dir: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RUN_DIR")]]
    """The folder that `vaeclust run` printed, or `latest`."""


def report(argv: list[str]) -> None:
    """Runs the command."""
    args = parsed(Arguments, argv, "vaeclust report")
    folder = run_at(args.run_dir)
    page = write_page(folder)
    for path in export_tables(folder):
        print(path)
    sweep(folder)  # of a report that was killed
    print(page)
