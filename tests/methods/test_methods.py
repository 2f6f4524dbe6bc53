"""What every method promises: one suite over all of them, so that none can be left out."""

from collections.abc import Iterable
from dataclasses import FrozenInstanceError, fields, replace
from inspect import signature
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import K, blobs, config
from vaeclust_jax.fitting.config_json import config_from_json, config_to_json
from vaeclust_jax.fitting.fit import fit_stages
from vaeclust_jax.fitting.packed import place_of, reordered
from vaeclust_jax.fitting.serialisation import unpack
from vaeclust_jax.methods.method import Method
from vaeclust_jax.studies.tasks import TASKS
from vaeclust_jax.training.epoch import epoch_program

X, Y = blobs()
X.setflags(write=False)
NETWORK = vc.MLP(hidden=(8,), latent_dim=2)

CASES: dict[str, Method] = {
    "kmeans": vc.VAEKMeans(K),
    "kmeans, deterministic": vc.VAEKMeans(K, deterministic=True),
    "dec": vc.DEC(K),
    "dec, without reconstruction": vc.DEC(K, deterministic=True, beta=0.0, joint_reconstruction=False),
    "dec, q of a sample": vc.DEC(K, q_from="sample"),
    "graph": vc.GraphDEC(K),
    "graph, one prototype": vc.GraphDEC(K, num_prototypes=1, vote=True),
    "vade": vc.VaDE(K),
    "vade, from the graph": vc.VaDE(K, start=vc.GraphStart()),
    "vade, autoencoder first": vc.VaDE(K, start=vc.EMStart(deterministic=True)),
    "mixture": vc.VAEMixture(K),
    "classifier": vc.METHODS["classifier"](),
    "gan": vc.METHODS["gan"](),
    "rbm": vc.RBM(4),
    "rbm, contrastive": vc.RBM(4, sampler=vc.ContrastiveDivergence(2), centred=False),
    "dbm": vc.DBM((4, 3)),
    "stacked": vc.METHODS["stacked"](),
    "dec, from greedy layers": vc.DEC(K, start=vc.GreedyStart(noise=0.1)),
    "vae": vc.METHODS["vae"](type(vc.METHODS["vae"]().prior)(components=3)),
    "hopfield": vc.Hopfield(),
    "hopfield-clusters": vc.METHODS["hopfield-clusters"](K),
    "imsat": vc.METHODS["imsat"](K),
    "regressor": vc.Regressor(),
    "forecaster": vc.Forecaster(lag=3),
}
CLUSTERING = [name for name, method in CASES.items() if method.task == "clustering"]


def fitted(names: Iterable[str]) -> list[Any]:
    """Parameters of a test that fits: all but the simplest are of the longer tests."""
    return [name if name in ("kmeans", "dec") else pytest.param(name, marks=pytest.mark.long) for name in names]


def config_of(method: Method, **network: object) -> vc.Config:
    scaling: Literal["auto", "minmax"] = "minmax" if method.task == "density" else "auto"
    prepare = vc.PrepareConfig(scaling=scaling, split="last" if method.in_time else "random")
    return vc.Config(method.for_epochs(2), prepare, replace(NETWORK, **network), vc.TrainingConfig(32))


class Fits(dict[str, dict[str, list[vc.Run]]]):
    """All stages of each case, two seeds, fitted when they are asked for."""

    def __missing__(self, name: str) -> dict[str, list[vc.Run]]:
        method = CASES[name]
        labels = Y if method.needs_labels else None
        self[name] = fit_stages(config_of(method), X, [0, 1], partial_labels=labels)
        return self[name]


@pytest.fixture(scope="module")
def fits() -> Fits:
    return Fits()


def last(fits: Fits[str, dict[str, list[vc.Run]]], name: str) -> vc.Run:
    return list(fits[name].values())[-1][0]


def test_no_method_is_left_out() -> None:
    assert {type(method) for method in CASES.values()} == set(vc.METHODS.values())
    assert all(method.task in TASKS for method in CASES.values())


@pytest.mark.parametrize("name", CASES)
def test_it_is_a_value(name: str) -> None:
    method = CASES[name]
    assert method == replace(method)
    assert hash(method) == hash(replace(method))
    with pytest.raises(FrozenInstanceError):
        setattr(method, fields(method)[0].name, 7)


@pytest.mark.parametrize("name", CASES)
def test_it_is_the_same_from_json(name: str) -> None:
    whole = config_of(CASES[name])
    assert config_from_json(config_to_json(whole)) == whole


@pytest.mark.parametrize("name", CASES)
def test_equal_settings_are_the_same_functions(name: str) -> None:
    networks = NETWORK.build((5,))
    method = CASES[name].resolved(vc.DataSpec((5,), 96, num_classes=K))
    one, other = method.heads(networks), replace(method).heads(networks)
    assert all(a is b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_swept_numbers_share_the_programs(name: str) -> None:
    method = CASES[name].resolved(vc.DataSpec((5,), 96, num_classes=K))
    about = vc.About(NETWORK.build((5,)), 2, 96, 32, 1e-3, 10, True, Y if method.needs_labels else None, shape=(5,))

    def programs(method: Method, about: vc.About) -> list[object]:
        return [epoch_program(stage.learner, stage.stopping, 32) for stage in method.stages(about)]

    assert programs(method, about) == programs(method, about._replace(learning_rate=0.1))
    if hasattr(method, "beta"):
        assert programs(method, about) == programs(replace(method, beta=3.0), about) or name.endswith("reconstruction")


@pytest.mark.parametrize("name", CASES)
def test_by_row_are_the_arrays_that_grow_with_the_rows(name: str) -> None:
    """Of learners whose rows can be laid over devices: one array more or less would be cut, or kept whole."""

    def shapes(n: int) -> list[tuple[vc.Stage, dict[str, tuple[int, ...]]]]:
        method = CASES[name].resolved(vc.DataSpec((5,), n, num_classes=K))
        labels = np.arange(n) % K if method.needs_labels else None
        about = vc.About(NETWORK.build((5,)), 2, n, 32, 1e-3, 10, True, labels, num_seeds=2, shape=(5,))
        stages = [stage for stage in method.stages(about) if stage.learner.by_row is not None]
        states = [jax.eval_shape(stage.learner.init, jax.random.key(0)) for stage in stages]
        return [
            (stage, {place_of(path): leaf.shape for path, leaf in jax.tree_util.tree_leaves_with_path(state.memory)})
            for stage, state in zip(stages, states, strict=True)
        ]

    for (stage, few), (_, more) in zip(shapes(96), shapes(97), strict=True):
        assert stage.learner.by_row is not None
        grow = {place for place, shape in few.items() if shape[:1] == (96,) and more[place] == (97, *shape[1:])}
        assert {place for place in stage.learner.by_row if place in few} == grow
        assert "weight" in signature(stage.learner.end_epoch).parameters  # 0 of rows that are filled up with


@pytest.mark.long
@pytest.mark.parametrize("name", fitted(CASES))
def test_its_last_stage_ends_with_itself_and_every_model_says_what_was_used(name: str, fits: Fits) -> None:
    stages = fits[name]
    run = last(fits, name)
    assert replace(run.config.method, **_open(CASES[name])) == CASES[name].for_epochs(2)
    for runs in stages.values():
        names = set(runs[0].params)
        assert names == {*runs[0].config.method.per_cluster, *runs[0].config.method.shared} & names
    if "kmeans" in stages:
        kmeans = stages["kmeans"][0].config.method
        assert isinstance(kmeans, vc.VAEKMeans)
        assert not hasattr(kmeans, "gamma")


_OPEN = ("likelihood", "num_classes", "beta", "gamma", "target", "value_share", "num_patterns", "num_memories")


def _open(method: Method) -> dict[str, object]:
    """What was left to the data."""
    return {name: getattr(method, name) for name in _OPEN if hasattr(method, name)}


@pytest.mark.parametrize("name", fitted(CLUSTERING))
def test_heads_have_their_shapes(name: str, fits: Fits) -> None:
    run = last(fits, name)
    heads, params, x = run.heads, run.params, jnp.asarray(run.prepare(X))
    mean, logvar = jax.jit(heads.encode)(params, x)
    assert mean.shape == logvar.shape == (len(X), 2)
    assert jax.jit(heads.decode)(params, mean).shape == x.shape
    log_q = jax.jit(heads.assign)(params, mean)
    assert log_q.shape == (len(X), K)
    np.testing.assert_allclose(np.exp(log_q).sum(axis=1), 1, atol=1e-5)
    score = jax.jit(heads.score)(jax.random.key(0), params, x)
    assert score.shape == (len(X),)
    assert np.isfinite(score).all()
    if heads.centres is not None:
        assert heads.centres(params).shape[::2] == (K, 2)
    assert run.centroids.shape == (K, 2)
    assert np.isfinite(run.config.method.objective(heads, params, run.prepare(X)))


@pytest.mark.parametrize("name", fitted(CLUSTERING))
def test_renumbering_clusters_renames_them_and_changes_nothing_else(name: str, fits: Fits) -> None:
    run, order = last(fits, name), np.array([2, 0, 1])
    other = unpack(reordered(run.pack(), order))
    np.testing.assert_allclose(other.predict_proba(X), run.predict_proba(X)[:, order], atol=1e-6)
    np.testing.assert_array_equal(other.centroids, run.centroids[order])
    key = jax.random.key(0)
    for cluster, before in enumerate(order):
        drawn = (run.sample(key, 3, int(before)), other.sample(key, 3, cluster))
        np.testing.assert_allclose(*drawn, atol=1e-4)


@pytest.mark.parametrize("name", fitted(CASES))
def test_every_stage_comes_back_from_disk(name: str, fits: Fits, tmp_path: Path) -> None:
    for runs in fits[name].values():
        run = runs[1]
        run.save(tmp_path / "model")
        back = vc.load(tmp_path / "model")
        assert back.config == run.config
        for leaf, other in zip(jax.tree.leaves(back.params), jax.tree.leaves(run.params), strict=True):
            np.testing.assert_array_equal(leaf, other)
        if run.heads.assign is not None or run.heads.predict is not None:
            np.testing.assert_array_equal(back.predict_proba(X), run.predict_proba(X))


@pytest.mark.parametrize("name", fitted(name for name in CASES if name not in CLUSTERING))
def test_what_a_model_cannot_do_is_one_sentence(name: str, fits: Fits) -> None:
    run = last(fits, name)
    with pytest.raises(vc.InputError, match=f"method {type(CASES[name]).__name__} "):
        run.sample(jax.random.key(0), 3, cluster=0)
    with pytest.raises(vc.InputError, match=f"a model of the method {type(CASES[name]).__name__} cannot"):
        run.predict(X) if run.heads.decode else run.decode(np.zeros((2, 2), np.float32))


def test_a_leaf_that_a_method_does_not_name_is_an_error(fits: Fits) -> None:
    run = last(fits, "dec")
    unknown = replace(run, params={**run.params, "projector": jnp.zeros((K, 2))}).pack()
    with pytest.raises(vc.InputError, match="DEC must name 'projector' in per_cluster"):
        reordered(unknown, np.arange(K))
    less = {name: leaf for name, leaf in run.params.items() if name != "centroids"}
    with pytest.raises(vc.InputError, match=r"DEC\.per_cluster names 'centroids', which its parameters do not have"):
        reordered(replace(run, params=less).pack(), np.arange(K))


@pytest.mark.long
def test_a_supervised_method_learns_from_labels_and_says_when_there_are_none() -> None:
    settings = replace(
        config_of(CASES["classifier"]), training=vc.TrainingConfig(8, 0.05), network=vc.MLP(latent_dim=16)
    )
    run = vc.fit(replace(settings, method=replace(settings.method, epochs=20)), X, jax.random.key(0), partial_labels=Y)
    assert (run.predict(X) == Y).mean() > 0.95
    assert {"loss", "error", "val_loss", "val_error"} <= run.history[-1].keys()
    with pytest.raises(vc.InputError, match="the method Classifier learns from labels"):
        vc.fit(settings, X, jax.random.key(0))
    some = np.where(np.arange(len(Y)) < 7, -1, Y)  # as an index, -1 is the last class
    message = r"Classifier learns from the classes of all rows, got -1 \(not known\) for 7 of 120 in partial_labels"
    with pytest.raises(vc.InputError, match=message):
        vc.fit(settings, X, jax.random.key(0), partial_labels=some)


def test_config_makes_each_by_its_name() -> None:
    for name, kind in vc.METHODS.items():
        if hasattr(kind, "num_clusters") or "num_clusters" in kind.__dataclass_fields__:
            assert type(config(method=name).method) is kind
