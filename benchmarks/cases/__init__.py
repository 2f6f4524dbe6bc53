"""The cases, one subject a file; each file's `CASES` holds its own."""

from importlib import import_module

from benchmarks.case import Case

MODULES = (
    "train_step",
    "epoch",
    "seeds",
    "passes",
    "start",
    "scaling",
    "clustpy",
    "conv_forms",
    "mixtures",
    "graph",
    "insects",
    "gpu",
)


def all_cases() -> dict[str, Case]:
    """Every case by its name, in the order of the table."""
    cases = [case for module in MODULES for case in import_module(f"benchmarks.cases.{module}").CASES]
    return {case.name: case for case in sorted(cases, key=lambda case: (not case.name.startswith("T"), case.name))}
