"""What is drawn after a fit shares no key with it, nor one use with another."""

import ast
from typing import Any

import jax
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import blobs, config
from tests.test_architecture import FILES, PACKAGE
from vaeclust_jax import keys
from vaeclust_jax.estimators import VAEDEC
from vaeclust_jax.fitting import run as run_module
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.keys import SAMPLES, as_key, key_of
from vaeclust_jax.methods import dec, method
from vaeclust_jax.selection import num_clusters
from vaeclust_jax.types import Key

USES = {
    "FEW_LABELS": 2**32 - 11,
    "NUM_CLUSTERS": 2**32 - 10,
    "SCORE": 2**32 - 9,
    "OBJECTIVE_GRAPH": 2**32 - 8,
    "VIEW_ROWS": 2**32 - 7,
    "VIEW_GRAPHS": 2**32 - 6,
    "GRAPH": 2**32 - 5,
    "SEARCH": 2**32 - 4,
    "SAMPLES": 2**32 - 3,
    "OUTLIERS": 2**32 - 2,
    "PASSES": 2**32 - 1,
}


def test_every_use_keeps_its_number() -> None:
    """Another number, other results."""
    found = {name: value for name, value in vars(keys).items() if name.isupper()}
    assert found == USES


def numbers(key: Key) -> tuple[int, ...]:
    return tuple(np.asarray(jax.random.key_data(key)).tolist())


def family(key: Key) -> set[tuple[int, ...]]:
    """The key, and what splitting or folding makes of it, which is the same."""
    assert numbers(jax.random.split(key, 8)[5]) == numbers(jax.random.fold_in(key, 5))
    return {numbers(key), *(numbers(jax.random.fold_in(key, number)) for number in range(20))}


@pytest.mark.parametrize("seed", [0, 7, np.int64(7), np.uint8(7), 2**31, 2**32 - 1], ids=repr)
def test_a_whole_number_stands_for_its_key(seed: Any) -> None:
    assert numbers(as_key(seed)) == numbers(jax.random.key(int(seed)))
    assert numbers(as_key(jax.random.key(int(seed)))) == numbers(jax.random.key(int(seed)))
    assert numbers(as_key(seed, SAMPLES)) == numbers(key_of(int(seed), SAMPLES)) != numbers(as_key(seed))
    assert numbers(as_key(jax.random.key(int(seed)), SAMPLES)) == numbers(jax.random.key(int(seed)))


@pytest.mark.parametrize(
    ("key", "got"),
    [
        (-1, "got -1"),
        (2**32, f"got {2**32}"),
        (0.0, "got 0.0"),
        (True, "got True"),
        (None, "got None"),
        ("first", "got 'first'"),
        ([0], "got list of shape (1,)"),
        (np.arange(2), "got ndarray of shape (2,)"),
        (jax.random.split(jax.random.key(0), 3), "of shape (3,)"),
    ],
    ids=repr,
)
def test_anything_else_is_refused_in_a_sentence(key: Any, got: str) -> None:
    with pytest.raises(vc.InputError) as caught:
        as_key(key)
    assert str(caught.value).startswith("key must be one of jax.random.key, or a whole number from 0 to 2**32 - 1, got")
    assert str(caught.value).endswith(got)


class Asked:
    """Keeps the keys that a function is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str):
        original = getattr(owner, name)
        self.keys: list[Key] = []

        def asked(*given: Any, **named: Any) -> Any:
            self.keys += [one for one in given if isinstance(one, jax.Array) and one.dtype == jax.random.key(0).dtype]
            return original(*given, **named)

        monkeypatch.setattr(owner, name, asked)

    def families(self) -> set[tuple[int, ...]]:
        assert self.keys, "nothing was asked"
        return set().union(*map(family, self.keys))


def test_every_use_of_a_seed_has_a_key_of_its_own() -> None:
    uses = [key_of(7, use) for use in USES.values()]
    stages = [jax.random.fold_in(jax.random.key(7), stage) for stage in range(10)]
    found = [numbers(key) for key in (*uses, *stages, jax.random.key(7))]
    assert len(set(found)) == len(found)


def test_no_other_file_has_numbers_of_uses() -> None:
    counted_down = {path for path in FILES if "2 ** 32 -" in ast.unparse(ast.parse(path.read_text(encoding="utf-8")))}
    assert counted_down == {PACKAGE / "keys.py"}


@pytest.mark.long
@pytest.mark.parametrize("kind", ["dec", "graph"])
def test_an_objective_draws_apart_from_the_fit_of_any_seed(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    run = vc.fit(config(method=kind), blobs()[0], jax.random.key(0))
    asked = [Asked(monkeypatch, method, "score_rows"), Asked(monkeypatch, dec, "posterior_of")][: 1 + (kind == "graph")]
    run.config.method.objective(run.heads, run.params, run.prepare(blobs()[0]))
    for one in asked:
        assert one.families().isdisjoint(family(jax.random.key(0)) | family(jax.random.key(1)))


@pytest.mark.long
def test_a_number_of_clusters_is_chosen_apart_from_the_fit_of_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, key = Asked(monkeypatch, num_clusters, "seed_from_key"), jax.random.key(3)
    vc.choose_num_clusters(config(pretrain_epochs=1), blobs()[0], key, candidates=(2, 3))
    assert asked.families().isdisjoint(family(key))


@pytest.mark.long
def test_an_estimator_draws_apart_from_its_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    x = blobs()[0]
    model = VAEDEC(3, latent_dim=2, hidden=(8,), pretrain_epochs=1, joint_epochs=1, random_state=5).fit(x)
    first = int(np.random.RandomState(5).randint(2**31 - 1))
    asked = [Asked(monkeypatch, Run, name) for name in ("uncertainty", "sample")]
    model.uncertainty(x, 10)
    model.sample(4)
    for one in asked:
        assert one.families().isdisjoint(family(jax.random.key(first)))
    assert asked[0].families().isdisjoint(asked[1].families())


def test_the_noise_and_the_component_of_a_cluster_are_drawn_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    model = vc.fit(config(method="kmeans"), blobs()[0], jax.random.key(0))
    noise, component = Asked(monkeypatch, run_module, "normal"), Asked(monkeypatch, jax.random, "choice")
    assert model.sample(jax.random.key(1), 5, 1).shape == (5, 5)
    assert noise.families().isdisjoint(component.families())
