"""The vision transformer as a kind of network: its settings, and what they refuse."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from jaxtyping import Array

from vaeclust_jax.errors import InputError
from vaeclust_jax.networks.adapter import from_module
from vaeclust_jax.networks.build import NetworkConfig
from vaeclust_jax.types import Networks, Params


@dataclass(frozen=True, kw_only=True)
class ViT(NetworkConfig):
    """A vision transformer as encoder, and a decoder of the same blocks.

    Example:
        >>> networks = vc.ViT(patch=4, dim=16, depth=2, mlp_dim=32, heads=4, latent_dim=3).build((8, 8, 1))
        >>> x = np.zeros((5, 8, 8, 1))
        >>> mean, logvar = networks.encoder.apply(networks.encoder.init(jax.random.key(0)), x)
        >>> networks.decoder.apply(networks.decoder.init(jax.random.key(1)), mean).shape
        (5, 8, 8, 1)
    """

    patch: int = 4
    """Side of the squares that an image is cut into, in pixels; it divides height and width."""
    dim: int = 64
    """Width of a token, a multiple of 4 and of `heads`."""
    depth: int = 4
    """Blocks, in encoder and decoder each."""
    mlp_dim: int = 128
    """Width of the hidden layer in each block."""
    heads: int = 8
    """Heads of attention in each block."""

    def check(self, shape: tuple[int, ...]) -> None:  # noqa: D102
        super().check(shape)
        if len(shape) != 3:
            raise InputError(f"network 'vit' needs images (n, H, W, C), got vectors (n, {shape[0]}): use 'mlp'")
        for name in ("patch", "dim", "depth", "mlp_dim", "heads"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.depth > _MOST_BLOCKS:
            raise InputError(f"depth must be at most {_MOST_BLOCKS}, got {self.depth}")
        if shape[0] % self.patch or shape[1] % self.patch:
            raise InputError(
                f"patch must divide images of {shape[0]} x {shape[1]}, got {self.patch}: choose a patch among "
                f"{', '.join(map(str, _divisors(*shape[:2])))}, or another image_size"
            )
        if self.dim % self.heads:
            raise InputError(f"heads must divide dim, got {self.heads} heads and a dim of {self.dim}")
        if self.dim % 4:
            raise InputError(f"dim must be a multiple of 4, for sines and cosines of rows and columns, got {self.dim}")

    def build(self, shape: tuple[int, ...]) -> Networks:  # noqa: D102
        return _build(self, shape)

    def attention(self, shape: tuple[int, ...]) -> Callable[[Params, Array], Array]:
        """(the encoder's parameters, x) -> how much each patch looks at each other one, (depth, n, heads, T, T).

        Args:
            shape: of one sample.
        """
        return _attention(self, shape)


_MOST_BLOCKS = 100


def _divisors(height: int, width: int) -> list[int]:
    return [size for size in range(1, min(height, width) + 1) if height % size == 0 and width % size == 0]


@lru_cache
def _build(config: ViT, shape: tuple[int, ...]) -> Networks:
    from vaeclust_jax.networks.vit import ViTDecoder, ViTEncoder  # flax takes as long to import as jax does

    sizes = _sizes(config, shape)
    return Networks(
        from_module(lambda rngs: ViTEncoder(*sizes, rngs=rngs)),
        from_module(lambda rngs: ViTDecoder(*sizes, rngs=rngs)),
    )


@lru_cache
def _attention(config: ViT, shape: tuple[int, ...]) -> Callable[[Params, Array], Array]:
    from vaeclust_jax.networks.vit import ViTEncoder

    sizes = _sizes(config, shape)
    mean = 0.0 if config.input_mean is None else config.input_mean
    std = 1.0 if config.input_std is None else config.input_std
    look = from_module(lambda rngs: ViTEncoder(*sizes, rngs=rngs), "shares").apply
    return lambda params, x: look(params, (x - mean) / std)


def _sizes(config: ViT, shape: tuple[int, ...]) -> tuple[tuple[int, ...], int, tuple[int, int, int, int], int]:
    return shape, config.patch, (config.dim, config.depth, config.mlp_dim, config.heads), config.latent_dim
