"""Stochastic passes in PyTorch: codes drawn from every image's posterior, their assignments, and how these differ."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.peers.torch_vae import VAEDEC, load_params

ROWS_AT_ONCE = 256

Summary = tuple[Tensor, ...]
"""The fields of our `Uncertainty`, in its order."""


class Passes:
    """M draws of the code of every row, from the weights of a parameter tree of this library."""

    def __init__(self, model: VAEDEC, params: Any, x: np.ndarray, num_passes: int, channels_last: bool = False) -> None:
        load_params(model, params)
        memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.model = model.to(memory_format=memory_format)
        self.x = model.rows_from(x).contiguous(memory_format=memory_format)
        self.num_passes = num_passes

    @torch.no_grad()
    def encode(self) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the posterior, (n, L) each."""
        parts = [self.model.vae.encode(batch) for batch in self.x.split(ROWS_AT_ONCE)]
        mean, logvar = (torch.cat(part) for part in zip(*parts, strict=True))
        return mean, logvar

    @torch.no_grad()
    def encoding_in_every_pass(self) -> Summary:
        """The loop as papers write it: a pass is the whole encoder, a draw, and the assignment."""
        codes = [_draw(*self.encode()) for _ in range(self.num_passes)]
        return _summary(torch.stack([self.model.assign(z) for z in codes]), torch.stack(codes))

    @torch.no_grad()
    def encoding_once(self) -> Summary:
        """The encoder once, then all draws as one array: faster than a loop of draws."""
        mean, logvar = self.encode()
        codes = _draw(mean.expand(self.num_passes, *mean.shape), logvar)
        return _summary(self._assign_all(codes), codes)

    def _assign_all(self, codes: Tensor) -> Tensor:
        """`model.assign` of (M, n, L) without its (M, n, K, L) differences."""
        centroids = self.model.centroids.expand(len(codes), -1, -1)
        distance = torch.cdist(codes, centroids, compute_mode="donot_use_mm_for_euclid_dist")
        similarity = 1 / (1 + distance.square())
        return similarity / similarity.sum(-1, keepdim=True)


def _draw(mean: Tensor, logvar: Tensor) -> Tensor:
    return mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)


def _summary(q: Tensor, codes: Tensor) -> Summary:
    """From the assignments (M, n, K) and codes (M, n, L) of all passes."""
    average = q.mean(0)
    total, expected = _entropy(average), _entropy(q).mean(0)
    return average, total, expected, (total - expected).clamp_min(0), codes.var(0).sum(-1)


def _entropy(q: Tensor) -> Tensor:
    return torch.special.entr(q).sum(-1)
