"""How likely rows are to a model, over draws of the code."""

from collections.abc import Callable
from functools import lru_cache

import jax
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.training.rows import by_row
from vaeclust_jax.types import Heads, Key, Params


def score_rows(
    key: Key, heads: Heads, params: Params, x: np.ndarray, num_draws: int, common_draws: bool = False
) -> Float[np.ndarray, " n"]:
    """`Heads.score` of each row in nats, averaged over draws; lower is likelier.

    Args:
        key: the draws of a row are a function of (key, row number) alone.
        heads: of a model that scores; compiled once for it and the number of draws.
        params: of the model.
        x: (n, ...), prepared.
        num_draws: of the code; the cost is that of decoding all rows so many times.
        common_draws: the same noise for every row, whose score then depends on the row and not on its number.
    """
    assert heads.score is not None, "a model that scores"
    return by_row(_score_of_row(heads.score, num_draws), key, params, x, common_key=common_draws)


@lru_cache
def _score_of_row(score: Callable[[Key, Params, Array], Array], num_draws: int) -> Callable[..., Array]:
    def of_row(key: Key, params: Params, x: Float[Array, "..."]) -> Float[Array, ""]:
        # The encoder does not see the key, so under `vmap` it runs once for all draws.
        draws = jax.vmap(lambda key: score(key, params, x[None])[0])(jax.random.split(key, num_draws))
        return draws.mean()

    return of_row
