"""A joint stage that goes on with data that come in parts."""

from collections.abc import Sequence
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.fitting.run import Run, components
from vaeclust_jax.fitting.stages import clustering_learner, networks_of
from vaeclust_jax.training.loop import train
from vaeclust_jax.training.rows import by_chunk, encode_rows
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Key, Stage, State

Momentum = list[np.ndarray]
"""The optimiser's arrays, which an epoch hands to the next."""


def one_more_epoch(
    run: Run, rows: Float[np.ndarray, "n ..."], key: Key, momentum: Sequence[np.ndarray] | None = None
) -> tuple[Run, Momentum]:
    """Trains networks and clusters for an epoch on prepared rows; the target is that of these rows.

    Calls with as many rows share a program.

    Args:
        run: of a joint stage, without networks of one's own.
        rows: what to train on, as `run.prepare` gives it.
        key: of `jax.random.key`.
        momentum: what the call before returned; None starts with an optimiser without a past.

    Raises:
        TrainingDivergedError: a loss turned non-finite.
    """
    config = run.config
    learner = clustering_learner(config, networks_of(config, run.preparation.output_shape, None), len(rows))

    def start(key: Key, before: State | None, x: Array) -> State:
        state = learner.init(key)._replace(params=run.params)
        if momentum is not None:
            leaves = [jnp.asarray(leaf) for leaf in momentum]
            state = state._replace(opt_state=jax.tree.unflatten(jax.tree.structure(state.opt_state), leaves))
        return jax.jit(learner.end_epoch)(state, x, jnp.zeros((), jnp.int32), {})[0]

    states, history = train(
        [Stage("stream", learner, 1, start, NEVER)],
        key[None],
        jnp.asarray(rows),
        jnp.asarray(rows[:0]),
        batch_size=config.training.batch_size,
        names=[0],
        halvings=config.training.halvings,
    )
    [[state]] = states
    assert learner.log_assign is not None
    mean, logvar = encode_rows(learner, state.params, rows)
    labels = by_chunk(learner.log_assign, state.params, mean).argmax(axis=1)
    mean, scale, share = components(state.params, mean, logvar, labels)
    moved = replace(
        run,
        learner=learner,
        params=state.params,
        cluster_mean=mean,
        cluster_scale=scale,
        cluster_share=share,
        history=history,
    )
    return moved, [np.asarray(leaf) for leaf in jax.tree.leaves(state.opt_state)]
