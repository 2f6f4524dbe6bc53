"""Which columns of a table are features, which one holds classes, and which ones only number the rows."""

from typing import TYPE_CHECKING

import numpy as np

from vaeclust_jax.data.column_names import (
    AXES,
    COORDINATE,
    FEWEST,
    PARTS,
    are_few,
    is_called_index,
    is_called_labels,
    is_called_sample,
    is_unnamed,
    is_whole_label,
    may_number,
    number_rows,
    words_of,
)
from vaeclust_jax.data.kinds import are_ids, finite, is_coded, is_text, is_time, seconds
from vaeclust_jax.data.no_numbers import check_numeric
from vaeclust_jax.data.reading import NONE, Columns, ReadConfig, listed
from vaeclust_jax.errors import InputError

if TYPE_CHECKING:
    import pyarrow

_MOST_CATEGORIES = 100
_MOST_CODES = 30
_GLANCE = 1000
"""Rows in which measurements show that they are no codes: sorting all of each column takes seconds."""
_TELLING = 10
"""Rows from which on a text of its own in each of them is a name and no class."""


class _Chooser:
    """The columns by their part, found one part after the other.

    Attributes:
        taken: sentences on what was found.
        features: the names that are left.
        index_column: the one that names the rows, if there is one.
    """

    def __init__(self, table: "pyarrow.Table", config: ReadConfig, path: object):
        self._table, self._config, self._path = table, config, path
        self.features = list(table.column_names)
        self.taken: list[str] = []
        self.left_out: list[str] = []
        self.index_column: str | None = None

    def named(self, name: str, flag: str) -> None:
        if name not in self._table.column_names:
            raise InputError(
                f"{self._path} has no column {name!r}, which {flag} names: it has {listed(self._table.column_names)}"
            )

    def leave_out(self, name: str, why: str) -> None:
        self.features.remove(name)
        self.left_out.append(name)
        if why:
            self.taken.append(f"column {name!r} was left out: {why}")

    def drop(self) -> None:
        for name in self._config.drop_columns:
            self.named(name, "--drop-columns")
            if name in self.features:
                self.leave_out(name, "it was asked for")

    def subject(self) -> None:
        name = self._config.subject_column
        if name is None:
            return
        self.named(name, "--subject-column")
        if name not in self.features:
            raise InputError(f"column {name!r} cannot hold the subjects and be dropped: leave one flag out")
        self.leave_out(name, f"it says whose a row is, of {len(self._table[name].unique())} subjects")

    def label(self) -> str | None:
        asked = self._config.label_column
        if asked == NONE:
            return None
        if asked is not None:
            self.named(asked, "--label-column")
            if asked not in self.features:
                raise InputError(f"column {asked!r} cannot hold the labels and be dropped: leave one flag out")
            found = self._called_labels(beside=asked)
            if found:
                self._refuse(found[0], f"is called like labels beside the labels {asked!r}")
            self.features.remove(asked)
            self.taken.append(f"labels: column {asked!r}")
            return asked
        found = self._called_labels()
        if len(found) > 1:
            raise InputError(
                f"{self._path} has several columns that may be labels, {listed(found)}: write --label-column with one "
                "of them and --drop-columns with the others"
            )
        if not found:
            return None
        self.features.remove(found[0])
        self.taken.append(f"labels: column {found[0]!r} (--label-column none takes it as a feature)")
        return found[0]

    def _called_labels(self, beside: str | None = None) -> list[str]:
        """The columns, but the one that was asked for, that are called like labels and look like them.

        Raises:
            InputError: one that does not look like them, though it is called so.
        """
        found = []
        for name in self.features:
            if name == beside or (not is_called_labels(name) and name.strip().lower() != COORDINATE):
                continue
            if self._few_values(name):
                if name.strip().lower() == COORDINATE and self._is_coordinate():
                    self.taken.append(f"column {name!r} is a feature beside x (--label-column {name} for labels)")
                else:
                    found.append(name)
            elif is_whole_label(name):
                self._refuse(name, "is called like labels and does not hold a few classes")
            else:
                self.taken.append(f"column {name!r} is a feature: it does not hold a few classes")
        return found

    def codes(self) -> None:
        """Says which first or last column looks like classes beside measurements."""
        counts = {name: count for name in self.features if (count := self._few_codes(name))}
        name = min(counts, key=lambda name: counts[name], default=None)
        if name in (*self.features[:1], *self.features[-1:]) and len(counts) < len(self.features):
            self.taken.append(
                f"column {name!r} is a feature of {counts[name]} whole numbers: write --label-column {name!r} if they "
                "are classes"
            )

    def dates(self) -> None:
        """Says which columns of whole numbers are dates, 20200131."""
        for name in self.features:
            glance = finite(self._table[name].slice(0, _GLANCE))
            if glance is None or len(glance) < 5 or not ((glance > 19000100) & (glance < 21000000)).all():
                continue
            month, day = glance // 100 % 100, glance % 100
            if ((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (day == np.round(day))).all():
                self.taken.append(f"column {name!r} is a feature, though its numbers look like dates (--drop-columns)")

    def _few_codes(self, name: str) -> int:
        """How many whole numbers the column has, if they are few; 0 of anything else."""
        glance = finite(self._table[name].slice(0, _GLANCE))
        if glance is None or (glance != np.round(glance)).any():
            return 0
        values = finite(self._table[name])
        if values is None or not self._few_values(name):
            return 0
        count = len(np.unique(values))
        return count if 1 < count <= _MOST_CODES else 0

    def _refuse(self, name: str, why: str) -> None:
        raise InputError(
            f"{self._path}: column {name!r} {why}: write --drop-columns {name!r}, --label-column {name!r}, or "
            "--label-column none to take it as a feature"
        )

    def _few_values(self, name: str) -> bool:
        """Text that is not another one in every row, or whole numbers each of which is there twice on average."""
        column = self._table[name]
        if is_text(column.type):
            return len(column) < _TELLING or len(column.unique()) < len(column)
        values = finite(column)
        return values is not None and are_few(values)

    def _is_coordinate(self) -> bool:
        """Whether there is an x of as many values."""
        beside = next((name for name in self.features if name.strip().lower() == "x"), None)
        return beside is not None and not is_text(self._table[beside].type) and self._few_values(beside)

    def index(self) -> None:
        asked = self._config.index_column
        if asked == NONE:
            return
        if asked is not None:
            self.named(asked, "--index-column")
            if asked in self.features:
                self.leave_out(asked, "it names the rows")
            self.index_column = asked
            self._transposed(asked)
            return
        for number, name in enumerate(list(self.features)):
            if len(self.features) == 1:
                self._sorted_feature(name)
                return
            if why := self._is_index(name, number == 0, name == self.features[0]):
                self.leave_out(name, f"{why} (--index-column none keeps it)")
                self.index_column = name
                self._transposed(name)
            elif is_called_index(name):
                self.taken.append(f"column {name!r} is a feature (--index-column {name!r} if it names the rows)")

    def _transposed(self, index: str) -> None:
        """Says that a row is a sample, of a table whose names say that a column may be one."""
        if words_of(index) & (AXES | PARTS) or all(map(is_called_sample, self.features)):
            self.taken.append(f"a sample is a row: if each column beside {index!r} is one, transpose the table")

    def _is_index(self, name: str, first: bool, leads: bool) -> str:
        """Why the column is an index; nothing if it is none. It leads where others before it are one, too."""
        if is_unnamed(name) and first:
            return "it has no name, an index"
        if is_called_index(name):
            values = finite(self._table[name])
            return "it is called like an index" if values is None or (values == np.round(values)).all() else ""
        if first and (why := self._numbered(name)):
            return why
        if are_ids(self._table[name]):
            return "its whole numbers are beyond 2^53, ids that floats cannot tell apart"
        if not may_number(name, leads):
            return ""
        if is_text(self._table[name].type):
            return "another code in every row, an index" if is_coded(self._table[name]) else ""
        values = finite(self._table[name])
        return (
            "each whole number of a range is there once, an index" if values is not None and number_rows(values) else ""
        )

    def _numbered(self, name: str) -> str:
        """Why a first column only numbers the rows."""
        column = self._table[name]
        if is_text(column.type) or len(column) < FEWEST or column.null_count:
            return ""
        values = finite(column) if not is_time(column.type) else seconds(column)
        if values is None:
            return ""
        steps = np.diff(values)
        if not (steps > 0).all() and not (steps < 0).all():
            return ""
        if is_time(column.type):
            return "its times only grow, an index"
        if (values == np.round(values)).all():
            return "its whole numbers only grow, an index" if steps[0] > 0 else "its whole numbers only fall, an index"
        if AXES & words_of(name):
            return "its numbers only grow, an index" if steps[0] > 0 else "its numbers only fall, an index"
        return "its numbers grow evenly, an index" if np.ptp(steps) <= 1e-3 * abs(steps.mean()) else ""

    def _sorted_feature(self, name: str) -> None:
        if self._numbered(name):
            self.taken.append(f"column {name!r} is the only one, and a feature though it may only number the rows")


def choose_columns(
    table: "pyarrow.Table", config: ReadConfig, path: object
) -> tuple[Columns, tuple[str, ...]]:  # fmt: skip
    """The columns by their part, and sentences on what was found.

    Args:
        table: with names.
        config: what the person said.
        path: what errors call the table.

    Raises:
        InputError: columns that are not there, or that cannot be features, with the flag to write.
    """
    chooser = _Chooser(table, config, path)
    chooser.drop()
    for name in [name for name in chooser.features if table[name].null_count == len(table)]:
        if not name.startswith("unnamed ") or not len(table):
            continue
        chooser.leave_out(name, "it is empty and has no name")
    chooser.subject()
    label = chooser.label()
    chooser.index()
    if label is None and config.label_column is None:
        chooser.codes()
    chooser.dates()
    names = tuple(chooser.features)
    if not names:
        raise InputError(f"{path} has no column left that could be a feature: it has {listed(table.column_names)}")
    onehot = [name for name in names if is_text(table[name].type) and config.categorical == "onehot"]
    numeric = [name for name in names if name not in onehot]
    if empty := [name for name in numeric if table[name].null_count == len(table)]:
        raise InputError(f"{path}: column {empty[0]!r} is empty: write --drop-columns {' '.join(map(repr, empty[:8]))}")
    check_numeric(table, numeric, path)
    categories = {name: _categories(table, name, path) for name in onehot}
    if categories:
        chooser.taken.append(f"text columns became zeros and ones: {listed(categories)}")
    columns = Columns(names, label, tuple(chooser.left_out), categories, index=chooser.index_column)
    return columns, tuple(chooser.taken)


def numeric_names(table: "pyarrow.Table", config: ReadConfig, like: Columns | None) -> set[str]:
    """The columns in which text may be numbers that are written in another way, and no classes or names of rows."""
    if like is not None:
        return set(like.names) - set(like.categories or {})
    other = {config.label_column, config.index_column, config.subject_column, *config.drop_columns}
    if config.label_column is None:
        other |= {name for name in table.column_names if is_called_labels(name) or name.strip().lower() == COORDINATE}
    if config.index_column is None:
        other |= {name for name in table.column_names if is_called_index(name) or are_ids(table[name])}
        other |= {
            name for name in table.column_names[:1]
            if is_unnamed(name) or (may_number(name, True) and is_coded(table[name]))
        }  # fmt: skip
    return {name for name in table.column_names if name not in other}


def _categories(table: "pyarrow.Table", name: str, path: object) -> tuple[str, ...]:
    values = sorted({str(value).strip() for value in table[name].to_pylist() if value is not None})
    if len(values) > min(_MOST_CATEGORIES, max(2, len(table) // 2)):
        raise InputError(
            f"{path}: column {name!r} holds {len(values)} different texts, too many for --categorical onehot: write "
            f"--drop-columns {name!r}"
        )
    return tuple(values)
