"""How clear clusters are in the graph of the values: those that training began with, and those of every method."""

from collections.abc import Mapping, Sequence

import numpy as np

from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.clustering import ON_LATENTS, ClusteringRecord, StartRecord
from vaeclust_jax.graph import NUM_NEIGHBOURS, in_reach
from vaeclust_jax.graph.clarity import Separation, separation
from vaeclust_jax.methods.shallow_starts import CLEARER, LONG_WALK, OWN, SAME, began_with
from vaeclust_jax.studies.assignments import Answer


def separation_of(answers: Mapping[str, Sequence[Answer]], data: Prepared) -> dict[str, Separation] | None:
    """`graph.clarity` of each method's clusters of all samples, the mean over its seeds; no label is read.

    None of one cluster, and where the graph of the values cannot be had.
    """
    from vaeclust_jax.graph.neighbours import of_values

    n, most = len(data.rows), max(one.num_clusters for of_seeds in answers.values() for one in of_seeds)
    if n <= NUM_NEIGHBOURS or most < 2 or not in_reach(n, int(np.prod(data.rows.shape[1:]))):
        return None
    graph = of_values(np.asarray(data.rows))
    return {
        name: Separation(
            *np.mean([separation(graph, one.labels, one.num_clusters) for one in of_seeds], axis=0).tolist()
        )
        for name, of_seeds in answers.items()
    }


def clarity_sentence(metrics: ClusteringRecord) -> list[str]:
    """How clear the named method's clusters are beside those of the methods without a network, on the data.

    Where several of those find the same clusters as it, that is said: clarity prefers clusters of one size. Those that
    cut more of the graph are left out for the same reason.
    """
    if same := found_by_several(metrics.shallow, metrics.alike):
        return [f"Methods without a network find the same clusters: {', '.join(same)}."]
    if metrics.clarity is None or not (others := _clarity_of_others(metrics)):
        return []
    named, own = metrics.method, metrics.clarity[metrics.method]
    in_graph = f"In the graph of the values the clusters of {named} are"
    if not (rivals := _no_more_cut(metrics, others)):
        return [f"{in_graph} cut less than those of every method without a network."]
    best = max(rivals, key=rivals.__getitem__)
    method = "method without a network" + ("" if rivals == others else " that cuts no more of it")
    if own > rivals[best]:
        how = f"clearer than those of every {method}"
    elif own > rivals[best] - CLEARER:
        how = f"about as clear as those of the best {method}"
    else:
        how = "less clear than those of a method without a network, which may be the better one here"
    return [f"{in_graph} {how} ({own:.2f} against {rivals[best]:.2f}, {best}; at most 0.50)."]


def found_by_several(shallow: Sequence[str], alike: Mapping[str, float] | None) -> list[str]:
    """The methods without a network, on the data, that find the named method's clusters; none where only one does."""
    same = _the_same(_on_data(shallow), alike)
    return same if len(same) >= 2 else []


def far_clearer(metrics: ClusteringRecord) -> str | None:
    """The method without a network whose clusters are clearer by more than training moves them; None: there is none.

    Those that cut more of the graph do not count: clarity would halve a large cluster that stands apart.
    """
    if metrics.clarity is None or len(_the_same(_on_data(metrics.shallow), metrics.alike)) >= 2:
        return None
    rivals = _no_more_cut(metrics, _clarity_of_others(metrics))
    best = max(rivals, key=rivals.__getitem__, default=None)
    return best if best is not None and rivals[best] > metrics.clarity[metrics.method] + CLEARER else None


def _clarity_of_others(metrics: ClusteringRecord) -> dict[str, float]:
    clarity = metrics.clarity or {}
    return {name: clarity[name] for name in _on_data(metrics.shallow) if name in clarity}


def _no_more_cut(metrics: ClusteringRecord, clarity: Mapping[str, float]) -> dict[str, float]:
    """Those whose clusters cut no more of the graph than the named method's; all, in files that do not know.

    An encoder may move borders off the gaps of the graph: what its training began with counts, where that cut less.
    """
    if (cut := metrics.cut) is None:
        return dict(clarity)
    began = [start.cut[start.began] for start in metrics.starts or () if start.cut is not None]
    least = min([cut[metrics.method], *began])
    return {name: one for name, one in clarity.items() if cut[name] <= least}


def _on_data(shallow: Sequence[str]) -> list[str]:
    return [name for name in shallow if not name.endswith(ON_LATENTS)]


def _the_same(names: Sequence[str], alike: Mapping[str, float] | None) -> list[str]:
    """Those that found the named method's clusters."""
    return [name for name in names if (alike or {}).get(name, 0.0) >= SAME]


def starts_of(runs: Sequence[Run], seeds: Sequence[int]) -> tuple[StartRecord, ...] | None:
    """Of each seed; None where there was nothing to choose from."""
    found = tuple(
        StartRecord(
            seed=seed,
            began=began_with(run.starts_),
            clarity={name: one.clarity for name, one in run.starts_.items()},
            cut={name: one.cut for name, one in run.starts_.items()},
        )
        for run, seed in zip(runs, seeds, strict=True)
        if run.starts_ is not None
    )
    return found or None


def starts_sentences(starts: Sequence[StartRecord] | None) -> list[str]:
    """A sentence for each method without a network that training began with."""
    seeds_of: dict[str, list[StartRecord]] = {}
    for start in starts or ():
        if start.began != OWN:
            seeds_of.setdefault(start.began, []).append(start)
    return [
        f"Seed{'s' if len(of) > 1 else ''} {', '.join(str(one.seed) for one in of)} began with the clusters of "
        f"{_called(name)}, without a network: {_why(name, of[0].clarity)}."
        for name, of in seeds_of.items()
    ]


def _called(name: str) -> str:
    return "a long walk on the graph of the values" if name == LONG_WALK else name


def _why(name: str, clarity: Mapping[str, float]) -> str:
    if name == LONG_WALK:
        return "they are cut at most a tenth as much as those of the graph"
    if OWN in clarity:
        return f"they are clearer than those of the graph ({clarity[name]:.2f} against {clarity[OWN]:.2f})"
    return f"{', '.join(clarity)} find the same ones, and the graph others"
