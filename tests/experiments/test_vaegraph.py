"""The experiment about the neighbour graph: seeds by themselves beside seeds together."""

import pytest

from tests.studies.conftest import Execute, tiny
from vaeclust_jax.experiments import EXPERIMENTS
from vaeclust_jax.folder.figure_list import read_figure_list

GRAPH = {"method": "graph", "vote": True, "tolerance": 0.0}


def test_one_seed_has_nobody_to_learn_from() -> None:
    experiment = EXPERIMENTS["vaegraph"]
    alone, several = experiment.of_seeds(1), experiment.of_seeds(2)
    assert list(alone.arms) == ["vaegraph", "vae-graph", "vae-kmeans"]
    assert several == experiment
    assert (alone.named, alone.baseline) == (experiment.named, experiment.baseline) == ("vaegraph", "vae-kmeans")


@pytest.mark.long
def test_seeds_by_themselves_stand_beside_seeds_together(carry_out: Execute) -> None:
    found = carry_out(tiny(), seeds=(4, 9), name="vaegraph", draw=False, **GRAPH)
    own = [name for name in found.metrics["results"] if name not in found.metrics["shallow"]]
    assert own == list(EXPERIMENTS["vaegraph"].arms)
    assert [line for line in found.said if line.startswith("fitting")] == [
        "fitting vaegraph, 2 seeds; the first epoch of each stage compiles"
    ]
    measures = found.metrics["uncertainty"]["measures"]
    said = ("entropy", "outside the cluster", "not agreed on")
    assert {f"{whose}: {name}" for whose in ("neighbours", "seeds' neighbours") for name in said} < set(measures)


@pytest.mark.long
def test_the_page_has_a_picture_of_the_tree(carry_out: Execute) -> None:
    found = carry_out(tiny(), seeds=(4, 9), name="vaegraph", **GRAPH)
    (entry,) = (one for one in read_figure_list(found.folder / "figures.json") if one.section == "Tree")
    assert entry.file == "dendrogram.png"
    assert (found.folder / "dendrogram.svg").read_bytes().startswith(b"<?xml")


@pytest.mark.long
def test_without_joint_epochs_a_method_is_its_graph(carry_out: Execute) -> None:
    found = carry_out(tiny(), seeds=(4, 9), name="vaegraph", draw=False, joint_epochs=0, **GRAPH)
    results = {name: of["all"]["mean"] for name, of in found.metrics["results"].items()}
    assert results["vaegraph"] == results["vae-graph"]
    assert results["vaegraph-together"] == results["vae-graph-together"]
