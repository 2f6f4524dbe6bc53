"""This library's training, epoch by epoch, through the program that `fit` runs."""

import jax
import jax.numpy as jnp
import numpy as np

from vaeclust_jax.training.epoch import Data, begin, epoch_program
from vaeclust_jax.training.layout import Layout
from vaeclust_jax.training.loop import stack
from vaeclust_jax.training.mesh import Mesh
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Info, Learner


class Training:
    """A learner under way on some rows, for one seed or many as one program; no rows are held out.

    With a mesh, seeds lie over its devices.
    """

    def __init__(
        self, learner: Learner, x: np.ndarray, batch_size: int, num_seeds: int = 1, mesh: Mesh | None = None
    ) -> None:
        self.keys = jax.random.split(jax.random.key(0), num_seeds)
        self.progress = stack([begin(learner.init(key), NEVER) for key in self.keys])
        layout = None if mesh is None else Layout(mesh, learner.by_row or (), num_seeds, len(x))
        if layout is not None:
            self.keys, self.progress = layout.keys(self.keys), layout.lay(jax.device_get(self.progress))
        self.program = epoch_program(learner, NEVER, batch_size, layout)
        self.x, self.held_out = jnp.asarray(x), Data(jnp.asarray(x[:0]))
        self.number = 0

    def epoch(self) -> Info:
        """One epoch; its mean losses, (S,) each."""
        self.number += 1
        self.progress, info = self.program(
            self.keys, self.progress, jnp.asarray(self.number), Data(self.x), self.held_out
        )
        return info
