"""The table a person reads, in the terminal while it grows and in the README."""

import sys
from collections.abc import Sequence

from benchmarks.peers.available import missing
from benchmarks.results import Content, Record

HEADINGS = ("case", "what", "ours", "peer", "ratio", "of peak", "target")
CAPTION = "median (lowest-highest); ratio: peer / ours; of peak: our share of the measured matmul peak"

_SCALES = {"us": 1e6, "ms": 1e3, "s": 1.0, "MB": 1e-6, "GB": 1e-9}
_IDLE = 0.5  # load average below which nothing else is running
_WIDE = {"case": 4, "ours": 24, "peer": 30, "ratio": 5, "of peak": 7, "target": 17}
_NARROW = {"case": 4, "ours": 13, "peer": 16, "ratio": 5, "of peak": 7, "target": 9}
_GAP = 2  # between columns


def cells(row: Record) -> tuple[str, ...]:
    """A row under `HEADINGS`; empty where there is nothing to say."""
    peer = row["peer_name"] or ""
    if row["peer"] is not None:
        peer = f"{_spread(row['peer'], row['unit'])} {peer}".rstrip()
    elif peer:
        peer = f"not measured: {peer}"
    ratio = "" if row["ratio"] is None else number(row["ratio"])
    share = "" if row["share"] is None else f"{row['share']:.0%}"
    return row["case"], row["what"], _spread(row["ours"], row["unit"]), peer, ratio, share, _target(row)


def number(value: float | None) -> str:
    """Three digits that count, or all before the point."""
    if value is None:  # JSON's NaN
        return "not defined"
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:#.3g}".rstrip(".") if abs(value) >= 0.001 else f"{value:.1e}"


def head(run: Content) -> list[str]:
    """What stands above the table: where it is measured."""
    machine = run["machine"]
    memory = "" if machine["memory_gb"] is None else f", {machine['memory_gb']:.0f} GB"
    used = [f"{name} {version}" for name, version in run["versions"].items() if version is not None]
    absent = missing(*(name for name, version in run["versions"].items() if version is None))
    lines = [
        f"machine      {machine['name']}, {machine['cores']} cores{memory}, {machine['system']}",
        f"device       {machine['device']}",
        f"versions     {', '.join(used)}",
        *([] if absent is None else [f"missing      {absent}"]),
        f"matmul peak  {matmul_rates(run)}",
        f"load         {'unknown' if run['load'] is None else run['load']}",
    ]
    if run["load"] is not None and run["load"] > _IDLE:
        lines.append("warning      the machine is not idle: trust ratios, not times")
    if run["effort"] == "smoke":
        lines.append("warning      --smoke does too little work: the figures mean nothing")
    return lines


def matmul_rates(run: Content) -> str:
    """The rates that the shares are of, e.g. "264 GFLOP/s by jax (float32, 2000 x 2000 x 2000)"."""
    peak = run["peak"]
    torch = "" if peak["torch"] is None else f", {number(peak['torch'] / 1e9)} by PyTorch"
    size = " x ".join(3 * [str(peak["size"])])
    return f"{number(peak['ours'] / 1e9)} GFLOP/s by jax{torch} (float32, {size})"


class GrowingTable:
    """Prints rows as they come, each with its note under it; what is being worked on is on stderr.

    No spinner: a thread that draws would take time from what is measured.
    """

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
        self._widths = _widths(self._console.width)
        self._replaced = sys.stderr.isatty()
        self._work = ""
        self._rows = 0

    def working_on(self, work: str) -> None:
        """Says on stderr what happens now; on a terminal, under the last row."""
        if self._replaced:
            print(f"\r\x1b[2K{work} ...", end="", file=sys.stderr, flush=True)
        elif work != self._work:
            print(f"{work} ...", file=sys.stderr, flush=True)
        self._work = work

    def add(self, row: Record) -> None:
        """Prints a row."""
        from rich.markup import escape
        from rich.padding import Padding
        from rich.table import Table

        self.clear()
        if self._rows == 0:
            self._console.print(CAPTION, style="italic")
        shown = Table(box=None, show_header=self._rows == 0, padding=(0, _GAP, 0, 0), pad_edge=False)
        for heading, width in self._widths.items():
            shown.add_column(heading, width=width, overflow="fold")
        shown.add_row(*map(escape, cells(row)))
        self._console.print(shown, crop=False)
        if row["note"]:
            self._console.print(Padding(escape(row["note"]), (0, 0, 0, self._widths["case"] + _GAP)), style="dim")
        self._rows += 1

    def clear(self) -> None:
        """Takes what stands on stderr off the terminal."""
        if self._replaced:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


def _widths(console: int) -> dict[str, int]:
    """Columns of fixed widths, as rows are printed one by one; "what" takes the rest."""
    widths = _WIDE if console >= 120 else _NARROW
    rest = console - sum(widths.values()) - _GAP * len(widths)
    return {heading: widths.get(heading, max(rest, 12)) for heading in HEADINGS}


def verdicts(rows: Sequence[Record]) -> list[str]:
    """A line for every target: met, missed, or not measured; what was missed comes last."""
    words = {True: "met", None: "not measured", False: "MISSED"}
    aimed = [row for row in rows if row["target"] is not None]
    lines = [
        f"{words[met]:14}{row['case']} {row['what']}: {_reached(row)}"
        for met in words
        for row in aimed
        if row["met"] is met
    ]
    return [f"targets met: {sum(row['met'] is True for row in aimed)} of {len(aimed)}", *lines]


def _target(row: Record) -> str:
    if row["target"] is None:
        return ""
    return f"{_bound(row)} {'not measured' if row['met'] is None else 'met' if row['met'] else 'MISSED'}"


def _reached(row: Record) -> str:
    if row["met"] is None:
        return f"{row['peer_name']} is not installed"
    reached = number(row["ratio"]) if _compared(row) else _quantity(row["ours"]["median"], row["unit"])
    beside = "" if row["condition"] else f", but {row['note']}"
    return f"{reached}, to be {_bound(row)}{beside}"


def _bound(row: Record) -> str:
    return f">= {row['target']:g}" if _compared(row) else f"<= {_quantity(row['target'], row['unit'])}"


def _compared(row: Record) -> bool:
    return row["peer"] is not None or row["peer_name"] is not None


def _spread(measured: dict[str, float], unit: str) -> str:
    text = _quantity(measured["median"], unit)
    if measured["repetitions"] == 1:
        return text
    scale = _SCALES.get(unit, 1.0)
    low, high = (value if value is None else value * scale for value in (measured["low"], measured["high"]))
    return f"{text} ({number(low)}-{number(high)})"


def _quantity(value: float | None, unit: str) -> str:
    return f"{number(value if value is None else value * _SCALES.get(unit, 1.0))} {unit}".rstrip()
