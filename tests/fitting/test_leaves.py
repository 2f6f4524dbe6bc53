"""Of every parameter a method says whether it belongs to a cluster: what it does not name is an error, before training.

Else renumbering clusters would leave it in the old order, in silence.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import K, L, blobs, calling, config
from vaeclust_jax.fitting.packed import reordered
from vaeclust_jax.fitting.serialisation import unpack
from vaeclust_jax.types import Key, State

X, _ = blobs()
KEY = jax.random.key(0)


class _WithTemperatures(vc.VAEKMeans):
    """k-means with one more parameter, (K,)."""

    def stages(self, about: vc.About) -> list[vc.Stage]:
        vae, kmeans = super().stages(about)
        learner = kmeans.learner

        def with_more(state: State) -> State:
            return state._replace(params={**state.params, "temperatures": jnp.arange(1.0, 1 + self.num_clusters)})

        def init(key: Key) -> State:
            return with_more(learner.init(key))

        def start(*args: Any) -> list[State]:
            return [with_more(state) for state in kmeans.start(*args)]

        return [vae, kmeans._replace(learner=learner._replace(init=init), start=start, model=self)]


@dataclass(frozen=True)
class Unnamed(_WithTemperatures):
    """It forgets to say what they are."""


@dataclass(frozen=True)
class OfClusters(_WithTemperatures):
    """One for each cluster."""

    per_cluster: ClassVar[tuple[str, ...]] = ("centroids", "temperatures")


@dataclass(frozen=True)
class OfAll(_WithTemperatures):
    """It says that they are nobody's."""

    shared: ClassVar[tuple[str, ...]] = (*vc.VAEKMeans.shared, "temperatures")


@dataclass(frozen=True)
class NamesTooMany(vc.VAEKMeans):
    """It has no such parameter."""

    per_cluster: ClassVar[tuple[str, ...]] = ("centroids", "temperatures")


def settings_of(method: vc.Method) -> vc.Config:
    return replace(config(), method=method)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Unnamed, "Unnamed must name 'temperatures' in per_cluster .* or in shared"),
        (NamesTooMany, "NamesTooMany.per_cluster names 'temperatures', which its parameters do not have"),
    ],
)
def test_a_method_that_does_not_name_its_leaves_is_refused_before_training(
    kind: type[vc.VAEKMeans], message: str
) -> None:
    epochs: list[Any] = []
    with pytest.raises(vc.InputError, match=message):
        vc.fit(settings_of(kind(K, pretrain_epochs=1)), X, KEY, callbacks=[calling(epochs.append)])
    assert epochs == []


@pytest.mark.parametrize("kind", [OfClusters, OfAll])
def test_renumbering_moves_what_the_method_says_and_nothing_else(kind: type[vc.VAEKMeans]) -> None:
    run, order = vc.fit(settings_of(kind(K, pretrain_epochs=1)), X, KEY), np.array([2, 0, 1])
    moved = reordered(run.pack(), order)
    for name, array in run.pack().arrays.items():
        first = name.removeprefix("params/").split("/")[0]
        moves = first.startswith("cluster_") or first in kind.per_cluster
        np.testing.assert_array_equal(moved.arrays[name], array[order] if moves else array, err_msg=name)
    other = unpack(moved)
    np.testing.assert_array_equal(order[other.predict(X)], run.predict(X))
    np.testing.assert_allclose(other.predict_proba(X), run.predict_proba(X)[:, order], atol=1e-6)


@pytest.mark.parametrize("name", ["centroids", "prototypes", "log_scale", "mixture", "projector"])
def test_the_names_are_the_method_s_own_and_no_list_of_everybody_s(name: str) -> None:
    """A leaf whose name another method has for its clusters is unknown here, too."""
    run = vc.fit(config(method="kmeans", pretrain_epochs=1), X, KEY)
    if name in run.params:
        assert name in run.config.method.per_cluster
        return
    packed = replace(run, params={**run.params, name: jnp.zeros((K, L))}).pack()
    with pytest.raises(vc.InputError, match=f"VAEKMeans must name '{name}' in per_cluster"):
        reordered(packed, np.arange(K))
