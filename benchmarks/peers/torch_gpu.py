"""PyTorch's training on a GPU: eager and compiled, in float32 (TF32) and under autocast to bfloat16."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.optim import Adam

from benchmarks.peers.torch_check import LOSS_TOLERANCE
from benchmarks.peers.torch_training import JointTraining, Training

COMPILED = {"PyTorch compiled": "default", "PyTorch compiled, CUDA graphs": "reduce-overhead"}
"""Names and modes; CUDA graphs save launching small kernels one by one."""


@contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Whether float32 products and convolutions may round their factors to 10 bits, as jax's do by default."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high" if allowed else "highest")
    torch.backends.cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


def epochs(
    make: Callable[[bool], Training], formats: dict[str, bool], dtype: str, device: str
) -> dict[str, Callable[[], float]]:
    """Epochs on the device by name: eager in each memory format, compiled in the last one (the compiler has its own).

    Args:
        make: whether channels_last -> a training on the CPU that has not begun, checked against ours.
        formats: names of the eager ways, and whether each is channels_last.
        dtype: "float32", or "bfloat16" for autocast.
        device: "cuda".

    Raises:
        AssertionError: the device computes another loss than the CPU.
    """
    found = {name: _moved(make(channels_last), device, dtype) for name, channels_last in formats.items()}
    for name, mode in COMPILED.items():
        found[name] = _moved(make(list(formats.values())[-1]), device, dtype)
        found[name].model.losses = torch.compile(found[name].model.losses, mode=mode, dynamic=False)
    return {name: _waited_for(training.epoch, device) for name, training in found.items()}


def _moved(training: Training, device: str, dtype: str) -> Training:
    """Brings a training that has not begun to the device; float32 parameters in either dtype."""
    model, rows = training.model, [training.x, *([training.p] if isinstance(training, JointTraining) else [])]
    batch = [part[: training.batch_size] for part in rows]
    vae = model.get_submodule("vae") if isinstance(training, JointTraining) else model
    noise = torch.randn(len(batch[0]), vae.mean.out_features)
    wanted = model.losses(*batch, noise)["loss"].item()
    model.to(device)
    training.x = training.x.to(device)
    if isinstance(training, JointTraining):
        training.p = training.p.to(device)
    with tf32(False):
        got = model.losses(*(part.to(device) for part in (*batch, noise)))["loss"].item()
    assert abs(got - wanted) <= LOSS_TOLERANCE * abs(wanted), f"loss on {device} must be {wanted:.8g}, got {got:.8g}"
    training.optimizer = Adam(model.parameters(), lr=training.optimizer.defaults["lr"], fused=True)
    if dtype == "bfloat16":
        _autocast(model, device)
    return training


def _autocast(model: nn.Module, device: str) -> None:
    def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            with torch.autocast(device, torch.bfloat16):
                return function(*args)

        return run

    for name in ("losses", "target"):
        if hasattr(model, name):
            setattr(model, name, wrapped(getattr(model, name)))


def _waited_for(epoch: Callable[[], float], device: str) -> Callable[[], float]:
    def run() -> float:
        loss = epoch()
        if device == "cuda":
            torch.cuda.synchronize()
        return loss

    return run
