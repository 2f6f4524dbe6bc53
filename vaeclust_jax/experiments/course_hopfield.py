"""Hopfield nets side by side: modern, with saturating units, and classical.

    vaeclust run course-hopfield                      # the shapes of ten digits; the quick form is the same
    vaeclust run course-hopfield --dataset digits     # more patterns than two of the three nets can hold: said

The tasks are those of a course on neural networks: nets of two and three saturating units (the design of Li, Michel and
Porod 1989, as MATLAB's `newhop` has it) with all their attractors, and digits with noise of deviation 0 to 5. The
course counts 8.6 iterations over ten random starts of the net of two units and 11.7 of that of three.
"""

from collections.abc import Callable

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import Config, with_method
from vaeclust_jax.methods.hopfield import Classical, Hopfield, Net, Saturating
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged, unchanged_form


def _with(net: Net) -> Callable[[Config], Config]:
    return lambda config: with_method(config, net=net)


EXPERIMENT = Experiment(
    name="course-hopfield",
    summary="modern, saturating and classical Hopfield nets: attractors, recall from noise, capacity",
    dataset="digit-shapes",
    arms={"modern": Arm(unchanged), "saturating": Arm(_with(Saturating())), "classical": Arm(_with(Classical()))},
    prepare=PrepareConfig(validation=0.0),
    method=Hopfield(),
    quick=unchanged_form,
)
