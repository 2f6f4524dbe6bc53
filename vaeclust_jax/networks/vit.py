"""Vision transformer: patches of an image as tokens that look at each other, and a decoder of the same blocks.

Sources: Dosovitskiy et al., An image is worth 16x16 words, 2021 (blocks with their norms first); Beyer, Zhai and
Kolesnikov, Better plain ViT baselines, 2022 (fixed sine positions, the mean of the tokens instead of a class token).

The weights of all blocks are arrays with the block on their first axis: one block is compiled, however many there are.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax
from jaxtyping import Array, Float

from vaeclust_jax.networks.attention import AttentionWeights, grid_positions, multi_head_attention, of_tokens
from vaeclust_jax.networks.linear import linear
from vaeclust_jax.random import truncated_normal

_EPSILON = 1e-6


def patches(x: Float[Array, "n h w c"], size: int) -> Float[Array, "n t f"]:
    """Squares of size x size pixels, row by row, each as one vector of its pixels; the size divides both sides."""
    n, h, w, c = x.shape
    cut = x.reshape(n, h // size, size, w // size, size, c)
    return jnp.swapaxes(cut, 2, 3).reshape(n, -1, size * size * c)


def image_of(tokens: Float[Array, "n t f"], shape: tuple[int, ...], size: int) -> Float[Array, "n h w c"]:
    """The inverse of `patches`, for images of `shape` (H, W, C)."""
    h, w, c = shape
    cut = tokens.reshape(len(tokens), h // size, w // size, size, size, c)
    return jnp.swapaxes(cut, 2, 3).reshape(len(tokens), *shape)


def layer_norm(x: Float[Array, "... d"], scale: Float[Array, " d"], bias: Float[Array, " d"]) -> Float[Array, "... d"]:
    """Each token to mean 0 and variance 1, times a scale and plus a bias (Ba et al. 2016)."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = jnp.square(centred).mean(axis=-1, keepdims=True)
    return centred * lax.rsqrt(variance + _EPSILON) * scale + bias


class Blocks(nnx.Module):
    """x <- x + attention(norm(x)), then x <- x + mlp(norm(x)), `depth` times; then a norm."""

    def __init__(self, dim: int, depth: int, mlp_dim: int, heads: int, rngs: nnx.Rngs):
        def map_of(inputs: int, outputs: int) -> nnx.Param[Array]:
            return nnx.Param(truncated_normal(rngs.params(), (depth, inputs, outputs), 1 / inputs))

        self.query, self.key, self.value, self.output = (map_of(dim, dim) for _ in range(4))
        self.up, self.down = map_of(dim, mlp_dim), map_of(mlp_dim, dim)
        self.output_bias, self.down_bias = (nnx.Param(jnp.zeros((depth, dim))) for _ in range(2))
        self.up_bias = nnx.Param(jnp.zeros((depth, mlp_dim)))
        self.scales, self.biases = nnx.Param(jnp.ones((depth, 2, dim))), nnx.Param(jnp.zeros((depth, 2, dim)))
        self.last_scale, self.last_bias = nnx.Param(jnp.ones(dim)), nnx.Param(jnp.zeros(dim))
        self.heads = heads

    def __call__(self, x: Float[Array, "n t d"]) -> Float[Array, "n t d"]:  # noqa: D102
        # What a block computes is computed again for its gradient: on a CPU that is faster than to keep it.
        block = jax.checkpoint(lambda x, weights: (self._block(x, weights)[0], None))
        x, _ = lax.scan(block, x, self._weights())
        return layer_norm(x, self.last_scale[...], self.last_bias[...])

    def shares(self, x: Float[Array, "n t d"]) -> Float[Array, "b n h t t"]:
        """How much each token looks at each other one, in each block and by each head."""
        return lax.scan(self._block, x, self._weights())[1]

    def _weights(self) -> Any:
        maps = AttentionWeights(
            self.query[...], self.key[...], self.value[...], self.output[...], self.output_bias[...]
        )
        mlp = self.up[...], self.up_bias[...], self.down[...], self.down_bias[...]
        return maps, mlp, self.scales[...], self.biases[...]

    def _block(self, x: Array, weights: Any) -> tuple[Array, Array]:
        maps, (up, up_bias, down, down_bias), scales, biases = weights
        answers, shares = multi_head_attention(maps, layer_norm(x, scales[0], biases[0]), self.heads)
        x = x + answers
        hidden = jax.nn.gelu(of_tokens(layer_norm(x, scales[1], biases[1]), up) + up_bias)
        return x + of_tokens(hidden, down) + down_bias, shares


class ViTEncoder(nnx.Module):
    """x -> (mean, logvar): patches, blocks, the mean of the tokens, two heads."""

    def __init__(
        self,
        shape: tuple[int, ...],
        patch: int,
        sizes: tuple[int, int, int, int],
        latent_dim: int,
        rngs: nnx.Rngs,
    ):
        height, width, channels = shape
        dim = sizes[0]
        self.patch, self.grid, self.dim = patch, (height // patch, width // patch), dim
        self.first = linear(patch * patch * channels, dim, rngs)
        self.blocks = Blocks(*sizes, rngs=rngs)
        self.mean = linear(dim, latent_dim, rngs)
        self.logvar = linear(dim, latent_dim, rngs)

    def __call__(self, x: Float[Array, "n h w c"]) -> tuple[Array, Array]:  # noqa: D102
        seen = self.blocks(self._tokens(x)).mean(axis=1)
        return self.mean(seen), self.logvar(seen)

    def shares(self, x: Float[Array, "n h w c"]) -> Float[Array, "b n h t t"]:
        """As `Blocks.shares`, of the patches."""
        return self.blocks.shares(self._tokens(x))

    def _tokens(self, x: Array) -> Array:
        return self.first(patches(x, self.patch)) + grid_positions(*self.grid, self.dim)


class ViTDecoder(nnx.Module):
    """z -> logits or mean of x: the code as every patch's token, told apart by positions; blocks; pixels."""

    def __init__(
        self,
        shape: tuple[int, ...],
        patch: int,
        sizes: tuple[int, int, int, int],
        latent_dim: int,
        rngs: nnx.Rngs,
    ):
        height, width, channels = shape
        dim = sizes[0]
        self.shape, self.patch, self.grid, self.dim = shape, patch, (height // patch, width // patch), dim
        self.first = linear(latent_dim, dim, rngs)
        self.blocks = Blocks(*sizes, rngs=rngs)
        self.last = linear(dim, patch * patch * channels, rngs)

    def __call__(self, z: Float[Array, "n l"]) -> Float[Array, "n h w c"]:  # noqa: D102
        tokens = self.first(z)[:, None] + grid_positions(*self.grid, self.dim)
        return image_of(self.last(self.blocks(tokens)), self.shape, self.patch)
