"""That a PyTorch model computes what a learner of this library computes, from the same weights, rows and noise."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from torch import Tensor

from benchmarks.peers.torch_vae import MLPVAE, VAEDEC, ConvVAE, load_params
from vaeclust_jax.objectives.elbo import sample_posterior
from vaeclust_jax.types import Batch, Learner, State

LOSS_TOLERANCE = 1e-4
GRADIENT_TOLERANCE = 5e-3
"""Wider, because an activation within rounding of 0 may pass one ReLU and not the other: one such pixel of a batch of
64 was seen to move the gradient of a layer before it by 1e-3 of its norm."""
_ADAM_B1 = 0.9


def check_step(
    learner: Learner, state: State, batch: Batch, model: ConvVAE | MLPVAE | VAEDEC, *more_rows: Tensor
) -> None:
    """Takes our training step from a fresh state, and holds its losses and gradients against the model's.

    Args:
        learner: whose losses, sampled, the model has.
        state: at step 0; the model gets its weights.
        batch: without padding rows.
        model: its own weights are lost.
        more_rows: what the model's losses take beside x.

    Raises:
        AssertionError: a loss part or gradient differs; both numbers are in the message.
    """
    key = jax.random.key(1)
    with jax.default_matmul_precision("float32"), torch.backends.cudnn.flags(allow_tf32=False):
        after, infos = jax.jit(learner.step)(key, state, batch)
        load_params(model, state.params)
        losses = model.losses(
            model.rows_from(np.asarray(batch.x)), *more_rows, noise=_noise(key, learner, state, batch)
        )
        losses["loss"].backward()
    for name, loss in losses.items():
        _compare(f"{name} of a batch", np.asarray(infos[name]), loss.detach().numpy(), LOSS_TOLERANCE)
    ours = model.state_from(_first_gradients(after))
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        _compare(f"gradient of {name}", ours[name], parameter.grad.numpy(), GRADIENT_TOLERANCE)


def check_target(p: Any, target: Tensor) -> None:
    """Holds our target P (n, K) against PyTorch's.

    Raises:
        AssertionError: they differ.
    """
    _compare("target P", np.asarray(p), target.numpy(), LOSS_TOLERANCE)


def _noise(key: Any, learner: Learner, state: State, batch: Batch) -> Tensor:
    """What `sample_posterior` draws in our step: the code of mean 0 and variance 1."""
    latent_dim = state.params["encoder"]["mean"]["bias"].shape[0]
    zeros = jnp.zeros((len(batch.x), latent_dim))
    return torch.tensor(np.asarray(sample_posterior(key, zeros, zeros)))


def _first_gradients(after: State) -> Any:
    """The gradients of the first step: Adam's first moment is then (1 - b1) g."""
    moment = optax.tree.get(after.opt_state, "mu")
    return jax.tree.map(lambda leaf: np.asarray(leaf) / (1 - _ADAM_B1), moment)


def _compare(what: str, ours: np.ndarray, peer: np.ndarray, tolerance: float) -> None:
    """Holds the norm of the difference against the norm of the peer's."""
    error = np.linalg.norm(ours - peer) / np.linalg.norm(peer)
    worst = np.unravel_index(np.argmax(np.abs(ours - peer)), ours.shape)
    assert error <= tolerance, (
        f"{what} must agree with PyTorch to {tolerance:g}, got an error of {error:.2g}: "
        f"{ours[worst]:.8g} against {peer[worst]:.8g} where it is worst"
    )
