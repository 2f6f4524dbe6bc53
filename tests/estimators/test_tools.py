"""The tools that researchers put estimators into."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

import vaeclust_jax as vc
from tests.estimators.conftest import MAKE
from vaeclust_jax.estimators import VAEDEC, VAEKMeans
from vaeclust_jax.fitting.model_file import read_model, write_model


def test_clone_keeps_parameters_and_forgets_the_fit(fitted: Any) -> None:
    other = clone(fitted)
    assert other.get_params() == fitted.get_params()
    assert not hasattr(other, "labels_")


def test_joblib_after_predict(fitted: Any, x: np.ndarray, tmp_path: Path) -> None:
    expected = fitted.predict_proba(x)
    joblib.dump(fitted, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(loaded.predict_proba(x), expected)
    np.testing.assert_array_equal(loaded.labels_, fitted.labels_)


@pytest.mark.long
def test_a_grid_over_latent_sizes_is_judged_by_held_out_elbo(x: np.ndarray) -> None:
    search = GridSearchCV(MAKE["VAEKMeans"](pretrain_epochs=20), {"latent_dim": [1, 2]}, cv=2).fit(x)
    assert set(search.cv_results_["param_latent_dim"]) == {1, 2}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(x).shape == (len(x),)


@pytest.mark.parametrize("likelihood", ["auto", pytest.param("bernoulli", marks=pytest.mark.long)])
def test_a_pipeline(x: np.ndarray, likelihood: str) -> None:
    pipeline = Pipeline([("scale", MinMaxScaler(clip=True)), ("cluster", MAKE["VAEDEC"](likelihood=likelihood))])
    labels = pipeline.fit_predict(x, np.arange(len(x)))
    np.testing.assert_array_equal(labels, pipeline.predict(x))
    assert pipeline.transform(x).shape == (len(x), 2)
    assert pipeline.inverse_transform(pipeline.transform(x)).shape == x.shape


@pytest.mark.long
def test_cross_validate(x: np.ndarray) -> None:
    scores = cross_validate(MAKE["VAEKMeans"](), x, np.arange(len(x)) % 3, cv=2, scoring=["adjusted_rand_score"])
    assert scores["test_adjusted_rand_score"].shape == (2,)


def test_frames_in_and_frames_out(x: np.ndarray) -> None:
    frame = pd.DataFrame(x, columns=list("abcde"))
    fitted = MAKE["VAEKMeans"]().set_output(transform="pandas").fit(frame)
    assert list(fitted.feature_names_in_) == list("abcde")
    assert list(fitted.transform(frame)) == ["vaekmeans0", "vaekmeans1"]
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(frame.rename(columns={"a": "z"}))


def test_polars_and_jax_arrays_are_read(x: np.ndarray) -> None:
    polars = pytest.importorskip("polars")
    expected = MAKE["VAEKMeans"]().fit(x.astype(np.float32))
    for other in (jnp.asarray(x), polars.DataFrame(x, schema=list("abcde"))):
        np.testing.assert_array_equal(MAKE["VAEKMeans"]().fit(other).labels_, expected.labels_)


def test_a_saved_estimator_comes_back(fitted: Any, x: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "model.vaeclust"
    fitted.save(path)
    loaded = type(fitted).load(path)
    assert loaded.get_params() == fitted.get_params()
    for name in ("labels_", "cluster_centers_", "history_", "n_iter_", "objective_", "n_features_in_"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(fitted, name))
    np.testing.assert_array_equal(loaded.predict_proba(x), fitted.predict_proba(x))
    np.testing.assert_array_equal(vc.load(path).predict(x), fitted.labels_)
    with pytest.raises(ValueError, match="X has 2 features"):
        loaded.predict(x[:, :2])


def test_a_file_of_another_estimator_is_named(fitted: Any, x: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "model.vaeclust"
    fitted.save(path)
    other = VAEDEC if not isinstance(fitted, VAEDEC) else VAEKMeans
    with pytest.raises(vc.InputError, match=f"holds {type(fitted).__name__}, not a {other.__name__}"):
        other.load(path)
    packed, extra = read_model(path)
    write_model(path, packed, {**extra, "class": "a\nb" * 1000})
    with pytest.raises(vc.InputError, match="holds a ba b") as raised:
        other.load(path)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300 + len(str(path))


def test_a_frame_keeps_its_names_in_a_file(x: np.ndarray, tmp_path: Path) -> None:
    frame = pd.DataFrame(x, columns=list("abcde"))
    MAKE["VAEKMeans"]().fit(frame).save(tmp_path / "model")
    assert list(VAEKMeans.load(tmp_path / "model").feature_names_in_) == list("abcde")


def test_a_column_of_a_frame_that_is_no_number_is_named() -> None:
    x = np.random.default_rng(0).normal(size=(20, 2))
    for odd in (pd.date_range("2020-01-01", periods=20), pd.Categorical(["red", "blue"] * 10)):
        frame = pd.DataFrame(x, columns=["a", "b"]).assign(odd=odd)
        with pytest.raises(ValueError, match="column 'odd' of the frame must hold numbers"):
            VAEDEC(2).fit(frame)
