"""The book's method of one's own: a stranger's package, installed beside this one in a fresh environment."""

import json
import os
import re
import signal
import subprocess
import sysconfig
import time
import venv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import blobs

HOUSE = Path(__file__).parent.parent.parent
PAGE = (HOUSE / "notebooks" / "add" / "method.md").read_text(encoding="utf-8")
EPOCHS = 40
SETTINGS = [
    "--network",
    "mlp",
    "--hidden",
    "32",
    "--latent-dim",
    "2",
    "--epochs",
    EPOCHS,
    "--seeds",
    2,
    "--checkpoint-epochs",
    10,
]

Command = Callable[..., subprocess.CompletedProcess[str]]


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return found


def test_it_is_short() -> None:
    assert len(block("python").splitlines()) <= 60


@pytest.fixture(scope="module")
def bin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an environment with both packages; libraries are those of this one."""
    folder = tmp_path_factory.mktemp("environment")
    package = folder / "deep-kmeans"
    package.mkdir()
    (package / "deep_kmeans.py").write_text(block("python"), encoding="utf-8")
    (package / "pyproject.toml").write_text(block("toml"), encoding="utf-8")
    venv.create(folder / "venv", with_pip=True)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    pip = [folder / "venv" / "bin" / "pip", "install", "-q", "--no-deps"]
    subprocess.run([*pip, HOUSE, package], check=True, cwd=folder)
    assert (site / "vaeclust_jax").is_dir()
    return folder / "venv" / "bin"


@pytest.fixture(scope="module")
def command(bin_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    home = tmp_path_factory.mktemp("home")
    np.savez(home / "vectors.npz", **dict(zip("xy", blobs(), strict=True)))

    def command(*argv: object, program: str = "vaeclust", wait: bool = True) -> subprocess.CompletedProcess[str]:
        run = subprocess.run if wait else subprocess.Popen
        return run(
            [bin_folder / program, *map(str, argv)],
            env={**os.environ, "VAECLUST_CACHE": str(home), "JAX_PLATFORMS": "cpu"},
            cwd=home, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    return command


def words(out: Path) -> list[object]:
    return ["run", "deep-kmeans", "--dataset", "vectors.npz", "--clusters", 3, *SETTINGS, "--out", out]


@pytest.fixture(scope="module")
def folder(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a run that nothing ended."""
    out = tmp_path_factory.mktemp("runs")
    done = command(*words(out))
    assert done.returncode == 0, done.stderr
    folder = (out / "latest").resolve()
    return folder


@pytest.mark.long
def test_it_is_listed_and_its_settings_are_flags(command: Command) -> None:
    assert re.search(r"^deep-kmeans +A VAE whose codes", command("list").stdout, re.MULTILINE)
    usage = command("run", "deep-kmeans", "--help").stdout
    assert "--pull" in usage
    assert "--joint-epochs" in usage
    assert "--update-target-interval" not in usage, "that is of --help-all"
    assert "--pull" in command("run", "deep-kmeans", "--help-all").stdout
    assert command("run", "dec", "--pull", 3).stderr.startswith("vaeclust: --pull is a setting of deep-kmeans, not of")
    refused = command("run", "deep-kmeans", "--pull", -1)
    assert (refused.returncode, refused.stderr) == (2, "vaeclust: pull must be 0 or more, got -1.0\n")


@pytest.mark.long
def test_it_is_scored_beside_the_shallow_floor_and_reported(command: Command, folder: Path) -> None:
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["method"] == "deep-kmeans"
    assert "deep-kmeans" in metrics["results"]
    assert any(name.startswith("k-means on ") for name in metrics["shallow"])
    assert metrics["mean"]["acc"] > 0.9  # these clusters are far apart
    history = (folder / "history.csv").read_text(encoding="utf-8").splitlines()
    assert sum(",joint," in row for row in history) == 2 * EPOCHS
    done = command("report", folder)
    assert done.returncode == 0, done.stderr
    assert "deep-kmeans" in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_killed_run_goes_on_bit_for_bit(command: Command, folder: Path, tmp_path: Path) -> None:
    process = command(*words(tmp_path), wait=False)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("*/checkpoints/0/epochs/*/_CHECKPOINT_METADATA")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    (killed,) = tmp_path.iterdir()
    done = command("run", "--resume", killed)
    assert done.returncode == 0, done.stderr
    names = ("assignments.csv", "history.csv", "model/seed-0.vaeclust", "model/seed-1.vaeclust")
    assert all((killed / name).read_bytes() == (folder / name).read_bytes() for name in names)


@pytest.mark.long
def test_in_python_it_is_fitted_saved_and_loaded(command: Command, tmp_path: Path) -> None:
    code = f"""
import jax, numpy as np, vaeclust_jax as vc
from deep_kmeans import DeepKMeans
x = np.load("vectors.npz")["x"]
config = vc.Config(DeepKMeans(3, pretrain_epochs=2, joint_epochs=2), network=vc.MLP(hidden=(8,)))
run = vc.fit(config, x, jax.random.key(0))
assert {{row["stage"] for row in run.history}} == {{"vae", "joint"}}
run.save({str(tmp_path / "model.vaeclust")!r})
again = vc.load({str(tmp_path / "model.vaeclust")!r})
assert again.config == run.config
np.testing.assert_array_equal(again.predict_proba(x), run.predict_proba(x))
assert again.sample(jax.random.key(1), 4, cluster=2).shape == (4, 5)
assert again.uncertainty(x, jax.random.key(2), 5).entropy.shape == (120,)
"""
    done = command("-c", code, program="python")
    assert done.returncode == 0, done.stderr


@pytest.mark.long
def test_without_the_package_its_model_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(vc.InputError, match="deep-kmeans"):
        vc.load(folder)
