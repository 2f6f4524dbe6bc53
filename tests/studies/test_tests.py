"""Differences between methods against scipy, and the sentences made from them."""

import json
from itertools import product
from math import gamma, sqrt
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.studies.made_assignments import Scores, results_of
from vaeclust_jax.experiments.vaedec_coil20 import REPORTED
from vaeclust_jax.folder.records.clustering import ComparisonRecord
from vaeclust_jax.folder.records.scores import Origin, Results
from vaeclust_jax.folder.typed_json import as_json
from vaeclust_jax.studies.design import MATCHED, SHARED, VOTED
from vaeclust_jax.studies.experiment import Reported
from vaeclust_jax.studies.tests import TESTED, against_reported, comparisons, findings, implied_tests

S = 6


def seeds(mean: float, spread: float = 0.03, rng: int = 0, size: int = S) -> Scores:
    drawn = np.random.default_rng(rng).normal(mean, spread, (len(TESTED), size))
    return {name: row.tolist() for name, row in zip(TESTED, drawn, strict=True)}


@pytest.fixture(scope="module")
def results() -> Results:
    return results_of({"deep": seeds(0.8), "flat": seeds(0.76, rng=1), "far": seeds(0.3, 0.1, rng=2)})


def compared(results: Results, named: str = "deep", **origins: Origin) -> list[ComparisonRecord]:
    """Every method has a training of its own, unless it is said otherwise."""
    own = {name: Origin(fit=number) for number, name in enumerate(results)}
    return comparisons(results, named, own | origins)


def of_pair(results: Results, second: str) -> list[dict[str, Any]]:
    """As JSON holds them."""
    return [row for row in as_json(compared(results)) if row["second"] == second]


def column(results: Results, method: str, metric: str) -> np.ndarray:
    return np.array([getattr(row, metric) for row in results[method]["all"].seeds])


@pytest.mark.parametrize("second", ["flat", "far"])
@pytest.mark.parametrize("number", range(4))
def test_a_comparison_is_that_of_scipy(results: Results, second: str, number: int) -> None:
    found, metric = of_pair(results, second)[number], TESTED[number]
    a, b = (column(results, method, metric) for method in ("deep", second))
    assert (found["first"], found["metric"], found["protocol"]) == ("deep", metric, "all")
    assert found["difference"] == pytest.approx(a.mean() - b.mean())
    paired = stats.ttest_rel(a, b)
    assert found["welch"] is None
    assert found["paired"] == pytest.approx({"statistic": paired.statistic, "p": paired.pvalue, "df": S - 1})
    pooled, df = sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2), 2 * S - 2
    unbiased = gamma(df / 2) / (sqrt(df / 2) * gamma((df - 1) / 2))
    assert found["hedges_g"] == pytest.approx((a.mean() - b.mean()) / pooled * unbiased)
    assert found["paired_effect"] == pytest.approx((a - b).mean() / (a - b).std(ddof=1))
    interval = paired.confidence_interval()
    assert found["interval"] == pytest.approx({"low": interval.low, "high": interval.high}, abs=1e-9)


def test_holm_is_over_all_methods_and_scores(results: Results) -> None:
    rows = as_json(compared(results))
    p = np.array([row["paired"]["p"] for row in rows])
    assert len(p) == 8
    order = np.argsort(p)
    expected = np.empty(8)
    expected[order] = np.maximum.accumulate(np.minimum(1, p[order] * np.arange(8, 0, -1)))
    np.testing.assert_allclose([row["paired_holm"] for row in rows], expected, rtol=1e-12)


def test_independent_seeds_and_pairs_are_one_family(results: Results) -> None:
    rows = as_json(compared(results, far=Origin(fit=None)))
    assert [row["paired"] is None for row in rows] == [False] * 4 + [True] * 4
    assert [row["welch"] is None for row in rows] == [True] * 4 + [False] * 4
    tests = [row["paired"] or row["welch"] for row in rows]
    smallest = min(range(8), key=lambda number: tests[number]["p"])
    holm = [row["paired_holm"] if row["welch_holm"] is None else row["welch_holm"] for row in rows]
    assert holm[smallest] == pytest.approx(8 * tests[smallest]["p"])


def test_a_method_on_the_data_alone_is_an_independent_sample(results: Results) -> None:
    """Its seed 0 and a network's seed 0 share a number and nothing else."""
    for row in compared(results, flat=Origin(fit=None))[:4]:
        a, b = (column(results, name, row.metric) for name in ("deep", "flat"))
        expected = stats.ttest_ind(a, b, equal_var=False)
        assert row.paired is None
        assert row.welch == pytest.approx((expected.statistic, expected.pvalue, expected.df))
        assert row.interval == pytest.approx(tuple(expected.confidence_interval()))


@pytest.mark.parametrize("named", [False, True])
def test_seeds_that_voted_have_no_test_and_no_interval(results: Results, named: bool) -> None:
    voted = Origin(fit=1, together=True)
    rows = compared(results, **{"deep" if named else "flat": voted})
    for row in rows if named else rows[:4]:
        a, b = (column(results, name, row.metric) for name in (row.first, row.second))
        assert row.difference == pytest.approx(a.mean() - b.mean())
        assert (row.welch, row.paired, row.interval, row.holm) == (None,) * 4
        assert row.reason == VOTED
    (sentence, *_) = findings(rows, [], None, "deep")
    assert sentence.endswith(f"(no test: {VOTED}).")
    assert ", p " not in sentence


def test_methods_of_one_training_have_an_interval_and_no_test(results: Results) -> None:
    rows = compared(results, flat=Origin(fit=0))
    for row in rows[:4]:
        a, b = (column(results, name, row.metric) for name in (row.first, row.second))
        assert (row.test, row.holm, row.reason) == (None, None, SHARED)
        assert row.interval == pytest.approx(tuple(stats.ttest_rel(a, b).confidence_interval()))
    assert all(row.test is not None for row in rows[4:])


def test_accuracy_of_held_out_rows_is_not_tested() -> None:
    made = {name: results_of({name: seeds(0.8, rng=rng)}, "validation")[name] for rng, name in enumerate("ab")}
    origins = {name: Origin(fit=number) for number, name in enumerate(made)}
    acc, *others = comparisons(made, "a", origins, "validation")
    assert (acc.test, acc.interval, acc.reason) == (None, None, MATCHED)
    assert all(row.test is not None for row in others)


def test_every_other_method_is_met_once_and_the_named_one_never(results: Results) -> None:
    pairs = [(row.second, row.metric) for row in compared(results)]
    assert pairs == list(product(("flat", "far"), TESTED))


def test_a_score_that_a_method_lacks_counts_for_nothing() -> None:
    without = {name: values for name, values in seeds(0.7, rng=1).items() if name != "silhouette"}
    *rows, silhouette = of_pair(results_of({"deep": seeds(0.8), "pixels": without}), "pixels")
    assert all(
        value is None
        for name, value in silhouette.items()
        if name not in ("first", "second", "protocol", "metric", "reason")
    )
    assert silhouette["reason"] == "a score is not defined"
    p = [row["paired"]["p"] for row in rows]
    assert min(row["paired_holm"] for row in rows) == pytest.approx(3 * min(p))


def test_a_method_in_which_nothing_is_random_meets_every_seed() -> None:
    results = results_of({"deep": seeds(0.8), "ward": {name: [0.75] for name in TESTED}})
    for row in of_pair(results, "ward"):
        a = column(results, "deep", row["metric"])
        expected = stats.ttest_1samp(a, 0.75)
        assert row["difference"] == pytest.approx(a.mean() - 0.75)
        assert row["welch"] is None
        assert row["paired"] == pytest.approx({"statistic": expected.statistic, "p": expected.pvalue, "df": S - 1})


def test_with_one_seed_no_test_is_defined_and_the_findings_say_so() -> None:
    results = results_of({"deep": seeds(0.8, size=1), "flat": seeds(0.7, size=1)})
    rows = compared(results)
    tests = ("interval", "welch", "paired", "hedges_g", "paired_effect", "welch_holm", "paired_holm")
    assert {getattr(row, name) for row in rows for name in tests} == {None}
    assert {row.reason for row in rows} == {"a single value"}
    assert all(row.difference == pytest.approx(0.1) for row in rows)
    (sentence,) = findings(rows, [], None, "deep")
    assert sentence == "deep against flat: +0.100 ACC; +0.100 NMI; +0.100 ARI (no test: a single value)."


def test_equal_scores_on_every_seed_are_not_taken_for_one_seed() -> None:
    results = results_of({"deep": seeds(0.8), "flat": seeds(0.8)})
    rows = compared(results)
    (sentence,) = findings(rows, [], None, "deep")
    assert [row.test for row in rows] == [None] * 4
    assert sentence.endswith("(no test: all values are equal).")


def test_a_shown_difference_and_one_not_shown_are_said_apart(results: Results) -> None:
    close = results_of({"deep": seeds(0.8), "flat": seeds(0.8, rng=7)})
    (sentence,) = findings(compared(close), [], None, "deep")
    assert "no difference shown" in sentence
    sentences = findings(compared(results), [], None, "deep")
    far = sentences[1]
    row = of_pair(results, "far")[0]
    assert far.startswith(f"deep against far: {row['difference']:+.3f} ACC, p {row['paired_holm']:.2g}; ")
    assert far.endswith("(paired t-tests over seeds, Holm).")


def test_a_very_small_p_is_not_written_out() -> None:
    results = results_of({"deep": seeds(0.9, 1e-3), "flat": seeds(0.1, 1e-3, rng=1)})
    (sentence,) = findings(compared(results), [], None, "deep")
    assert "ACC, p < 0.0001;" in sentence


def test_without_labels_there_is_nothing_to_say() -> None:
    results = results_of({name: {"silhouette": seeds(0.5, rng=rng)["silhouette"]} for rng, name in enumerate("ab")})
    rows = compared(results, "a")
    assert [row.difference is None for row in rows] == [True, True, True, False]
    assert findings(rows, [], None, "a") == []


def test_methods_on_the_latents_are_compared_but_not_put_into_words() -> None:
    results = results_of({"deep": seeds(0.8), "ward on VAE latents": seeds(0.7, rng=1)})
    rows = compared(results)
    assert len(rows) == 4
    assert findings(rows, [], None, "deep") == []


def test_comparisons_are_strict_json(results: Results) -> None:
    rows = as_json(compared(results))
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


# What the source of the COIL-20 experiment reports ---------------------------------------------------


def test_the_source_s_t_do_not_follow_from_its_own_deviations() -> None:
    implied = implied_tests(REPORTED)
    assert {name: round(test.implied_t, 1) for name, test in implied.items()} == {
        "acc": 6.2, "nmi": 7.7, "ari": 6.7, "silhouette": 12.4,
    }  # fmt: skip
    first, second = REPORTED.scores.values()
    for name, test in implied.items():
        expected = stats.ttest_ind_from_stats(*first[name], 5, *second[name], 5, equal_var=False)
        assert test.implied_t == pytest.approx(expected.statistic)
        assert test.implied_p == pytest.approx(expected.pvalue)
        assert test.df == pytest.approx(7, abs=0.5)
        assert (test.t, test.p) == REPORTED.tests[name]


def measured(acc: float, spread: float = 0.01, size: int = 5, **others: float) -> Results:
    """Scores with exactly these means, evenly spread."""
    steps = np.linspace(-1, 1, size) if size > 1 else np.zeros(1)
    steps = steps / (steps.std(ddof=1) if size > 1 else 1)
    return results_of(
        {"vaedec": {name: (mean + spread * steps).tolist() for name, mean in {"acc": acc, **others}.items()}}
    )


def test_measured_beside_reported_is_welch_s_test_from_the_summaries() -> None:
    results = measured(0.82, nmi=0.9, ari=0.8, silhouette=0.5)
    found = against_reported(results, REPORTED)
    assert [(row.method, row.metric, row.protocol) for row in found] == [("vaedec", m, "all") for m in TESTED]
    for row in found:
        a = column(results, "vaedec", row.metric)
        theirs = REPORTED.scores["vaedec"][row.metric]
        expected = stats.ttest_ind_from_stats(a.mean(), a.std(ddof=1), 5, *theirs, 5, equal_var=False)
        assert row.p == pytest.approx(expected.pvalue)
        assert row.reason is None
        assert row.reported == theirs
        assert row.measured == pytest.approx((a.mean(), 0.01))


def test_every_protocol_is_put_beside_the_source() -> None:
    results = measured(0.8)
    results["vaedec"]["validation"] = results["vaedec"]["all"]
    assert {row.protocol for row in against_reported(results, REPORTED)} == {"all", "validation"}


def test_reported_scores_are_one_family_without_accuracy_of_held_out_rows() -> None:
    results = measured(0.82, nmi=0.9, ari=0.8, silhouette=0.5)
    results["vaedec"]["validation"] = results["vaedec"]["all"]
    rows = against_reported(results, REPORTED)
    untested = [(row.protocol, row.metric) for row in rows if row.p is None]
    assert untested == [("validation", "acc")]
    assert [row.reason for row in rows if row.reason] == [MATCHED]
    p = [row.p for row in rows if row.p is not None]
    assert min(row.holm for row in rows if row.holm is not None) == pytest.approx(7 * min(p))


@pytest.mark.parametrize(
    ("results", "words"),
    [
        (measured(0.70), "below the reported figure in ACC 0.700 ± 0.010 (reported 0.85 ± 0.02)."),
        (measured(0.95), "above the reported figure in ACC 0.950 ± 0.010 (reported 0.85 ± 0.02)."),
        (measured(0.85), "not told apart from the reported figure by 5 seeds in ACC 0.850 ± 0.010 (reported 0.85 ± "),
        (measured(0.84), "not told apart from the reported figure by 5 seeds in ACC 0.840 ± 0.010 (reported 0.85 ± "),
        (measured(0.80, size=1), "below the reported figure (no test: a single value) in ACC 0.800 (reported "),
        (measured(0.86, size=1), "not below the reported figure (no test: a single value) in ACC 0.860 (report"),
    ],
    ids=["below", "above", "equal", "close", "one seed, below", "one seed, above"],
)  # fmt: skip
def test_the_verdict_follows_from_the_numbers(results: Results, words: str) -> None:
    sentence = findings([], against_reported(results, REPORTED), REPORTED, "vaedec")[0]
    assert sentence.startswith(f"vaedec is {words}"), sentence


def test_scores_with_one_verdict_share_it() -> None:
    results = measured(0.70, nmi=0.88, ari=0.60, silhouette=0.60)
    sentence = findings([], against_reported(results, REPORTED), REPORTED, "vaedec")[0]
    assert sentence == (
        "vaedec is below the reported figure in ACC 0.700 ± 0.010 (reported 0.85 ± 0.02) and ARI 0.600 ± 0.010 "
        "(reported 0.82 ± 0.018); not told apart from the reported figure by 5 seeds in NMI 0.880 ± 0.010 (reported "
        "0.88 ± 0.015); above the reported figure in silhouette 0.600 ± 0.010 (reported 0.45 ± 0.01)."
    )


def test_held_out_rows_have_no_verdict() -> None:
    results = {"vaedec": {"validation": measured(0.1)["vaedec"]["all"]}}
    beside = against_reported(results, REPORTED)
    assert beside
    assert [text for text in findings([], beside, REPORTED, "vaedec") if "below" in text] == []


def test_the_source_s_tests_are_put_right_in_words() -> None:
    results = measured(0.8)
    sentence = findings([], against_reported(results, REPORTED), REPORTED, "vaedec")[1]
    assert sentence == (
        "The source's t for ACC, NMI, ARI and silhouette (4.5, 4.2, 3.8 and 5) do not follow from its own means and "
        "deviations, which give 6.2, 7.7, 6.7 and 12.4 for 5 runs."
    )


def test_a_source_whose_tests_do_follow_is_not_accused() -> None:
    implied = implied_tests(REPORTED)
    tests = {name: (round(test.implied_t, 1), 0.001) for name, test in implied.items()}
    honest: Reported = REPORTED._replace(tests=tests)
    results = measured(0.8)
    assert len(findings([], against_reported(results, honest), honest, "vaedec")) == 1


def test_scores_that_were_not_measured_have_no_verdict() -> None:
    beside = against_reported(results_of({"vaedec": {"silhouette": [0.4, 0.5, 0.45]}}), REPORTED)
    assert [row.measured[0] is None for row in beside] == [True, True, True, False]
    assert [row.p is None for row in beside] == [True, True, True, False]
    assert against_reported(results_of({"another": seeds(0.5)}), REPORTED) == []


def test_the_reported_figures_are_of_the_experiment_s_own_methods() -> None:
    from vaeclust_jax.experiments import EXPERIMENTS

    for experiment in EXPERIMENTS.values():
        if experiment.reported is not None:
            assert set(experiment.reported.scores) <= set(experiment.arms)
            assert next(iter(experiment.reported.scores)) == experiment.named
            assert experiment.dataset == experiment.reported.dataset
