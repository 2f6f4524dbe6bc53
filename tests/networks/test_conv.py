from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jax import lax

from vaeclust_jax.networks.conv import conv, conv_output_size, conv_transpose

from .reference import reference_conv, reference_transpose, relative_error


@st.composite
def geometries(draw):
    """(image, kernel, stride, padding) with at least one window inside the padded image."""
    stride, padding = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    kernel = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    image = tuple(draw(st.integers(max(1, k - 2 * padding), 10)) for k in kernel)
    return image, kernel, stride, padding


channels = st.tuples(st.integers(1, 12), st.integers(1, 12))


def arrays(geometry, channels, n=2, seed=0):
    """Input, kernel and output (or its gradient) of a convolution, standard normal."""
    (h, w), (kh, kw), stride, padding = geometry
    random = np.random.default_rng(seed)
    size = ((h + 2 * padding - kh) // stride + 1, (w + 2 * padding - kw) // stride + 1)
    shapes = [(n, h, w, channels[0]), (kh, kw, *channels), (n, *size, channels[1])]
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
    ours = values_and_gradients(conv, conv_transpose, geometry)
    reference = values_and_gradients(reference_conv, reference_transpose, geometry)
    assert relative_error(*jax.jit(lambda *a: (ours(*a), reference(*a)))(x, kernel, y)) <= 1e-5


@settings(max_examples=16, deadline=None)
@given(geometries(), channels)
@example(((7, 6), (2, 1), 4, 0), (3, 2))  # kernel shorter than the stride, few channels
@example(((7, 6), (2, 1), 4, 1), (9, 10))  # the same, many channels
@example(((3, 1), (5, 3), 1, 1), (9, 2))  # kernel as large as the padded image
@example(((5, 4), (1, 2), 3, 3), (10, 1))  # windows that see padding alone
def test_both_operations_and_all_gradients_equal_jax(geometry, channels):
    check(geometry, channels)


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
