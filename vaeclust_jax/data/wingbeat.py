"""Insects that fly through a beam of light, simulated: what an optical sensor records of their wings and bodies.

The light that a passing insect scatters back is slow for its body and periodic for its wings. An event is

    s(t) = A exp(-2 ((t - t0) / T)^2) (B + sum_h a_h cos(2 pi h phi(t) + theta_h)) + noise,

with phi(t) = f t + drift: a Gaussian beam crossed in the transit time T, the body-to-wing ratio B, harmonics a_h of a
wing-beat frequency f, phases theta_h that depend on how the insect happened to fly, and white noise of the sensor.

Of a species, f is log-normal around one frequency for the females and a higher one for the males, as in the recorded
events of `wingbeat-frequencies` and `wingbeat-aedes`. The species are invented, not measured: their numbers are drawn
within the ranges of flying insects (25 to 900 beats a second), evenly on a logarithmic scale; a species spreads less
than the recorded ones do (`notebooks/20_dynamic_beta.ipynb` holds them against each other). So what is clustered here
shows what a method can do with such signals, and nothing about any insect.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.checks import is_whole
from vaeclust_jax.data.dataset import Dataset
from vaeclust_jax.data.spectra import NUM_BINS, SAMPLING_RATE, WINDOW, event_spectra
from vaeclust_jax.errors import InputError

_NUM_SAMPLES = 2 * WINDOW  # of an event, 0.19 s
_NUM_HARMONICS = 8
_EVENTS_AT_ONCE = 250  # whose signals stay in the cache
_LOWEST, _HIGHEST = 25.0, 900.0  # Hz
_NUM_SPECIES, _NUM_STRANGERS = 11, 4  # of the released data
_EVENNESS = 3.0  # of the shares of species in the mixed part: the parameter of a Dirichlet distribution
_DRIFT = 0.02  # relative change of the frequency during an event, standard deviation


class Species(NamedTuple):
    """How one species flies."""

    name: str
    frequency: float
    """Of the females' wing beat, Hz: the median."""
    spread: float
    """Of its logarithm, standard deviation."""
    male_ratio: float
    """Males' frequency over females'."""
    male_share: float
    """Of the events."""
    harmonics: tuple[float, ...]
    """Amplitudes a_h, the first 1."""
    body: float
    """B."""
    transit: float
    """T, seconds: the median of a log-normal."""
    brightness: float
    """A against noise of 1: the median of a log-normal."""


class Insects(NamedTuple):
    """Events in the parts that the source has; all with the species that made them, which no learner need see."""

    balanced: Dataset
    """As many of each known species: the source's labelled part."""
    mixed: Dataset
    """Of the known species in unequal shares: its unlabelled part."""
    strangers: Dataset
    """Of species that the others do not hold."""


@lru_cache
def invent_species(count: int, seed: int = 0) -> tuple[Species, ...]:
    """Species whose frequencies divide the range evenly on a logarithmic scale; the rest is drawn.

    Args:
        count: at least 1.
        seed: of the draws.
    """
    rng = np.random.default_rng([seed, 1])
    steps = (np.arange(count) + rng.uniform(0.2, 0.8, count)) / count
    species = []
    for number, frequency in enumerate(_LOWEST * (_HIGHEST / _LOWEST) ** steps):
        decay, odd = rng.uniform(0.2, 0.9), rng.uniform(0.4, 1.6)
        h = np.arange(_NUM_HARMONICS)
        harmonics = np.exp(-decay * h) * np.where(h % 2 == 1, odd, 1.0)
        species.append(
            Species(
                name=f"species {number + 1}: {frequency:.0f} Hz",
                frequency=float(frequency),
                spread=rng.uniform(0.04, 0.09),
                male_ratio=rng.uniform(1.0, 1.15),
                male_share=rng.uniform(0.3, 0.7),
                harmonics=tuple((harmonics / harmonics[0]).tolist()),
                body=rng.uniform(0.5, 5.0),
                transit=rng.uniform(0.02, 0.08),
                brightness=rng.uniform(5.0, 20.0),
            )
        )
    return tuple(species)


def draw_frequencies(species: Sequence[Species], y: Int[np.ndarray, " n"], seed: int) -> Float[np.ndarray, " n"]:
    """The wing-beat frequency of every event, Hz.

    Args:
        species: what `y` counts.
        y: the species of each event.
        seed: of the draws.
    """
    rng = np.random.default_rng([seed, 2])
    male = rng.random(len(y)) < _of(species, "male_share")[y]
    median = _of(species, "frequency")[y] * np.where(male, _of(species, "male_ratio")[y], 1.0)
    return median * np.exp(_of(species, "spread")[y] * rng.standard_normal(len(y)))


def draw_signals(species: Sequence[Species], y: Int[np.ndarray, " n"], seed: int) -> Float[np.ndarray, "n 4000"]:
    """What the sensor records of every event, float32 at `SAMPLING_RATE`; for many events use `draw_spectra`.

    Args:
        species: what `y` counts.
        y: the species of each event.
        seed: of the draws; an event depends on those before it.
    """
    return np.concatenate(list(_blocks(species, y, seed)))


def draw_spectra(species: Sequence[Species], y: Int[np.ndarray, " n"], seed: int) -> Float[np.ndarray, "n 193"]:
    """`event_spectra` of `draw_signals`, without ever holding all signals."""
    return np.concatenate([event_spectra(block, SAMPLING_RATE) for block in _blocks(species, y, seed)])


def _blocks(species: Sequence[Species], y: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng([seed, 3])
    f = draw_frequencies(species, y, seed)
    for start in range(0, len(y), _EVENTS_AT_ONCE):
        part = slice(start, start + _EVENTS_AT_ONCE)
        yield _signals(rng, species, y[part], f[part])


def _signals(rng: np.random.Generator, species: Sequence[Species], y: np.ndarray, f: np.ndarray) -> np.ndarray:
    """The formula of the module for a block of events."""
    n = len(y)
    t = np.arange(_NUM_SAMPLES, dtype=np.float32) / SAMPLING_RATE
    end = t[-1]

    def column(values: np.ndarray) -> np.ndarray:
        return values.astype(np.float32)[:, np.newaxis]

    drift = column(_DRIFT * f * rng.standard_normal(n) / (2 * end))
    angle = np.float32(2 * np.pi) * ((column(f) + drift * t) * t)
    turn = np.cos(angle) + 1j * np.sin(angle)  # complex64; its powers are the harmonics
    theta = rng.uniform(0, 2 * np.pi, (n, _NUM_HARMONICS))
    coefficients = (np.array([one.harmonics for one in species])[y] * np.exp(1j * theta)).astype(np.complex64)
    wave = np.zeros_like(turn)
    for h in reversed(range(_NUM_HARMONICS)):  # Horner's rule
        wave += coefficients[:, h, np.newaxis]
        wave *= turn
    transit = column(_of(species, "transit")[y] * np.exp(0.3 * rng.standard_normal(n)))
    brightness = column(_of(species, "brightness")[y] * np.exp(0.5 * rng.standard_normal(n)))
    middle = column(end * rng.uniform(0.4, 0.6, n))
    beam = brightness * np.exp(-2 * ((t - middle) / transit) ** 2)
    noise = rng.standard_normal((n, _NUM_SAMPLES), np.float32)
    return beam * (column(_of(species, "body")[y]) + wave.real) + noise


def _of(species: Sequence[Species], name: str) -> np.ndarray:
    return np.array([getattr(one, name) for one in species])


def make_insects(
    *,
    num_species: int = _NUM_SPECIES,
    num_strangers: int = _NUM_STRANGERS,
    balanced_each: int = 500,
    num_mixed: int = 5000,
    strangers_each: int = 100,
    seed: int = 0,
) -> Insects:
    """Balanced, mixed and held-out events; the defaults are the sizes of the released data.

    Args:
        num_species: known ones.
        num_strangers: held-out ones; may be 0 for none.
        balanced_each: events of each known species.
        num_mixed: events of the known species together.
        strangers_each: events of each held-out species.
        seed: of everything drawn.

    Raises:
        InputError: a number that is not whole or too small.
    """
    for name, value, lowest in (
        ("num_species", num_species, 2),
        ("num_strangers", num_strangers, 0),
        ("balanced_each", balanced_each, 1),
        ("num_mixed", num_mixed, 0),
        ("strangers_each", strangers_each, 1),
        ("seed", seed, 0),
    ):
        if not is_whole(value) or value < lowest:
            raise InputError(f"{name} must be a whole number of at least {lowest}, got {value!r}")
    known, others = _known_and_others(num_species, num_strangers, seed)
    rng = np.random.default_rng([seed, 4])
    shares = rng.dirichlet(np.full(num_species, _EVENNESS))
    return Insects(
        _dataset("wingbeat", known, np.repeat(np.arange(num_species), balanced_each), seed * 3),
        _dataset("wingbeat-mixed", known, rng.choice(num_species, num_mixed, p=shares), seed * 3 + 1),
        _dataset("wingbeat-strangers", others, np.repeat(np.arange(num_strangers), strangers_each), seed * 3 + 2),
    )


def _known_and_others(num_species: int, num_strangers: int, seed: int) -> tuple[list[Species], list[Species]]:
    """Strangers lie between known species."""
    every = invent_species(num_species + num_strangers, seed)
    away = np.linspace(1, len(every) - 2, num_strangers).round().astype(int)
    known = [one for number, one in enumerate(every) if number not in away]
    return known, [every[number] for number in away]


def _dataset(name: str, species: Sequence[Species], y: np.ndarray, seed: int) -> Dataset:
    x = draw_spectra(species, y, seed) if len(y) else np.zeros((0, NUM_BINS), np.float32)
    names = tuple(one.name for one in species)
    return Dataset(x, y.astype(np.int32), name, len(species), names, description="simulated optical insect events")


def known_names() -> tuple[str, ...]:
    """Of the species of the named set `wingbeat`."""
    return tuple(one.name for one in _known_and_others(_NUM_SPECIES, _NUM_STRANGERS, 0)[0])


def stranger_names() -> tuple[str, ...]:
    """Of the species of the named set `wingbeat-strangers`."""
    return tuple(one.name for one in _known_and_others(_NUM_SPECIES, _NUM_STRANGERS, 0)[1])


def known_events() -> tuple[np.ndarray, np.ndarray]:
    """The named set `wingbeat`: x and y of the balanced and the mixed events of seed 0, in this order."""
    made = make_insects(strangers_each=1)
    parts = (made.balanced, made.mixed)
    return np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts])


def strange_events() -> tuple[np.ndarray, np.ndarray]:
    """The named set `wingbeat-strangers`: those of seed 0."""
    made = make_insects(balanced_each=1, num_mixed=0)
    assert made.strangers.y is not None, "drawn with it"
    return made.strangers.x, made.strangers.y
