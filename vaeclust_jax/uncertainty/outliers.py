"""How strange a sample is to a model, three ways; higher is stranger. They order samples and are no probabilities.

An assignment says which cluster is the best of K, never that none fits: a sample unlike all of training may well
lie next to a centroid. Each score looks at another place where that can show: the pixels, the clusters' kernel,
the clusters' spread.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from vaeclust_jax.checks import is_whole
from vaeclust_jax.errors import InputError
from vaeclust_jax.keys import OUTLIERS, as_key
from vaeclust_jax.training.score import score_rows
from vaeclust_jax.types import Heads, Key, Params


def negative_elbo(
    key: Key | int, heads: Heads, params: Params, x: ArrayLike, num_draws: int = 5, common_draws: bool = False
) -> Float[np.ndarray, " n"]:
    """-ELBO of each sample in nats: an upper bound of -log p(x), averaged over draws of the code.

    It is the model's own loss at beta = 1 whatever beta it was trained with: with another weight it bounds nothing.
    A deterministic model decodes the mean, so its score is no bound, but needs
    no draws. For a Gaussian likelihood it is the negative logarithm of a density and may be negative.

    Nalisnick et al. (Do Deep Generative Models Know What They Don't Know?, 2019) found the likelihood to be fooled
    by samples simpler than those of training, such as smooth images: do not rely on this score alone.

    Args:
        key: of `jax.random.key`, or a whole number, which stands for its key; the draws of a row are a function of
            (key, row number) alone.
        heads: of a model that scores; compiled once for it and the number of draws.
        params: of the model.
        x: (n, ...), prepared as the model sees it.
        num_draws: of the code, at least 1; the cost is that of decoding all samples so many times.
        common_draws: the same noise for every row, whose score then depends on the row and not on its number.

    Raises:
        InputError: no rows, or fewer than one draw.
    """
    x = np.asarray(x)
    if x.ndim < 2 or x.size == 0:
        raise InputError(f"x must have one row a sample, at least one, got shape {x.shape}.")
    if not is_whole(num_draws) or num_draws < 1:
        raise InputError(f"num_draws must be a whole number of at least 1, got {num_draws!r}.")
    return score_rows(as_key(key, OUTLIERS), heads, params, x, num_draws, common_draws)


def latent_distance(
    z: Float[Array, "n l"], cluster_mean: Float[Array, "k l"], cluster_scale: Float[Array, "k l l"]
) -> Float[Array, " n"]:
    """Mahalanobis distance to the nearest cluster, in standard deviations of that cluster in this direction.

    Source: Lee et al., A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial
    Attacks, 2018, Eq. 2, here not squared and with a covariance for each cluster instead of one for all: in these
    units a wide cluster is near to more of the space than a tight one.

    Args:
        z: (n, L), codes, such as posterior means.
        cluster_mean: (K, L). Every row counts, so leave out clusters without members.
        cluster_scale: (K, L, L), lower Cholesky factors of the covariances.
    """

    def whitened(mean: Float[Array, " l"], scale: Float[Array, "l l"]) -> Float[Array, "l n"]:
        return jax.scipy.linalg.solve_triangular(scale, (z - mean[None]).T, lower=True)

    return jnp.linalg.norm(jax.vmap(whitened)(cluster_mean, cluster_scale), axis=1).min(axis=0)
