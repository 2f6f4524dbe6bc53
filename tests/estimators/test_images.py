"""Images: with an axis for height and width, or as rows with `image_shape`."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

import vaeclust_jax as vc
from tests.estimators.conftest import MAKE

pytestmark = pytest.mark.long


def test_shapes(of_images: Any, images: np.ndarray) -> None:
    n = len(images)
    assert of_images.n_features_in_ == 64
    z = of_images.transform(images)
    assert z.shape == (n, 2)
    back = of_images.inverse_transform(z)
    assert back.shape == (n, 8, 8, 1)
    assert 0 <= back.min() <= back.max() <= 1
    assert of_images.sample(3, cluster=0).shape == (3, 8, 8, 1)
    assert of_images.labels_.shape == of_images.score_samples(images).shape == (n,)
    np.testing.assert_array_equal(of_images.predict(images), of_images.predict(images[..., None]))


def test_rows_with_an_image_shape_are_the_same_images(of_images: Any, images: np.ndarray) -> None:
    flat = clone(of_images).set_params(image_shape=(8, 8)).fit(images.reshape(-1, 64))
    np.testing.assert_array_equal(flat.labels_, of_images.labels_)
    np.testing.assert_array_equal(flat.transform(images.reshape(-1, 64)), of_images.transform(images))
    np.testing.assert_array_equal(flat.transform(images), of_images.transform(images))
    assert flat.inverse_transform(flat.transform(images)).shape == (len(images), 64)


def test_a_list_of_images_is_an_array_of_them(of_images: Any, images: np.ndarray) -> None:
    np.testing.assert_array_equal(of_images.transform([*images]), of_images.transform(images))


def test_an_image_shape_that_images_have_not_is_refused(images: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"image_shape is \(4, 16\), but X has images \(8, 8\): leave image_shape out"):
        MAKE["VAEDEC"](image_shape=(4, 16)).fit(images)


def test_floats_in_0_to_1_and_bytes_are_the_same(of_images: Any, images: np.ndarray) -> None:
    floats = (images / 255).astype(np.float32)
    np.testing.assert_array_equal(clone(of_images).fit_predict(floats), of_images.labels_)


def test_the_convolutional_network_in_a_pipeline(images: np.ndarray) -> None:
    conv = MAKE["VAEKMeans"](network="conv", image_shape=(8, 8), pretrain_epochs=1)
    pipeline = Pipeline([("scale", MinMaxScaler()), ("cluster", conv)])
    labels = pipeline.fit_predict(images.reshape(-1, 64).astype(float))
    assert labels.shape == (len(images),)
    assert isinstance(pipeline["cluster"]._packed.config.network, vc.Conv)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x[:, :7], "X has 56 features, but VAEDEC is expecting 64 features"),
        (lambda x: x[:, None, None], "Expected|dim"),
        (lambda x: x.reshape(len(x), 4, 16), "samples must have the shape"),
        (lambda x: x / 100.0, r"must lie in \[0, 1\]"),
        (lambda x: x[:0], "0 sample"),
        (lambda x: np.where(x > 100, np.nan, x), "NaN"),
    ],
)
def test_other_images_are_refused(of_images: Any, images: np.ndarray, change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        of_images.predict(change(images))
