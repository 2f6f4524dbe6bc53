"""Data made here: a chaotic series, labelled series, a surface over two inputs, and a noisy wave. Always the same."""

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray | None]

_STEPS = 128
_WEIGHTS = (9, 7, 5, 3, 1)


def lorenz() -> Arrays:
    """3,000 values of x^2 of the Lorenz system (1963), as of a chaotic laser's intensity, every 0.08 of its time.

    dx = 10 (y - x), dy = x (28 - z) - y, dz = x y - 8/3 z, by the Runge-Kutta method of order four, steps of 0.01.
    """

    def slope(at: np.ndarray) -> np.ndarray:
        x, y, z = at
        return np.array([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])

    at, step = np.array([1.0, 1.0, 25.0]), 0.01
    values: list[float] = []
    for number in range(8 * (3000 + 100)):
        if number % 8 == 0:
            values.append(at[0] ** 2)
        first = slope(at)
        second = slope(at + step / 2 * first)
        third = slope(at + step / 2 * second)
        at = at + step / 6 * (first + 2 * second + 2 * third + slope(at + step * third))
    return np.array(values[100:], np.float32)[:, np.newaxis], None


def cylinder_bell_funnel() -> Arrays:
    """900 series of 128 steps, 300 a class: a plateau, a rise or a fall between two times (Saito 1994), with noise."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(3, dtype=np.int32), 300)
    begins, lengths = rng.integers(16, 33, len(y)), rng.integers(32, 97, len(y))
    heights = 6 + rng.normal(size=len(y))
    time = np.arange(_STEPS)
    x = rng.normal(size=(len(y), _STEPS))
    for row, (kind, begin, length, height) in enumerate(zip(y, begins, lengths, heights, strict=True)):
        end = min(begin + length, _STEPS - 1)
        share = (time - begin) / (end - begin)
        shape = (np.ones(_STEPS), share, 1 - share)[kind]
        x[row] += height * np.where((time >= begin) & (time <= end), shape, 0)
    return x.astype(np.float32), y


def smooth_surface() -> Arrays:
    """3,000 rows of two inputs a, b uniform in [-1, 1] and a value, the mean of five smooth functions by weight.

    The weights are 9, 7, 5, 3, 1 over 25; the functions cos(pi a) cos(pi b), exp(-4 (a^2 + b^2)), a b,
    tanh(3 (a - b)), and sin(3 a) + b^2.
    """
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, 3000))
    functions = (
        np.cos(np.pi * a) * np.cos(np.pi * b),
        np.exp(-4 * (a**2 + b**2)),
        a * b,
        np.tanh(3 * (a - b)),
        np.sin(3 * a) + b**2,
    )
    value = sum(weight * one for weight, one in zip(_WEIGHTS, functions, strict=True)) / sum(_WEIGHTS)
    return np.column_stack([a, b, value]).astype(np.float32), None


def noisy_wave() -> Arrays:
    """300 rows of x from 0 to pi and sin(x^2) with normal noise of deviation 0.2."""
    x = np.linspace(0, np.pi, 300)
    return np.column_stack([x, np.sin(x**2) + 0.2 * np.random.default_rng(0).normal(size=300)]).astype(np.float32), None
