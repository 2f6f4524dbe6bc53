"""Samples of another data set: do they stand out, and is anything but their origin known?"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import N, config, squares
from tests.studies.made_assignments import made_dataset
from vaeclust_jax.studies import out_of_distribution
from vaeclust_jax.studies.out_of_distribution import check_comparable, judge_outliers

HELD_OUT = N // 5
SCORES = ["negative ELBO", "assignment energy", "distance to the nearest cluster", "latent variance"]


class Unread:
    """Labels that must not be looked at."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"labels were asked for {name}")


def images(rows: slice = slice(0, N)) -> Any:
    return made_dataset(squares(3 * N)[0][rows, ..., None], Unread())


@pytest.fixture(scope="module")
def run() -> vc.Run:
    settings = config(network="mlp", input_mean=0.3, input_std=0.3, pretrain_epochs=25, joint_epochs=0, beta=0.1)
    return vc.fit_seeds(settings, images().x, [4])[0]


@pytest.fixture(scope="module")
def noise() -> Any:
    drawn = np.random.default_rng(5).integers(0, 256, (2 * N, 8, 8, 1), dtype=np.uint8)
    return made_dataset(drawn, Unread(), name="noise")


def test_more_of_the_same_does_not_stand_out(run: vc.Run) -> None:
    found = judge_outliers([run], images(), images(slice(N, 3 * N)), [4])
    assert list(found.mean) == SCORES
    error = np.sqrt((HELD_OUT + 2 * N + 1) / (12 * HELD_OUT * 2 * N))  # of the AUROC by chance
    for auroc in found.mean.values():
        assert abs(auroc - 0.5) < 3.5 * error


def test_known_and_strange_samples_have_draws_of_their_own(run: vc.Run) -> None:
    twins = made_dataset(images().x[run.validation_index], Unread())
    found = judge_outliers([run], images(), twins, [4]).mean
    assert {found[name] for name in SCORES[1:]} == {0.5}  # the same samples, and nothing drawn
    assert found["negative ELBO"] != 0.5


def test_noise_stands_out_by_its_likelihood(run: vc.Run, noise: Any) -> None:
    found = judge_outliers([run], images(), noise, [4])
    assert found.mean["negative ELBO"] > 0.99
    assert (found.dataset, found.known, found.strange) == ("noise", HELD_OUT, 2 * N)


def test_an_auroc_is_the_share_of_pairs_in_which_the_stranger_is_stranger(run: vc.Run, noise: Any) -> None:
    known, strange = (run.embed(x).astype(np.float64) for x in (images().x[run.validation_index], noise.x))

    def distance(z: np.ndarray) -> np.ndarray:
        clusters = zip(run.cluster_mean, run.cluster_scale, strict=True)
        return np.min(
            [np.linalg.norm(np.linalg.solve(scale, (z - mean).T), axis=0) for mean, scale in clusters], axis=0
        )

    expected = np.mean(distance(strange)[:, None] > distance(known))
    found = judge_outliers([run], images(), noise, [4]).seeds[0]
    assert found["distance to the nearest cluster"] == pytest.approx(expected, abs=2e-3)
    assert found["seed"] == 4


def test_known_are_held_out_rows_or_else_all_and_of_many_some_taken_evenly(
    run: vc.Run, noise: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out_of_distribution, "_MAX_ROWS", HELD_OUT)
    unheld = replace(run, validation_index=np.zeros(0, int))
    found = judge_outliers([unheld], images(), noise, [4])
    assert (found.known, found.strange) == (HELD_OUT, HELD_OUT)
    known = replace(run, validation_index=np.linspace(0, N - 1, HELD_OUT).astype(int))
    strange = replace(noise, x=noise.x[np.linspace(0, 2 * N - 1, HELD_OUT).astype(int)])
    assert judge_outliers([known], images(), strange, [4]).mean == found.mean
    assert judge_outliers([run], images(), strange, [4]).mean != found.mean


def test_the_draws_of_a_seed_are_its_own(run: vc.Run) -> None:
    others = images(slice(N, 3 * N))
    same = judge_outliers([run, run], images(), others, [4, 4]).seeds
    apart = judge_outliers([run, run], images(), others, [4, 5])
    assert same[0] == same[1]
    assert apart.seeds[0]["negative ELBO"] != apart.seeds[1]["negative ELBO"]
    assert apart.std["negative ELBO"] > 0
    assert apart.std["latent variance"] == 0


GREY, COLOUR, LARGE, VECTORS = (8, 8, 1), (8, 8, 3), (16, 12, 1), (5,)


def of_shape(shape: tuple[int, ...], name: str) -> Any:
    return made_dataset(np.zeros((2, *shape), np.float32), Unread(), name=name)


@pytest.mark.parametrize(
    ("ours", "theirs", "prepare", "fits"),
    [
        (GREY, GREY, {}, True),
        (GREY, LARGE, {"image_size": (8, 8)}, True),
        (GREY, LARGE, {}, False),
        (GREY, LARGE, {"image_size": "auto"}, False),
        ((40, 33, 1), LARGE, {"image_size": "auto"}, True),
        (GREY, COLOUR, {}, False),
        (GREY, COLOUR, {"grey": True}, True),
        (COLOUR, LARGE, {"grey": True}, False),
        (COLOUR, LARGE, {"grey": True, "image_size": (8, 8)}, True),
        (VECTORS, VECTORS, {}, True),
        (VECTORS, (4,), {}, False),
        (VECTORS, GREY, {"grey": True, "image_size": (8, 8)}, False),
        (GREY, (64,), {"grey": True, "image_size": (8, 8)}, False),
    ],
    ids=str,
)
def test_what_a_model_could_not_read_is_refused_beforehand(
    ours: tuple[int, ...], theirs: tuple[int, ...], prepare: dict[str, Any], fits: bool
) -> None:
    settings = vc.PrepareConfig(**prepare)
    first, second = of_shape(ours, "mine"), of_shape(theirs, "yours")
    # What is let through is what the model's own preparation takes.
    vector = len(ours) == 1
    preparation = vc.data.fit_preparation(first.x, vc.PrepareConfig() if vector else settings)
    if fits:
        check_comparable(first, second, settings)
        preparation.apply(second.x)
        return
    with pytest.raises(vc.InputError) as caught:
        check_comparable(first, second, settings)
    assert str(caught.value) == f"outliers must be samples like those of mine, {ours}, got yours, {theirs}"
    with pytest.raises(vc.InputError):
        preparation.apply(second.x)
