"""A judge of samples: a classifier of our own, trained on the labelled training rows and then frozen.

Its features take the place of Inception's: distances and shares on them say whether samples look like the data to
something that tells the classes apart. They compare with each other, and with no figure of another network. The classes
that it sees in samples say which ones a generator left out.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from vaeclust_jax.data import Dataset, PrepareConfig
from vaeclust_jax.errors import InputWarning
from vaeclust_jax.fitting.config import Config, TrainingConfig
from vaeclust_jax.fitting.fit import fit
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.generation import SampleScores
from vaeclust_jax.keys import SAMPLES, key_of
from vaeclust_jax.methods.classifier import Classifier
from vaeclust_jax.metrics.generation import frechet_distance, precision_recall
from vaeclust_jax.networks import MLP, Conv, NetworkConfig

_FEATURES = 64
_BATCH, _STEPS, _EPOCHS = 64, 1500, (5, 200)
"""Rows a step, steps, and the bounds of the epochs that these make of the training rows."""
_OWN_KEY = 2
"""Folded into the key of samples: what drawing these folds in is 0 and 1."""
_FACTOR = 2.0
"""A class is covered whose share of the samples is within this factor of its share of the data."""
_LEAST_ROWS = 3
"""Of each class, in the training part."""


class Judge(NamedTuple):
    """The frozen classifier.

    Attributes:
        run: it.
        accuracy: on the held-out rows, which it did not see.
        share: (C,) what it takes the held-out rows for.
    """

    run: Run
    accuracy: float
    share: Float[np.ndarray, " c"]

    def features(self, x: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n f"]:
        """Its last hidden layer."""
        with _unlike_is_no_fault():
            return np.maximum(self.run.embed(x), 0.0)

    def classes(self, x: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, " c"]:
        """The share of each class, as it sees them."""
        with _unlike_is_no_fault():
            seen = self.run.predict(x)
        return np.bincount(seen, minlength=len(self.share)) / len(x)

    def score(self, real: Float[np.ndarray, "n ..."], samples: Float[np.ndarray, "m ..."]) -> SampleScores:
        """The scores of samples beside those of their values, which are left open.

        Args:
            real: held-out rows.
            samples: as many, prepared alike.
        """
        a, b = self.features(real), self.features(samples)
        precision, recall = precision_recall(a, b)
        share = self.classes(samples)
        return SampleScores(
            frechet=None, precision=None, recall=None,
            fid=frechet_distance(a, b), feature_precision=precision, feature_recall=recall,
            covered=float(covered(share, self.share).sum()), class_kl=kl_to_uniform(share),
        )  # fmt: skip


@contextmanager
def _unlike_is_no_fault() -> Iterator[None]:
    """That samples are unlike the data is what is measured."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        yield


def no_judge(dataset: Dataset, data: Prepared) -> str | None:
    """Why labelled data have no judge; None: they have one, or no labels."""
    if dataset.y is None:
        return None
    counts = np.bincount(np.asarray(dataset.y)[data.train_index], minlength=dataset.num_classes or 0)
    if len(counts) < 2:
        return "No classifier judges the samples: all labels are of one class."
    if counts.min() < _LEAST_ROWS:
        rare = str(counts.argmin()) if dataset.class_names is None else dataset.class_names[counts.argmin()]
        few = f"class {rare} has {counts.min()} training rows, and {_LEAST_ROWS} are needed"
        return f"No classifier judges the samples: {few}."
    return None


def judge_of(dataset: Dataset, data: Prepared, seed: int) -> Judge | None:
    """The judge of an experiment on a data set; None where labels are missing, or classes with too few rows.

    Labels of the training part alone are learned from. No generator sees the judge or a label.
    """
    if dataset.y is None or no_judge(dataset, data):
        return None
    y = np.asarray(dataset.y)
    train, held_out = y[data.train_index], data.validation_index
    counts = np.bincount(train)
    shape = data.preparation.output_shape
    epochs = int(np.clip(np.ceil(_STEPS * _BATCH / len(train)), *_EPOCHS))
    config = Config(
        Classifier(num_classes=len(counts), epochs=epochs),
        PrepareConfig(image_size=None, scaling="none", validation=0.0),
        _network(shape),
        TrainingConfig(batch_size=_BATCH),
    )
    run = fit(config, np.asarray(data.train), jax.random.fold_in(key_of(seed, SAMPLES), _OWN_KEY), partial_labels=train)
    x = np.asarray(data.rows[held_out])
    seen = run.predict(x)
    return Judge(run, float((seen == y[held_out]).mean()), np.bincount(seen, minlength=len(counts)) / len(x))


def covered(share: Float[np.ndarray, " c"], of_data: Float[np.ndarray, " c"]) -> np.ndarray:
    """Whether each class has a share of the samples within a factor of two of that of the data, (c,)."""
    return (share * _FACTOR >= of_data) & (share <= of_data * _FACTOR)


def kl_to_uniform(share: Float[np.ndarray, " c"]) -> float:
    """KL(share || uniform), nats: 0 for equal shares, log C for one class alone."""
    some = share[share > 0]
    return float((some * np.log(some * len(share))).sum())


def _network(shape: tuple[int, ...]) -> NetworkConfig:
    """A small CNN for images that can be halved twice, an MLP elsewhere."""
    if len(shape) == 3 and min(shape[:2]) >= 4:
        return Conv(latent_dim=_FEATURES, channels=(16, 32), kernels=(3, 3))
    return MLP(latent_dim=_FEATURES, hidden=(128,))
