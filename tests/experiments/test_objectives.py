"""Experiments with other objectives than DEC's: every method bears the score of the training and stage it names."""

import json
from itertools import pairwise
from typing import NamedTuple

import jax
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_score

import vaeclust_jax as vc
from tests.studies.conftest import Execute, Executed, tiny
from vaeclust_jax.data import Dataset
from vaeclust_jax.experiments import EXPERIMENTS
from vaeclust_jax.networks import ReluHeadsMLP
from vaeclust_jax.studies import fit as module
from vaeclust_jax.studies.classification import hold_back
from vaeclust_jax.studies.experiment import Experiment

Stages = dict[str, list[vc.Run]]


class Watched(NamedTuple):
    run: Executed
    trained: list[Stages]
    """In the order of the trainings."""


def network_name(experiment: Experiment) -> str:
    """Of the experiment's own network, where it has one."""
    return "mlp-relu-heads" if isinstance(experiment.network, ReluHeadsMLP) else "mlp"


def watched(carry_out: Execute, name: str, **changes: object) -> Watched:
    """The experiment with its own objective and heads, on small networks, and all that was trained for it."""
    experiment, fit_stages = EXPERIMENTS[name], module.fit_stages
    own = {**vars(experiment.method), "network": network_name(experiment), **changes}
    for name_of_k in ("num_clusters", "pretrain_epochs", "joint_epochs", "update_target_interval"):
        own.pop(name_of_k, None)
    trained: list[Stages] = []

    def watch(*given: object, **more: object) -> Stages:
        trained.append(fit_stages(*given, **more))  # type: ignore[arg-type]
        return trained[-1]

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(module, "fit_stages", watch)
        run = carry_out(tiny(), name=name, draw=False, **own)
    return Watched(run, trained)


def assert_scored(run: Executed, dataset: Dataset, expected: dict[str, vc.Run]) -> None:
    """Under each name, and in the tables, stand the scores of this model; the first is the named method."""
    metrics = run.metrics
    assert [name for name in metrics["results"] if name not in metrics["shallow"]] == list(expected)
    silhouettes = []
    for name, model in expected.items():
        (found,) = metrics["results"][name]["all"]["seeds"]
        labels = model.predict(dataset.x)
        silhouettes.append(silhouette_score(model.embed(dataset.x), labels))
        assert found["ari"] == pytest.approx(adjusted_rand_score(dataset.y, labels)), name
        assert found["silhouette"] == pytest.approx(silhouettes[-1], abs=1e-4), name
    assert np.abs(np.subtract(silhouettes[1:], silhouettes[0])).min() > 1e-3, "one could stand for another"
    named, *others = expected
    tables = {table.name: table for table in run.tables}
    assert metrics["method"] == named
    assert {row[0] for row in tables["scores"].rows} >= set(expected)
    assert {row[0] for row in tables["comparisons"].rows} == set(others)


def assert_told_apart(run: Executed) -> None:
    """What trains differently is called differently, to the person and in the list of wall seconds."""
    said = [line.partition(", 1 seed")[0] for line in run.said if line.startswith("fitting ")]
    timed = json.loads((run.folder / "timing.json").read_text())
    assert [name.replace("fit ", "fitting ") for name in timed if name.startswith("fit ")] == said
    assert len(set(said)) == 2


@pytest.mark.long
def test_vade_is_scored_beside_the_mixture_it_starts_from(carry_out: Execute) -> None:
    run, (from_em, from_graph) = watched(carry_out, "vade")
    expected = {
        "vade": from_em["joint"],
        "vade, graph start": from_graph["joint"],
        "vae-mixture": from_em["mixture"],
        "vae-kmeans": from_em["kmeans"],
    }
    assert_scored(run, tiny(), {name: only for name, (only,) in expected.items()})
    assert_told_apart(run)
    assert [type(stages["joint"][0].config.method.start) for stages in (from_em, from_graph)] == [
        vc.EMStart,
        vc.GraphStart,
    ]


@pytest.mark.long
def test_idec_trains_its_decoder_to_the_end_and_dec_does_not(carry_out: Execute) -> None:
    run, (idec, dec) = watched(carry_out, "idec")
    expected = {"idec": idec["joint"], "dec": dec["joint"], "ae-kmeans": idec["kmeans"]}
    assert_scored(run, tiny(), {name: only for name, (only,) in expected.items()})
    assert_told_apart(run)
    assert all(stages["joint"][0].config.method.deterministic for stages in (idec, dec))
    rows = [stages["joint"][0].history[-1] for stages in (idec, dec)]
    gamma = idec["joint"][0].config.method.gamma
    assert rows[0]["loss"] == pytest.approx(rows[0]["reconstruction"] + gamma * rows[0]["cluster"], rel=1e-5)
    assert rows[1]["loss"] == pytest.approx(gamma * rows[1]["cluster"], rel=1e-5)


@pytest.mark.long
def test_the_literal_vaegmm_has_relu_heads_and_stands_beside_linear_ones(carry_out: Execute) -> None:
    changes = {"fitted_to": "mean"}  # after so few epochs the codes are noise, in which a mixture finds one cluster
    run, (relu, linear) = watched(carry_out, "vaegmm-mnist-literal", **changes)
    seen, _ = hold_back(tiny())
    expected = {"vaegmm-relu": relu["mixture"], "vaegmm": linear["mixture"], "vae-kmeans": linear["kmeans"]}
    assert_scored(run, seen, {name: only for name, (only,) in expected.items()})
    assert_told_apart(run)
    assert list(run.metrics["classification"]["methods"]) == list(expected)
    saved = vc.load(run.folder, seed=4)
    mean, logvar = saved.posterior(seen.x)
    sigma, pixels = np.exp(logvar / 2), saved.reconstruct(seen.x)
    assert mean.min() == 0 < mean.max()
    for cut in (sigma, pixels):  # a ReLU that is kept above 1e-6
        assert cut.min() == pytest.approx(1e-6)
        assert cut.max() > 0.1
    assert linear["mixture"][0].embed(seen.x).min() < 0


def test_the_literal_vaegmm_has_the_layers_and_the_mixture_of_its_source() -> None:
    literal = EXPERIMENTS["vaegmm-mnist-literal"]
    networks = literal.network.build((28, 28, 1))[:2]
    for network, sizes in zip(networks, ([784, 784, 392, 196, 98], [8, 98, 196, 392, 784]), strict=True):
        layers = jax.eval_shape(network.init, jax.random.key(0))["trunk"]["layers"]
        assert [layers[number]["kernel"].shape for number in sorted(layers)] == list(pairwise(sizes))
    assert literal.method.fitted_to == "sample"
    assert EXPERIMENTS["vaegmm-mnist"].method.fitted_to == "mean"
