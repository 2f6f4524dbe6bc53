"""Strided convolution and transposed convolution with a form for each platform.

On a GPU or TPU they are `lax.conv_general_dilated`. On a CPU, XLA runs the gradients of a strided convolution as naive
loops, worst inside a `lax.scan` (jax issue 12868: tens of times slower); there they are matrix products
(`conv_matmul`). Three linear maps make up both operations, and each one's gradients are the other two:

    correlate(x, w)         y[n, o] = sum_k x[n, s o + k - p] w[k]       convolution
    spread(y, w)            its adjoint in x                             transposed convolution
    kernel_gradient(x, y)   its adjoint in w

Layouts follow jax: images (n, H, W, C), kernels (kh, kw, C_in, C_out). `w` always belongs to `correlate`: a
transposed convolution from 64 to 32 channels has a kernel (kh, kw, 32, 64).
"""

from functools import partial

import jax
from jax import lax
from jaxtyping import Array, Float

from vaeclust_jax.networks.conv_matmul import form_for

Pair = tuple[int, int]


def conv_output_size(size: int, kernel: int, stride: int, padding: int) -> int:
    """Size of one axis after a convolution: floor((size - kernel + 2 padding) / stride) + 1."""
    return (size - kernel + 2 * padding) // stride + 1


def conv(
    x: Float[Array, "n h w c"], kernel: Float[Array, "kh kw c o"], stride: int | Pair = 1, padding: int | Pair = 0
) -> Float[Array, "n p q o"]:
    """Convolution (cross-correlation, as in every deep-learning library).

    Equal to `lax.conv_general_dilated` with the same padding on both sides of an axis, in NHWC/HWIO layout, and to
    PyTorch's `Conv2d` in its own.

    Args:
        x: images.
        kernel: of any size that fits the padded image (else a ValueError).
        stride: of both axes, or of each.
        padding: zeros on either side of both axes, or of each.
    """
    return _correlate(x, kernel, _pair(stride), _pair(padding))


def conv_transpose(
    y: Float[Array, "n p q o"],
    kernel: Float[Array, "kh kw c o"],
    stride: int | Pair,
    padding: int | Pair,
    output_size: tuple[int, ...],
) -> Float[Array, "n h w c"]:
    """Transposed convolution: the adjoint of `conv` that maps (p, q) to `output_size`.

    `output_size` must be one that `conv` takes to (p, q) (else a ValueError); it replaces PyTorch's `output_padding`
    (output_size = (p - 1) stride - 2 padding + kernel + output_padding).
    """
    return _spread(y, kernel, _pair(stride), _pair(padding), (output_size[0], output_size[1]))


def _pair(value: int | Pair) -> Pair:
    return (value, value) if isinstance(value, int) else value


def _output(size: tuple[int, ...], kernel: tuple[int, ...], stride: Pair, padding: Pair) -> Pair:
    h, w = (conv_output_size(*axis) for axis in zip(size, kernel, stride, padding, strict=True))
    return h, w


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _correlate(x: Array, kernel: Array, stride: Pair, padding: Pair) -> Array:
    output = _output(x.shape[1:3], kernel.shape[:2], stride, padding)
    if min(output) < 1:
        raise ValueError(f"a kernel of {kernel.shape[:2]} does not fit images of {x.shape[1:3]} with padding {padding}")
    return lax.platform_dependent(
        x,
        kernel,
        cpu=partial(form_for(kernel.shape, stride).correlate, stride=stride, padding=padding, output=output),
        default=partial(_correlate_lax, stride=stride, padding=padding),
    )


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _spread(y: Array, kernel: Array, stride: Pair, padding: Pair, size: Pair) -> Array:
    if _output(size, kernel.shape[:2], stride, padding) != y.shape[1:3]:
        raise ValueError(f"output_size {size} is not one that conv takes to {y.shape[1:3]}")
    return lax.platform_dependent(
        y,
        kernel,
        cpu=partial(form_for(kernel.shape, stride).spread, stride=stride, padding=padding, size=size),
        default=partial(_spread_lax, stride=stride, padding=padding, size=size),
    )


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _kernel_gradient(x: Array, y: Array, window: Pair, stride: Pair, padding: Pair) -> Array:
    form = form_for((*window, x.shape[3], y.shape[3]), stride)
    return lax.platform_dependent(
        x,
        y,
        cpu=partial(form.kernel_gradient, window=window, stride=stride, padding=padding),
        default=partial(_kernel_gradient_lax, window=window, stride=stride, padding=padding),
    )


# Their gradients -------------------------------------------------------------------------------------


def _correlate_backward(stride: Pair, padding: Pair, residuals: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    x, kernel = residuals
    dx = _spread(dy, kernel, stride, padding, x.shape[1:3])
    return dx, _kernel_gradient(x, dy, kernel.shape[:2], stride, padding)


def _spread_backward(
    stride: Pair, padding: Pair, size: Pair, residuals: tuple[Array, Array], dx: Array
) -> tuple[Array, Array]:
    del size
    y, kernel = residuals
    return _correlate(dx, kernel, stride, padding), _kernel_gradient(dx, y, kernel.shape[:2], stride, padding)


def _kernel_gradient_backward(
    window: Pair, stride: Pair, padding: Pair, residuals: tuple[Array, Array], dkernel: Array
) -> tuple[Array, Array]:
    del window
    x, y = residuals
    return _spread(y, dkernel, stride, padding, x.shape[1:3]), _correlate(x, dkernel, stride, padding)


_correlate.defvjp(lambda x, kernel, *static: (_correlate(x, kernel, *static), (x, kernel)), _correlate_backward)
_spread.defvjp(lambda y, kernel, *static: (_spread(y, kernel, *static), (y, kernel)), _spread_backward)
_kernel_gradient.defvjp(lambda x, y, *static: (_kernel_gradient(x, y, *static), (x, y)), _kernel_gradient_backward)


# The forms of the accelerators -----------------------------------------------------------------------

_LAYOUT = ("NHWC", "HWIO", "NHWC")


def _correlate_lax(x: Array, kernel: Array, *, stride: Pair, padding: Pair) -> Array:
    return lax.conv_general_dilated(x, kernel, stride, [(p, p) for p in padding], dimension_numbers=_LAYOUT)


def _spread_lax(y: Array, kernel: Array, *, stride: Pair, padding: Pair, size: Pair) -> Array:
    x = jax.ShapeDtypeStruct((y.shape[0], *size, kernel.shape[2]), y.dtype)
    transpose = jax.linear_transpose(lambda x: _correlate_lax(x, kernel, stride=stride, padding=padding), x)
    return transpose(y)[0]


def _kernel_gradient_lax(x: Array, y: Array, *, window: Pair, stride: Pair, padding: Pair) -> Array:
    kernel = jax.ShapeDtypeStruct((*window, x.shape[-1], y.shape[-1]), x.dtype)
    transpose = jax.linear_transpose(lambda k: _correlate_lax(x, k, stride=stride, padding=padding), kernel)
    return transpose(y)[0]
