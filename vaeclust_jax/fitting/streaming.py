"""A joint stage that goes on with data that come in parts."""

from collections.abc import Sequence
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from vaeclust_jax.fitting.components import components
from vaeclust_jax.fitting.networks import networks_of
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.methods.method import About
from vaeclust_jax.methods.starts import of_each_seed
from vaeclust_jax.training.encodings import Encodings, TrainingRows
from vaeclust_jax.training.epoch import Data
from vaeclust_jax.training.loop import train
from vaeclust_jax.training.rows import by_chunk
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Key, Rows, Stage, State

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
    shape = run.preparation.output_shape
    networks, training = networks_of(config, shape, None), config.training
    about = About(
        networks,
        config.network.latent_dim,
        len(rows),
        training.batch_size,
        training.learning_rate,
        training.patience,
        has_validation=False,
        shape=shape,
    )
    learner = config.method.stages(about)[-1].learner

    def start(key: Key, before: State | None, data: Rows) -> State:
        state = learner.init(key)._replace(params=run.params)
        if momentum is not None:
            leaves = [jnp.asarray(leaf) for leaf in momentum]
            state = state._replace(opt_state=jax.tree.unflatten(jax.tree.structure(state.opt_state), leaves))
        return jax.jit(learner.end_epoch)(state, data.x, jnp.zeros((), jnp.int32), {})[0]

    encodings = Encodings(rows)
    states, history = train(
        [Stage("stream", learner, 1, of_each_seed(start), NEVER)],
        key[None],
        TrainingRows(jnp.asarray(rows), None, np.arange(len(rows)), encodings),
        Data(jnp.asarray(rows[:0])),
        batch_size=config.training.batch_size,
        names=[0],
        halvings=config.training.halvings,
    )
    [[state]] = states
    heads = run.heads
    assert heads.assign is not None
    mean, logvar = encodings.of(heads, state.params)
    mean, scale, share = components(heads, state.params, mean, logvar, by_chunk(heads.assign, state.params, mean))
    moved = replace(
        run,
        params=state.params,
        cluster_mean=mean,
        cluster_scale=scale,
        cluster_share=share,
        history=history,
    )
    return moved, [np.asarray(leaf) for leaf in jax.tree.leaves(state.opt_state)]
