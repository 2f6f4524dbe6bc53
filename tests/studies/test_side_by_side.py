"""Runs side by side: names, statistics against direct calls and scipy, ranks against Demsar's formulas."""

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.folder.made_record import made_record
from vaeclust_jax import metrics
from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.records.scores import Origin, SeedScores
from vaeclust_jax.folder.table import Spread, Table
from vaeclust_jax.studies.design import MATCHED, SHARED, VOTED
from vaeclust_jax.studies.side_by_side.lines import FinishedRun, lines_of
from vaeclust_jax.studies.side_by_side.runs import SideBySide, compare_runs

CONFIG = {
    "num_clusters": 10,
    "image_size": [32, 32],
    "validation": 0.2,
    "split_seed": 0,
    "stratify": False,
    "latent_dim": 10,
    "input_mean": 0.25,
    "gamma": 100.0,
    "deterministic": False,
}
LOW, MIDDLE, HIGH = (0.51, 0.55, 0.50, 0.53), (0.60, 0.58, 0.63, 0.61), (0.80, 0.83, 0.79, 0.84)


def rows(values: Any, seeds: Any = None, **changes: Any) -> list[SeedScores]:
    """NMI are the values; the other scores lie beside them."""
    return [
        SeedScores(
            **{
                **{"seed": seed, "acc": v - 0.1, "nmi": v, "ari": v / 2, "ami": v**2, "silhouette": 0.3},
                **{"populated_clusters": 10, "active_units": 2, **changes},
            }
        )
        for seed, v in zip(range(len(values)) if seeds is None else seeds, values, strict=True)
    ]


def record(folder: str, values: Any = LOW, seeds: Any = None, **changes: Any) -> FinishedRun:
    """A run of one method; whatever is not of its record is a setting."""
    given = {"experiment": "vaedec", "dataset": "digits", "shape": (1797, 8, 8, 1), "version": "0.1.0", "results": None}
    given |= {"shallow": (), "origins": None}
    given |= {key: changes.pop(key) for key in list(changes) if key in given}
    method = changes.pop("method", "vaedec")
    results = given.pop("results") or {method: {"all": rows(values, seeds)}}
    return FinishedRun(folder, made_record(results, method=method, **given), CONFIG | changes)


def table(found: SideBySide, name: str) -> Table:
    (one,) = (table for table in found.tables if table.name == name)
    return one


def column(found: SideBySide, name: str, heading: str) -> list[Any]:
    one = table(found, name)
    return [row[[column.name for column in one.columns].index(heading)] for row in one.rows]


def names(*records: FinishedRun, **options: Any) -> list[Any]:
    """Of the lines, data set by data set."""
    found = compare_runs(records, **options)
    return [row[0] for table in found.tables if table.name.startswith("scores") for row in table.rows]


def test_scores_are_means_over_seeds_with_their_deviation() -> None:
    found = compare_runs([record("a"), record("b", HIGH[:3], gamma=10.0)])
    assert column(found, "scores-digits", "seeds") == [4, 3]
    for score, of in (("NMI", lambda v: v), ("ACC", lambda v: v - 0.1), ("ARI", lambda v: v / 2), ("AMI", np.square)):
        expected = [of(np.array(values)) for values in (LOW, HIGH[:3])]
        spreads = [Spread(pytest.approx(one.mean()), pytest.approx(one.std(ddof=1))) for one in expected]
        assert column(found, "scores-digits", score) == spreads


@pytest.mark.parametrize("score", ["acc", "nmi", "ari", "ami"])
def test_pairs_have_the_statistics_of_direct_calls(score: str) -> None:
    runs = {f"vaedec (gamma {g:g})": record("x", v, gamma=g) for g, v in ((1.0, LOW), (10.0, MIDDLE), (100.0, HIGH))}
    runs = {name: run._replace(folder=name) for name, run in runs.items()}
    found = compare_runs(list(runs.values()), score=score)
    first, second = (column(found, "pairs-digits", heading) for heading in ("first", "second"))
    one, two, three = runs
    assert list(zip(first, second, strict=True)) == [(one, two), (one, three), (two, three)]
    values = {
        name: [getattr(row, score) for row in run.metrics.results["vaedec"]["all"].seeds] for name, run in runs.items()
    }
    pairs = [(values[a], values[b]) for a, b in zip(first, second, strict=True)]
    tests = [stats.ttest_rel(*pair) for pair in pairs]
    intervals = [tuple(test.confidence_interval()) for test in tests]
    expected = {
        "difference": [np.mean(a) - np.mean(b) for a, b in pairs],
        "t": [one.statistic for one in tests],
        "df": [one.df for one in tests],
        "p": [one.pvalue for one in tests],
        "p (Holm)": metrics.holm([one.pvalue for one in tests]),
        "Hedges g": [metrics.hedges_g(*pair) for pair in pairs],
    }
    for heading, numbers in expected.items():
        assert column(found, "pairs-digits", heading) == pytest.approx(numbers), heading
    assert column(found, "pairs-digits", "test") == ["paired"] * 3
    assert column(found, "pairs-digits", "95 % interval") == [f"[{low:+.3f}, {high:+.3f}]" for low, high in intervals]


def test_seeds_are_paired_by_their_number() -> None:
    straight = compare_runs([record("a", LOW), record("b", MIDDLE, gamma=1.0)])
    turned = compare_runs([record("a", LOW), record("b", MIDDLE[::-1], (3, 2, 1, 0), gamma=1.0)])
    assert column(turned, "pairs-digits", "p") == column(straight, "pairs-digits", "p")
    assert column(turned, "pairs-digits", "test") == ["paired"]


@pytest.mark.parametrize(
    ("seeds", "changes"),
    [
        (range(4, 8), {}),
        ((0, 1, 2, 7), {}),
        (None, {"split_seed": 1}),
        (None, {"validation": 0.1}),
        (None, {"stratify": True}),
    ],
)
def test_runs_on_other_seeds_or_splits_are_not_paired(seeds: Any, changes: dict[str, Any]) -> None:
    found = compare_runs([record("a", LOW), record("b", MIDDLE, seeds, **changes)])
    assert column(found, "pairs-digits", "test") == ["Welch"]
    test = stats.ttest_ind(LOW, MIDDLE, equal_var=False)
    low, high = test.confidence_interval()
    assert column(found, "pairs-digits", "p") == pytest.approx([test.pvalue])
    assert column(found, "pairs-digits", "95 % interval") == [f"[{low:+.3f}, {high:+.3f}]"]
    assert "the same seeds and the same split" in table(found, "pairs-digits").note


def test_methods_on_the_data_alone_are_not_paired() -> None:
    """Nor are they where both have the seeds 0 to 3."""
    results = {"vaedec": {"all": rows(HIGH)}, "k-means on pixels": {"all": rows(MIDDLE)}}
    runs = [record("a", results=results, shallow=("k-means on pixels",)), record("b", LOW, gamma=1.0)]
    found = compare_runs(runs, every_method=True)
    tests = dict(zip(column(found, "pairs-digits", "second"), column(found, "pairs-digits", "test"), strict=True))
    assert tests["k-means on pixels"] == "Welch"
    assert column(found, "pairs-digits", "p")[0] == pytest.approx(stats.ttest_ind(HIGH, MIDDLE, equal_var=False).pvalue)


@pytest.mark.parametrize("older", [True, False])
def test_seeds_that_voted_and_methods_of_one_training_are_not_tested(older: bool) -> None:
    """A file that does not say where the seeds come from is read by the names."""
    names = ("vaegraph", "vaegraph-together", "vae-kmeans")
    results = {name: {"all": rows(values)} for name, values in zip(names, (MIDDLE, HIGH, LOW), strict=True)}
    origins = {name: Origin(fit=0, together="together" in name) for name in names}
    run = record("a", results=results, method="vaegraph", experiment="vaegraph", origins=None if older else origins)
    other = record("b", LOW[::-1], gamma=1.0)
    found = compare_runs([run, other], every_method=True)
    pairs = table(found, "pairs-digits")
    tested = {row[:2]: row[4] for row in pairs.rows}
    assert tested == {
        ("vaegraph", "vaegraph: vaegraph-together"): None,
        ("vaegraph", "vaegraph: vae-kmeans"): None,
        ("vaegraph", "vaedec"): "paired",
        ("vaegraph: vaegraph-together", "vaegraph: vae-kmeans"): None,
        ("vaegraph: vaegraph-together", "vaedec"): None,
        ("vaegraph: vae-kmeans", "vaedec"): "paired",
    }
    intervals = {row[:2]: row[3] for row in pairs.rows}
    assert intervals["vaegraph", "vaegraph: vaegraph-together"] is None
    assert intervals["vaegraph", "vaegraph: vae-kmeans"] is not None
    assert f"vaegraph: vaegraph-together and vaedec: {VOTED}." in pairs.note
    assert f"No test of vaegraph and vaegraph: vae-kmeans: {SHARED}." in pairs.note
    assert "their deviation is within one vote" in table(found, "scores-digits").note
    assert found.findings[0].startswith(
        "On digits, vaegraph: vaegraph-together has the highest NMI, 0.815 ± 0.024: not tested (seeds that learn from "
    )


def test_accuracy_on_held_out_rows_is_not_tested() -> None:
    results = [{"vaedec": {"all": rows(LOW), "validation": rows(values)}} for values in (LOW, HIGH)]
    runs = [record("a", results=results[0]), record("b", results=results[1], gamma=1.0)]
    found = compare_runs(runs, score="acc", protocol="validation")
    assert column(found, "pairs-digits", "test") == [None]
    assert MATCHED in table(found, "pairs-digits").note
    assert column(compare_runs(runs, score="nmi", protocol="validation"), "pairs-digits", "test") == ["paired"]


def test_one_run_in_two_folders_is_not_tested_against_itself() -> None:
    for changes in ({}, {"split_seed": 1}):
        found = compare_runs([record("a"), record("b", **changes)])
        assert table(found, "pairs-digits").rows[0][2:] == (0.0, *[None] * 6, 0.0)
        assert "not tested (all values are equal) against vaedec" in found.findings[0]


def test_a_method_in_which_nothing_is_random_meets_every_seed() -> None:
    results = {"vaedec": {"all": rows(HIGH)}, "ward on pixels": {"all": rows((0.7,), (None,), silhouette=None)}}
    run = record("a", results=results, shallow=("ward on pixels",))
    found = compare_runs([run, record("b", (0.5,), gamma=1.0)], every_method=True)
    assert column(found, "scores-digits", "seeds") == [4, 1, 1]
    assert column(found, "scores-digits", "NMI")[1] == Spread(0.7, None)
    against = metrics.compare(HIGH, [0.7] * 4)
    assert column(found, "pairs-digits", "second")[0] == "ward on pixels"
    assert column(found, "pairs-digits", "p")[0] == against.paired.p
    assert column(found, "pairs-digits", "p")[1:] == [None, None]  # one seed alone
    turned = record("a", results=dict(reversed(results.items())), shallow=("ward on pixels",))
    found = compare_runs([turned, record("b", dataset="coil20")], every_method=True)
    assert column(found, "pairs-digits", "first") == ["ward on pixels"]
    assert column(found, "pairs-digits", "p") == [against.paired.p]


def test_one_seed_has_no_spread_and_no_test() -> None:
    found = compare_runs([record("a", (0.7,)), record("b", (0.6,), gamma=1.0)])
    pairs = table(found, "pairs-digits")
    assert pairs.rows[0][2:] == (pytest.approx(0.1), *[None] * 7)
    assert pairs.texts()[0][3:] == ["—"] * 7
    assert column(found, "scores-digits", "NMI") == [Spread(0.7, None), Spread(0.6, None)]
    assert found.findings == [
        "On digits, vaedec (gamma 100) has the highest NMI, 0.700: "
        "not tested (a single value) against vaedec (gamma 1)."
    ]


def test_scores_that_are_not_defined_are_not_shown_and_beside_others_stay_so() -> None:
    results = {"vaedec": {"all": rows(LOW, acc=None, nmi=None, ari=None, ami=None)}}
    found = compare_runs([record("a", results=results), record("b", results=results, gamma=1.0)])
    assert table(found, "scores-digits").texts()[0][2:] == ["0.300 ± 0.000"]
    assert [one.name for one in found.tables] == ["scores-digits"]
    assert found.findings == ["On digits, NMI is not defined."]
    beside = compare_runs([record("a", HIGH), record("b", results=results, gamma=1.0)])
    assert table(beside, "scores-digits").texts()[1][2:] == ["—"] * 4 + ["0.300 ± 0.000"]
    assert table(beside, "pairs-digits").rows[0][2:] == (None,) * 8


def test_runs_are_called_by_experiment_and_method() -> None:
    assert names(record("a"), record("b", dataset="coil20")) == ["vaedec", "vaedec"]
    assert names(record("a"), record("b", experiment="other")) == ["vaedec", "other: vaedec"]


def test_runs_of_one_name_are_told_apart_by_the_settings_that_differ() -> None:
    assert names(record("a"), record("b", gamma=10.0)) == ["vaedec (gamma 100)", "vaedec (gamma 10)"]
    changes = {"image_size": [28, 28], "latent_dim": 2, "input_mean": 0.5}  # the last follows from the others
    assert names(record("a"), record("b", **changes)) == [
        "vaedec (image size 32 32, latent dim 10)",
        "vaedec (image size 28 28, latent dim 2)",
    ]
    assert names(record("a", deterministic=True), record("b", image_size=None)) == [
        "vaedec (image size 32 32, deterministic true)",
        "vaedec (image size none, deterministic false)",
    ]
    new = record("b", tilt=3)  # a setting that one version has and another has not
    assert names(record("a"), new) == ["vaedec (tilt none)", "vaedec (tilt 3)"]


def test_runs_of_one_config_are_told_apart_by_their_folder() -> None:
    assert names(record("a"), record("b")) == ["vaedec in a", "vaedec in b"]
    same = names(record("a"), record("b"), record("c", gamma=1.0), record("d", input_mean=0.5, gamma=1.0))
    assert same == [f"vaedec (gamma {g}) in {folder}" for g, folder in zip((100, 100, 1, 1), "abcd", strict=True)]
    hardly = names(record("a"), record("b", gamma=100.0 + 1e-9))  # reads the same
    assert hardly == ["vaedec (gamma 100) in a", "vaedec (gamma 100) in b"]


def test_a_method_keeps_its_name_over_data_sets() -> None:
    runs = (record("a"), record("b", gamma=1.0), record("c", dataset="coil20", num_clusters=20))
    assert names(*runs) == ["vaedec (gamma 100)", "vaedec (gamma 1)", "vaedec (gamma 100)"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from([1.0, 10.0])] * 2, *[st.sampled_from("xy")] * 2), min_size=2, max_size=6))
def test_no_two_lines_of_a_data_set_have_one_name(drawn: list[tuple[float, float, str, str]]) -> None:
    records = [
        record(str(number), gamma=gamma, beta=beta, dataset=dataset, experiment=experiment)
        for number, (gamma, beta, dataset, experiment) in enumerate(drawn)
    ]
    lines = lines_of(records, "all", every_method=False)
    assert sum(map(len, lines.values())) == len(records)
    for those in lines.values():
        assert len({line.name for line in those}) == len(those)


def every(named: Any, pixels: Any = MIDDLE, seeds: Any = None) -> dict[str, Any]:
    return {
        "vaedec": {"all": rows(named, seeds)},
        "vae-kmeans": {"all": rows(LOW, seeds)},
        "k-means on pixels": {"all": rows(pixels, seeds, silhouette=None)},
        "ward on VAE latents": {"all": rows(named, seeds, silhouette=None)},
    }


def test_what_two_runs_have_the_same_of_appears_once() -> None:
    runs = [record("a", results=every(HIGH)), record("b", results=every(MIDDLE), gamma=1.0)]
    assert names(*runs, every_method=True) == [
        "vaedec (gamma 100)",
        "vaedec: vae-kmeans",
        "k-means on pixels",
        "vaedec: ward on VAE latents (gamma 100)",
        "vaedec (gamma 1)",
        "vaedec: ward on VAE latents (gamma 1)",
    ]
    assert names(*runs) == ["vaedec (gamma 100)", "vaedec (gamma 1)"]
    again = [record("a", results=every(HIGH)), record("b", results=every(HIGH))]  # what was asked for is shown
    assert names(*again, every_method=True).count("vaedec in b") == 1
    elsewhere = [record("a", results=every(HIGH)), record("b", results=every(HIGH), dataset="coil20")]
    assert names(*elsewhere, every_method=True).count("k-means on pixels") == 2


def test_methods_on_raw_data_are_told_apart_by_what_changes_them() -> None:
    a = record("a", results=every(HIGH))
    other = {"gamma": 1.0, "image_size": [28, 28]}
    kept = [
        name for name in names(a, record("b", results=every(HIGH, LOW), **other), every_method=True) if "pix" in name
    ]
    assert kept == ["k-means on pixels (image size 32 32)", "k-means on pixels (image size 28 28)"]
    seeds = record("b", results=every(HIGH, seeds=range(5, 9)), gamma=1.0)
    kept = [name for name in names(a, seeds, every_method=True) if "pix" in name]
    assert kept == ["k-means on pixels in a", "k-means on pixels in b"]


SCORES = {  # three methods on three data sets, mean NMI; ranks (1, 2, 3), (1, 3, 2), (1.5, 3, 1.5)
    "digits": {"one": 0.9, "two": 0.8, "three": 0.7},
    "coil20": {"one": 0.6, "two": 0.2, "three": 0.5},
    "mnist": {"one": 0.7, "two": 0.1, "three": 0.7},
}


def ranked(scores: dict[str, dict[str, float | None]]) -> list[FinishedRun]:
    return [
        record(
            f"{name}-{dataset}",
            experiment=name,
            method=name,
            dataset=dataset,
            results={name: {"all": rows((0.0, 0.0), nmi=None if mean is None else mean)}},
        )
        for dataset, means in scores.items()
        for name, mean in means.items()
    ]


def test_ranks_by_the_formulas_of_demsar() -> None:
    found = compare_runs(ranked(SCORES))
    k, n = 3, 3
    ranks = np.array([3.5, 8, 6.5]) / n
    assert column(found, "ranks", "method") == ["one", "three", "two"]
    assert column(found, "ranks", "average rank") == pytest.approx([ranks[0], ranks[2], ranks[1]])
    difference = 2.343 * math.sqrt(k * (k + 1) / (6 * n))  # Demsar 2006, table 5a
    assert column(found, "rank-tests", "Nemenyi critical difference") == pytest.approx([difference], abs=1e-3)
    assert column(found, "ranks", "group") == ["1", "1", "1"]
    chi2 = 12 * n / (k * (k + 1)) * ((ranks**2).sum() - k * (k + 1) ** 2 / 4)
    chi2 /= 1 - (2**3 - 2) / (n * (k**3 - k))  # the tie
    assert column(found, "rank-tests", "Friedman chi-square") == pytest.approx([chi2])
    assert column(found, "rank-tests", "p") == pytest.approx([stats.chi2.sf(chi2, k - 1)])
    assert column(found, "rank-tests", "df") == [2]
    assert "little power" in table(found, "rank-tests").note
    assert found.ranks.datasets == ["digits", "coil20", "mnist"]
    assert found.findings[-1].startswith(
        "Over 3 data sets, one has the best average rank by NMI, 1.17 of 3; Friedman's"
    )
    assert "shows no difference" in found.findings[-1]


def test_methods_far_apart_share_no_group() -> None:
    scores = {f"set {number}": {"one": 0.9, "two": 0.8, "three": 0.7} for number in range(6)}
    found = compare_runs(ranked(scores))  # critical difference 1.35
    assert column(found, "ranks", "group") == ["1", "1 2", "2"]
    assert "Friedman's test finds a difference" in found.findings[-1]
    many = {f"set {number}": {"one": 0.9, "two": 0.8, "three": 0.7} for number in range(12)}
    assert column(compare_runs(ranked(many)), "ranks", "group") == ["", "", ""]  # 0.96


def test_two_data_sets_can_tell_no_three_methods_apart() -> None:
    scores = dict.fromkeys(("digits", "coil20"), SCORES["digits"])
    sentence = compare_runs(ranked(scores)).findings[-1]
    assert sentence.endswith("Nemenyi's test can tell no 3 methods apart on 2 data sets.")


def test_ties_everywhere_have_no_test() -> None:
    tied = {name: dict.fromkeys(SCORES["digits"], 0.5) for name in SCORES}
    found = compare_runs(ranked(tied))
    assert table(found, "rank-tests").texts()[0][2:5] == ["—"] * 3
    assert "one and two and three have the best average rank by NMI, 2.00 of 3" in found.findings[-1]


def test_ranks_are_of_the_methods_run_on_every_data_set() -> None:
    scores: dict[str, Any] = {name: of | {"four": 0.1} for name, of in SCORES.items()}
    del scores["mnist"]["two"]
    scores["coil20"]["late"] = 0.3
    scores["unlabelled"] = {"one": None}
    found = compare_runs(ranked(scores))
    assert column(found, "ranks", "method") == ["one", "three", "four"]
    assert found.ranks.datasets == ["digits", "coil20", "mnist"]
    scores["mnist"]["four"] = None
    assert compare_runs(ranked(scores)).ranks is None  # two methods
    assert compare_runs(ranked({"digits": SCORES["digits"]})).ranks is None  # one data set
    assert all(not table.name.startswith("rank") for table in compare_runs(ranked(scores)).tables)


def test_the_highest_is_told_apart_or_not() -> None:
    runs = [record("a", LOW), record("b", HIGH, gamma=1.0), record("c", HIGH[::-1], gamma=2.0)]
    (sentence,) = compare_runs(runs).findings
    assert sentence == (
        "On digits, vaedec (gamma 1) has the highest NMI, 0.815 ± 0.024: told apart from vaedec (gamma 100); "
        "not told apart from vaedec (gamma 2) (t-tests over seeds, Holm)."
    )
    runs += [record(str(gamma), LOW, gamma=gamma) for gamma in (3.0, 4.0, 5.0)]
    assert "told apart from 4 of 5 others; not" in compare_runs(runs).findings[0]
    del runs[2]
    assert "told apart from all 4 others (" in compare_runs(runs).findings[0]


def test_nothing_to_test_is_said() -> None:
    found = compare_runs([record("a"), record("b", dataset="coil20")])
    assert [table.name for table in found.tables] == ["scores-digits", "scores-coil20"]
    assert found.findings == ["No two of the runs are on one data set: there are no pairs to test."]


def test_tables_have_names_of_files() -> None:
    datasets = ["My set.npz", "my_set_npz", "日本", "my-set-npz"]
    found = compare_runs([record(name, dataset=name) for name in datasets])
    given = [table.name for table in found.tables]
    assert len(set(given)) == 4
    assert all(re.fullmatch(r"scores-[a-z0-9-]+", name) for name in given)
    assert given[0] == "scores-my-set-npz"


def test_the_protocol_chooses_the_rows() -> None:
    results = {"vaedec": {"all": rows(LOW), "validation": rows(HIGH)}}
    runs = [record("a", results=results), record("b", results=results, gamma=1.0)]
    held_out = compare_runs(runs, protocol="validation")
    assert column(held_out, "scores-digits", "NMI")[0].mean == pytest.approx(np.mean(HIGH))
    assert "validation rows" in table(held_out, "pairs-digits").title
    with pytest.raises(InputError, match="protocol must be one that every run has, got validation, which c has not"):
        compare_runs([*runs, record("c")], protocol="validation")


def test_different_versions_are_a_warning() -> None:
    runs = [record("a"), record("b", version="0.2.0"), record("c")]
    assert compare_runs(runs).warnings == [
        "the runs are of different versions of vaeclust_jax: 0.1.0 in a, c; 0.2.0 in b"
    ]
    assert compare_runs(runs[::2]).warnings == []


def test_mistakes_are_named() -> None:
    for runs in ([], [record("a")]):
        with pytest.raises(InputError, match=f"RUN_DIR must be the folders of at least two runs, got {len(runs)}"):
            compare_runs(runs)
    with pytest.raises(InputError, match=r"runs on digits must have the same data, got shape \(1797, 8, 8, 1\) in a"):
        compare_runs([record("a"), record("b", shape=(100, 8, 8, 1))])
