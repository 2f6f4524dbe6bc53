"""What may listen to a fit: `fit(..., callbacks=[...])`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.training.loop import History


class Callback:
    """Is told how a fit goes, and changes nothing of it; each method does nothing unless a subclass says what.

    The calls come between epochs, on the host. What a callback raises ends the fit, whose checkpoint is kept.

    Example:
        >>> class Losses(vc.Callback):
        ...     def on_epoch(self, rows):
        ...         print(rows[0]["stage"], rows[0]["epoch"], len(rows))
        >>> x = np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0)
        >>> config = vc.Config(vc.VAEKMeans(2, pretrain_epochs=2), network=vc.MLP(hidden=(8,)))
        >>> run = vc.fit(config, x, 0, callbacks=[Losses()])
        vae 1 1
        vae 2 1
    """

    def on_start(self, config: Config, seeds: Sequence[int]) -> None:
        """Before the first epoch, when nothing can be refused any more.

        Args:
            config: with its choices made.
            seeds: that are fitted as one program; `fit` calls its one 0.
        """

    def on_epoch(self, rows: History) -> None:
        """After an epoch. A fit that goes on from a checkpoint first tells the epochs before it once more.

        Args:
            rows: one a seed that is still trained: seed, stage, epoch (from 1 in each stage), the losses and weights by
                name, and the stage's `num_epochs`, at most.
        """

    def on_end(self, runs: Sequence[Run]) -> None:
        """When the fit is over, in whatever way.

        Args:
            runs: one a seed; none if it was ended by an error.
        """


class Callbacks:
    """Several, told in their order.

    Raises:
        InputError: something else among them.
    """

    def __init__(self, callbacks: Sequence[Callback]):
        if not (isinstance(callbacks, (list, tuple)) and all(isinstance(one, Callback) for one in callbacks)):
            raise InputError(f"callbacks must be a list of objects of vaeclust_jax.Callback, got {callbacks!r}")
        self._all = tuple(callbacks)

    @contextmanager
    def listening(self, config: Config, seeds: Sequence[int]) -> Iterator[None]:
        """Tells the start, and the end if what is inside fails."""
        try:
            for one in self._all:
                one.on_start(config, seeds)
            yield
        except BaseException:
            self.on_end([])
            raise

    def on_epoch(self, rows: History) -> None:
        """Tells an epoch."""
        for one in self._all:
            one.on_epoch(rows)

    def on_end(self, runs: Sequence[Run]) -> None:
        """Tells the end."""
        for one in self._all:
            one.on_end(runs)
