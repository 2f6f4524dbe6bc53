"""What all trackers share: a series for every seed of a fit, in which each epoch is written once."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Self

from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.callback import Callback
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.config_json import config_to_json
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.training.loop import History

PROJECT = "vaeclust"
"""What runs are filed under where a tracker wants a name for that."""


class Series(ABC):
    """What is shown of one seed, or of the files of a run.

    Attributes:
        written: its last step, by this process or one before; 0 for none.
    """

    written: int

    @abstractmethod
    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Writes an epoch, whole or not at all."""

    @abstractmethod
    def keep(self, figures: Sequence[Path], models: Sequence[Path]) -> None:
        """Keeps a run's figures (PNG) and models."""

    @abstractmethod
    def close(self, whole: bool) -> None:
        """Ends it; `whole` says that nothing went wrong."""


class Tracker(Callback, ABC):
    """Writes the losses and weights of every epoch and seed to where a program for experiments shows them.

    A seed's steps count its epochs through all stages, and a scalar is called `stage/name`.

    Args:
        folder: of the run; made if need be.
        resume: go on with what an earlier process began to write of this fit, as its checkpoint does with the fit.
        fit: a name, where a run has several fits.

    Raises:
        InputError: the program's package is not installed; or, when a fit starts, there is one of this folder already.
    """

    package: ClassVar[str]
    """Whose module and extra have this name."""

    def __init__(self, folder: Path | str, *, resume: bool = False, fit: str = ""):
        self.check_installed()
        self.folder, self._resume, self._fit = Path(folder).resolve(), resume, fit
        self._series: dict[int, Series] = {}

    @abstractmethod
    def _open(self, name: str, settings: Mapping[str, Any]) -> Series:
        """The series of this name in the run: a new one, or the one that an earlier process began."""

    @property
    @abstractmethod
    def shown_by(self) -> str:
        """The command that shows what is written."""

    @classmethod
    def check_installed(cls) -> None:
        """Check that there is what it needs.

        Raises:
            InputError: there is not.
        """
        found = find_spec(cls.package)
        if found is None or found.origin is None:  # the latter of a mere folder of that name
            raise InputError(f"{cls.package} is not installed: pip install 'vaeclust_jax[{cls.package}]'")

    def of(self, fit: str) -> Self:
        """The tracker of another fit of the same run."""
        return type(self)(self.folder, resume=self._resume, fit=fit)

    def on_start(self, config: Config, seeds: Sequence[int]) -> None:
        """Opens a series a seed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = config_to_json(config)
        self._steps = dict.fromkeys(seeds, 0)
        for seed in seeds:
            name = f"{self._fit}/seed-{seed}".lstrip("/")
            series = self._series[seed] = self._open(name, settings)
            if series.written and not self._resume:
                raise self._taken(name)

    def on_epoch(self, rows: History) -> None:
        """Writes what is not written yet."""
        for row in rows:
            seed, stage = row["seed"], row["stage"]
            self._steps[seed] += 1
            if self._steps[seed] > self._series[seed].written:
                scalars = {f"{stage}/{name}": value for name, value in row.items() if isinstance(value, float)}
                self._series[seed].write(self._steps[seed], scalars)

    def on_end(self, runs: Sequence[Run]) -> None:
        """Closes the series."""
        while self._series:
            _, series = self._series.popitem()
            series.close(whole=bool(runs))

    def keep(self) -> None:
        """Keeps the figures and the models of the run's folder, in a series called `files`."""
        series = self._open("files", {})
        series.keep(sorted(self.folder.glob("*.png")), sorted((self.folder / "model").glob("*")))
        series.close(whole=True)

    def _taken(self, name: str) -> InputError:
        return InputError(f"{self.package} has {name} of {self.folder} already: choose another, or resume=True")

    def _identity(self, name: str) -> str:
        """The same in every process that goes on with the run, and in no other run's."""
        return hashlib.sha256(f"{self.folder}:{name}".encode()).hexdigest()[:32]
