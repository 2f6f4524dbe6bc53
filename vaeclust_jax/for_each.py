"""One function for many seeds or restarts, as one program."""

from collections.abc import Callable
from typing import Any

import jax
from jax import lax

from vaeclust_jax.random import as_numbers


def for_each(function: Callable[..., Any], *stacked: Any) -> Any:
    """`function` of every entry along the first axis of the arguments; what it returns is stacked.

    On an accelerator all entries are computed at once (`vmap`). On a CPU they take turns inside the program: the
    arrays of one seed fit into the cache and those of all do not (five convolutional VAEs take a quarter longer at
    once), and a loop that has converged waits for no other.
    """

    def in_turn(*stacked: Any) -> Any:
        numbers, again = as_numbers(stacked)
        return lax.map(lambda entry: function(*again(entry)), numbers)

    if len(jax.tree.leaves(stacked)[0]) == 1:  # jax need not trace both
        return in_turn(*stacked)
    return lax.platform_dependent(*stacked, cpu=in_turn, default=lambda *stacked: jax.vmap(function)(*stacked))
