"""Hopfield nets as methods: fitted, saved, asked; refusals; and fixed points as clusters."""

from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc
from vaeclust_jax.methods.hopfield import Net
from vaeclust_jax.methods.hopfield_clusters import _assign, fixed_points, written
from vaeclust_jax.objectives.hopfield import distance_bias

AS_THEY_ARE = vc.PrepareConfig(scaling="none", validation=0.0)
PATTERNS = np.where(np.random.default_rng(0).random((4, 60)) < 0.5, -1.0, 1.0)
DAMAGED = PATTERNS * np.where(np.arange(60) < 5, -1, 1)
NETS = [vc.Classical(), vc.Saturating(), vc.Modern(beta=0.5)]


def stored(net: Net, x: np.ndarray = PATTERNS, **settings: object) -> vc.Run:
    return vc.fit(vc.Config(vc.Hopfield(net, **settings), AS_THEY_ARE), x, 0)


@pytest.mark.parametrize("method", [vc.Hopfield(), vc.RBM()], ids=lambda method: type(method).__name__)
def test_networks_are_refused_where_there_are_none(method: vc.Hopfield | vc.RBM) -> None:
    networks = vc.MLP(latent_dim=2).build((60,))
    with pytest.raises(vc.InputError, match="has no encoder and decoder: leave `networks` out"):
        vc.fit(vc.Config(method, AS_THEY_ARE), PATTERNS, 0, networks=networks)


@pytest.mark.parametrize("net", NETS, ids=lambda net: type(net).__name__)
def test_it_recalls_what_it_stores_and_is_the_same_from_a_file(net: Net, tmp_path: Path) -> None:
    run = stored(net)
    np.testing.assert_allclose(run.recall(DAMAGED), PATTERNS, atol=1e-4)
    run.save(tmp_path / "memory.vaeclust")
    np.testing.assert_array_equal(vc.load(tmp_path / "memory.vaeclust").recall(DAMAGED), run.recall(DAMAGED))
    energies = [np.asarray(run.heads.score(None, run.params, jnp.asarray(x, jnp.float32))) for x in (DAMAGED, PATTERNS)]
    assert (energies[0] > energies[1]).all()


def test_images_are_stored_as_pixels_and_come_back_as_pixels() -> None:
    shapes = vc.data.load("digit-shapes").x
    run = stored(vc.Classical(), shapes[[1, 7]])
    assert run.recall(shapes[[1, 7]]).shape == (2, 21, 15, 1)
    np.testing.assert_array_equal(run.recall(0.8 * shapes[[1, 7]] + 0.1), shapes[[1, 7]])


def test_a_part_of_the_rows_is_stored_when_it_is_asked_for(tmp_path: Path) -> None:
    run = stored(vc.Modern(), num_patterns=2)
    np.testing.assert_array_equal(run.params["memories"], PATTERNS[[0, 3]])
    for wrong in (0, 5):
        with pytest.raises(vc.InputError, match=f"num_patterns must lie in 1 to 4, the training rows, got {wrong}"):
            stored(vc.Modern(), num_patterns=wrong)


def test_more_patterns_than_it_can_hold_are_stored_with_a_warning_that_says_the_bound() -> None:
    many = np.where(np.random.default_rng(1).random((12, 20)) < 0.5, -1.0, 1.0)
    with pytest.warns(vc.InputWarning, match="12 patterns are more than the 2 that a Classical net of 20 units can"):
        stored(vc.Classical(), many)
    sentence = "12 patterns are more than the 10 that a Saturating net of 20 units can recall from a tenth of flipped"
    with pytest.warns(vc.InputWarning, match=sentence):
        stored(vc.Saturating(), many)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("net", [vc.Classical(), vc.Saturating()], ids=lambda net: type(net).__name__)
def test_as_many_patterns_as_the_bound_says_come_back_from_a_tenth_of_flipped_units(net: Net) -> None:
    draws, most = np.random.default_rng(2), net.bound(200)
    assert most is not None
    patterns = np.where(draws.random((most, 200)) < 0.5, -1.0, 1.0)
    damaged = np.where(draws.permuted(np.tile(np.arange(200), (most, 1)), axis=1) < 20, -patterns, patterns)
    came_back = (np.sign(stored(net, patterns).recall(damaged)) == patterns).mean(axis=1) >= 0.99
    assert came_back.mean() > 0.7


@pytest.mark.filterwarnings("error")
def test_the_modern_net_holds_them_all() -> None:
    many = np.where(np.random.default_rng(1).random((50, 30)) < 0.5, -1.0, 1.0)
    np.testing.assert_allclose(stored(vc.Modern(beta=2.0), many).recall(many), many, atol=1e-3)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: stored(vc.Classical(), PATTERNS * 0.5),
         "net Classical stores vectors of -1 and 1, got -0.5 to 0.5 as they are scaled: set scaling none, and write "),
        (lambda: stored(vc.Saturating(), np.where(np.eye(4, 60) > 0, 0.3, PATTERNS)),
         "patterns must hold -1 and 1 alone, got 0.3: write the sign of each value"),
        (lambda: vc.Modern(beta=0.0), "beta must be positive and finite, got 0.0"),
        (lambda: vc.Modern(beta=float("inf")), "beta must be positive and finite, got inf"),
        (lambda: vc.Saturating(tau=-1.0), "tau must be positive and finite, got -1.0"),
        (lambda: vc.Saturating(h=float("nan")), "h must be positive and finite, got nan"),
        (lambda: stored(vc.Modern(), iterations=0), "iterations must be at least 1, got 0"),
        (lambda: stored(vc.Modern()).recall(PATTERNS[:, :7]), "samples must"),
        (lambda: stored(vc.Modern()).predict(PATTERNS), "Hopfield cannot encode; it has run.recall"),
        (lambda: stored(vc.Classical()).recall((DAMAGED + 1) / 2),
         "net Classical reads the sign of each value, got values from 0 on: .* of 0 and 1 they are 2 \\* x - 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(make: object, sentence: str) -> None:
    with pytest.raises(vc.InputError, match=sentence):
        make()  # type: ignore[operator]


def test_units_that_never_change_and_patterns_that_repeat_do_no_harm() -> None:
    same = np.repeat(PATTERNS[:1], 3, axis=0)
    for net in NETS:
        np.testing.assert_allclose(stored(net, same).recall(same), same, atol=1e-5)
        np.testing.assert_allclose(stored(net, same[:1]).recall(same), same, atol=1e-5)


# Clusters --------------------------------------------------------------------------------------------------------

CENTRES = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])
CODES = np.random.default_rng(2).normal(np.repeat(CENTRES, (60, 30, 15), axis=0)).astype(np.float32)
GROUP = np.repeat(np.arange(3), (60, 30, 15))


def by_hand(beta: float) -> np.ndarray:
    """Mean shift in NumPy and double precision: where every code comes to rest."""
    ends = CODES.astype(float)
    for _ in range(500):
        kernel = np.exp(-beta / 2 * ((ends[:, None] - CODES) ** 2).sum(axis=2))
        ends = kernel @ CODES / kernel.sum(axis=1, keepdims=True)
    return ends


def test_fixed_points_are_those_of_mean_shift() -> None:
    found = fixed_points(jnp.asarray(CODES), 1.3, distance_bias(jnp.asarray(CODES), 1.3))
    np.testing.assert_allclose(found.places[found.reached], by_hand(1.3), atol=2e-2)
    assert (np.diff(found.counts) <= 0).all()
    assert found.counts.sum() == len(CODES)


def test_the_temperature_gives_as_many_fixed_points_as_clusters() -> None:
    params = written(CODES, 3)
    places, members = np.asarray(params["fixed_points"]), np.asarray(params["members"]).argmax(axis=0)
    np.testing.assert_allclose(places[members], by_hand(float(params["inverse_temperature"])), atol=2e-2)
    assert (np.abs(places - CENTRES).max(axis=1) < 2).all()
    np.testing.assert_array_equal(np.asarray(_assign(params, CODES)).argmax(axis=1), GROUP)
    # the kernel is the widest that has three: by its slope, three codes between two clusters go to the larger one
    between = members != GROUP
    assert between.sum() == 3
    assert (members[between] == 0).all()
    wider = 0.81 * float(params["inverse_temperature"])
    assert len(np.unique(by_hand(wider).round(1), axis=0)) == 2


def test_weights_of_rows_weigh_their_memories() -> None:
    weight = np.where(GROUP == 2, 2.0, 1.0).astype(np.float32)
    params = written(CODES, 3, weight)
    expected = distance_bias(jnp.asarray(CODES), float(params["inverse_temperature"])) + np.log(weight)
    np.testing.assert_allclose(params["bias"], expected, rtol=1e-5)


def test_fewer_places_than_clusters_leave_clusters_empty_and_everything_finite() -> None:
    params = written(np.ones((30, 2), np.float32), 3)
    log_q = np.asarray(_assign(params, jnp.ones((4, 2))))
    assert np.isfinite(log_q).all()
    np.testing.assert_allclose(np.exp(log_q).sum(axis=1), 1, rtol=1e-5)


def test_more_memories_than_rows_are_refused() -> None:
    method = replace(vc.METHODS["hopfield-clusters"](3), num_memories=99)
    with pytest.raises(vc.InputError, match="num_memories must lie in 1 to 40, the training rows, got 99"):
        vc.fit(vc.Config(method, vc.PrepareConfig(validation=0.0)), np.random.default_rng(0).normal(size=(40, 3)), 0)
