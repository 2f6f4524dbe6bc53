"""Tables of runs say what the rows say, over the right units."""

from typing import Any

import numpy as np
import pytest

from benchmarks.runs import Run, kept
from notebooks.book import reproductions
from notebooks.book.reproductions import (
    calibration,
    chosen,
    findings,
    measures,
    naming,
    noticed,
    ran,
    run_note,
    run_table,
    scores,
)
from vaeclust_jax.studies.uncertainty import BY_VOTES

RNG = np.random.default_rng(0)
ACC = RNG.uniform(size=6).round(5).tolist()
AUROC = RNG.uniform(size=6).round(5).tolist()


def row(**changes: Any) -> Run:
    values = {"acc": ACC, "nmi": ACC[::-1], "ari": ACC, "silhouette": [None] * 6, "active_units": [3, 0, 2, 0, 1, 4]}
    fields: dict[str, Any] = {
        "name": "made", "command": "run made", "commit": "0123456789ab", "machine": "one", "threads": 1,
        "cpu_seconds": 90.0, "versions": {"jax": "0.10.2"}, "dataset": "digits", "seeds": [*range(6)], "groups": 3,
        "scores": {
            "ours": {"all": values}, "ours-together": {"all": values},
            "ward": {"all": {"acc": [0.5], "silhouette": [None]}},
        },
        "uncertainty": {name: {"auroc": AUROC} for name in ("entropy", "seeds: vote entropy")},
        "calibration": {"q at the mean": AUROC, BY_VOTES: ACC, "averaged over passes": ACC},
        "naming": [
            {"method": "ours", "naming": "majority", "labels": n, "mean": n / 2000, "std": None if n == 1000 else 0.25}
            for n in (1, 1000)
        ],
        "chosen": {"bic": 12, "gap": 9},
        "outliers": {"negative ELBO": AUROC},
        "findings": ["It learns.", "It is ahead."],
        "tables": [{
            "name": "scores", "title": "Scores", "note": "Of all rows.",
            "columns": [{"name": "method", "format": "text"}, {"name": "R²", "format": "score"},
                        {"name": "empty", "format": "score"}, {"name": "seeds", "format": "integer"}],
            "rows": [["adam", {"mean": 0.5, "std": 0.25}, None, 5], ["linear", None, None, 1]],
        }],
    }  # fmt: skip
    return Run(**{**fields, **changes})


@pytest.fixture(autouse=True)
def _made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reproductions, "runs", lambda: {"made": row()})


def cells(shown: str) -> list[list[str]]:
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in shown.strip().split("\n")]


def over(values: list[float]) -> str:
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"


def test_seeds_are_spread_over_seeds_and_votes_over_votes() -> None:
    lines = "a = made / ours\nb=1 = made / ours-together / all\nc = made / ward\nd, reported = reported: 0.85 ± 0.02 |"
    votes = [float(np.mean(ACC[start : start + 2])) for start in (0, 2, 4)]
    assert cells(scores("acc", "silhouette", lines)) == [
        ["", "ACC", "silhouette"],
        ["---", "---:", "---:"],
        ["a", over(ACC), ""],
        ["b=1", over(votes), ""],
        ["c", "0.500", ""],
        ["d, reported", "0.85 ± 0.02", ""],
    ]
    assert cells(measures("auroc", "a = made / entropy\nb = made / seeds: vote entropy"))[2:] == [
        ["a", over(AUROC)],
        ["b", over([float(np.mean(AUROC[start : start + 2])) for start in (0, 2, 4)])],
    ]


def test_the_calibration_error_as_trained_and_as_shown() -> None:
    assert cells(calibration("a = made"))[::2] == [
        ["expected calibration error", "as trained", "at the temperature"],
        ["a", over(AUROC), over(ACC)],
    ]


def test_a_run_s_own_tables_and_findings_are_shown_as_they_are() -> None:
    assert cells(run_table("made", "scores")) == [
        ["method", "R²", "seeds"],
        ["---", "---:", "---:"],
        ["adam", "0.500 ± 0.250", "5"],
        ["linear", "", "1"],
    ]
    assert run_note("made", "scores") == "Of all rows.\n"
    assert findings("made") == "- It learns.\n- It is ahead.\n"


def test_dead_seeds_are_counted() -> None:
    assert cells(scores("dead", "a = made / ours"))[2] == ["a", "2"]


def test_names_and_numbers_of_clusters() -> None:
    assert cells(naming("made", "a = ours / majority")) == [
        ["labels that name the clusters", "1", "1,000"],
        ["---", "---:", "---:"],
        ["a", "0.001 ± 0.250", "0.500"],
    ]
    assert cells(chosen("a = made"))[::2] == [["", "bic", "gap"], ["a", "12", "9"]]


def test_another_set_is_noticed_over_seeds() -> None:
    assert cells(noticed("a = made / negative ELBO"))[::2] == [["", "AUROC"], ["a", over(AUROC)]]


def test_it_is_said_how_the_figures_were_made() -> None:
    said = "- `vaeclust run made`: 2 min of CPU time on 1 core of an one, commit `0123456789ab`, jax 0.10.2\n"
    assert ran("made", "made") == 2 * said


@pytest.mark.parametrize("wrong", ["a = other / ours", "a = made / theirs", "a = made / ours / validation"])
def test_what_has_no_row_ends_the_build(wrong: str) -> None:
    with pytest.raises(KeyError):
        scores("acc", wrong)


def test_a_row_keeps_what_the_files_of_its_groups_say() -> None:
    def of(first: int) -> dict[str, Any]:
        seeds = [{"seed": first + one, "acc": (first + one) / 10, "nmi": None} for one in range(2)]
        measured = [{"auroc": 0.5, "error": first / 10, "error_at_80": None, "spearman": 1.0} for _ in range(2)]
        return {
            "dataset": {"name": "digits"}, "seeds": seeds,
            "classification": {"methods": {"ours": {"seeds": 2 * [{"accuracy": first / 10}]}}, "curve": []},
            "outliers": {"mean": {"elbo": 0.0}, "seeds": 2 * [{"elbo": first / 10}]},
            "num_clusters_choice": None, "uncertainty": {
                "measures": {"entropy": {"seeds": measured}}, "calibration": {"raw": {"seeds": 2 * [{"ece": 0.125}]}},
            },
            "results": {"ours": {"all": {"seeds": seeds}}, "ward": {"all": {"seeds": [{"acc": 0.25, "nmi": 0.0}]}}},
        }  # fmt: skip

    found = kept([of(4), of(6)])
    assert found["seeds"] == [4, 5, 6, 7]
    assert found["groups"] == 2
    assert found["scores"] == {
        "ours": {"all": {"acc": [0.4, 0.5, 0.6, 0.7], "nmi": [None] * 4}},
        "ward": {"all": {"acc": [0.25], "nmi": [0.0]}},
    }
    expected = {"auroc": [0.5] * 4, "error": [0.4, 0.4, 0.6, 0.6], "error_at_80": [None] * 4}
    assert found["uncertainty"] == {"entropy": expected}
    assert found["calibration"] == {"raw": [0.125] * 4}
    assert found["outliers"] == {"elbo": [0.4, 0.4, 0.6, 0.6]}
    assert found["classified"] == {"ours": [0.4, 0.4, 0.6, 0.6]}
    assert found["naming"] is None, "of two groups the draws are not one curve"
    assert kept([of(4)])["naming"] == []
