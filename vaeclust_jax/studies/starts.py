"""Which clusters training began with: those of the method's own graph, or clearer ones that need no network."""

from collections.abc import Sequence

from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.clustering import StartRecord
from vaeclust_jax.methods.shallow_starts import OWN, began_with


def starts_of(runs: Sequence[Run], seeds: Sequence[int]) -> tuple[StartRecord, ...] | None:
    """Of each seed; None where there was nothing to choose from."""
    found = tuple(
        StartRecord(seed=seed, began=began_with(run.clarity_), clarity=run.clarity_)
        for run, seed in zip(runs, seeds, strict=True)
        if run.clarity_ is not None
    )
    return found or None


def starts_sentences(starts: Sequence[StartRecord] | None) -> list[str]:
    """A sentence for each method without a network that training began with."""
    seeds_of: dict[str, list[StartRecord]] = {}
    for start in starts or ():
        if start.began != OWN:
            seeds_of.setdefault(start.began, []).append(start)
    return [
        f"Seed{'s' if len(of) > 1 else ''} {', '.join(str(one.seed) for one in of)} began with the clusters of {name}, "
        f"without a network: they are clearer than those of the graph ({of[0].clarity[name]:.2f} against "
        f"{of[0].clarity[OWN]:.2f})."
        for name, of in seeds_of.items()
    ]
