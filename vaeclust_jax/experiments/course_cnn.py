"""A convolutional classifier with batch norm and dropout on MNIST, and what each of its parts is worth.

    vaeclust run course-cnn --seeds 5                     # 55,000 rows trained on, 10,000 scored once
    vaeclust run course-cnn --quick                       # digits
    vaeclust run course-cnn-ablations --quick --seeds 5

The source's layers to the letter: convolutions 16 k4 s2 p2, 32 k4 s2 p1, 32 k3 s1 p1 and 64 k2 s1 without padding, each
with batch norm and ReLU, dropout .2, .4, .4 after the first three, dense 2304-100-10. It reports an accuracy of .990.
The source does not say optimiser, batch size and epochs: Adam 1e-3, 64 rows, at most 20 epochs, stopped by the loss of
5,000 held-out rows. Their labels also give the temperature of the probabilities.
"""

from dataclasses import replace

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.methods.classifier import Classifier
from vaeclust_jax.networks import CNN
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged, with_network

EXPERIMENT = Experiment(
    name="course-cnn",
    summary="CNN classifier with batch norm and dropout on MNIST, at most 20 epochs",
    dataset="mnist",
    arms={"cnn": Arm(unchanged)},
    prepare=PrepareConfig(validation=1 / 12),
    method=Classifier(epochs=20),
    network=CNN(latent_dim=100),
    quick=lambda experiment: replace(experiment, dataset="digits"),
)

ABLATIONS = replace(
    EXPERIMENT,
    name="course-cnn-ablations",
    summary="course-cnn without batch norm, without dropout, and with kernels of 3 or 5",
    arms={
        "cnn": Arm(unchanged),
        "no batch norm": Arm(lambda config: with_network(config, batch_norm=False)),
        "no dropout": Arm(lambda config: with_network(config, dropout=(0.0, 0.0, 0.0, 0.0))),
        "kernels of 3": Arm(lambda config: with_network(config, kernels=(3, 3, 3, 3), paddings=(1, 1, 1, 1))),
        "kernels of 5": Arm(lambda config: with_network(config, kernels=(5, 5, 5, 5), paddings=(2, 2, 2, 2))),
    },
)
