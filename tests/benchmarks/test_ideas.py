"""Ideas around vaegraph: the wrapped steps against the library's and against formulas, and the page of the rows."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.quality import ideas, tried
from benchmarks.quality.ideas import OWN, Point, gains, page, programs, read, verdict
from vaeclust_jax import MLP, About, Batch, Learner, State
from vaeclust_jax.methods.dec import GraphDEC

METHOD = GraphDEC(3, likelihood="gaussian", beta=1.0, gamma=10.0, value_share=0.0, vote=False)
ABOUT = About(MLP(latent_dim=2, hidden=(8,)).build((4,)), 2, 12, 12, 1e-3, 10, has_validation=False, shape=(4,))
X = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
BATCH = Batch(jnp.asarray(X), None, jnp.arange(12), jnp.ones(12))
KEY = jax.random.key(1)


def learner_of(stage: int) -> tuple[Learner, State]:
    learner = METHOD.stages(ABOUT)[stage].learner
    return learner, learner.init(jax.random.key(0))


def same(a: Any, b: Any) -> bool:
    return all(jax.tree.leaves(jax.tree.map(lambda one, other: bool(jnp.array_equal(one, other)), a, b)))


@pytest.mark.long
def test_a_term_of_zero_is_the_librarys_own_step() -> None:
    learner, state = learner_of(3)
    wrapped = tried.with_term(learner, ABOUT, METHOD, lambda *_: jnp.zeros(()))
    ours, theirs = (jax.jit(one.step)(KEY, state, BATCH)[0] for one in (wrapped, learner))
    for one, other in zip(jax.tree.leaves(ours.params), jax.tree.leaves(theirs.params), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_information_is_the_formula() -> None:
    q = np.random.default_rng(2).dirichlet(np.ones(3), size=12)
    found = tried.information(ABOUT, METHOD, X)(KEY, {}, jnp.log(q), None, BATCH)  # type: ignore[arg-type]
    conditional, mean = -(q * np.log(q)).sum(axis=1).mean(), q.mean(axis=0)
    assert float(found) == pytest.approx(0.1 * (conditional + 4 * (mean * np.log(mean)).sum()), abs=1e-5)


def test_only_hidden_layers_of_the_encoder_are_reset_and_only_when_due() -> None:
    learner, state = learner_of(0)
    still = learner._replace(step=lambda key, state, batch: (state, {}))
    step = tried.soft_resets(still, every=5).step
    assert same(step(KEY, state, BATCH)[0].params, state.params), "not before the first step"
    assert same(step(KEY, state._replace(step=state.step + 6), BATCH)[0].params, state.params)
    found = step(KEY, state._replace(step=state.step + 5), BATCH)[0].params
    assert same(found["decoder"], state.params["decoder"])
    fresh = learner.init(jax.random.split(KEY)[0]).params["encoder"]
    moved = 0
    for (path, new), old, other in zip(
        jax.tree_util.tree_leaves_with_path(found["encoder"]),
        jax.tree.leaves(state.params["encoder"]),
        jax.tree.leaves(fresh),
        strict=True,
    ):
        hidden = "trunk" in jax.tree_util.keystr(path)
        np.testing.assert_allclose(new, 0.8 * old + 0.2 * other if hidden else old, rtol=1e-6)
        moved += hidden
    assert moved == 2, "a kernel and a bias"


def test_sure_rows_are_those_on_which_all_seeds_agree_surely() -> None:
    one = np.array([[0.95, 0.05], [0.04, 0.96], [0.85, 0.15], [0.08, 0.92], [0.95, 0.05]])
    other = np.array([[0.95, 0.05], [0.04, 0.96], [0.99, 0.01], [0.91, 0.09], [0.94, 0.06]])[:, ::-1]
    np.testing.assert_array_equal(tried.sure_rows(np.stack([one, other])), [1, 1, 0, 0, 1])


def test_sure_points_train_the_encoder_alone() -> None:
    joint = METHOD.stages(ABOUT)[3]
    stage = tried.sure_points("sure", tried.noisy, joint, ABOUT, METHOD)
    state = stage.learner.init(jax.random.key(0))
    after = jax.jit(stage.learner.step)(KEY, state, BATCH)[0]
    assert not same(after.params["encoder"], state.params["encoder"])
    assert same(*({k: v for k, v in one.params.items() if k != "encoder"} for one in (after, state)))


@pytest.mark.long
def test_the_critic_gets_a_step_of_its_own() -> None:
    learner, _ = learner_of(0)
    wrapped = tried.with_critic(learner, ABOUT, METHOD)
    state = wrapped.init(jax.random.key(0))
    after, info = jax.jit(wrapped.step)(KEY, state, BATCH)
    assert not same(after.params["critic"], state.params["critic"])
    assert float(info["critic"]) > 0


def point(name: str, idea: str, seed: int, acc: float) -> Point:
    return Point(name, idea, seed, 0.5, 0.5, 0.9, acc, 0.5, None)


@pytest.mark.parametrize(
    ("shift", "said"), [((0.2, 0.0), "a candidate"), ((0.2, -0.01), "kept nowhere"), ((0.01, 0.01), "kept nowhere")]
)
def test_a_verdict_needs_a_gain_beyond_the_spread_and_no_loss(shift: tuple[float, float], said: str) -> None:
    points = []
    for name, gain in zip(ideas.SIDES, shift, strict=True):
        points += [point(name, OWN, seed, 0.5 + 0.1 * seed) for seed in range(2)]
        points += [point(name, "IM", seed, 0.5 + 0.1 * seed + gain) for seed in range(2)]
    assert verdict(points, "IM") == said
    np.testing.assert_allclose(gains(points, "digits", "IM"), [shift[0]] * 2)
    assert verdict(points, "edges") == "not measured on both sets"
    assert verdict([*points, point("digits", "edges", 0, 0.4)], "edges") == "kept nowhere", "one loss is enough"
    assert f"| IM | 2 | 0.500 ± 0.000 | 0.500 ± 0.000 | 0.900 ± 0.000 | {0.55 + shift[0]:.3f} ± 0.071" in page(points)


def test_ideas_of_the_joint_stage_are_one_training_with_what_they_are_held_against() -> None:
    assert programs(ideas.IDEAS)[0] == [OWN, *ideas.OF_JOINT]
    assert programs(["soft resets", "IM"]) == [[OWN, "IM"], ["soft resets"]]


def test_the_committed_page_is_that_of_the_committed_rows() -> None:
    points = read(ideas.BENCHMARKS / "results" / "quality" / "ideas.json")
    assert {point.idea for point in points} <= set(ideas.IDEAS)
    assert {point.seed for point in points} == set(range(ideas.SEEDS))
    assert page(points) == (ideas.BENCHMARKS / "ideas.md").read_text(encoding="utf-8")
