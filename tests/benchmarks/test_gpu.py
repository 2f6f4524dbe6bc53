"""The GPU case: what it does without one, that no CPU figure passes for a GPU's, and its arithmetic."""

import sys
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc
from benchmarks.case import Effort, Measured
from benchmarks.cases import bfloat16, conv_seeds, gpu
from benchmarks.cases.conv_forms import Shape
from benchmarks.fastest import OURS
from benchmarks.models import Model
from benchmarks.peers.available import missing
from vaeclust_jax.types import Batch

SMOKE, FULL = Effort("smoke", 1), Effort("full", 3)
SMALL = Model(vc.MLP(hidden=(8,), latent_dim=3), (784,), beta=2.0, learning_rate=1e-3)
WORK = gpu.Work("small", SMALL, 4, 12, 3, 1e6)
JOINT = WORK._replace(joint=True, num_rows=40, parts=1)


@pytest.fixture
def made_scores(monkeypatch):
    """ACC 0.5, 0.6, ... in float32, by seed, and a hundredth more in bfloat16."""

    def scores(network, dtype, num_seeds, epochs):
        extra = 0.01 * (dtype == "bfloat16")
        return [{"acc": 0.5 + 0.1 * seed + extra, "nmi": 0.5} for seed in range(num_seeds)]

    monkeypatch.setattr(bfloat16, "_scores", scores)


@pytest.fixture
def as_if_on_gpu(monkeypatch):
    """The plumbing of a GPU run, on a CPU."""
    monkeypatch.setattr(gpu, "check_on_gpu", lambda tree: None)
    monkeypatch.setattr(gpu, "_TORCH_DEVICE", "cpu")
    monkeypatch.setattr(gpu, "joint_work", lambda effort: JOINT)


def test_a_cpu_gets_accuracy_alone_and_is_told_why(made_scores):
    rows = list(gpu.CASES[0].run(FULL))
    assert [row.what[:3] for row in rows] == ["ACC", "NMI"]
    for row in rows:
        assert (row.case, row.unit, row.peer, row.flops, row.target) == ("G", "", None, None, None)
        assert row.note.endswith("; the times of this case need a GPU, and jax computes on a CPU")


@pytest.mark.long
def test_a_cpu_that_is_called_a_gpu_is_found_out(made_scores, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    rows = []

    def collect():
        for row in gpu.CASES[0].run(SMOKE):
            rows.append(row)

    with pytest.raises(AssertionError, match="what is timed must be on a GPU, got cpu"):
        collect()
    assert {row.unit for row in rows} == {""}
    for times in (gpu.training_rows, gpu.seed_rows):
        with pytest.raises(AssertionError, match="got cpu"):
            next(times(SMOKE))


def test_accuracy_is_compared_by_pairs(made_scores):
    acc, nmi = bfloat16.accuracy_rows(FULL, ["mlp"])
    assert acc.ours.median == pytest.approx(0.96)
    assert acc.ours.repetitions == 10
    assert acc.details["difference"] == pytest.approx(0.01)
    assert "0.960 in the mean, 0.950 in float32; paired difference +0.010, 95 % +0.010 to +0.010" in acc.note
    assert nmi.details["difference"] == 0
    assert len(list(bfloat16.accuracy_rows(SMOKE, ["mlp", "conv"]))) == 4


@pytest.mark.long
def test_without_pytorch_our_rows_stand_alone(as_if_on_gpu, monkeypatch):
    monkeypatch.setattr(gpu, "no_cuda", lambda: "PyTorch is not installed")
    monkeypatch.setattr(gpu, "_step_work", lambda setting, effort: WORK)
    monkeypatch.setattr(gpu, "measure", lambda functions, repetitions: dict.fromkeys(functions, Measured(3, 3, 3, 1)))
    rows = list(gpu.training_rows(SMOKE))
    assert len(rows) == 5 * 2 * 2
    assert {(row.peer, row.note) for row in rows} == {(None, "PyTorch is not installed")}
    assert {row.peer_name for row in rows} == set(gpu.TORCH)
    assert [row.what for row in rows[8:12]] == ["small, float32 with TF32"] * 2 + ["small, bfloat16"] * 2
    assert [row.target for row in rows] == [None] * 8 + [5.0] + [None] * 11
    assert all((row.flops is None) == row.what.endswith("bfloat16") for row in rows)


def test_a_figure_is_that_of_a_part_and_each_way_of_pytorch_has_its_row(as_if_on_gpu, monkeypatch):
    taken = {
        OURS: 3.0,
        "PyTorch eager, contiguous": 12.0,
        "PyTorch eager, channels_last": 9.0,
        "PyTorch compiled": 6.0,
        "PyTorch compiled, CUDA graphs": 4.5,
    }
    monkeypatch.setattr(gpu, "no_cuda", lambda: None)
    monkeypatch.setattr(gpu, "_step_work", lambda setting, effort: WORK)
    monkeypatch.setattr(gpu, "_seconds", lambda *_: {name: Measured(s, s, s, 3) for name, s in taken.items()})
    eager, compiled = list(gpu.training_rows(SMOKE))[:2]
    assert (eager.ours.median, eager.ratio, eager.peer_name) == (1, 3, "PyTorch eager, channels_last")
    assert (compiled.ratio, compiled.peer_name) == (1.5, "PyTorch compiled, CUDA graphs")


def test_seeds_are_held_against_so_many_times_one(as_if_on_gpu, monkeypatch):
    def measured(functions, repetitions, warmup=1):
        return {name: Measured(1 + int(name) / 32, 1, 3, repetitions) for name in functions}

    def training(work, dtype, num_seeds):
        return SimpleNamespace(keys=range(num_seeds), epoch=None)

    monkeypatch.setattr(gpu, "measure", measured)
    monkeypatch.setattr(gpu.Work, "training", training)
    monkeypatch.setattr(gpu, "_compiled_bytes", lambda training: 1e6 * len(training.keys))
    rows = {row.peer_name: row for row in gpu.seed_rows(FULL)}
    row = rows["32 times one seed"]
    assert row.ratio == pytest.approx(32 * (1 + 1 / 32) / 2)
    assert row.met
    assert row.note == "1.94 times one seed; the program needs 32 MB of device memory"
    assert row.flops == 32 * JOINT.flops
    assert [other.target for name, other in rows.items() if name != row.peer_name] == [None] * 3


@pytest.mark.long
def test_the_program_whose_memory_is_known_is_the_one_that_runs(as_if_on_gpu):
    one, two = (JOINT.training("float32", count) for count in (1, 2))
    sizes = [gpu._compiled_bytes(training) for training in (one, two)]
    state = sum(leaf.nbytes for leaf in jax.tree.leaves(one.progress.state))
    assert state < sizes[0] < sizes[1]
    assert not hasattr(two.program, "lower")
    first, last = two.epoch()["loss"], [two.epoch() for _ in range(4)][-1]["loss"]
    assert (last < first).all()


@pytest.mark.long
@pytest.mark.parametrize("dtype", gpu.DTYPES)
def test_ours_is_trained_in_the_dtype_of_the_row(as_if_on_gpu, dtype):
    learner = JOINT.learner(dtype)
    state, batch = learner.init(jax.random.key(0)), Batch(jnp.ones((4, 784)), None, jnp.arange(4), jnp.ones(4))
    program = jax.make_jaxpr(learner.step)(jax.random.key(1), state, batch)
    assert ("bf16" in str(program)) == (dtype == "bfloat16")


def test_the_forms_of_a_convolution_must_agree():
    shape = Shape(8, 2, 3, 3)
    forms = {OURS: conv_seeds._by_lax, "double": lambda *args: [2 * a for a in conv_seeds._by_lax(*args)]}
    with pytest.raises(AssertionError, match="double differs"):
        conv_seeds._conv_programs(shape, 2, forms)
    results = conv_seeds._conv_programs(shape, 2, {OURS: forms[OURS]})[OURS]()
    assert [array.shape for array in results[0]] == [(2, 64, 4, 4, 3), (2, 64, 8, 8, 2), (2, 3, 3, 2, 3)]


def test_why_pytorch_cannot_run_beside_us(monkeypatch):
    monkeypatch.setattr(gpu, "missing", lambda module: "PyTorch is not installed")
    assert gpu.no_cuda() == "PyTorch is not installed"
    monkeypatch.setattr(gpu, "missing", lambda module: None)
    for there, why in ((True, None), (False, "PyTorch sees no GPU (its CPU build is installed)")):
        cuda = SimpleNamespace(is_available=lambda there=there: there)
        monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
        assert gpu.no_cuda() == why


def test_the_device_is_described():
    found = gpu.device_versions()
    assert found["name"] == jax.devices()[0].device_kind
    assert set(found) >= {"name", "driver", "jax"}


# With PyTorch, on a CPU ------------------------------------------------------------------------------

needs_torch = pytest.mark.skipif(missing("torch") is not None, reason="PyTorch is not installed")


@needs_torch
@pytest.mark.parametrize("work", [WORK, JOINT], ids=["vae", "joint"])
@pytest.mark.parametrize("dtype", gpu.DTYPES)
def test_pytorch_trains_eager_and_compiled(as_if_on_gpu, monkeypatch, work, dtype):
    import torch

    from benchmarks.peers import torch_gpu

    monkeypatch.setattr(torch, "compile", lambda function, **options: function)  # takes a compiler and half a minute
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    seconds = gpu._seconds(work, dtype, SMOKE, with_torch=True)
    assert list(seconds) == [OURS, "PyTorch eager", *torch_gpu.COMPILED]
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == before
    torch.manual_seed(0)  # of the order of rows, too
    training = torch_gpu._moved(gpu._checked_peer(work)(False), "cpu", dtype)
    losses = [training.epoch() for _ in range(8)]
    assert np.mean(losses[4:]) < losses[0]
    assert all(parameter.dtype == torch.float32 for parameter in training.model.parameters())


@needs_torch
def test_autocast_rounds_and_tf32_is_put_back():
    import torch

    from benchmarks.peers import torch_gpu

    model = torch.nn.Module()
    model.losses = lambda a: a @ a
    torch_gpu._autocast(model, "cpu")
    assert model.losses(torch.ones(2, 2)).dtype == torch.bfloat16
    for allowed, precision in ((True, "high"), (False, "highest")):
        with torch_gpu.tf32(allowed):
            assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == (precision, allowed)
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == ("highest", True)


@needs_torch
def test_another_loss_on_the_device_is_found_out(monkeypatch):
    from benchmarks.peers import torch_gpu

    training = gpu._checked_peer(WORK)(False)
    move = training.model.to

    def broken(device):
        training.model.beta += 1
        return move(device)

    monkeypatch.setattr(training.model, "to", broken)
    with pytest.raises(AssertionError, match="loss on cpu must be"):
        torch_gpu._moved(training, "cpu", "float32")
