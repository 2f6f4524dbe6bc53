"""The generated parts of the book by the name that a page calls them by; each returns Markdown."""

from collections.abc import Callable

from notebooks.book.api import api
from notebooks.book.commands import command, usage
from notebooks.book.controllers import controllers
from notebooks.book.datasets import named_sets
from notebooks.book.methods import defaults, scores_of, settings, stages
from notebooks.book.quality import accuracies, decision
from notebooks.book.reproductions import (
    calibration,
    chosen,
    findings,
    measures,
    naming,
    noticed,
    ran,
    run_note,
    run_table,
    scores,
)

PARTS: dict[str, Callable[..., str]] = {
    "accuracies": accuracies,
    "api": api,
    "calibration": calibration,
    "chosen": chosen,
    "command": command,
    "controllers": controllers,
    "decision": decision,
    "defaults": defaults,
    "findings": findings,
    "measures": measures,
    "named-sets": named_sets,
    "naming": naming,
    "noticed": noticed,
    "ran": ran,
    "run-note": run_note,
    "run-table": run_table,
    "scores": scores,
    "scores-of": scores_of,
    "settings": settings,
    "stages": stages,
    "usage": usage,
}
