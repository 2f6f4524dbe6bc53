"""A saved model gives the same predictions, in a new process too; a damaged one gives a sentence."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc
from vaeclust_jax.fitting.saving import config_from_json, seed_folder

LOAD = """
import sys
import numpy as np
import vaeclust_jax as vc
for number, folder in enumerate(sys.argv[1:]):
    run = vc.load(folder)
    x = np.load(f"{folder}-x.npy")
    np.savez(f"{folder}-answer.npz", q=run.predict_proba(x), z=run.embed(x), x_hat=run.reconstruct(x))
"""


@pytest.fixture(scope="module")
def saved(fitted: vc.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "vectors"
    fitted.save(folder)
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    """To be damaged."""
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def sentence(path: Path, **keywords: Any) -> str:
    with pytest.raises(vc.InputError) as caught:
        vc.load(path, **keywords)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


def test_a_new_process_predicts_the_same_bits(
    fitted: vc.Run, fitted_images: vc.Run, vectors: np.ndarray, images: np.ndarray, tmp_path: Path
) -> None:
    cases = {"vectors": (fitted, vectors), "images": (fitted_images, images)}
    for name, (run, x) in cases.items():
        run.save(tmp_path / name)
        np.save(tmp_path / f"{name}-x.npy", x)
    folders = [str(tmp_path / name) for name in cases]
    subprocess.run([sys.executable, "-c", LOAD, *folders], check=True, timeout=120)
    for name, (run, x) in cases.items():
        with np.load(tmp_path / f"{name}-answer.npz") as answer:
            np.testing.assert_array_equal(answer["q"], run.predict_proba(x))
            np.testing.assert_array_equal(answer["z"], run.embed(x))
            np.testing.assert_array_equal(answer["x_hat"], run.reconstruct(x))


def test_config_preparation_and_gaussians_come_back(saved: Path, fitted: vc.Run) -> None:
    run = vc.load(saved)
    assert run.config == fitted.config
    assert run.preparation.to_json() == fitted.preparation.to_json()
    np.testing.assert_array_equal(run.cluster_mean, fitted.cluster_mean)
    np.testing.assert_array_equal(run.cluster_scale, fitted.cluster_scale)
    assert (len(run.train_index), len(run.validation_index), run.history) == (0, 0, [])


def test_a_loaded_model_can_be_saved_again(saved: Path, tmp_path: Path, vectors: np.ndarray) -> None:
    vc.load(saved).save(tmp_path / "again")
    np.testing.assert_array_equal(
        vc.load(tmp_path / "again").predict_proba(vectors), vc.load(saved).predict_proba(vectors)
    )


def test_config_survives_json(fitted_images: vc.Run) -> None:
    text = json.dumps(dataclasses.asdict(fitted_images.config))
    assert config_from_json(json.loads(text)) == fitted_images.config


def test_a_run_folder_gives_its_first_seed_or_the_one_asked_for(
    three_seeds: list[vc.Run], vectors: np.ndarray, tmp_path: Path
) -> None:
    for seed, run in zip((10, 9, 2), three_seeds, strict=True):
        run.save(seed_folder(tmp_path, seed))
    for seed, run in ((None, three_seeds[2]), (10, three_seeds[0]), (9, three_seeds[1])):
        np.testing.assert_array_equal(vc.load(tmp_path, seed=seed).predict_proba(vectors), run.predict_proba(vectors))
    message = sentence(tmp_path, seed=3)
    assert "seed must be one of 2, 9, 10" in message
    assert "got 3" in message


@pytest.mark.parametrize(
    "make", [lambda path: None, Path.mkdir, Path.touch], ids=["nothing", "an empty folder", "a file"]
)
def test_a_path_without_a_model(tmp_path: Path, make: Any) -> None:
    path = tmp_path / "elsewhere"
    make(path)
    assert f"{path} holds no model" in sentence(path)


def test_saving_never_writes_over_anything(saved: Path, fitted: vc.Run, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in saved.rglob("*") if path.is_file()}
    with pytest.raises(vc.InputError, match=r"new or empty folder, got .*vectors"):
        fitted.save(saved)
    assert {path: path.read_bytes() for path in saved.rglob("*") if path.is_file()} == before
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(vc.InputError, match="cannot be written"):
            fitted.save(path)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_model_json_cut_short(copy: Path, share: float) -> None:
    text = (copy / "model.json").read_bytes()
    (copy / "model.json").write_bytes(text[: int(len(text) * share)])
    assert "model.json is damaged" in sentence(copy)


@pytest.mark.parametrize("text", ["null", "[]", "3", '"model"', "{}", '{"format": "new"}', "\udcff"], ids=ascii)
def test_a_model_json_of_something_else(copy: Path, text: str) -> None:
    (copy / "model.json").write_text(text, errors="surrogateescape")
    assert "model.json is damaged" in sentence(copy)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("config",), []),
        (("config", "network"), None),
        (("config", "network"), []),
        (("config", "network", "latent_dim"), "ten"),
        (("config", "network", "latent_dim"), 0),
        (("config", "network", "hidden"), []),
        (("config", "network", "input_mean"), None),
        (("config", "network", "colour"), "red"),
        (("config", "model", "likelihood"), "poisson"),
        (("config", "num_clusters"), None),
        (("config", "num_clusters"), -1),
        (("preparation", "output_shape"), ["a"]),
        (("preparation", "image_size"), []),
        (("preparation", "offset"), [1.0]),
    ],
    ids=str,
)
def test_a_model_json_with_a_wrong_entry(copy: Path, place: tuple[str, ...], value: Any) -> None:
    manifest = json.loads((copy / "model.json").read_text())
    *parents, last = place
    section = manifest
    for name in parents:
        section = section[name]
    section[last] = value
    (copy / "model.json").write_text(json.dumps(manifest))
    assert "damaged" in sentence(copy)


def test_a_newer_format_names_both_versions(copy: Path) -> None:
    manifest = json.loads((copy / "model.json").read_text())
    (copy / "model.json").write_text(json.dumps({**manifest, "format": 99, "vaeclust_jax": "77.0"}))
    message = sentence(copy)
    assert "77.0" in message
    assert "upgrade vaeclust_jax" in message


def test_missing_arrays(copy: Path) -> None:
    shutil.rmtree(copy / "arrays")
    assert "arrays is damaged or of another model" in sentence(copy)


def test_damaged_arrays(copy: Path) -> None:
    for file in (copy / "arrays" / "d").iterdir():
        file.write_bytes(file.read_bytes()[:10])
    assert "arrays is damaged or of another model" in sentence(copy)


@pytest.mark.parametrize("shape", [(4, 2), (3, 3)], ids=str)
def test_arrays_of_another_shape(fitted: vc.Run, tmp_path: Path, shape: tuple[int, int]) -> None:
    params = {**fitted.params, "centroids": jnp.zeros(shape)}
    dataclasses.replace(fitted, params=params).save(tmp_path / "other")
    assert "damaged or of another model" in sentence(tmp_path / "other")
