"""The three linear maps of convolution as matrix products: the forms for a CPU.

    correlate(x, w)         y[n, o] = sum_k x[n, s o + k - p] w[k]
    spread(y, w)            its adjoint in x
    kernel_gradient(x, y)   its adjoint in w

Gathering all kh kw taps of a window before the product (im2col) writes every pixel kh kw / s^2 times. With many
input channels that costs as much as the arithmetic. There, only a window's columns are gathered; the product is made
with the kernel rows side by side as its outputs, and the kh products of a window are summed afterwards:

    y[p] = sum_i (columns(x) W)[s p + i, i]

Image rows meet kernel rows of their own phase alone (those that differ by multiples of the stride), so no product is
wasted. The adjoints follow by transposing each step. Layouts as in `conv`: images (n, H, W, C), kernels (kh, kw, C, O).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

Pair = tuple[int, int]

_ROWS_AT_ONCE = 2048
"""Rows of a product that contracts its long axis: XLA's is a fifth slower when that axis is longer."""


# Positions and taps ----------------------------------------------------------------------------------


class _Phase(NamedTuple):
    """Positions start, start + stride, ... of an image axis: they meet the kernel taps tap, tap + stride, ..."""

    start: int
    size: int
    """How many positions."""
    tap: int
    taps: int
    """How many taps; 0 where the kernel is shorter than the stride."""
    shift: int
    """Position number r and tap number m belong to output r + shift - m."""


def _phases(size: int, kernel: int, stride: int, padding: int) -> list[_Phase]:
    return [
        _Phase(
            start=start,
            size=len(range(start, size, stride)),
            tap=(start + padding) % stride,
            taps=len(range((start + padding) % stride, kernel, stride)),
            shift=(start + padding) // stride,
        )
        for start in range(min(stride, size))
    ]


def _moved(x: Array, by: int, size: int, axis: int) -> Array:
    """out[i] = x[i - by] along an axis of the given size, 0 where there is no such element."""
    config = [(0, 0, 0)] * x.ndim
    config[axis] = (by, size - x.shape[axis] - by, 0)
    return lax.pad(x, jnp.zeros((), x.dtype), config)


def _interleaved(parts: list[Array], size: int, axis: int) -> Array:
    """The phases of an axis, each (..., about size / stride, ...), brought back to their places."""
    longest = parts[0].shape[axis]
    grid = jnp.stack([_moved(part, 0, longest, axis) for part in parts], axis + 1)
    whole = grid.reshape(*grid.shape[:axis], longest * len(parts), *grid.shape[axis + 2 :])
    return lax.slice_in_dim(whole, 0, size, axis=axis)


def _taken(x: Array, axis: int, kernel: int, stride: int, padding: int, outputs: int) -> Array:
    """The windows along one axis: (..., size, ..., c) -> (..., outputs, ..., kernel c)."""
    reach = (outputs - 1) * stride + 1
    padded = _moved(x, padding, reach + kernel - 1, axis)
    return jnp.concatenate([lax.slice_in_dim(padded, tap, tap + reach, stride, axis) for tap in range(kernel)], axis=-1)


def _put(pieces: Array, axis: int, size: int, stride: int, padding: int) -> Array:
    """The adjoint of `_taken`: (..., outputs, ..., kernel, c) -> (..., size, ..., c)."""
    *_, kernel, c = pieces.shape
    sums = []
    for phase in _phases(size, kernel, stride, padding):
        shape = [*pieces.shape[:-2], c]
        shape[axis] = phase.size
        total = jnp.zeros(shape, pieces.dtype)
        for m in range(phase.taps):
            total += _moved(pieces[..., phase.tap + stride * m, :], m - phase.shift, phase.size, axis)
        sums.append(total)
    return _interleaved(sums, size, axis)


def _kernel_rows(kernel: Array, phase: _Phase, stride: int) -> Array:
    """The kernel rows of a phase side by side: (kw c, taps o)."""
    _, kw, c, o = kernel.shape
    return kernel[phase.tap :: stride].transpose(1, 2, 0, 3).reshape(kw * c, phase.taps * o)


def _flat(x: Array) -> Array:
    """(n, h, w, f) -> (n h w, f)."""
    return x.reshape(math.prod(x.shape[:3]), x.shape[3])


def _long_product(a: Array, b: Array) -> Array:
    """a.T @ b over a long first axis."""
    rows = max(_ROWS_AT_ONCE, -(-a.shape[0] // 16))  # at most 16 pieces, so that compiling stays short
    pieces = (a[start : start + rows].T @ b[start : start + rows] for start in range(0, a.shape[0], rows))
    return sum(pieces, start=jnp.zeros((a.shape[1], b.shape[1]), a.dtype))


def _columns(x: Array, phase: _Phase, kw: int, stride: Pair, padding: int, outputs: int) -> Array:
    """The windows along the image rows of a phase: (n, H, W, c) -> (n rows Q, kw c)."""
    return _flat(_taken(x[:, phase.start :: stride[0]], 2, kw, stride[1], padding, outputs))


def _output_rows(y: Array, phase: _Phase) -> Array:
    """For every image row of a phase the outputs that it goes into, tap by tap: (n rows Q, taps o)."""
    none = jnp.zeros((y.shape[0], phase.size, y.shape[2], 0), y.dtype)  # a phase may have no taps
    moved = [_moved(y, m - phase.shift, phase.size, axis=1) for m in range(phase.taps)]
    return _flat(jnp.concatenate([none, *moved], axis=-1))


# Few input channels: all taps of a window are gathered -----------------------------------------------


def _patches(x: Array, window: Pair, stride: Pair, padding: Pair, output: Pair) -> Array:
    """The windows of x, (n, P, Q, kh kw c)."""
    columns = _taken(x, 2, window[1], stride[1], padding[1], output[1])
    return _taken(columns, 1, window[0], stride[0], padding[0], output[0])


def _correlate_patches(x: Array, kernel: Array, stride: Pair, padding: Pair, output: Pair) -> Array:
    kh, kw, c, o = kernel.shape
    return _patches(x, (kh, kw), stride, padding, output) @ kernel.reshape(kh * kw * c, o)


def _spread_patches(y: Array, kernel: Array, stride: Pair, padding: Pair, size: Pair) -> Array:
    kh, kw, c, o = kernel.shape
    pieces = (y @ kernel.reshape(kh * kw * c, o).T).reshape(*y.shape[:3], kh, kw * c)
    rows = _put(pieces, 1, size[0], stride[0], padding[0])
    return _put(rows.reshape(*rows.shape[:3], kw, c), 2, size[1], stride[1], padding[1])


def _gradient_patches(x: Array, y: Array, window: Pair, stride: Pair, padding: Pair) -> Array:
    patches = _patches(x, window, stride, padding, (y.shape[1], y.shape[2]))
    return _long_product(_flat(patches), _flat(y)).reshape(*window, x.shape[-1], y.shape[-1])


# Many: the columns of a window are gathered, its rows are summed -------------------------------------


def _correlate_rows(x: Array, kernel: Array, stride: Pair, padding: Pair, output: Pair) -> Array:
    kh, kw, _, o = kernel.shape
    total = jnp.zeros((x.shape[0], *output, o), x.dtype)
    for phase in _phases(x.shape[1], kh, stride[0], padding[0]):
        columns = _columns(x, phase, kw, stride, padding[1], output[1])
        product = columns @ _kernel_rows(kernel, phase, stride[0])
        product = product.reshape(x.shape[0], phase.size, output[1], phase.taps, o)
        for m in range(phase.taps):
            total += _moved(product[:, :, :, m], phase.shift - m, output[0], axis=1)
    return total


def _spread_rows(y: Array, kernel: Array, stride: Pair, padding: Pair, size: Pair) -> Array:
    kh, kw, c, _ = kernel.shape
    rows = []
    for phase in _phases(size[0], kh, stride[0], padding[0]):
        columns = _output_rows(y, phase) @ _kernel_rows(kernel, phase, stride[0]).T
        columns = columns.reshape(y.shape[0], phase.size, y.shape[2], kw, c)
        rows.append(_put(columns, 2, size[1], stride[1], padding[1]))
    return _interleaved(rows, size[0], axis=1)


def _gradient_rows(x: Array, y: Array, window: Pair, stride: Pair, padding: Pair) -> Array:
    gradient = [jnp.zeros((window[1], x.shape[3], y.shape[3]), x.dtype)] * window[0]
    for phase in _phases(x.shape[1], window[0], stride[0], padding[0]):
        columns = _columns(x, phase, window[1], stride, padding[1], y.shape[2])
        flat = _long_product(columns, _output_rows(y, phase))
        flat = flat.reshape(window[1], x.shape[3], phase.taps, y.shape[3])
        for m in range(phase.taps):
            gradient[phase.tap + stride[0] * m] = flat[:, :, m]
    return jnp.stack(gradient)


# Which form for which kernel -------------------------------------------------------------------------


class Form(NamedTuple):
    """One way to compute the three maps of images x (n, H, W, C), outputs y (n, P, Q, O), kernels w (kh, kw, C, O).

    Attributes:
        correlate: (x, w, stride, padding, output=(P, Q)) -> y.
        spread: (y, w, stride, padding, size=(H, W)) -> x.
        kernel_gradient: (x, y, window=(kh, kw), stride, padding) -> w.
    """

    correlate: Callable[..., Array]
    spread: Callable[..., Array]
    kernel_gradient: Callable[..., Array]


PATCHES = Form(_correlate_patches, _spread_patches, _gradient_patches)
ROWS = Form(_correlate_rows, _spread_rows, _gradient_rows)


def form_for(kernel: tuple[int, ...], stride: Pair) -> Form:
    """The form that moves less memory for a kernel of the shape (kh, kw, C, O).

    Elements moved for an output pixel: kh kw C gathered, against s kw C gathered and kh O written by the product,
    where a gathered element costs about two written ones (`python -m benchmarks --cases C` times both).
    """
    kh, kw, c, o = kernel
    return PATCHES if 2 * kh * kw * c < 2 * stride[0] * kw * c + kh * o else ROWS
