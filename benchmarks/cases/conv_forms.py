"""C: which of the two matrix forms of a convolution is the faster for which kernel, and whether the rule chose it.

The figure of a row is one convolution with both its gradients inside a `lax.scan`, as in training; the peer is the form
that the rule did not choose. XLA's own convolution with its autodiff stands in the details (on a GPU it is the form
that is used).
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from benchmarks.case import Case, Effort, Row
from benchmarks.fastest import per
from benchmarks.timing import measure
from vaeclust_jax.networks.conv import conv_output_size
from vaeclust_jax.networks.conv_matmul import PATCHES, ROWS, Form, form_for

_STRIDE = 2
_BATCH = 64
_STEPS = 8
_NAMES = {PATCHES: "all taps gathered", ROWS: "columns gathered, rows summed"}


class Shape(NamedTuple):
    """A layer of stride 2 that halves the image."""

    size: int
    inputs: int
    outputs: int
    kernel: int

    @property
    def padding(self) -> int:  # noqa: D102
        return (self.kernel - 1) // 2

    @property
    def output(self) -> int:  # noqa: D102
        return conv_output_size(self.size, self.kernel, _STRIDE, self.padding)


SHAPES = [
    Shape(32, 1, 32, 5),
    Shape(32, 3, 32, 5),
    Shape(16, 8, 64, 3),
    Shape(16, 16, 64, 3),
    Shape(16, 16, 64, 5),
    Shape(16, 32, 64, 5),
    Shape(16, 32, 64, 3),
    Shape(8, 64, 128, 3),
    Shape(8, 128, 64, 3),
    Shape(16, 64, 64, 5),
]
"""From grey images to wide layers; both sides of the rule's border."""

Maps = Callable[[Array, Array, Array], tuple[Array, Array, Array]]


def _run(effort: Effort) -> Iterator[Row]:
    for shape in SHAPES if effort.full else SHAPES[5:6]:
        yield _row(shape, effort)


def _row(shape: Shape, effort: Effort) -> Row:
    chosen = form_for((shape.kernel, shape.kernel, shape.inputs, shape.outputs), (_STRIDE, _STRIDE))
    other = ROWS if chosen is PATCHES else PATCHES
    ways: dict[str, Maps] = {
        "chosen": partial(_by_form, chosen, shape),
        "other": partial(_by_form, other, shape),
        "xla": partial(_by_lax, shape),
    }
    seconds = measure({name: _scanned(maps, shape) for name, maps in ways.items()}, effort.repetitions)
    seconds = {name: per(taken, _STEPS) for name, taken in seconds.items()}
    layer = f"{shape.inputs} to {shape.outputs} channels, k {shape.kernel}, {shape.size} x {shape.size}"
    return Row(
        case="C",
        what=f"conv {layer}, with gradients",
        unit="ms",
        ours=seconds["chosen"],
        peer=seconds["other"],
        peer_name=_NAMES[other],
        flops=3 * 2.0 * _BATCH * shape.output**2 * shape.kernel**2 * shape.inputs * shape.outputs,
        note=f"the rule chose: {_NAMES[chosen]}",
        details={"xla_convolution_seconds": seconds["xla"]._asdict(), **shape._asdict()},
    )


def _by_form(form: Form, shape: Shape, x: Array, kernel: Array, dy: Array) -> tuple[Array, Array, Array]:
    stride, padding = (_STRIDE, _STRIDE), (shape.padding, shape.padding)
    y = form.correlate(x, kernel, stride=stride, padding=padding, output=(shape.output, shape.output))
    dx = form.spread(dy, kernel, stride=stride, padding=padding, size=(shape.size, shape.size))
    window = (shape.kernel, shape.kernel)
    return y, dx, form.kernel_gradient(x, dy, window=window, stride=stride, padding=padding)


def _by_lax(shape: Shape, x: Array, kernel: Array, dy: Array) -> tuple[Array, Array, Array]:
    convolve = partial(
        lax.conv_general_dilated,
        window_strides=(_STRIDE, _STRIDE),
        padding=[(shape.padding, shape.padding)] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    y, backward = jax.vjp(convolve, x, kernel)
    return y, *backward(dy)


def _scanned(maps: Maps, shape: Shape) -> Callable[[], Any]:
    """A program that computes the three maps of `_STEPS` batches one after the other."""
    keys = jax.random.split(jax.random.key(0), 3)
    x = jax.random.normal(keys[0], (_STEPS, _BATCH, shape.size, shape.size, shape.inputs))
    dy = jax.random.normal(keys[1], (_STEPS, _BATCH, shape.output, shape.output, shape.outputs))
    kernel = jax.random.normal(keys[2], (shape.kernel, shape.kernel, shape.inputs, shape.outputs))

    def step(total: Array, batch: tuple[Array, Array]) -> tuple[Array, None]:
        # The barrier keeps XLA from computing only the element that is added up.
        results = lax.optimization_barrier(maps(batch[0], kernel, batch[1]))
        return total + sum(result.ravel()[0] for result in results), None

    program = jax.jit(lambda x, dy: lax.scan(step, jnp.zeros(()), (x, dy))[0])
    return lambda: program(x, dy)


CASES = [Case("C", "the two matrix forms of a convolution, and XLA's own", _run, in_quick=False)]
