"""Which devices a fit is computed on."""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from vaeclust_jax.checks import check_types
from vaeclust_jax.errors import InputError
from vaeclust_jax.machine import num_cores

SEEDS, ROWS = "seeds", "rows"
"""What is laid over devices."""


@dataclass(frozen=True)
class Mesh:
    """Devices side by side: `seeds` times `rows` of them, the first that jax has.

    It is a matter of where a fit is computed, and not of the model: a checkpoint goes on with another mesh.

    Example:
        >>> x = np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0)
        >>> config = vc.Config(vc.VAEKMeans(2, pretrain_epochs=1), network=vc.MLP(hidden=(8,)))
        >>> runs = vc.fit_seeds(config, x, range(2), mesh=vc.Mesh(seeds=1, rows=1))  # one device
        >>> len(runs)
        2
    """

    seeds: int = 1
    """Devices that seeds are laid over. Where they do not divide, some devices compute one seed less than others."""
    rows: int = 1
    """Devices that the rows of each seed are laid over."""

    def __post_init__(self) -> None:
        check_types(self)
        for name, value in {"seeds": self.seeds, "rows": self.rows}.items():
            if value < 1:
                raise InputError(f"the mesh must have at least 1 device along {name}, got {value}")

    def __str__(self) -> str:
        return f"seeds={self.seeds},rows={self.rows}"

    @classmethod
    def of_text(cls, text: str) -> Self:
        """`seeds=4,rows=2`; what is left out is 1.

        Raises:
            InputError: other words.
        """
        given = {}
        for part in text.split(","):
            name, _, number = (word.strip() for word in part.partition("="))
            if name not in (SEEDS, ROWS) or name in given or not (number.isascii() and number.isdecimal()):
                raise InputError(f"a mesh is written like seeds=4,rows=2, got {text!r}")
            given[name] = int(number)
        return cls(**given)

    @classmethod
    def of_devices(cls, num_devices: int, num_seeds: int) -> Self:
        """So many devices: seeds over as many of them as divide their number, rows over the rest.

        Raises:
            InputError: less than one device.
        """
        if num_devices < 1:
            raise InputError(f"devices must be at least 1, got {num_devices}")
        seeds = max(size for size in range(1, min(num_devices, num_seeds) + 1) if num_devices % size == 0)
        return cls(seeds, num_devices // seeds)

    @classmethod
    def of_cores(cls, num_seeds: int) -> Self:
        """Seeds over the cores of a CPU: small products leave all cores but one idle, and seeds do not see each other.

        jax must not have computed anything before: a core is made a device then, and not afterwards. Where it has, or
        computes elsewhere, or `XLA_FLAGS` says how many devices a CPU is, the mesh is one device.

        Example:
            >>> mesh = vc.Mesh.of_cores(5)  # first of all; then vc.fit_seeds(config, x, range(5), mesh=mesh)
        """
        return cls(made_of_cores(min(num_cores(), num_seeds)))

    @property
    def num_devices(self) -> int:
        """All of them."""
        return self.seeds * self.rows

    @cached_property
    def of_jax(self) -> jax.sharding.Mesh:
        """As jax has it."""
        devices = np.array(jax.devices()[: self.num_devices]).reshape(self.seeds, self.rows)
        return jax.sharding.Mesh(devices, (SEEDS, ROWS))

    def sharding(self, spec: PartitionSpec) -> NamedSharding:
        """Of an array on these devices."""
        return NamedSharding(self.of_jax, spec)

    def check(self, num_seeds: int, batch_size: int) -> None:
        """Whether there are such devices, and a fit that can use them.

        Raises:
            InputError: too few devices, devices of several kinds, fewer seeds than devices along them, or batches that
                do not divide.
        """
        there = jax.devices()
        if self.num_devices > len(there):
            more = "; XLA_FLAGS=--xla_force_host_platform_device_count=N makes N of one CPU"
            raise InputError(
                f"the mesh {self} takes {self.num_devices} devices, and jax has {len(there)} ({there[0].platform})"
                f"{more if there[0].platform == 'cpu' else ''}"
            )
        if jax.process_count() > 1 and self.num_devices != len(there):
            raise InputError(
                f"the mesh {self} takes {self.num_devices} of the {len(there)} devices that {jax.process_count()} "
                "processes have together: lay it over all of them"
            )
        kinds = sorted({device.device_kind for device in there[: self.num_devices]})
        if len(kinds) > 1:
            raise InputError(
                f"the devices of a mesh must be of one kind, got {' and '.join(kinds)}: hide the others from jax, as "
                "CUDA_VISIBLE_DEVICES does"
            )
        if self.seeds > num_seeds:
            raise InputError(
                f"the mesh {self} lays seeds over {self.seeds} devices, and there are {num_seeds}: give as many seeds, "
                f"or seeds={num_seeds}"
            )
        if batch_size % self.rows:
            raise InputError(
                f"the mesh {self} lays each batch over {self.rows} devices, and a batch_size of {batch_size} does not "
                f"divide: give {batch_size - batch_size % self.rows or self.rows}"
            )


def made_of_cores(number: int) -> int:
    """Makes so many devices of a CPU that has as many cores; how many of them there are, 1 where none could be made."""
    there = jax.config.values["jax_num_cpu_devices"]
    if there < 0:
        told = "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", "")
        if told or not 1 < number <= num_cores():
            return 1
        try:
            jax.config.update("jax_num_cpu_devices", number)
        except RuntimeError:  # jax has begun
            return 1
        there = number
    return min(there, number) if jax.default_backend() == "cpu" else 1
