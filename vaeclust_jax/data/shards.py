"""A table larger than memory: shards of parquet, whose numeric columns are read by blocks."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeclust_jax.data.blocks import ParquetFile
from vaeclust_jax.data.dataset import check_array
from vaeclust_jax.data.mapped import StoredRows, stored_rows
from vaeclust_jax.data.reading import Columns, ReadConfig, listed
from vaeclust_jax.errors import InputError

if TYPE_CHECKING:
    import pyarrow

_ROWS = 10_000
"""Of the first shard, by which columns are chosen."""


def shards_of(path: Path) -> list[Path]:
    """The files of parquet that a table is: one, those of a folder, or those that fit a pattern such as part-*.parquet.

    They come in the order of their names.

    Raises:
        InputError: the folder holds tables of another kind, too, or shards whose columns differ.
    """
    if is_pattern(path):
        return sorted(_fitting(path))
    if not path.is_dir():
        return [path] if path.suffix.lower() in (".parquet", ".pq") else []
    shards = sorted(path.glob("*.parquet"))
    others = sorted(one.name for one in path.iterdir() if one.suffix.lower() in (".csv", ".tsv", ".feather", ".arrow"))
    if shards and others:
        raise InputError(
            f"{path} holds parquet ({len(shards)} files) and other tables ({listed(others)}): give a folder of one kind"
        )
    return shards


def is_pattern(path: Path) -> bool:
    """Whether it is no file but a pattern that files of parquet fit."""
    return path.suffix.lower() == ".parquet" and "*" in path.name and not path.exists() and any(_fitting(path))


def name_of(path: Path) -> str:
    """What a table is called: as its file or folder, of a pattern as the folder that it is in."""
    return path.parent.name if is_pattern(path) else path.name.partition(".")[0] or path.name


def _fitting(path: Path) -> Iterator[Path]:
    return path.parent.glob(path.name)


def check_shards(shards: Sequence[Path]) -> int:
    """Bytes that they take as one array of float64.

    Raises:
        InputError: one cannot be read, or its columns are not those of the first.
    """
    count, first = 0, None
    for path in shards:
        known = _metadata(path)
        names = known.schema.to_arrow_schema().names
        count += known.num_rows
        first = names if first is None else first
        if differ := sorted(set(first) ^ set(names)):
            raise InputError(f"{path} and {shards[0]} must have the same columns: {listed(differ)} are in one alone")
    return 8 * count * len(first or ())


def _metadata(path: Path) -> Any:
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.read_metadata(path)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a parquet: {str(error)[:150]}") from error


def head_of(shards: Sequence[Path]) -> "pyarrow.Table":
    """The first rows, of the first shard that has any."""
    import pyarrow
    from pyarrow import parquet

    for path in shards:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_ROWS):
                if len(batch):
                    return pyarrow.Table.from_batches([batch]).replace_schema_metadata()
    raise InputError(f"{shards[0].parent} must hold at least one row of numbers, got none")


def rows_of_shards(shards: Sequence[Path], columns: Columns, config: ReadConfig, head: "pyarrow.Table") -> StoredRows:
    """The features of all rows, read by blocks.

    Args:
        shards: checked.
        columns: chosen.
        config: what the person said.
        head: the first rows.

    Raises:
        InputError: columns that are not read by blocks.
    """
    if config.missing != "refuse" or columns.categories or columns.means:
        raise InputError(
            "a table larger than memory is read by blocks: its columns must be numbers, all of them there; leave "
            "--missing and --categorical out"
        )
    if config.subject_column is not None:
        raise InputError("rows that are read by blocks take no subjects: leave --subject-column out")
    for path in shards:
        schema = _metadata(path).schema.to_arrow_schema()
        for column in columns.names:
            if schema.field(column).type != head[column].type:
                raise InputError(
                    f"column {column!r} must have one type in all shards: it is {schema.field(column).type} in "
                    f"{path.name} and {head[column].type} elsewhere"
                )
    kinds = [head[column].type.to_pandas_dtype() for column in columns.names]
    dtype = np.float32 if all(np.can_cast(kind, np.float32) for kind in kinds) else np.float64
    name = str(shards[0].parent if len(shards) > 1 else shards[0])
    source = ParquetFile(shards, columns.names, dtype, name)
    return stored_rows(source, lambda rows: check_array(rows, f"x of {name}"))


def label_column(shards: Sequence[Path], name: str) -> "pyarrow.Table":
    """One column of all rows."""
    import pyarrow
    from pyarrow import parquet

    return pyarrow.concat_tables([parquet.read_table(path, columns=[name]) for path in shards])


def saved_dataset(folder: Path) -> "pyarrow.Table":
    """What `save_to_disk` of Hugging Face's datasets wrote: parts, streams of arrow, one below the other."""
    import pyarrow

    def part(path: Path) -> pyarrow.Table:
        with pyarrow.memory_map(str(path)) as file:
            return pyarrow.ipc.open_stream(file).read_all()

    return pyarrow.concat_tables([part(path) for path in sorted(folder.glob("*.arrow"))])
