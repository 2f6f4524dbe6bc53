"""By what the best of several initialisations is chosen: the value of the estimator's own objective, without labels."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.data.mapped import chunks
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.graph.neighbours import posterior_graph, strongest
from vaeclust_jax.methods.graph_starts import posterior_of
from vaeclust_jax.methods.vaegraph import EDGES_KEPT
from vaeclust_jax.objectives.dec import kl_divergence, target_distribution
from vaeclust_jax.objectives.elbo import kl_to_standard_normal
from vaeclust_jax.objectives.propagation import propagate
from vaeclust_jax.uncertainty.outliers import negative_elbo

_KEY, _GRAPH_KEY = 0, 1  # of the draws of codes for the bound, and for the graph
"""The draws are the same for all rows, models and calls: a score then depends on the row and the model alone."""
_NUM_DRAWS = 8


def elbo(run: Run, x: np.ndarray) -> np.ndarray:
    """(n,) evidence lower bound of each sample in nats, at beta 1 whatever beta the model was trained with."""
    key = jax.random.key(_KEY)
    return -np.concatenate(
        [
            negative_elbo(key, run.learner, run.params, rows, _NUM_DRAWS, common_draws=True)
            for rows in chunks(run.preparation.rows(x))
        ]
    )


def objective(run: Run, x: np.ndarray) -> float:
    """What training minimised, in nats a sample: -ELBO, or reconstruction + beta KL + gamma KL(P || Q) of a VAE+DEC.

    P is computed from the model's own q of `x`, spread over the graph of its own codes if training followed one: models
    are compared after a refresh that all of them get.
    """
    value = -float(elbo(run, x).mean())
    model = run.config.model
    if run.config.training.joint_epochs == 0 or model.clustering == "vade":
        return value
    assert isinstance(model.beta, int | float)
    assert isinstance(model.gamma, int | float)
    mean, logvar = map(jnp.asarray, run.posterior(x))
    log_q = jnp.asarray(run.log_assign(np.asarray(mean)))
    value += (model.beta - 1) * float(kl_to_standard_normal(mean, logvar).mean())
    agreed = _agreed(run, x, log_q) if model.clustering == "graph" else log_q
    return value + model.gamma * float(kl_divergence(target_distribution(agreed), log_q).mean())


def _agreed(run: Run, x: np.ndarray, log_q: Float[Array, "n k"]) -> Float[Array, "n k"]:
    """Log of what neighbours agree on, as `methods.vaegraph.spread` has it."""
    posterior = posterior_of(jax.random.key(_GRAPH_KEY), run.learner, run.params, run.preparation.rows(x))
    neighbours, weights = strongest(posterior_graph(posterior), EDGES_KEPT)
    agreed = propagate(jnp.exp(log_q), jnp.asarray(neighbours, jnp.int32), jnp.asarray(weights, jnp.float32))
    return jnp.log(jnp.maximum(agreed, jnp.finfo(agreed.dtype).tiny))
