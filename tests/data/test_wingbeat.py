"""Simulated insects: what is drawn has the distributions that are asked for, and real ones fit in."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from vaeclust_jax.data.spectra import SAMPLING_RATE, event_spectra, frequencies
from vaeclust_jax.data.wingbeat import (
    Species,
    draw_frequencies,
    draw_signals,
    draw_spectra,
    invent_species,
    make_insects,
)
from vaeclust_jax.errors import InputError

STEADY = Species("steady", 200.0, 0.05, 1.0, 0.5, (1.0, 0.5, 0.25), 2.0, 0.05, 20.0)
TWO_SEXES = STEADY._replace(male_ratio=1.5, male_share=0.3)


def test_frequencies_are_log_normal():
    f = draw_frequencies([STEADY], np.zeros(4000, int), 0)
    assert stats.kstest(np.log(f), stats.norm(np.log(200), 0.05).cdf).pvalue > 0.01


def test_males_beat_faster():
    f = draw_frequencies([TWO_SEXES], np.zeros(4000, int), 0)
    male = f > 245  # four standard deviations from either
    assert male.mean() == pytest.approx(0.3, abs=0.03)
    assert np.median(f[male]) == pytest.approx(300, rel=0.02)
    assert np.median(f[~male]) == pytest.approx(200, rel=0.02)


def test_a_spectrum_has_the_harmonics_of_its_species():
    f = draw_frequencies([STEADY], np.zeros(1, int), 3)[0]
    bright = STEADY._replace(brightness=1000.0, harmonics=(1.0, 0.5, 0.25, 0.1, 0.1, 0.1, 0.1, 0.1))
    (row,) = draw_spectra([bright], np.zeros(1, int), 3)
    near = [abs(frequencies() - h * f) < 25 for h in (1, 2, 3)]
    between = [abs(frequencies() - (h + 0.5) * f) < 15 for h in (1, 2, 3)]
    for peak, valley in zip(near, between, strict=True):
        assert row[peak].max() > row[valley].max() + 0.1
    powers = [row[peak].max() for peak in near]
    assert powers == sorted(powers, reverse=True)


def test_a_body_alone_is_slow_light_in_a_gaussian_beam():
    body = STEADY._replace(harmonics=(0.0,) * 8, body=1.0, brightness=1e4)
    (signal,) = draw_signals([body], np.zeros(1, int), 0)
    t = np.arange(len(signal)) / SAMPLING_RATE
    weight = np.maximum(signal, 0) / np.maximum(signal, 0).sum()
    middle = (weight * t).sum()
    width = np.sqrt((weight * (t - middle) ** 2).sum())
    assert 0.05 * np.exp(-1.2) / 2 < width < 0.05 * np.exp(1.2) / 2, "exp(-2 (t/T)^2) has the deviation T / 2"


def test_a_call_is_a_function_of_its_seed_and_spectra_are_those_of_the_signals():
    species, y = invent_species(3), np.arange(700) % 3
    first, again, other = (draw_spectra(species, y, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(first, event_spectra(draw_signals(species, y, 5), SAMPLING_RATE))


def test_parts_are_as_large_as_asked_for_and_apart():
    known, mixed, strangers = make_insects(num_species=3, num_strangers=2, balanced_each=4, num_mixed=9,
                                           strangers_each=5, seed=1)  # fmt: skip
    assert known.x.shape == (12, 193)
    assert np.bincount(known.y).tolist() == [4, 4, 4]
    assert mixed.x.shape == (9, 193)
    assert set(mixed.y) <= {0, 1, 2}
    assert np.bincount(strangers.y).tolist() == [5, 5]
    assert not set(known.class_names) & set(strangers.class_names)
    assert not {row.tobytes() for row in known.x} & {row.tobytes() for row in mixed.x}
    assert 0 <= known.x.min() < known.x.max() <= 1


def test_species_differ_and_lie_in_the_range_of_insects():
    species = invent_species(15)
    frequency = np.array([one.frequency for one in species])
    assert (np.diff(np.log(frequency)) > 0.05).all()
    assert 25 <= frequency.min() < frequency.max() <= 900
    assert all(one.harmonics[0] == 1 for one in species)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"num_species": 1}, "num_species must be a whole number of at least 2"),
        ({"num_strangers": -1}, "num_strangers"),
        ({"balanced_each": 0}, "balanced_each"),
        ({"num_mixed": 1.5}, "num_mixed"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(settings, says):
    with pytest.raises(InputError, match=says):
        make_insects(**settings)


@pytest.mark.long
@pytest.mark.skipif("VAECLUST_DATA" not in os.environ, reason="needs real events")
def test_a_real_species_is_two_log_normal_sexes():
    """The form of the generator's frequencies fits recorded ones better than one log-normal does."""
    from sklearn.mixture import GaussianMixture

    recorded = np.load(Path(os.environ["VAECLUST_DATA"]) / "wingbeat-frequencies.npz")
    for species in range(5):
        log = np.log(recorded["x"][recorded["y"] == species, 0].astype(float))
        sexes = GaussianMixture(2, random_state=0).fit(log[:, np.newaxis])
        parts = zip(sexes.weights_, sexes.means_[:, 0], np.sqrt(sexes.covariances_[:, 0, 0]), strict=True)
        ordered = np.sort(log)
        expected = sum(weight * stats.norm.cdf(ordered, mean, scale) for weight, mean, scale in parts)
        two = abs(expected - (np.arange(len(log)) + 0.5) / len(log)).max()
        one = stats.kstest(log, stats.norm(log.mean(), log.std()).cdf).statistic
        assert two < one
        assert two < 0.1
