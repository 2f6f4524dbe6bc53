"""The arms of an experiment, fitted: each distinct config once, on data that are prepared once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.errors import InputError, TrainingDivergedError
from vaeclust_jax.fitting.callback import Callback
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.fit import fit_stages
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.resolve import Preparations, models_of
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.studies.experiment import Arm
from vaeclust_jax.studies.labelling import all_labels, told_labels
from vaeclust_jax.training.checkpoint import Checkpoint
from vaeclust_jax.training.mesh import Mesh

Stages = dict[str, list[Run]]
"""By stage, one model a seed."""
CallbacksOf = Callable[[str], Sequence[Callback]]
"""Who is told of an arm's fit, by the arm's name."""
Wanted = tuple[Config, float]
"""What has to be fitted for an arm: the config, and the share of labelled rows; one fit may serve several arms."""


class Fits:
    """The fits of an experiment.

    Args:
        config: the experiment's, as changed by the person.
        dataset: what is fitted.
        seeds: fitted as one program.
        data: the data set, prepared.
        checkpoint: its folder gets one for each fit; a later call goes on from them.
        callbacks: told of each fit by the name of the arm that is the first to need it.
        hints: for the arms whose method takes some.
        mesh: devices that every fit is laid over; None: one device.
    """

    def __init__(
        self,
        config: Config,
        dataset: Dataset,
        seeds: Sequence[int],
        data: Preparations,
        checkpoint: Checkpoint | None = None,
        callbacks: CallbacksOf = lambda arm: (),
        hints: Hints | None = None,
        mesh: Mesh | None = None,
    ):
        self._config, self._dataset, self._seeds = config, dataset, seeds
        self._checkpoint, self._callbacks = checkpoint, callbacks
        self._data, self._hints, self._mesh = data, hints, mesh
        self._stages: dict[Wanted, Stages] = {}

    def check(self, arms: Mapping[str, Arm], needs: Sequence[str]) -> None:
        """Every refusal, before anything is trained.

        Args:
            arms: what is to be fitted.
            needs: heads that its models must have, or one of those joined by "or".

        Raises:
            InputError: as `fit`, or an arm asks for a stage or a head that its method does not have.
        """
        for name, arm in arms.items():
            config = self._wanted(arm)[0]
            asked = self._hints_of(config)
            models = models_of(config, self.data(arm), self._labels(arm), len(self._seeds), asked, self._mesh)
            if arm.stage is not None and arm.stage not in models:
                raise InputError(f"{name} is read off after stage {arm.stage!r}, but stages are {', '.join(models)}")
            kind = type(config.method).__name__
            if not models:
                raise InputError(f"no stage of the method {kind} ends with a model: the last one must")
            heads = models[list(models)[-1] if arm.stage is None else arm.stage]
            for need in needs:
                if any(getattr(heads, head) is not None for head in need.split(" or ")):
                    continue
                raise InputError(f"{kind}.heads must have {need!r}, which the task {config.method.task} asks for")

    def fit(self, arm: Arm, name: str, say: Callable[[str], None]) -> None:
        """Fits what the arm needs, unless it is there.

        Raises:
            TrainingDivergedError: as `fit`; the models of the last good state are there.
        """
        wanted = self._wanted(arm)
        if wanted in self._stages:
            return
        say(name)
        checkpoint = self._checkpoint
        if checkpoint is not None:
            checkpoint = replace(checkpoint, folder=checkpoint.folder / str(len(self._stages)))
        try:
            self._stages[wanted] = fit_stages(
                wanted[0],
                self.data(arm),
                self._seeds,
                partial_labels=self._labels(arm),
                hints=self._hints_of(wanted[0]),
                checkpoint=checkpoint,
                mesh=self._mesh,
                callbacks=self._callbacks(name),
            )
        except TrainingDivergedError as error:
            if error.last_good:
                self._stages[wanted] = error.last_good
            raise

    def data(self, arm: Arm) -> Prepared:
        """The rows as the arm's networks see them."""
        return self._data.of(self._wanted(arm)[0])

    def stages(self, arm: Arm) -> Stages:
        """Every model of the arm's fit; none if there is no fit."""
        return self._stages.get(self._wanted(arm), {})

    def runs(self, arm: Arm) -> list[Run]:
        """The arm's models, one a seed; none if its stage was not reached."""
        stages = self.stages(arm)
        return stages.get(list(stages)[-1] if arm.stage is None else arm.stage, []) if stages else []

    def _wanted(self, arm: Arm) -> Wanted:
        return arm.configure(self._config), arm.labelled

    def _hints_of(self, config: Config) -> Hints | None:
        return self._hints if config.method.takes_hints else None

    def _labels(self, arm: Arm) -> np.ndarray | None:
        if self._wanted(arm)[0].method.needs_labels:
            return all_labels(self._dataset, self._wanted(arm)[0].method)
        return told_labels(self._dataset, arm.labelled) if arm.labelled else None
