"""Networks that one source each has: their settings are nobody else's."""

from dataclasses import dataclass
from typing import ClassVar

from vaeclust_jax.networks.build import MLP, build_mlp
from vaeclust_jax.types import Networks


@dataclass(frozen=True, kw_only=True)
class ReluHeadsMLP(MLP):
    """An MLP with a ReLU on the mean, on sigma and on the pixels, as the source of `vaegmm-mnist-literal` prints it.

    See `networks.mlp`.
    """

    likelihoods: ClassVar[tuple[str, ...]] = ("bernoulli",)

    def build(self, shape: tuple[int, ...]) -> Networks:  # noqa: D102
        return build_mlp(self, shape, heads="relu", start="flax")


@dataclass(frozen=True, kw_only=True)
class TorchStartMLP(MLP):
    """An MLP whose weights start as PyTorch's do, as those of `dynamic-beta-insects` (`networks.linear`).

    Through its many narrow ReLU layers the signal of flax's start is lost.
    """

    def build(self, shape: tuple[int, ...]) -> Networks:  # noqa: D102
        return build_mlp(self, shape, heads="linear", start="torch")
