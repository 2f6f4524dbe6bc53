"""The generated parts of the book by the name that a page calls them by; each returns Markdown."""

from collections.abc import Callable

from notebooks.book.api import api
from notebooks.book.commands import command, usage
from notebooks.book.controllers import controllers
from notebooks.book.datasets import named_sets
from notebooks.book.methods import defaults, scores_of, settings, stages
from notebooks.book.quality import accuracies, decision

PARTS: dict[str, Callable[..., str]] = {
    "accuracies": accuracies,
    "api": api,
    "command": command,
    "controllers": controllers,
    "decision": decision,
    "defaults": defaults,
    "named-sets": named_sets,
    "scores-of": scores_of,
    "settings": settings,
    "stages": stages,
    "usage": usage,
}
