"""Whether this process was forked from one in which JAX had started: the threads that it waits for stayed there."""

import os

from jax._src import xla_bridge  # no public name says whether JAX has started

from vaeclust_jax.errors import InputError

_forked = False


def _remember() -> None:
    global _forked
    _forked = _forked or xla_bridge.backends_are_initialized()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_remember)


def check_not_forked() -> None:
    """Called before anything is computed: it would never end.

    Raises:
        InputError: this process was forked from one in which JAX had started.
    """
    if _forked:
        raise InputError(
            "this process was forked from one in which JAX had started, whose threads it lacks: "
            "start processes by multiprocessing.get_context('spawn'), or fork before anything is computed"
        )
