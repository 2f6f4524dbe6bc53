"""Attention against the formula in float64, token by token, and positions against theirs."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from vaeclust_jax.networks.attention import (
    AttentionWeights,
    attention,
    attention_shares,
    grid_positions,
    multi_head_attention,
    sinusoidal_positions,
)

RANDOM = np.random.default_rng(0)


def oracle(query: np.ndarray, key: np.ndarray, value: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """One query after the other, from the definition."""
    answers = []
    for row, one in enumerate(query.astype(np.float64)):
        seen = range(len(key)) if mask is None else np.flatnonzero(mask[row]).tolist()
        scores = {other: math.fsum(one * key[other]) / math.sqrt(len(one)) for other in seen}
        highest = max(scores.values(), default=0.0)
        total = math.fsum(math.exp(score - highest) for score in scores.values())
        shares = {other: math.exp(score - highest) / total for other, score in scores.items()}
        answers.append(sum((share * value[other] for other, share in shares.items()), np.zeros(value.shape[1])))
    return np.array(answers)


@pytest.mark.long
@given(n=st.integers(1, 5), m=st.integers(1, 6), size=st.floats(0.1, 30), masked=st.booleans())
@settings(max_examples=10, deadline=None)
def test_it_is_the_formula(n: int, m: int, size: float, masked: bool) -> None:
    random = np.random.default_rng(n * 10 + m)
    query, key, value = random.normal(0, size, (n, 4)), random.normal(size=(m, 4)), random.normal(size=(m, 3))
    mask = random.random((n, m)) < 0.5 if masked else None
    got = attention(*(jnp.asarray(one) for one in (query, key, value)), None if mask is None else jnp.asarray(mask))
    np.testing.assert_allclose(got, oracle(query, key, value, mask), atol=2e-5)


def test_shares_sum_to_one_and_to_nothing_where_nothing_may_be_seen() -> None:
    query, key = jnp.asarray(RANDOM.normal(size=(3, 4))), jnp.asarray(RANDOM.normal(size=(5, 4)))
    mask = jnp.asarray([[True] * 5, [True, False, False, True, False], [False] * 5])
    shares = attention_shares(query, key, mask)
    np.testing.assert_allclose(shares.sum(axis=1), [1, 1, 0], atol=1e-6)
    np.testing.assert_array_equal(np.asarray(shares)[~np.asarray(mask)], 0)
    np.testing.assert_allclose(attention_shares(1e4 * query, key).sum(axis=1), 1, atol=1e-6)


def test_a_causal_mask_hides_what_comes_later() -> None:
    x = jnp.asarray(RANDOM.normal(size=(6, 4)), jnp.float32)
    mask = jnp.tril(jnp.ones((6, 6), bool))
    later = x.at[4:].set(99.0)
    np.testing.assert_allclose(attention(x, x, x, mask)[:4], attention(later, later, later, mask)[:4], atol=1e-6)


def weights_of(width: int) -> AttentionWeights:
    maps = (jnp.asarray(RANDOM.normal(0, width**-0.5, (width, width)), jnp.float32) for _ in range(4))
    return AttentionWeights(*maps, jnp.asarray(RANDOM.normal(size=width), jnp.float32))


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_heads_are_attention_on_parts_of_the_width(heads: int) -> None:
    weights, x = weights_of(8), jnp.asarray(RANDOM.normal(size=(2, 5, 8)), jnp.float32)
    got, shares = multi_head_attention(weights, x, heads)
    assert shares.shape == (2, heads, 5, 5)
    maps = [np.asarray(one, np.float64) for one in weights]
    for of_row, row in zip(got, np.asarray(x, np.float64), strict=True):
        query, key, value = (np.split(row @ one, heads, axis=1) for one in maps[:3])
        together = np.concatenate([oracle(*one) for one in zip(query, key, value, strict=True)], axis=1)
        np.testing.assert_allclose(of_row, together @ maps[3] + maps[4], atol=2e-5)


def test_heads_are_flaxs() -> None:
    weights, x = weights_of(8), jnp.asarray(RANDOM.normal(size=(2, 5, 8)), jnp.float32)
    layer = nnx.MultiHeadAttention(2, 8, decode=False, rngs=nnx.Rngs(0))
    for name, one in (("query", weights.query), ("key", weights.key), ("value", weights.value)):
        getattr(layer, name).kernel[...] = one.reshape(8, 2, 4)
    layer.out.kernel[...] = weights.output.reshape(2, 4, 8)
    layer.out.bias[...] = weights.output_bias
    mask = jnp.asarray(RANDOM.random((5, 5)) < 0.5) | jnp.eye(5, dtype=bool)
    np.testing.assert_allclose(multi_head_attention(weights, x, 2, mask)[0], layer(x, mask=mask), atol=2e-5)


def test_gradients_are_those_of_differences() -> None:
    query, key, value = (jnp.asarray(RANDOM.normal(size=(3, 2)), jnp.float32) for _ in range(3))
    mask = jnp.asarray([[True, True, False], [True, True, True], [False, False, False]])
    check_grads(lambda *arrays: attention(*arrays, mask), (query, key, value), order=1, modes=["rev"], eps=1e-2)
    gradient = jax.grad(lambda query: attention(query, key, value, mask).sum())(query)
    np.testing.assert_array_equal(gradient[2], 0)


def test_positions_are_their_formula_and_differ_by_a_rotation() -> None:
    got = sinusoidal_positions(7, 6)
    for p in range(7):
        for i in range(3):
            angle = p / 10_000 ** (2 * i / 6)
            np.testing.assert_allclose(got[p, 2 * i : 2 * i + 2], [math.sin(angle), math.cos(angle)], atol=1e-6)
    products = np.asarray(got @ got.T)
    for shift in range(1, 6):
        assert np.diag(products, shift).std() < 1e-5, "the product depends on the distance alone"


def test_positions_of_a_grid_are_those_of_row_and_column() -> None:
    got = grid_positions(3, 5, 8).reshape(3, 5, 8)
    for row in range(3):
        np.testing.assert_array_equal(got[row, :, :4], np.tile(sinusoidal_positions(3, 4)[row], (5, 1)))
    for column in range(5):
        np.testing.assert_array_equal(got[:, column, 4:], np.tile(sinusoidal_positions(5, 4)[column], (3, 1)))
    assert len(np.unique(np.round(got.reshape(15, 8), 5), axis=0)) == 15
