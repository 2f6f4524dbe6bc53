"""Every mistake of a person is one sentence, said before any training."""

from typing import Any

import jax
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import LINEAR, F, N, blobs, calling, config, squares
from vaeclust_jax.fitting import memory

KEY = jax.random.key(0)
VECTORS, IMAGES = blobs()[0], squares()[0]


def refused(*words: str, settings: Any = None, x: Any = VECTORS, key: Any = KEY, **keywords: Any) -> None:
    """`fit` raises an `InputError` of one short line with these words, before the first epoch."""
    epochs: list[Any] = []
    with pytest.raises(vc.InputError) as caught:
        vc.fit(settings or config(), x, key, callbacks=[calling(epochs.append)], **keywords)
    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message
    assert "\n" not in message
    assert len(message) < 400
    assert epochs == []


def with_value(x: np.ndarray, value: Any) -> np.ndarray:
    changed = x.astype(float)
    changed.reshape(-1)[7] = value
    return changed


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (with_value(VECTORS, np.nan), ["x must be finite", "1 NaN"]),
        (with_value(VECTORS, -np.inf), ["x must be finite", "infinite"]),
        (with_value(IMAGES / 255, np.nan), ["x must be finite"]),
        (with_value(IMAGES / 255, 1.5), ["to 1.5", "[0, 1]", "divide by 255"]),
        (with_value(IMAGES / 255, -0.5), ["from -0.5", "[0, 1]"]),
        (IMAGES.astype(int) * 100, ["integer pixels", "0..255"]),
        (VECTORS[:0], ["at least one sample", f"(0, {F})"]),
        (VECTORS[:, :0], ["at least one sample and one value"]),
        ([], ["x", "(0,)"]),
        (IMAGES[:, :1, :1], ["one pixel", "vectors"]),
        (VECTORS[0], ["vectors (n, F)", f"({F},)", "reshape it to (-1, 1)"]),
        (np.zeros((3, 8, 8, 3, 2)), ["images (n, H, W)", "(3, 8, 8, 3, 2)"]),
        (np.zeros((3, 3, 32, 32)), ["1 to 4 channels", "got 32", "end"]),
        (3.0, ["x", "()"]),
        (None, ["x", "object"]),
        (VECTORS.astype(object), ["x", "dtype object"]),
        (VECTORS.astype(complex), ["x", "dtype complex"]),
        (VECTORS.astype(str), ["x", "dtype <U"]),
        ("table.csv", ["x must be samples", "'table.csv'", "vaeclust_jax.data.load"]),
        ([[1.0, 2.0], [3.0]], ["x must hold samples of one shape"]),
        (np.ma.masked_greater(VECTORS, 1), ["x", "masked"]),
        (with_value(VECTORS, 1e300), ["x", "range of float32"]),
    ],
    ids=lambda value: None if not isinstance(value, list) else "-".join(map(str, value))[:40],
)
def test_data_that_cannot_be_used(x: Any, words: list[str]) -> None:
    refused(*words, x=x)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_clusters": 0}, ["num_clusters", "at least 1", "got 0"]),
        ({"num_clusters": N}, ["num_clusters", f"{N} clusters", "96 samples"]),
        ({"likelihood": "bernoulli"}, ["likelihood 'bernoulli'", "[0, 1]", "'gaussian'"]),
        ({"stratify": True}, ["stratify", "labels"]),
        ({"validation": 0.001}, ["validation=0.001", "no validation rows"]),
        ({"validation": 0.999}, ["validation=0.999", "no training rows"]),
        ({"network": "conv"}, ["network 'conv'", "images"]),
        ({"network": "custom"}, ["network 'custom'", "networks="]),
    ],
    ids=str,
)
def test_settings_that_do_not_fit_the_data(changes: dict[str, Any], words: list[str]) -> None:
    refused(*words, settings=config(**changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scaling": "standardise"}, ["scaling", "'standardise'", "vectors"]),
        ({"channels": (4,) * 7, "kernels": (3,) * 6}, ["channels and kernels"]),
    ],
    ids=str,
)
def test_settings_that_do_not_fit_images(changes: dict[str, Any], words: list[str]) -> None:
    refused(*words, settings=config(**changes), x=IMAGES)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_clusters": 3.5}, ["num_clusters", "3.5"]),
        ({"num_clusters": "3"}, ["num_clusters", "'3'"]),
        ({"num_clusters": None}, ["num_clusters", "None"]),
        ({"batch_size": 2.5}, ["batch_size", "2.5"]),
        ({"pretrain_epochs": "2"}, ["pretrain_epochs", "'2'"]),
        ({"patience": None}, ["patience", "None"]),
        ({"learning_rate": "fast"}, ["learning_rate", "'fast'"]),
        ({"tolerance": None}, ["tolerance", "None"]),
        ({"beta": None}, ["beta", "None"]),
        ({"latent_dim": 2.5}, ["latent_dim", "2.5"]),
        ({"hidden": 16}, ["hidden", "16"]),
        ({"hidden": (16.5,)}, ["hidden", "16.5"]),
        ({"likelihood": "poisson"}, ["likelihood", "'poisson'", "gaussian"]),
        ({"q_from": "mode"}, ["q_from", "'mode'", "mean", "sample"]),
        ({"stopping": "never"}, ["stopping", "'never'", "Settled"]),
        ({"pretrain_epochs": 10**50}, ["pretrain_epochs must be below 2**31"]),
        ({"update_target_interval": 2**31}, ["update_target_interval must be below 2**31, got 2147483648"]),
        ({"batch_size": 10**300}, ["batch_size must be below 2**31", "1000"]),
        ({"hidden": (16, 10**30)}, ["hidden must be below 2**31, got (16, 1000"]),
        ({"latent_dim": np.array(2)}, ["latent_dim", "array(2)"]),
    ],
    ids=str,
)
def test_settings_of_another_type_or_unknown_name(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(vc.InputError) as caught:
        config(**changes)
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize(
    "changes",
    [{"validation": "a"}, {"split_seed": 1.5}, {"image_size": 8}, {"image_size": (8.5, 8)}],
    ids=str,
)
def test_settings_of_the_preparation_of_another_type(changes: dict[str, Any]) -> None:
    with pytest.raises(vc.InputError, match=f"^{next(iter(changes))}"):
        config(**changes)


def test_sizes_are_tuples() -> None:
    with pytest.raises(vc.InputError, match=r"hidden must be a tuple of whole numbers, got \[16\]"):
        config(hidden=[16])


@pytest.mark.parametrize("labels", [[0, 1], np.zeros((N, 2)), np.full(N, np.nan), [0.5] * N], ids=str)
def test_split_labels_that_cannot_be_used(labels: Any) -> None:
    refused("y ", settings=config(stratify=True), split_labels=labels)


def test_a_class_with_one_member_cannot_be_stratified() -> None:
    refused("stratify=True", "'1' has one", settings=config(stratify=True), split_labels=[1] + [0] * (N - 1))


def test_a_folder_in_place_of_a_checkpoint() -> None:
    refused("checkpoint must be Checkpoint(folder)", "'folder'", checkpoint="folder")


def test_a_method_in_place_of_a_config() -> None:
    refused("config must be a Config, such as Config(DEC(", "got DEC", settings=vc.DEC(3))


@pytest.mark.parametrize("key", [0.0, None, "seed", jax.random.split(KEY, 2)], ids=["0.0", "None", "seed", "two keys"])
def test_something_else_than_a_key(key: Any) -> None:
    refused("key", "jax.random.key", key=key)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range(seed: int) -> None:
    refused("key must be", f"got {seed}", key=seed)


@pytest.mark.parametrize(
    "seeds", [[], [0, 0], [-1], [2**32], [1.5], ["a"], 3, None], ids=str
)  # fmt: skip
def test_seeds_that_are_no_distinct_whole_numbers(seeds: Any) -> None:
    with pytest.raises(vc.InputError, match="seeds must be distinct whole numbers"):
        vc.fit_seeds(config(), VECTORS, seeds)


def test_a_number_of_seeds_in_place_of_seeds() -> None:
    with pytest.raises(vc.InputError, match=r"got 3: range\(3\) is 3 of them"):
        vc.fit_seeds(config(), VECTORS, 3)  # type: ignore[arg-type]


@pytest.mark.long
def test_more_seeds_than_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_memory", lambda num_devices: 10**4)
    vc.fit(config(pretrain_epochs=1), VECTORS, KEY)  # one model, Adam's moments too
    with pytest.raises(vc.InputError, match=r"training needs .* GB at least .* take fewer seeds"):
        vc.fit_seeds(config(), VECTORS, [0, 1, 2])


_ENCODER, _DECODER = LINEAR.encoder, LINEAR.decoder


def _narrow(params: Any, z: jax.Array) -> jax.Array:
    return _DECODER.apply(params, z)[:, :1]


@pytest.mark.parametrize(
    ("networks", "changes", "words"),
    [
        (LINEAR, {"latent_dim": 7}, ["encoder", "latent_dim", "7"]),
        (LINEAR._replace(decoder=_DECODER._replace(apply=_narrow)), {}, ["decoder", "1", f"{F}"]),
        (LINEAR._replace(encoder=_ENCODER._replace(apply=lambda p, x: x @ p["w"])), {}, ["encoder", "logvar"]),
        (LINEAR._replace(encoder=_ENCODER._replace(apply=lambda p, x: x[:, :3] @ p["w"])), {}, ["encoder"]),
        (3, {}, ["networks", "Networks"]),
        ([_ENCODER, _DECODER], {}, ["networks", "Networks"]),
    ],
    ids=["latent size", "decoder of one feature", "one output", "apply fails", "a number", "a list"],
)
def test_networks_that_do_not_fit(networks: Any, changes: dict[str, Any], words: list[str]) -> None:
    refused(*words, settings=config(**changes), networks=networks)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (VECTORS[:, :4], ["(5,)", "(4,)"]),
        (IMAGES, ["(5,)", "(8, 8, 1)"]),
        (VECTORS[0], ["vectors (n, F)", "(5,)"]),
        (VECTORS[:0], ["at least one sample"]),
        (VECTORS * np.nan, ["finite"]),
        (VECTORS.astype(object), ["dtype object"]),
    ],
    ids=["features", "images", "one row", "no rows", "NaN", "objects"],
)
@pytest.mark.parametrize("method", ["predict", "predict_proba", "embed", "reconstruct", "prepare"])
def test_prediction_input_that_the_model_cannot_take(fitted: vc.Run, method: str, x: Any, words: list[str]) -> None:
    with pytest.raises(vc.InputError) as caught:
        getattr(fitted, method)(x)
    assert [word for word in words if word not in str(caught.value)] == []


def test_images_of_another_size_or_with_colour_name_the_way_out(fitted_images: vc.Run) -> None:
    with pytest.raises(vc.InputError, match=r"\(8, 8, 1\).*got \(9, 8, 1\).*image_size"):
        fitted_images.predict(np.zeros((2, 9, 8), np.uint8))
    with pytest.raises(vc.InputError, match=r"got \(8, 8, 3\); bring them to .* channels, or train with grey set$"):
        fitted_images.predict(np.zeros((2, 8, 8, 3), np.uint8))
