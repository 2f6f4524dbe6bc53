"""What a run found, as one record: scores, comparisons, uncertainty, and sentences made from them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.folder.records.named_clusters import NamedClusters
from vaeclust_jax.folder.records.scores import Origin
from vaeclust_jax.folder.records.uncertainty import OutlierRecord, UncertaintyRecord
from vaeclust_jax.folder.typed_json import as_json
from vaeclust_jax.graph.clarity import Separation
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.selection.augment import AugmentChoice
from vaeclust_jax.selection.num_clusters import Choice
from vaeclust_jax.studies.assignments import Answer
from vaeclust_jax.studies.clarity import starts_of, starts_sentences
from vaeclust_jax.studies.classification_figures import classification_finding
from vaeclust_jax.studies.clusters import alike, clusters_of
from vaeclust_jax.studies.common import common_fields
from vaeclust_jax.studies.experiment import Experiment
from vaeclust_jax.studies.hints import hints_record, hints_sentences, scored_rows, without_hints
from vaeclust_jax.studies.scores import against_the_floor, collapse_warnings, protocol_record, score_methods
from vaeclust_jax.studies.tests import against_reported, comparisons, findings, implied_tests
from vaeclust_jax.studies.uncertainty import judge_uncertainty
from vaeclust_jax.studies.verdict import verdict_of


def metrics_of(
    experiment: Experiment,
    runs: list[Run],
    answers: Mapping[str, list[Answer]],
    dataset: Dataset,
    seeds: Sequence[int],
    *,
    fits: Mapping[str, int],
    outliers: OutlierRecord | None = None,
    classified: NamedClusters | None = None,
    choice: Choice | None = None,
    views: AugmentChoice | None = None,
    left_out: Sequence[str] = (),
    separation: dict[str, Separation] | None = None,
    hints: Hints | None = None,
) -> ClusteringRecord:
    """What was measured of a clustering.

    Args:
        experiment: its first method is the named one.
        runs: of the named method.
        answers: of every method, the experiment's own first.
        dataset: whose labels, if any, are compared.
        seeds: their numbers.
        fits: of the methods that are read off a training, its number.
        outliers: of `judge_outliers`.
        classified: of `classification`.
        choice: how the number of clusters was chosen, if it was.
        views: how the strength of views was chosen, if it was.
        left_out: sentences on the methods that were not run, or that were told nothing.
        separation: of `separation_of`.
        hints: that the named method read.
    """
    first, named = runs[0], experiment.named
    rows = scored_rows(hints, len(dataset.x))
    judged, scored = without_hints(answers, dataset, rows)
    held_out = np.flatnonzero(np.isin(rows, first.validation_index))
    protocols = {"all": np.arange(len(scored.x)), "validation": held_out}
    protocols = {name: index for name, index in protocols.items() if len(index)}
    together = [name for name, arm in experiment.arms.items() if arm.together]
    results = score_methods(judged, protocols, scored, seeds, together)
    origins = {name: Origin(fit=fits.get(name), together=name in together) for name in results}
    top = results[named]["all"]
    compared = comparisons(results, named, origins)
    reported = experiment.reported if dataset.name == getattr(experiment.reported, "dataset", None) else None
    beside = [] if reported is None else against_reported(results, reported)
    uncertainty = judge_uncertainty(judged[named], scored, seeds)
    read = None if hints is None else hints_record(hints, answers[named])
    shallow = tuple(name for name in results if name not in experiment.arms)
    told = {name: one.labelled for name, one in experiment.arms.items()}
    starts = starts_of(runs, seeds)
    found = ClusteringRecord(
        **common_fields(experiment, dataset),
        protocol={**protocol_record(first, dataset, told, classified, read), **_over_rows(uncertainty)},
        mean=top.mean,
        std=top.std,
        seeds=top.seeds,
        findings=(
            *hints_sentences(read),
            *against_the_floor(results, named, shallow),
            *(one.reason for one in (choice, views) if one is not None),
            *starts_sentences(starts),
            *findings(compared, beside, reported, named),
            *([] if classified is None else classification_finding(classified, named)),
            *_flagged(uncertainty),
        ),
        warnings=(*collapse_warnings(top.seeds, first.config), *left_out),
        num_clusters=first.config.num_clusters,
        num_clusters_choice=None if choice is None else as_json(choice.record()),
        augment_choice=None if views is None else as_json(views.record()),
        results=results,
        origins=origins,
        starts=starts,
        clarity=None if separation is None else {name: one.clarity for name, one in separation.items()},
        cut=None if separation is None else {name: one.cut for name, one in separation.items()},
        shallow=shallow,
        comparisons=tuple(compared),
        reported=tuple(beside),
        reported_runs=None if reported is None else reported.runs,
        reported_tests=None if reported is None else implied_tests(reported),
        uncertainty=uncertainty,
        outliers=outliers,
        classification=classified,
        clusters=clusters_of(answers[named], dataset, [answers[name][0] for name in shallow], rows),
        alike=alike(answers[named], {name: answers[name] for name in shallow}),
        hints=read,
    )
    return replace(found, verdict=verdict_of(found))


def _over_rows(uncertainty: UncertaintyRecord) -> dict[str, str]:
    """What the intervals of correlations are over, where there are any."""
    measures = (uncertainty.measures or {}).values()
    if all(row.point_biserial is None for of in measures for row in of.seeds):  # without an error there is none
        return {}
    how = (
        "taken as independent"
        if uncertainty.groups is None
        else f"resampled by {uncertainty.groups} subjects, each of them whole"
    )
    return {"interval_of_correlations": f"95 % interval over the scored rows of one seed, {how}"}


def _flagged(uncertainty: UncertaintyRecord) -> list[str]:
    """What rejecting the least certain gains, by the two measures of the source and by what the seeds agree on."""
    measures, sentences = uncertainty.measures or {}, []
    without = len(uncertainty.error_free or ())
    for name in ("assignment entropy", "latent variance", "seeds: instability"):
        if name in measures and (mean := measures[name].mean).auroc is not None:
            of = f" ({without} of {len(measures[name].seeds)} seeds made no error)" if without else ""
            sentences.append(
                f"{name[0].upper()}{name[1:]} flags wrong assignments with AUROC {mean.auroc:.3f}{of}; keeping the "
                f"surest 80 % takes the error from {mean.error:.3f} to {mean.error_at_80:.3f}."
            )
    return sentences
