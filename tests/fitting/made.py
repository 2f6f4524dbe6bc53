"""Small data, configs and networks that the tests of fitting share; equal shapes share compiled programs."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import vaeclust_jax as vc
from vaeclust_jax.networks import NETWORKS, AutoNetwork, NetworkConfig

N, F, K, L = 120, 5, 3, 2


def blobs(n: int = N) -> tuple[np.ndarray, np.ndarray]:
    """Three well separated clusters of vectors, and their classes."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % K
    centres = np.array([[-4, 0, 4, 0, 1], [4, 4, 0, -4, 0], [0, -4, -4, 4, -1]], float)
    return (centres[y] + rng.normal(0, 0.3, (n, F))).astype(np.float32), y


def squares(n: int = N) -> tuple[np.ndarray, np.ndarray]:
    """8 x 8 images with a bright band in one of three places, uint8, and their classes."""
    rng = np.random.default_rng(1)
    y = np.arange(n) % K
    x = rng.integers(0, 60, (n, 8, 8))
    for row, label in enumerate(y):
        x[row, 3 * label : 3 * label + 2] += 180
    return x.astype(np.uint8), y


@dataclass(frozen=True, kw_only=True)
class _Small(AutoNetwork):
    """An MLP for vectors, convolutions for images, both small."""

    hidden: tuple[int, ...] = (16,)
    channels: tuple[int, ...] = (4, 8)
    kernels: tuple[int, ...] = (3, 3)

    def resolved(self, shape: tuple[int, ...]) -> NetworkConfig:
        common = {field.name: getattr(self, field.name) for field in fields(NetworkConfig)}
        if len(shape) == 3:
            return vc.Conv(channels=self.channels, kernels=self.kernels, **common)
        return vc.MLP(hidden=self.hidden, **common)


_NETWORKS = {**NETWORKS, "auto": _Small}
_DEFAULTS = {
    "latent_dim": L,
    "hidden": (16,),
    "channels": (4, 8),
    "kernels": (3, 3),
    "pretrain_epochs": 2,
    "joint_epochs": 2,
    "batch_size": 32,
}


def config(num_clusters: Any = K, method: str | None = None, network: str = "auto", **changes: Any) -> vc.Config:
    """A small config; every field of every section can be changed by its name.

    `tolerance` is that of the rule by which the joint stage stops. The method is DEC, or k-means without joint epochs.
    """
    if method is None:
        method = "kmeans" if changes.get("joint_epochs") == 0 else "dec"
    if "tolerance" in changes:
        changes["stopping"] = vc.Settled(changes.pop("tolerance"))
    changes = {"image_size": None, **changes}
    kinds = (vc.METHODS[method], vc.PrepareConfig, _NETWORKS[network], vc.TrainingConfig)
    sections, unknown = [], set(changes)
    for kind in kinds:
        own = {field.name for field in fields(kind)}
        unknown -= own
        given = {**_DEFAULTS, **changes}
        settings = {name: given[name] for name in own & set(given)}
        sections.append(kind(num_clusters, **settings) if kind is kinds[0] else kind(**settings))
    assert unknown - {"joint_epochs"} == set(), f"no such settings: {unknown}"
    return vc.Config(*sections)


def _linear(inputs: int, outputs: int) -> Any:
    return lambda key: {"w": 0.3 * jax.random.normal(key, (inputs, outputs))}


def _encode(params: Any, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    both = x @ params["w"]
    return both[:, :L], both[:, L:]


LINEAR = vc.Networks(
    vc.Network(_linear(F, 2 * L), _encode),
    vc.Network(_linear(L, F), lambda params, z: z @ params["w"]),
)
"""A person's own encoder and decoder: pairs of plain functions."""


def _fuse(key: jax.Array) -> dict[str, jax.Array]:
    return {**_linear(L, F)(key), "fuse": jnp.asarray(8.5e-3)}


BURNING = LINEAR._replace(decoder=vc.Network(_fuse, lambda params, z: z @ params["w"] + 100 * jnp.sqrt(params["fuse"])))
"""Every Adam step shortens the fuse by about the learning rate; below zero the decoder gives NaN."""


def calling(on_epoch: Callable[[Any], None]) -> vc.Callback:
    """A callback of one function."""

    class Calling(vc.Callback):
        def on_epoch(self, rows: Any) -> None:
            on_epoch(rows)

    return Calling()


def assert_same_bits(a: vc.Run, b: vc.Run) -> None:
    """Parameters and history."""
    left, right = (jax.tree.leaves_with_path(run.params) for run in (a, b))
    assert [path for path, _ in left] == [path for path, _ in right]
    for (path, one), (_, other) in zip(left, right, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=str(path))
    assert a.history == b.history


def student_t(z: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """q of Xie, Girshick and Farhadi 2016, Eq. 1, in float64."""
    squared = ((z[:, None].astype(np.float64) - centroids[None].astype(np.float64)) ** 2).sum(axis=-1)
    kernel = 1 / (1 + squared)
    return kernel / kernel.sum(axis=1, keepdims=True)
