"""The training loop of the benchmark in PyTorch: eager, one step after the other."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import Adam, Optimizer

from benchmarks.models import Model
from benchmarks.peers.torch_vae import MLPVAE, VAEDEC, ConvVAE, load_params
from vaeclust_jax.networks import MLP, Conv


class Training:
    """A model under way on some rows, epoch by epoch, from the weights of a parameter tree of this library."""

    def __init__(
        self,
        model: ConvVAE | MLPVAE | VAEDEC,
        params: Any,
        x: np.ndarray,
        batch_size: int,
        learning_rate: float,
        channels_last: bool = False,
    ) -> None:
        load_params(model, params)
        memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.model = model.to(memory_format=memory_format)
        self.x = model.rows_from(x).contiguous(memory_format=memory_format)
        self.batch_size = batch_size
        self.optimizer = Adam(model.parameters(), lr=learning_rate)

    def epoch(self) -> float:
        """One epoch; its mean loss."""
        return train_epoch(self.model.losses, self.optimizer, self.batch_size, self.x)


class JointTraining(Training):
    """VAE+DEC: after each epoch, P is computed anew from all rows."""

    def __init__(self, model: VAEDEC, *args: Any, **kwargs: Any) -> None:
        super().__init__(model, *args, **kwargs)
        self.p = model.target(self.x)

    def epoch(self) -> float:
        """One epoch with its target refresh; the mean loss."""
        loss = train_epoch(self.model.losses, self.optimizer, self.batch_size, self.x, self.p)
        self.p = self.model.target(self.x)
        return loss


def train_epoch(
    losses: Callable[..., dict[str, Tensor]], optimizer: Optimizer, batch_size: int, *rows: Tensor
) -> float:
    """Every row once, in a new order.

    Args:
        losses: (rows of a batch) -> losses by name; "loss" is minimised.
        optimizer: of what the losses depend on.
        batch_size: rows a step; the last batch may be smaller.
        rows: all training rows, and what else has a row for each.

    Returns:
        The mean loss.
    """
    n = len(rows[0])
    total = torch.zeros((), device=rows[0].device)
    for index in torch.randperm(n, device=rows[0].device).split(batch_size):
        optimizer.zero_grad(set_to_none=True)
        loss = losses(*(part[index] for part in rows))["loss"]
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(index)
    return total.item() / n


def torch_vae(model: Model) -> ConvVAE | MLPVAE:
    """PyTorch's VAE of a model of the benchmark; `ConvVAE` has its own fixed layers."""
    config = model.config
    if isinstance(config, Conv):
        return ConvVAE(config.latent_dim, model.beta)
    assert isinstance(config, MLP)
    back = config.hidden[::-1] if config.decoder_hidden is None else config.decoder_hidden
    return MLPVAE(model.shape[0], config.hidden, back, config.latent_dim, model.beta, model.likelihood)


def variants(model: Model) -> dict[str, bool]:
    """The ways to run a model by name: whether its memory format is channels_last, which a good user tries."""
    if isinstance(model.config, Conv):
        return {"PyTorch eager, contiguous": False, "PyTorch eager, channels_last": True}
    return {"PyTorch eager": False}
