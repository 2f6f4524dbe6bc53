"""What a study does with a person's hints: rows that they are about are not scored, and it says so."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Int

from vaeclust_jax.data import Dataset
from vaeclust_jax.folder.records.hints import HintsRecord
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.studies.assignments import Answer

_NAMED = 12  # clusters


def scored_rows(hints: Hints | None, num_samples: int) -> Int[np.ndarray, " s"]:
    """Rows that no hint is about, in their order."""
    return np.arange(num_samples) if hints is None else np.flatnonzero(~hints.constraints(num_samples).hinted)


def of_rows(found: Answer, rows: Int[np.ndarray, " s"]) -> Answer:
    """What is said of some rows."""
    part = {
        name: value[rows]
        for name in ("labels", "log_q", "latents", "logvar")
        if (value := getattr(found, name)) is not None
    }
    passes = None if found.passes is None else type(found.passes)(*(column[rows] for column in found.passes))
    return found._replace(**part, passes=passes, graph=None if found.graph is None else found.graph[rows][:, rows])


def without_hints(
    answers: Mapping[str, Sequence[Answer]], dataset: Dataset, rows: Int[np.ndarray, " s"]
) -> tuple[dict[str, list[Answer]], Dataset]:
    """What is scored. Where every row has a hint, all of them without their labels: nothing is left to score by."""
    if len(rows) == len(dataset.x):
        return {name: list(of_seeds) for name, of_seeds in answers.items()}, dataset
    if not len(rows):
        return {name: list(of_seeds) for name, of_seeds in answers.items()}, replace(dataset, y=None)
    return {name: [of_rows(one, rows) for one in of_seeds] for name, of_seeds in answers.items()}, dataset.of_rows(rows)


def hints_record(hints: Hints, answers: Sequence[Answer]) -> HintsRecord:
    """What was read, and how much of it the seeds of the named method keep."""
    constraints, record = hints.constraints(len(answers[0].labels)), hints.record()
    return HintsRecord(
        rows=int(constraints.hinted.sum()),
        labels=len(record["rows"]),
        must_link=len(record["must_link"]),
        cannot_link=len(record["cannot_link"]),
        names=tuple(record["names"]),
        kept=float(np.mean([constraints.kept(found.labels) for found in answers])),
    )


def hints_sentences(hints: HintsRecord | None) -> list[str]:
    """That hints were read, and what became of them."""
    if hints is None:
        return []
    said = [
        f"Semi-supervised: it read a person's hints ({hints.sentence}); the {hints.rows} rows that they are about are "
        f"not scored. Its clusters keep {100 * hints.kept:.0f} % of the hints; other methods read none."
    ]
    if hints.names:
        some = ", ".join(f"{number} {name!r}" for number, name in enumerate(hints.names[:_NAMED]))
        more = len(hints.names) - _NAMED
        said.append(f"Clusters by the names of their hints: {some}{f' and {more} more' if more > 0 else ''}.")
    return said
