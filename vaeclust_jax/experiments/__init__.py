"""The experiments by name."""

from vaeclust_jax.experiments import (
    dynamic_beta_insects,
    idec,
    vade,
    vaedec,
    vaedec_coil20,
    vaedec_controllers,
    vaegmm_mnist,
    vaegraph,
)
from vaeclust_jax.studies.experiment import Experiment

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        vaedec.EXPERIMENT,
        vaegraph.EXPERIMENT,
        vade.EXPERIMENT,
        idec.EXPERIMENT,
        vaedec_coil20.EXPERIMENT,
        vaedec_coil20.LITERAL,
        dynamic_beta_insects.EXPERIMENT,
        vaedec_controllers.EXPERIMENT,
        vaegmm_mnist.EXPERIMENT,
        vaegmm_mnist.LITERAL,
    )
}
DEFAULT = vaedec.EXPERIMENT.name
