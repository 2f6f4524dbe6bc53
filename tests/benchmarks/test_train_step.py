"""The training cases: the mathematics they count, and their PyTorch peers against our own steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc
from benchmarks.case import Effort, Measured
from benchmarks.cases import epoch, seeds, train_step
from benchmarks.fastest import OURS, against_fastest, per
from benchmarks.models import CONV, MLP, WIDE_MLP, Model, encode_flops, train_flops
from benchmarks.ours import Training
from benchmarks.peers.available import missing
from benchmarks.samples import images, vectors
from vaeclust_jax.methods.vae import vae
from vaeclust_jax.types import Batch

SMOKE = Effort("smoke", 1)
SMALL_MLP = Model(vc.MLP(hidden=(5, 4), latent_dim=3), (6,), beta=2.0, learning_rate=1e-3)


def test_flops_of_an_mlp_are_its_matrix_products():
    encoder = 2 * (6 * 5 + 5 * 4 + 2 * 4 * 3)
    decoder = 2 * (3 * 4 + 4 * 5 + 5 * 6)
    assert encode_flops(SMALL_MLP) == encoder
    assert train_flops(SMALL_MLP) == 3 * (encoder + decoder) - 2 * 6 * 5


@pytest.mark.long
@pytest.mark.parametrize("model", [MLP, WIDE_MLP], ids=["papers C", "wide"])
def test_flops_of_training_are_what_xla_counts(model):
    learner = vae(model.networks, deterministic=True)
    state = learner.init(jax.random.key(0))
    batch = Batch(jnp.ones((32, 784)), None, jnp.arange(32), jnp.ones(32))

    def loss(params):
        return learner.evaluate(jax.random.key(0), state._replace(params=params), batch)["loss"]

    counted = jax.jit(jax.grad(loss)).lower(state.params).compile().cost_analysis()["flops"]
    assert counted == pytest.approx(32 * train_flops(model), rel=0.04)  # XLA counts the elementwise ones as well


def test_flops_of_the_convolutions_are_those_of_the_design():
    hidden = 256 * 25 * 32 + 64 * 25 * 32 * 64 + 16 * 9 * 64 * 128
    assert encode_flops(CONV) == 2 * (hidden + 2 * 2048 * 10)
    assert train_flops(CONV) == 3 * 2 * (2 * hidden + 3 * 2048 * 10) - 2 * 256 * 25 * 32
    assert 64 * train_flops(CONV) == pytest.approx(3.6e9, rel=0.02)


@pytest.mark.long
def test_samples_are_what_the_models_take(monkeypatch):
    for x, shape in ((images(7), (7, 32, 32, 1)), (vectors(9), (9, 784))):
        assert x.shape == shape
        assert x.dtype == np.float32
        assert x.min() >= 0
        assert 0.1 < x.max() <= 1


@pytest.mark.long
def test_our_epochs_train():
    learner = vae(SMALL_MLP.networks, learning_rate=0.05)
    training = Training(learner, np.full((8, 6), 0.9, np.float32), 4, num_seeds=2)
    losses = [training.epoch()["loss"] for _ in range(20)]
    assert losses[0].shape == (2,)
    assert (losses[-1] < 0.8 * losses[0]).all()  # of 6 log 2 nats at first, 6 times the entropy .33 can stay


def test_the_fastest_peer_counts():
    seconds = {OURS: Measured(2, 1, 3, 5), "a": Measured(8, 6, 9, 5), "b": Measured(4, 3, 5, 5)}
    fields = {"case": "T0", "what": "", "unit": "s", "target": 1.5}
    row = against_fastest({name: per(taken, 2) for name, taken in seconds.items()}, **fields)
    assert (row.peer_name, row.ratio, row.target) == ("b", 2, 1.5)
    assert row.ours == Measured(1, 0.5, 1.5, 5)
    assert row.details["slower_peers_seconds"] == {"a": Measured(4, 3, 4.5, 5)._asdict()}
    alone = against_fastest({OURS: seconds[OURS]}, **fields)
    assert (alone.peer, alone.peer_name, alone.target, alone.details) == (None, None, None, {})


def test_missing_peers_are_named():
    assert missing("jax", "numpy") is None
    assert missing("jax", "no_such_module_x") == "no_such_module_x is not installed (benchmarks/install_peers.sh)"
    assert missing("no_a", "no_b") == "no_a and no_b are not installed (benchmarks/install_peers.sh)"


@pytest.mark.long
def test_without_pytorch_our_figures_are_shown(monkeypatch):
    monkeypatch.setattr(train_step, "missing", lambda *modules: "PyTorch is not installed")
    row = train_step.train_step_row("T3", train_step.MLP_32, SMOKE)
    assert row.peer is None
    assert row.target is None
    assert row.note == "PyTorch is not installed"
    assert row.ours.median > 0


@pytest.mark.slow
def test_five_seeds_are_five_runs():
    together, apart = (seeds.epochs_of_five(128, number)() for number in (5, 1))
    assert [run["loss"].shape for run in together] == [(5,)]
    assert [run["loss"].shape for run in apart] == [(1,)] * 5


@pytest.mark.long
def test_a_process_of_its_own_prints_the_seconds_of_compilation(capsys):
    seeds.main(1, 320)  # a number of rows that no other test compiles for
    assert float(capsys.readouterr().out) > 0.1


@pytest.mark.long
def test_every_timed_joint_epoch_refreshes_the_target():
    training = Training(epoch.joint_learner(128), images(128), epoch.BATCH_SIZE)
    for _ in range(2):
        before = np.asarray(training.progress.state.memory.p)
        training.epoch()
        assert (training.progress.state.memory.p != before).any()


def test_flops_of_a_joint_epoch_are_those_of_its_steps_and_its_refresh():
    assert epoch.joint_flops(10) == 10 * train_flops(CONV) + 10 * encode_flops(CONV)
