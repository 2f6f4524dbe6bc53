"""Programs that show experiments, told of a fit as it goes: each a `Callback`."""

from vaeclust_jax.trackers.mlflow import MLflow
from vaeclust_jax.trackers.tensorboard import TensorBoard
from vaeclust_jax.trackers.tracker import Tracker
from vaeclust_jax.trackers.trackio import Trackio
from vaeclust_jax.trackers.wandb import WandB

TRACKERS: dict[str, type[Tracker]] = {one.package: one for one in (TensorBoard, Trackio, WandB, MLflow)}
"""By the name that the command line and the extras of the package have for them."""

__all__ = ["TRACKERS", "MLflow", "TensorBoard", "Tracker", "Trackio", "WandB"]
