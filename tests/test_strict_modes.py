"""Everything that draws or computes runs where jax forbids a key's second use and arrays of silently promoted rank."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import blobs as of_vectors
from tests.fitting.made import config, squares
from vaeclust_jax.estimators import VAEKMeans
from vaeclust_jax.fitting.fit import fit_stages
from vaeclust_jax.for_each import for_each
from vaeclust_jax.methods.generative_vae import MixturePrior
from vaeclust_jax.methods.vade import GraphStart
from vaeclust_jax.random import normal
from vaeclust_jax.uncertainty import latent_distance, negative_elbo

N = 40
VECTORS, CLASSES = of_vectors(N)
IMAGES, _ = squares(N)
SOME = np.where(np.arange(N) % 4 == 0, CLASSES, -1)


@pytest.fixture(autouse=True)
def strict() -> Iterator[None]:
    with jax.debug_key_reuse(True), jax.numpy_rank_promotion("raise"):
        yield


def small(method: str, network: str = "mlp", **changes: Any) -> vc.Config:
    kind = vc.METHODS[method]
    tiny: dict[str, Any] = {"hidden": (8,)} if network == "mlp" else {}
    shared = config(method="kmeans", network=network, batch_size=16, validation=changes.pop("validation", 0.0), **tiny)
    own = {
        "num_clusters": 3,
        "pretrain_epochs": 2,
        "joint_epochs": 2,
        "epochs": 2,
        "lag": 3,
        "update_target_interval": 1,
    }
    own["prior"] = MixturePrior(components=3)
    names = {field.name for field in fields(kind)}
    if kind.task == "density":
        shared = replace(shared, prepare=replace(shared.prepare, scaling="minmax"))
    return replace(shared, method=kind(**{name: own[name] for name in own if name in names}, **changes))


def ask(run: vc.Run, x: np.ndarray) -> None:
    """All that the model can be asked, with keys or without."""
    heads = run.heads
    key = jax.random.key(5)
    if heads.assign is not None or heads.predict is not None:
        assert run.predict(x).shape == (len(x),)
    if heads.sample is not None or heads.decode is not None:
        assert np.isfinite(run.sample(jax.random.key(6), 7)).all()
    if heads.assign is not None:
        assert np.isfinite(run.sample(jax.random.key(6), 7, cluster=1)).all()
        assert np.isfinite(run.uncertainty(np.concatenate([x, x]), key, 3).entropy).all()  # two blocks of rows
        latent_distance(run.embed(x), run.cluster_mean, run.cluster_scale)
    if heads.energy is not None:
        heads.energy(run.params, jnp.asarray(run.embed(x)))
    if heads.score is not None:
        rows = np.concatenate([run.prepare(x)] * 2)
        for common in (False, True):
            negative_elbo(key, heads, run.params, rows, 2, common_draws=common)
        assert np.isfinite(run.config.method.objective(heads, run.params, rows))
    if heads.decode is not None and heads.encode is not None:
        run.reconstruct(x)


# Those that take longest wait for the long run.
EVERY = [pytest.param(name, marks=pytest.mark.long) if name != "kmeans" else name for name in vc.METHODS]


@pytest.mark.long
@pytest.mark.parametrize("method", EVERY)
def test_every_method_can_be_fitted_and_asked(method: str) -> None:
    labels = CLASSES if vc.METHODS[method].needs_labels else None
    ask(vc.fit(small(method), VECTORS, jax.random.key(0), partial_labels=labels), VECTORS)


@pytest.mark.long
@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("dec", {"q_from": "sample", "validation": 0.2, "stopping": vc.BestValidation()}),
        ("vade", {"q_from": "sample", "start": GraphStart()}),
        ("graph", {"vote": True}),
        ("mixture", {"covariance": "diag"}),
        ("mixture", {"covariance": "spherical"}),
    ],
)
def test_seeds_and_choices_of_methods(method: str, changes: dict[str, Any]) -> None:
    for run in list(fit_stages(small(method, **changes), VECTORS, [0, 1, 2]).values())[-1]:
        ask(run, VECTORS)


@pytest.mark.long
@pytest.mark.parametrize(("method", "network"), [("dec", "conv"), ("graph", "mlp"), ("vade", "mlp")])
def test_views_of_images(method: str, network: str) -> None:
    start = {"start": GraphStart()} if method == "vade" else {}
    ask(vc.fit(small(method, network, augment=1.0, **start), IMAGES, jax.random.key(0)), IMAGES)


@pytest.mark.long
@pytest.mark.parametrize("beta", ["linear", "cyclic:num_cycles=1", "dynamic", "pid:target_kl=5", "geco"])
def test_some_labels_and_controllers(beta: str) -> None:
    run = vc.fit(small("kmeans", beta=beta), VECTORS, jax.random.key(0), partial_labels=SOME)
    assert run.predict(VECTORS).shape == (N,)


@pytest.mark.long
def test_an_estimator() -> None:
    found = VAEKMeans(3, latent_dim=2, hidden=(8,), pretrain_epochs=2, random_state=0).fit(VECTORS)
    assert found.predict(VECTORS).shape == (N,)


@pytest.mark.long
def test_choices_without_labels() -> None:
    found = vc.choose_num_clusters(small("kmeans"), VECTORS, jax.random.key(0), candidates=[2, 3])
    assert found.num_clusters in (2, 3)
    assert vc.choose_augment(small("graph"), IMAGES, [4, 5]).augment in (0.0, 1.0)


def test_a_loop_inside_another_takes_each_key_once() -> None:
    """In one that is computed at once, jax moves the keys of the other."""
    keys = jax.random.split(jax.random.key(0), (3, 2))
    draws = jax.jit(jax.vmap(lambda keys: for_each(lambda key: normal(key, (4,)), keys[:1])))(keys)
    np.testing.assert_array_equal(draws[1, 0], normal(jax.random.split(jax.random.key(0), (3, 2))[1, 0], (4,)))
