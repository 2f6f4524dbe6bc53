"""The dynamic beta-VAE on optical insect events, beside other ways to weigh the KL term.

    vaeclust run dynamic-beta-insects --seeds 5
    vaeclust run dynamic-beta-insects-literal --seeds 5

Source: Rydhmer and Selvan, Dynamic beta VAEs for quantifying biodiversity by clustering optically recorded insect
signals, 2021. Network, losses, batch size and optimiser are the source's, and so is the rule of beta with all its
numbers; weights start as PyTorch's do, and 1000 epochs are those of its released code. The source's recordings are
private: the events are simulated (`vaeclust_jax.data.wingbeat`), or `--dataset wingbeat-simulated`, the spectra
released with its code. Every method is k-means on the two latents of the same VAE, or a mixture of Gaussians where its
name says so. Labels are read for scoring, and a part of them by the training of the methods whose names say so.

The literal form has the setting that the released code has for its own spectra: steps up of 0.05, a change of beta at
most every eleven epochs, and for labelled rows the times and the sum of its clustering loss.
"""

from dataclasses import replace

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import TrainingConfig
from vaeclust_jax.methods.mixture import VAEMixture
from vaeclust_jax.networks import TorchStartMLP
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged, with_beta

_HIDDEN, _DECODER_HIDDEN = (128, 128, 64, 32, 16, 8, 4), (4, 8, 16, 32, 32, 64, 128, 128)
_METHOD = VAEMixture(5, likelihood="squared", beta="dynamic", pretrain_epochs=1000)

EXPERIMENT = Experiment(
    name="dynamic-beta-insects",
    summary="dynamic beta against fixed, warmed-up and cyclic beta on simulated insect spectra, 1000 epochs",
    dataset="wingbeat",
    arms={
        "dynamic-beta": Arm(unchanged, "kmeans"),
        "dynamic-beta, mixture": Arm(unchanged, "mixture"),
        **{f"dynamic-beta, {share:.0%} labelled": Arm(unchanged, "kmeans", share) for share in (0.01, 0.05, 0.1)},
        "warm-up": Arm(with_beta("linear:num_epochs=100"), "kmeans"),
        "cyclic": Arm(with_beta("cyclic"), "kmeans"),
        "beta-1": Arm(with_beta(1.0), "kmeans"),
    },
    prepare=PrepareConfig(scaling="minmax-row"),
    network=TorchStartMLP(latent_dim=2, hidden=_HIDDEN, decoder_hidden=_DECODER_HIDDEN),
    method=_METHOD,
    training=TrainingConfig(batch_size=256, patience=1000),
    outliers="wingbeat-strangers",
    # Not spectral clustering: where one latent is off the codes lie on a line, whose eigenvectors take minutes a seed.
    shallow=("k-means", "pca-gmm", "ward", "average linkage", "PCA(2) + k-means", "UMAP + HDBSCAN"),
)

LITERAL = replace(
    EXPERIMENT,
    name="dynamic-beta-insects-literal",
    summary="dynamic-beta-insects as the source's code runs it on the spectra released with it, 1000 epochs",
    dataset="wingbeat-simulated",
    method=replace(
        _METHOD,
        beta="dynamic:a=0.05,since_change=true,interval=11",
        supervision="two-level:literal=true",
        compactness="sum",
    ),
    outliers=None,
)
