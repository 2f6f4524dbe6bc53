"""Does the uncertainty of the named method flag its errors, and are its probabilities honest? Labels judge, no more."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from vaeclust_jax.data import DATASETS, Dataset, subjects_of
from vaeclust_jax.folder.records.task import Summary
from vaeclust_jax.folder.records.uncertainty import (
    Calibration,
    EnsembleRecord,
    Flagging,
    SeedCalibration,
    SeedFlagging,
    UncertaintyRecord,
)
from vaeclust_jax.graph.neighbours import Graph, expected
from vaeclust_jax.metrics import match_clusters, scores, summarise
from vaeclust_jax.studies.assignments import Answer
from vaeclust_jax.studies.clusters import agreed_share
from vaeclust_jax.studies.common import over_seeds
from vaeclust_jax.uncertainty.calibration import expected_calibration_error
from vaeclust_jax.uncertainty.ensemble import (
    align,
    ensemble_probabilities,
    pairwise_agreement,
    seed_uncertainty,
    stability,
    vote_entropy,
)
from vaeclust_jax.uncertainty.latent import latent_variance
from vaeclust_jax.uncertainty.neighbours import edge_disagreement, neighbour_entropy, outside_share
from vaeclust_jax.uncertainty.selective import (
    compare_groups,
    correctness,
    error_auroc,
    point_biserial,
    risk_at,
    risk_coverage,
    spearman,
)
from vaeclust_jax.uncertainty.temperature import fit_temperature, scale

COVERAGE = 0.8  # the share kept when the least certain fifth is rejected
BY_VOTES = "temperature by the other seeds' votes"
"""The kind of probability that a person is shown where there are several seeds."""
_LABELS = 100  # of the temperature that is fitted with labels

Values = NDArray[np.floating]


def measures(answer: Answer) -> dict[str, Values]:
    """Every uncertainty of one seed's assignments, (n,) each, higher is less sure."""
    assert answer.log_q is not None
    assert answer.passes is not None
    q = np.exp(answer.log_q)
    return {
        "assignment entropy": entr(q).sum(axis=1),
        "latent variance": answer.passes.latent_variance,
        "entropy over passes": answer.passes.entropy,
        "mutual information over passes": answer.passes.mutual_information,
        **({} if answer.graph is None else _by_graph("neighbours", answer.graph, answer)),
    }


def _by_graph(whose: str, graph: Graph, answer: Answer) -> dict[str, Values]:
    assert answer.log_q is not None
    return {
        f"{whose}: entropy": neighbour_entropy(graph, np.exp(answer.log_q)),
        f"{whose}: outside the cluster": outside_share(graph, answer.labels),
        f"{whose}: not agreed on": edge_disagreement(graph),
    }


def seed_measures(answers: Sequence[Answer]) -> dict[str, Values]:
    """Every uncertainty that several seeds have together, (n,) each; none for one seed."""
    if len(answers) < 2:
        return {}
    aligned = aligned_probabilities(answers)
    between = seed_uncertainty(aligned)
    votes, stable = vote_entropy(aligned), stability(np.stack([answer.labels for answer in answers]))
    assert between is not None
    assert votes is not None
    assert stable is not None
    return {
        "seeds: vote entropy": votes,
        "seeds: entropy": np.asarray(between.entropy),
        "seeds: mutual information": np.asarray(between.mutual_information),
        "seeds: instability": 1.0 - stable,
    }


def aligned_probabilities(answers: Sequence[Answer]) -> Values:
    """(S, n, K), the clusters of every seed matched to those of the first."""
    return align(np.stack([np.exp(answer.log_q) for answer in answers if answer.log_q is not None]))


def judge_uncertainty(answers: Sequence[Answer], dataset: Dataset, seeds: Sequence[int]) -> UncertaintyRecord:
    """What the named method's uncertainty is worth; without labels, whether its seeds and its draws agree."""
    drawn = [np.mean(a.passes.latent_variance) for a in answers if a.passes is not None]
    exact = [np.mean(latent_variance(a.logvar)) for a in answers if a.logvar is not None]  # type: ignore[arg-type]
    agreement = pairwise_agreement(np.stack([answer.labels for answer in answers]))
    found = UncertaintyRecord(
        seed_agreement=agreement,
        pass_check=float(np.mean(drawn) / np.mean(exact)),
        agreed=agreed_share(aligned_probabilities(answers)),
        temperatures=tuple(answer.temperature for answer in answers) if len(answers) > 1 else None,
    )
    if dataset.y is None:
        return found
    right = [correctness(dataset.y, answer.labels) for answer in answers]
    shared = seed_measures(answers)
    graphs = [answer.graph for answer in answers if answer.graph is not None]
    of_all = expected((graph.sqrt() for graph in graphs), len(graphs)) if len(graphs) > 1 else None
    groups = dataset.y if dataset.subjects is None and _of_objects(dataset) else subjects_of(dataset)
    rows: dict[str, list[Flagging]] = {}
    for answer, correct in zip(answers, right, strict=True):
        by_all = {} if of_all is None else _by_graph("seeds' neighbours", of_all, answer)
        for name, values in {**measures(answer), **by_all, **shared}.items():
            rows.setdefault(name, []).append(_judge(correct, values, groups))
    calibrated = [_calibration(number, answers, dataset.y, right[number]) for number in range(len(answers))]
    return replace(
        found,
        measures={name: _flagging(of_seeds, seeds) for name, of_seeds in rows.items()},
        ensemble=_judge_ensemble(answers, dataset.y, shared, groups) if shared else None,
        calibration={
            kind: over_seeds(Calibration, SeedCalibration, [of_seed[kind] for of_seed in calibrated], seeds)
            for kind in calibrated[0]
        },
        error_free=tuple(seed for seed, correct in zip(seeds, right, strict=True) if correct.all()),
        groups=None if groups is None else len(np.unique(groups)),
    )


def _of_objects(dataset: Dataset) -> bool:
    """A file is called what its owner likes, so that the name alone says nothing."""
    entry = DATASETS.get(dataset.name)
    return entry is not None and entry.objects and entry.shape[1:] == dataset.x.shape[1:]  # of hinted rows, fewer


def _flagging(rows: Sequence[Flagging], seeds: Sequence[int]) -> Summary[Flagging, SeedFlagging]:
    """Over the seeds; what is not defined without errors, over those that made some."""
    found = over_seeds(Flagging, SeedFlagging, rows, seeds)
    erred = [row for row in rows if row.error]
    if not erred:
        return found
    of_these = summarise([row.by_name() for row in erred])
    mean, std = (
        {key: of_these[which][key] if value is None else value for key, value in of.by_name().items()}
        for which, of in (("mean", found.mean), ("std", found.std))
    )
    return replace(found, mean=Flagging(**mean), std=Flagging(**std))


def _judge(correct: NDArray[np.bool_], values: Values, objects: NDArray[np.integer] | None) -> Flagging:
    """How well one uncertainty tells wrong assignments from correct ones."""
    curve = risk_coverage(correct, values)
    linear, ranked = point_biserial(correct, values, objects), spearman(correct, values, objects)
    groups = compare_groups(correct, values)
    correlations: dict[str, float | None] = {}
    for name, correlation in (("point_biserial", linear), ("spearman", ranked)):
        correlations[name] = None if correlation is None else correlation.value
        correlations[f"{name}_low"] = None if correlation is None else correlation.low
        correlations[f"{name}_high"] = None if correlation is None else correlation.high
    return Flagging(
        auroc=error_auroc(correct, values),
        aurc=curve.area,
        excess_aurc=curve.excess,
        error=float(1 - correct.mean()),
        error_at_80=risk_at(curve, COVERAGE),
        **correlations,
        mean_correct=None if groups is None else groups.mean_correct,
        mean_wrong=None if groups is None else groups.mean_wrong,
        welch_p=None if objects is not None or groups is None or groups.welch is None else groups.welch[1],
        mann_whitney_p=None if objects is not None or groups is None else groups.mann_whitney[1],
    )


def _judge_ensemble(
    answers: Sequence[Answer], y: np.ndarray, shared: Mapping[str, Values], objects: NDArray[np.integer] | None
) -> EnsembleRecord:
    q = ensemble_probabilities(aligned_probabilities(answers))
    labels = q.argmax(axis=1)
    correct = correctness(y, labels)
    return EnsembleRecord(
        **scores(y, labels, None),
        ece=expected_calibration_error(q.max(axis=1), correct),
        measures={name: _judge(correct, values, objects) for name, values in shared.items()},
    )


def _calibration(
    number: int, answers: Sequence[Answer], y: np.ndarray, correct: NDArray[np.bool_]
) -> dict[str, Calibration]:
    """Expected calibration error of one seed's probabilities, as they are and at fitted temperatures."""
    answer = answers[number]
    assert answer.log_q is not None
    assert answer.passes is not None
    everyone = np.ones(len(y), bool)

    def row(probabilities: Values, temperature: float | None, scored: NDArray[np.bool_]) -> Calibration:
        confidence = np.take_along_axis(probabilities, answer.labels[:, None], axis=1)[:, 0]
        return Calibration(
            ece=expected_calibration_error(confidence[scored], correct[scored]),
            mean_confidence=float(confidence[scored].mean()),
            accuracy=float(correct[scored].mean()),
            temperature=temperature,
        )

    found = {
        "q at the mean": row(np.exp(answer.log_q), None, everyone),
        "averaged over passes": row(answer.passes.probabilities, None, everyone),
    }
    if len(answers) > 1:
        found[BY_VOTES] = _at(answer.temperature, answer.log_q, row, everyone)
    chosen = np.random.default_rng(0).permutation(len(y))[: min(_LABELS, len(y) // 2)]
    rest = everyone.copy()
    rest[chosen] = False
    found[f"temperature by {len(chosen)} labels (rest scored)"] = _at(
        fit_temperature(answer.log_q[chosen], _as_clusters(y, answer.labels, chosen)), answer.log_q, row, rest
    )
    return found


def _at(temperature: float | None, log_q: Values, row: Any, scored: NDArray[np.bool_]) -> Calibration:
    if temperature is None:
        return Calibration(ece=None, mean_confidence=None, accuracy=None, temperature=None)
    return row(np.exp(scale(log_q, temperature)), temperature, scored)


def _as_clusters(y: np.ndarray, labels: np.ndarray, chosen: NDArray[np.integer]) -> NDArray[np.int64]:
    """The cluster that each chosen sample's class is matched to among the chosen; -1 where there is none."""
    cluster_of = {of_class: cluster for cluster, of_class in match_clusters(y[chosen], labels[chosen]).items()}
    return np.array([cluster_of.get(int(one), -1) for one in y[chosen]])
