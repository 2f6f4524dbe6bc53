"""The JSON file: rows beside the run each was measured in, written again after every row."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.case import Measured, Row
from vaeclust_jax.errors import InputError
from vaeclust_jax.folder import check_writable, write_json

Record = dict[str, Any]
"""A row as it is in the file: the fields of `Row`, `ratio`, `met`, `share`, and `run`, the run it was measured in."""

Content = dict[str, Any]
""""runs": date -> machine, versions, command, ...; "rows": list of `Record`."""

FOLDER = Path(__file__).parent / "results"


class Results:
    """The rows of one run, put into a file of the same machine and effort where there is one.

    A run that is killed leaves a whole file with what it had: new rows replace the old ones as they come, and what a
    case no longer measures goes when the case has finished.
    """

    def __init__(self, path: Path | None, run: dict[str, Any], order: Sequence[str]) -> None:
        """`run` has at least "date", "effort", "machine" and "peak"; `order` is that of the cases in the file.

        Raises:
            InputError: the file cannot be read or written, or holds another machine's or another effort's figures.
        """
        self.path = path
        self.rows: list[Record] = []
        self._run, self._order = run, order
        self._finished: set[str] = set()
        self._old: Content = {"runs": {}, "rows": []}
        if path is None:
            return
        check_writable(path.parent)
        if path.exists():
            self._old = read(path)
            for other in self._old["runs"].values():
                if _place(other) != _place(run):
                    raise InputError(f"--out must be a new file or one of the same machine and effort, got {path}")

    def add(self, row: Row) -> Record:
        """Keeps a row, and writes the file."""
        self.rows.append(as_record(row, self._run))
        self._write()
        return self.rows[-1]

    def finish(self, case: str) -> None:
        """Says that a case gave all its rows: older ones that it did not give again are dropped."""
        self._finished.add(case)
        self._write()

    def _write(self) -> None:
        if self.path is not None:
            write_json(self.path, merged(self._old, self._run, self.rows, self._finished, self._order))


def as_record(row: Row, run: dict[str, Any]) -> Record:
    """A row as it is in the file."""
    return {
        **asdict(row),
        "ours": row.ours._asdict(),
        "peer": None if row.peer is None else row.peer._asdict(),
        "ratio": row.ratio,
        "met": row.met,
        "share": share_of_peak(row, run["peak"]["ours"]),
        "run": run["date"],
    }


def share_of_peak(row: Row, flops_per_second: float) -> float | None:
    """The row's floating-point operations a second over those of a large matmul; None where they are not counted."""
    return None if row.flops is None else row.flops / row.ours.median / flops_per_second


def merged(
    old: Content, run: dict[str, Any], rows: Sequence[Record], finished: Collection[str], order: Sequence[str]
) -> Content:
    """What a file holds after new rows.

    Args:
        old: what it held.
        run: the run that measured `rows`.
        rows: each replaces the old one of the same case, name and peer.
        finished: cases of which only `rows` count.
        order: of the cases; others come last.
    """
    new = set(map(_key, rows))
    kept = [row for row in old["rows"] if row["case"] not in finished and _key(row) not in new]
    places = {case: place for place, case in enumerate(order)}
    every = sorted([*rows, *kept], key=lambda row: places.get(row["case"], len(places)))
    runs = {**old["runs"], run["date"]: run}
    used = {row["run"] for row in every}
    return {"runs": {date: runs[date] for date in sorted(used)}, "rows": every}


def read(path: Path) -> Content:
    """What `Results` wrote.

    Raises:
        InputError: no such file, or not one of ours.
    """
    try:
        content: Content = json.loads(path.read_text(encoding="utf-8"))
        for row in content["rows"]:
            Measured(**row["ours"])
            content["runs"][row["run"]]["machine"]["name"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read as figures of a benchmark: {error!r}") from error
    return content


def _place(run: dict[str, Any]) -> list[Any]:
    """What runs have in common whose figures may stand in one file."""
    return [run["effort"], *(run["machine"][name] for name in ("name", "cores", "platform", "device"))]


def _key(row: Record) -> tuple[str, str, str | None]:
    return row["case"], row["what"], row["peer_name"]
