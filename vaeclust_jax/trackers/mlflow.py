"""MLflow: `mlflow ui --backend-store-uri sqlite:///RUN_DIR/mlflow.db`."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vaeclust_jax.trackers.tracker import PROJECT, Series, Tracker

_TAG = "vaeclust.series"


class MLflow(Tracker):
    """A run of MLflow for each seed, in `mlflow.db` and `mlartifacts/` of the folder.

    `MLFLOW_TRACKING_URI` names another store or a server.
    """

    package = "mlflow"

    @property
    def shown_by(self) -> str:
        """The command that shows what is written."""
        return f"mlflow ui --backend-store-uri {self._uri}"

    @property
    def _uri(self) -> str:
        return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{self.folder / 'mlflow.db'}"

    def _open(self, name: str, settings: Mapping[str, Any]) -> Series:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=self._uri)
        experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        found = client.get_experiment_by_name(experiment)
        if found is not None:
            number = found.experiment_id
        else:
            here = None if os.environ.get("MLFLOW_TRACKING_URI") else (self.folder / "mlartifacts").as_uri()
            number = client.create_experiment(experiment, artifact_location=here)
        identity = self._identity(name)
        runs = client.search_runs([number], filter_string=f"tags.`{_TAG}` = '{identity}'")
        if runs:
            run = runs[0].info.run_id
            client.update_run(run, status="RUNNING")
        else:
            tags = {_TAG: identity, "folder": str(self.folder)}
            run = client.create_run(number, run_name=f"{self.folder.name}/{name}", tags=tags).info.run_id
            for key, value in _flat(settings):
                client.log_param(run, key, value)
        return _Run(client, run)


class _Run(Series):
    def __init__(self, client: Any, run: str):
        self._client, self._run = client, run
        names = client.get_run(run).data.metrics
        points = (point for name in names for point in client.get_metric_history(run, name))
        self.written = max((point.step for point in points), default=0)

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        self._client.log_batch(self._run, [Metric(name, value, now, step) for name, value in scalars.items()])

    def keep(self, figures: Sequence[Path], models: Sequence[Path]) -> None:
        for folder, paths in {"figures": figures, "model": models}.items():
            for path in paths:
                self._client.log_artifact(self._run, str(path), folder)

    def close(self, whole: bool) -> None:
        self._client.set_terminated(self._run, "FINISHED" if whole else "FAILED")


def _flat(settings: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", value
