"""Which files and folders are tables, and what is in them before any column has a part."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vaeclust_jax.data.kinds import is_text
from vaeclust_jax.data.reading import NONE, ReadConfig, listed
from vaeclust_jax.data.shards import is_pattern, saved_dataset, shards_of
from vaeclust_jax.data.text import FEW_BYTES, PACKED, TEXT_SUFFIXES, AsWritten, read_text
from vaeclust_jax.errors import InputError

if TYPE_CHECKING:
    import pyarrow

_ARROW_SUFFIXES = (".parquet", ".pq", ".feather", ".arrow")


def is_table(path: Path) -> bool:
    """Whether the file's name is that of a table."""
    inner = Path(path.stem) if path.suffix.lower() in PACKED else path
    return inner.suffix.lower() in (*TEXT_SUFFIXES, *(_ARROW_SUFFIXES if inner is path else ()))


def is_saved_dataset(path: Path) -> bool:
    """Whether it is a folder that `save_to_disk` of Hugging Face's datasets wrote, or of parts in parquet."""
    return ((path / "state.json").is_file() and any(path.glob("*.arrow"))) or _has_parts(path) or is_pattern(path)


def _has_parts(path: Path) -> bool:
    return path.is_dir() and any(path.glob("*.parquet"))


def _without_lists(table: "pyarrow.Table", dropped: tuple[str, ...], path: Path) -> "pyarrow.Table":
    """Columns of lists of one length, such as embeddings, as a column for each place.

    Raises:
        InputError: the lists differ in length.
    """
    from pyarrow import compute, types

    for name in table.column_names:
        kind, column = table[name].type, table[name]
        if name in dropped or not (types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)):
            continue
        lengths = compute.unique(compute.list_value_length(column)).to_pylist()
        if len(lengths) != 1 or lengths[0] is None:
            raise InputError(f"{path}: column {name!r} holds lists of several lengths: write --drop-columns {name!r}")
        for place in range(lengths[0]):
            table = table.append_column(f"{name}[{place}]", compute.list_element(column, place))
        table = table.drop_columns([name])
    return table


def _decoded(table: "pyarrow.Table") -> "pyarrow.Table":
    """The table with categories as text: pyarrow casts none of polars', whose texts are of another kind."""
    import pyarrow
    from pyarrow import types

    for place, field in enumerate(table.schema):
        if types.is_dictionary(field.type):
            text = pyarrow.string() if is_text(field.type) else field.type.value_type
            chunks = [chunk.dictionary.cast(text).take(chunk.indices) for chunk in table[place].chunks]
            table = table.set_column(place, field.name, pyarrow.chunked_array(chunks, text))
    return table


def _check_names(names: Sequence[str], path: Path) -> None:
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise InputError(f"{path} must have columns of different names, but {listed(twice)} is there twice: rename one")


class Read(NamedTuple):
    """A table as it is in a file.

    Attributes:
        table: with names.
        taken: sentences on what was found.
        decimal: the decimal mark of a text table; "" of others, whose columns say what they hold.
        frame_index: of the frame that was written.
        as_written: a column of a text table as its cells are spelled; None of others.
    """

    table: "pyarrow.Table"
    taken: tuple[str, ...]
    decimal: str = ""
    frame_index: "pyarrow.ChunkedArray | None" = None
    as_written: AsWritten | None = None


def read_table(path: Path, config: ReadConfig) -> Read:
    """The table, before any column has a part."""
    if path.suffix.lower() not in _ARROW_SUFFIXES and not path.is_dir():
        table, taken, decimal, as_written = read_text(path, config.header)
        return Read(table, taken, decimal, as_written=as_written)
    import pyarrow

    try:
        if path.is_dir() and not _has_parts(path):
            table = saved_dataset(path)
        elif path.is_dir() or path.suffix.lower() in (".parquet", ".pq"):
            from pyarrow import parquet

            # Buffering ahead is for remote files: of a local one it keeps all bytes beside the table.
            shards = [path] if path.is_dir() else shards_of(path)
            large = shards != [path] or path.is_dir() or path.stat().st_size > FEW_BYTES
            if shards[0].is_file():  # of names that are there twice pyarrow says so in its own words
                _check_names(parquet.read_schema(shards[0]).names, path)
            table = parquet.read_table(shards[0] if len(shards) == 1 else shards, use_threads=large, pre_buffer=False)
        else:
            from pyarrow import feather

            table = _decoded(feather.read_table(path, use_threads=path.stat().st_size > FEW_BYTES))
    except InputError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read as a {path.suffix[1:] or 'saved data set'}: {str(error)[:150]}"
        ) from error
    _check_names(table.column_names, path)
    # The index of a pandas frame is a column of the file, and named as one there.
    index = [name for name in (table.schema.pandas_metadata or {}).get("index_columns", []) if isinstance(name, str)]
    index = [name for name in index if name in table.column_names]
    named = table[index[0]] if len(index) == 1 and config.index_column != NONE else None
    table = _without_lists(table.replace_schema_metadata().drop_columns(index), config.drop_columns, path)
    return Read(
        table, (f"columns {listed(index)} were left out: the frame's index",) if index else (), frame_index=named
    )
