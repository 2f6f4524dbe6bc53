from functools import partial
from unittest.mock import patch

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jax import lax

from vaeclust_jax.networks import conv as conv_module
from vaeclust_jax.networks import conv_matmul
from vaeclust_jax.networks.conv import conv, conv_output_size, conv_transpose
from vaeclust_jax.networks.conv_matmul import PATCHES, ROWS, form_for

from .reference import reference_conv, reference_transpose, relative_error


@st.composite
def geometries(draw):
    """(image, kernel, stride, padding) with at least one window inside the padded image."""
    stride = draw(st.integers(1, 4) | st.tuples(st.integers(1, 4), st.integers(1, 4)))
    padding = draw(st.integers(0, 3) | st.tuples(st.integers(0, 3), st.integers(0, 3)))
    kernel = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    image = tuple(
        draw(st.integers(max(1, k - 2 * p), 10)) for k, p in zip(kernel, np.broadcast_to(padding, 2), strict=True)
    )
    return image, kernel, stride, padding


channels = st.tuples(st.integers(1, 12), st.integers(1, 12))

# XLA's algebraic simplifier aborts the process on some gradients of its own convolutions: kernel (2, 5), stride 2 and
# padding (1, 3) on a (10, 5) image ("Window dimensions do not match RHS shape", jaxlib 0.10.2).
WITHOUT_SIMPLIFIER = {"xla_disable_hlo_passes": "algsimp"}


def arrays(geometry, channels, n=2, seed=0):
    """Input, kernel and output (or its gradient) of a convolution, standard normal."""
    image, kernel, stride, padding = geometry
    random = np.random.default_rng(seed)
    size = (np.array(image) + 2 * np.array(padding) - kernel) // stride + 1
    shapes = [(n, *image, channels[0]), (*kernel, *channels), (n, *size, channels[1])]
    return tuple(jnp.asarray(random.normal(size=shape), jnp.float32) for shape in shapes)


def values_and_gradients(forward, transpose, geometry):
    """(x, kernel, y) -> both operations, each with the gradients in its input and in its kernel."""
    image, _, stride, padding = geometry

    def run(x, kernel, y):
        there, back = jax.vjp(lambda x, k: forward(x, k, stride, padding), x, kernel)
        here, forth = jax.vjp(lambda y, k: transpose(y, k, stride, padding, image), y, kernel)
        return there, back(y), here, forth(x)

    return run


def check(geometry, channels):
    x, kernel, y = arrays(geometry, channels)
    ours = jax.jit(values_and_gradients(conv, conv_transpose, geometry))
    reference = jax.jit(
        values_and_gradients(reference_conv, reference_transpose, geometry), compiler_options=WITHOUT_SIMPLIFIER
    )
    assert relative_error(ours(x, kernel, y), reference(x, kernel, y)) <= 1e-5


@pytest.mark.long
@pytest.mark.parametrize("form", [PATCHES, ROWS], ids=["patches", "rows"])
@settings(max_examples=10, deadline=None)
@given(geometry=geometries(), channels=channels)
@example(geometry=((7, 6), (2, 1), 4, 0), channels=(3, 2))  # kernel shorter than the stride
@example(geometry=((7, 6), (2, 1), (4, 1), 1), channels=(9, 10))  # the same on one axis
@example(geometry=((3, 1), (5, 3), 1, 1), channels=(9, 2))  # kernel as large as the padded image
@example(geometry=((5, 4), (1, 2), 3, 3), channels=(10, 1))  # windows that see padding alone
@example(geometry=((1, 1), (1, 1), 3, 0), channels=(1, 1))  # an image smaller than the stride
@example(geometry=((10, 5), (2, 5), 2, (1, 3)), channels=(3, 7))  # other paddings on the two axes
def test_both_operations_and_all_gradients_equal_jax(form, geometry, channels):
    with patch.object(conv_module, "form_for", return_value=form) as asked:
        check(geometry, channels)
    assert asked.called


@pytest.mark.parametrize(
    ("kernel", "form"),
    [((5, 5, 1, 32), PATCHES), ((5, 5, 3, 32), PATCHES), ((5, 5, 32, 64), ROWS), ((3, 3, 64, 128), ROWS)],
)
def test_few_input_channels_gather_all_taps(kernel, form):
    """The layers of an image network of stride 2, grey and coloured: what `python -m benchmarks --cases C` times."""
    assert form_for(kernel, (2, 2)) is form


def test_gradients_of_gradients_equal_jax():
    """As a gradient penalty needs them: every map's gradients are maps of the same kind."""
    x, kernel, _ = arrays(GEOMETRY, (3, 2))

    def penalty(function):
        def inner(x, kernel):
            return jnp.sum(jnp.sin(function(x, kernel, STRIDE, PADDING)))

        return lambda x, kernel: sum(jnp.sum(g**3) for g in jax.grad(inner, (0, 1))(x, kernel))

    ours, reference = (jax.jit(jax.grad(penalty(f), (0, 1)))(x, kernel) for f in (conv, reference_conv))
    assert relative_error(ours, reference) <= 1e-5


def test_a_product_over_a_long_axis_is_whole_in_any_number_of_pieces():
    random = np.random.default_rng(0)
    for rows in (1, 2047, 2048, 2049, 40_000):
        a, b = random.normal(size=(rows, 3)), random.normal(size=(rows, 2))
        product = conv_matmul._long_product(jnp.asarray(a, jnp.float32), jnp.asarray(b, jnp.float32))
        np.testing.assert_allclose(product, a.T @ b, atol=1e-3 * np.sqrt(rows / 2048 + 1))


@pytest.mark.parametrize("channels", [(2, 3), (10, 3)], ids=["few", "many"])
@pytest.mark.parametrize("geometry", [((9, 6), (5, 5), 2, 2), ((6, 7), (3, 4), 3, 1), ((4, 5), (1, 2), 4, 0)], ids=str)
def test_the_form_of_the_accelerators_equals_jax(monkeypatch, geometry, channels):
    """The branch that a CPU never takes, run on whatever is here."""
    taken = []

    def accelerator(*operands, default, **_):
        taken.append(default)
        return default(*operands)

    monkeypatch.setattr(lax, "platform_dependent", accelerator)
    check(geometry, channels)
    assert taken


@pytest.mark.long
@pytest.mark.parametrize("channels", [(2, 3), (9, 2)], ids=["few", "many"])
def test_both_operations_equal_their_sums_in_float64(channels):
    """out[p, q] = sum_ij x[s p + i - pad, s q + j - pad] w[i, j]; the transposed one sends y back that way."""
    (h, w), (kh, kw), stride, padding = geometry = (5, 6), (3, 2), 2, 1
    x, kernel, y = arrays(geometry, channels)
    out, back = np.zeros(y.shape), np.zeros(x.shape)
    x64, kernel64, y64 = (np.asarray(a, np.float64) for a in (x, kernel, y))
    for p, q, i, j in np.ndindex(y.shape[1], y.shape[2], kh, kw):
        row, column = stride * p + i - padding, stride * q + j - padding
        if 0 <= row < h and 0 <= column < w:
            out[:, p, q] += x64[:, row, column] @ kernel64[i, j]
            back[:, row, column] += y64[:, p, q] @ kernel64[i, j].T
    with jax.enable_x64(True):
        x, kernel, y = map(jnp.asarray, (x64, kernel64, y64))
        ours = conv(x, kernel, stride, padding), conv_transpose(y, kernel, stride, padding, (h, w))
    assert all(a.dtype == np.float64 for a in ours)
    assert relative_error(ours, (out, back)) <= 1e-13


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 30), st.integers(1, 7), st.integers(1, 4), st.integers(0, 3))
def test_output_size_counts_the_windows(size, kernel, stride, padding):
    starts = [s for s in range(0, size + 2 * padding, stride) if s + kernel <= size + 2 * padding]
    if starts:
        assert conv_output_size(size, kernel, stride, padding) == len(starts)
    else:
        assert conv_output_size(size, kernel, stride, padding) <= 0


# Under jax's transformations -------------------------------------------------------------------------

GEOMETRY = ((7, 6), (3, 2), 2, 1)
IMAGE, _, STRIDE, PADDING = GEOMETRY


def our_transpose(y, kernel):
    return conv_transpose(y, kernel, STRIDE, PADDING, IMAGE)


def their_transpose(y, kernel):
    return reference_transpose(y, kernel, STRIDE, PADDING, IMAGE)


@pytest.fixture(params=["conv", "transpose to few channels", "transpose to many channels"])
def operation(request):
    """(ours, reference, input, kernel) of one geometry."""
    x, kernel, y = arrays(GEOMETRY, (10 if "many" in request.param else 2, 3), n=4)
    if request.param == "conv":
        ours, theirs = (partial(f, stride=STRIDE, padding=PADDING) for f in (conv, reference_conv))
        return ours, theirs, x, kernel
    return our_transpose, their_transpose, y, kernel


def loss(function):
    return lambda x, kernel: jnp.sum(jnp.sin(function(x, kernel)))


@pytest.mark.long
def test_without_jit(operation):
    ours, reference, x, kernel = operation
    assert relative_error(ours(x, kernel), reference(x, kernel)) <= 1e-5


def test_gradients_of_a_nonlinear_loss(operation):
    ours, reference, x, kernel = operation
    gradients, expected = (jax.jit(jax.grad(loss(f), (0, 1)))(x, kernel) for f in (ours, reference))
    assert relative_error(gradients, expected) <= 1e-5


def test_vmap_over_samples(operation):
    ours, reference, x, kernel = operation
    one_by_one = jax.jit(jax.vmap(lambda x: ours(x[None], kernel)[0]))(x)
    assert relative_error(one_by_one, reference(x, kernel)) <= 1e-5


@pytest.mark.long
def test_vmap_over_seeds_with_shared_and_with_own_samples(operation):
    ours, reference, x, kernel = operation
    kernels = jnp.stack([kernel, 2 * kernel[::-1], kernel**2])
    xs = jnp.stack([x, jnp.cos(x), x[:, ::-1]])

    def outputs(function, x, kernel):
        return function(x, kernel), *jax.grad(loss(function), (0, 1))(x, kernel)

    shared = jax.jit(jax.vmap(partial(outputs, ours), (None, 0)))(x, kernels)
    own = jax.jit(jax.vmap(partial(outputs, ours)))(xs, kernels)
    expected = jax.jit(partial(outputs, reference))
    for seed in range(3):
        one_shared, one_own = jax.tree.map(lambda a, seed=seed: a[seed], (shared, own))
        assert relative_error(one_shared, expected(x, kernels[seed])) <= 1e-5
        assert relative_error(one_own, expected(xs[seed], kernels[seed])) <= 1e-5


def test_gradient_descent_inside_a_scan(operation):
    ours, reference, x, kernel = operation
    steps = jnp.stack([x, 0.5 * x, -x])

    @jax.jit
    def train(kernel):
        return lax.scan(lambda k, x: (k - 0.01 * jax.grad(loss(ours), 1)(x, k), ours(x, k)), kernel, steps)

    last, outputs = train(kernel)
    step = jax.jit(lambda x, k: (reference(x, k), jax.grad(loss(reference), 1)(x, k)))
    expected = kernel
    for x, output in zip(steps, outputs, strict=True):
        value, gradient = step(x, expected)
        assert relative_error(output, value) <= 1e-5
        expected = expected - 0.01 * gradient
    assert relative_error(last, expected) <= 1e-5
    assert relative_error(last, kernel) > 1e-2


def test_a_transposed_convolution_to_an_impossible_size_is_refused() -> None:
    with pytest.raises(ValueError, match="output_size"):
        conv_transpose(jnp.ones((1, 3, 3, 2)), jnp.ones((3, 3, 1, 2)), 2, 1, (20, 20))


def test_a_kernel_larger_than_the_padded_image_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        conv(jnp.ones((1, 3, 3, 2)), jnp.ones((6, 3, 2, 1)), 2, 1)
