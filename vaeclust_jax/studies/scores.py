"""From answers to figures: scores of every method, protocol and seed, their spread, and what was done to get them."""

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.doubts import CURE, IDLE, idle
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.clustering import ON_LATENTS
from vaeclust_jax.folder.records.hints import HintsRecord
from vaeclust_jax.folder.records.named_clusters import NamedClusters
from vaeclust_jax.folder.records.scores import Result, Results, Scores, SeedScores
from vaeclust_jax.metrics import active_units, populated_clusters, scores, summarise, t_interval, why_no_spread
from vaeclust_jax.studies.assignments import Answer
from vaeclust_jax.studies.design import VOTED

SCORES = Scores.names
RANGES = {"acc": (0.0, 1.0), "nmi": (0.0, 1.0), "ari": (-0.5, 1.0), "ami": (-1.0, 1.0), "silhouette": (-1.0, 1.0)}
_ALIKE = 0.01  # of a score


def score_methods(
    answers: Mapping[str, list[Answer]],
    protocols: Mapping[str, np.ndarray],
    dataset: Dataset,
    seeds: Sequence[int],
    together: Collection[str] = (),
) -> Results:
    """Scores every method under every protocol.

    Args:
        answers: by method, one a seed, or a single one where nothing is random (its seed is None).
        protocols: the rows that count, by name.
        dataset: whose labels, if any, are compared.
        seeds: their numbers.
        together: methods whose seeds learned from each other, which have no interval over seeds.
    """
    results: Results = {}
    for name, of_seeds in answers.items():
        numbers: Sequence[int | None] = seeds if len(of_seeds) == len(seeds) else [None]
        results[name] = {}
        for protocol, index in protocols.items():
            rows = [_scores(one, index, dataset, seed) for one, seed in zip(of_seeds, numbers, strict=True)]
            results[name][protocol] = result_of(rows, name in together)
    return results


def result_of(rows: Sequence[SeedScores], together: bool = False) -> Result:
    """What the seeds have in common: empty clusters and dead units belong to one, not to a mean."""
    plain = [{key: getattr(row, key) for key in SCORES} for row in rows]
    summary = summarise(plain)
    columns = {key: [row[key] for row in plain] for key in SCORES}
    reasons = {key: why_no_spread(values) or (VOTED if together else None) for key, values in columns.items()}
    return Result(
        mean=Scores(**summary["mean"]),
        std=Scores(**summary["std"]),
        interval={key: None if reasons[key] else _interval(key, values) for key, values in columns.items()},
        seeds=tuple(rows),
        no_interval={key: reason for key, reason in reasons.items() if reason is not None} or None,
    )


def _interval(key: str, values: Sequence[float | None]) -> tuple[float, float] | None:
    found = t_interval(values, limits=RANGES[key])
    return None if found is None else (found.low, found.high)


def _scores(found: Answer, index: np.ndarray, dataset: Dataset, seed: int | None) -> SeedScores:
    labels = found.labels[index]
    latents = None if found.latents is None else found.latents[index]
    y = None if dataset.y is None else dataset.y[index]
    return SeedScores(
        seed=seed,
        **scores(y, labels, latents),
        populated_clusters=populated_clusters(labels, found.num_clusters),
        active_units=None if latents is None else active_units(latents),
    )


def protocol_record(
    run: Run,
    dataset: Dataset,
    told: Mapping[str, float],
    classified: NamedClusters | None = None,
    hints: HintsRecord | None = None,
) -> dict[str, str]:
    """Sentences on what was fitted and scored on what, and what labels were used for.

    Args:
        run: the named method's, of one seed.
        dataset: what was clustered.
        told: of each method, the share of rows whose class its training is told.
        classified: of `classification`, if the clusters were named.
        hints: that the named method read.
    """
    prepare = run.config.prepare
    n, train, held_out = len(dataset.x), len(run.train_index), len(run.validation_index)
    steady = not isinstance(getattr(run.config.method, "beta", None), str)
    split = f"{'stratified' if prepare.stratify else 'plain'} split with seed {prepare.split_seed}"
    if dataset.y is None:
        used = "there are none"
    else:
        parts = ["scoring"] + ["the stratified split"] * prepare.stratify
        parts += [f"the training of {name} ({share:.0%} of the rows)" for name, share in told.items() if share]
        if classified is not None:
            parts += [f"naming the clusters of {', '.join(told)} as classes (at most {classified.labels} labels)"]
        used = f"{parts[0]} alone" if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
        if prepare.stratify and not any(told.values()):
            used += "; training reads none"
        if classified is not None:
            used += "; the clustering read none"
    if hints is not None:
        used += f"; the training read a person's hints, {hints.sentence}"
    rows = n if hints is None else n - hints.rows
    without = "" if hints is None else f" without a hint (of {n})"
    record = {
        "fitted_on": f"{train} of {n} rows ({split})" if held_out else f"all {n} rows",
        "shallow_methods_fitted_on": f"all {n} rows, as most of them cannot label new ones",
        "stopped_on": f"the other {held_out} rows (validation VAE loss)" if held_out and steady else "nothing",
        "scored_on": f"all: all {rows} rows{without}{' (classes told included)' if any(told.values()) else ''}"
        + (f"; validation: the {held_out} held-out rows" if held_out else ""),
        "labels_used_for": used,
        "spread": "standard deviation over seeds (n - 1)",
        "interval": "95 % t interval of the mean over seeds; the data and the split are the same for all",
    }
    if hints is not None and rows == 0:
        record["scored_on"] = "nothing: every row has a hint"
    if classified is not None:
        record["classified"] = (
            f"{classified.tested_on} rows beside those above, which neither training nor naming saw, by clusters "
            f"named by the labels of the {classified.labels} held-out rows"
        )
    return record


def against_the_floor(results: Results, named: str, shallow: Sequence[str]) -> list[str]:
    """How the named method stands to the best ones that need no network, on all rows; no sentence without labels.

    Each score has a best one of its own: a method that is ahead in ACC alone is below the floor.
    """
    ahead, parts = _ahead(results, named, shallow), []
    if not ahead:
        return []
    for key, (best, _) in ahead.items():
        ours, deviation = (getattr(of, key) for of in (results[named]["all"].mean, results[named]["all"].std))
        spread = "" if deviation is None else f" ± {deviation:.3f}"
        theirs = getattr(results[best]["all"].mean, key)
        parts.append(f"{SCORES[key]} {ours:.3f}{spread} against {theirs:.3f} ({best})")
    below = [SCORES[key] for key, (_, difference) in ahead.items() if difference < -_ALIKE]
    above = [SCORES[key] for key, (_, difference) in ahead.items() if difference > _ALIKE]
    if below:
        how = f"below the best method without a network in {' and '.join(below)}"
    elif len(above) == len(ahead):
        how = "better than every method without a network"
    else:
        how = "as good as the best method without a network" + "".join(f", and better in {score}" for score in above)
    return [f"{named} is {how}: {', '.join(parts)}."]


def behind(results: Results, named: str, shallow: Sequence[str]) -> str | None:
    """The method without a network that the named one is farthest below, in either score; None: none, or no labels."""
    ahead = _ahead(results, named, shallow).values()
    best, least = min(ahead, key=itemgetter(1), default=("", 0.0))
    return best if least < -_ALIKE else None


def _ahead(results: Results, named: str, shallow: Sequence[str]) -> dict[str, tuple[str, float]]:
    """By score, the best method without a network, and how far the named one is ahead of it; {} without labels."""
    floor = [name for name in shallow if not name.endswith(ON_LATENTS)]
    found = {}
    for key in ("acc", "nmi"):
        means = {name: mean for name in floor if (mean := getattr(results[name]["all"].mean, key)) is not None}
        ours = getattr(results[named]["all"].mean, key)
        if ours is None or not means:
            return {}
        best = max(means, key=means.__getitem__)
        found[key] = (best, ours - means[best])
    return found


def idle_labels(runs: Mapping[str, Sequence[Run]]) -> list[str]:
    """Of arms that are told labels, a sentence where these weighed nothing in any epoch: their figures are of none."""
    return [f"{arm}: its {IDLE}, so that its figures are those of no labels: {CURE}" for arm in runs if idle(runs[arm])]


def collapse_warnings(rows: Sequence[SeedScores], config: Config) -> list[str]:
    """Collapse is said, never hidden."""
    found = []
    for row in rows:
        if row.populated_clusters < config.num_clusters:
            found.append(f"seed {row.seed}: {row.populated_clusters} of {config.num_clusters} clusters have members")
        if row.active_units is not None and row.active_units < min(2, config.network.latent_dim):
            found.append(
                f"seed {row.seed}: {row.active_units} of {config.network.latent_dim} latent units are active "
                "(posterior collapse): a lower beta is the usual cure"
            )
    return found
