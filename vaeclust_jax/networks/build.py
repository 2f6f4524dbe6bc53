"""From sizes to the two networks of a VAE: each kind is a value with settings of its own."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import ClassVar, Literal

from vaeclust_jax.checks import check_types
from vaeclust_jax.errors import InputError
from vaeclust_jax.networks.adapter import from_module, in_bfloat16, standardised
from vaeclust_jax.networks.stack import mlp_stack, stack_standardised
from vaeclust_jax.types import Networks

_MOST_LAYERS = 100
"""Far more than train; a damaged model file may ask for any number."""
_LARGE = 32 * 32
"""Pixels from which convolutions pay."""


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(ABC):
    """Base of all kinds: what any encoder and decoder have."""

    likelihoods: ClassVar[tuple[str, ...]] = ("bernoulli", "gaussian", "squared")
    """Those that its decoder's output can be the parameter of."""
    has_decoder: ClassVar[bool] = True
    """Whether it is for methods that generate, too."""

    latent_dim: int = 10
    """Size L of the latent space."""
    input_mean: float | None = None
    """The encoder sees (x - mean) / std. Left out: measured on the training part for images, 0 for vectors
    (which are scaled per feature before)."""
    input_std: float | None = None
    """See input_mean; left out: measured for images, 1 for vectors."""
    compute_dtype: Literal["float32", "bfloat16"] = "float32"
    """The networks' arithmetic; parameters, latents, losses and optimiser are float32 in any case. bfloat16 is for
    accelerators: less memory and time, two to three digits."""

    def __post_init__(self) -> None:
        check_types(self)

    @abstractmethod
    def build(self, shape: tuple[int, ...]) -> Networks:
        """Encoder and decoder for samples of `shape`, (H, W, C) or (F,); the same object for an equal config."""

    def check(self, shape: tuple[int, ...]) -> None:
        """One sentence on what does not fit.

        Raises:
            InputError: a size below 1, or networks that are not for such samples.
        """
        if self.latent_dim < 1:
            raise InputError(f"latent_dim must be at least 1, got {self.latent_dim}")
        for name, value in ((field.name, getattr(self, field.name)) for field in fields(self)):
            if isinstance(value, tuple) and len(value) > _MOST_LAYERS:
                raise InputError(f"{name} must name at most {_MOST_LAYERS} layers, got {len(value)}")
        if self.input_mean is not None and not math.isfinite(self.input_mean):
            raise InputError(f"input_mean must be finite, got {self.input_mean}")
        if self.input_std is not None and not (math.isfinite(self.input_std) and self.input_std > 0):
            raise InputError(f"input_std must be positive, got {self.input_std}")

    def resolved(self, shape: tuple[int, ...]) -> "NetworkConfig":
        """Itself; of what was left open, what it means for samples of a shape, (H, W, C) or (F,)."""
        return self


def _common(config: NetworkConfig) -> dict[str, object]:
    return {field.name: getattr(config, field.name) for field in fields(NetworkConfig)}


def convolutions_pay(shape: tuple[int, ...]) -> bool:
    """Whether samples of a shape, (H, W, C) or (F,), are images that are large enough for convolutions.

    Up to 32 x 32 pixels an MLP finds the same clusters in a fifth of the time (`benchmarks/networks.md`).
    """
    return len(shape) == 3 and shape[0] * shape[1] > _LARGE


@dataclass(frozen=True, kw_only=True)
class AutoNetwork(NetworkConfig):
    """`Conv` for images of more than 32 x 32 pixels, `MLP` for smaller ones and vectors, with their default layers.

    Example:
        >>> vc.Config(vc.DEC(10), network=vc.AutoNetwork(latent_dim=5))
        Config(method=DEC(num_clusters=10), network=AutoNetwork(latent_dim=5))
    """

    def resolved(self, shape: tuple[int, ...]) -> NetworkConfig:  # noqa: D102
        return (Conv if convolutions_pay(shape) else MLP)(**_common(self))  # type: ignore[arg-type]

    def build(self, shape: tuple[int, ...]) -> Networks:  # noqa: D102
        return self.resolved(shape).build(shape)


@dataclass(frozen=True, kw_only=True)
class CustomNetwork(NetworkConfig):
    """The networks given to `fit` (Python only)."""

    def build(self, shape: tuple[int, ...]) -> Networks:  # noqa: D102
        raise InputError("network 'custom' needs the networks themselves: fit(..., networks=Networks(...))")


@dataclass(frozen=True, kw_only=True)
class MLP(NetworkConfig):
    """Multi-layer perceptrons, for vectors and small images.

    Example:
        >>> networks = vc.MLP(latent_dim=2, hidden=(8,)).build((4,))
        >>> mean, logvar = networks.encoder.apply(networks.encoder.init(jax.random.key(0)), np.zeros((3, 4)))
        >>> mean.shape
        (3, 2)
    """

    hidden: tuple[int, ...] = (512, 256)
    """Widths of the encoder's hidden layers."""
    decoder_hidden: tuple[int, ...] | None = None
    """Widths of the decoder's; left out: the encoder's in reverse."""

    def check(self, shape: tuple[int, ...]) -> None:  # noqa: D102
        super().check(shape)
        for name in ("hidden", "decoder_hidden"):
            widths = getattr(self, name)
            if widths is not None and (not widths or min(widths) < 1):
                raise InputError(f"{name} must name at least one width, each at least 1, got {widths}")

    def build(self, shape: tuple[int, ...]) -> Networks:  # noqa: D102
        return build_mlp(self, shape, heads="linear", start="flax")


@dataclass(frozen=True, kw_only=True)
class Conv(NetworkConfig):
    """Convolutions, every layer of which halves the image.

    Example:
        >>> vc.Config(vc.DEC(10), network=vc.Conv(channels=(16, 32), kernels=(3, 3))).network.latent_dim
        10
    """

    channels: tuple[int, ...] = (32, 64, 128)
    """Output channels of each layer."""
    kernels: tuple[int, ...] = (5, 5, 3)
    """Kernel size of each layer."""

    def check(self, shape: tuple[int, ...]) -> None:  # noqa: D102
        super().check(shape)
        from vaeclust_jax.networks.cnn import image_sizes  # flax takes as long to import as jax does

        if len(shape) != 3:
            raise InputError(f"network 'conv' needs images (n, H, W, C), got vectors (n, {shape[0]}): use 'mlp'")
        if len(self.channels) != len(self.kernels) or not self.channels:
            raise InputError(
                "channels and kernels must have one entry a layer and at least one layer, "
                f"got {self.channels} and {self.kernels}"
            )
        if min(self.channels) < 1 or min(self.kernels) < 3:  # a smaller kernel skips the edge of an odd image
            raise InputError(
                f"channels must be at least 1 and kernels at least 3, got {self.channels} and {self.kernels}"
            )
        if min(map(min, image_sizes((shape[0], shape[1]), self.kernels))) < 1:
            raise InputError(
                f"images of {shape[0]} x {shape[1]} are too small for {len(self.kernels)} layers with kernels "
                f"{self.kernels}"
            )

    def build(self, shape: tuple[int, ...]) -> Networks:  # noqa: D102
        return _build_conv(self, shape)


@lru_cache
def _build_conv(config: Conv, shape: tuple[int, ...]) -> Networks:
    from vaeclust_jax.networks.cnn import ConvDecoder, ConvEncoder

    sizes = (shape, config.channels, config.kernels, config.latent_dim)
    return Networks(
        from_module(lambda rngs: ConvEncoder(*sizes, rngs=rngs)),
        from_module(lambda rngs: ConvDecoder(*sizes, rngs=rngs)),
    )


@lru_cache
def build_mlp(config: MLP, shape: tuple[int, ...], *, heads: str, start: str) -> Networks:
    """The networks of an `MLP`.

    Args:
        config: sizes.
        shape: of one sample.
        heads: "linear" or "relu", see `networks.mlp`.
        start: "flax" or "torch", see `networks.linear`.
    """
    from vaeclust_jax.networks.mlp import MLPDecoder, MLPEncoder

    back = config.hidden[::-1] if config.decoder_hidden is None else config.decoder_hidden
    common = (config.latent_dim, heads, start)
    return Networks(
        from_module(lambda rngs: MLPEncoder(shape, config.hidden, *common, rngs=rngs)),
        from_module(lambda rngs: MLPDecoder(shape, back, *common, rngs=rngs)),
        stack=mlp_stack(shape, len(back)) if back == config.hidden[::-1] and heads == "linear" else None,
    )


@lru_cache
def standardising(networks: Networks, mean: float, std: float) -> Networks:
    """The same networks with an encoder that sees (x - mean) / std."""
    stack = None if networks.stack is None else stack_standardised(networks.stack, mean, std)
    return networks._replace(encoder=standardised(networks.encoder, mean, std), stack=stack)


@lru_cache
def computing_in(networks: Networks, dtype: Literal["float32", "bfloat16"]) -> Networks:
    """The same networks with their arithmetic in `dtype`: see `in_bfloat16`; "float32" leaves them as they are."""
    if dtype == "float32":
        return networks
    return networks._replace(encoder=in_bfloat16(networks.encoder), decoder=in_bfloat16(networks.decoder), stack=None)
