"""`vaeclust report`."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from vaeclust_jax.folder.export import export_tables
from vaeclust_jax.page.page import write_page


@dataclass(frozen=True)
class Arguments:
    """Makes one HTML page of a run, which needs no network and no other file, and exports its tables.

    The page is RUN_DIR/report.html; the tables are in RUN_DIR/tables as Markdown, LaTeX (booktabs) and CSV.
    """

    run_dir: tyro.conf.Positional[Path]
    """The folder that `vaeclust run` printed."""


def report(argv: list[str]) -> None:
    """Runs the command."""
    args = tyro.cli(Arguments, args=argv, prog="vaeclust report")
    page = write_page(args.run_dir)
    for path in export_tables(args.run_dir):
        print(path)
    print(page)
