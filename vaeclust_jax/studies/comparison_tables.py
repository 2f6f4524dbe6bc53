"""The tables that hold a method against others, and against what a source reports."""

from collections.abc import Mapping, Sequence

from vaeclust_jax.folder.records.clustering import ComparisonRecord, ReportedScore, ReportedTest
from vaeclust_jax.folder.table import Cell, Column, Spread, Table, spread
from vaeclust_jax.studies.design import BY_DESIGN, MATCHED
from vaeclust_jax.studies.scores import SCORES


def reported_table(beside: Sequence[ReportedScore], runs: int) -> Table:
    """The source's figures beside ours."""
    rows = tuple(
        (
            row.method,
            row.protocol,
            SCORES[row.metric],
            Spread(*row.reported),
            spread(*row.measured),
            None if row.measured[0] is None else row.measured[0] - row.reported[0],
            row.p,
            row.holm,
        )
        for row in beside
        if row.measured[0] is not None
    )
    columns = (
        *(Column(name, "text") for name in ("method", "protocol", "score")),
        *(Column(name) for name in ("reported", "measured", "difference")),
        Column("Welch p", "p"),
        Column("p (Holm)", "p"),
    )
    note = (
        f"Reported: what the source prints ({runs} runs). The two are never tuned to each other. Welch: over seeds, of "
        "both means and deviations. Holm: over all rows with a test."
    )
    if any(row.reason == MATCHED for row in beside):
        note += f" No test of ACC on held-out rows: {MATCHED}."
    return Table("reported", "Reported and measured", columns, rows, note)


def reported_tests_table(tests: Mapping[str, ReportedTest]) -> Table:
    """The source's own tests against what its means and deviations give."""
    rows = tuple(
        (SCORES[metric], test.t, test.p, test.implied_t, test.implied_p, test.df) for metric, test in tests.items()
    )
    columns = (
        Column("score", "text"),
        Column("reported t"),
        Column("reported p", "p"),
        Column("implied t"),
        Column("implied p", "p"),
        Column("implied df"),
    )
    note = (
        "Implied: Welch's test from the source's own means, deviations and number of runs. The printed t and p do "
        "not follow from them."
    )
    return Table("reported-tests", "The source's tests, checked", columns, rows, note)


TEST_COLUMNS = (
    Column("difference"),
    Column("95 % interval", "text"),
    Column("test", "text"),
    Column("t"),
    Column("df"),
    Column("p", "p"),
    Column("p (Holm)", "p"),
    Column("Hedges g"),
)


def cells_of_tests(row: ComparisonRecord) -> tuple[Cell, ...]:
    """The cells of `TEST_COLUMNS`."""
    interval = None if row.interval is None else f"[{row.interval.low:+.3f}, {row.interval.high:+.3f}]"
    if row.test is None:
        return row.difference, interval, None, None, None, None, None, row.hedges_g
    name = "Welch" if row.paired is None else "paired"
    return row.difference, interval, name, row.test.statistic, row.test.df, row.test.p, row.holm, row.hedges_g


def untested_note(rows: Sequence[ComparisonRecord]) -> str:
    """Sentences on the pairs that no test over seeds fits, each after a space; that seeds are few says the table."""
    said = []
    for reason in BY_DESIGN:
        pairs = dict.fromkeys(f"{row.first} and {row.second}" for row in rows if row.reason == reason)
        if pairs:
            said.append(f" No test of {'; '.join(pairs)}: {reason}.")
    return "".join(said)


def comparison_table(name: str, others: str, compared: Sequence[ComparisonRecord], over: str = "seeds") -> Table:
    """The named method against others, in the scores that both have; `over`: what the tests are over."""
    rows = tuple((row.second, SCORES[row.metric], *cells_of_tests(row)) for row in compared)
    columns = (Column("against", "text"), Column("score", "text"), *TEST_COLUMNS)
    first = compared[0].first
    place = "on one data set and split" if over == "seeds" else "on one data set"
    note = (
        f"{first} minus the other, on all samples; intervals and tests are over {over}, {place}. A method in which "
        "nothing is random meets each with its one score. "
        f"Holm: over all methods and scores that {first} is tested against.{untested_note(compared)}"
    )
    return Table(name, f"{first} against {others}", columns, rows, note)
