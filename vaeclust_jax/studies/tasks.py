"""Every task by the name that methods have for it (`Method.task`)."""

from vaeclust_jax.studies.clustering import CLUSTERING
from vaeclust_jax.studies.density import DENSITY
from vaeclust_jax.studies.forecasting import FORECASTING
from vaeclust_jax.studies.generation import GENERATION
from vaeclust_jax.studies.memory import MEMORY
from vaeclust_jax.studies.regression import REGRESSION
from vaeclust_jax.studies.supervised import CLASSIFICATION
from vaeclust_jax.studies.task import Task

TASKS: dict[str, Task] = {
    "clustering": CLUSTERING,
    "generation": GENERATION,
    "classification": CLASSIFICATION,
    "density": DENSITY,
    "memory": MEMORY,
    "regression": REGRESSION,
    "forecasting": FORECASTING,
}
