"""Clusters that follow the neighbour graph, from data to predictions."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.cluster import hierarchy

import vaeclust_jax as vc
from tests.fitting.made import LINEAR, assert_same_bits, blobs, config
from tests.fitting.test_resume import EndedError, ending_after
from tests.graph.test_graph import rings
from tests.training.counting import rows_of
from vaeclust_jax.fitting.components import components
from vaeclust_jax.fitting.fit import fit_stages
from vaeclust_jax.fitting.model_file import write_model
from vaeclust_jax.fitting.resolve import models_of, prepared_for
from vaeclust_jax.graph.neighbours import of_values, posterior_graph
from vaeclust_jax.methods.dec_learner import graph_dec, prototype_heads, refreshed
from vaeclust_jax.methods.graph_starts import from_vote, prototypes
from vaeclust_jax.metrics import scores
from vaeclust_jax.types import State

GRAPH = {"method": "graph", "tolerance": 0.0}


@pytest.fixture(scope="module")
def stages() -> dict[str, list[vc.Run]]:
    settings = config(pretrain_epochs=100, joint_epochs=5, beta=0.1, vote=True, **GRAPH)
    return fit_stages(settings, blobs()[0], [0, 1])


def test_it_clusters_and_its_answers_agree(stages: dict[str, list[vc.Run]]) -> None:
    x, y = blobs()
    assert list(stages) == ["kmeans", "graph", "joint", "shared-graph", "shared-joint"]
    for run in stages["joint"]:
        labels = run.predict(x)
        assert scores(y, labels, x)["acc"] == 1.0
        q = run.predict_proba(x)
        np.testing.assert_allclose(q.sum(axis=1), 1, atol=1e-5)
        np.testing.assert_array_equal(q.argmax(axis=1), labels)
        assert run.centroids.shape == (3, 2)
        assert run.params["prototypes"].shape == (3, 5, 2)
        assert run.sample(jax.random.key(0), 4, cluster=1).shape == (4, 5)
        assert run.uncertainty(x, jax.random.key(0), 10).entropy.shape == (len(x),)


def test_the_head_starts_as_the_graph_says(stages: dict[str, list[vc.Run]]) -> None:
    x, y = blobs()
    assert scores(y, stages["graph"][0].predict(x), x)["acc"] == 1.0


def test_seeds_that_share_a_graph_name_their_clusters_alike(stages: dict[str, list[vc.Run]]) -> None:
    x, y = blobs()
    for name in ("shared-graph", "shared-joint"):
        one, other = (run.predict(x) for run in stages[name])
        np.testing.assert_array_equal(one, other)
        assert scores(y, one, x)["acc"] == 1.0
    # They go on from where the seeds' own clusters led.
    for joint, shared in zip(stages["joint"], stages["shared-graph"], strict=True):
        np.testing.assert_array_equal(joint.embed(x), shared.embed(x))


IDENTITY = LINEAR._replace(encoder=vc.Network(lambda key: {}, lambda params, x: (x, jnp.zeros_like(x))))
FOLLOWING = graph_dec(IDENTITY, num_clusters=3, num_samples=6, latent_dim=1, num_prototypes=1)
VOTE = from_vote(FOLLOWING, prototype_heads(IDENTITY, "bernoulli", None), refreshed)
LINE = np.arange(6, dtype=np.float32)[:, np.newaxis]


def seeds_saying(*said: tuple[list[float], int]) -> list[State]:
    """Six points on a line, 0 to 5: the clusters of seeds whose prototypes stand at points, and whom all points have
    for a neighbour."""
    states = []
    for seed, (places, neighbour) in enumerate(said):
        state = FOLLOWING.init(jax.random.key(seed))
        params = {
            **jax.tree.map(jnp.zeros_like, state.params),
            "prototypes": jnp.asarray(places, jnp.float32).reshape(3, 1, 1),
        }
        edges = state.memory.edges._replace(
            neighbours=jnp.full_like(state.memory.edges.neighbours, neighbour),
            weights=jnp.zeros_like(state.memory.edges.weights).at[:, 0].set(1.0),
        )
        states.append(state._replace(params=params, memory=state.memory._replace(edges=edges)))
    return states


def test_seeds_learn_what_most_of_them_say_from_the_mean_of_their_graphs() -> None:
    keys = jax.vmap(jax.random.key)(jnp.arange(3))
    # Two say 012|34|5, named otherwise; one says 0|12|345.
    before = seeds_saying(([1, 3.5, 6], 0), ([6, 1, 3.5], 0), ([-1, 1.6, 4], 3))
    for state in VOTE(keys, before, rows_of(LINE)):
        at = state.params["prototypes"][:, 0, 0]
        np.testing.assert_allclose(np.sort(at), [1, 3.5, 5], atol=1e-5)
        neighbours, weights = (np.asarray(part[1]) for part in state.memory.edges)
        edges = dict(zip(neighbours, weights, strict=True))
        assert (edges[0], edges[3]) == pytest.approx((2 / 3, 1 / 3))
    for state in VOTE(keys, before[::-1], rows_of(LINE)):  # whoever comes first
        np.testing.assert_allclose(np.sort(state.params["prototypes"][:, 0, 0]), [1, 3.5, 5], atol=1e-5)


@pytest.mark.parametrize("keeping", [1, 2])
def test_most_seeds_say_whether_clusters_keep_their_shares(keeping: int) -> None:
    keys = jax.vmap(jax.random.key)(jnp.arange(3))
    before = seeds_saying(([1, 3.5, 6], 0), ([1, 3.5, 6], 0), ([1, 3.5, 6], 0))
    kept = [state._replace(memory=state.memory._replace(log_share=jnp.ones(3))) for state in before[:keeping]]
    for state in VOTE(keys, kept + before[keeping:], rows_of(LINE)):  # 012|34|5
        shares = np.exp(state.memory.log_share)
        np.testing.assert_allclose(np.sort(shares), [0.5, 1, 1.5] if keeping == 2 else 1, rtol=1e-6)


def test_a_cluster_that_all_seeds_leave_empty_breaks_nothing() -> None:
    keys = jax.vmap(jax.random.key)(jnp.arange(2))
    for state in VOTE(keys, seeds_saying(([1, 4, 90], 0), ([4, 1, 90], 0)), rows_of(LINE)):
        np.testing.assert_allclose(np.sort(state.params["prototypes"][:, 0, 0]), [1, 2.5, 4], atol=1e-5)
        assert np.isfinite(state.memory.p).all()
        assert np.isfinite(state.params["log_scale"])


@pytest.mark.long
def test_degrees_of_freedom_are_one_less_than_latents_or_as_said() -> None:
    x, _ = blobs()
    z = np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    for degrees, nu in ((None, 1.0), (4.0, 4.0)):
        run = vc.fit(config(degrees=degrees, pretrain_epochs=1, joint_epochs=1, **GRAPH), x, jax.random.key(0))
        places, scale = run.params["prototypes"], np.exp(run.params["log_scale"])
        squared = ((z[:, None, None] - np.asarray(places)) ** 2).sum(axis=-1) / (nu * scale**2)
        kernel = (1 + squared) ** (-(nu + 1) / 2)
        q = kernel.sum(axis=-1) / kernel.sum(axis=(1, 2))[:, None]
        np.testing.assert_allclose(np.exp(run.log_assign(z)), q, rtol=1e-4)
    with pytest.raises(vc.InputError, match="degrees must be positive and finite, got 0"):
        vc.fit(config(degrees=0.0, **GRAPH), x, jax.random.key(0))


def test_which_stages_there_are() -> None:
    x, _ = blobs()

    def names(num_seeds: int, **changes: Any) -> list[str]:
        settings = config(**GRAPH, **changes)
        return list(models_of(settings, prepared_for(settings, x), None, num_seeds))[1:]

    assert names(3, vote=False) == ["graph", "joint"]
    assert names(3) == ["graph", "joint", "shared-graph", "shared-joint"]
    assert names(3, vote=True, joint_epochs=0) == ["graph", "joint", "shared-graph", "shared-joint"]  # of no epochs
    assert names(1, vote=True) == ["graph", "joint"]


@pytest.mark.long
def test_seeds_that_share_a_graph_go_on_in_their_last_stage(tmp_path: Path) -> None:
    x, _ = blobs()
    settings = config(vote=True, **GRAPH)
    expected = fit_stages(settings, x, [3, 5])
    with pytest.raises(EndedError):
        fit_stages(settings, x, [3, 5], checkpoint=vc.Checkpoint(tmp_path), callbacks=[ending_after(5)])
    found = fit_stages(settings, x, [3, 5], checkpoint=vc.Checkpoint(tmp_path))
    assert list(found) == list(expected)
    for stage in expected:
        for one, other in zip(found[stage], expected[stage], strict=True):
            assert_same_bits(one, other)


def test_every_stage_can_be_saved(stages: dict[str, list[vc.Run]], tmp_path: Path) -> None:
    x, _ = blobs()
    for name, (run, _) in stages.items():
        run.save(tmp_path / name)
        np.testing.assert_array_equal(vc.load(tmp_path / name).predict_proba(x), run.predict_proba(x))


@pytest.mark.long
def test_the_same_key_gives_the_same_bits() -> None:
    x, _ = blobs()
    one, other = (vc.fit(config(**GRAPH), x, jax.random.key(1)) for _ in range(2))
    assert_same_bits(one, other)


@pytest.mark.long
def test_rings_are_clusters() -> None:
    """A linear latent space that keeps the rings: k-means cuts them up, the graph does not."""
    z, y = rings()
    settings = config(
        2,
        latent_dim=3,
        hidden=(64,),
        pretrain_epochs=200,
        joint_epochs=20,
        batch_size=16,
        patience=200,
        beta=0.05,
        **GRAPH,
    )
    stages = fit_stages(settings, z, [0])
    kmeans, joint = (scores(y, stages[name][0].predict(z), z)["acc"] for name in ("kmeans", "joint"))
    assert kmeans < 0.9
    assert joint > 0.95


def test_small_and_repeated_clusters_have_as_many_prototypes() -> None:
    z = np.array([[0.0, 0], [0, 0], [5, 5], [9, 9], [9, 8]], np.float32)
    found, spread = prototypes(jax.random.key(0), z, np.array([0, 0, 1, 2, 2]), 3, 3)
    np.testing.assert_array_equal(found[0], 0)
    np.testing.assert_array_equal(found[1], 5)
    assert {tuple(row) for row in found[2].tolist()} == {(9.0, 9.0), (9.0, 8.0)}
    assert spread == 0


def test_prototypes_are_of_their_cluster_and_its_points_lie_around_them() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 90)  # of four, one of them empty
    z = (10 * labels[:, np.newaxis] + rng.normal(size=(90, 2))).astype(np.float32)
    found, spread = prototypes(jax.random.key(0), z, labels, 4, 3)
    squares = 0.0
    for cluster in range(3):
        members = z[labels == cluster].astype(float)
        squared = ((members[:, np.newaxis] - found[cluster]) ** 2).sum(axis=-1)
        nearest = squared.argmin(axis=1)
        for number, prototype in enumerate(found[cluster]):
            np.testing.assert_allclose(prototype, members[nearest == number].mean(axis=0), atol=1e-4)
        counts = np.bincount(nearest, minlength=3)
        assert (counts[:-1] >= counts[1:]).all()
        squares += squared.min(axis=1).sum()
    assert spread == pytest.approx(np.sqrt(squares / (90 * 2)))


def test_samples_of_a_cluster_come_from_its_prototypes_by_their_share(stages: dict[str, list[vc.Run]]) -> None:
    (run, _), many = stages["joint"], 20_000
    rng = np.random.default_rng(0)
    means = 100 * np.arange(15)[:, np.newaxis] + rng.normal(size=(15, 2))
    scales = np.tril(rng.uniform(0.5, 2, size=(15, 2, 2)))
    shares = np.tile([0.5, 0.3, 0.2, 0.0, 0.0], 3)
    shares[5:10] = 0.1, 0.0, 0.2, 0.0, 0.7
    known = replace(
        run,
        heads=run.heads._replace(decode=lambda params, z: z),
        cluster_mean=means.astype(np.float32),
        cluster_scale=scales.astype(np.float32),
        cluster_share=shares.astype(np.float32),
    )
    z = known.sample(jax.random.key(0), many, cluster=1).astype(float)
    nearest = ((z[:, np.newaxis] - means) ** 2).sum(axis=-1).argmin(axis=1)
    wanted = np.where(np.arange(15) // 5 == 1, shares, 0)
    np.testing.assert_allclose(np.bincount(nearest, minlength=15) / many, wanted, atol=5 * np.sqrt(0.25 / many), rtol=0)
    assert set(nearest) == {5, 7, 9}
    for component in set(nearest):
        own, covariance = z[nearest == component], scales[component] @ scales[component].T
        assert (np.abs(own.mean(axis=0) - means[component]) < 5 * np.sqrt(np.diag(covariance) / len(own))).all()
        np.testing.assert_allclose(np.cov(own.T), covariance, atol=0.15 * covariance.max())


def test_the_gaussians_of_prototypes_are_those_of_the_training_latents_nearest_to_them() -> None:
    rng = np.random.default_rng(0)
    centres, mean = rng.normal(size=(3, 2, 2)), rng.normal(size=(50, 2))
    logvar, labels = rng.normal(size=(50, 2)), rng.integers(0, 2, 50)  # the last cluster is empty
    means, scales, share = components(
        vc.Heads(centres=lambda params: params), jnp.asarray(centres), mean, logvar, np.eye(3)[labels]
    )
    for cluster, prototype in np.ndindex(2, 2):
        own = labels == cluster
        distance = np.linalg.norm(mean[:, np.newaxis] - centres[cluster], axis=-1)
        near = own & (distance.argmin(axis=1) == prototype)
        assert share[2 * cluster + prototype] == pytest.approx(near.sum() / own.sum())
        np.testing.assert_allclose(means[2 * cluster + prototype], mean[near].mean(axis=0), atol=1e-5)
        covariance = np.cov(mean[near].T, bias=True) + np.diag(np.exp(logvar[near]).mean(axis=0))
        found = scales[2 * cluster + prototype] @ scales[2 * cluster + prototype].T
        np.testing.assert_allclose(found, covariance, atol=1e-5)
    np.testing.assert_allclose(means[4:], centres[2], atol=1e-6)
    np.testing.assert_allclose(share[4:], 0.5)


@pytest.mark.parametrize(
    ("changes", "n", "message"),
    [
        ({"num_prototypes": 0}, 120, "num_prototypes must be at least 1"),
        ({"num_clusters": 2}, 6, "the graph of GraphDEC needs more than 5 training samples, got 5"),
        ({"num_clusters": 8}, 9, "num_clusters must be at most the number of training samples, got 8 clusters for 7"),
        ({"vote": "mean"}, 120, "vote must be True or False"),
    ],
)
def test_mistakes_are_named(changes: dict[str, object], n: int, message: str) -> None:
    with pytest.raises(vc.InputError, match=message):
        vc.fit(config(**GRAPH | changes), blobs(n)[0], jax.random.key(0))


@pytest.mark.long
def test_duplicated_rows_and_many_clusters() -> None:
    x = np.repeat(blobs(30)[0], 4, axis=0)
    run = vc.fit(config(20, **GRAPH), x, jax.random.key(0))
    assert run.predict_proba(x).shape == (120, 20)
    assert np.isfinite(run.predict_proba(x)).all()


@pytest.mark.long
def test_constant_images_and_as_many_clusters_as_images() -> None:
    x = np.zeros((8, 8, 8), np.uint8)
    run = vc.fit(config(6, network="mlp", validation=0.2, **GRAPH), x, jax.random.key(0))
    assert len(run.train_index) == 6
    q = run.predict_proba(x)
    assert np.isfinite(q).all()
    np.testing.assert_allclose(q, q[:1].repeat(8, axis=0), atol=1e-6)  # nobody can tell them apart


@pytest.mark.parametrize(
    ("given", "augment", "shape", "n", "share"),
    [
        ("auto", 0.0, (8, 8, 1), 100, 0.5),
        ("auto", 1.0, (16, 16, 1), 100, 0.0),  # codes forget what views change, values do not
        ("auto", 0.0, (784,), 200_000, 0.0),  # minutes
        ("auto", 0.0, (1_000_000,), 300, 0.0),  # gigabytes
        (0.25, 1.0, (16, 16, 1), 100, 0.25),
        (0.25, 0.0, (784,), 200_000, 0.25),
    ],
)
def test_the_share_of_the_values_is_what_was_asked_for_or_suits_the_data(
    given: Any, augment: float, shape: tuple[int, ...], n: int, share: float
) -> None:
    method = vc.GraphDEC(3, value_share=given, augment=augment)
    assert method.resolved(vc.DataSpec(shape, n)).value_share == share


@pytest.mark.parametrize("share", [-0.1, 1.0, "half"])
def test_a_share_that_is_none_is_refused(share: Any) -> None:
    with pytest.raises(vc.InputError, match="value_share"):
        vc.fit(config(value_share=share, **GRAPH), blobs()[0], 0)


@pytest.mark.long
def test_the_graph_that_the_clusters_follow_holds_the_values(monkeypatch: pytest.MonkeyPatch) -> None:
    x, asked = blobs()[0], []

    def seen(*given: Any, **more: Any) -> Any:
        asked.append(more)
        return posterior_graph(*given, **more)

    monkeypatch.setattr("vaeclust_jax.graph.neighbours.posterior_graph", seen)
    run = vc.fit(config(value_share=0.25, **GRAPH), x, 0)
    (more,) = asked
    own = of_values(run.prepare(x)[run.train_index])
    assert more["share"] == 0.25
    assert abs(more["beside"] - own).max() == 0
    vc.fit(config(value_share=0.0, **GRAPH), x, 0)
    assert asked[1] == {"beside": None, "share": 0.0}


def test_the_merge_can_be_cut_anywhere(stages: dict[str, list[vc.Run]], tmp_path: Path) -> None:
    x, y = blobs()
    for stage in ("graph", "joint", "shared-joint"):
        for run, own in zip(stages[stage], stages["graph"], strict=True):
            assert hierarchy.is_valid_linkage(run.tree_)
            np.testing.assert_array_equal(run.tree_, own.tree_)  # seeds that voted keep their own
            assert scores(y, run.cut(3), x)["acc"] == 1.0
            np.testing.assert_array_equal(np.unique(run.cut(7)), np.arange(7))
            run.save(tmp_path / "run")
            again = vc.load(tmp_path / "run")
            np.testing.assert_array_equal(again.cut(7), run.cut(7))
            np.testing.assert_array_equal(again.tree_, run.tree_)
            np.testing.assert_array_equal(again.cut(7, x[:20]), run.cut(7, x[:20]))
            assert scores(y, again.cut(3, x), x)["acc"] == 1.0
    # Before any joint training the head has the clusters of the cut, by number.
    run = stages["graph"][0]
    np.testing.assert_array_equal(run.cut(3), run.predict(x))
    with pytest.raises(vc.InputError, match="there is no tree to cut"):
        stages["kmeans"][0].cut(3)


def test_a_damaged_tree_is_no_model(stages: dict[str, list[vc.Run]], tmp_path: Path) -> None:
    path = tmp_path / "run"
    packed = stages["joint"][0].pack()
    for name, change, says in (
        ("tree/pairs", lambda pairs: pairs * 0, "each merge two that were apart"),
        ("tree/heights", lambda heights: heights[::-1], "heights that rise"),
        ("tree/groups", lambda groups: groups + 1, "each with a sample"),
        ("tree/heights", lambda heights: heights[:-1], "tree/heights must be"),
        ("tree/means", lambda means: means[:, :1], "of another model"),
        ("tree/means", lambda means: means * np.nan, "its arrays must be finite, and tree/means is not"),
    ):
        write_model(path, packed._replace(arrays={**packed.arrays, name: change(packed.arrays[name])}))
        with pytest.raises(vc.InputError, match=says):
            vc.load(path)
    without = {name: array for name, array in packed.arrays.items() if not name.startswith("tree/")}
    write_model(path, packed._replace(arrays=without))  # as before there were any
    assert vc.load(path).tree_ is None
    write_model(
        path, stages["kmeans"][0].pack()._replace(arrays={**stages["kmeans"][0].pack().arrays, **packed.arrays})
    )
    with pytest.raises(vc.InputError, match="of another model"):
        vc.load(path)
