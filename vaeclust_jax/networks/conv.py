"""Strided convolution and transposed convolution with a form for each platform.

On a GPU or TPU they are `lax.conv_general_dilated`. On a CPU, XLA runs the gradients of a strided
convolution, and any convolution inside a `lax.scan`, as naive loops (jax issue 12868: tens of times slower);
there they are written as matrix products. Three linear maps make up both operations and both gradients:

    correlate(x, w)         y[n, o] = sum_k x[n, s o + k - p] w[k]       convolution
    spread(y, w)            its adjoint in x                             transposed convolution
    kernel_gradient(x, y)   its adjoint in w

Layouts follow jax: images (n, H, W, C), kernels (kh, kw, C_in, C_out). `w` always belongs to `correlate`: a
transposed convolution from 64 to 32 channels has a kernel (kh, kw, 32, 64).
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

# Spreading a product wins only while its output channels are few (gathering costs per input channel);
# above it, one product per output phase moves less memory.
_FEW_CHANNELS = 8


def conv_output_size(size: int, kernel: int, stride: int, padding: int) -> int:
    """Size of one axis after a convolution: floor((size - kernel + 2 padding) / stride) + 1."""
    return (size - kernel + 2 * padding) // stride + 1


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def conv(
    x: Float[Array, "n h w c"], kernel: Float[Array, "kh kw c o"], stride: int, padding: int
) -> Float[Array, "n p q o"]:
    """Convolution (cross-correlation, as in every deep-learning library) with equal stride and padding on both axes.

    Equal to `lax.conv_general_dilated(x, kernel, (stride,) * 2, [(padding,) * 2] * 2)` in NHWC/HWIO layout.
    """
    return _correlate(x, kernel, stride, padding)


def _conv_forward(x: Array, kernel: Array, stride: int, padding: int) -> tuple[Array, tuple[Array, Array]]:
    return _correlate(x, kernel, stride, padding), (x, kernel)


def _conv_backward(stride: int, padding: int, residuals: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    x, kernel = residuals
    dx = _spread(dy, kernel, stride, padding, x.shape[1:3])
    return dx, _kernel_gradient(x, dy, kernel.shape[:2], stride, padding)


conv.defvjp(_conv_forward, _conv_backward)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def conv_transpose(
    y: Float[Array, "n p q o"],
    kernel: Float[Array, "kh kw c o"],
    stride: int,
    padding: int,
    output_size: tuple[int, ...],
) -> Float[Array, "n h w c"]:
    """Transposed convolution: the adjoint of `conv` that maps (p, q) to `output_size`.

    `output_size` must be one that `conv` takes to (p, q) (else a ValueError); it replaces PyTorch's `output_padding`
    (output_size = (p - 1) stride - 2 padding + kernel + output_padding).
    """
    return _spread(y, kernel, stride, padding, output_size)


def _transpose_forward(
    y: Array, kernel: Array, stride: int, padding: int, output_size: tuple[int, ...]
) -> tuple[Array, tuple[Array, Array]]:
    return _spread(y, kernel, stride, padding, output_size), (y, kernel)


def _transpose_backward(
    stride: int, padding: int, output_size: tuple[int, ...], residuals: tuple[Array, Array], dx: Array
) -> tuple[Array, Array]:
    del output_size
    y, kernel = residuals
    dy = _correlate(dx, kernel, stride, padding)
    return dy, _kernel_gradient(dx, y, kernel.shape[:2], stride, padding)


conv_transpose.defvjp(_transpose_forward, _transpose_backward)


# The three linear maps, one form a platform ---------------------------------------------------------


def _correlate(x: Array, kernel: Array, stride: int, padding: int) -> Array:
    return lax.platform_dependent(
        x,
        kernel,
        cpu=partial(_correlate_matmul, stride=stride, padding=padding),
        default=partial(_correlate_lax, stride=stride, padding=padding),
    )


def _spread(y: Array, kernel: Array, stride: int, padding: int, output_size: tuple[int, ...]) -> Array:
    sizes = zip(output_size, kernel.shape[:2], strict=True)
    if tuple(conv_output_size(size, k, stride, padding) for size, k in sizes) != y.shape[1:3]:
        raise ValueError(f"output_size {output_size} is not one that conv takes to {y.shape[1:3]}")
    few = kernel.shape[2] <= _FEW_CHANNELS
    return lax.platform_dependent(
        y,
        kernel,
        cpu=partial(_spread_pieces if few else _spread_phases, stride=stride, padding=padding, output_size=output_size),
        default=partial(_spread_lax, stride=stride, padding=padding, output_size=output_size),
    )


def _kernel_gradient(x: Array, y: Array, window: tuple[int, ...], stride: int, padding: int) -> Array:
    return lax.platform_dependent(
        x,
        y,
        cpu=partial(_kernel_gradient_matmul, window=window, stride=stride, padding=padding),
        default=partial(_kernel_gradient_lax, window=window, stride=stride, padding=padding),
    )


def _patches(x: Array, window: tuple[int, ...], stride: int, output: tuple[int, ...]) -> Array:
    """The windows of x, (n, p, q, kh kw c), as strided slices: XLA fuses them into one copy."""
    n, _, _, c = x.shape
    (kh, kw), (p, q) = window, output
    pieces = [
        lax.slice(
            x,
            (0, i, j, 0),
            (n, i + (p - 1) * stride + 1, j + (q - 1) * stride + 1, c),
            (1, stride, stride, 1),
        )
        for i in range(kh)
        for j in range(kw)
    ]
    return jnp.concatenate(pieces, axis=-1)


def _padded_patches(x: Array, window: tuple[int, ...], stride: int, padding: int) -> Array:
    output = [conv_output_size(size, k, stride, padding) for size, k in zip(x.shape[1:3], window, strict=True)]
    padded = jnp.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    return _patches(padded, window, stride, tuple(output))


def _correlate_matmul(x: Array, kernel: Array, *, stride: int, padding: int) -> Array:
    kh, kw, c, o = kernel.shape
    return _padded_patches(x, (kh, kw), stride, padding) @ kernel.reshape(kh * kw * c, o)


def _kernel_gradient_matmul(x: Array, y: Array, *, window: tuple[int, ...], stride: int, padding: int) -> Array:
    patches = _padded_patches(x, window, stride, padding)
    flat = patches.reshape(-1, patches.shape[-1]).T @ y.reshape(-1, y.shape[-1])
    return flat.reshape(*window, x.shape[-1], y.shape[-1])


def _spread_pieces(y: Array, kernel: Array, *, stride: int, padding: int, output_size: tuple[int, ...]) -> Array:
    """One product for all window positions, then a sum of shifted, dilated pieces."""
    n, p, q, o = y.shape
    kh, kw, c, _ = kernel.shape
    pieces = (y @ kernel.reshape(kh * kw * c, o).T).reshape(n, p, q, kh, kw, c)
    total = jnp.zeros((n, *output_size, c), y.dtype)
    for i in range(kh):
        for j in range(kw):
            config = [(0, 0, 0)]
            for offset, small, large in ((i, p, output_size[0]), (j, q, output_size[1])):
                low = offset - padding
                config.append((low, large - low - (small - 1) * stride - 1, stride - 1))
            total = total + lax.pad(pieces[:, :, :, i, j], jnp.zeros((), y.dtype), [*config, (0, 0, 0)])
    return total


def _spread_phases(y: Array, kernel: Array, *, stride: int, padding: int, output_size: tuple[int, ...]) -> Array:
    """One stride-1 product for each of the stride^2 phases of the output, which are then interleaved.

    Output row h = stride t + phase - padding takes input rows t - m with kernel rows stride m + phase.
    """
    n, p, q, _ = y.shape
    kh, kw, c, _ = kernel.shape
    taps = (-(-kh // stride), -(-kw // stride))
    rows = [-(-(size + padding) // stride) for size in output_size]
    y = jnp.pad(
        y,
        (
            (0, 0),
            (taps[0] - 1, max(0, rows[0] - p)),
            (taps[1] - 1, max(0, rows[1] - q)),
            (0, 0),
        ),
    )
    phases = []
    for a in range(stride):
        for b in range(stride):
            part = jnp.flip(kernel[a::stride, b::stride], (0, 1))
            window = part.shape[:2]
            if 0 in window:  # a kernel shorter than the stride leaves whole phases empty
                phases.append(jnp.zeros((n, rows[0], rows[1], c), y.dtype))
                continue
            start = y[:, taps[0] - window[0] :, taps[1] - window[1] :]
            patches = _patches(start, window, 1, (rows[0], rows[1]))
            phases.append(patches @ part.transpose(0, 1, 3, 2).reshape(-1, c))
    grid = jnp.stack(phases).reshape(stride, stride, n, rows[0], rows[1], c).transpose(2, 3, 0, 4, 1, 5)
    whole = grid.reshape(n, rows[0] * stride, rows[1] * stride, c)
    return whole[:, padding : padding + output_size[0], padding : padding + output_size[1]]


_LAYOUT = ("NHWC", "HWIO", "NHWC")


def _correlate_lax(x: Array, kernel: Array, *, stride: int, padding: int) -> Array:
    return lax.conv_general_dilated(x, kernel, (stride, stride), [(padding, padding)] * 2, dimension_numbers=_LAYOUT)


def _spread_lax(y: Array, kernel: Array, *, stride: int, padding: int, output_size: tuple[int, ...]) -> Array:
    x = jax.ShapeDtypeStruct((y.shape[0], *output_size, kernel.shape[2]), y.dtype)
    transpose = jax.linear_transpose(lambda x: _correlate_lax(x, kernel, stride=stride, padding=padding), x)
    return transpose(y)[0]


def _kernel_gradient_lax(x: Array, y: Array, *, window: tuple[int, ...], stride: int, padding: int) -> Array:
    kernel = jax.ShapeDtypeStruct((*window, x.shape[-1], y.shape[-1]), x.dtype)
    transpose = jax.linear_transpose(lambda k: _correlate_lax(x, k, stride=stride, padding=padding), kernel)
    return transpose(y)[0]
