"""Studies of methods that do not cluster: what is measured, on which rows, and what labels may do."""

import csv
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

import vaeclust_jax as vc
from tests.fitting.made import blobs, squares
from vaeclust_jax.data import Dataset
from vaeclust_jax.experiments import experiment_of
from vaeclust_jax.folder import Table
from vaeclust_jax.folder.records.metrics_file import read_metrics
from vaeclust_jax.methods import registry
from vaeclust_jax.methods.gan import GAN
from vaeclust_jax.metrics.generation import frechet_distance, precision_recall
from vaeclust_jax.studies.classification import hold_back
from vaeclust_jax.studies.execute import execute, parts_of
from vaeclust_jax.studies.tasks import TASKS

SEEDS = (4, 9)
VALUES = ("frechet", "precision", "recall")


def carry_out(name: str, dataset: Dataset, folder: Path, epochs: int) -> tuple[dict[str, Any], list[Table]]:
    experiment = experiment_of(name)
    config = vc.Config(
        experiment.method.for_epochs(epochs),
        vc.PrepareConfig(image_size=None),
        vc.MLP(latent_dim=4, hidden=(16,)),
        vc.TrainingConfig(batch_size=16, learning_rate=0.01),
    )
    parts = parts_of(experiment, config, dataset)
    record, tables = execute(experiment, config, parts, SEEDS, folder, say=lambda line: None)
    assert read_metrics(folder / "metrics.json") == record
    return record.record(), tables


def of_blobs(order: Any = slice(None)) -> Dataset:
    x, y = blobs()
    return Dataset(x[order], y[order], "blobs", num_classes=3, class_names=("a", "b", "c"), source="made up")


@pytest.fixture(scope="module")
def classified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("classifier")
    return folder, carry_out("classifier", of_blobs(), folder, 20)[0]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Of data that are sorted by class, as files often are."""
    folder = tmp_path_factory.mktemp("gan")
    return folder, carry_out("gan", of_blobs(np.argsort(blobs()[1], kind="stable")), folder, 2)[0]


def test_a_classifier_is_scored_on_rows_that_nothing_else_saw(classified: tuple[Path, dict[str, Any]]) -> None:
    folder, record = classified
    fitted, test = hold_back(of_blobs())
    assert {row.tobytes() for row in fitted.x}.isdisjoint(row.tobytes() for row in test.x)
    for seed, row in zip(SEEDS, record["seeds"], strict=True):
        q = replace(vc.load(folder, seed=seed), temperature=1.0).predict_proba(test.x)
        assert row["accuracy"] == pytest.approx(accuracy_score(test.y, q.argmax(axis=1)))
        assert row["nll"] == pytest.approx(
            log_loss(test.y, q / q.sum(axis=1, keepdims=True, dtype=np.float64), labels=[0, 1, 2]), rel=1e-4, abs=1e-6
        )
    assert record["mean"]["accuracy"] == pytest.approx(np.mean([row["accuracy"] for row in record["seeds"]]))
    assert record["mean"]["accuracy"] > 0.9  # these clusters are far apart
    assert record["task"] == "classification"


def test_a_classifiers_answers_are_kept_row_by_row(classified: tuple[Path, dict[str, Any]]) -> None:
    folder, record = classified
    _, test = hold_back(of_blobs())
    with (folder / "assignments.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(SEEDS) * len(test.x)
    for seed, of_seed in zip(SEEDS, record["seeds"], strict=True):
        own = [row for row in rows if row["seed"] == str(seed)]
        assert np.mean([row["predicted"] == row["class"] for row in own]) == pytest.approx(of_seed["accuracy"])
    assert {path.stem for path in folder.glob("*.png")} == {"confusion", "loss_parts", "reliability"}


def test_labels_of_the_test_part_change_no_model(classified: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, record = classified
    dataset = of_blobs()
    _, test = hold_back(dataset)
    kept_back = {row.tobytes() for row in test.x}
    y = [(c + 1) % 3 if row.tobytes() in kept_back else c for row, c in zip(dataset.x, dataset.y, strict=True)]
    other, _ = carry_out("classifier", replace(dataset, y=np.array(y)), tmp_path, 20)
    name = Path("model") / "seed-4.vaeclust"
    assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()
    assert other["mean"]["accuracy"] < 0.1 < record["mean"]["accuracy"]


def test_samples_are_scored_against_rows_that_training_never_saw(generated: tuple[Path, dict[str, Any]]) -> None:
    folder, record = generated
    x = of_blobs(np.argsort(blobs()[1], kind="stable")).x
    model = vc.load(folder, seed=SEEDS[0])
    train, held_out = vc.data.split_rows(len(x), model.config.prepare)
    real = model.prepare(x[held_out])
    samples = model.sample(vc.keys.key_of(SEEDS[0], vc.keys.SAMPLES), len(held_out))
    found = record["seeds"][0]
    assert found["frechet"] == pytest.approx(frechet_distance(real, samples), rel=1e-4)
    assert (found["precision"], found["recall"]) == pytest.approx(precision_recall(real, samples))
    assert record["task"] == "generation"
    assert not (folder / "assignments.csv").exists()
    assert len(train) + len(held_out) == len(x)


def test_the_floor_is_of_rows_from_all_over_the_training_part(generated: tuple[Path, dict[str, Any]]) -> None:
    """Of sorted data, the first rows would be of one class: a third of the recall, and a bad generator passes."""
    _, record = generated
    assert record["floor"]["recall"] > 0.6
    assert record["floor"]["frechet"] < 2 < record["mean"]["frechet"]


def test_a_generator_that_collapsed_is_warned_of(generated: tuple[Path, dict[str, Any]]) -> None:
    _, record = generated
    few = [row for row in record["seeds"] if row["recall"] < 0.05]
    assert few, "two epochs are next to nothing"
    said = [f"The samples of gan cover {row['recall']:.1%} of the data with seed {row['seed']}: it has" for row in few]
    assert [one[: len(sentence)] for one, sentence in zip(record["warnings"], said, strict=False)] == said


def test_no_label_reaches_a_generator(generated: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, record = generated
    dataset = replace(of_blobs(np.argsort(blobs()[1], kind="stable")), y=None, class_names=None)
    other, _ = carry_out("gan", dataset, tmp_path, 2)
    for one, same in zip(record["seeds"], other["seeds"], strict=True):
        assert [one[name] for name in VALUES] == [same[name] for name in VALUES]
        assert "fid" in one
        assert "fid" not in same, "without labels there is no judge"
    assert other["protocol"]["labels_used_for"] == "nothing"
    assert record["protocol"]["labels_used_for"].endswith("no generator reads one")
    for name in ("model/seed-4.vaeclust", "history.csv"):
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.long
def test_images_are_generated_and_drawn(tmp_path: Path) -> None:
    x, y = squares()
    carry_out("gan", Dataset(x[..., None], y, "tiny", num_classes=3, source="made up"), tmp_path, 1)
    assert {path.stem for path in tmp_path.glob("*.png")} == {"classes", "loss_parts_gan", "nearest_gan", "samples_gan"}
    samples = vc.load(tmp_path).sample(vc.keys.key_of(0, vc.keys.SAMPLES), 3)
    assert samples.shape == (3, 8, 8, 1)
    assert (samples >= 0).all()
    assert (samples <= 1).all()


def test_samples_without_held_out_rows_are_refused_before_training(tmp_path: Path) -> None:
    experiment = experiment_of("gan")
    config = vc.Config(experiment.method.for_epochs(1), vc.PrepareConfig(validation=0.0), vc.MLP(hidden=(4,)))
    dataset = of_blobs()
    with pytest.raises(vc.InputError, match="at least 8, got 0: give more rows, or hold out a larger share"):
        execute(experiment, config, parts_of(experiment, config, dataset), [0], tmp_path, say=lambda line: None)
    assert not list(tmp_path.iterdir())


# Methods of one's own that no task can be asked of -----------------------------------------------------


@dataclass(frozen=True)
class Headless(vc.VAEKMeans):
    """It has clusters, and does not say which sample is in which."""

    def heads(self, networks: vc.Networks) -> vc.Heads:
        return super().heads(networks)._replace(assign=None)


@dataclass(frozen=True)
class Mute(GAN):
    """It generates nothing."""

    def heads(self, networks: vc.Networks) -> vc.Heads:
        return vc.Heads()


@dataclass(frozen=True)
class Unfinished(vc.VAEKMeans):
    """Its stages end without a model."""

    def stages(self, about: vc.About) -> list[vc.Stage]:
        return super().stages(about)[:1]


@dataclass(frozen=True)
class Odd(vc.VAEKMeans):
    """Its task is nobody's."""

    task: ClassVar[str] = "juggling"


@dataclass(frozen=True)
class Wide(vc.VAEKMeans):
    """It has a setting that the command cannot know."""

    width: int = field(kw_only=True)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (Headless, "Headless.heads must have 'assign', which the task clustering asks for"),
        (Mute, "Mute.heads must have 'sample or decode', which the task generation asks for"),
        (Unfinished, "no stage of the method Unfinished ends with a model: the last one must"),
        (Odd, f"Odd.task must be one of {', '.join(TASKS)}, got 'juggling'"),
        (Wide, "the method 'wide' needs a default for width, with which the command can begin"),
    ],
)
def test_a_method_that_a_task_cannot_ask_is_refused_before_training(
    kind: type[vc.Method], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = kind.__name__.lower()
    monkeypatch.setitem(registry.METHODS, name, kind)
    registry.all_methods.cache_clear()
    try:
        with pytest.raises(vc.InputError, match=re.escape(sentence)):
            carry_out(name, of_blobs(), tmp_path, 1)
    finally:
        monkeypatch.undo()
        registry.all_methods.cache_clear()
    assert not list(tmp_path.iterdir())
