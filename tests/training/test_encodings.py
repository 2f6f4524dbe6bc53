"""Rows are encoded once for each distinct encoder, whoever asks, and training rows are those of the index."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vaeclust_jax.methods.dec_learner import dec_heads
from vaeclust_jax.methods.vade_learner import vade_heads
from vaeclust_jax.methods.vae import vae_heads
from vaeclust_jax.networks import MLP
from vaeclust_jax.training import encodings
from vaeclust_jax.training.encodings import Encodings, TrainingRows
from vaeclust_jax.training.rows import ROWS_AT_ONCE
from vaeclust_jax.types import Heads, Params

N, F, L = ROWS_AT_ONCE + 7, 3, 2
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, F)).astype(np.float32)
W = RNG.normal(size=(F, L)).astype(np.float32)
INDEX = np.array([130, 4, 4, 0, 77])


def encode(params: Params, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    mean = x @ params["encoder"]["w"]
    return mean, mean + params["encoder"]["b"]


HEADS = Heads(encode)


def encoder(w: Any = W, b: float = 1.0, **others: Any) -> Params:
    return {"encoder": {"w": jnp.array(w), "b": jnp.asarray(b)}, **others}


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[Heads]:
    """Grows by the heads of each pass over all rows."""
    passes: list[Heads] = []
    original: Callable[..., Any] = encodings.encode_rows

    def counting(heads: Heads, params: Params, x: Any) -> Any:
        passes.append(heads)
        assert len(x) == N
        return original(heads, params, x)

    monkeypatch.setattr(encodings, "encode_rows", counting)
    return passes


def test_they_are_what_the_encoder_says_of_every_row() -> None:
    mean, logvar = Encodings(X).of(HEADS, encoder())
    np.testing.assert_allclose(mean, X @ W, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(logvar, X @ W + 1, rtol=1e-5, atol=1e-6)


def test_equal_encoders_are_encoded_once_whatever_stands_beside_them(encoded: list[Heads]) -> None:
    known = Encodings(X)
    first = known.of(HEADS, encoder())
    others = [
        encoder(),  # other arrays of the same numbers
        jax.jit(lambda params: params)(encoder()),  # handed on by a program
        jax.device_get(encoder()),
        encoder(centroids=jnp.ones((4, L))),
        dict(reversed(encoder(decoder={"w": jnp.ones(2)}).items())),
    ]
    assert all(known.of(HEADS, params) is first for params in others)
    assert known.of(HEADS._replace(assign=lambda params, z: z), encoder()) is first
    assert len(encoded) == 1


def test_another_number_is_another_encoder_and_both_stay_known(encoded: list[Heads]) -> None:
    known = Encodings(X)
    least = W.copy()
    least[-1, -1] = np.nextafter(least[-1, -1], np.float32(9))
    every = [encoder(), encoder(least), encoder(b=2.0), encoder(-W)]
    found = [known.of(HEADS, params) for params in every]
    assert len(encoded) == len(every)
    np.testing.assert_allclose(found[2][1], X @ W + 2, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[3][0], -X @ W, rtol=1e-5, atol=1e-6)
    assert (found[1][0] != found[0][0]).any()
    for params, posterior in zip(every, found, strict=True):
        assert known.of(HEADS, params) is posterior
    assert len(encoded) == len(every)


def test_another_function_of_the_same_numbers_is_another_encoder(encoded: list[Heads]) -> None:
    known = Encodings(X)
    swapped = Heads(lambda params, x: encode(params, x)[::-1])
    mean, logvar = known.of(HEADS, encoder())
    for part, other in zip(known.of(swapped, encoder()), (logvar, mean), strict=True):
        np.testing.assert_array_equal(part, other)
    assert encoded == [HEADS, swapped]


def test_rows_of_two_data_sets_are_not_mixed_up(encoded: list[Heads]) -> None:
    one, other = (Encodings(x).of(HEADS, encoder())[0] for x in (X, -X))
    np.testing.assert_array_equal(one, -other)
    assert len(encoded) == 2


def test_methods_of_the_same_networks_share_what_is_known(encoded: list[Heads]) -> None:
    networks = MLP(latent_dim=L, hidden=(4,)).build((F,))
    params = {"encoder": networks.encoder.init(jax.random.key(0))}
    known = Encodings(X)
    every = [vae_heads(networks, "gaussian"), dec_heads(networks, "bernoulli", True), vade_heads(networks, "squared")]
    assert len({id(known.of(heads, params)) for heads in every}) == 1
    assert len(encoded) == 1


def test_training_rows_are_those_of_the_index_in_its_order(encoded: list[Heads]) -> None:
    known = Encodings(X)
    x, y = jnp.asarray(X[INDEX]), jnp.arange(len(INDEX))
    rows = TrainingRows(x, y, INDEX, known)
    assert rows.x is x
    assert rows.y is y
    mean, logvar = rows.encode(HEADS, encoder())
    whole = known.of(HEADS, encoder())
    np.testing.assert_array_equal(mean, whole[0][INDEX])
    np.testing.assert_array_equal(logvar, whole[1][INDEX])
    np.testing.assert_allclose(mean, X[INDEX] @ W, rtol=1e-5, atol=1e-6)
    others = TrainingRows(x[:2], None, INDEX[:2], known)
    np.testing.assert_array_equal(others.encode(HEADS, encoder())[0], mean[:2])
    assert len(encoded) == 1


def test_what_a_start_writes_into_its_rows_stays_there() -> None:
    known = Encodings(X)
    rows = TrainingRows(jnp.asarray(X), None, np.arange(N), known)
    mean, _ = rows.encode(HEADS, encoder())
    mean[:] = 7
    np.testing.assert_allclose(known.of(HEADS, encoder())[0], X @ W, rtol=1e-5, atol=1e-6)
