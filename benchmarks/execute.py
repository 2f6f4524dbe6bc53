"""Runs cases one after the other: rows go to the table and the file as they come."""

import traceback
from collections.abc import Sequence

from benchmarks.case import Case, Effort
from benchmarks.results import Results
from benchmarks.table import GrowingTable


def execute(cases: Sequence[Case], effort: Effort, results: Results) -> list[str]:
    """Runs cases; one that fails does not keep the others from running.

    Returns:
        A line for every case that failed, whose error is on stderr.
    """
    table = GrowingTable()
    failed = []
    for case in cases:
        work = f"{case.name}: {case.title}"
        table.working_on(work)
        try:
            for row in case.run(effort):
                table.add(results.add(row))
                table.working_on(work)
            results.finish(case.name)
        except Exception as error:
            table.clear()
            traceback.print_exc()
            failed.append(f"{work}: {type(error).__name__}")
        finally:
            table.clear()
    return failed
