"""IMSAT: an encoder and a linear layer that maximise information, and resist small adversarial moves.

    vaeclust run imsat                 # digits, one seed
    vaeclust run imsat coil20

Source: Hu et al., Learning Discrete Representations via Information Maximizing Self-Augmented Training, 2017. The
network is the library's, smaller than the source's two layers of 1,200 and without batch normalisation.
"""

from vaeclust_jax.fitting.config import Config, with_method
from vaeclust_jax.methods.information import InformationMax
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged


def without_moves(config: Config) -> Config:
    """`Arm.configure`: information alone (RIM without its penalty of weights); nothing is moved."""
    return with_method(config, radius=0.0)


EXPERIMENT = Experiment(
    name="imsat",
    summary="IMSAT beside the information alone; any data set, 50 epochs and no autoencoder",
    dataset="digits",
    arms={"imsat": Arm(unchanged), "information alone": Arm(without_moves)},
    method=InformationMax(10),
)
