"""Networks that classify and do not generate: their settings."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import jax

from vaeclust_jax.errors import InputError
from vaeclust_jax.networks.adapter import from_training_module
from vaeclust_jax.networks.build import NetworkConfig
from vaeclust_jax.types import Network, Networks

if TYPE_CHECKING:  # flax takes as long to import as jax does
    from vaeclust_jax.networks.norm_conv import ConvLayer


def _no_decoder(*_: object) -> jax.Array:
    raise InputError("this network has no decoder")


NO_DECODER = Network(_no_decoder, _no_decoder)
"""Of networks that encode alone; `NetworkConfig.has_decoder` says so before anything is trained."""


@dataclass(frozen=True, kw_only=True)
class CNN(NetworkConfig):
    """Convolutions with batch norm, ReLU and dropout, then a dense layer of width `latent_dim`; for classifiers alone.

    Example:
        >>> network = vc.CNN(latent_dim=100)
        >>> params = network.build((28, 28, 1)).encoder.init(jax.random.key(0))
        >>> params["weights"]["dense"]["kernel"].shape
        (2304, 100)
    """

    has_decoder: ClassVar[bool] = False

    channels: tuple[int, ...] = (16, 32, 32, 64)
    """Output channels of each layer."""
    kernels: tuple[int, ...] = (4, 4, 3, 2)
    """Kernel size of each layer."""
    strides: tuple[int, ...] = (2, 2, 1, 1)
    """Step of each layer's kernel, in pixels."""
    paddings: tuple[int, ...] = (2, 1, 1, 0)
    """Zeros on each side of what each layer sees."""
    dropout: tuple[float, ...] = (0.2, 0.4, 0.4, 0.0)
    """Share of each layer's values that are 0 in a step of training."""
    batch_norm: bool = True
    """Whether each layer's values are normalised by the mean and variance of the batch."""

    def check(self, shape: tuple[int, ...]) -> None:  # noqa: D102
        super().check(shape)
        if len(shape) != 3:
            raise InputError(f"network 'cnn' needs images (n, H, W, C), got vectors (n, {shape[0]}): use 'mlp'")
        if self.compute_dtype != "float32":
            raise InputError("network 'cnn' keeps running means, which bfloat16 would lose: use float32")
        counts = [len(one) for one in (self.channels, self.kernels, self.strides, self.paddings, self.dropout)]
        if len(set(counts)) > 1 or not counts[0]:
            raise InputError(
                "channels, kernels, strides, paddings and dropout must have one entry a layer and at least one, "
                f"got {', '.join(map(str, counts))} entries"
            )
        if min(*self.channels, *self.kernels, *self.strides) < 1 or min(self.paddings) < 0:
            raise InputError(
                "channels, kernels and strides must be at least 1 and paddings at least 0, "
                f"got {self.channels}, {self.kernels}, {self.strides} and {self.paddings}"
            )
        if not all(0 <= rate < 1 for rate in self.dropout):
            raise InputError(f"dropout must lie in 0 to below 1, got {self.dropout}")
        from vaeclust_jax.networks.norm_conv import image_sizes

        if min(map(min, image_sizes((shape[0], shape[1]), self.layers()))) < 1:
            raise InputError(
                f"images of {shape[0]} x {shape[1]} are too small for {len(self.kernels)} layers with kernels "
                f"{self.kernels}"
            )

    def build(self, shape: tuple[int, ...]) -> Networks:  # noqa: D102
        return _build(self, shape)

    def layers(self) -> "tuple[ConvLayer, ...]":
        """One after the other."""
        from vaeclust_jax.networks.norm_conv import ConvLayer

        settings = (self.channels, self.kernels, self.strides, self.paddings, self.dropout)
        return tuple(ConvLayer(*one) for one in zip(*settings, strict=True))


@lru_cache
def _build(config: CNN, shape: tuple[int, ...]) -> Networks:
    from vaeclust_jax.networks.norm_conv import NormConvEncoder

    sizes = (shape, config.layers(), config.batch_norm, config.latent_dim)
    return Networks(from_training_module(lambda rngs: NormConvEncoder(*sizes, rngs=rngs)), NO_DECODER)


@dataclass(frozen=True, kw_only=True)
class PooledCNN(NetworkConfig):
    """Convolutions, each with ReLU and the largest of 2 x 2 pixels, then dropout; for classifiers alone.

    Its features are all values that are left, so that `latent_dim` follows from the images.

    Example:
        >>> network = vc.PooledCNN().resolved((28, 28, 1))
        >>> network.latent_dim, sum(leaf.size for leaf in jax.tree.leaves(
        ...     network.build((28, 28, 1)).encoder.init(jax.random.key(0))))
        (1600, 18816)
    """

    has_decoder: ClassVar[bool] = False

    channels: tuple[int, ...] = (32, 64)
    """Output channels of each layer."""
    kernel: int = 3
    """Kernel size of every layer."""
    dropout_rate: float = 0.5
    """Share of the features that are 0 in a step of training."""

    def resolved(self, shape: tuple[int, ...]) -> NetworkConfig:  # noqa: D102
        return replace(self, latent_dim=max(self._features(shape), 1))

    def _features(self, shape: tuple[int, ...]) -> int:
        from vaeclust_jax.networks.pooled import num_features

        usable = len(shape) == 3 and self.channels and self.kernel > 0
        return num_features((shape[0], shape[1]), self.channels, self.kernel) if usable else 0

    def check(self, shape: tuple[int, ...]) -> None:  # noqa: D102
        super().check(shape)
        if len(shape) != 3:
            raise InputError(f"network 'pooled-cnn' needs images (n, H, W, C), got vectors (n, {shape[0]}): use 'mlp'")
        if not self.channels or min(self.channels) < 1 or self.kernel < 1:
            raise InputError(
                f"channels and kernel must be at least 1, of a layer or more, got {self.channels} and {self.kernel}"
            )
        if not 0 <= self.dropout_rate < 1:
            raise InputError(f"dropout_rate must lie in 0 to below 1, got {self.dropout_rate}")
        if self._features(shape) < 1:
            raise InputError(
                f"images of {shape[0]} x {shape[1]} are too small for {len(self.channels)} layers with kernels of "
                f"{self.kernel}, each halved"
            )

    def build(self, shape: tuple[int, ...]) -> Networks:  # noqa: D102
        return _build_pooled(self, shape)


@lru_cache
def _build_pooled(config: PooledCNN, shape: tuple[int, ...]) -> Networks:
    from vaeclust_jax.networks.pooled import PooledEncoder

    sizes = (shape[2], config.channels, config.kernel, config.dropout_rate)
    return Networks(from_training_module(lambda rngs: PooledEncoder(*sizes, rngs=rngs)), NO_DECODER)
