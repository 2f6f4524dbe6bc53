"""A saved model gives the same predictions, in a new process too; a damaged one gives a sentence."""

import dataclasses
import errno
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.campaigns.mutate import bytes_of
from vaeclust_jax.fitting.config_json import config_from_json, config_to_json
from vaeclust_jax.fitting.serialisation import seed_file

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
    path = tmp_path_factory.mktemp("models") / "vectors.vaeclust"
    fitted.save(path)
    return path


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    """To be damaged."""
    return Path(shutil.copy(saved, tmp_path / "copy.vaeclust"))


def contents(path: Path) -> dict[str, bytes]:
    """The entries of a model's file by name."""
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def rewrite(path: Path, entries: dict[str, bytes], **settings: Any) -> None:
    """A zip with checksums that are right, whatever the entries say."""
    with zipfile.ZipFile(path, "w", **settings) as file:
        for name, content in entries.items():
            file.writestr(name, content)


def manifest_of(path: Path) -> dict[str, Any]:
    return dict(json.loads(contents(path)["manifest.json"]))


def with_manifest(path: Path, manifest: Any) -> None:
    rewrite(path, contents(path) | {"manifest.json": json.dumps(manifest).encode()})


def sentence(path: Path, **keywords: Any) -> str:
    with pytest.raises(vc.InputError) as caught:
        vc.load(path, **keywords)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


@pytest.mark.long
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
    assert (len(run.train_index), len(run.validation_index)) == (0, 0)


def test_the_history_comes_back(saved: Path, copy: Path, fitted: vc.Run) -> None:
    assert vc.load(saved).history == fitted.history
    manifest = manifest_of(copy)
    del manifest["more"]["history"]  # as before it was kept
    with_manifest(copy, manifest)
    assert vc.load(copy).history == []


def test_the_temperature_comes_back(copy: Path, fitted: vc.Run, tmp_path: Path, vectors: np.ndarray) -> None:
    cooler = dataclasses.replace(fitted, temperature=0.5)
    cooler.save(tmp_path / "cooler")
    loaded = vc.load(tmp_path / "cooler")
    assert loaded.temperature == 0.5
    np.testing.assert_array_equal(loaded.predict_proba(vectors), cooler.predict_proba(vectors))
    manifest = manifest_of(copy)
    del manifest["more"]["temperature"]  # as before it was kept
    with_manifest(copy, manifest)
    assert vc.load(copy).temperature == 1


@pytest.mark.parametrize("temperature", [None, "1", True, 0, -1.0, 1e-3, 101, float("nan"), float("inf"), [1.0]])
def test_a_temperature_of_something_else(copy: Path, temperature: Any) -> None:
    manifest = manifest_of(copy)
    with_manifest(copy, {**manifest, "more": {"temperature": temperature}})
    assert "its temperature is no number from 0.01 to 100" in sentence(copy)


def test_of_a_long_history_the_end_is_kept(fitted: vc.Run, tmp_path: Path) -> None:
    many = [{**fitted.history[0], "epoch": number} for number in range(10_100)]
    dataclasses.replace(fitted, history=many).save(tmp_path / "long")
    assert vc.load(tmp_path / "long").history == many[100:]


ROW = {"seed": 0, "stage": "vae", "epoch": 1, "loss": 2.5}


@pytest.mark.parametrize(
    "history",
    [
        None,
        {"0": ROW},
        [ROW, 3],
        [{}],
        [{**ROW, "stage": 1}],
        [{**ROW, "epoch": "first"}],
        [{**ROW, "loss": [1.0]}],
        [{**ROW, **{f"part{number}": 0.0 for number in range(300)}}],
        [ROW] * 10_001,
    ],
    ids=lambda history: str(history)[:40],
)
def test_a_history_of_something_else(copy: Path, history: Any) -> None:
    manifest = manifest_of(copy)
    with_manifest(copy, {**manifest, "more": {"history": history}})
    assert "its history is no list of epochs" in sentence(copy)


def test_a_loaded_model_can_be_saved_again(saved: Path, fitted: vc.Run, tmp_path: Path, vectors: np.ndarray) -> None:
    vc.load(saved).save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == saved.read_bytes()
    np.testing.assert_array_equal(vc.load(saved).predict_proba(vectors), fitted.predict_proba(vectors))


def test_config_survives_json(fitted_images: vc.Run) -> None:
    text = json.dumps(config_to_json(fitted_images.config))
    assert config_from_json(json.loads(text)) == fitted_images.config


@pytest.mark.long
def test_settings_may_be_numbers_of_numpy(tmp_path: Path) -> None:
    side = np.int64(4)
    config = vc.Config(
        vc.VAEKMeans(np.arange(3).max(), beta=np.float32(0.5), pretrain_epochs=np.int32(1)),
        vc.PrepareConfig(image_size=(side, side), validation=np.float32(0.25)),
        vc.MLP(latent_dim=np.int16(2), hidden=(np.int64(8),)),
        vc.TrainingConfig(batch_size=np.int64(16), learning_rate=np.float32(1e-3)),
    )
    x = np.random.default_rng(0).uniform(size=(20, 8, 8))
    run = vc.fit(config, x, 0, checkpoint=vc.Checkpoint(tmp_path / "kept", every_epochs=1))
    run.save(tmp_path / "model")
    again = vc.load(tmp_path / "model")
    assert again.config == run.config
    np.testing.assert_array_equal(again.predict_proba(x), run.predict_proba(x))


def test_a_run_folder_gives_its_first_seed_or_the_one_asked_for(
    three_seeds: list[vc.Run], vectors: np.ndarray, tmp_path: Path
) -> None:
    for seed, run in zip((10, 9, 2), three_seeds, strict=True):
        run.save(seed_file(tmp_path, seed))
    for seed, run in ((None, three_seeds[2]), (10, three_seeds[0]), (9, three_seeds[1])):
        np.testing.assert_array_equal(vc.load(tmp_path, seed=seed).predict_proba(vectors), run.predict_proba(vectors))
    message = sentence(tmp_path, seed=3)
    assert "seed must be one of 2, 9, 10" in message
    assert "got 3" in message


def test_the_arrays_are_an_npz_that_numpy_reads_without_us(saved: Path, fitted: vc.Run) -> None:
    with np.load(saved, allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["params/centroids"], fitted.params["centroids"])
        np.testing.assert_array_equal(arrays["cluster_mean"], fitted.cluster_mean)
    manifest = manifest_of(saved)
    assert manifest["format"] == 4
    assert manifest["versions"]["jax"] == jax.__version__
    assert manifest["arrays"]["params/centroids"]["shape"] == [3, 2]


def test_a_save_replaces_a_file_of_that_name_whole(saved: Path, fitted: vc.Run, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "model"
    path.parent.mkdir(parents=True)
    path.write_text("older")
    fitted.save(path)
    assert path.read_bytes() == saved.read_bytes()
    assert list(path.parent.iterdir()) == [path], "no temporary file is left"


@pytest.mark.parametrize("place", ["folder", "file/below"])
def test_a_place_that_cannot_be_written_to(fitted: vc.Run, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    with pytest.raises(vc.InputError, match="cannot be written to"):
        fitted.save(tmp_path / place)
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_disk_that_is_full_leaves_the_older_file(
    saved: Path, fitted: vc.Run, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(vc.InputError, match=r"cannot be written to .*: No space left on device"):
        fitted.save(copy)
    assert copy.read_bytes() == saved.read_bytes()
    assert list(copy.parent.iterdir()) == [copy]


def test_a_method_that_no_package_lists_is_said_to_be_unreadable(fitted: vc.Run, tmp_path: Path) -> None:
    class Mine(vc.DEC):
        pass

    settings = {field.name: getattr(fitted.config.method, field.name) for field in dataclasses.fields(vc.DEC)}
    run = dataclasses.replace(fitted, config=dataclasses.replace(fitted.config, method=Mine(**settings)))
    with pytest.warns(vc.InputWarning, match="load finds the method Mine only as an entry point"):
        run.save(tmp_path / "mine.vaeclust")
    with pytest.raises(vc.InputError, match="no method 'Mine'"):
        vc.load(tmp_path / "mine.vaeclust")


def test_a_network_in_no_list_is_named(fitted: vc.Run, tmp_path: Path) -> None:
    class Mine(vc.MLP):
        pass

    network = Mine(**{field.name: getattr(fitted.config.network, field.name) for field in dataclasses.fields(vc.MLP)})
    run = dataclasses.replace(fitted, config=dataclasses.replace(fitted.config, network=network))
    with pytest.raises(vc.InputError, match="network Mine, which is in no list, cannot be saved: fit"):
        run.save(tmp_path / "mine.vaeclust")


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir], ids=["nothing", "an empty folder"])
def test_a_path_without_a_model(tmp_path: Path, make: Any) -> None:
    path = tmp_path / "elsewhere"
    make(path)
    assert f"{path} holds no model" in sentence(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 1000], ids=["empty", "two letters", "a thousand letters"])
def test_a_file_of_something_else(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert f"{tmp_path / 'file'} is damaged, or no model of vaeclust_jax" in sentence(tmp_path / "file")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_file_cut_short(copy: Path, share: float) -> None:
    content = copy.read_bytes()
    copy.write_bytes(content[: int(len(content) * share)])
    assert "is damaged" in sentence(copy)


@pytest.mark.parametrize("value", [None, [], 3, "model", {}, {"format": "new"}, {"format": 1}], ids=str)
def test_a_manifest_of_something_else(copy: Path, value: Any) -> None:
    with_manifest(copy, value)
    assert "is damaged" in sentence(copy)


def test_sizes_are_judged_before_anything_is_made(fitted_images: vc.Run, tmp_path: Path) -> None:
    path = tmp_path / "m.vaeclust"
    fitted_images.save(path)
    manifest = manifest_of(path)
    manifest["preparation"]["image_size"] = [40_000, 40_000]
    with_manifest(path, manifest)
    started = time.perf_counter()
    assert "damaged" in sentence(path)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("config",), []),
        (("config", "network"), None),
        (("config", "network"), []),
        (("config", "network", "latent_dim"), "ten"),
        (("config", "network", "latent_dim"), 0),
        (("config", "network", "latent_dim"), 10**9),
        (("config", "network", "hidden"), []),
        (("config", "network", "hidden"), [10**12]),
        (("config", "network", "hidden"), [4] * 10**5),
        (("config", "network", "input_mean"), None),
        (("config", "network", "colour"), "red"),
        (("config", "method", "likelihood"), "poisson"),
        (("config", "method", "kind"), "kmedoids"),
        (("config", "method", "kind"), None),
        (("config", "method", "stopping"), {"kind": "Never"}),
        (("config", "network", "kind"), "transformer"),
        (("config", "method", "num_clusters"), None),
        (("config", "method", "num_clusters"), -1),
        (("config", "method", "num_clusters"), 10**12),
        (("preparation", "input_shape"), [10**12]),
        (("preparation", "output_shape"), ["a"]),
        (("preparation", "output_shape"), [4]),
        (("preparation", "output_shape"), [10**5, 10**5, 1]),
        (("preparation", "image_size"), []),
        (("preparation", "offset"), [1.0]),
        (("preparation", "offset"), [1e305] * 5),
        (("preparation", "scale"), [0.0] * 5),
        (("preparation", "columns"), {"names": [7]}),
        (("preparation", "columns"), {"names": ["a"], "label": None, "left_out": [], "categories": {}, "means": {}}),
        (("preparation", "seen", "low"), [0.0]),
        (("preparation", "pictures"), {"intensity": [2, 1], "size": None, "sizes": "pad", "from_alpha": False}),
        (("preparation", "white"), 0),
        (("config", "network", "input_mean"), float("nan")),
        (("arrays", "params/centroids", "shape"), [10**12, 10**12]),
        (("arrays", "params/centroids", "sha256"), "0"),
        (("arrays", "params/other"), {}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_manifest_with_a_wrong_entry(copy: Path, place: tuple[str, ...], value: Any) -> None:
    manifest = manifest_of(copy)
    *parents, last = place
    section = manifest
    for name in parents:
        section = section[name]
    section[last] = value
    with_manifest(copy, manifest)
    assert "damaged" in sentence(copy)


def test_the_format_before_is_read(copy: Path, fitted: vc.Run) -> None:
    with_manifest(copy, {**manifest_of(copy), "format": 3})
    assert vc.load(copy).config == fitted.config


@pytest.mark.parametrize("number", [5, 99])
def test_a_newer_format_names_both_versions(copy: Path, number: int) -> None:
    with_manifest(copy, {**manifest_of(copy), "format": number, "versions": {"vaeclust_jax": "77.0\nb"}})
    message = sentence(copy)
    assert "77.0 b, in" in message, "in one line, whatever it says of itself"
    assert "upgrade vaeclust_jax" in message


def test_an_entry_that_would_unfold_is_refused(copy: Path) -> None:
    entries = contents(copy)
    rewrite(copy, entries | {"bomb": bytes(10**6)}, compression=zipfile.ZIP_DEFLATED)
    assert "is compressed" in sentence(copy)


def test_a_header_that_promises_more_than_there_is(copy: Path) -> None:
    entries, manifest = contents(copy), manifest_of(copy)
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"shape": (10**6, 10**6), "fortran_order": False, "descr": "<f4"})
    content = stream.getvalue()
    manifest["arrays"]["params/centroids"] = {
        "shape": [10**6, 10**6], "dtype": "float32", "sha256": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip
    rewrite(copy, entries | {"params/centroids.npy": content, "manifest.json": json.dumps(manifest).encode()})
    assert "is damaged" in sentence(copy)


def test_an_array_of_objects_is_not_unpickled(copy: Path) -> None:
    entries, manifest = contents(copy), manifest_of(copy)
    stream = io.BytesIO()
    np.save(stream, np.array([Path("boom")], object), allow_pickle=True)
    content = stream.getvalue()
    manifest["arrays"]["params/centroids"] = {
        "shape": [1], "dtype": "object", "sha256": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip
    rewrite(copy, entries | {"params/centroids.npy": content, "manifest.json": json.dumps(manifest).encode()})
    assert "an array is object" in sentence(copy)


@pytest.mark.parametrize("name", ["params/centroids.npy", "manifest.json"])
def test_a_missing_entry(copy: Path, name: str) -> None:
    entries = contents(copy)
    del entries[name]
    rewrite(copy, entries)
    assert "is damaged" in sentence(copy)


@pytest.mark.parametrize("shape", [(4, 2), (3, 3)], ids=str)
def test_arrays_of_another_shape(fitted: vc.Run, tmp_path: Path, shape: tuple[int, int]) -> None:
    params = {**fitted.params, "centroids": jnp.zeros(shape)}
    dataclasses.replace(fitted, params=params).save(tmp_path / "other")
    assert "its arrays are of another model: params/centroids must be ((3, 2), 'float32')" in sentence(
        tmp_path / "other"
    )


def test_parameters_that_a_file_cannot_name_or_hold(fitted: vc.Run, tmp_path: Path) -> None:
    alike = {**fitted.params, "a": {"b": jnp.zeros(1)}, "a/b": jnp.zeros(1)}
    with pytest.raises(vc.InputError, match="names must differ"):
        dataclasses.replace(fitted, params=alike).save(tmp_path / "model")
    with pytest.raises(vc.InputError, match="numbers of numpy's types to be saved, got bfloat16 for params/half"):
        dataclasses.replace(fitted, params={"half": jnp.zeros(1, jnp.bfloat16)}).save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


# Anything at all -------------------------------------------------------------------------------------


def loads_or_says_why(path: Path, content: bytes) -> None:
    """No other exception than ours, and a model that loads gives probabilities."""
    path.write_bytes(content)
    said = ""
    try:
        run = vc.load(path)
    except vc.InputError as error:
        said = str(error)
    else:
        assert run.config.num_clusters == 3
    assert "\n" not in said
    assert len(said) < 500


def with_another_value(rng: np.random.Generator, tree: Any) -> Any:
    """The JSON with one of its values replaced."""
    others = [None, True, -1, 0, 1, 3, 10**18, -1e308, 1e-300, "", "x", "bernoulli", [], [1], [[]], {}, {"a": 1}]
    if rng.random() < 0.15 or not isinstance(tree, dict | list) or not tree:
        return others[rng.integers(len(others))]
    if isinstance(tree, list):
        place = int(rng.integers(len(tree)))
        return [with_another_value(rng, value) if i == place else value for i, value in enumerate(tree)]
    name = sorted(tree)[rng.integers(len(tree))]
    if rng.random() < 0.1:
        return {key: value for key, value in tree.items() if key != name}
    return {**tree, name: with_another_value(rng, tree[name])}


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.slow)])
def test_files_with_damage_anywhere(saved: Path, tmp_path: Path, count: int) -> None:
    rng, content = np.random.default_rng(0), saved.read_bytes()
    for _ in range(count):
        loads_or_says_why(tmp_path / "model", bytes_of(rng, content))


@pytest.mark.parametrize("count", [100, pytest.param(2000, marks=pytest.mark.slow)])
def test_files_whose_manifest_says_anything(saved: Path, copy: Path, count: int) -> None:
    rng, manifest = np.random.default_rng(1), manifest_of(saved)
    for _ in range(count):
        with_manifest(copy, with_another_value(rng, manifest))
        loads_or_says_why(copy, copy.read_bytes())
