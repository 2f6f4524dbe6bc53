"""A convolution under `vmap` over seeds, each with its own kernel: rows of case G."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import numpy as np

from benchmarks.case import Effort, Row
from benchmarks.cases.conv_forms import Shape, _by_form, _by_lax
from benchmarks.cases.epoch import BATCH_SIZE
from benchmarks.fastest import OURS, against_fastest, per
from benchmarks.timing import measure
from vaeclust_jax.networks.conv_matmul import PATCHES, ROWS

SHAPES = (Shape(32, 1, 32, 5), Shape(16, 32, 64, 5), Shape(8, 64, 128, 3))
_CALLS = 10  # in a row, so that launching the first hides behind the others


def conv_rows(effort: Effort) -> Iterator[Row]:
    """The conv VAE's convolutions with a kernel a seed: grouped, which we run, against products of gathered windows."""
    for shape in (Shape(8, 64, 128, 3),) if effort.smoke else SHAPES:
        for count in (1, 2) if effort.smoke else (1, 32):
            forms = {OURS: _by_lax, "all taps gathered": partial(_by_form, PATCHES)}
            forms["columns gathered, rows summed"] = partial(_by_form, ROWS)
            seconds = measure(_conv_programs(shape, count, forms), effort.repetitions)
            yield against_fastest(
                {name: per(taken, _CALLS) for name, taken in seconds.items()},
                case="G",
                what=f"conv {shape.inputs} to {shape.outputs} channels, k {shape.kernel}, {shape.size} x {shape.size}, "
                f"with gradients, {count} seed{'s' * (count > 1)}",
                unit="ms",
                target=None,
                note=f"float32 with TF32; a kernel a seed, {BATCH_SIZE} images each; ours: XLA's grouped convolution",
            )


def _conv_programs(shape: Shape, count: int, forms: dict[str, Callable[..., Any]]) -> dict[str, Callable[[], Any]]:
    """Several calls of each form for S seeds; they agree where products are not rounded.

    Raises:
        AssertionError: they do not.
    """
    x, kernel, dy = (
        jax.random.normal(jax.random.key(number), (count, *size))
        for number, size in enumerate(
            (
                (BATCH_SIZE, shape.size, shape.size, shape.inputs),
                (shape.kernel, shape.kernel, shape.inputs, shape.outputs),
                (BATCH_SIZE, shape.output, shape.output, shape.outputs),
            )
        )
    )
    programs = {name: jax.jit(jax.vmap(partial(form, shape))) for name, form in forms.items()}
    with jax.default_matmul_precision("float32"):
        results = {name: jax.device_get(program(x, kernel, dy)) for name, program in programs.items()}
    for name, arrays in results.items():
        for got, wanted in zip(arrays, results[OURS], strict=True):
            assert np.abs(got - wanted).max() <= 1e-4 * np.abs(wanted).max(), f"{name} differs from the convolution"
    return {
        name: lambda program=program: [program(x, kernel, dy) for _ in range(_CALLS)]
        for name, program in programs.items()
    }
