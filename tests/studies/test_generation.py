"""The judge of samples, prior against codes, and VAEs and adversarial networks side by side."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import blobs, squares
from vaeclust_jax.data import Dataset
from vaeclust_jax.experiments import course_gan, course_vae
from vaeclust_jax.fitting.resolve import prepared_for
from vaeclust_jax.folder.records.generation import GenerationRecord
from vaeclust_jax.folder.records.metrics_file import read_metrics
from vaeclust_jax.metrics.generation import frechet_distance, nearest
from vaeclust_jax.studies.execute import execute, parts_of
from vaeclust_jax.studies.experiment import Arm, unchanged
from vaeclust_jax.studies.generation import _missing
from vaeclust_jax.studies.judge import covered, judge_of, kl_to_uniform, no_judge
from vaeclust_jax.studies.latent_prior import code_gaps, drawn_codes

X, Y = blobs()
DATASET = Dataset(X, Y, "blobs", num_classes=3, source="made up")
CONFIG = vc.Config(
    vc.METHODS["vae"](vc.METHODS["vae"]().prior, epochs=60),
    network=vc.MLP(latent_dim=2, hidden=(16,)),
    training=vc.TrainingConfig(batch_size=16, learning_rate=0.01),
)


def test_the_judge_learns_the_training_part_alone_and_sees_what_a_generator_leaves_out() -> None:
    data = prepared_for(CONFIG, X)
    y = Y.copy()
    y[data.validation_index] = (y[data.validation_index] + 1) % 3
    judge, misled = judge_of(DATASET, data, 0), judge_of(replace(DATASET, y=y), data, 0)
    assert judge is not None
    assert misled is not None
    assert judge.accuracy == 1
    assert misled.accuracy == 0, "labels of held-out rows reach it never"
    held_out = np.asarray(data.rows[data.validation_index])
    np.testing.assert_allclose(judge.share, np.bincount(Y[data.validation_index]) / len(held_out))
    train = np.asarray(data.train)
    whole, part = train[: len(held_out)], train[Y[data.train_index] != 2][: len(held_out)]
    good, bad = judge.score(held_out, whole), judge.score(held_out, part)
    assert good.covered == 3
    assert bad.covered is not None
    assert bad.covered < 3
    assert good.fid is not None
    assert bad.fid is not None
    assert bad.fid > 3 * good.fid
    a, b = (np.maximum(judge.run.embed(x), 0) for x in (held_out, part))
    assert bad.fid == pytest.approx(frechet_distance(a, b))


def test_there_is_no_judge_without_labels_or_with_one_class_alone() -> None:
    data = prepared_for(CONFIG, X)
    assert judge_of(replace(DATASET, y=None), data, 0) is None
    assert no_judge(replace(DATASET, y=None), data) is None, "nobody asked for one"
    alone = replace(DATASET, y=np.zeros(len(X), int), num_classes=1)
    assert judge_of(alone, data, 0) is None
    assert no_judge(alone, data) == "No classifier judges the samples: all labels are of one class."


def test_a_class_of_too_few_rows_is_named() -> None:
    data = prepared_for(CONFIG, X)
    y = np.zeros(len(X), int)
    y[data.train_index[:2]] = 1
    y[data.validation_index] = 1
    rare = replace(DATASET, y=y, num_classes=2, class_names=("cat", "dog"))
    assert judge_of(rare, data, 0) is None
    assert "class dog has 2 training rows, and 3 are needed" in (no_judge(rare, data) or "")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("cat", "dog", "owl"), "dog (1 of 2 seeds), owl (2 of 2 seeds)"),
        (None, "1 (1 of 2 seeds), 2 (2 of 2 seeds)"),
    ],
)
def test_classes_that_are_left_out_are_named_of_all_seeds(names: tuple[str, ...] | None, said: str) -> None:
    whole, first, second = (np.array(share) for share in ([0.4, 0.3, 0.3], [0.5, 0.49, 0.01], [1.0, 0.0, 0.0]))
    found = _missing({"gan": [first, second], "vae": [whole, whole]}, whole, names)
    assert found == [f"The judge sees next to no samples of class {said} from gan: it leaves them out."]


def test_that_samples_are_unlike_the_data_is_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    data = prepared_for(CONFIG, X)
    judge = judge_of(DATASET, data, 0)
    assert judge is not None
    held_out = np.asarray(data.rows[data.validation_index])
    recwarn.clear()
    judge.score(held_out, 1e3 * held_out)
    assert not recwarn.list


def test_coverage_and_divergence_are_those_of_the_definitions() -> None:
    share, of_data = np.array([0.1, 0.5, 0.4, 0.0]), np.array([0.2, 0.2, 0.4, 0.2])
    np.testing.assert_array_equal(covered(share, of_data), [True, False, True, False])
    assert kl_to_uniform(np.full(4, 0.25)) == pytest.approx(0)
    assert kl_to_uniform(np.eye(4)[0]) == pytest.approx(np.log(4))
    expected = sum(p * np.log(p * 4) for p in share if p)
    assert kl_to_uniform(share) == pytest.approx(expected)


def test_the_nearest_row_is_that_of_a_loop() -> None:
    generator = np.random.default_rng(0)
    samples, rows = generator.normal(size=(6, 3)), generator.normal(size=(9, 3))
    wanted = [min(range(9), key=lambda j: np.linalg.norm(one - rows[j])) for one in samples]
    np.testing.assert_array_equal(nearest(samples, rows), wanted)


@pytest.mark.long
def test_a_mixture_fitted_to_the_codes_lies_nearer_to_them_than_the_prior() -> None:
    from vaeclust_jax.fitting.fit import fit_stages

    data = prepared_for(CONFIG, X)
    small = replace(CONFIG, method=replace(CONFIG.method, prior=replace(CONFIG.method.prior, components=3), beta=0.1))
    stages = fit_stages(small, data, [0])
    assert list(stages) == ["vae", "mixture"]
    (of_prior,), (of_mixture,) = (code_gaps(stages[name], data, [0]) for name in stages)
    assert of_prior is not None
    assert of_mixture is not None
    assert of_mixture < 0.5 * of_prior
    both = drawn_codes(stages["vae"][0], data, 0)
    assert both is not None
    np.testing.assert_allclose(both[1].std(axis=0), 1, atol=0.5)
    samples = {name: runs[0].sample(0, 200) for name, runs in stages.items()}
    held_out = np.asarray(data.rows[data.validation_index])
    distances = {name: frechet_distance(held_out, of) for name, of in samples.items()}
    assert distances["mixture"] < distances["vae"]
    with pytest.raises(vc.InputError, match="the method VAE has no clusters to draw from"):
        stages["vae"][0].sample(0, 5, cluster=1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"beta": "never"}, "beta"),
        ({"prior": type(CONFIG.method.prior)(components=1000)}, "components must be at most 96, the training rows"),
    ],
)
def test_settings_of_a_vae_that_cannot_be_are_refused(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(vc.InputError, match=sentence):
        vc.fit(replace(CONFIG, method=replace(CONFIG.method, **change)), X, 0)


@pytest.mark.long
def test_all_generators_of_an_experiment_are_in_one_table(tmp_path: Path) -> None:
    x, y = squares(60)
    dataset = Dataset(x[..., None], y, "tiny", num_classes=3, source="made up")
    base = course_gan.EXPERIMENT
    kept = {name: base.arms[name] for name in ("gan", "gan, last weights")}
    vae = replace(CONFIG.method, epochs=2, prior=replace(CONFIG.method.prior, components=3))
    arms = {**kept, "vae": Arm(lambda config: replace(config, method=vae), "vae"), "vae + mixture": Arm(
        lambda config: replace(config, method=vae)
    )}  # fmt: skip
    experiment = replace(base, arms=arms, method=base.method.for_epochs(2))
    config = vc.Config(experiment.method, network=CONFIG.network, training=vc.TrainingConfig(batch_size=16))
    _, tables = execute(experiment, config, parts_of(experiment, config, dataset), [0], tmp_path, say=lambda line: None)
    record = read_metrics(tmp_path / "metrics.json")
    assert isinstance(record, GenerationRecord)
    assert [row[0] for row in tables[0].rows] == [*arms, "training rows (the floor)"]
    assert set(record.classes) == {*arms, "held-out rows"}
    assert record.results["gan"].mean.code_distance is None
    assert record.results["vae"].mean.code_distance is not None
    assert (tmp_path / "samples_gan_last_weights.png").exists()
    assert (tmp_path / "codes.png").exists()


def test_the_experiments_are_those_of_the_source_and_have_a_quick_form() -> None:
    vae, gan = course_vae.EXPERIMENT, course_gan.EXPERIMENT
    assert (vae.network.hidden, vae.network.latent_dim) == ((1024,), 300)
    for experiment in (vae, gan):
        assert experiment.dataset == "mnist"
        assert experiment.quick is not None
        assert experiment.quick(experiment).dataset == "digits"
    assert gan.arms["gan, last weights"] == Arm(unchanged, "gan")
