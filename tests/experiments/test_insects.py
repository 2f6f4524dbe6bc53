"""The insects' experiment is its source's: Rydhmer and Selvan 2021, and the code released with it."""

from itertools import pairwise

import jax

from vaeclust_jax.control.dynamic import dynamic
from vaeclust_jax.control.two_level import two_level
from vaeclust_jax.experiments import EXPERIMENTS

EXPERIMENT = EXPERIMENTS["dynamic-beta-insects"]


def test_the_network_is_the_source_s() -> None:
    encoder, decoder = (
        jax.eval_shape(network.init, jax.random.key(0)) for network in EXPERIMENT.network.build((193,))[:2]
    )
    widths = [193, 128, 128, 64, 32, 16, 8, 4], [2, 4, 8, 16, 32, 32, 64, 128, 128, 193]
    for network, sizes in zip((encoder, decoder), widths, strict=True):
        layers = network["trunk"]["layers"]
        found = [layers[number]["kernel"].shape for number in sorted(layers)]
        assert found == list(pairwise(sizes))
    assert encoder["mean"]["kernel"].shape == encoder["logvar"]["kernel"].shape == (4, 2)


def test_settings_are_the_source_s() -> None:
    training, method = EXPERIMENT.training, EXPERIMENT.method
    assert (training.batch_size, training.learning_rate, method.pretrain_epochs) == (256, 1e-3, 1000)
    assert (method.likelihood, method.beta, EXPERIMENT.prepare.scaling) == ("squared", "dynamic", "minmax-row")


def test_the_literal_form_is_as_the_released_code_runs() -> None:
    """From epoch 26 on it changes beta at most every eleven epochs, by steps of a .05, on the released spectra."""
    literal = EXPERIMENTS["dynamic-beta-insects-literal"]
    method = literal.method
    assert (literal.dataset, literal.outliers) == ("wingbeat-simulated", None)
    assert method.controller_of("beta") is dynamic(a=0.05, since_change=True, interval=11)
    assert method.controller_of("supervision") is two_level(literal=True)
    assert method.compactness == "sum"
    assert (literal.network, literal.training, literal.arms) == (
        EXPERIMENT.network, EXPERIMENT.training, EXPERIMENT.arms,
    )  # fmt: skip
