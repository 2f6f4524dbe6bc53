"""From sizes to the two networks of a VAE."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from vaeclust_jax.checks import check_types
from vaeclust_jax.errors import InputError
from vaeclust_jax.networks.adapter import from_module, in_bfloat16, standardised
from vaeclust_jax.types import Networks

_MOST_LAYERS = 100
"""Far more than train; a damaged model file may ask for any number."""


@dataclass(frozen=True)
class NetworkConfig:
    """Encoder and decoder."""

    network: Literal["auto", "conv", "mlp", "custom"] = "auto"
    """auto: conv for images, mlp for vectors. custom: the networks given to `fit` (Python only)."""
    latent_dim: int = 10
    """Size L of the latent space."""
    channels: tuple[int, ...] = (32, 64, 128)
    """conv: output channels of each layer; every layer halves the image."""
    kernels: tuple[int, ...] = (5, 5, 3)
    """conv: kernel size of each layer."""
    hidden: tuple[int, ...] = (512, 256)
    """mlp: widths of the encoder's hidden layers."""
    decoder_hidden: tuple[int, ...] | None = None
    """mlp: widths of the decoder's; left out: the encoder's in reverse."""
    heads: Literal["linear", "relu"] = "linear"
    """mlp: relu puts a ReLU on the mean, on sigma and on the pixels, as one source prints it (`networks.mlp`)."""
    start: Literal["flax", "torch"] = "flax"
    """mlp: how weights and biases start, see `networks.linear`. Through many narrow ReLU layers the signal of flax's
    start is lost."""
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


def check_network(config: NetworkConfig, shape: tuple[int, ...]) -> None:
    """One sentence on what does not fit.

    Raises:
        InputError: a size below 1, lists of different lengths, a conv network for vectors.
    """
    if config.latent_dim < 1:
        raise InputError(f"latent_dim must be at least 1, got {config.latent_dim}")
    for name in ("channels", "kernels", "hidden", "decoder_hidden"):
        layers = len(getattr(config, name) or ())
        if layers > _MOST_LAYERS:
            raise InputError(f"{name} must name at most {_MOST_LAYERS} layers, got {layers}")
    if config.network == "conv":
        from vaeclust_jax.networks.cnn import image_sizes  # flax takes as long to import as jax does

        if len(shape) != 3:
            raise InputError(f"network 'conv' needs images (n, H, W, C), got vectors (n, {shape[0]}): use 'mlp'")
        if len(config.channels) != len(config.kernels) or not config.channels:
            raise InputError(
                "channels and kernels must have one entry a layer and at least one layer, "
                f"got {config.channels} and {config.kernels}"
            )
        if min(config.channels) < 1 or min(config.kernels) < 3:  # a smaller kernel skips the edge of an odd image
            raise InputError(
                f"channels must be at least 1 and kernels at least 3, got {config.channels} and {config.kernels}"
            )
        if min(map(min, image_sizes((shape[0], shape[1]), config.kernels))) < 1:
            raise InputError(
                f"images of {shape[0]} x {shape[1]} are too small for {len(config.kernels)} layers with kernels "
                f"{config.kernels}"
            )
    if config.network == "conv" and config.heads != "linear":
        raise InputError(f"network 'conv' has linear heads, got {config.heads!r}: use 'mlp'")
    for name in ("hidden", "decoder_hidden"):
        widths = getattr(config, name)
        if config.network == "mlp" and widths is not None and (not widths or min(widths) < 1):
            raise InputError(f"{name} must name at least one width, each at least 1, got {widths}")
    if config.input_mean is not None and not math.isfinite(config.input_mean):
        raise InputError(f"input_mean must be finite, got {config.input_mean}")
    if config.input_std is not None and not (math.isfinite(config.input_std) and config.input_std > 0):
        raise InputError(f"input_std must be positive, got {config.input_std}")


@lru_cache
def build(config: NetworkConfig, shape: tuple[int, ...]) -> Networks:
    """Encoder and decoder for samples of `shape`, (H, W, C) or (F,); the same object for an equal config.

    Args:
        config: resolved: `network` is "conv" or "mlp".
        shape: of one sample.
    """
    if config.network == "conv":
        from vaeclust_jax.networks.cnn import ConvDecoder, ConvEncoder

        sizes = (shape, config.channels, config.kernels, config.latent_dim)
        encoder = from_module(lambda rngs: ConvEncoder(*sizes, rngs=rngs))
        decoder = from_module(lambda rngs: ConvDecoder(*sizes, rngs=rngs))
    else:
        from vaeclust_jax.networks.mlp import MLPDecoder, MLPEncoder

        back = config.hidden[::-1] if config.decoder_hidden is None else config.decoder_hidden
        common = (config.latent_dim, config.heads, config.start)
        encoder = from_module(lambda rngs: MLPEncoder(shape, config.hidden, *common, rngs=rngs))
        decoder = from_module(lambda rngs: MLPDecoder(shape, back, *common, rngs=rngs))
    return Networks(encoder, decoder)


@lru_cache
def standardising(networks: Networks, mean: float, std: float) -> Networks:
    """The same networks with an encoder that sees (x - mean) / std."""
    return networks._replace(encoder=standardised(networks.encoder, mean, std))


@lru_cache
def computing_in(networks: Networks, dtype: Literal["float32", "bfloat16"]) -> Networks:
    """The same networks with their arithmetic in `dtype`: see `in_bfloat16`; "float32" leaves them as they are."""
    if dtype == "float32":
        return networks
    return networks._replace(encoder=in_bfloat16(networks.encoder), decoder=in_bfloat16(networks.decoder))
