"""The case of the graph stage."""

import pytest

from benchmarks.case import Effort
from benchmarks.cases.graph import CASES, agreement, alone, graph_of


@pytest.mark.slow
def test_smoke_gives_its_rows() -> None:
    rows = list(CASES[0].run(Effort("smoke", 1)))
    assert [row.what for row in rows] == [
        "exponent of time: graph stage against rows",
        "graph stage, 1000 rows",
        "graph stage, 1000 rows, peak memory",
        "neighbours that FAISS finds, 1000 rows",
        "exponent of memory: graph stage against rows",
        "micro-clusters joined twice against once, ARI",
    ]
    details = rows[0].details
    assert details["sizes"] == (200, 1000)
    assert rows[1].ours.median == details["seconds"][1] > 0
    assert rows[3].ours.median > 0.9


@pytest.mark.long
def test_other_draws_are_another_graph_and_labels_that_nothing_changes_agree() -> None:
    assert abs(graph_of(200) - graph_of(200, seed=1)).max() > 0
    again, redrawn = agreement(200, 200)  # a limit that is not reached
    assert again == 1
    assert -1 <= redrawn < 1


@pytest.mark.long
def test_a_process_of_its_own_is_asked() -> None:
    seconds, peak = alone(200)
    assert 0 < seconds < 60
    assert 50e6 < peak < 2e9
