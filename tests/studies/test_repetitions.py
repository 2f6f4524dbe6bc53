"""Several splits or groups of seeds: components of variance against their formula, coverage and false rejections."""

import numpy as np
import pytest

from tests.folder.made_record import made_record
from tests.studies.made_assignments import results_of
from vaeclust_jax.folder.records.clustering import ClusteringRecord
from vaeclust_jax.folder.records.repetitions import Repetition, RepetitionsRecord
from vaeclust_jax.folder.records.scores import Origin
from vaeclust_jax.folder.typed_json import from_json
from vaeclust_jax.metrics import t_interval
from vaeclust_jax.studies.repetitions import NOT_DEFINED, ONE_SEED, components, over_repetitions, repetition_tables
from vaeclust_jax.studies.tests import TESTED

MEAN, BETWEEN, WITHIN = 0.7, 0.03, 0.02


def test_components_by_hand() -> None:
    """Means 2 and 6, each of two values one away from it: 8 between the means, less half of the 2 within."""
    found = components([[1.0, 3.0], [5.0, 7.0]])
    assert found.within == pytest.approx(np.sqrt(2))
    assert found.between == pytest.approx(np.sqrt(8 - 2 / 2))


def test_components_are_the_mean_squares_of_a_one_way_analysis() -> None:
    """Against the table by sums of squares, and on average the variances that were drawn."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(400):
        table = rng.normal(0, BETWEEN, (4, 1)) + rng.normal(0, WITHIN, (4, 5))
        one = components(table.tolist())
        total = ((table - table.mean()) ** 2).sum()
        of_groups = 5 * ((table.mean(axis=1) - table.mean()) ** 2).sum()
        within = (total - of_groups) / (4 * 4)
        between = (of_groups / 3 - within) / 5
        assert one.within == pytest.approx(np.sqrt(within))
        assert one.between == pytest.approx(np.sqrt(max(between, 0)))
        found.append((between, within))
    means, errors = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(len(found))
    assert means == pytest.approx([BETWEEN**2, WITHIN**2], abs=4 * errors.max())


def test_what_is_not_defined_has_a_reason() -> None:
    assert components([[0.5], [0.7]]).reason == ONE_SEED
    assert components([[0.5, None], [0.7, 0.8]]).reason == NOT_DEFINED
    equal = components([[0.5, 0.5], [0.5, 0.5]])
    assert (equal.between, equal.within, equal.reason) == (0.0, 0.0, None)
    assert components([[0.4, 0.6], [0.4, 0.6]]).between == 0.0  # less than seeds bring with them


@pytest.mark.parametrize("splits", [3, 5])
def test_an_interval_over_splits_covers_and_one_over_all_seeds_does_not(splits: int) -> None:
    rng, trials = np.random.default_rng(splits), 1500
    tables = MEAN + rng.normal(0, BETWEEN, (trials, splits, 1)) + rng.normal(0, WITHIN, (trials, splits, 5))

    def coverage(samples: np.ndarray) -> float:
        found = np.array([t_interval(sample.tolist()) for sample in samples])
        return float(((found[:, 0] <= MEAN) & (found[:, 1] >= MEAN)).mean())

    assert coverage(tables.mean(axis=2)) == pytest.approx(0.95, abs=0.018)  # three standard errors
    assert coverage(tables.reshape(trials, -1)) < 0.8


def run_of(scores: dict[str, np.ndarray]) -> ClusteringRecord:
    """A run of one training whose second arm voted; scores: (metrics, seeds) by method."""
    results = results_of({name: dict(zip(TESTED, table.tolist(), strict=True)) for name, table in scores.items()})
    origins = {"alone": Origin(fit=0), "together": Origin(fit=0, together=True), "other": Origin(fit=1)}
    origins["pixels"] = Origin(fit=None)
    rows = {name: {protocol: of.seeds for protocol, of in result.items()} for name, result in results.items()}
    return made_record(rows, method="alone", origins={name: origins[name] for name in scores}, shallow=("pixels",))


def repetitions(n: int, seeds: int = 2) -> list[Repetition]:
    return [
        Repetition(folder=f"group-{one}", split_seed=0, seeds=tuple(range(one * seeds, (one + 1) * seeds)))
        for one in range(n)
    ]


@pytest.mark.long
@pytest.mark.parametrize("groups", [3, 5])
def test_votes_of_several_groups_reject_a_true_null_in_one_of_twenty_cases(groups: int) -> None:
    """Seeds of a group share what they voted, and the group's start: over groups that does not matter."""
    rng, trials = np.random.default_rng(groups), 100
    p: dict[str, list[float]] = {"together": [], "other": [], "pixels": []}
    for _ in range(trials):
        records = []
        for _ in range(groups):
            start, vote = rng.normal(0, WITHIN, (4, 3)), rng.normal(0, BETWEEN, (4, 1))
            records.append(
                run_of(
                    {
                        "alone": MEAN + start + rng.normal(0, WITHIN, (4, 3)),
                        "together": MEAN + vote + rng.normal(0, WITHIN / 4, (4, 3)),
                        "other": MEAN + start + rng.normal(0, WITHIN, (4, 3)),
                        "pixels": MEAN + rng.normal(0, WITHIN, (4, 3)),
                    }
                )
            )
        for row in over_repetitions(records, repetitions(groups, 3), "groups").comparisons:
            assert row.test is not None
            assert (row.paired is None) == (row.second == "pixels")
            p[row.second].append(row.test.p)
    error = np.sqrt(0.05 * 0.95 / (trials * len(TESTED)))
    rejected = {name: np.mean(np.array(values) < 0.05) for name, values in p.items()}
    assert rejected["together"] == pytest.approx(0.05, abs=3 * error)
    assert rejected["other"] == pytest.approx(0.05, abs=3 * error)
    assert rejected["pixels"] < 0.05 + 3 * error  # Welch's test of few values rejects less


@pytest.fixture(scope="module")
def found() -> RepetitionsRecord:
    rng = np.random.default_rng(0)
    methods = ("alone", "together", "pixels")
    runs = [run_of({name: rng.normal(0.8, 0.02, (4, 2)) for name in methods}) for _ in range(3)]
    return over_repetitions(runs, repetitions(3), "splits")


def test_a_repetition_counts_as_the_mean_of_its_seeds(found: RepetitionsRecord) -> None:
    rng = np.random.default_rng(0)
    tables = [[rng.normal(0.8, 0.02, (4, 2)) for _ in range(3)] for _ in range(3)]
    means = [table[0][0].mean() for table in tables]
    result = found.results["alone"]["all"]
    assert [row.acc for row in result.seeds] == pytest.approx(means)
    assert [row.seed for row in result.seeds] == [0, 1, 2]
    assert result.std.acc == pytest.approx(np.std(means, ddof=1))
    assert result.interval["acc"] == pytest.approx(t_interval(means, limits=(0, 1)))
    assert found.results["together"]["all"].interval["acc"] is not None  # three votes


def test_all_that_is_said_is_over_splits(found: RepetitionsRecord) -> None:
    assert found.findings[0].startswith("alone has ACC 0.")
    assert "over 3 splits of 2 seeds each (95 % interval 0." in found.findings[0]
    assert "between splits and 0." in found.findings[0]
    assert "tests over splits, Holm" in found.findings[1]
    tables = {table.name: table for table in repetition_tables(found)}
    assert set(tables) == {"scores", "intervals", "deviations", "comparisons"}
    assert not any("over seeds" in table.note for table in tables.values())
    assert found.protocol["interval"].startswith("95 % t interval of the mean over 3 splits of one data set")


def test_a_record_comes_back_from_its_json(found: RepetitionsRecord) -> None:
    assert from_json(RepetitionsRecord, found.record(), "repetitions.json") == found


def test_one_seed_a_split_has_an_interval_and_no_components() -> None:
    rng = np.random.default_rng(1)
    runs = [run_of({name: rng.normal(0.8, 0.02, (4, 1)) for name in ("alone", "pixels")}) for _ in range(3)]
    one = over_repetitions(runs, repetitions(3, 1), "splits")
    assert one.deviations["alone"]["all"]["acc"].reason == ONE_SEED
    assert one.findings[0].endswith(").")
    assert [table.name for table in repetition_tables(one)] == ["scores", "intervals", "comparisons"]


def test_equal_runs_have_no_interval_and_no_test() -> None:
    same = run_of({name: np.full((4, 2), 0.8) for name in ("alone", "pixels")})
    one = over_repetitions([same, same], repetitions(2), "splits")
    assert "(no interval: all values are equal)" in one.findings[0]
    assert {row.test for row in one.comparisons} == {None}
    assert {row.reason for row in one.comparisons} == {"all values are equal"}
