"""`fit` on vectors and images, against formulas in NumPy and against itself."""

import dataclasses
from typing import Any

import jax
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import K, L, N, assert_same_bits, blobs, calling, config, student_t
from vaeclust_jax.fitting.fit import fit_stages


@pytest.fixture(params=["vectors", "images"])
def case(request: pytest.FixtureRequest) -> tuple[vc.Run, np.ndarray]:
    name = {"vectors": "fitted", "images": "fitted_images"}[request.param]
    return request.getfixturevalue(name), request.getfixturevalue(request.param)


def test_probabilities_are_the_student_t_of_the_embedding(case: tuple[vc.Run, np.ndarray]) -> None:
    run, x = case
    q = run.predict_proba(x)
    assert q.shape == (N, K)
    np.testing.assert_allclose(q, student_t(run.embed(x), np.asarray(run.params["centroids"])), atol=1e-5)
    np.testing.assert_allclose(q.sum(axis=1), 1, atol=1e-5)


def test_the_prediction_is_the_most_probable_cluster(case: tuple[vc.Run, np.ndarray]) -> None:
    run, x = case
    labels = run.predict(x)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, run.predict_proba(x).argmax(axis=1))


def test_predictions_do_not_depend_on_how_many_rows_are_passed_at_once(case: tuple[vc.Run, np.ndarray]) -> None:
    run, x = case
    q = run.predict_proba(x)
    one_by_one = np.concatenate([run.predict_proba(x[row : row + 1]) for row in range(12)])
    np.testing.assert_allclose(one_by_one, q[:12], atol=1e-5)
    many = np.concatenate([x] * 9)[:1025]  # two full chunks of 512 and one row
    np.testing.assert_allclose(run.predict_proba(many), np.concatenate([q] * 9)[:1025], atol=1e-5)


def test_embedding_and_reconstruction_have_the_shapes_of_latents_and_input(case: tuple[vc.Run, np.ndarray]) -> None:
    run, x = case
    assert run.embed(x).shape == (N, L)
    assert run.reconstruct(x).shape == run.prepare(x).shape == (N, *run.preparation.output_shape)


def test_reconstructed_pixels_lie_between_0_and_1(fitted_images: vc.Run, images: np.ndarray) -> None:
    answer = fitted_images.reconstruct(images)
    assert answer.min() >= 0
    assert answer.max() <= 1


@pytest.mark.long
def test_clusters_that_lie_apart_are_found(vectors: np.ndarray) -> None:
    run = vc.fit(config(pretrain_epochs=20, joint_epochs=6), vectors, jax.random.key(0))
    labels = run.predict(vectors)
    assert all(len(set(labels[blobs()[1] == k])) == 1 for k in range(K))
    assert len(set(labels)) == K


def test_the_same_key_gives_the_same_bits_and_another_key_others(vectors: np.ndarray, fitted: vc.Run) -> None:
    assert_same_bits(vc.fit(config(), vectors, jax.random.key(3)), fitted)
    other = vc.fit(config(), vectors, jax.random.key(4))
    assert (np.asarray(other.params["centroids"]) != np.asarray(fitted.params["centroids"])).all()
    assert other.history != fitted.history


def test_one_seed_of_fit_seeds_is_fit_with_that_key_bit_for_bit(vectors: np.ndarray, fitted: vc.Run) -> None:
    (run,) = vc.fit_seeds(config(), vectors, [3])
    renamed = dataclasses.replace(run, history=[{**row, "seed": 0} for row in run.history])
    assert {row["seed"] for row in run.history} == {3}
    assert_same_bits(renamed, fitted)


def test_seeds_come_back_in_their_order_and_differ(vectors: np.ndarray, three_seeds: list[vc.Run]) -> None:
    assert [{row["seed"] for row in run.history} for run in three_seeds] == [{0}, {1}, {2}]
    for seed, run in enumerate(three_seeds):
        alone = vc.fit(config(), vectors, jax.random.key(seed))
        np.testing.assert_allclose(run.embed(vectors), alone.embed(vectors), atol=1e-3)
    first, second, third = (run.embed(vectors) for run in three_seeds)
    assert min(np.abs(a - b).max() for a, b in ((first, second), (first, third), (second, third))) > 0.05


def test_seeds_share_the_split(three_seeds: list[vc.Run]) -> None:
    for run in three_seeds[1:]:
        np.testing.assert_array_equal(run.train_index, three_seeds[0].train_index)
    both = np.concatenate([three_seeds[0].train_index, three_seeds[0].validation_index])
    np.testing.assert_array_equal(np.sort(both), np.arange(N))
    assert len(three_seeds[0].validation_index) == N // 5


def test_without_a_joint_stage_the_clusters_are_those_of_k_means(vectors: np.ndarray) -> None:
    run = vc.fit(config(joint_epochs=0), vectors, jax.random.key(3))
    z, centroids = run.embed(vectors).astype(np.float64), np.asarray(run.params["centroids"], np.float64)
    nearest = ((z[:, None] - centroids) ** 2).sum(axis=-1).argmin(axis=1)
    np.testing.assert_array_equal(run.predict(vectors), nearest)
    # Lloyd's fixed point: every centroid is the mean of the training latents nearest to it.
    latents, owner = z[run.train_index], nearest[run.train_index]
    means = np.stack([latents[owner == k].mean(axis=0) for k in range(K)])
    np.testing.assert_allclose(centroids, means, atol=1e-4)
    assert {row["stage"] for row in run.history} == {"vae"}


def test_fit_stages_keeps_k_means_and_the_joint_stage(vectors: np.ndarray, fitted: vc.Run) -> None:
    stages = fit_stages(config(), vectors, [3])
    assert list(stages) == ["kmeans", "joint"]
    np.testing.assert_array_equal(stages["joint"][0].params["centroids"], fitted.params["centroids"])
    alone = vc.fit(config(joint_epochs=0), vectors, jax.random.key(3))
    np.testing.assert_array_equal(stages["kmeans"][0].params["centroids"], alone.params["centroids"])
    assert (np.asarray(alone.params["centroids"]) != np.asarray(fitted.params["centroids"])).any()


def test_history_and_on_epoch_have_a_row_an_epoch(vectors: np.ndarray) -> None:
    calls: list[list[dict[str, Any]]] = []
    run = vc.fit(config(joint_epochs=3), vectors, jax.random.key(0), callbacks=[calling(calls.append)])
    assert [len(rows) for rows in calls] == [1] * 5
    assert [row.pop("num_epochs") for rows in calls for row in rows] == [2, 2, 3, 3, 3]
    assert [row for rows in calls for row in rows] == run.history
    assert [(row["stage"], row["epoch"]) for row in run.history] == [
        ("vae", 1), ("vae", 2), ("joint", 1), ("joint", 2), ("joint", 3),
    ]  # fmt: skip
    joint = run.history[-1]
    assert joint["loss"] == pytest.approx(joint["reconstruction"] + joint["kl"] + 100 * joint["cluster"], rel=1e-4)


def test_offsets_and_scales_of_features_change_nothing(vectors: np.ndarray, fitted: vc.Run) -> None:
    scale = np.array([10, 1e12, 1e-6, 1e-20, 1], np.float64)
    offset = np.array([1e3, -1e13, 0, 1e-18, -7], np.float64)
    moved = vectors * scale + offset
    run = vc.fit(config(), moved, jax.random.key(3))
    np.testing.assert_allclose(run.prepare(moved), fitted.prepare(vectors), atol=1e-3)
    np.testing.assert_allclose(run.embed(moved), fitted.embed(vectors), atol=5e-3)
    assert run.config.method.likelihood == "gaussian"


def test_float64_vectors_far_from_zero_keep_their_differences(vectors: np.ndarray, fitted: vc.Run) -> None:
    """Times in seconds, positions in metres: 1e9 and more beside differences of 1."""
    moved = vectors.astype(np.float64) + 1e9
    run = vc.fit(config(), moved, jax.random.key(3))
    np.testing.assert_allclose(run.prepare(moved), fitted.prepare(vectors), atol=1e-3)


@pytest.mark.parametrize("kind", [np.float16, np.float64, list, "frame"])
def test_any_array_like_of_the_same_numbers_gives_the_same_bits(kind: Any) -> None:
    x = np.round(blobs()[0] * 8) / 8  # exact in float16

    class Frame:
        """What a data frame shares with an array."""

        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return x.astype(dtype or x.dtype)

    given = {list: x.tolist, "frame": Frame}.get(kind, lambda: x.astype(kind))()
    assert_same_bits(vc.fit(config(), given, jax.random.key(3)), vc.fit(config(), x, jax.random.key(3)))


def test_images_with_and_without_a_channel_axis_and_as_floats_are_the_same(
    images: np.ndarray, fitted_images: vc.Run
) -> None:
    q = fitted_images.predict_proba(images)
    np.testing.assert_array_equal(fitted_images.predict_proba(images[..., None]), q)
    np.testing.assert_allclose(fitted_images.predict_proba(images / 255), q, atol=1e-5)


def test_rows_held_out_change_neither_parameters_nor_preparation(vectors: np.ndarray) -> None:
    # One epoch: a longer VAE stage hands on its best epoch by validation loss, which held-out rows may choose.
    one_epoch = config(pretrain_epochs=1, patience=10)
    plain = vc.fit(one_epoch, vectors, jax.random.key(0))
    changed = vectors.copy()
    changed[plain.validation_index] = 3 * changed[plain.validation_index] + 5
    run = vc.fit(one_epoch, changed, jax.random.key(0))
    for path, leaf in jax.tree.leaves_with_path(plain.params):
        other = dict(jax.tree.leaves_with_path(run.params))[path]
        np.testing.assert_array_equal(leaf, other, err_msg=str(path))
    assert run.preparation.to_json() == plain.preparation.to_json()
    assert run.history[0]["val_loss"] != plain.history[0]["val_loss"]


def test_the_preparation_standardises_the_training_rows(vectors: np.ndarray, fitted: vc.Run) -> None:
    rows = vectors[fitted.train_index].astype(np.float64)
    expected = (vectors - rows.mean(axis=0)) / rows.std(axis=0)
    np.testing.assert_allclose(fitted.prepare(vectors), expected, atol=1e-5)


@pytest.mark.parametrize("labels", [np.arange(N), [0, 1], "anything"])
def test_split_labels_are_not_read_unless_the_split_is_stratified(
    vectors: np.ndarray, fitted: vc.Run, labels: Any
) -> None:
    assert_same_bits(vc.fit(config(), vectors, jax.random.key(3), split_labels=labels), fitted)


def test_a_stratified_split_keeps_class_proportions(vectors: np.ndarray) -> None:
    y = np.repeat(["a", "b"], [90, 30])
    run = vc.fit(config(stratify=True), vectors, jax.random.key(0), split_labels=y)
    assert [(y[run.validation_index] == name).sum() for name in "ab"] == [18, 6]


@pytest.mark.long
def test_all_rows_are_trained_on_without_validation_and_fewer_than_a_batch_will_do(vectors: np.ndarray) -> None:
    run = vc.fit(config(validation=0), vectors[:20], jax.random.key(0))
    np.testing.assert_array_equal(run.train_index, np.arange(20))
    assert len(run.validation_index) == 0
    assert len(run.history) == 4
    assert not any(name.startswith("val_") for name in run.history[0])
    assert run.predict(vectors).shape == (N,)


def test_as_many_clusters_as_samples_give_every_sample_its_own(vectors: np.ndarray) -> None:
    run = vc.fit(config(validation=0, joint_epochs=0), vectors[:K], jax.random.key(0))
    assert sorted(run.predict(vectors[:K])) == list(range(K))


def test_a_whole_number_stands_for_its_key() -> None:
    x, _ = blobs()
    assert_same_bits(vc.fit(config(), x, 5), vc.fit(config(), x, jax.random.key(5)))


@pytest.mark.parametrize(
    "settings",
    [
        config(),
        pytest.param(config(method="vade"), marks=pytest.mark.long),
        pytest.param(config(method="graph"), marks=pytest.mark.long),
    ],
    ids=lambda settings: type(settings.method).__name__,
)
def test_a_second_fit_of_a_config_compiles_nothing(settings: vc.Config) -> None:
    """What each fit compiles anew stays in memory: half a megabyte a fit, once."""
    compiled: list[str] = []

    def listen(event: str, seconds: float, **about: Any) -> None:
        compiled.extend([event] if event.endswith("backend_compile_duration") else [])

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        jax.clear_caches()
        vc.fit(settings, blobs()[0], 0)
        assert compiled
        compiled.clear()
        vc.fit(settings, blobs()[0], 1)
        assert compiled == []
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
