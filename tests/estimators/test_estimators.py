"""What every estimator promises beyond scikit-learn's own checks."""

import pickle
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

import vaeclust_jax as vc
from tests.estimators.conftest import MAKE
from tests.fitting.made import calling
from vaeclust_jax.estimators import VAEDEC, VAEKMeans
from vaeclust_jax.estimators.base import _consecutive
from vaeclust_jax.fitting.serialisation import unpack


def test_shapes_and_dtypes(fitted: Any, x: np.ndarray) -> None:
    n = len(x)
    assert fitted.labels_.shape == (n,)
    assert fitted.labels_.dtype == np.int32
    assert fitted.cluster_centers_.shape == (3, 2)
    assert fitted.n_features_in_ == x.shape[1]
    np.testing.assert_array_equal(fitted.classes_, [0, 1, 2])
    assert fitted.n_iter_ == len(fitted.history_) > 0
    proba, z = fitted.predict_proba(x), fitted.transform(x)
    assert (proba.shape, proba.dtype, z.shape, z.dtype) == ((n, 3), np.float32, (n, 2), np.float32)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
    assert (fitted.inverse_transform(z).shape, fitted.inverse_transform(z).dtype) == (x.shape, np.float32)
    assert fitted.score_samples(x).shape == (n,)
    assert fitted.score(x) == pytest.approx(fitted.score_samples(x).mean())


def test_labels_are_predictions_and_the_same_call_gives_the_same_bits(fitted: Any, x: np.ndarray) -> None:
    np.testing.assert_array_equal(fitted.labels_, fitted.predict(x))
    np.testing.assert_array_equal(fitted.labels_, fitted.predict_proba(x).argmax(axis=1))
    again = clone(fitted)
    np.testing.assert_array_equal(again.fit_predict(x), fitted.labels_)
    np.testing.assert_array_equal(again.transform(x), fitted.transform(x))


def test_inertia_is_that_of_the_latents_and_is_kept(x: np.ndarray, tmp_path: Path) -> None:
    fitted = MAKE["VAEKMeans"]().fit(x)
    distances = cdist(fitted.transform(x), fitted.cluster_centers_, "sqeuclidean")
    assert fitted.inertia_ == pytest.approx(distances.min(axis=1).sum(), rel=1e-5)
    fitted.save(tmp_path / "model.vaeclust")
    assert VAEKMeans.load(tmp_path / "model.vaeclust").inertia_ == fitted.inertia_


def test_classes_are_known_after_a_fit_alone() -> None:
    with pytest.raises(NotFittedError):
        _ = MAKE["VAEKMeans"]().classes_


def test_y_is_not_read(fitted: Any, x: np.ndarray) -> None:
    class Unreadable:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"y.{name} was read")

        def __array__(self, *args: Any, **kwargs: Any) -> Any:
            raise AssertionError("y was read")

    with_y = clone(fitted).fit(x, Unreadable())
    np.testing.assert_array_equal(with_y.predict_proba(x), fitted.predict_proba(x))
    with_labels = clone(fitted).fit(x, np.arange(len(x)) % 3)
    np.testing.assert_array_equal(with_labels.predict_proba(x), fitted.predict_proba(x))


@pytest.mark.long
def test_partial_labels_are_read_by_the_semi_supervised_alone(x: np.ndarray) -> None:
    partial = np.where(np.arange(len(x)) % 4 == 0, np.arange(len(x)) % 3, -1)
    plain = MAKE["DynamicBetaVAE"]().fit(x)
    told = MAKE["DynamicBetaVAE"]().fit(x, partial_labels=partial)
    assert not np.array_equal(plain.transform(x), told.transform(x))
    with pytest.raises(ValueError, match="partial_labels must be a class from 0 or -1"):
        MAKE["DynamicBetaVAE"]().fit(x, partial_labels=["a"] * len(x))
    with pytest.raises(TypeError, match="partial_labels"):
        MAKE["VAEDEC"]().fit(x, partial_labels=partial)


@pytest.mark.long
def test_callbacks_are_told_of_the_fit_and_are_no_parameter(x: np.ndarray) -> None:
    epochs: list[Any] = []
    made = VAEKMeans(3, hidden=(16,), latent_dim=2, pretrain_epochs=2, n_init=2, random_state=0)
    pipeline = make_pipeline(made)
    labels = pipeline.fit_predict(x, vaekmeans__callbacks=[calling(epochs.append)])
    assert [[row["epoch"] for row in rows] for rows in epochs] == [[1, 1], [2, 2]]
    assert "callbacks" not in clone(made).get_params()
    np.testing.assert_array_equal(clone(made).fit_predict(x), labels)


def test_vectors_come_back_in_their_own_units(x: np.ndarray) -> None:
    far = x * [1, 10, 100, 1, 1] + [0, 0, 1000, 0, 5]
    fitted = MAKE["VAEKMeans"](pretrain_epochs=60, validation_fraction=0.0).fit(far)
    back = fitted.inverse_transform(fitted.transform(far))
    assert np.abs(back.mean(axis=0) - far.mean(axis=0)).max() < far.std(axis=0).max()
    np.testing.assert_allclose(back.mean(axis=0), far.mean(axis=0), atol=0.3 * far.std(axis=0).max())


def test_a_data_set_in_place_of_its_samples(fitted: Any, x: np.ndarray) -> None:
    with pytest.raises(ValueError, match="got a Dataset: pass its samples"):
        fitted.predict(vc.data.Dataset(x, None, "made"))


@pytest.mark.parametrize(
    ("z", "message"),
    [(np.zeros((3, 5)), r"codes \(n, 2\)"), (np.zeros(2), "2D array"), (np.full((3, 2), np.nan), "NaN")],
)
def test_what_are_no_latents_cannot_come_back(fitted: Any, z: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fitted.inverse_transform(z)


def test_the_table_of_uncertainty(fitted: Any, x: np.ndarray) -> None:
    table = fitted.uncertainty(x, n_passes=20)
    frame = pd.DataFrame(table)
    assert list(frame) == ["cluster", "probability", "entropy", "mutual_information", "latent_variance"]
    np.testing.assert_array_equal(table.cluster, fitted.predict(x))
    np.testing.assert_allclose(table.probability, fitted.predict_proba(x).max(axis=1))
    assert (table.entropy >= table.mutual_information - 1e-6).all()
    np.testing.assert_array_equal(table, fitted.uncertainty(x, n_passes=20))


def test_what_cannot_be_asked_is_said_by_its_name(fitted: Any, x: np.ndarray) -> None:
    with pytest.raises(vc.InputError, match=r"^n_samples must be a whole number"):
        fitted.sample(0)
    with pytest.raises(vc.InputError, match=r"^n_passes must be a whole number"):
        fitted.uncertainty(x, 1)


def test_samples_are_of_the_cluster_asked_for(fitted: Any, x: np.ndarray) -> None:
    assert fitted.sample().shape == (1, x.shape[1])
    drawn = fitted.sample(200, cluster=1)
    assert drawn.shape == (200, x.shape[1])
    with pytest.raises(ValueError, match="cluster must lie in 0 to 2"):
        fitted.sample(1, cluster=3)


@pytest.mark.long
def test_the_initialisation_with_the_best_objective_is_kept(x: np.ndarray) -> None:
    for name in ("VAEDEC", "VaDE", "VAEKMeans"):
        several = MAKE[name](n_init=3).fit(x)
        first = int(np.random.RandomState(0).randint(2**31 - 1))
        single = [MAKE[name]().fit(x).objective_]
        assert several.objective_ <= min(single) + 1e-3
        seeds = {row["seed"] for row in several.history_}
        assert seeds <= {first, first + 1, first + 2}
        assert len(seeds) == 1


@pytest.mark.long
def test_the_number_of_clusters_is_chosen_where_it_is_auto(x: np.ndarray, tmp_path: Path) -> None:
    estimator = MAKE["VAEKMeans"](n_clusters="auto", pretrain_epochs=60, learning_rate=1e-2, beta=0.1).fit(x)
    assert estimator.choice_["num_clusters"] == 3
    assert estimator.predict_proba(x).shape == (len(x), 3)
    assert set(estimator.labels_) == {0, 1, 2}
    assert estimator.n_clusters == "auto"
    estimator.save(tmp_path / "model.vaeclust")
    assert VAEKMeans.load(tmp_path / "model.vaeclust").choice_ == estimator.choice_
    assert not hasattr(estimator.set_params(n_clusters=2).fit(x), "choice_"), "nothing was chosen"


def test_empty_clusters_come_last(x: np.ndarray) -> None:
    run = vc.fit(
        vc.Config(vc.VAEKMeans(3, pretrain_epochs=1), network=vc.MLP(hidden=(16,), latent_dim=2)),
        x,
        jax.random.key(0),
    )
    packed = run.pack()
    labels = np.where(run.predict(x) == 0, 2, run.predict(x)).astype(np.int32)
    moved, consecutive = _consecutive(packed, labels)
    assert set(consecutive) == {0, 1}
    np.testing.assert_allclose(unpack(moved).predict_proba(x), run.predict_proba(x)[:, [1, 2, 0]], atol=1e-6)


@pytest.mark.long
def test_more_clusters_than_there_are_leave_no_label_out(x: np.ndarray) -> None:
    labels = MAKE["VAEDEC"](n_clusters=30, joint_epochs=20, gamma=3000.0).fit_predict(x)
    np.testing.assert_array_equal(np.unique(labels), np.arange(labels.max() + 1))


def test_what_lies_under_a_mask_is_not_read(x: np.ndarray) -> None:
    mask = np.arange(x.size).reshape(x.shape) == 7
    estimator = MAKE["VAEGraph"]()
    with pytest.raises(vc.InputError, match="X is a masked array with missing values"):
        estimator.fit(np.ma.masked_array(x, mask))
    for name in ("sample_weight", "partial_labels"):
        with pytest.raises(vc.InputError, match=f"{name} is a masked array with missing values"):
            estimator.fit(x, **{name: np.ma.masked_array(np.zeros(len(x), int), mask[:, 2])})


@pytest.mark.long
def test_parameters_may_be_numbers_of_numpy(x: np.ndarray, tmp_path: Path) -> None:
    estimator = MAKE["VAEKMeans"](hidden=[np.int64(8)], latent_dim=np.int32(2), learning_rate=np.float32(1e-3)).fit(x)
    estimator.save(tmp_path / "model")
    again = VAEKMeans.load(tmp_path / "model")
    assert again.get_params()["hidden"] == (8,)
    np.testing.assert_array_equal(again.transform(x), estimator.transform(x))


def test_what_is_kept_is_plain(fitted: Any, x: np.ndarray) -> None:
    before = pickle.dumps(fitted)
    fitted.predict(x)
    fitted.uncertainty(x[:5], 3)
    assert pickle.dumps(fitted) == before, "nothing is cached on self"
    assert b"jax._src" not in before


@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform", "score", "score_samples", "uncertainty"])
def test_before_fit(method: str, x: np.ndarray) -> None:
    with pytest.raises(NotFittedError):
        getattr(VAEDEC(), method)(x)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_clusters": 0}, "'n_clusters' parameter"),
        ({"latent_dim": 2.5}, "'latent_dim' parameter"),
        ({"network": "resnet"}, "'network' parameter"),
        ({"hidden": 16}, "'hidden' parameter"),
        ({"hidden": ()}, "hidden must name at least one width"),
        ({"learning_rate": 0.0}, "'learning_rate' parameter"),
        ({"gamma": -1.0}, "'gamma' parameter"),
        ({"validation_fraction": 1.0}, "'validation_fraction' parameter"),
        ({"n_init": 0}, "'n_init' parameter"),
        ({"n_init": 10**9}, "'n_init' parameter"),
        ({"latent_dim": 10**9}, r"training needs [\d,.]+ GB at least \([\d,.]+ GB a seed\)"),
        ({"random_state": "one"}, "'random_state' parameter"),
        ({"network": "conv"}, "network 'conv' needs images"),
        ({"likelihood": "bernoulli"}, "needs values in"),
        ({"image_shape": (2, 2)}, r"image_shape \(2, 2, 1\) has 4 values, but X has 5 features"),
        ({"image_shape": (1.0, 5.0)}, r"image_shape must be whole numbers, .* got \(1.0, 5.0\)"),
        ({"n_clusters": 100}, "^n_clusters must be at most the number of training samples"),
        ({"validation_fraction": 0.999}, "^validation_fraction=0.999 of .* rows leaves no training rows"),
    ],
    ids=str,
)
def test_a_parameter_that_cannot_be_used(parameters: dict[str, Any], message: str, x: np.ndarray) -> None:
    with pytest.raises(ValueError, match=message):
        MAKE["VAEDEC"](**parameters).fit(x)
