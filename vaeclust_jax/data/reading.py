"""What a person may say about the way files are read, and what a model keeps of it to read later files alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vaeclust_jax.checks import check_types
from vaeclust_jax.errors import InputError

NONE = "none"
"""In the place of a column's name: there is no such column."""


@dataclass(frozen=True)
class ReadConfig:
    """How tables and pictures are read where they do not say it themselves.

    Raises:
        InputError: a value that is not allowed.
    """

    column: str | None = None
    """The one column of a table that is read, such as a series. Default: all of them."""

    label_column: str | None = None
    """Column of a table with the classes; "none": every column is a feature. Default: found by its name, and said."""

    index_column: str | None = None
    """Column of a table that only numbers or names the rows; "none": there is none. Default: found, and said."""

    subject_column: str | None = None
    """Column of a table that says whose a row is: a patient, a plate. Rows of one are held out together."""

    drop_columns: tuple[str, ...] = ()
    """Columns of a table to leave out."""

    header: Literal["auto", "yes", "no"] = "auto"
    """Whether the first row of a text table holds names: --header or --no-header. Default: found, and said."""

    missing: Literal["refuse", "drop", "mean"] = "refuse"
    """Missing values of a table: refused, rows dropped, or the mean. The mean is the column's, and a refusal
    names row and column."""

    categorical: Literal["refuse", "onehot"] = "refuse"
    """Text columns of a table: refused by name, or a feature of zeros and ones for each of their values."""

    array: str | None = None
    """Which array of an .npz, .mat or .h5ad file holds the samples. Default: the one called x, X, data or the like."""

    sizes: Literal["pad", "crop", "stretch"] = "pad"
    """How pictures of many sizes are brought to their median size."""

    longest_side: int | None = None
    """Pixels of the longest side that larger pictures are brought to while they are read. Default: as they are."""

    intensity_range: tuple[float, float] | None = None
    """Values of black and white in pictures of more than 8 bits or of floats. Default: those found, which is said."""

    recordings: Literal["refuse", "convert"] = "refuse"
    """Recordings of another rate than 20.8 kHz or of several channels: refused, or resampled and mixed down."""

    window: float | None = None
    """Seconds of a recording that are a sample each; default: each file is one."""

    def __post_init__(self) -> None:
        check_types(self)
        if self.window is not None and not 0 < self.window < 1e9:
            raise InputError(f"window must be positive seconds, got {self.window}")
        if self.longest_side is not None and not 2 <= self.longest_side < 10**5:
            raise InputError(f"longest_side must be at least 2 pixels, got {self.longest_side}")
        if self.intensity_range is not None and not -1e38 < self.intensity_range[0] < self.intensity_range[1] < 1e38:
            raise InputError(f"intensity_range must be black and a larger white, got {self.intensity_range}")


@dataclass(frozen=True)
class Columns:
    """How the columns of a table become features.

    Attributes:
        names: of the columns that are used, in the model's order.
        label: the column of the classes, or None.
        index: the column that names the rows, or None; it is in `left_out`, too.
        left_out: the columns that number the rows or were dropped.
        categories: of each text column among `names`, its values in the order of their features.
        means: in the place of missing values, by column; empty where those are not filled.
    """

    names: tuple[str, ...]
    label: str | None = None
    left_out: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] | None = None
    means: Mapping[str, float] | None = None
    index: str | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features: a text column has one for each of its values."""
        known = self.categories or {}
        return tuple(
            feature
            for name in self.names
            for feature in ([f"{name}={value}" for value in known[name]] if name in known else [name])
        )

    def to_json(self) -> dict[str, Any]:
        """A plain dict that `from_json` reads back."""
        return {
            "names": list(self.names),
            "label": self.label,
            "left_out": list(self.left_out),
            "categories": {name: list(values) for name, values in (self.categories or {}).items()},
            "means": dict(self.means or {}),
            "index": self.index,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Columns":
        """The columns that `to_json` described.

        Raises:
            InputError: a record of other types.
        """
        categories, means = dict(record["categories"]), dict(record["means"])
        values = [value for some in categories.values() for value in some]
        texts = [*record["names"], *record["left_out"], *categories, *means, *values]
        label, index = record["label"], record.get("index")  # older models have none
        if not all(isinstance(one, str) for one in [*texts, label or "", index or ""]):
            raise InputError("the names of its columns must be text")
        return cls(
            tuple(record["names"]),
            label,
            tuple(record["left_out"]),
            {name: tuple(values) for name, values in categories.items()},
            {name: float(value) for name, value in means.items()},
            index,
        )


def listed(names: Any, most: int = 8) -> str:
    """Names in a sentence, the first few of many, each quoted and none longer than 40 characters."""
    shown = [repr(name if len(name) <= 40 else f"{name[:40]}...") for name in list(names)[:most]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
