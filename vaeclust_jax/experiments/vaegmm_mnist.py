"""An MLP-VAE, a Gaussian mixture on its latents, and the mixture as a classifier of MNIST, in two forms.

    vaeclust run vaegmm-mnist                          # 60,000 rows clustered, 10,000 classified
    vaeclust run vaegmm-mnist --dataset mnist-test     # the quick form
    vaeclust run vaegmm-mnist-literal                  # the source's network and mixture, beside linear heads

Encoder 784-392-196-98, eight latents, Adam 5e-4, batch 32, 100 epochs, cross-entropy + 3 KL, full covariances: all as
the source has it. It prints no figures. The literal form has the layer from 784 to 784 that the source lists, a ReLU on
the mean, on sigma and on the pixels, and a mixture that is fitted to draws of the codes.

A sixth of the rows is held out: its VAE loss stops the training, and its labels name the clusters. No label touches the
clustering. The test part is the published one (of other data sets a random seventh), which nothing else sees.
"""

from dataclasses import replace

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import Config, TrainingConfig
from vaeclust_jax.methods.mixture import VAEMixture
from vaeclust_jax.networks import MLP, ReluHeadsMLP
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged


def _linear(config: Config) -> Config:
    return replace(config, network=MLP(**vars(config.network)))


EXPERIMENT = Experiment(
    name="vaegmm-mnist",
    summary="MLP-VAE + Gaussian mixture on MNIST, its clusters named by labels and used as a classifier, 100 epochs",
    dataset="mnist",
    arms={
        "vaegmm": Arm(unchanged, "mixture"),
        "vae-kmeans": Arm(unchanged, "kmeans"),
    },
    prepare=PrepareConfig(validation=1 / 6),
    network=MLP(latent_dim=8, hidden=(392, 196, 98)),
    method=VAEMixture(10, beta=3.0, pretrain_epochs=100),
    training=TrainingConfig(batch_size=32, learning_rate=5e-4),
    classifies=True,
)

LITERAL = replace(
    EXPERIMENT,
    name="vaegmm-mnist-literal",
    summary="vaegmm-mnist with the layers, ReLUs and mixture that its source prints, beside linear heads",
    arms={
        "vaegmm-relu": Arm(unchanged, "mixture"),
        "vaegmm": Arm(_linear, "mixture"),
        "vae-kmeans": Arm(_linear, "kmeans"),
    },
    network=ReluHeadsMLP(latent_dim=8, hidden=(784, 392, 196, 98), decoder_hidden=(98, 196, 392)),
    method=VAEMixture(10, beta=3.0, pretrain_epochs=100, fitted_to="sample"),
)
