"""A data set as networks see it: prepared once, read once, encoded once for each encoder, whatever is fitted to it."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.data import Columns, Preparation, PrepareConfig, Rows, StoredRows, fit_preparation, split_rows
from vaeclust_jax.data.mapped import SAMPLED, chunks
from vaeclust_jax.data.moments import Moments, weighted_chunks
from vaeclust_jax.data.pictures import Pictures
from vaeclust_jax.data.seen import Seen
from vaeclust_jax.errors import InputError
from vaeclust_jax.streamed import Streamed, spaced
from vaeclust_jax.training.encodings import Encodings
from vaeclust_jax.training.shuffled import ShuffledBlocks


class Facts(NamedTuple):
    """What one pass over rows finds."""

    low: float
    high: float
    mean: float
    std: float
    digest: str


@dataclass(frozen=True, eq=False)
class Prepared:
    """A data set, split and prepared.

    Attributes:
        config: how.
        preparation: fitted on the training rows.
        rows: all of them, prepared.
        train_index, validation_index: their numbers in the two parts.
        weight: what each row counts; those of weight 0 are in neither part. None: all the same.
        sampled: of rows that are read by blocks: the numbers of a few of them, evenly spaced, which `rows` then are and
            all else is about. What `blocks` has is trained on and scaled by. None: `rows` are all.
        blocks: all rows, prepared, but those held out; None: `rows` are all.
    """

    config: PrepareConfig
    preparation: Preparation
    rows: Rows
    train_index: Int[np.ndarray, " n"]
    validation_index: Int[np.ndarray, " m"]
    weight: Float[np.ndarray, " k"] | None = None
    sampled: Int[np.ndarray, " r"] | None = None
    blocks: StoredRows | None = None

    @cached_property
    def encodings(self) -> Encodings:
        """Posteriors of all rows, by encoder."""
        return Encodings(self.rows)

    @cached_property
    def facts(self) -> Facts:
        """Of the training rows; those held out are read, too, so that faults show before any training."""
        for _ in chunks(self.rows[self.validation_index]):
            pass
        train = self.rows[self.train_index] if self.blocks is None else self.blocks
        return _facts(train, self.train_weight)

    @cached_property
    def train_weight(self) -> Float[np.ndarray, " n"] | None:
        """What each training row counts, 1 in the mean; None: all the same."""
        return of_mean_one(self.weight, self.train_index)

    @cached_property
    def validation_weight(self) -> Float[np.ndarray, " m"] | None:
        """The held-out rows, likewise."""
        return of_mean_one(self.weight, self.validation_index)

    @cached_property
    def train(self) -> jax.Array:
        """The training rows as the programs read them."""
        return self._for_programs(self.train_index)

    @cached_property
    def validation(self) -> jax.Array:
        """The held-out rows, likewise."""
        return self._for_programs(self.validation_index)

    @cached_property
    def shuffled(self) -> ShuffledBlocks | None:
        """The training rows as the programs read them that are given them by blocks."""
        return None if self.blocks is None else ShuffledBlocks(self.blocks)

    @cached_property
    def train_on_host(self) -> jax.Array:
        """The training rows for programs of many devices, none of which has room for all of them."""
        return self._streamed(self.train_index)

    @cached_property
    def validation_on_host(self) -> jax.Array:
        """The held-out rows, likewise."""
        return self._streamed(self.validation_index)

    @cached_property
    def validation_digest(self) -> str:
        """Of the held-out rows."""
        found = hashlib.sha256()
        for part in chunks(self.rows[self.validation_index]):
            found.update(np.ascontiguousarray(part).tobytes())
        return found.hexdigest()

    def _for_programs(self, index: Int[np.ndarray, " k"]) -> jax.Array:
        part = self.rows[index]
        if isinstance(part, StoredRows) and len(part):
            return self._streamed(index)
        return jnp.asarray(np.asarray(part) if len(part) else np.zeros((0, *self.rows.shape[1:]), np.float32))

    def _streamed(self, index: Int[np.ndarray, " k"]) -> jax.Array:
        part = self.rows[index]
        self._kept_alive.append(part)  # a program that reads them does not
        return cast(jax.Array, Streamed(part))

    @cached_property
    def _kept_alive(self) -> list[Any]:
        return []


def prepare(
    config: PrepareConfig,
    raw: Rows,
    split_labels: Any = None,
    columns: Columns | None = None,
    pictures: Pictures | None = None,
    weight: Float[np.ndarray, " k"] | None = None,
    subjects: Int[np.ndarray, " k"] | None = None,
) -> Prepared:
    """Splits and prepares raw rows.

    Args:
        config: resolved.
        raw: checked rows.
        split_labels: (n,) classes, read only for a stratified split.
        columns, pictures: how a table or pictures were read, which the model keeps.
        weight: checked, what each row counts.
        subjects: whose each row is; those of one are held out together.

    Raises:
        InputError: rows that cannot be split or prepared.
    """
    if isinstance(raw, StoredRows) and raw.by_blocks:
        if weight is not None or subjects is not None:
            raise InputError("rows that are read by blocks take no sample_weight and no subjects: leave them out")
        return _by_blocks(config, raw, columns, pictures)
    counted = None if weight is None else np.flatnonzero(weight)
    train_index, validation_index = split_rows(len(raw), config, split_labels, counted, subjects)
    fitted = fit_preparation(raw[train_index], config, of_mean_one(weight, train_index))
    preparation = replace(fitted, columns=columns, pictures=pictures)
    rows = preparation.rows(raw)
    raw_vectors = raw.ndim == 2 and not preparation.by_row
    seen = Seen.of((raw if raw_vectors else rows)[train_index])
    return Prepared(config, replace(preparation, seen=seen), rows, train_index, validation_index, weight)


def _by_blocks(config: PrepareConfig, raw: StoredRows, columns: Columns | None, pictures: Pictures | None) -> Prepared:
    if config.stratify or config.split == "last":
        raise InputError("rows that are read by blocks are held out at random: leave stratify and split out")
    sampled = spaced(len(raw), SAMPLED)
    train_index, validation_index = split_rows(len(sampled), config)
    train = raw.without(sampled[validation_index])
    fitted = replace(fit_preparation(train, config), columns=columns, pictures=pictures)
    blocks, rows = fitted.rows(train), fitted.apply(np.asarray(raw[sampled]))
    assert isinstance(blocks, StoredRows)
    seen = Seen.of(train if raw.ndim == 2 and not fitted.by_row else blocks)
    preparation = replace(fitted, seen=seen)
    return Prepared(config, preparation, rows, train_index, validation_index, sampled=sampled, blocks=blocks)


def of_mean_one(weight: Float[np.ndarray, " k"] | None, index: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"] | None:
    """The weights of some rows, none of them 0, in units of their mean, float32; None where they are all the same."""
    if weight is None or len(index) == 0:
        return None
    some = weight[index] / weight[index].max()
    return None if (some == 1).all() else (some / some.mean()).astype(np.float32)


def _facts(rows: Rows, weight: Float[np.ndarray, " n"] | None) -> Facts:
    low, high, moments, digest = np.inf, -np.inf, Moments(), hashlib.sha256()
    for part, counts in weighted_chunks(rows, weight):
        low, high = min(low, float(part.min())), max(high, float(part.max()))
        moments = moments.and_of(part, weight=counts)
        digest.update(np.ascontiguousarray(part).tobytes())
    return Facts(low, high, float(moments.mean), float(np.sqrt(moments.variance)), digest.hexdigest())
