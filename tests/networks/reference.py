"""What the networks are compared with: jax's own convolution and its autodiff."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


@partial(jax.jit, static_argnums=(2, 3))
def reference_conv(x, kernel, stride, padding):
    """`stride` and `padding`: a number for both axes, or one for each."""
    stride, padding = (np.broadcast_to(value, 2).tolist() for value in (stride, padding))
    return lax.conv_general_dilated(
        x, kernel, stride, [(p, p) for p in padding], dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


@partial(jax.jit, static_argnums=(2, 3, 4))
def reference_transpose(y, kernel, stride, padding, output_size):
    """The gradient of the convolution in its input, which is linear in y."""
    zeros = jnp.zeros((y.shape[0], *output_size, kernel.shape[2]), y.dtype)
    return jax.vjp(lambda x: reference_conv(x, kernel, stride, padding), zeros)[1](y)[0]


def relative_error(tree, reference):
    """Largest difference over largest value, the worst over the arrays."""
    pairs = zip(jax.tree.leaves(tree), jax.tree.leaves(reference), strict=True)
    errors = []
    for a, b in pairs:
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        assert a.shape == b.shape
        errors.append(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30))
    return max(errors)


def random_parameters(network):
    """No zero biases, which would hide that they are missing."""
    random = np.random.default_rng(0)
    shapes = jax.eval_shape(network.init, jax.random.key(0))
    return jax.tree.map(lambda leaf: jnp.asarray(random.normal(0, 0.3, leaf.shape), jnp.float32), shapes)
