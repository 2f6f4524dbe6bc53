"""What forecasts are held against: the past that was most like now, a linear model, and a reservoir.

Each is (past (t,), told (o, m), horizon, seed) -> (o, horizon): what it learns from, the values before each origin of
which it is told, and how far it predicts, in a closed loop.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

Past = Float[np.ndarray, " t"]
Told = Float[np.ndarray, "o m"]
Forecasts = Float[np.ndarray, "o h"]

_UNITS, _RADIUS, _INPUT, _RIDGE, _WASHOUT = 300, 0.9, 0.5, 1e-6, 50
_SMALL = 1e-6


class SeriesBaseline(NamedTuple):
    """A forecast without a trained network.

    Attributes:
        forecast: (what is learned from, values before each origin, horizon, seed) -> forecasts.
        random: whether the seed changes anything.
    """

    forecast: Callable[[Past, Told, int, int], Forecasts]
    random: bool


def analogue(past: Past, told: Told, horizon: int, seed: int = 0) -> Forecasts:
    """What followed the stretch of the past that is nearest to the values told (Lorenz 1969).

    The nearest are looked for among those that are followed by a horizon, or by half of the past where it has no such.
    """
    size = told.shape[1]
    after = min(horizon, (len(past) - size) // 2)
    stretches = np.lib.stride_tricks.sliding_window_view(past[: len(past) - after], size)
    answers = np.empty((len(told), horizon))
    for row, values in enumerate(told):
        known = values.astype(np.float64)
        while len(known) < size + horizon:
            nearest = int(((stretches - known[-size:]) ** 2).sum(axis=1).argmin())
            known = np.append(known, past[nearest + size : nearest + size + after])
        answers[row] = known[size : size + horizon]
    return answers


def linear(past: Past, told: Told, horizon: int, seed: int = 0) -> Forecasts:
    """An autoregression on all values told, with a constant, by least squares with a little ridge."""
    size = told.shape[1]
    mean, scale = past.mean(), past.std()
    rows = np.lib.stride_tricks.sliding_window_view((past - mean) / scale, size + 1)
    design = np.column_stack([rows[:, :-1], np.ones(len(rows))])
    weights = _ridge(design, rows[:, -1], _SMALL)
    known = (told - mean) / scale
    for _ in range(horizon):
        following = np.column_stack([known[:, -size:], np.ones(len(known))]) @ weights
        known = np.column_stack([known, following])
    return known[:, size:] * scale + mean


def reservoir(past: Past, told: Told, horizon: int, seed: int) -> Forecasts:
    """An echo state network (Jaeger 2001): a random recurrent net, of which only the linear answer is learned."""
    rng = np.random.default_rng(seed)
    recurrent = rng.uniform(-1, 1, (_UNITS, _UNITS)) * (rng.random((_UNITS, _UNITS)) < 0.1)
    recurrent *= _RADIUS / np.abs(np.linalg.eigvals(recurrent)).max()
    inputs = rng.uniform(-_INPUT, _INPUT, (_UNITS, 2))
    mean, scale = past.mean(), past.std()

    def state_after(state: np.ndarray, value: np.ndarray) -> np.ndarray:
        return np.tanh(state @ recurrent.T + np.outer(value, inputs[:, 0]) + inputs[:, 1])

    values = (past - mean) / scale
    states, state = [], np.zeros((1, _UNITS))
    for value in values[:-1]:
        state = state_after(state, np.array([value]))
        states.append(np.append(state[0], [value, 1.0]))
    skipped = min(_WASHOUT, len(states) // 4)
    weights = _ridge(np.array(states[skipped:]), values[skipped + 1 :], _RIDGE)
    state, known = np.zeros((len(told), _UNITS)), (told - mean) / scale
    answers: list[np.ndarray] = []
    for step in range(told.shape[1] + horizon - 1):
        value = known[:, step] if step < known.shape[1] else answers[-1]
        state = state_after(state, value)
        if step >= known.shape[1] - 1:
            answers.append(np.column_stack([state, value, np.ones(len(value))]) @ weights)
    return np.stack(answers, axis=1) * scale + mean


def _ridge(design: np.ndarray, target: np.ndarray, penalty: float) -> np.ndarray:
    gram = design.T @ design + penalty * len(design) * np.eye(design.shape[1])
    return np.asarray(np.linalg.solve(gram, design.T @ target))


SERIES_BASELINES = {
    "nearest past": SeriesBaseline(analogue, random=False),
    "linear AR": SeriesBaseline(linear, random=False),
    "echo state network": SeriesBaseline(reservoir, random=True),
}
"""By the name that tables have for it."""
