"""How long an epoch of a fit takes, measured by itself: what a run writes must not depend on the machine's clock."""

import time

import jax
import jax.numpy as jnp
import numpy as np

from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.networks import networks_of
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.resolve import about_of
from vaeclust_jax.training.encodings import TrainingRows
from vaeclust_jax.training.epoch import Data, begin, epoch_program
from vaeclust_jax.training.loop import stack, stage_keys

_EPOCHS = 10  # timed, after one that may compile


def seconds_an_epoch(config: Config, data: Prepared, num_seeds: int) -> float:
    """The median over a few epochs of the last stage, of all seeds as one program.

    Args:
        config: resolved, of a method that reads no labels.
        data: what it was fitted to.
        num_seeds: trained together.
    """
    networks = networks_of(config, data.preparation.output_shape, None)
    stage = config.method.stages(about_of(config, data, networks, None, num_seeds))[-1]
    start_keys, keys = stage_keys(jax.random.split(jax.random.key(0), num_seeds), jnp.asarray(0))
    rows = TrainingRows(data.train, None, data.train_index, data.encodings, data.train_weight)
    states = stage.start(start_keys, [None] * num_seeds, rows)
    progress = stack([begin(state, stage.stopping) for state in states])
    program = epoch_program(stage.learner, stage.stopping, config.training.batch_size)
    weights = (None if one is None else jnp.asarray(one) for one in (data.train_weight, data.validation_weight))
    parts = [Data(x, None, weight) for x, weight in zip((data.train, data.validation), weights, strict=True)]
    seconds = []
    for _ in range(_EPOCHS + 1):
        began = time.perf_counter()
        progress, _ = jax.block_until_ready(program(keys, progress, jnp.asarray(_EPOCHS + 1), *parts))
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds[1:]))
