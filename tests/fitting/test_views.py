"""An encoder that is taught to forget how images are moved, and the choice whether to."""

import json
from typing import Any

import jax
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import LINEAR, assert_same_bits, blobs, calling, config, squares
from vaeclust_jax.fitting.config import with_method
from vaeclust_jax.fitting.fit import fit_stages
from vaeclust_jax.methods.graph_starts import posterior_of
from vaeclust_jax.selection import augment
from vaeclust_jax.training.rows import ROWS_AT_ONCE, encode_rows, encode_views

SETTINGS: dict[str, Any] = {"network": "mlp", "method": "graph", "tolerance": 0.0}


@pytest.fixture(scope="module")
def run() -> vc.Run:
    return vc.fit(config(augment=1.0, pretrain_epochs=3, **SETTINGS), squares()[0], jax.random.key(0))


@pytest.mark.long
def test_training_sees_views_and_nothing_else_does(run: vc.Run) -> None:
    x, _ = squares()
    same = vc.fit(config(augment=1.0, pretrain_epochs=3, **SETTINGS), x, jax.random.key(0))
    assert_same_bits(run, same)
    plain = vc.fit(config(pretrain_epochs=3, **SETTINGS), x, jax.random.key(0))
    assert plain.history[0]["reconstruction"] != run.history[0]["reconstruction"]
    assert plain.heads.view is None
    np.testing.assert_allclose(run.embed(x), run.heads.encode(run.params, run.prepare(x))[0], rtol=1e-5, atol=1e-6)


@pytest.mark.long
def test_a_view_of_a_row_does_not_depend_on_the_rows_after_it(run: vc.Run) -> None:
    rows = np.tile(run.prepare(squares()[0]), (3, 1, 1, 1))
    assert len(rows) > ROWS_AT_ONCE
    key = jax.random.key(1)
    mean, logvar = encode_views(key, run.heads, run.params, rows)
    again = encode_views(key, run.heads, run.params, rows)
    np.testing.assert_array_equal(mean, again[0])
    np.testing.assert_array_equal(logvar, again[1])
    assert not np.allclose(mean[:120], mean[120:240])  # equal rows, other views
    assert not np.allclose(mean, encode_rows(run.heads, run.params, rows)[0])


@pytest.mark.long
def test_draws_of_the_posterior_are_of_views(run: vc.Run) -> None:
    """At temperature 0 a draw is the code of a view; without views the code itself."""
    rows, key = run.prepare(squares()[0]), jax.random.key(2)
    posterior = posterior_of(key, run.heads, run.params, rows)
    one, other = posterior.draws(2, 0.0)
    assert not np.allclose(one, other)
    plain = posterior_of(key, run.heads._replace(view=None), run.params, rows)
    for z in plain.draws(2, 0.0):
        np.testing.assert_array_equal(z, plain.mean)
    np.testing.assert_array_equal(plain.mean, posterior.mean)


@pytest.mark.long
@pytest.mark.parametrize("best", [0.0, 1.0])
def test_the_strength_with_the_higher_score_is_chosen(best: float, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def judged(seeds: list[int], runs: list[vc.Run], raw: np.ndarray) -> tuple[float, float, float]:
        asked.append((seeds, runs[0].config.method.augment, type(runs[0].config.method)))
        return (0.6, 0.01, 0.5) if runs[0].config.method.augment == best else (0.7, 0.04, 0.2)

    monkeypatch.setattr(augment, "_judged", judged)
    choice = vc.choose_augment(config(augment="auto", **SETTINGS), squares()[0], [4, 5])
    assert asked == [([4, 5], 0.0, vc.VAEKMeans), ([4, 5], 1.0, vc.VAEKMeans)]
    assert choice.augment == best
    said = "agreement 0.60, edges cut 1.0%, log gap 0.50; agreement 0.70, edges cut 4.0%, log gap 0.20"
    assert choice.reason == f"augment {best:g}: its graphs show 3 clusters best ({said} with {1 - best:g})."
    record = json.loads(json.dumps(choice.record()))
    assert augment.AugmentChoice.of(record) == choice
    wanted = {best: 0.5 - np.log(0.4 * 0.01), 1.0 - best: 0.2 - np.log(0.3 * 0.04)}
    assert {one["augment"]: one["score"] for one in record["tried"]} == pytest.approx(wanted)


@pytest.mark.long
def test_what_a_choice_is_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bands that training has told apart are found by all seeds, with hardly an edge between them; of some rows too."""
    settings = config(pretrain_epochs=60, learning_rate=1e-2, **SETTINGS)
    monkeypatch.setattr(augment, "MAX_ROWS", 60)
    (found, other) = vc.choose_augment(settings, squares()[0], [0, 1], candidates=(0.0, 5.0)).tried
    assert found.agreement == pytest.approx(1.0)
    assert found.cut < 0.01
    assert found.gap > np.log(2)
    assert np.isfinite(found.score)
    assert other.cut > 4 * found.cut  # moved by half their size, bands have neighbours of other bands
    assert other.score < found.score


@pytest.mark.long
def test_a_choice_trains_on_no_more_rows_than_it_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same ones under every strength; rows that are held out stay so."""
    trained: list[Any] = []

    def kept(seeds: Any, runs: Any, data: Any) -> tuple[float, float, float]:
        trained.extend(run.train_index for run in runs)
        assert data.train_index is runs[0].train_index
        return 0.0, 0.5, 0.0

    monkeypatch.setattr(augment, "MAX_ROWS", 60)
    monkeypatch.setattr(augment, "_judged", kept)
    settings, images = config(validation=0.2, **SETTINGS), squares()[0]
    vc.choose_augment(settings, images, [0, 1])
    assert len(trained) == 4
    assert all(len(one) == 60 and (one == trained[0]).all() for one in trained)
    held_out = vc.fit(settings, images, 0).validation_index
    assert not np.isin(trained[0], held_out).any()


def test_a_choice_needs_seeds_that_can_agree() -> None:
    with pytest.raises(vc.InputError, match="seeds must be at least 2, because a choice of views asks how far they"):
        vc.choose_augment(config(**SETTINGS), squares()[0], [0])
    with pytest.raises(vc.InputError, match="seeds must be distinct whole numbers"):
        vc.choose_augment(config(**SETTINGS), squares()[0], 3)


@pytest.mark.parametrize(
    ("images", "num_clusters", "says"),
    [
        (6, 3, "a choice of views needs more than 5 training samples, got 5"),
        (120, 61, "a choice of views can show at most 60 clusters of 60 samples, got 61"),
        (20, 17, "a choice of views can show at most 16 clusters of 16 samples, got 17"),
    ],
)
def test_a_choice_that_no_graph_can_make_trains_nothing(
    images: int, num_clusters: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(augment, "MAX_ROWS", 60)
    epochs: list[Any] = []
    with pytest.raises(vc.InputError) as error:
        vc.choose_augment(
            config(num_clusters, **SETTINGS), squares(images)[0], [0, 1], callbacks=[calling(epochs.append)]
        )
    assert str(error.value) == says
    assert epochs == []


@pytest.mark.long
def test_a_choice_reads_no_label_for_its_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "_judged", lambda seeds, runs, raw: (0.0, 0.5, 0.0))
    choice = vc.choose_augment(config(stratify=True, **SETTINGS), squares()[0], [0, 1])
    assert choice.augment == 0.0  # the first wins ties
    found = vc.choose_num_clusters(config(stratify=True), squares()[0], jax.random.key(0), candidates=[2, 3])
    assert found.num_clusters in (2, 3)


@pytest.mark.long
def test_a_mixture_starts_from_the_graph_of_views() -> None:
    settings = config(network="mlp", method="vade", start=vc.GraphStart(), pretrain_epochs=3)
    views, plain = (with_method(settings, augment=strength) for strength in (1.0, 0.0))
    x, _ = squares()
    one, other = (fit_stages(each, x, [0])["mixture"][0] for each in (views, plain))
    assert one.heads.view is not None
    assert np.isfinite(one.centroids).all()
    assert not np.allclose(one.centroids, other.centroids)


@pytest.mark.parametrize("first", [0, 29, 2**32 - 1])
def test_the_seeds_of_a_choice_are_none_of_those_that_are_reported(first: int) -> None:
    reported = {(first + number) % 2**32 for number in range(1000)}
    found = augment.seeds_beside(first)
    assert len(set(found)) == len(augment.SEEDS) == 3
    assert not reported & set(found)
    assert not reported & set(augment.SEEDS)


def test_vectors_have_no_views() -> None:
    x, _ = blobs()
    choice = vc.choose_augment(config(**SETTINGS), x)
    assert (choice.augment, choice.tried) == (0.0, ())
    with pytest.raises(vc.InputError, match=r"augment moves images, got vectors \(n, 5\): set it to 0, or fit"):
        vc.fit(config(augment=1.0), x, jax.random.key(0))
    with pytest.raises(vc.InputError, match="candidates must hold a strength, 0 for vectors"):
        vc.choose_augment(config(), x, candidates=[1.0])


@pytest.mark.parametrize(
    ("augment", "says"),
    [
        ("auto", "augment 'auto' is for vaeclust run; in Python, choose_augment chooses it before a fit"),
        (-0.1, "augment must lie in 0 to 5, got -0.1"),
        (float("nan"), "augment must lie in 0 to 5, got nan"),
        (9, "augment must lie in 0 to 5, got 9"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(augment: Any, says: str) -> None:
    with pytest.raises(vc.InputError) as error:
        vc.fit(config(augment=augment), squares()[0], jax.random.key(0))
    assert says in str(error.value)


def test_another_word_is_named() -> None:
    with pytest.raises(vc.InputError, match="augment must be a number or one of auto, got 'much'"):
        vc.DEC(3, augment="much")  # type: ignore[arg-type]


def _fails(key: jax.Array, x: jax.Array) -> jax.Array:
    raise TypeError("no such colour")


@pytest.mark.parametrize(
    ("view", "says"),
    [
        (lambda key, x: x[:, :2], r"the view must answer samples of shape \(3, 5\) with that shape, got \(3, 2\)"),
        (_fails, r"the view fails on a key and samples of shape \(3, 5\): no such colour"),
    ],
)
def test_a_view_that_does_not_fit_is_named(view: Any, says: str) -> None:
    with pytest.raises(vc.InputError, match=says):
        vc.fit(config(), blobs()[0], jax.random.key(0), networks=LINEAR._replace(view=view))


@pytest.mark.long
def test_a_view_of_ones_own_is_of_vectors_too() -> None:
    x, _ = blobs()
    noisy = LINEAR._replace(view=lambda key, x: x + 0.1 * jax.random.normal(key, x.shape))
    run = vc.fit(config(method="graph"), x, jax.random.key(0), networks=noisy)
    assert run.heads.view is not None
    assert run.predict(x).shape == (len(x),)
