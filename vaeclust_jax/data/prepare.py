"""From raw samples to what a model trains on: fitted on training rows once, then the same for all data."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeclust_jax.checks import is_whole
from vaeclust_jax.data.config import PrepareConfig
from vaeclust_jax.data.dataset import Dataset, check_array
from vaeclust_jax.data.frames import frame_columns, in_order
from vaeclust_jax.data.mapped import Rows, StoredRows, chunks, mapped_rows
from vaeclust_jax.data.pictures import Pictures
from vaeclust_jax.data.reading import Columns, listed
from vaeclust_jax.data.resize import resize_images
from vaeclust_jax.data.scaling import FARTHEST, fit_scaling, scale_rows, too_far
from vaeclust_jax.data.seen import Seen, Unlike
from vaeclust_jax.errors import InputError, InputWarning

_LARGEST_SAMPLE = 2**26
"""Values: no model of ours is near it."""
_LARGEST_VALUE = 1e300
_DIM = 0.25
"""Of the range of images: what uses less is of another range, or nearly black."""
_MOST = 0.9
"""Of images: if so many are nearly black, a few bright ones hide it."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


@dataclass(frozen=True, eq=False)
class Preparation:
    """A fitted way from raw samples to model input, the same for training, validation and prediction.

    Attributes:
        input_shape: of one raw training sample, `(H, W, C)` or `(F,)`.
        output_shape: of one prepared sample, `(H, W, C)` or `(F,)`.
        image_size: `(H, W)` that images are resized to, or None.
        grey: whether images become grey.
        white: the whole number that is 1.0 of images of bytes; 255, unless training's used a small part of that.
        offset: subtracted from vectors, `(F,)` float64, or None.
        scale: then divides them, `(F,)` float64, or None.
        by_row: whether every vector is brought to [0, 1] by its own extremes.
        columns: of vectors with names: which columns they are, in this order.
        pictures: of picture files: how they are brought to one size and range.
        seen: what the training rows look like; None of an earlier version's.
    """

    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    image_size: tuple[int, int] | None = None
    grey: bool = False
    white: int = 255
    offset: np.ndarray | None = None
    scale: np.ndarray | None = None
    by_row: bool = False
    columns: Columns | None = None
    pictures: Pictures | None = None
    seen: Seen | None = None

    def apply(self, x_raw: object) -> np.ndarray:
        """Prepares samples of the kind this was fitted on.

        Args:
            x_raw: samples as `check_array` takes them, of the shape trained on; images may have any height
                and width if `image_size` is set, and any number of channels if `grey` is.

        Returns:
            `(n, *output_shape)` float32: images in [0, 1], vectors scaled (and not clipped).

        Raises:
            InputError: if the samples cannot be used or brought to the model's shape.
        """
        x = check_array(self._ordered(x_raw))
        self._check_shape(x.shape[1:])
        return self._vectors(x) if x.ndim == 2 else self._images(x)

    def check(self) -> None:
        """Whether the parts agree, of a preparation that comes from a file; nothing as large as they say is made.

        Raises:
            InputError: names what does not.
        """
        before, after = self.input_shape, self.output_shape
        for shape in (before, after):
            whole = len(shape) in (1, 3) and all(is_whole(side) and side > 0 for side in shape)
            if not whole or np.prod(shape, dtype=float) > _LARGEST_SAMPLE:
                raise InputError(f"its samples have an impossible shape, {str(shape)[:60]}")
        expected = before
        if len(before) == 3:
            expected = (*(self.image_size or before[:2]), 1 if self.grey else before[2])
        elif self.image_size is not None or self.grey or self.pictures is not None:
            raise InputError("its vectors are prepared as images")
        if tuple(expected) != after:
            raise InputError(f"its preparation gives {str(expected)[:60]}, its networks take {after}")
        for values in (self.offset, self.scale):
            if values is not None and values.shape != before:
                raise InputError(f"its scaling is of {values.shape} features for samples of {before}")
            if values is not None and not (np.abs(values) < _LARGEST_VALUE).all():
                raise InputError("its scaling must be by finite numbers")
        if self.scale is not None and (self.scale <= 0).any():
            raise InputError("its scaling must be by positive numbers")
        if self.columns is not None and (len(self.columns.features),) != before:
            raise InputError(f"it names {len(self.columns.features)} columns for samples of {before}")

    def rows(self, x_raw: object) -> Rows:
        """`apply`; of a mapped array that stays in its file, rows that are prepared, and may raise, when read."""
        x = checked_rows(self._ordered(x_raw))
        if not isinstance(x, StoredRows):
            return self.apply(x)
        self._check_shape(x.shape[1:])
        return x.converted(self.apply)

    def unlike(self, x_raw: object, prepared: Rows | None = None) -> Unlike | None:
        """What is odd about samples beside those trained on; None if nothing is known.

        Of vectors that are scaled one by one the shape is judged: gain and offset are any. A mapped array is read once.

        Args:
            x_raw: samples, as for `apply`.
            prepared: what `rows` made of them, if that is at hand.

        Raises:
            InputError: as `apply`.
        """
        if self.seen is None:
            return None
        if len(self.input_shape) == 1 and not self.by_row:
            x = checked_rows(self._ordered(x_raw))
            self._check_shape(x.shape[1:])
            return self.seen.judge(x, None if self.columns is None else self.columns.features)
        rows = self.rows(x_raw) if prepared is None else prepared
        return self.seen.judge_shapes(rows) if self.by_row else self.seen.judge(rows)

    def _ordered(self, x_raw: object) -> object:
        """A frame's columns by name, a data set's samples."""
        if not isinstance(x_raw, Dataset):
            return in_order(x_raw, self.columns)
        mine, theirs = self.columns, x_raw.columns
        if mine is not None and theirs is not None and theirs.features != mine.features:
            raise InputError(
                f"{x_raw.name} has the features {listed(theirs.features)}, but the model was trained on "
                f"{listed(mine.features)}: load(path, like=run.preparation) reads them by name"
            )
        return x_raw.x

    def _check_shape(self, got: tuple[int, ...]) -> None:
        fits = len(got) == len(self.input_shape)
        if fits and len(got) == 1:
            fits = got == self.input_shape
        elif fits:
            fits = (self.image_size is not None or got[:2] == self.input_shape[:2]) and (
                self.grey or got[2] == self.input_shape[2]
            )
        if not fits:
            raise InputError(
                f"samples must have the shape {self.input_shape} that the model was trained on, got {got}"
                f"{self._hint(got) if len(got) == len(self.input_shape) == 3 else ''}"
            )

    def _hint(self, got: Sequence[int]) -> str:
        same_size = self.image_size is not None or got[:2] == self.input_shape[:2]
        size = "" if same_size else "resize them first, or train with image_size set"
        same_channels = self.grey or got[2] == self.input_shape[2]
        channels = "" if same_channels else "bring them to the same channels, or train with grey set"
        return "; " + " and ".join(part for part in (size, channels) if part)

    def _vectors(self, x: np.ndarray) -> np.ndarray:
        if self.by_row:
            return scale_rows(x)
        if self.offset is None or self.scale is None:
            plain = x.astype(np.float32)
            if (feature := too_far(plain)) is not None:
                raise InputError(
                    f"feature {feature} of the samples holds values beyond {FARTHEST:g}, which float32 cannot square: "
                    "mend them, or use scaling 'standardise'"
                )
            return plain
        with np.errstate(over="ignore"):
            scaled = ((x - self.offset) / self.scale).astype(np.float32)
        if (feature := too_far(scaled)) is not None:
            raise InputError(f"feature {feature} of the samples lies too far outside its training range to be scaled")
        return scaled

    def _images(self, x: np.ndarray) -> np.ndarray:
        x = np.divide(x, self.white, dtype=np.float32) if x.dtype == np.uint8 else x
        if self.grey:
            # Two and four channels are grey and colour with transparency, which is dropped.
            x = x[..., :1] if x.shape[-1] < 3 else (x[..., :3] @ LUMA)[..., np.newaxis]
        if self.image_size is not None:
            x = resize_images(x, self.image_size)
        return np.clip(x, 0, 1)

    def to_json(self) -> dict[str, Any]:
        """Everything fitted, as a plain dict that `json` can write and `from_json` reads back exactly."""
        return {
            "input_shape": [*map(int, self.input_shape)],
            "output_shape": [*map(int, self.output_shape)],
            "image_size": None if self.image_size is None else [*map(int, self.image_size)],
            "grey": self.grey,
            "white": self.white,
            "offset": None if self.offset is None else self.offset.tolist(),
            "scale": None if self.scale is None else self.scale.tolist(),
            "by_row": self.by_row,
            "columns": None if self.columns is None else self.columns.to_json(),
            "pictures": None if self.pictures is None else self.pictures.to_json(),
            self._seen_key(self.by_row): None if self.seen is None else self.seen.to_json(),
        }

    @staticmethod
    def _seen_key(by_row: bool) -> str:
        """Models of an earlier version kept the raw values of rows that are scaled one by one."""
        return "seen_shapes" if by_row else "seen"

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Preparation":
        """The preparation that `to_json` described."""
        size, columns, shape = fields["image_size"], fields.get("columns"), tuple(fields["input_shape"])
        by_row = fields.get("by_row", False)  # models of an earlier version have none, nor columns
        seen = fields.get(cls._seen_key(by_row))
        return cls(
            input_shape=shape,
            output_shape=tuple(fields["output_shape"]),
            image_size=None if size is None else (size[0], size[1]),
            grey=fields["grey"],
            white=_checked_white(fields.get("white", 255)),
            offset=None if fields["offset"] is None else np.array(fields["offset"], np.float64),
            scale=None if fields["scale"] is None else np.array(fields["scale"], np.float64),
            by_row=by_row,
            columns=None if columns is None else Columns.from_json(columns),
            pictures=None if fields.get("pictures") is None else Pictures.from_json(fields["pictures"]),
            seen=None if seen is None else Seen.from_json(seen, shape[0] if len(shape) == 1 else 3),
        )


def checked_rows(x: object) -> Rows:
    """`check_array`; of a mapped array that stays in its file, of the rows that are read when they are."""
    if isinstance(x, Dataset):
        x = x.x
    mapped = mapped_rows(x, check_array)
    return check_array(x) if mapped is None else mapped


def columns_of(x: object) -> Columns | None:
    """The names of the features, where samples come with them: a data set of a table, or a frame."""
    return x.columns if isinstance(x, Dataset) else frame_columns(x)


def fit_preparation(x_raw_train: object, config: PrepareConfig, weight: np.ndarray | None = None) -> Preparation:
    """Fits the preparation on the training rows alone; that all of them are equal is an `InputWarning`.

    Args:
        x_raw_train: the training samples, as `check_array` takes them.
        config: resizing, grey and scaling.
        weight: `(n,)` above 0, what each sample counts in the mean and deviation; None: all the same.

    Returns:
        The fitted preparation.

    Raises:
        InputError: if the samples cannot be used, or the configuration is for the other kind of data.
    """
    x = checked_rows(x_raw_train)
    shape = x.shape[1:]
    if isinstance(x, np.ndarray) and len(x) > 1 and (x[0] == x[-1]).all() and (x == x[0]).all():
        warnings.warn(f"all {len(x)} samples are equal: there is nothing to tell apart", InputWarning, stacklevel=2)
    if x.ndim == 2:
        if config.grey or config.image_size not in (None, "auto"):
            option = "grey" if config.grey else "image_size"
            raise InputError(f"{option} is for images, but the samples are vectors of {shape[0]} features")
        offset, scale = fit_scaling(x, "standardise" if config.scaling == "auto" else config.scaling, weight)
        return Preparation(shape, shape, offset=offset, scale=scale, by_row=config.scaling == "minmax-row")
    if config.scaling not in ("auto", "none"):
        raise InputError(f"scaling={config.scaling!r} is for vectors; images stay in [0, 1] (scaling='auto' or 'none')")
    size = config.size_of(shape)
    output = (*(size or shape[:2]), 1 if config.grey else shape[2])
    return Preparation(shape, output, image_size=size, grey=config.grey, white=_white_of(x))


def _white_of(x: Rows) -> int:
    """The value of white in images; said if it is not what their type says, or they are nearly black."""
    white, said = white_of(x)
    if said:
        warnings.warn(said, InputWarning, stacklevel=2)
    return white


def white_of(x: Rows) -> tuple[int, str]:
    """The value of white in images of bytes, the largest one if that is a small part of 255, and what to say of it."""
    edges = [(part.min(), part.max(axis=(1, 2, 3))) for part in chunks(x)]
    low, highs = min(one for one, _ in edges), np.concatenate([one for _, one in edges])
    high, dim = highs.max(), _DIM * (255 if x.dtype == np.uint8 else 1)
    if x.dtype == np.uint8 and 0 < high < dim:
        return int(high), f"images hold whole numbers from {low} to {high} and no more: {high} is taken as white"
    if high < dim:
        return 255, f"images are nearly black: their values lie in {low:.3g} to {high:.3g}; is their range right?"
    dark = highs < dim
    if dark.mean() < _MOST:
        return 255, ""
    most = f"{dark.sum()} of {len(x)} images hold nothing above {highs[dark].max():.3g}, the others up to {high:.3g}"
    return 255, f"{most}: most are nearly black; is their range right?"


def _checked_white(value: object) -> int:
    if not isinstance(value, int) or not 1 <= value <= 255:
        raise InputError("its white must be a whole number from 1 to 255")
    return value
