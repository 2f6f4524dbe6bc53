"""The methods of the table, all in one setting for all data sets: nothing in this file reads a label."""

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from benchmarks.quality.floors import FLOORS
from benchmarks.quality.peers import PEERS
from vaeclust_jax.data import Dataset, PrepareConfig, fit_preparation
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config, TrainingConfig, with_method
from vaeclust_jax.fitting.config_json import config_to_json
from vaeclust_jax.fitting.resolve import Preparations
from vaeclust_jax.methods.dec import DEC, GraphDEC
from vaeclust_jax.methods.greedy import GreedyStart
from vaeclust_jax.methods.information import InformationMax
from vaeclust_jax.methods.joint import Settled
from vaeclust_jax.methods.method import Method
from vaeclust_jax.methods.mixture import VAEMixture
from vaeclust_jax.methods.vade import EMStart, GraphStart, VaDE
from vaeclust_jax.networks import MLP
from vaeclust_jax.studies.assignments import Answer, answer, shallow_answers
from vaeclust_jax.studies.experiment import Arm, unchanged
from vaeclust_jax.studies.fit import Fits

PREPARE = PrepareConfig(image_size=(32, 32), validation=0.0)
NETWORK = MLP(latent_dim=10, hidden=(512, 256))
TRAINING = TrainingConfig(batch_size=256)

IN_WORDS = {
    "rows": "all are clustered, and all are scored",
    "clusters": "the documented number of classes",
    "images": "32 x 32 pixels; shallow methods see the same",
    "vectors": "standardised",
    "network": "an MLP with layers of 512 and 256, and ten latents",
    "reconstruction": "cross-entropy summed over pixels; Gaussian for vectors",
    "optimiser": "Adam with 1e-3, batches of 256",
    "epochs": "100 of the (variational) autoencoder alone, then at most 50 of the joint stage[^settled]",
    "weights": "beta 1, gamma 100",
    "covariances": "full in VAE + mixture, diagonal in VaDE",
    'autoencoder of DEC, IDEC and "VaDE, autoencoder first"': "deterministic, with beta 0",
    "greedy layers": "20 epochs each before the autoencoder's 100, a fifth of their input 0",
    "views, where a name has them, and in vaegraph": "the graphs of three VAEs choose for each data set whether "
    "images are moved (`choose_augment`)",
    "IMSAT": "100 epochs of its own, no autoencoder; weight 0.1, balance 4, radius 0.25",
    "UMAP + mixture": "20 neighbours, no least distance, K dimensions; full covariances, as in N2D",
    "UMAP + HDBSCAN": "30 neighbours, no least distance, two dimensions; noise is a cluster, K is not given",
    "Leiden": "modularity, 15 neighbours; K is not given",
    "EVoC": "its defaults and its own choice among its layers; noise is a cluster, K is not given",
    "N2D, DCN, DipDECK": "ClustPy 0.0.3 in PyTorch, squared error of standardised values, this table's layers, epochs "
    "and batches, else its defaults; N2D's UMAP is that of UMAP + mixture; DipDECK has five latents and is not given K",
    "graph of vaegraph, without views": "half is of the pixels or features themselves",
    'graph of "posterior alone"': "of codes only, as vaegraph's was before",
}
"""The setting as a table: what of it, and what it is."""


class Row(NamedTuple):
    """A row of the table: a deep method of ours and its stage, or the name of any other."""

    method: Method | None
    stage: str


_EPOCHS: dict[str, Any] = {"pretrain_epochs": 100, "joint_epochs": 50}
_MIXTURE = VAEMixture(10, beta=1.0, pretrain_epochs=_EPOCHS["pretrain_epochs"])
_IDEC = DEC(10, deterministic=True, beta=0.0, gamma=100.0, **_EPOCHS)
_GREEDY = GreedyStart(layer_epochs=20, noise=0.2)
_GRAPH = GraphDEC(10, beta=1.0, gamma=100.0, vote=False, stopping=Settled(), **_EPOCHS)

METHODS: dict[str, Row] = {
    "k-means": Row(None, "k-means"),
    "PCA + mixture": Row(None, "pca-gmm"),
    "Ward": Row(None, "ward"),
    "spectral": Row(None, "spectral"),
    "neighbour graph": Row(None, "graph"),
    "UMAP + mixture": Row(None, "umap-mixture"),
    "UMAP + HDBSCAN": Row(None, "UMAP + HDBSCAN"),
    "Leiden": Row(None, "leiden"),
    "EVoC": Row(None, "evoc"),
    "VAE + k-means": Row(_MIXTURE, "kmeans"),
    "VAE + mixture": Row(_MIXTURE, "mixture"),
    "DEC": Row(replace(_IDEC, joint_reconstruction=False), "joint"),
    "IDEC": Row(_IDEC, "joint"),
    "DEC, greedy layers": Row(replace(_IDEC, joint_reconstruction=False, start=_GREEDY), "joint"),
    "IDEC, greedy layers": Row(replace(_IDEC, start=_GREEDY), "joint"),
    "N2D": Row(None, "n2d"),
    "DCN": Row(None, "dcn"),
    "DipDECK": Row(None, "dipdeck"),
    "IMSAT": Row(InformationMax(10, epochs=_EPOCHS["pretrain_epochs"]), "imsat"),
    "VAE+DEC": Row(DEC(10, beta=1.0, gamma=100.0, **_EPOCHS), "joint"),
    "VaDE": Row(VaDE(10, beta=1.0, **_EPOCHS), "joint"),
    "VaDE, autoencoder first": Row(VaDE(10, beta=1.0, start=EMStart(deterministic=True), **_EPOCHS), "joint"),
    "VaDE, graph start": Row(VaDE(10, beta=1.0, start=GraphStart(), **_EPOCHS), "joint"),
    "VaDE, graph start, views": Row(VaDE(10, beta=1.0, start=GraphStart(), augment="auto", **_EPOCHS), "joint"),
    "vaegraph, posterior alone, without views": Row(replace(_GRAPH, value_share=0.0), "joint"),
    "vaegraph, posterior alone": Row(replace(_GRAPH, value_share=0.0, augment="auto"), "joint"),
    "vaegraph": Row(replace(_GRAPH, augment="auto"), "joint"),
}
"""K is that of the data set."""

_OTHERS = FLOORS | PEERS
_NEEDS = {"UMAP + HDBSCAN": ("umap",), **{name: other.needs for name, other in _OTHERS.items()}}


def is_floor(name: str) -> bool:
    """Whether a method has no network."""
    return METHODS[name].method is None and METHODS[name].stage not in PEERS


def missing(stage: str) -> list[str]:
    """Packages that a method of others needs, and that are not installed."""
    return [package for package in _NEEDS.get(stage, ()) if find_spec(package) is None]


def available() -> list[str]:
    """Names of the methods whose packages are installed."""
    return [name for name, row in METHODS.items() if row.method is not None or not missing(row.stage)]


def setting_of(name: str, num_clusters: int, quick: bool) -> Config | str:
    """All that a method's labels depend on besides data and seed: a config, or the name of a method of others."""
    row = METHODS[name]
    if row.method is None:
        return row.stage
    method = row.method.for_epochs(2) if quick else row.method
    return with_method(Config(method, PREPARE, NETWORK, TRAINING), num_clusters=num_clusters)


_LATER = {
    "method": {"compactness": "mean", "fitted_to": "mean", "start": {"kind": "RandomStart"}, "target": "auto"},
    "prepare": {"split": "random"},
}
"""Settings that rows were measured before, at the value that they had then, or that no row depends on."""


def as_text(setting: Config | str) -> str:
    """A setting as one comparable text."""
    if isinstance(setting, str):
        return setting
    record = config_to_json(setting)
    for section, later in _LATER.items():
        named = record[section].items()
        record[section] = {name: value for name, value in named if name not in later or later[name] != value}
    return json.dumps(record)


def together(names: Sequence[str], num_clusters: int, quick: bool) -> list[list[str]]:
    """Methods by what has to be fitted: stages of one training are asked for together."""
    groups: dict[Any, list[str]] = {}
    for name in names:
        groups.setdefault(setting_of(name, num_clusters, quick), []).append(name)
    return list(groups.values())


def prepare_of(x: np.ndarray) -> PrepareConfig:
    """The setting's preparation, without a size where the samples are vectors."""
    return PREPARE if x.ndim > 2 else replace(PREPARE, image_size=None)


def cluster(
    names: Sequence[str], x: np.ndarray, num_clusters: int, seed: int, quick: bool, augment: float = 0.0
) -> dict[str, Answer]:
    """What each method of one group says of all samples.

    Args:
        names: of `together`.
        x: raw samples.
        num_clusters: K.
        seed: of everything random.
        quick: two epochs a stage.
        augment: strength of views, of methods that leave it to be chosen.
    """
    setting = setting_of(names[0], num_clusters, quick)
    if isinstance(setting, str):
        pixels = fit_preparation(x, prepare_of(x)).apply(x).reshape(len(x), -1)
        if (packages := missing(setting)) != []:
            raise InputError(f"{names[0]} needs {' and '.join(packages)}: see the protocol in benchmarks/quality.md")
        if setting in _OTHERS:
            labels = _OTHERS[setting].cluster(pixels, num_clusters, seed)
            return {names[0]: Answer(labels, max(num_clusters, int(labels.max()) + 1))}
        return {names[0]: shallow_answers(setting, pixels, num_clusters, [seed])[0]}
    if getattr(setting.method, "augment", None) == "auto":
        setting = with_method(setting, augment=augment)
    setting = replace(setting, prepare=prepare_of(x))
    dataset = Dataset(x, None, "")
    fits = Fits(setting, dataset, [seed], Preparations(x))
    found = {}
    for name in names:
        arm = Arm(unchanged, METHODS[name].stage)
        fits.fit(arm, name, lambda name: None)
        found[name] = answer(fits.runs(arm)[0], fits.data(arm))
    return found
