"""The variational autoencoders of the benchmark in PyTorch, written as its users write them.

`state_from` turns a parameter tree of this library into a model's `state_dict`; being linear, it serves gradients too.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

Losses = dict[str, Tensor]
State = dict[str, np.ndarray]


class VAE(nn.Module):
    """-ELBO = reconstruction + beta KL with a Bernoulli likelihood or squared error; a subclass brings the layers.

    Attributes:
        encoder: x -> features.
        mean, logvar: linear heads on the features.
        decoder: z -> what of the shape of x has a sigmoid after it.
    """

    encoder: nn.Module
    mean: nn.Module
    logvar: nn.Module
    decoder: nn.Module

    def __init__(self, beta: float, likelihood: str = "bernoulli") -> None:
        super().__init__()
        self.beta = beta
        self.likelihood = likelihood

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the posterior, (n, L) each."""
        h = self.encoder(x)
        return self.mean(h), self.logvar(h)

    def losses(self, x: Tensor, noise: Tensor | None = None) -> Losses:
        """{"loss", "reconstruction", "kl"} of a batch in nats per sample; `noise` (n, L) is drawn if not given."""
        return self.losses_and_mean(x, noise)[0]

    def losses_and_mean(self, x: Tensor, noise: Tensor | None) -> tuple[Losses, Tensor]:
        """The losses, and the posterior's mean for a loss on the latents."""
        mean, logvar = self.encode(x)
        noise = torch.randn_like(mean) if noise is None else noise
        logits = self.decoder(mean + torch.exp(0.5 * logvar) * noise)
        if self.likelihood == "squared":
            reconstruction = functional.mse_loss(torch.sigmoid(logits), x, reduction="sum") / len(x)
        else:
            reconstruction = functional.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
        kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum() / len(x)
        return {"loss": reconstruction + self.beta * kl, "reconstruction": reconstruction, "kl": kl}, mean


class ConvVAE(VAE):
    """The convolutional VAE of 32 x 32 grey images."""

    def __init__(self, latent_dim: int = 10, beta: float = 1.0) -> None:
        super().__init__(beta)
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(32, 64, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(64, 128, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.mean = nn.Linear(128 * 4 * 4, latent_dim)
        self.logvar = nn.Linear(128 * 4 * 4, latent_dim)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 128 * 4 * 4),
            nn.Unflatten(1, (128, 4, 4)),
            nn.ConvTranspose2d(128, 64, 3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(64, 32, 5, stride=2, padding=2, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 1, 5, stride=2, padding=2, output_padding=1),
        )

    @staticmethod
    def rows_from(x: np.ndarray) -> Tensor:
        """Images (n, H, W, C) as PyTorch has them, (n, C, H, W)."""
        return torch.tensor(x.transpose(0, 3, 1, 2).copy())

    @staticmethod
    def state_from(params: Mapping[str, Any]) -> State:
        """Kernels go from (kh, kw, i, o) to (o, i, kh, kw), flattened features from (H, W, C) to (C, H, W) order."""
        encoder, decoder = params["encoder"], params["decoder"]
        state: State = {}
        for number in range(3):
            for name, layer in (
                (f"encoder.{2 * number}", encoder["layers"][number]),
                (f"decoder.{2 + 2 * number}", decoder["layers"][number]),
            ):
                state[f"{name}.weight"] = np.asarray(layer["kernel"]).transpose(3, 2, 0, 1)
                state[f"{name}.bias"] = np.asarray(layer["bias"])
        for head in ("mean", "logvar"):
            state[f"{head}.weight"] = _channels_first(encoder[head]["kernel"].T)
            state[f"{head}.bias"] = np.asarray(encoder[head]["bias"])
        state["decoder.0.weight"] = _channels_first(decoder["first"]["kernel"]).T
        state["decoder.0.bias"] = _channels_first(decoder["first"]["bias"])
        return state


def _channels_first(flat: Any) -> np.ndarray:
    """A last axis of 4 * 4 * 128 features in (C, H, W) instead of (H, W, C) order."""
    parts = np.asarray(flat).reshape(*flat.shape[:-1], 4 * 4, 128)
    return np.swapaxes(parts, -1, -2).reshape(flat.shape)


class MLPVAE(VAE):
    """A VAE of vectors: hidden layers with ReLU, of widths given from x to z and back."""

    def __init__(
        self,
        features: int,
        hidden: tuple[int, ...],
        back: tuple[int, ...],
        latent_dim: int,
        beta: float = 1.0,
        likelihood: str = "bernoulli",
    ) -> None:
        super().__init__(beta, likelihood)
        self.encoder = nn.Sequential(*_linear_layers((features, *hidden)), nn.ReLU())
        self.mean = nn.Linear(hidden[-1], latent_dim)
        self.logvar = nn.Linear(hidden[-1], latent_dim)
        self.decoder = nn.Sequential(*_linear_layers((latent_dim, *back, features)))

    @staticmethod
    def rows_from(x: np.ndarray) -> Tensor:
        """Vectors as they are."""
        return torch.tensor(x)

    @staticmethod
    def state_from(params: Mapping[str, Any]) -> State:
        """Kernels go from (i, o) to (o, i)."""
        layers = {"mean": params["encoder"]["mean"], "logvar": params["encoder"]["logvar"]}
        for part in ("encoder", "decoder"):
            layers |= {f"{part}.{2 * i}": layer for i, layer in params[part]["trunk"]["layers"].items()}
        weights = {f"{name}.weight": np.asarray(layer["kernel"]).T for name, layer in layers.items()}
        return weights | {f"{name}.bias": np.asarray(layer["bias"]) for name, layer in layers.items()}


def _linear_layers(sizes: tuple[int, ...]) -> list[nn.Module]:
    """Linear layers with ReLU between them."""
    layers = [layer for i, o in pairwise(sizes) for layer in (nn.Linear(i, o), nn.ReLU())]
    return layers[:-1]


class VAEDEC(nn.Module):
    """A VAE with centroids: reconstruction + beta KL + gamma KL(P || Q), q from the posterior's mean."""

    def __init__(self, vae: VAE, num_clusters: int, latent_dim: int, gamma: float) -> None:
        super().__init__()
        self.vae = vae
        self.centroids = nn.Parameter(torch.randn(num_clusters, latent_dim))
        self.gamma = gamma

    def assign(self, mean: Tensor) -> Tensor:
        """q (n, K): Student-t similarity to the centroids."""
        similarity = 1 / (1 + (mean[:, None] - self.centroids).square().sum(-1))
        return similarity / similarity.sum(1, keepdim=True)

    def losses(self, x: Tensor, p: Tensor, noise: Tensor | None = None) -> Losses:
        """{"loss", "reconstruction", "kl", "cluster"} of a batch and its rows of P."""
        losses, mean = self.vae.losses_and_mean(x, noise)
        cluster = functional.kl_div(self.assign(mean).log(), p, reduction="batchmean")
        return {**losses, "loss": losses["loss"] + self.gamma * cluster, "cluster": cluster}

    @torch.no_grad()
    def target(self, x: Tensor) -> Tensor:
        """P (n, K) of all training rows."""
        q = self.assign(self.vae.encode(x)[0])
        weight = q.square() / q.sum(0)
        return weight / weight.sum(1, keepdim=True)

    def rows_from(self, x: np.ndarray) -> Tensor:
        """Rows as the VAE has them."""
        return self.vae.rows_from(x)

    def state_from(self, params: Mapping[str, Any]) -> State:
        """The VAE's weights and the centroids."""
        state = {f"vae.{name}": value for name, value in self.vae.state_from(params).items()}
        return state | {"centroids": np.asarray(params["centroids"])}


def load_params(model: ConvVAE | MLPVAE | VAEDEC, params: Mapping[str, Any]) -> None:
    """Gives a model the weights of a parameter tree of this library."""
    state = model.state_from(params)
    model.load_state_dict({name: torch.tensor(np.ascontiguousarray(value)) for name, value in state.items()})
