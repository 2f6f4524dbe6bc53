"""The experiments by name."""

import difflib
from dataclasses import MISSING, fields

from vaeclust_jax.errors import InputError
from vaeclust_jax.experiments import (
    course_cnn,
    course_dbm,
    course_forecast,
    course_gan,
    course_hopfield,
    course_hopfield_on_latents,
    course_optimisers,
    course_rbm,
    course_regression,
    course_sae,
    course_vae,
    course_vit,
    dynamic_beta_insects,
    idec,
    imsat,
    series,
    vade,
    vaedec,
    vaedec_coil20,
    vaedec_controllers,
    vaegmm_mnist,
    vaegraph,
)
from vaeclust_jax.fitting.config import TrainingConfig
from vaeclust_jax.methods.method import Method
from vaeclust_jax.methods.registry import all_methods
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        vaedec.EXPERIMENT,
        vaegraph.EXPERIMENT,
        vade.EXPERIMENT,
        idec.EXPERIMENT,
        imsat.EXPERIMENT,
        vaedec_coil20.EXPERIMENT,
        vaedec_coil20.LITERAL,
        dynamic_beta_insects.EXPERIMENT,
        dynamic_beta_insects.LITERAL,
        vaedec_controllers.EXPERIMENT,
        vaegmm_mnist.EXPERIMENT,
        vaegmm_mnist.LITERAL,
        course_rbm.EXPERIMENT,
        course_rbm.SCAN,
        course_dbm.EXPERIMENT,
        series.EXPERIMENT,
        course_forecast.EXPERIMENT,
        course_forecast.LITERAL,
        course_forecast.SCAN,
        course_regression.EXPERIMENT,
        course_optimisers.EXPERIMENT,
        course_optimisers.CNN,
        course_cnn.EXPERIMENT,
        course_cnn.ABLATIONS,
        course_sae.EXPERIMENT,
        course_vit.EXPERIMENT,
        course_vit.GRID,
        course_vit.ATTENTION,
        course_vae.EXPERIMENT,
        course_gan.EXPERIMENT,
        course_hopfield.EXPERIMENT,
        course_hopfield_on_latents.EXPERIMENT,
    )
}
DEFAULT = vaegraph.EXPERIMENT.name


def experiment_of(name: str) -> Experiment:
    """The experiment of this name, or of the method of this name: that method alone, on digits.

    Raises:
        InputError: there is neither.
    """
    if name in EXPERIMENTS:
        return EXPERIMENTS[name]
    methods = all_methods()
    if name in methods:
        return of_method(name, methods[name])
    known = list(dict.fromkeys((*EXPERIMENTS, *methods)))
    near = difflib.get_close_matches(name, known, n=2)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
    raise InputError(f"no experiment {name!r}; {hint}")


def of_method(name: str, kind: type[Method]) -> Experiment:
    """An experiment of one method, with its default settings.

    Raises:
        InputError: the method has a setting without a default.
    """
    needed = {"num_clusters": 10} if "num_clusters" in kind.__dataclass_fields__ else {}
    for one in fields(kind):
        if one.init and one.default is MISSING and one.default_factory is MISSING and one.name not in needed:
            raise InputError(f"the method {name!r} needs a default for {one.name}, with which the command can begin")
    return Experiment(
        name,
        summary_of(kind),
        dataset="digits",
        arms={name: Arm(unchanged)},
        method=kind(**needed),
        training=TrainingConfig(learning_rate=kind.usual_learning_rate),
    )


def summary_of(kind: type[Method]) -> str:
    """The first sentence of a method's docstring."""
    return (kind.__doc__ or kind.__name__).strip().partition("\n")[0]
