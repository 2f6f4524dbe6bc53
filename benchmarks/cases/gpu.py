"""G: training on a GPU beside PyTorch eager and compiled, in bfloat16 too; many seeds at once; what bfloat16 costs.

Times are taken on a GPU alone. Elsewhere the case measures only what bfloat16 does to the accuracy of a clustering.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import backend

from benchmarks import samples
from benchmarks.case import Case, Effort, Measured, Row
from benchmarks.cases.bfloat16 import DTYPES, accuracy_rows
from benchmarks.cases.conv_seeds import conv_rows
from benchmarks.cases.epoch import BATCH_SIZE, GAMMA, NUM_CLUSTERS, REFRESH, joint_flops
from benchmarks.cases.train_step import CONV_64, CONV_256, MLP_32, MLP_128, Setting
from benchmarks.fastest import OURS, against_fastest, per
from benchmarks.models import CONV, Model, train_flops
from benchmarks.ours import Training
from benchmarks.peers.available import missing
from benchmarks.timing import measure
from vaeclust_jax.methods.dec_learner import dec
from vaeclust_jax.methods.vae import vae
from vaeclust_jax.networks.build import computing_in
from vaeclust_jax.training.epoch import Data
from vaeclust_jax.types import Batch, Learner

TORCH = ("PyTorch eager", "PyTorch compiled")
_LABELS = {"float32": "float32 with TF32", "bfloat16": "bfloat16"}  # TF32: what jax does on a GPU that has it
_TORCH_DEVICE = "cuda"


def _run(effort: Effort) -> Iterator[Row]:
    platform = jax.default_backend()
    if platform != "gpu":
        why = f"the times of this case need a GPU, and jax computes on a {platform.upper()}"
        yield from (replace(row, note=f"{row.note}; {why}") for row in accuracy_rows(effort, ("mlp",)))
        return
    yield from accuracy_rows(effort, ("mlp", "conv"))
    device = device_versions()
    for rows in (training_rows(effort), seed_rows(effort), conv_rows(effort)):
        for row in rows:
            yield replace(row, details={**row.details, "device": device})


# T1 to T4 beside PyTorch -----------------------------------------------------------------------------


class Work(NamedTuple):
    """What one of T1 to T4 trains for an epoch; a figure is the time of one of `parts` equal parts of it."""

    what: str
    model: Model
    batch_size: int
    num_rows: int
    parts: int
    flops: float
    joint: bool = False

    def learner(self, dtype: Any) -> Learner:
        """The VAE; of the joint epoch, VAE+DEC with a target refresh every epoch."""
        model, networks = self.model, computing_in(self.model.networks, dtype)
        common: dict[str, Any] = {"beta": model.beta, "learning_rate": model.learning_rate}
        if not self.joint:
            return vae(networks, **common)
        sizes = {"num_clusters": NUM_CLUSTERS, "num_samples": self.num_rows, "latent_dim": model.config.latent_dim}
        return dec(networks, **sizes, gamma=GAMMA, update_target_interval=1, **common)

    def training(self, dtype: Any, num_seeds: int = 1) -> Training:
        """Ours, on the GPU.

        Raises:
            AssertionError: jax computes elsewhere, whatever its backend is called.
        """
        training = Training(self.learner(dtype), self.rows(), self.batch_size, num_seeds)
        check_on_gpu((training.progress, training.x))
        return training

    def rows(self) -> np.ndarray:
        """The training rows."""
        return (samples.images if self.model is CONV else samples.vectors)(self.num_rows)


def joint_work(effort: Effort) -> Work:
    """T2."""
    n = 2 * BATCH_SIZE if effort.smoke else 1440
    return Work(f"joint VAE+DEC epoch, {n} x 32 x 32", CONV, BATCH_SIZE, n, 1, joint_flops(n), joint=True)


def _step_work(setting: Setting, effort: Effort) -> Work:
    size, steps = setting.batch_size, 2 if effort.smoke else setting.steps
    return Work(setting.what, setting.model, size, steps * size, steps, train_flops(setting.model) * size)


def training_rows(effort: Effort) -> Iterator[Row]:
    """For each of T1 to T4 and each dtype, a row beside PyTorch eager and one beside PyTorch compiled."""
    steps = [_step_work(setting, effort) for setting in (CONV_64, CONV_256, MLP_32, MLP_128)]
    absent = no_cuda()
    for work in (*steps[:2], joint_work(effort), *steps[2:]):
        for dtype in DTYPES:
            seconds = _seconds(work, dtype, effort, absent is None)
            for way in TORCH:
                target = 5.0 if work.joint and dtype == "float32" and way == TORCH[0] else None
                row = against_fastest(
                    {name: per(taken, work.parts) for name, taken in seconds.items() if name.startswith((OURS, way))},
                    case="G",
                    what=f"{work.what}, {_LABELS[dtype]}",
                    unit="ms",
                    flops=work.flops if dtype == "float32" else None,
                    target=target,
                    note=absent or (REFRESH if work.joint else ""),
                )
                yield replace(row, peer_name=way, target=target) if absent else row


def _seconds(work: Work, dtype: str, effort: Effort, with_torch: bool) -> dict[str, Measured]:
    """Of an epoch of ours, and of PyTorch in all its ways. Both round products of float32 to TF32."""
    epochs = {OURS: work.training(dtype).epoch}
    if not with_torch:
        return measure(epochs, effort.repetitions)
    from benchmarks.peers import torch_gpu
    from benchmarks.peers.torch_training import variants

    with jax.default_matmul_precision("float32"):
        peers = torch_gpu.epochs(_checked_peer(work), variants(work.model), dtype, _TORCH_DEVICE)
    with torch_gpu.tf32(True):
        return measure(epochs | peers, effort.repetitions, warmup=3)  # CUDA graphs are recorded in the second round


def _checked_peer(work: Work) -> Callable[[bool], Any]:
    """PyTorch's training of this work on a CPU, by whether its memory format is channels_last, checked against ours."""
    from benchmarks.peers.torch_check import check_step, check_target
    from benchmarks.peers.torch_training import JointTraining, torch_vae
    from benchmarks.peers.torch_training import Training as TorchTraining
    from benchmarks.peers.torch_vae import VAEDEC

    learner, model, x = work.learner("float32"), work.model, work.rows()
    state, _ = jax.jit(learner.end_epoch)(learner.init(jax.random.key(0)), jnp.asarray(x), jnp.ones((), int), {})
    index = jnp.arange(work.batch_size)
    batch = Batch(jnp.asarray(x)[index], None, index, jnp.ones(work.batch_size))

    def make(channels_last: bool) -> Any:
        settings = (state.params, x, work.batch_size, model.learning_rate, channels_last)
        if not work.joint:
            peer = TorchTraining(torch_vae(model), *settings)
            check_step(learner, state, batch, peer.model)
            return peer
        joint = VAEDEC(torch_vae(model), NUM_CLUSTERS, model.config.latent_dim, GAMMA)
        peer = JointTraining(joint, *settings)
        check_target(state.memory.p, peer.p)
        check_step(learner, state, batch, joint, peer.p[: work.batch_size])
        return peer

    return make


# Many seeds as one program ---------------------------------------------------------------------------


def seed_rows(effort: Effort) -> Iterator[Row]:
    """The joint epoch of S seeds, against S times that of one."""
    work, counts = joint_work(effort), (1, 2) if effort.smoke else (1, 8, 32, 128)
    trainings = {f"{count}": work.training("float32", count) for count in counts}
    used = {name: _compiled_bytes(training) for name, training in trainings.items()}
    seconds = measure({name: training.epoch for name, training in trainings.items()}, effort.repetitions)
    one = seconds["1"]
    for count in counts:
        taken, memory = seconds[f"{count}"], used[f"{count}"] / 1e6
        yield Row(
            case="G",
            what=f"{work.what}, {count} seed{'s' * (count > 1)} as one program, {_LABELS['float32']}",
            unit="ms",
            ours=taken,
            peer=Measured(*(count * value for value in one[:3]), one.repetitions),
            peer_name=f"{count} times one seed",
            flops=count * work.flops,
            target=32 / 3 if count == 32 else None,  # 32 seeds in less than 3 times the time of one
            note=f"{taken.median / one.median:.2f} times one seed; the program needs {memory:.0f} MB of device memory",
            details={"device_bytes": used[f"{count}"]},
        )


def _compiled_bytes(training: Training) -> int:
    """Device memory of an epoch's program with all that goes in and out; it is compiled here, and run later."""
    arguments = (training.keys, training.progress, jnp.asarray(1), Data(training.x), training.held_out)
    training.program = training.program.lower(*arguments).compile()
    used = training.program.memory_analysis()
    reused = used.alias_size_in_bytes
    return used.argument_size_in_bytes + used.output_size_in_bytes + used.temp_size_in_bytes - reused


# The device ------------------------------------------------------------------------------------------


def check_on_gpu(tree: Any) -> None:
    """Stops a CPU's figure from being shown as a GPU's.

    Raises:
        AssertionError: an array lives elsewhere.
    """
    platforms = {device.platform for leaf in jax.tree.leaves(tree) for device in leaf.devices()}
    assert platforms == {"gpu"}, f"what is timed must be on a GPU, got {', '.join(sorted(platforms))}"


def no_cuda() -> str | None:
    """Why PyTorch cannot run beside us on the GPU; None if it can."""
    absent = missing("torch")
    if absent is None:
        import torch

        absent = None if torch.cuda.is_available() else "PyTorch sees no GPU (its CPU build is installed)"
    return absent


def device_versions() -> dict[str, Any]:
    """The GPU, its driver, and what each library was built for."""
    driver = Path("/proc/driver/nvidia/version")
    found: dict[str, Any] = {
        "name": jax.devices()[0].device_kind,
        "driver": driver.read_text().splitlines()[0] if driver.exists() else None,
        "jax": " ".join(backend.get_backend().platform_version.split()),
    }
    if missing("torch") is None:
        import torch

        found |= {"torch_cuda": torch.version.cuda, "torch_cudnn": torch.backends.cudnn.version()}
    return found


_TITLE = "on a GPU: PyTorch eager and compiled, bfloat16, seeds at once; accuracy of bfloat16"
CASES = [Case("G", _TITLE, _run, in_quick=False)]
