"""Uncertainty of made answers whose errors, ensemble and calibration are known."""

from dataclasses import replace
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, roc_auc_score

from tests.studies.made_assignments import made_answer, made_dataset, soft
from vaeclust_jax.folder.typed_json import as_json
from vaeclust_jax.studies.assignments import Answer, with_temperatures
from vaeclust_jax.studies.uncertainty import judge_uncertainty, measures, seed_measures
from vaeclust_jax.uncertainty.selective import correctness

K = 3
Y = np.repeat([0, 1, 2], 10)
WRONG = [4, 12, 13, 22, 28, 29]  # one error of class 0, two of class 1, three of class 2
LABELS = Y.copy()
LABELS[WRONG] = (Y[WRONG] + 1) % K
RENAMED = np.array([2, 0, 1])[LABELS]
CORRECT = np.isin(np.arange(30), WRONG, invert=True)
DATA = made_dataset(np.zeros((30, 4)), Y)
UNLABELLED = made_dataset(np.zeros((30, 4)), None)


def judge(*answers: Answer, data: Any = DATA) -> dict[str, Any]:
    """As JSON holds it."""
    return as_json(judge_uncertainty(with_temperatures(answers), data, range(7, 7 + len(answers))))


def unsure_by(values: Any, labels: np.ndarray = RENAMED) -> Answer:
    """Entropies over passes as given."""
    return made_answer(soft(labels, 0.8, K), entropy=np.asarray(values, float))


def varied(rng: int, labels: np.ndarray = LABELS) -> Answer:
    """A different softness of every sample."""
    return made_answer(soft(labels, np.random.default_rng(rng).uniform(0.4, 0.99, len(labels)), K))


def test_correct_is_what_the_best_match_of_clusters_and_classes_says() -> None:
    np.testing.assert_array_equal(correctness(Y, LABELS), CORRECT)
    np.testing.assert_array_equal(correctness(Y, RENAMED), CORRECT)


def test_samples_of_a_cluster_left_over_are_wrong() -> None:
    labels = np.where(np.arange(30) < 3, 3, LABELS)
    assert correctness(Y, labels).tolist() == ((labels != 3) & CORRECT).tolist()


def test_the_measures_are_the_formulas() -> None:
    answer = made_answer(
        soft(LABELS, 0.7, K),
        probabilities=soft(LABELS, 0.5, K),
        entropy=np.arange(30.0),
        mutual_information=np.arange(30) / 7,
        latent_variance=np.ones(30),
    )
    found = measures(answer)
    q = np.array([0.7, 0.15, 0.15])
    np.testing.assert_allclose(found["assignment entropy"], -(q * np.log(q)).sum())
    np.testing.assert_array_equal(found["entropy over passes"], np.arange(30))
    np.testing.assert_array_equal(found["mutual information over passes"], np.arange(30) / 7)
    np.testing.assert_array_equal(found["latent variance"], 1)


def test_an_uncertainty_that_is_the_error_flags_every_error() -> None:
    row = judge(unsure_by(~CORRECT))["measures"]["entropy over passes"]["seeds"][0]
    assert row["seed"] == 7
    assert row["auroc"] == 1
    assert row["excess_aurc"] == pytest.approx(0, abs=1e-12)
    assert row["error"] == pytest.approx(6 / 30)
    assert row["error_at_80"] == 0  # the 24 surest of 30 are the correct ones
    assert (row["mean_correct"], row["mean_wrong"]) == (0, 1)
    assert row["point_biserial"] == pytest.approx(-1)


def test_the_figures_of_a_mixed_uncertainty_by_hand() -> None:
    values = np.arange(30.0)  # the later, the less sure: of the 24 surest, rows 4, 12, 13 and 22 are wrong
    row = judge(unsure_by(values))["measures"]["entropy over passes"]["seeds"][0]
    pairs = [(wrong > right) + 0.5 * (wrong == right) for wrong, right in product(values[WRONG], values[CORRECT])]
    assert row["auroc"] == pytest.approx(np.mean(pairs))
    assert row["error_at_80"] == pytest.approx(4 / 24)
    assert row["aurc"] == pytest.approx(np.mean([np.sum(~CORRECT[:n]) / n for n in range(1, 31)]))
    assert row["mean_wrong"] == pytest.approx((4 + 12 + 13 + 22 + 28 + 29) / 6)
    assert row["point_biserial"] == pytest.approx(np.corrcoef(CORRECT, values)[0, 1])
    assert row["point_biserial_low"] < row["point_biserial"] < row["point_biserial_high"]
    assert row["spearman"] < 0
    assert 0 < row["mann_whitney_p"] < 1
    assert 0 < row["welch_p"] < 1


def test_a_constant_uncertainty_has_no_correlation_and_says_nothing() -> None:
    row = judge(unsure_by(np.ones(30)))["measures"]["entropy over passes"]["seeds"][0]
    names = [f"{name}{end}" for name in ("point_biserial", "spearman") for end in ("", "_low", "_high")]
    assert [row[name] for name in (*names, "welch_p")] == [None] * 7
    assert row["auroc"] == 0.5
    assert row["error_at_80"] == pytest.approx(row["error"])


def test_without_an_error_there_is_nothing_to_flag() -> None:
    perfect, other = unsure_by(np.arange(30), Y), unsure_by(np.arange(30))
    found = judge(perfect, other)["measures"]["entropy over passes"]
    assert found["seeds"][0]["auroc"] is None
    assert found["seeds"][1]["auroc"] is not None
    assert found["mean"]["auroc"] == found["seeds"][1]["auroc"]
    assert found["mean"]["error"] == pytest.approx(0.1)
    assert found["std"]["error"] == pytest.approx(0.2 / np.sqrt(2))
    assert [row["seed"] for row in found["seeds"]] == [7, 8]


def test_every_seed_is_judged_by_its_own_uncertainty_and_errors() -> None:
    found = judge(unsure_by(~CORRECT), unsure_by(CORRECT), unsure_by(~CORRECT, Y))["measures"]["entropy over passes"]
    assert [row["auroc"] for row in found["seeds"]] == [1, 0, None]
    assert [row["error"] for row in found["seeds"]] == pytest.approx([0.2, 0.2, 0])


def test_without_labels_only_what_needs_none_is_said() -> None:
    answers = varied(0), varied(1)
    found, labelled = judge(*answers, data=UNLABELLED), judge(*answers)
    assert set(found) == {"seed_agreement", "pass_check", "agreed", "temperatures"}
    assert found.items() <= labelled.items()


def test_labels_judge_but_change_no_uncertainty() -> None:
    shuffled = made_dataset(np.zeros((30, 4)), np.random.default_rng(3).permutation(Y))
    answers = varied(0), varied(1)
    before = [measures(answer) for answer in answers]
    first, second = judge(*answers), judge(*answers, data=shuffled)
    assert first["measures"] != second["measures"]
    assert {name: first[name] for name in ("seed_agreement", "pass_check")} == {
        name: second[name] for name in ("seed_agreement", "pass_check")
    }
    voted = "temperature by the other seeds' votes"
    temperatures = [found["calibration"][voted]["mean"]["temperature"] for found in (first, second)]
    assert temperatures[0] == temperatures[1]
    for answer, old in zip(answers, before, strict=True):
        for name, values in measures(answer).items():
            np.testing.assert_array_equal(values, old[name])


def test_the_pass_check_is_drawn_over_exact_variance() -> None:
    answers = [made_answer(soft(LABELS, 0.8, K), latent_variance=np.full(30, value)) for value in (2.0, 2.4)]
    assert judge(*answers)["pass_check"] == pytest.approx(1.1)  # two units of variance one each


# Between seeds ---------------------------------------------------------------------------------------


def test_one_seed_has_no_ensemble() -> None:
    found = judge(varied(0))
    assert seed_measures([varied(0)]) == {}
    assert "ensemble" not in found
    assert not any(name.startswith("seeds:") for name in found["measures"])
    assert found["seed_agreement"] is None


def test_the_ensemble_of_seeds_that_differ_in_names_alone_is_the_seed() -> None:
    q = np.exp(varied(0).log_q)  # type: ignore[arg-type]
    answers = [made_answer(q[:, list(order)]) for order in ((0, 1, 2), (2, 0, 1), (1, 0, 2))]
    found = judge(*answers)
    ensemble = found["ensemble"]
    assert ensemble["acc"] == pytest.approx(CORRECT.mean())
    assert ensemble["ari"] == pytest.approx(adjusted_rand_score(Y, LABELS))
    assert ensemble["nmi"] == pytest.approx(normalized_mutual_info_score(Y, LABELS))
    assert ensemble["silhouette"] is None
    assert ensemble["ece"] == pytest.approx(found["calibration"]["q at the mean"]["mean"]["ece"], abs=1e-6)
    assert found["seed_agreement"] == pytest.approx(1)
    shared = seed_measures(answers)
    np.testing.assert_allclose(shared["seeds: vote entropy"], 0, atol=1e-12)
    np.testing.assert_allclose(shared["seeds: instability"], 0, atol=1e-12)
    np.testing.assert_allclose(shared["seeds: mutual information"], 0, atol=1e-6)
    np.testing.assert_allclose(shared["seeds: entropy"], measures(answers[0])["assignment entropy"], atol=1e-6)
    assert ensemble["measures"]["seeds: vote entropy"]["auroc"] == 0.5


def test_the_ensemble_is_the_average_under_the_best_renaming() -> None:
    other = LABELS.copy()
    other[[0, 1, 11, 25]] = (other[[0, 1, 11, 25]] + 1) % K
    answers = [varied(0), varied(1, (other + 2) % K), varied(2, (other + 1) % K)]
    q = [np.exp(answer.log_q) for answer in answers]  # type: ignore[arg-type]
    best = [max((p[:, list(o)] for o in permutations(range(K))), key=lambda p: np.sum(q[0] * p)) for p in q]
    labels = np.mean(best, axis=0).argmax(axis=1)
    assert judge(*answers)["ensemble"]["ari"] == pytest.approx(adjusted_rand_score(Y, labels))
    votes = np.stack([p.argmax(axis=1) for p in best])
    shares = np.stack([(votes == cluster).mean(axis=0) for cluster in range(K)], axis=1)
    entropy = -np.sum(shares * np.log(np.where(shares > 0, shares, 1)), axis=1)
    np.testing.assert_allclose(seed_measures(answers)["seeds: vote entropy"], entropy, atol=1e-12)
    pairs = [adjusted_rand_score(answers[a].labels, answers[b].labels) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert judge(*answers)["seed_agreement"] == pytest.approx(np.mean(pairs))


def test_an_edge_counts_by_how_often_draws_and_seeds_agree_on_it() -> None:
    """Graphs hold squared means over draws: those of several seeds are averaged before they are squared."""
    rng = np.random.default_rng(3)
    halves = [np.triu(rng.uniform(size=(30, 30)) * (rng.uniform(size=(30, 30)) < 0.3), 1) for _ in range(2)]
    dense = [(half + half.T) ** 2 for half in halves]
    graphs = [sparse.csr_array(one) for one in dense]
    answers = [varied(seed)._replace(graph=graph) for seed, graph in enumerate(graphs)]
    found = judge(*answers)["measures"]
    shared = ((np.sqrt(dense[0]) + np.sqrt(dense[1])) / 2) ** 2
    other = LABELS[:, np.newaxis] != LABELS
    for whose, graph in (("neighbours", dense[1]), ("seeds' neighbours", shared)):
        said = graph @ np.exp(answers[1].log_q) / graph.sum(axis=1, keepdims=True)  # type: ignore[arg-type]
        wanted = {
            "outside the cluster": (graph * other).sum(axis=1) / graph.sum(axis=1),
            "not agreed on": 1 - graph.sum(axis=1) / np.sqrt(graph).sum(axis=1),
            "entropy": -(said * np.log(said)).sum(axis=1),
        }
        for name, values in wanted.items():
            auroc = found[f"{whose}: {name}"]["seeds"][1]["auroc"]
            assert auroc == pytest.approx(roc_auc_score(~CORRECT, values))
    assert not any(name.startswith("seeds' neighbours") for name in judge(answers[0])["measures"])


def test_what_the_seeds_share_is_judged_by_the_errors_of_each_seed() -> None:
    answers = [varied(0), varied(1, Y)]
    rows = judge(*answers)["measures"]["seeds: vote entropy"]["seeds"]
    assert rows[0]["auroc"] == 1  # the seeds differ where the first is wrong, and nowhere else
    assert rows[1]["auroc"] is None


# Calibration -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("confidence", "ece"), [(0.8, 0.0), (0.95, 0.15), (0.5, 0.3)])
def test_the_calibration_error_of_one_confidence_is_its_distance_from_the_accuracy(
    confidence: float, ece: float
) -> None:
    row = judge(made_answer(soft(LABELS, confidence, K)))["calibration"]["q at the mean"]["seeds"][0]
    assert row == pytest.approx(
        {"seed": 7, "ece": ece, "mean_confidence": confidence, "accuracy": 0.8, "temperature": None}, abs=1e-9
    )


def test_the_confidence_over_passes_is_that_of_the_cluster_at_the_mean() -> None:
    averaged = soft((LABELS + 1) % K, 0.6, K)  # the draws mostly fall into another cluster
    found = judge(made_answer(soft(LABELS, 0.8, K), probabilities=averaged))["calibration"]
    assert found["averaged over passes"]["seeds"][0]["mean_confidence"] == pytest.approx(0.2)
    assert found["averaged over passes"]["seeds"][0]["ece"] == pytest.approx(0.6)


def test_the_temperature_by_labels_is_the_likeliest_and_scored_on_the_rest() -> None:
    answer = varied(0, RENAMED)
    (row,) = judge(answer)["calibration"]["temperature by 15 labels (rest scored)"]["seeds"]
    chosen = np.random.default_rng(0).permutation(30)[:15]
    assert row["accuracy"] == pytest.approx(np.delete(CORRECT, chosen).mean())
    cluster = np.array([2, 0, 1])[Y]  # what a class is called among the clusters

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(answer.log_q / np.exp(log_temperature), axis=1)  # type: ignore[operator]
        return -scaled[chosen, cluster[chosen]].mean()

    best = np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x)
    assert row["temperature"] == pytest.approx(best, rel=1e-4)
    confidence = softmax(answer.log_q / best, axis=1)[np.arange(30), RENAMED]  # type: ignore[operator]
    assert row["mean_confidence"] == pytest.approx(np.delete(confidence, chosen).mean(), rel=1e-4)


@pytest.mark.parametrize("number", range(3))
def test_the_temperature_by_votes_is_the_likeliest_and_reads_no_label(number: int) -> None:
    other = LABELS.copy()
    other[:6] = (other[:6] + 1) % K
    answers = [varied(0), varied(1, (other + 1) % K), varied(2, other)]
    found = judge(*answers)["calibration"]["temperature by the other seeds' votes"]["seeds"][number]
    shift = 1 if number == 1 else 0  # the votes under the names that this seed has for the clusters
    votes = [(vote + shift) % K for vote in np.delete([LABELS, other, other], number, axis=0)]

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(answers[number].log_q / np.exp(log_temperature), axis=1)  # type: ignore[operator]
        return -np.mean([scaled[np.arange(30), vote].mean() for vote in votes])

    best = np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x)
    assert found["temperature"] == pytest.approx(best, rel=1e-4)
    assert found["accuracy"] == pytest.approx(correctness(Y, answers[number].labels).mean())


def test_votes_that_all_agree_set_no_temperature() -> None:
    found = judge(varied(0), varied(1))["calibration"]["temperature by the other seeds' votes"]
    assert found["mean"] == dict.fromkeys(("ece", "mean_confidence", "accuracy", "temperature"))
    assert "temperature by the other seeds' votes" not in judge(varied(0))["calibration"]


def test_seeds_without_an_error_are_left_out_of_what_needs_one_and_named() -> None:
    right = np.array([2, 0, 1])[Y]
    answers = [varied(0, RENAMED), varied(1, right), varied(2, np.roll(RENAMED, 1))]
    found = judge(*answers)
    assert found["error_free"] == [8]
    of = found["measures"]["assignment entropy"]
    aurocs = [row["auroc"] for row in of["seeds"]]
    assert aurocs[1] is None
    assert of["mean"]["auroc"] == pytest.approx((aurocs[0] + aurocs[2]) / 2)
    assert of["std"]["auroc"] == pytest.approx(np.std([aurocs[0], aurocs[2]], ddof=1))
    errors = [row["error"] for row in of["seeds"]]
    assert of["mean"]["error"] == pytest.approx(np.mean(errors))  # of all
    assert errors[1] == 0


def test_without_any_error_nothing_that_needs_one_is_defined() -> None:
    found = judge(*[varied(number, np.array([2, 0, 1])[Y]) for number in range(2)])
    assert found["error_free"] == [7, 8]
    assert {of["mean"]["auroc"] for of in found["measures"].values()} == {None}


def test_views_of_one_object_are_no_independent_samples() -> None:
    """So COIL-20 has no test over its images, and an interval over its objects."""
    y = np.repeat(np.arange(20), 72)
    labels = np.where(np.random.default_rng(0).random(1440) < 0.2, (y + 1) % 20, y)
    answer = made_answer(soft(labels, np.random.default_rng(1).uniform(0.3, 0.9, 1440), 20))
    images = np.zeros((1440, 128, 128, 1), np.uint8)
    coil, other = (judge(answer, data=made_dataset(images, y, name=name)) for name in ("coil20", "made"))
    assert (coil["groups"], other.get("groups")) == (20, None)
    ours, theirs = (found["measures"]["assignment entropy"]["mean"] for found in (coil, other))
    assert (ours["welch_p"], ours["mann_whitney_p"]) == (None, None)
    assert theirs["welch_p"] is not None
    assert ours["point_biserial"] == theirs["point_biserial"]
    assert ours["point_biserial_low"] != theirs["point_biserial_low"]


def test_rows_of_a_subject_are_resampled_as_one() -> None:
    """As those of an object of COIL-20 are, whatever the data are called."""
    y = np.repeat(np.arange(2), 60)
    labels = np.where(np.random.default_rng(0).random(120) < 0.2, 1 - y, y)
    answer = made_answer(soft(labels, np.random.default_rng(1).uniform(0.6, 0.9, 120), 2))
    data = made_dataset(np.zeros((120, 3), np.float32), y)
    alone, whole = (
        judge(answer, data=replace(data, subjects=whose)) for whose in (None, np.repeat(list("abcdef"), 20))
    )
    assert (alone.get("groups"), whole["groups"]) == (None, 6)
    found, theirs = (one["measures"]["assignment entropy"]["mean"] for one in (whole, alone))
    assert found["welch_p"] is None
    assert theirs["welch_p"] is not None
    assert found["point_biserial"] == theirs["point_biserial"]
    assert found["point_biserial_low"] != theirs["point_biserial_low"]
