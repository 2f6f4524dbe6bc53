"""What is drawn after a fit shares no key with it, nor one use with another."""

import jax
import numpy as np

from vaeclust_jax.keys import GRAPH, OUTLIERS, PASSES, SAMPLES, SEARCH, key_of


def test_every_use_of_a_seed_has_a_key_of_its_own() -> None:
    uses = [key_of(7, use) for use in (GRAPH, SEARCH, SAMPLES, OUTLIERS, PASSES)]
    stages = [jax.random.fold_in(jax.random.key(7), stage) for stage in range(10)]
    keys = [np.asarray(jax.random.key_data(key)).tolist() for key in (*uses, *stages, jax.random.key(7))]
    assert len({tuple(key) for key in keys}) == len(keys)
