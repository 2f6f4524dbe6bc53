"""A deep Boltzmann machine of two hidden layers on binarised MNIST, beside a restricted one of its first layer's size.

    vaeclust run course-dbm --seeds 5                      # 60,000 rows
    vaeclust run course-dbm --quick                        # digits, 64 and 64 hidden units: no download
    vaeclust run course-dbm --num-hidden 500 1000          # the sizes of Salakhutdinov and Hinton 2009: for a GPU

The source shows components of both layers and samples after one Gibbs step, and judges them better than the restricted
machine's. Here both have likelihoods on held-out rows, the deep one's a lower bound, with log Z from both sides.
"""

from dataclasses import replace

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.experiments import course_rbm
from vaeclust_jax.fitting.config import Config, TrainingConfig
from vaeclust_jax.methods.dbm import DBM
from vaeclust_jax.methods.rbm import RBM
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged


def _restricted(config: Config) -> Config:
    assert isinstance(config.method, DBM)
    return replace(config, method=RBM(config.method.num_hidden[0], config.method.epochs))


EXPERIMENT = Experiment(
    name="course-dbm",
    summary="deep Boltzmann machine of 200 and 200 hidden units: greedy start, mean field, beside an RBM",
    dataset="mnist",
    arms={"dbm": Arm(unchanged), "rbm": Arm(_restricted)},
    prepare=PrepareConfig(validation=1 / 7),
    method=DBM(),
    training=TrainingConfig(batch_size=20, learning_rate=0.05),
    quick=lambda experiment: replace(experiment, dataset="digits", method=DBM((64, 64)), training=course_rbm.FEW_ROWS),
)
