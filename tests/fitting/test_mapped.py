"""An array that stays in its file is fitted as the same array in memory, to the bit, and memory does not hold it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import assert_same_bits, blobs, calling, config, squares
from vaeclust_jax.data import mapped
from vaeclust_jax.estimators import VAEDEC
from vaeclust_jax.fitting.fit import fit_stages

KEY = jax.random.key(3)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "_BYTES_IN_MEMORY", 0)
    monkeypatch.setattr(mapped, "_BYTES_AT_ONCE", 700)


def in_file(x: np.ndarray, folder: Path) -> np.ndarray:
    np.save(folder / "x.npy", x)
    return np.load(folder / "x.npy", mmap_mode="r")  # type: ignore[no-any-return]


@pytest.mark.long
def test_a_mapped_array_gives_the_same_bits(fitted: vc.Run, vectors: np.ndarray, tmp_path: Path) -> None:
    x = in_file(vectors, tmp_path)
    run = vc.fit(config(), x, KEY)
    assert_same_bits(run, fitted)
    np.testing.assert_array_equal(run.cluster_scale, fitted.cluster_scale)
    assert run.preparation.to_json()["seen"] == fitted.preparation.to_json()["seen"]
    np.testing.assert_array_equal(run.predict_proba(x), fitted.predict_proba(vectors))
    np.testing.assert_array_equal(fitted.predict(x), fitted.predict(vectors))
    del x  # the programs outlive the fit, and must not keep its file open
    mappings = Path("/proc/self/maps")
    assert not mappings.exists() or str(tmp_path) not in mappings.read_text()


CASES: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
    "images": (squares()[0], {"image_size": (6, 6)}),
    "deterministic": (blobs()[0], {"deterministic": True, "validation": 0.0}),
    "vade": (blobs()[0], {"method": "vade", "beta": "linear"}),
    "graph": (blobs()[0], {"method": "graph"}),
}


@pytest.mark.long
@pytest.mark.parametrize(
    "name", [name if name in ("images", "graph") else pytest.param(name, marks=pytest.mark.slow) for name in CASES]
)
def test_every_learner_and_several_seeds_at_once(name: str, tmp_path: Path) -> None:
    x, changes = CASES[name]
    settings = config(**changes, tolerance=0.0, joint_epochs=5)
    expected = fit_stages(settings, x, [3, 5])
    found = fit_stages(settings, in_file(x, tmp_path), [3, 5])
    assert list(found) == list(expected)
    for stage in expected:
        for one, other in zip(found[stage], expected[stage], strict=True):
            assert_same_bits(one, other)


@pytest.mark.long
def test_some_labels(tmp_path: Path) -> None:
    x, y = blobs()
    told = np.where(np.arange(len(x)) % 5 == 0, y, -1)
    expected = vc.fit(config(), x, KEY, partial_labels=told)
    assert_same_bits(vc.fit(config(), in_file(x, tmp_path), KEY, partial_labels=told), expected)


@pytest.mark.long
def test_a_fit_in_memory_goes_on_from_the_file(vectors: np.ndarray, tmp_path: Path) -> None:
    """The checkpoint knows the rows by what they hold."""

    class EndedError(Exception):
        pass

    def end(rows: Any) -> None:
        raise EndedError

    settings, checkpoint = config(joint_epochs=0), vc.Checkpoint(tmp_path / "checkpoints")
    with pytest.raises(EndedError):
        vc.fit(settings, vectors, KEY, checkpoint=checkpoint, callbacks=[calling(end)])
    run = vc.fit(settings, in_file(vectors, tmp_path), KEY, checkpoint=checkpoint)
    assert_same_bits(run, vc.fit(settings, vectors, KEY))


@pytest.mark.long
def test_estimators(vectors: np.ndarray, tmp_path: Path) -> None:
    x = in_file(vectors, tmp_path)
    settings: dict[str, Any] = {"latent_dim": 2, "hidden": (16,), "pretrain_epochs": 2, "joint_epochs": 2}
    one, other = (VAEDEC(3, **settings, random_state=0).fit(rows) for rows in (x, vectors))
    np.testing.assert_array_equal(one.labels_, other.labels_)
    np.testing.assert_array_equal(one.transform(x), other.transform(vectors))
    np.testing.assert_array_equal(one.score_samples(x), other.score_samples(vectors))
    assert one.objective_ == other.objective_


@pytest.mark.parametrize("part", ["train", "validation"])
def test_bad_values_are_said_before_any_training(part: str, vectors: np.ndarray, tmp_path: Path) -> None:
    from vaeclust_jax.data import split_rows

    train, validation = split_rows(len(vectors), config().prepare)
    x = vectors.copy()
    x[(train if part == "train" else validation)[-1], 0] = np.inf
    for estimator in (False, True):
        with pytest.raises(vc.InputError, match="x must be finite, got 1 NaN or infinite"):
            VAEDEC(3).fit(in_file(x, tmp_path)) if estimator else vc.fit(config(), in_file(x, tmp_path), KEY)


STREAM = """
import json, sys, time
import jax, numpy as np
import vaeclust_jax as vc

def peak():  # of all resident pages, those of mapped files included, in MB
    # Not ru_maxrss: a process starts with that of its parent, which wrote the file.
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024

x = np.load(sys.argv[1], mmap_mode="r")
config = vc.Config(
    vc.DEC(3, pretrain_epochs=1, joint_epochs=1),
    network=vc.MLP(hidden=(16,), latent_dim=2),
    training=vc.TrainingConfig(batch_size=1024),
)
vc.fit(config, np.array(x[:2000]), jax.random.key(0)).predict(np.array(x[:2000]))
own, start = peak(), time.monotonic()
run = vc.fit(config, x, jax.random.key(0))
labels = run.predict(x)
assert labels.shape == (len(x),) and np.isfinite([row["loss"] for row in run.history]).all()
print(json.dumps({"file": x.nbytes / 2**20, "own": own, "more": peak() - own, "seconds": time.monotonic() - start}))
"""

HALF = 0.55 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
"""GiB: more than half of the machine's memory."""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs what Linux tells of a process")
@pytest.mark.parametrize(("gigabytes", "most"), [(1.0, 700), (HALF, 2048)], ids=["1 GB", "half"])
def test_memory_does_not_hold_the_array(gigabytes: float, most: float, tmp_path: Path) -> None:
    """Resident size, mapped pages included, above that of a small fit of the same network."""
    block = np.random.default_rng(0).normal(size=(4096, 4096)).astype(np.float32)  # 64 MiB
    blocks = round(gigabytes * 16)
    x = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, (blocks * len(block), block.shape[1]))
    for number in range(blocks):
        x[number * len(block) : (number + 1) * len(block)] = np.roll(block, number, axis=1)
    del x
    try:
        command = [sys.executable, "-c", STREAM, str(tmp_path / "x.npy")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=3000)
    finally:
        (tmp_path / "x.npy").unlink()
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(found)
    assert found["own"] < 1500  # no more than jax and a small fit: the measure can see what comes on top
    assert found["more"] < most
