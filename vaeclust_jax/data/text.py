"""Text tables: encoding, comments, separator, decimal mark and header are found and said, then pyarrow reads."""

import bz2
import codecs
import csv
import gzip
import lzma
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaeclust_jax.data.column_names import is_called_index, is_called_labels, may_number
from vaeclust_jax.data.header import is_header
from vaeclust_jax.data.no_files import no_text
from vaeclust_jax.data.reading import listed
from vaeclust_jax.data.separator import SEPARATORS, separator_of
from vaeclust_jax.data.written import MISSING, ambiguous, decimal_of, number_of
from vaeclust_jax.errors import InputError

if TYPE_CHECKING:
    import pyarrow

AsWritten = Callable[[str], "pyarrow.ChunkedArray"]
"""A column by its name."""
TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".dat", ".data")
PACKED = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_CODE = re.compile(r"\s*(0\d+|\d+[eE]\d+)\s*")
"""Of a row: as a number it would be spelled otherwise."""
_LINES = 200
"""Of the beginning, by which separator, decimal mark and header are found."""
_FEWEST_LINES = 8
"""Of it, however long they are."""
FEW_BYTES = 2**24
"""Read on one thread: a pool of them gains nothing there, and now and then ends the process with an error."""
_DIGITS = 18
"""Of whole numbers that 64 bits hold in any case."""
_LARGEST_BLOCK = 2**31 - 2
_COMMENT = re.compile(rb"^[ \t]*(?:#(?!N/A|DIV/0!|VALUE!|REF!|NAME\?|NUM!|NULL!)|%).*(?:\r\n|\n|\r|\Z)", re.MULTILINE)
"""No row whose first cell is an error of a spreadsheet."""
_CELL_OR_COMMENT = re.compile(rb'(?:^|(?<=[,;\t| ]))"(?:[^"]|"")*"|' + _COMMENT.pattern, re.MULTILINE)
"""A quoted cell, whose lines are no comments however they begin, or a comment."""


@contextmanager
def _cells_of_any_length() -> Iterator[None]:
    """To the wrong separator a line of a wide table is one cell, and the csv module has a limit for all its users."""
    limit = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


@_cells_of_any_length()
def read_text(path: Path, header: str) -> tuple["pyarrow.Table", tuple[str, ...], str, AsWritten]:
    """Reads a table of text, packed or not.

    Args:
        path: of the file.
        header: "yes", "no", or "auto", which finds out.

    Returns:
        The columns, called "0", "1", ... where there is no header, sentences on what was found, the decimal mark, and
        what gives a column as its cells are spelled.

    Raises:
        InputError: no text, no rows, or rows of different lengths.
    """
    taken: list[str] = []
    content, comment = _without_comments(_utf8(path, taken), taken)
    if first := re.match(rb"sep=(.)\r?\n", content):  # Excel's way to say it
        separator, content = first[1].decode(), content[first.end() :]
        lines = _beginning(content)
    else:
        lines = _beginning(content)
        separator = separator_of(lines)
    if separator == " ":
        content = re.sub(rb"(?m)^[ \t]+|[ \t]+$", b"", content)
        if b'"' in content:  # what is quoted keeps its spaces
            content = re.sub(rb'"[^"\n]*"|[ \t]+', lambda found: found[0] if found[0][:1] == b'"' else b"\t", content)
        else:
            content = re.sub(rb"[ \t]+", b"\t", content)
        separator = "\t"
        lines = _beginning(content)
        taken.append("the values are separated by spaces")
    elif separator != ",":
        taken.append(f"the values are separated by {SEPARATORS.get(separator, repr(separator))}")
    rows = list(csv.reader(lines, delimiter=separator))
    if not rows:
        raise InputError(f"{path} must hold at least one row of numbers, got none{'; '.join(['', *taken])}")
    _check_first(path, rows)
    if any(cell.lstrip(" ").startswith('"') for row in rows for cell in row if cell.startswith(" ")):
        raise InputError(f"{path} has spaces before quotes, which then count as part of the cell: remove the spaces")
    if separator == "\t" and len(rows[0]) > 1 and all(cell.endswith(",") for row in rows for cell in row[:-1]):
        raise InputError(f"{path} has a comma and a tab between its values: write one of them")
    decimal = decimal_of(rows, separator)
    if decimal == ",":
        taken.append("the decimal mark is a comma")
    names, content = _named(path, rows, header, decimal, comment, content, lines, separator, taken)
    if not content.strip():
        raise InputError(f"{path} must hold at least one row of numbers, got none{'; '.join(['', *taken])}")
    width = _width(rows)
    names = names or [str(number) for number in range(width)]
    if len(names) == 1:  # an empty line amid the values of one column is a missing value
        content = re.sub(rb"(?m)^[ \t]+(?=\r?$)", b"", content.rstrip()) + b"\n"
    texts = _ids(names, rows[1:])
    taken += ambiguous(names, rows, separator, decimal, [*texts, *filter(is_called_labels, names)])

    def as_written(name: str) -> "pyarrow.ChunkedArray":
        return _parsed(path, content, names, separator, decimal, [name], alone=True)[name]

    return _parsed(path, content, names, separator, decimal, texts), tuple(taken), decimal, as_written


def _utf8(path: Path, taken: list[str]) -> bytes:
    """The bytes of the file, unpacked, as UTF-8."""
    content = path.read_bytes()
    unpack = PACKED.get(path.suffix.lower())
    try:
        content = content if unpack is None else unpack(content)
        encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), None)
        if encoding is not None:
            return content.decode(encoding).encode()
    except (OSError, EOFError, ValueError, lzma.LZMAError) as error:  # each library has its own
        raise InputError(f"{path} cannot be read as CSV: {error}") from error
    if why := no_text(content):
        raise InputError(f"{path} cannot be read as CSV: {why}")
    try:
        if not content.isascii():
            content.decode("utf-8")
        return content
    except UnicodeDecodeError:
        taken.append("the text is not UTF-8 and was read as Latin-1 (Windows-1252)")
        try:
            return content.decode("cp1252").encode()
        except UnicodeDecodeError:
            return content.decode("latin-1").encode()


def _without_comments(content: bytes, taken: list[str]) -> tuple[bytes, str | None]:
    """The table alone, and the comment right above it, in which some programs write the names."""
    content = re.sub(rb"\A(?:[ \t]*(?:\r\n|\n|\r))+", b"", content)
    if b"#" not in content and b"%" not in content:
        return content, None
    above = b""
    while (found := _COMMENT.match(content)) and content:
        above, content = found[0], content[found.end() :].lstrip(b"\r\n")
    count = 0

    def kept(found: re.Match[bytes]) -> bytes:
        nonlocal count
        is_cell = found[0].startswith(b'"')
        count += not is_cell
        return found[0] if is_cell else b""

    if _COMMENT.search(content):
        content = (_CELL_OR_COMMENT if b'"' in content else _COMMENT).sub(kept, content)
    if above or count:
        taken.append(f"lines that begin with # or % are comments{f' ({count} amid the rows)' if count else ''}")
    return content, above.strip().lstrip(b"#% \t").decode() or None


def _beginning(content: bytes) -> list[str]:
    end, lines = 2**20, []
    while end < len(content) and content.count(b"\n", 0, end) < _FEWEST_LINES:
        end *= 2
    for line in content[:end].splitlines(keepends=True)[: _LINES + 1]:
        lines.append(line.decode(errors="replace"))
    if len(lines) > 1 and (len(lines) > _LINES or end < len(content)):
        lines.pop()  # it may be cut
    return [line for line in lines if line.strip()]


def _check_first(path: Path, rows: list[list[str]]) -> None:
    """Refuses a table with lines above it, as programs write the name of an export."""
    above = 0
    for row in rows:
        filled = [cell.strip() for cell in row if cell.strip()]
        if len(filled) != 1 or any(number_of(filled[0], mark) is not None for mark in ".,"):
            break
        above += 1
    widths = [len(row) for row in rows]
    below = set(widths[above:])
    is_title = above > 0 and len(below) == 1 and below.pop() > 2
    narrow = next((row for row, width in enumerate(widths) if width == widths[-1]), 0)
    are_pairs = narrow > 1 and len(set(widths[narrow:])) == 1 and max(widths[:narrow]) < widths[-1]
    if is_title or are_pairs:
        raise InputError(f"{path}: the lines above the table must be removed or begin with #, got {rows[0][0][:40]!r}")


def _width(rows: list[list[str]]) -> int:
    """Of the rows; R leaves the name of the row names out of the first, others end all but that with a separator."""
    first = len(rows[0])
    return first + (len(rows) > 1 and all(len(row) == first + 1 for row in rows[1:]))


def _below_header(content: bytes, lines: list[str], separator: str) -> bytes:
    """The rows below the header, whose quoted names may be of several lines."""
    reader = csv.reader(lines, delimiter=separator)
    next(reader)
    ends = list(islice(re.finditer(rb"\r\n|\n|\r", content), reader.line_num))
    return content[ends[-1].end() :] if len(ends) == reader.line_num else b""


def _named(
    path: Path, rows: list[list[str]], header: str, decimal: str, comment: str | None, content: bytes,
    lines: list[str], separator: str, taken: list[str],
) -> tuple[list[str] | None, bytes]:  # fmt: skip
    """The names of the columns, None where there are none, and the rows below them."""
    width = _width(rows)
    above = [] if comment is None else next(csv.reader([comment], delimiter=separator))
    above = above if len(above) == width else (comment or "").split()
    try:
        found, why = is_header(rows, decimal) if header == "auto" else (header == "yes", "")
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if header == "auto" and len(above) == width > 1 and not (found and why.endswith("names")):
        taken.append(f"the comment above the rows holds the names {listed(above)}")
        names = above
    elif header == "no" or (header == "auto" and not found):
        if header == "auto":
            taken.append(f"no header, {why}: columns are called 0 to {width - 1} (--header if it holds names)")
        return None, content
    else:
        if header == "auto" and not why.endswith("names"):
            taken.append(f"header: {why} (--no-header if it is a sample)")
        names = rows[0]
        content = _below_header(content, lines, separator)
    names = [name.strip() for name in names]
    if len(names) == width - 1:
        ended = not any(row[-1].strip() for row in rows[1:])
        if not ended:
            _check_row_names(path, [row[0] for row in rows[1:]], width)
        names = [*names, ""] if ended else ["", *names]  # R's row names
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise InputError(
            f"{path} must have columns of different names, but {listed(twice)} is there twice: rename one, or keep one "
            "row of a header of several"
        )
    if len(names) > 1:  # a separator at the end of every line
        names = [name or (f"unnamed {number}" if number else "") for number, name in enumerate(names)]
    return names, content


def _check_row_names(path: Path, first: list[str], width: int) -> None:
    """Refuses numbers that are there twice above which the header has no name: a mark inside them is no separator."""
    if len(set(first)) < len(first) and all(number_of(cell, ".") is not None for cell in first if cell.strip()):
        raise InputError(
            f"{path} has {width} values in every row and {width - 1} names in the header: quote numbers in which "
            "commas are decimal marks or group thousands, or separate by semicolons; or give the first column a name"
        )


def _ids(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns that stay text: whole numbers of which arrow would lose the last digits, and codes that name the rows."""
    columns = zip(names, *(row for row in rows if len(row) == len(names)), strict=True)
    return [
        name for number, (name, *cells) in enumerate(columns)
        if (any(len(cell) > _DIGITS for cell in cells) and all(cell.strip().isdecimal() for cell in cells if cell))
        or ((is_called_index(name) or may_number(name, number == 0)) and any(map(_CODE.fullmatch, cells)))
    ]  # fmt: skip


def _parsed(
    path: Path, content: bytes, names: list[str], separator: str, decimal: str, texts: list[str], alone: bool = False
) -> "pyarrow.Table":
    """The table, of which some columns are text; or those `alone`, with all that is in their cells."""
    import pyarrow
    from pyarrow import csv as arrow

    def read(threads: bool, handler: Any) -> pyarrow.Table:
        return arrow.read_csv(
            pyarrow.BufferReader(content),
            # One block: the type of a column is found in the first.
            arrow.ReadOptions(
                use_threads=threads, column_names=names, block_size=max(2**16, min(len(content) + 1, _LARGEST_BLOCK))
            ),
            arrow.ParseOptions(
                delimiter=separator, newlines_in_values=b'"' in content, invalid_row_handler=handler,
                ignore_empty_lines=len(names) > 1,
            ),
            arrow.ConvertOptions(
                column_types=dict.fromkeys(texts, pyarrow.string()), null_values=MISSING, strings_can_be_null=not alone,
                decimal_point=decimal, include_columns=texts if alone else [],
            ),
        )  # fmt: skip

    try:
        return read(len(content) > FEW_BYTES, None)
    except pyarrow.ArrowInvalid as error:
        wrong: list[Any] = []

        def keep(row: Any) -> str:
            wrong.append(row)
            return "error"

        with suppress(pyarrow.ArrowInvalid):
            read(False, keep)
        if wrong:
            raise InputError(
                f"{path} must have {wrong[0].expected_columns} values in every row, got {wrong[0].actual_columns} in "
                f"row {wrong[0].number - 1} (from 0)"
            ) from error
        raise InputError(f"{path} cannot be read as CSV: {str(error)[:150]}") from error
