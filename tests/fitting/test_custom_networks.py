"""A person's own encoder and decoder, as pairs of plain functions."""

from pathlib import Path

import jax
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import LINEAR, L, config, student_t
from vaeclust_jax.networks import CustomNetwork


@pytest.fixture(scope="module")
def linear(vectors: np.ndarray) -> vc.Run:
    return vc.fit(config(), vectors, jax.random.key(0), networks=LINEAR)


@pytest.mark.long
def test_they_are_what_is_trained(linear: vc.Run, vectors: np.ndarray) -> None:
    x = linear.prepare(vectors)
    encoder, decoder = (np.asarray(linear.params[name]["w"], np.float64) for name in ("encoder", "decoder"))
    z = (x @ encoder)[:, :L]
    np.testing.assert_allclose(linear.embed(vectors), z, atol=1e-5)
    np.testing.assert_allclose(linear.reconstruct(vectors), z @ decoder, atol=1e-5)
    np.testing.assert_allclose(
        linear.predict_proba(vectors), student_t(z, np.asarray(linear.params["centroids"])), atol=1e-5
    )
    assert isinstance(linear.config.network, CustomNetwork)


def test_they_are_saved_and_loaded(linear: vc.Run, vectors: np.ndarray, tmp_path: Path) -> None:
    linear.save(tmp_path / "model")
    run = vc.load(tmp_path / "model", networks=LINEAR)
    np.testing.assert_array_equal(run.predict_proba(vectors), linear.predict_proba(vectors))
    assert run.sample(jax.random.key(0), 3, 1).shape == (3, vectors.shape[1])
    with pytest.raises(vc.InputError, match=r"networks of its own: load\(path, networks="):
        vc.load(tmp_path / "model")


def test_networks_of_another_size_cannot_read_the_arrays(linear: vc.Run, tmp_path: Path) -> None:
    linear.save(tmp_path / "model")
    wider = LINEAR._replace(decoder=vc.Network(lambda key: {"w": np.zeros((L, 99), np.float32)}, LINEAR.decoder.apply))
    with pytest.raises(vc.InputError, match=r"does not fit these networks, .* of another model"):
        vc.load(tmp_path / "model", networks=wider)
    with pytest.raises(vc.InputError, match=r"networks must be Networks\(encoder, decoder\), got tuple"):
        vc.load(tmp_path / "model", networks=(LINEAR.encoder, LINEAR.decoder))  # type: ignore[arg-type]


@pytest.mark.long
def test_a_model_that_holds_its_network_takes_no_other(vectors: np.ndarray, tmp_path: Path) -> None:
    small = vc.Config(vc.VAEKMeans(2, pretrain_epochs=1), network=vc.MLP(latent_dim=L, hidden=(4,)))
    vc.fit(small, vectors, 0).save(tmp_path / "model")
    with pytest.raises(vc.InputError, match="was fitted with the network MLP, which it holds: leave networks out"):
        vc.load(tmp_path / "model", networks=LINEAR)
