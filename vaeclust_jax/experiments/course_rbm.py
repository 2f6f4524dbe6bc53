"""A restricted Boltzmann machine on binarised MNIST, the improved settings beside those of the source.

    vaeclust run course-rbm --seeds 5             # 60,000 rows
    vaeclust run course-rbm --quick               # digits: no download, about a minute of processor time
    vaeclust run course-rbm --num-hidden 500 --epochs 200
    vaeclust run course-rbm-scan --quick          # components, learning rate and iterations

The source: 784 visible and 200 hidden units, learning rate .1, 30 iterations. Its other settings are taken to be those
of scikit-learn: batches of 10, as many persistent chains, no centring, a constant rate. The improved form is centred,
has 100 chains of its own, and a learning rate that falls to nothing. A seventh of the rows is held out, decides
nothing, and is what is judged.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import Config, TrainingConfig
from vaeclust_jax.methods.boltzmann import PersistentDivergence
from vaeclust_jax.methods.rbm import RBM
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged

FEW_ROWS = TrainingConfig(batch_size=20, learning_rate=0.4)
"""Of digits, whose thirty epochs are a fortieth of MNIST's steps. Of .05, .1, .2 and .4 the rate under which training
rows are likeliest."""


def _of_source(config: Config) -> Config:
    assert isinstance(config.method, RBM)
    method = replace(config.method, sampler=PersistentDivergence(chains=10), centred=False, decay=False)
    return replace(config, method=method, training=replace(config.training, batch_size=10, learning_rate=0.1))


EXPERIMENT = Experiment(
    name="course-rbm",
    summary="restricted Boltzmann machine, 200 hidden units: centred PCD beside the source's settings, log Z both ways",
    dataset="mnist",
    arms={"rbm": Arm(unchanged), "rbm-source": Arm(_of_source)},
    prepare=PrepareConfig(validation=1 / 7),
    method=RBM(200, epochs=30),
    training=TrainingConfig(batch_size=20, learning_rate=0.05),
    quick=lambda experiment: replace(experiment, dataset="digits", training=FEW_ROWS),
)


def _cell(num_hidden: int, rate: float, epochs: int) -> Callable[[Config], Config]:
    def configure(config: Config) -> Config:
        assert isinstance(config.method, RBM)
        method = replace(config.method, num_hidden=num_hidden, epochs=epochs)
        return replace(config, method=method, training=replace(config.training, learning_rate=rate))

    return configure


def _arms(components: tuple[int, ...], rates: tuple[float, ...], epochs: tuple[int, ...]) -> dict[str, Arm]:
    cells = product(components, rates, epochs)
    return {f"hidden{h}-rate{rate:g}-epochs{n}": Arm(_cell(h, rate, n)) for h, rate, n in cells}


SCAN = replace(
    EXPERIMENT,
    name="course-rbm-scan",
    summary="restricted Boltzmann machines by components, learning rate and iterations, each with its likelihood",
    arms=_arms((200, 64, 16), (0.05, 0.1, 0.2), (30, 10)),
    quick=lambda experiment: replace(
        experiment, dataset="digits", arms=_arms((64, 16), (0.1, 0.4), (30, 10)), method=RBM(64)
    ),
)
