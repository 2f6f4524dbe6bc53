"""A run's folder: its files, tables, and what is read back from them."""

from vaeclust_jax.folder.export import export_tables
from vaeclust_jax.folder.figure_list import FigureEntry, write_figure_list
from vaeclust_jax.folder.map_file import LatentMap, write_map
from vaeclust_jax.folder.run_folder import (
    check_writable,
    new_run_folder,
    write_assignment_parts,
    write_assignments,
    write_history,
    write_json,
)
from vaeclust_jax.folder.table import Table, print_tables, write_tables

__all__ = [
    "FigureEntry",
    "LatentMap",
    "Table",
    "check_writable",
    "export_tables",
    "new_run_folder",
    "print_tables",
    "write_assignment_parts",
    "write_assignments",
    "write_figure_list",
    "write_history",
    "write_json",
    "write_map",
    "write_tables",
]
