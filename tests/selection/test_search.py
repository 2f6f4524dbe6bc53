"""The search for settings: what it reads, what it picks, and what it fits."""

import inspect
from collections.abc import Callable
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

import vaeclust_jax as vc
from tests.fitting.made import blobs, squares
from tests.fitting.made import config as config_of
from vaeclust_jax.selection import search as module
from vaeclust_jax.selection.augment import Tried
from vaeclust_jax.selection.search import AXES, Axis, Trial, search

LR = Axis("training", "learning_rate", (1e-3, 3e-3), "elbo")
GAMMA = Axis("method", "gamma", (1.0, 100.0), "stability")
BETA = Axis("method", "beta", (0.5, 1.0), "stability")
IMAGES = squares(6)[0]
config = partial(config_of, beta=1.0, gamma=100.0)

Score = float | None
Judge = Callable[[vc.Config], Score]


def judged(monkeypatch: pytest.MonkeyPatch, elbo: Judge, stability: Judge) -> list[tuple[str, vc.Config]]:
    """Replaces the fits by given scores; what was judged, in order."""
    asked: list[tuple[str, vc.Config]] = []

    def judge(name: str, score: Judge) -> Any:
        def answer(config: vc.Config, *rest: Any) -> tuple[Score, dict[str, Any]]:
            asked.append((name, config))
            return score(config), {}

        return answer

    monkeypatch.setattr(module, "_held_out_elbo", judge("elbo", elbo))
    monkeypatch.setattr(module, "_stability", judge("stability", stability))
    return asked


def found(axes: tuple[Axis, ...], x: np.ndarray = IMAGES, **changes: Any) -> tuple[vc.Config, list[Trial]]:
    return search(config(**changes), x, [0, 1], axes=axes, say=lambda line: None)


def refuse(config: vc.Config) -> Score:
    raise AssertionError("not to be judged by this")


def test_there_is_no_way_in_for_labels() -> None:
    taken = ["config", "x", "seeds", "axes", "say", "callbacks", "on_trial"]
    assert list(inspect.signature(search).parameters) == taken
    sources = inspect.getsource(module)
    assert "Dataset" not in sources
    assert "split_labels" not in sources


def test_every_trial_is_told_as_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    judged(monkeypatch, lambda c: abs(c.network.latent_dim - 9), lambda c: c.method.gamma)
    told: list[Trial] = []
    _, trials = search(config(), IMAGES, [0, 1], axes=(LR, GAMMA), say=lambda line: None, on_trial=told.append)
    assert [trial._replace(chosen=False) for trial in trials] == told


@pytest.mark.parametrize(
    ("x", "tried"), [(np.tile(IMAGES, (4, 1, 1)), [0.0, 1.0]), (blobs(6)[0], [])], ids=["images", "vectors"]
)
def test_views_are_searched_where_they_are_left_to_a_choice(
    x: np.ndarray, tried: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(monkeypatch, refuse, refuse)
    scores = {
        0.0: Tried(0.0, 0.9, 0.02, 0.1),
        1.0: Tried(1.0, 0.8, 0.001, 0.1),
    }  # seeds agree less, and fewer edges leave
    monkeypatch.setattr(module, "judge_views", lambda config, *rest, callbacks: scores[config.method.augment])
    chosen, trials = found((), x, augment="auto")
    assert [(trial.value, trial.score) for trial in trials] == [(value, scores[value].score) for value in tried]
    assert chosen.method.augment == (1.0 if tried else 0.0)


def test_the_elbo_picks_the_lowest_and_stability_the_highest(monkeypatch: pytest.MonkeyPatch) -> None:
    judged(monkeypatch, lambda c: abs(c.network.latent_dim - 9), lambda c: c.method.gamma)
    latent_dim = Axis("network", "latent_dim", (5, 10, 20), "elbo")
    chosen, trials = found((latent_dim, GAMMA), gamma=30.0)
    assert (chosen.network.latent_dim, chosen.method.gamma) == (10, 100.0)
    assert [(trial.setting, trial.value, trial.judge, trial.score, trial.chosen) for trial in trials] == [
        ("latent_dim", 2, "elbo", 7, False),
        ("latent_dim", 5, "elbo", 4, False),
        ("latent_dim", 10, "elbo", 1, True),
        ("latent_dim", 20, "elbo", 11, False),
        ("gamma", 30.0, "stability", 30.0, False),
        ("gamma", 1.0, "stability", 1.0, False),
        ("gamma", 100.0, "stability", 100.0, True),
    ]


def test_an_axis_starts_from_what_was_chosen_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = judged(monkeypatch, refuse, lambda c: -abs(c.method.gamma - 1) + c.method.beta)
    chosen, _ = found((GAMMA, BETA))
    assert (chosen.method.gamma, chosen.method.beta) == (1.0, 1.0)
    assert [(one.method.gamma, one.method.beta) for _, one in asked] == [(100.0, 1.0), (1.0, 1.0), (1.0, 0.5)]
    expected = config(gamma=1.0)
    assert chosen == expected  # nothing else has changed


def test_a_tie_keeps_the_own_value(monkeypatch: pytest.MonkeyPatch) -> None:
    judged(monkeypatch, lambda c: 5.0, lambda c: 0.5)
    chosen, trials = found((LR, GAMMA, BETA), gamma=7.0, learning_rate=2e-3)
    assert chosen == config(gamma=7.0, learning_rate=2e-3)
    assert [trial.value for trial in trials if trial.chosen] == [2e-3, 7.0, 1.0]


def test_a_setting_that_leaves_clusters_empty_is_out(monkeypatch: pytest.MonkeyPatch) -> None:
    judged(monkeypatch, refuse, lambda c: None if c.method.gamma == 100 else c.method.gamma)
    assert found((GAMMA,))[0].method.gamma == 1.0
    judged(monkeypatch, refuse, lambda c: None)
    chosen, trials = found((GAMMA, BETA), gamma=30.0, beta=0.7)
    assert chosen == config(gamma=30.0, beta=0.7)  # nothing could be judged
    assert [trial.value for trial in trials if trial.chosen] == [30.0, 0.7]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(-3, 3).map(float)), min_size=4, max_size=4),
    st.sampled_from(["elbo", "stability"]),
)
def test_what_is_chosen_is_never_worse_than_what_was_tried(given_scores: list[Score], judge: Any) -> None:
    values = (2.0, 1.0, 3.0, 4.0)  # the own value first
    scores = dict(zip(values, given_scores, strict=True))
    with pytest.MonkeyPatch.context() as monkeypatch:
        judged(monkeypatch, lambda c: scores[c.method.gamma], lambda c: scores[c.method.gamma])
        chosen, trials = found((Axis("method", "gamma", (1.0, 2.0, 3.0, 4.0), judge),), gamma=2.0)
    known = [score for score in given_scores if score is not None]
    assert [trial.chosen for trial in trials].count(True) == 1
    if not known:
        assert chosen.method.gamma == 2.0
        return
    best = min(known) if judge == "elbo" else max(known)
    assert scores[chosen.method.gamma] == best
    assert chosen.method.gamma == next(value for value in values if scores[value] == best)


def test_an_equal_config_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = judged(monkeypatch, lambda c: c.training.learning_rate, lambda c: -c.method.gamma)
    found((LR, LR, GAMMA, BETA, GAMMA))
    assert len(asked) == len(set(asked))
    assert len(asked) == 2 + 2 + 1  # learning rates; gammas; the other beta


def test_every_value_is_said_before_it_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    judged(monkeypatch, lambda c: 1.0, refuse)
    said: list[str] = []
    search(config(), IMAGES, [0, 1], axes=(LR,), say=said.append)
    assert said == ["learning_rate 0.001", "learning_rate 0.003"]


def test_channels_are_for_networks_that_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    judged(monkeypatch, lambda c: -sum(c.network.channels), refuse)
    channels = next(axis for axis in AXES if axis.name == "channels")
    same = {"channels": (8, 8, 8), "kernels": (3, 3, 3)}
    assert found((channels,), **same)[0].network.channels == (32, 64, 128)
    assert found((channels,), network="mlp")[1] == []
    assert found((channels,), blobs(6)[0])[1] == []
    two_layers = [trial.value for trial in found((channels,))[1]]
    assert two_layers == [(4, 8)]  # three channels would not fit the two kernels


def test_every_axis_is_a_setting_and_the_clustering_is_never_judged_by_the_elbo() -> None:
    for axis in AXES:
        own = getattr(getattr(vc.Config(vc.DEC(3, beta=1.0, gamma=100.0), network=vc.Conv()), axis.section), axis.name)
        assert all(type(value) is type(own) for value in axis.values)
        assert (axis.judge == "elbo") == (axis.name in ("learning_rate", "latent_dim", "channels"))
        assert own in axis.values


@pytest.mark.parametrize(
    ("seeds", "changes", "words"),
    [
        ([0], {}, "seeds must be at least 2, because stability is the agreement between them, got 1"),
        ([], {}, "seeds must be at least 2, because stability is the agreement between them, got 0"),
        ([0, 1], {"validation": 0}, "validation must be above 0, because networks are judged by the ELBO of "),
        ([3, 3], {}, "seeds must be distinct"),
    ],
    ids=["one", "none", "validation", "twice"],
)
def test_what_cannot_be_searched_is_one_sentence(seeds: list[int], changes: dict[str, Any], words: str) -> None:
    with pytest.raises(vc.InputError) as caught:
        search(config(**changes), blobs()[0], seeds, axes=(LR,), say=lambda line: None)
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)


# Real fits -------------------------------------------------------------------------------------------

SEEDS = [0, 1]


class Searched(tuple):
    """(chosen, trials) and the configs that were fitted."""

    fitted: list[vc.Config]


@pytest.fixture(scope="module")
def searched() -> Searched:
    """Two settings by each judge, and a learning rate at which training diverges."""
    fitted: list[vc.Config] = []
    fit_seeds = module.fit_seeds

    def counting(settings: vc.Config, *rest: Any, **more: Any) -> Any:
        fitted.append(settings)
        return fit_seeds(settings, *rest, **more)

    axes = (LR._replace(values=(3e-3, 1e30)), GAMMA._replace(values=(1.0,)))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(module, "fit_seeds", counting)
        result = Searched(search(config(beta=2.0), blobs()[0], SEEDS, axes=axes, say=lambda line: None))
    result.fitted = fitted
    return result


@pytest.mark.long
def test_the_held_out_elbo_is_that_of_the_vae_alone_at_beta_one(searched: Searched) -> None:
    chosen, trials = searched
    x = blobs()[0]
    for trial in trials[:2]:
        alone = config_of(learning_rate=trial.value, beta=1.0, joint_epochs=0)
        histories = [run.history for run in vc.fit_seeds(alone, x, SEEDS)]
        best = [min(row["val_reconstruction"] + row["val_kl"] for row in rows) for rows in histories]
        assert trial.details["negative_elbo"] == pytest.approx(best, rel=1e-5)
        assert trial.score == pytest.approx(np.mean(best), rel=1e-5)
    scores = {trial.value: trial.score for trial in trials[:2]}
    assert chosen.training.learning_rate == min(scores, key=scores.__getitem__) == 3e-3
    assert chosen.method.beta == 2.0  # beta 1 is for judging alone


@pytest.mark.long
def test_a_setting_at_which_training_diverges_is_out(searched: Searched) -> None:
    diverged = searched[1][2]
    assert (diverged.value, diverged.score, diverged.chosen) == (1e30, None, False)
    assert "turned non-finite" in diverged.details["diverged"]


@pytest.mark.long
def test_stability_is_the_agreement_of_seeds_and_of_draws(searched: Searched) -> None:
    x = blobs()[0]
    for trial in searched[1][3:]:
        runs = vc.fit_seeds(config(learning_rate=3e-3, beta=2.0, gamma=trial.value), x, SEEDS)
        labels = [run.predict(x) for run in runs]
        between = [adjusted_rand_score(a, b) for a, b in combinations(labels, 2)]
        assert trial.details["between_seeds"] == pytest.approx(np.mean(between))
        assert trial.details["populated_clusters"] == [len(np.unique(one)) for one in labels]
        for run, own, agreement in zip(runs, labels, trial.details["of_draws"], strict=True):
            mean, logvar = run.posterior(x)
            z = mean + np.exp(logvar / 2) * np.random.default_rng(0).normal(size=(50, *mean.shape))
            drawn = [adjusted_rand_score(own, run.log_assign(one.astype(np.float32)).argmax(axis=1)) for one in z]
            error = np.std(drawn) * np.sqrt(1 / 10 + 1 / 50)
            assert agreement == pytest.approx(np.mean(drawn), abs=4 * error + 1e-9)
        expected = (np.mean(between) + np.mean(trial.details["of_draws"])) / 2
        full = min(trial.details["populated_clusters"]) == 3
        assert trial.score == (pytest.approx(expected) if full else None)


@pytest.mark.long
def test_no_config_is_fitted_twice(searched: Searched) -> None:
    assert len(searched.fitted) == len(set(searched.fitted)) == 3 + 2


@pytest.mark.long
def test_clusters_without_members_are_noticed() -> None:
    x = np.repeat(blobs()[0][:2], 60, axis=0)  # two distinct samples, three clusters
    (own, other) = search(config(), x, SEEDS, axes=(GAMMA._replace(values=(1.0,)),), say=lambda line: None)[1]
    assert (own.score, other.score) == (None, None)
    assert max(own.details["populated_clusters"]) < 3
    assert own.chosen


@pytest.mark.slow
def test_all_axes_are_searched() -> None:
    chosen, trials = search(config(), blobs()[0], SEEDS, say=lambda line: None)
    assert list(dict.fromkeys(trial.setting for trial in trials)) == [
        axis.name for axis in AXES if axis.name != "channels"
    ]
    for trial in trials:
        section = next(axis.section for axis in AXES if axis.name == trial.setting)
        if trial.chosen:
            assert getattr(getattr(chosen, section), trial.setting) == trial.value
