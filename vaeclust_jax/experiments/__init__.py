"""The experiments by name."""

from vaeclust_jax.experiments import dynamic_beta_insects, vaedec, vaedec_coil20
from vaeclust_jax.experiments.experiment import Experiment

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        vaedec.EXPERIMENT,
        vaedec_coil20.EXPERIMENT,
        vaedec_coil20.LITERAL,
        dynamic_beta_insects.EXPERIMENT,
    )
}
DEFAULT = vaedec.EXPERIMENT.name
