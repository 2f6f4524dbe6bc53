"""What a person may choose about the way raw data become a model's input."""

from dataclasses import dataclass
from typing import Literal

from vaeclust_jax.checks import check_types
from vaeclust_jax.errors import InputError

_SIDE = 32
"""Pixels."""
Scaling = Literal["auto", "none", "standardise", "standardise-all", "minmax", "minmax-row"]


@dataclass(frozen=True)
class PrepareConfig:
    """How raw data become the model's input, and which rows are held out.

    Raises:
        InputError: if a value is not allowed.

    Example:
        >>> vc.Config(vc.DEC(10), vc.PrepareConfig(image_size=None, validation=0.1)).prepare.validation
        0.1
    """

    image_size: tuple[int, int] | Literal["auto"] | None = "auto"
    """Height and width to resize images to; none keeps their size. auto keeps it up to 32 pixels a side, and makes
    larger images 32 x 32."""

    grey: bool = False
    """Turn colour images into one grey channel (ITU-R 601 luma)."""

    scaling: Scaling = "auto"
    """Scaling of vectors, fitted on the training rows. Per feature, or (standardise-all) by one mean and deviation for
    all features, as stretches of a series need it, or (minmax-row) of every row by its own extremes. auto standardises,
    or for machines of binary units is minmax. Images always stay in [0, 1]."""

    validation: float = 0.2
    """Share of the rows held out, from 0 to below 1."""

    stratify: bool = False
    """Keep the class proportions in both parts; reads the labels, for the split only."""

    split: Literal["random", "last"] = "random"
    """Which rows are held out: a random part, or the last ones, so that of rows in the order of time no earlier one is
    judged by what came later."""

    split_seed: int = 0
    """Seed of the random split."""

    def size_of(self, shape: tuple[int, ...]) -> tuple[int, int] | None:
        """What images of a shape (H, W, C) are resized to; None: nothing."""
        if self.image_size == "auto":
            return None if max(shape[:2]) <= _SIDE else (_SIDE, _SIDE)
        return self.image_size

    def __post_init__(self) -> None:
        check_types(self)
        if isinstance(self.image_size, tuple) and min(self.image_size) < 1:
            raise InputError(f"image_size must be a height and a width of at least 1 pixel, got {self.image_size}")
        if self.image_size == (1, 1):
            raise InputError("image_size must leave more than one pixel, got (1, 1)")
        if not 0 <= self.validation < 1:
            raise InputError(f"validation must be a share from 0 to below 1, got {self.validation}")
        if self.split == "last" and self.stratify:
            raise InputError("stratify=True is for a random split: leave it out, or set split to 'random'")
        if not 0 <= self.split_seed < 2**32:
            raise InputError(f"split_seed must be a whole number from 0 to 2**32 - 1, got {self.split_seed}")
