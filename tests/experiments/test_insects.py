"""The insects' experiment is its source's: Rydhmer and Selvan 2021, and the code released with it."""

from itertools import pairwise

import jax

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
