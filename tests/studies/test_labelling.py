"""Told labels are a part of every class, and no other label reaches the training."""

from dataclasses import replace

import jax
import numpy as np
import pytest

import vaeclust_jax as vc
from vaeclust_jax.data import Dataset
from vaeclust_jax.errors import InputError
from vaeclust_jax.studies.labelling import all_labels, told_labels

Y = np.repeat(np.arange(3), [100, 40, 10])
X = np.random.default_rng(0).normal(size=(150, 6)).astype(np.float32) + 2 * np.eye(6)[Y].astype(np.float32)
CONFIG = vc.Config(
    vc.VAEKMeans(3, supervision=5.0, pretrain_epochs=15),
    network=vc.MLP(hidden=(16,), latent_dim=2),
    training=vc.TrainingConfig(batch_size=32, learning_rate=1e-2),
)


def test_a_part_of_every_class_is_told():
    told = told_labels(Dataset(X, Y, "made"), 0.1)
    assert np.bincount(told[told >= 0]).tolist() == [10, 4, 4]
    np.testing.assert_array_equal(told[told >= 0], Y[told >= 0])
    np.testing.assert_array_equal(told, told_labels(Dataset(X, Y, "made"), 0.1))


def test_without_labels_there_is_nothing_to_tell():
    with pytest.raises(InputError, match="needs labels, but there are none"):
        told_labels(Dataset(X, None, "made"), 0.1)


def test_minus_one_is_a_class_beside_one_alone() -> None:
    y = np.arange(6) % 2
    assert all_labels(Dataset(X[:6], y, "signs", class_names=("-1", "1")), vc.METHODS["classifier"]()) is y
    with pytest.raises(InputError, match=r"got -1 \(not known\) for 3 of 6 in made"):
        all_labels(Dataset(X[:6], y, "made", class_names=("-1", "0")), vc.METHODS["classifier"]())


@pytest.mark.long
def test_only_told_labels_of_training_rows_touch_training():
    told = told_labels(Dataset(X, Y, "made"), 0.3)
    first = vc.fit_seeds(CONFIG, X, [0, 1], partial_labels=told)
    held_out, train = first[0].validation_index, first[0].train_index
    assert (told[held_out] >= 0).any()

    def with_another(row: int) -> list[vc.Run]:
        changed = told.copy()
        changed[row] = (told[row] + 1) % 3
        return vc.fit_seeds(CONFIG, X, [0, 1], partial_labels=changed)

    for one, two in zip(first, with_another(held_out[told[held_out] >= 0][0]), strict=True):
        jax.tree.map(np.testing.assert_array_equal, one.params, two.params)
    of_train = with_another(train[told[train] == 0][0])
    assert not np.array_equal(of_train[0].params["centroids"], first[0].params["centroids"])


@pytest.mark.long
def test_told_classes_are_drawn_together():
    y = np.arange(150) % 3
    x = np.random.default_rng(1).normal(size=(150, 6)).astype(np.float32) + np.eye(6, dtype=np.float32)[y]
    told = told_labels(Dataset(x, y, "made"), 0.3)
    alone, helped = vc.fit_seeds(CONFIG, x, [0])[0], vc.fit_seeds(CONFIG, x, [0], partial_labels=told)[0]

    def spread(run: vc.Run) -> float:
        z, _ = run.posterior(x)
        within = np.mean([z[y == k].var(axis=0).sum() for k in range(3)])
        return within / z.var(axis=0).sum()

    assert spread(helped) < spread(alone)
    assert helped.history[-1]["compactness"] < helped.history[0]["compactness"]
    assert helped.history[0]["supervision"] == 5.0


@pytest.mark.long
def test_a_fit_with_every_row_twice_says_the_same_of_its_first_weights_in_the_mean_form_alone():
    told = told_labels(Dataset(X, Y, "made"), 0.1)
    twice = np.concatenate([X, X]), np.concatenate([told, told])
    prepare = vc.PrepareConfig(validation=0)

    def first(form: str, x: np.ndarray, labels: np.ndarray) -> float:
        method = vc.VAEKMeans(3, compactness=form, pretrain_epochs=1)
        training = vc.TrainingConfig(batch_size=256, learning_rate=1e-9)
        config = vc.Config(method, prepare, network=CONFIG.network, training=training)
        return vc.fit(config, x, 0, partial_labels=labels).history[0]["compactness"]

    once, again = ([first(form, *data) for form in ("mean", "sum")] for data in ((X, told), twice))
    assert again[0] == pytest.approx(once[0], rel=1e-3)
    assert again[1] == pytest.approx(2 * once[1], rel=1e-3)


def test_who_reads_known_classes() -> None:
    taking = {name for name, method in vc.METHODS.items() if method.takes_partial_labels}
    assert taking == {"kmeans", "dec", "graph", "vade", "mixture", "hopfield-clusters", "vae"}
    for method in (vc.InformationMax(3), vc.GAN(), vc.Hopfield()):
        with pytest.raises(InputError, match="takes no partial_labels: leave them out"):
            vc.fit(replace(CONFIG, method=method), X, 0, partial_labels=Y)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (np.full(150, -1), "at least two training rows, got none"),
        (np.where(np.arange(150) == 0, 0, -1), "two training rows of each class, got one of class 0|got none"),
        (Y[:-1], "for each of 150 rows"),
        (Y - 2, "got .* from -2"),
        (Y.astype(float), "must be a class from 0 or -1"),
        (np.ma.masked_array(Y, np.arange(150) > 50), "partial_labels is a masked array with missing values"),
    ],
)
def test_labels_that_cannot_be_used_are_one_sentence(labels, says):
    with pytest.raises(InputError, match=says):
        vc.fit_seeds(CONFIG, X, [0], partial_labels=labels)
