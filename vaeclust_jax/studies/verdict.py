"""What a clustering comes to, in sentences that need no table: the end of a run and the top of its page."""

from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.studies.clarity import clarity_sentence, far_clearer, found_by_several, starts_sentences
from vaeclust_jax.studies.classification_figures import classification_finding
from vaeclust_jax.studies.clusters import agreeing
from vaeclust_jax.studies.hints import hints_sentences
from vaeclust_jax.studies.scores import against_the_floor, behind
from vaeclust_jax.studies.tests import reached
from vaeclust_jax.studies.uncertainty import BY_VOTES

_LISTED, _DOUBTED = 12, 5  # clusters, at most


def verdict_of(metrics: ClusteringRecord) -> dict[str, tuple[str, ...]]:
    """Sentences on what was found, how good and how sure; a method that is below its floor says so first."""
    answers = {"found": _found(metrics), "how good": _how_good(metrics), "how sure": _how_sure(metrics)}
    first = ["how good"] if behind(metrics.results, metrics.method, metrics.shallow) else []
    return {topic: tuple(answers[topic]) for topic in dict.fromkeys([*first, *answers])}


def better_without_a_network(metrics: ClusteringRecord) -> str | None:
    """The method without a network whose clusters are better by labels or, without labels, far clearer; None: none."""
    if (worse := behind(metrics.results, metrics.method, metrics.shallow)) is not None:
        return worse
    return None if metrics.mean.acc is not None else far_clearer(metrics)


def _found(metrics: ClusteringRecord) -> list[str]:
    sizes = [one.samples for one in metrics.clusters or ()]
    filled = [size for size in sizes if size]
    said = f"{len(filled)} clusters in {metrics.dataset.shape[0]} samples of {metrics.dataset.name}"
    if len(sizes) <= _LISTED:
        said = f"{said}; of cluster 0 to {len(sizes) - 1}: {', '.join(map(str, sizes))}."
    else:
        least, most = min(filled), max(filled)
        said = f"{said}, of {least if least == most else f'{least} to {most}'} samples each."
    chosen = (metrics.num_clusters_choice, metrics.augment_choice)
    reasons = [choice["reason"] for choice in chosen if choice is not None]
    return [said, *hints_sentences(metrics.hints), *reasons, *starts_sentences(metrics.starts)]


def _how_good(metrics: ClusteringRecord) -> list[str]:
    judged = against_the_floor(metrics.results, metrics.method, metrics.shallow) or _without_a_floor(metrics)
    named = metrics.classification
    return [
        *judged,
        *reached(metrics.reported),
        *([] if named is None else classification_finding(named, metrics.method)),
    ]


def _without_a_floor(metrics: ClusteringRecord) -> list[str]:
    """What can be said where there are no labels, or no method to hold against."""
    if metrics.mean.acc is not None:
        said = [f"{metrics.method}: ACC {metrics.mean.acc:.3f}, NMI {metrics.mean.nmi:.3f}."]
    else:
        said = ["There are no labels to score by."]
        said += clarity_sentence(metrics)
    if metrics.mean.silhouette is not None:
        said.append(f"Silhouette of its own latents: {metrics.mean.silhouette:.2f} (how compact, not how right).")
    if metrics.alike and not found_by_several(metrics.shallow, metrics.alike):
        most = max(metrics.alike, key=metrics.alike.__getitem__)
        said.append(f"Of the shallow methods, {most} is most like it (adjusted Rand index {metrics.alike[most]:.2f}).")
    return said


def _how_sure(metrics: ClusteringRecord) -> list[str]:
    said, sure, seeds = [], metrics.uncertainty, len(metrics.seeds)
    if sure.agreed is not None and sure.seed_agreement is not None:
        least = agreeing(seeds)
        every = "Both" if seeds == 2 else f"All {seeds}"
        who = f"{every} seeds" if least == seeds else f"At least {least} of {seeds} seeds"
        said.append(
            f"{who} agree on {100 * sure.agreed:.0f} % of the samples (adjusted Rand index of two: "
            f"{sure.seed_agreement:.2f})."
        )
    if sure.calibration is not None:
        raw, voted = next(iter(sure.calibration.values())).mean, sure.calibration.get(BY_VOTES)
        shown = raw if voted is None or voted.mean.mean_confidence is None else voted.mean
        said.append(f"The mean probability is {shown.mean_confidence:.2f} at an accuracy of {shown.accuracy:.2f}.")
    doubted = [one for one in metrics.clusters or () if one.doubts]
    said += [f"Doubt cluster {one.cluster}: {'; '.join(one.doubts)}." for one in doubted[:_DOUBTED]]
    if len(doubted) > _DOUBTED:
        said.append(f"Doubt {len(doubted) - _DOUBTED} more, which the table of clusters names.")
    if sure.agreed is None:
        said.append("One seed cannot say which clusters would be found again: add --seeds 5.")
    elif not doubted:
        said.append("No cluster is in doubt.")
    return said
