"""A fit of rows that are read by blocks: steps see all of them, all else sees a few, and nothing else changes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow
import pytest
from pyarrow import parquet
from sklearn.metrics import adjusted_rand_score

import vaeclust_jax as vc
from tests.fitting.made import assert_same_bits, blobs, calling, config
from vaeclust_jax.data import Dataset, load, mapped
from vaeclust_jax.fitting import prepared
from vaeclust_jax.fitting.fit import fit_stages
from vaeclust_jax.fitting.resolve import prepared_for
from vaeclust_jax.selection import augment
from vaeclust_jax.training import shuffled
from vaeclust_jax.types import Batch

X, Y = blobs(600)
FEW, WINDOW = 150, 100 * 5 * 4


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "_BYTES_IN_MEMORY", 0)
    monkeypatch.setattr(mapped, "MOST_SCATTERED", 100)
    monkeypatch.setattr(mapped, "BYTES_OF_BLOCK", 5 * 4 * 20)
    monkeypatch.setattr(prepared, "SAMPLED", FEW)
    monkeypatch.setattr(shuffled, "WINDOW_BYTES", WINDOW)
    monkeypatch.setattr(shuffled, "_MOST_BYTES", WINDOW)


@pytest.fixture
def x(tmp_path: Path) -> np.ndarray:
    np.save(tmp_path / "x.npy", X)
    return np.load(tmp_path / "x.npy", mmap_mode="r")


def test_rows_are_split_and_scaled(x: np.ndarray) -> None:
    data = prepared_for(config(), x)
    assert data.sampled is not None
    assert data.blocks is not None
    np.testing.assert_array_equal(data.sampled, np.linspace(0, 599, FEW).astype(int))
    held_out = data.sampled[data.validation_index]
    assert len(held_out) == FEW // 5
    train = np.delete(X, held_out, axis=0)
    np.testing.assert_allclose(data.preparation.offset, train.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(data.preparation.scale, train.std(axis=0), rtol=1e-5)
    np.testing.assert_allclose(np.asarray(data.blocks), data.preparation.apply(train), rtol=1e-6)
    np.testing.assert_array_equal(data.rows, data.preparation.apply(X[data.sampled]))


@pytest.mark.long
def test_a_choice_of_views_trains_on_sampled_rows_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def kept(seeds: Any, runs: Any, data: Any) -> tuple[float, float, float]:
        asked.append(data)
        assert all(len(run.train_index) == 60 for run in runs)
        return 0.0, 0.5, 0.0

    monkeypatch.setattr(augment, "MAX_ROWS", 60)
    monkeypatch.setattr(augment, "_judged", kept)
    np.save(tmp_path / "images.npy", np.random.default_rng(0).uniform(size=(600, 8, 8, 1)).astype(np.float32))
    settings = config(method="graph", network="mlp", tolerance=0.0)
    images = prepared_for(settings, np.load(tmp_path / "images.npy", mmap_mode="r"))
    assert images.blocks is not None
    vc.choose_augment(settings, images, [0, 1])
    assert [one.blocks for one in asked] == [None, None]
    assert all(len(one.train) == 60 for one in asked)


@pytest.mark.long
def test_an_epoch_is_the_steps_of_its_windows(x: np.ndarray) -> None:
    """Beside a loop in Python over batches that are read from the array."""
    settings = config(method="kmeans", pretrain_epochs=1)
    data = prepared_for(settings, x)
    run = fit_stages(settings, data, [3])["kmeans"][0]
    networks = run.config.network.build((5,))
    about = vc.About(networks, 2, len(data.train_index), 32, settings.training.learning_rate, 10, True)
    learner = run.config.method.stages(about)[0].learner
    from vaeclust_jax.training.loop import stage_keys

    start_keys, keys = stage_keys(jax.random.key(3)[None], jnp.asarray(0))
    state = learner.init(start_keys[0])
    epochs_key, _ = jax.random.split(keys[0])
    order_key, steps_key = jax.random.split(jax.random.fold_in(epochs_key, 1))
    blocks = data.shuffled
    assert blocks is not None
    assert blocks.num_windows(32) == 5
    step, number, losses = jax.jit(learner.step), 0, []
    seen = []
    for window in range(5):
        rows = blocks.read(np.asarray(jax.random.key_data(order_key)), window, 32)
        for start in range(0, len(rows), 32):
            here = (number * 32 + np.arange(32) < len(blocks)).astype(np.float32)
            if here.any():
                part = Batch(jnp.asarray(rows[start : start + 32]), None, jnp.zeros(32, int), jnp.asarray(here))
                state, info = step(jax.random.fold_in(steps_key, number), state, part)
                losses.append(info["loss"] * here.sum())
                seen.append(rows[start : start + 32][here > 0])
            number += 1
    assert len(np.unique(np.concatenate(seen), axis=0)) == len(blocks) == 570
    np.testing.assert_allclose(run.history[0]["loss"], sum(losses) / 570, rtol=1e-4)
    for name in ("encoder", "decoder"):
        for one, other in zip(*(jax.tree.leaves(p[name]) for p in (run.params, state.params)), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.long
@pytest.mark.parametrize(
    "method", ["dec", *(pytest.param(one, marks=pytest.mark.slow) for one in ("graph", "vade", "mixture"))]
)
def test_methods_find_the_clusters(method: str, x: np.ndarray) -> None:
    settings = config(method=method, pretrain_epochs=20, joint_epochs=4)
    runs = vc.fit_seeds(settings, x, [0, 1])
    for run in runs:
        assert adjusted_rand_score(Y, run.predict(x)) > 0.9
        np.testing.assert_array_equal(run.predict(x), run.predict(X))
        assert len(run.train_index) + len(run.validation_index) == FEW
        assert all(np.isfinite(row["loss"]) for row in run.history)
    if method == "dec":
        assert runs[0].config.method.target == "batch"  # type: ignore[attr-defined]


@pytest.mark.long
def test_a_fit_goes_on_from_its_checkpoint_with_the_same_bits(x: np.ndarray, tmp_path: Path) -> None:
    class EndedError(Exception):
        pass

    def end(rows: Any) -> None:
        if rows[0]["epoch"] == 2:
            raise EndedError

    settings = config(method="kmeans", pretrain_epochs=3)
    expected = vc.fit(settings, x, 0)
    checkpoint = vc.Checkpoint(tmp_path / "checkpoints")
    with pytest.raises(EndedError):
        vc.fit(settings, x, 0, checkpoint=checkpoint, callbacks=[calling(end)])
    assert_same_bits(vc.fit(settings, x, 0, checkpoint=checkpoint), expected)
    expected.save(tmp_path / "model.npz")
    np.testing.assert_array_equal(vc.load(tmp_path / "model.npz").predict(x), expected.predict(X))


def test_what_does_not_go_with_blocks_is_said(x: np.ndarray, tmp_path: Path) -> None:
    cases: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        ({}, {"sample_weight": np.ones(600)}, "take no sample_weight"),
        ({}, {"partial_labels": Y}, "take no labels and no hints"),
        ({}, {"hints": vc.Hints(must_link=[(0, 3)])}, "take no labels and no hints"),
        ({}, {"mesh": vc.Mesh(rows=2)}, "not laid over devices|devices"),
        ({"stratify": True}, {"split_labels": Y}, "held out at random"),
    ]
    for changes, given, words in cases:
        with pytest.raises(vc.InputError, match=words):
            vc.fit(config(**changes), x, 0, **given)


def test_a_value_that_is_not_there_is_said_before_any_training(x: np.ndarray, tmp_path: Path) -> None:
    bad = X.copy()
    bad[333, 2] = np.nan
    np.save(tmp_path / "bad.npy", bad)
    with pytest.raises(vc.InputError, match="must be finite, got 1 NaN"):
        vc.fit(config(), np.load(tmp_path / "bad.npy", mmap_mode="r"), 0)


def test_a_shard_that_goes_while_it_is_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        rows = X[number * 150 : (number + 1) * 150]
        table = pyarrow.table({f"f{place}": rows[:, place] for place in range(5)})
        parquet.write_table(table, tmp_path / f"{number}.parquet", row_group_size=50)
    monkeypatch.setattr(mapped, "memory", lambda: 100)
    with pytest.warns(vc.InputWarning, match="read by blocks"):
        found = load(tmp_path)
    assert isinstance(found, Dataset)

    def remove(rows: Any) -> None:
        (tmp_path / "2.parquet").unlink(missing_ok=True)

    with pytest.raises(vc.InputError, match=r"cannot be read any more.*2.parquet"):
        vc.fit(config(method="kmeans", pretrain_epochs=4), found, 0, callbacks=[calling(remove)])


MEMORY = """
import json, sys
import numpy as np
import vaeclust_jax as vc
from vaeclust_jax.cli.predict import _tables
from vaeclust_jax.data import Dataset, checked_rows, mapped
from vaeclust_jax.folder import write_assignment_parts
from vaeclust_jax.selection import augment
from vaeclust_jax.training import shuffled
from pathlib import Path

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024

mapped.MOST_SCATTERED, mapped._BYTES_IN_MEMORY, mapped._File._BYTES_MAPPED = 2**17, 2**25, 2**24
shuffled.WINDOW_BYTES = 2**23  # so that a small file has several windows
x = np.load(sys.argv[1], mmap_mode="r")
config = vc.Config(
    vc.VAEKMeans(4, pretrain_epochs=1),
    network=vc.MLP(hidden=(16,), latent_dim=2),
    training=vc.TrainingConfig(batch_size=8192),
)
peaks = []
for rows in (300_000, 900_000, len(x)):  # what compiling again leaves behind is no matter of rows
    part = checked_rows(x[:rows] if rows < len(x) else x)
    assert part.by_blocks
    run = vc.fit(config, part, 0)
    write_assignment_parts(Path(sys.argv[1]).with_suffix(".parquet"), _tables(run, Dataset(part, None, "x"), False))
    peaks.append(peak())
print(json.dumps(peaks))
"""


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs what Linux tells of a process")
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """Of 900,000 rows of 32 values and 230 MB more, which are trained on and labelled."""
    rng = np.random.default_rng(0)
    rows = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, (2_700_000, 32))
    for start in range(0, len(rows), 100_000):
        rows[start : start + 100_000] = rng.standard_normal((100_000, 32), np.float32)
    del rows
    command = [sys.executable, "-c", MEMORY, str(tmp_path / "x.npy")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    (tmp_path / "x.npy").unlink()
    assert done.returncode == 0, done.stderr
    _, small, large = json.loads(done.stdout)
    print(small, large)
    assert large - small < 115
    labels = parquet.read_table(tmp_path / "x.parquet")
    assert labels.column_names == ["row", "cluster", "probability", "entropy", "unlike"]
    np.testing.assert_array_equal(labels["row"], np.arange(2_700_000))
