"""What training rows look like, kept with the model, so that rows of another unit or range do not pass for theirs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from vaeclust_jax.data.mapped import Rows, chunks
from vaeclust_jax.data.moments import Moments
from vaeclust_jax.errors import InputError
from vaeclust_jax.shown import shortened

_ROWS = 10_000
"""Evenly spaced, by which the quantiles are found."""
_FOR_A_MIDDLE = 1000
"""Likewise, by which a median is found."""
_SHARE = 0.01
"""Of the rows below the low quantile, and above the high one."""
_FEW = 20
"""Rows below which their spread says nothing."""
_FEWEST = 5
"""Rows that do not all lie outside of a feature's range by chance."""
_NOTHING = 1e-9
"""Of the deviation in training: what rounding leaves of equal rows."""
_BRIGHTER = 1.1
"""Times: images whose middle one is so much brighter than almost all of training's, or darker, are of another kind."""
_BESIDE = 0.25
"""Of a feature's range: rows that are all that far beside it, in half of the features, are of another unit or kind."""
_NARROW = 20.0
"""Times: rows that vary so much less than training's are in another unit."""
_OF_AN_IMAGE = ("an image's mean", "an image's deviation", "an image's maximum")

Called = Callable[[int], str]
"""What to call a feature of vectors, or one of those numbers, by its place."""


class Unlike(NamedTuple):
    """What is odd about rows.

    Attributes:
        far: (n,) whether each lies far outside the range of the training rows.
        sentence: what to say of them; "" if nothing is odd.
        all_of_them: whether no answer about them means anything.
    """

    far: np.ndarray
    sentence: str
    all_of_them: bool


class _Far(NamedTuple):
    """Rows that are far outside.

    Attributes:
        rows: (n,) which.
        counts, first: of each feature (k,), how many there are, and the first one's value.
        std: of each feature (k,) in all rows.
    """

    rows: np.ndarray
    counts: np.ndarray
    first: np.ndarray
    std: np.ndarray

    @property
    def said(self) -> str:
        return f"{self.rows.sum()} of {len(self.rows)} rows"

    @property
    def where(self) -> str:
        return "" if self.rows.all() else f" (the first is row {self.rows.argmax()})"


@dataclass(frozen=True, eq=False)
class Seen:
    """Of each feature of vectors, or of the mean, deviation and maximum of each image in [0, 1]: (k,) numbers.

    Vectors are raw, but those that are scaled row by row.

    Attributes:
        low, high: the smallest and the largest.
        mean, std: in float64.
        lower, upper: quantiles of 1 % and 99 %.
    """

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    @classmethod
    def of(cls, rows: Rows) -> "Seen":
        """What the training rows look like: raw vectors, vectors scaled row by row, or prepared images."""
        some = np.concatenate([_numbers(part) for part in chunks(_some(rows))])
        edges = [(part.min(axis=0), part.max(axis=0)) for part in map(_numbers, chunks(rows))]
        low, high = np.min([one[0] for one in edges], axis=0), np.max([one[1] for one in edges], axis=0)
        lower, upper = np.quantile(some, [_SHARE, 1 - _SHARE], axis=0)
        return cls(low, high, some.mean(axis=0), some.std(axis=0), lower, upper)

    def judge(self, rows: Rows, names: Sequence[str] | None = None) -> Unlike:
        """Which rows are far outside, and whether all of them look like another unit or range.

        Args:
            rows: (n, F) raw vectors, or (n, H, W, C) prepared images.
            names: of the features of vectors, where they have some.
        """
        images = rows.ndim == 4
        if images:
            rows = np.concatenate([_numbers(part) for part in chunks(rows)])
        called: Called = _OF_AN_IMAGE.__getitem__ if images else partial(_feature, names)
        far = self._far_rows(rows, self._dark_or_bright if images else self._far)
        if far.rows.any():
            worst = int(far.counts.argmax())
            odd = (
                f"{far.said} lie far outside the range of the training rows: {called(worst)} was "
                f"{self.low[worst]:.4g} to {self.high[worst]:.4g} there and is {far.first[worst]:.4g} here{far.where}"
            )
        elif images:
            odd = self._displaced(rows, called, _BRIGHTER)
        else:
            odd = self._spread(far) or self._displaced(rows, called) or self._beside(rows, called)
        sentence = f"{odd}; are units and scale those of training?" if odd else ""
        return Unlike(far.rows, sentence, bool(far.rows.all()))

    def judge_shapes(self, rows: Rows) -> Unlike:
        """The same of vectors (n, F) that are scaled one by one, of which nothing but the shape is left.

        Rows of one value everywhere have none, and count as far outside.
        """
        far = self._far_rows(rows, lambda numbers: self._far(numbers) | (numbers.max(axis=1, keepdims=True) == 0))
        odd = self._displaced(rows, partial(_feature, None))
        if far.rows.any():
            odd = (
                f"{far.said} have a feature far outside its part of a row's range in training, or one value "
                f"everywhere{far.where}"
            )
        sentence = f"{odd}; are these the features of training, in their order?" if odd else ""
        return Unlike(far.rows, sentence, bool(far.rows.all()))

    def _far_rows(self, rows: Rows, is_far: Callable[[np.ndarray], np.ndarray]) -> _Far:
        counts, first, found, spread = np.zeros(len(self.low), int), np.full(len(self.low), np.nan), [], Moments()
        for part in map(_numbers, chunks(rows)):
            far = is_far(part)
            new = (counts == 0) & far.any(axis=0)
            first[new] = part[far.argmax(axis=0), np.arange(len(first))][new]
            counts += far.sum(axis=0)
            found.append(far.any(axis=1))
            spread = spread.and_of(part, axis=0)
        return _Far(np.concatenate(found), counts, first, np.sqrt(spread.variance))

    def _far(self, numbers: np.ndarray) -> np.ndarray:
        """Further outside than the range is wide; constant features say nothing of what is far."""
        width = self.high - self.low
        return (width > 0) & ((numbers < self.low - width) | (numbers > self.high + width))

    def _dark_or_bright(self, numbers: np.ndarray) -> np.ndarray:
        """Half as bright, or as rich in contrast, as any training image, or twice."""
        return (numbers < 0.5 * self.low) | (numbers > 2 * self.high + 1e-6)

    def _displaced(self, rows: Rows, called: Called, times: float = 1.0) -> str:
        """Whether the middle of the rows is, in some feature, where hardly any row of training is: `times` beyond."""
        if len(rows) < _FEW:
            return self._outside(rows, called, times)
        middle = np.median(np.concatenate([_numbers(part) for part in chunks(_some(rows, _FOR_A_MIDDLE))]), axis=0)
        lower, upper = self.lower / times, self.upper * times
        beyond = np.where(self.high > self.low, np.maximum(lower - middle, middle - upper), 0)
        if not (beyond > 0).any():
            return ""
        width = np.maximum(upper - lower, np.finfo(float).tiny)
        worst = int(np.argmax(beyond / width))
        more = f" (and {(beyond > 0).sum() - 1} more)" if (beyond > 0).sum() > 1 else ""
        return (
            f"half of the rows lie where hardly any of training's did: {called(worst)}{more} has the median "
            f"{middle[worst]:.4g} here and was {self.lower[worst]:.4g} to {self.upper[worst]:.4g} in 98 % of training"
        )

    def _outside(self, rows: Rows, called: Called, times: float) -> str:
        """Whether each of a few rows is, in the same feature, where no row of training is: `times` beyond."""
        if len(rows) < _FEWEST:
            return ""
        numbers = np.concatenate([_numbers(part) for part in chunks(rows)])
        low, high = self.low / times, self.high * times
        beyond = (self.high > self.low) & ((numbers.max(axis=0) < low) | (numbers.min(axis=0) > high))
        if not beyond.any():
            return ""
        first = int(beyond.argmax())
        more = f" (and {beyond.sum() - 1} more are outside)" if beyond.sum() > 1 else ""
        return (
            f"every row lies outside the range of the training rows: {called(first)} was {self.low[first]:.4g} to "
            f"{self.high[first]:.4g} there and is {numbers[0, first]:.4g} in row 0 here{more}"
        )

    def _spread(self, found: _Far) -> str:
        known = self.std > 0
        if len(found.rows) < _FEW or not known.any():
            return ""
        ratio = float(np.median(found.std[known] / self.std[known]))
        if ratio < _NOTHING:
            return "the rows are equal in most features, and those of training were not"
        return "" if ratio * _NARROW >= 1 else f"the rows vary {1 / ratio:.3g} times less than those of training"

    def _beside(self, rows: Rows, called: Called) -> str:
        """Whether all rows are outside in half of the features, though none is far: a few say so, too."""
        width = self.high - self.low
        known, first = width > 0, None
        for part in map(_numbers, chunks(rows)):
            outside = (part < self.low - _BESIDE * width) | (part > self.high + _BESIDE * width)
            if not known.any() or (outside[:, known].mean(axis=1) < 0.5).any():
                return ""
            first = (part[0], outside[0] & known) if first is None else first
        assert first is not None
        feature = int(first[1].argmax())
        return (
            f"every row lies outside the range of the training rows in half of the features or more: "
            f"{called(feature)} was {self.low[feature]:.4g} to {self.high[feature]:.4g} there and is "
            f"{first[0][feature]:.4g} in row 0 here"
        )

    def to_json(self) -> dict[str, list[float]]:
        """A plain dict that `from_json` reads back."""
        return {one.name: getattr(self, one.name).tolist() for one in fields(self)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any], count: int) -> "Seen":
        """What `to_json` described.

        Raises:
            InputError: not `count` finite numbers of each.
        """
        arrays = {one.name: np.array(record[one.name], np.float64) for one in fields(cls)}
        for name, array in arrays.items():
            if array.shape != (count,) or not np.isfinite(array).all():
                raise InputError(f"its {name} of the training rows must be {count} finite numbers")
        return cls(**arrays)


def _some(rows: Rows, most: int = _ROWS) -> Rows:
    return rows[:: max(1, len(rows) // most)]


def _feature(names: Sequence[str] | None, number: int) -> str:
    return f"feature {number}" if names is None else f"feature {shortened(names[number])!r}"


def _numbers(rows: np.ndarray) -> np.ndarray:
    """(n, k) of vectors (n, F) or images (n, H, W, C), float64."""
    if rows.ndim == 2:
        return rows.astype(np.float64)
    flat = rows.reshape(len(rows), -1)
    return np.stack([flat.mean(axis=1), flat.std(axis=1), flat.max(axis=1)], axis=1).astype(np.float64)
