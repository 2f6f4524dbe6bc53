"""Views of images: small random shifts, turns and zooms, for an encoder that is to forget them."""

from collections.abc import Callable
from functools import lru_cache

import jax
import jax.numpy as jnp
from jax.scipy.ndimage import map_coordinates
from jaxtyping import Array, Float

from vaeclust_jax.types import Key

SHIFT, ANGLE, ZOOM = 0.1, jnp.pi / 18, 0.1
"""The most at strength 1: a share of height and width, radians (10 degrees), and change of the log of the size."""


def moved(key: Key, image: Float[Array, "h w c"], strength: float) -> Float[Array, "h w c"]:
    """The image shifted, turned and zoomed about its centre, each uniformly to `strength` times its most.

    Linear between pixels; what comes from outside repeats the edge.
    """
    size = jnp.asarray(image.shape[:2])
    angle, log_zoom, *share = strength * jax.random.uniform(key, (4,), minval=-1.0, maxval=1.0)
    sine, cosine = jnp.sin(ANGLE * angle), jnp.cos(ANGLE * angle)
    turned = jnp.exp(-ZOOM * log_zoom) * jnp.array([[cosine, -sine], [sine, cosine]])
    centre = (size - 1) / 2
    to = jnp.stack(jnp.meshgrid(*map(jnp.arange, image.shape[:2]), indexing="ij")) - centre[:, None, None]
    rows, columns = jnp.einsum("ij,jhw->ihw", turned, to) + (centre - SHIFT * jnp.stack(share) * size)[:, None, None]
    return jax.vmap(lambda channel: map_coordinates(channel, [rows, columns], order=1, mode="nearest"), 2, 2)(image)


@lru_cache
def moving(strength: float) -> Callable[[Key, Float[Array, "n h w c"]], Float[Array, "n h w c"]]:
    """`Networks.view` by `moved`: every image of a batch by numbers of its own."""
    return lambda key, x: jax.vmap(lambda key, image: moved(key, image, strength))(jax.random.split(key, len(x)), x)
