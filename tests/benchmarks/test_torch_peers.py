"""The PyTorch peers compute what we compute, and one that does not is found out; skipped without PyTorch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmarks.case import Effort  # noqa: E402
from benchmarks.cases import epoch, seeds, train_step  # noqa: E402
from benchmarks.models import CONV, MLP  # noqa: E402
from benchmarks.ours import Training  # noqa: E402
from benchmarks.peers.torch_check import check_step, check_target  # noqa: E402
from benchmarks.peers.torch_training import Training as TorchTraining  # noqa: E402
from benchmarks.peers.torch_training import torch_vae, variants  # noqa: E402
from benchmarks.peers.torch_vae import load_params  # noqa: E402
from benchmarks.samples import images, vectors  # noqa: E402
from vaeclust_jax.methods.vae import vae, vae_heads  # noqa: E402
from vaeclust_jax.types import Batch  # noqa: E402

SMOKE = Effort("smoke", 1)
ROWS = {CONV: images(8), MLP: vectors(8)}
MODELS = pytest.mark.parametrize("model", [CONV, MLP], ids=["conv", "mlp"])


def batch_of(x):
    return Batch(jnp.asarray(x), None, jnp.arange(len(x)), jnp.ones(len(x)))


@MODELS
def test_both_encode_and_decode_the_same(model):
    heads, peer = vae_heads(model.networks, model.likelihood), torch_vae(model)
    params = vae(model.networks).init(jax.random.key(3)).params
    load_params(peer, params)
    with torch.no_grad():
        mean, logvar = peer.encode(peer.rows_from(ROWS[model]))
        decoded = torch.sigmoid(peer.decoder(mean))
    ours = heads.encode(params, jnp.asarray(ROWS[model]))
    np.testing.assert_allclose(np.asarray(ours), torch.stack([mean, logvar]), rtol=1e-4, atol=1e-5)
    again = torch.tensor(np.array(heads.decode(params, ours[0])))
    np.testing.assert_allclose(peer.rows_from(again.numpy()), decoded, rtol=1e-4, atol=1e-5)


@MODELS
def test_another_beta_is_found_out(model):
    learner = vae(model.networks, beta=model.beta)
    state = learner.init(jax.random.key(0))
    check_step(learner, state, batch_of(ROWS[model]), torch_vae(model))
    with pytest.raises(AssertionError, match="loss of a batch must agree with PyTorch"):
        check_step(learner, state, batch_of(ROWS[model]), torch_vae(model._replace(beta=model.beta + 1)))


def test_a_gradient_that_is_not_the_loss_is_found_out():
    learner, peer = vae(MLP.networks, beta=MLP.beta), torch_vae(MLP)
    state = learner.init(jax.random.key(0))
    peer.logvar.weight.register_hook(lambda gradient: 1.01 * gradient)
    with pytest.raises(AssertionError, match=r"gradient of logvar\.weight must agree"):
        check_step(learner, state, batch_of(ROWS[MLP]), peer)


def test_another_target_is_found_out():
    p = np.full((3, 2), 0.5, np.float32)
    check_target(p, torch.tensor(p))
    with pytest.raises(AssertionError, match=r"target P must agree .* 0\.5 against 0\.75"):
        check_target(p, torch.tensor(p) + 0.25)


def test_pytorch_trains_as_we_do():
    learner, x = vae(MLP.networks, beta=MLP.beta, learning_rate=2e-3), vectors(128)
    ours = Training(learner, x, 32)
    theirs = TorchTraining(torch_vae(MLP), learner.init(jax.random.key(0)).params, x, 32, 2e-3)
    our_losses = [float(ours.epoch()["loss"][0]) for _ in range(8)]
    their_losses = [theirs.epoch() for _ in range(8)]
    assert their_losses[-1] < 0.6 * their_losses[0]
    assert our_losses[-1] == pytest.approx(their_losses[-1], rel=0.05)  # other shuffles, other noise


@pytest.mark.parametrize("case", [*train_step.CASES, *epoch.CASES, *seeds.CASES], ids=lambda case: case.name)
def test_every_case_runs_with_its_checks(case):
    rows = list(case.run(SMOKE))
    assert all(row.ratio > 0 for row in rows)
    assert all(row.case == case.name for row in rows)


def test_a_convolutional_net_runs_in_both_memory_formats():
    assert [*variants(CONV).values()] == [False, True]
    row = train_step.train_step_row("T1", train_step.CONV_64, SMOKE)
    assert {row.peer_name, *row.details["slower_peers_seconds"]} == set(variants(CONV))
