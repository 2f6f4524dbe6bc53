"""`vaeclust run --track`: what a run leaves in trackers, a killed one that was resumed too."""

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import TINY, Answer
from tests.cli.test_resume import contents, ended, started, words
from tests.trackers.stores import INSTALLED, read

Run = Callable[..., Answer]


def history(folder: Path) -> dict[str, dict[int, dict[str, float]]]:
    """Of `history.csv`, as `read` has it."""
    found: dict[str, dict[int, dict[str, float]]] = {}
    for row in csv.DictReader((folder / "history.csv").read_text().splitlines()):
        stage, _ = row.pop("stage"), row.pop("epoch")
        points = found.setdefault(f"vaedec/seed-{row.pop('seed')}", {})
        points[len(points) + 1] = {f"{stage}/{name}": float(value) for name, value in row.items() if value}
    return found


@pytest.fixture
def tracked(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment of a command that tracks, away from the home of who runs the tests."""
    homes = ("TRACKIO_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR")
    return {**environment, **{name: str(tmp_path / name) for name in homes}}


@pytest.mark.slow
@pytest.mark.parametrize("name", INSTALLED)
def test_a_killed_run_that_goes_on_has_every_epoch_once(
    name: str, files: Path, tmp_path: Path, process: Run, tracked: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "runs"
    command, folder = started(words(files, out, "--track", name), out, tracked)
    time.sleep(1)
    if ended(command, signal.SIGKILL)[0] == 0:
        pytest.skip("the run was faster than the signal")
    again = subprocess.run(
        [sys.executable, "-m", "vaeclust_jax.cli", "run", "--resume", str(folder)],
        capture_output=True, text=True, env=tracked, timeout=300,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[-1] == str(folder)
    monkeypatch.setenv("TRACKIO_DIR", tracked["TRACKIO_DIR"])
    found, expected = read(name, folder), history(folder)
    assert found.keys() == expected.keys()
    for series, points in expected.items():
        assert sorted(found[series]) == list(range(1, len(points) + 1))
        for step, scalars in points.items():
            assert found[series][step] == pytest.approx(scalars, rel=1e-7)


@pytest.mark.slow
def test_the_pictures_are_there_and_the_results_are_the_same_bytes(files: Path, tmp_path: Path, vaeclust: Run) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    argv = ["run", "--dataset", files / "vectors.npz", "--clusters", 3, *TINY, "--epochs", 2, "--quiet"]
    assert vaeclust(*argv, "--out", tmp_path / "plain")[0] == 0
    twice = ["--track", "tensorboard", "--track", "tensorboard"]
    assert vaeclust(*argv, "--out", tmp_path / "tracked", *twice)[0] == 0
    plain, folder = ((tmp_path / name / "latest").resolve() for name in ("plain", "tracked"))
    assert contents(folder) == contents(plain)
    events = EventAccumulator(str(folder / "tensorboard" / "files"), size_guidance={"images": 0}).Reload()
    assert sorted(events.Tags()["images"]) == sorted(path.stem for path in folder.glob("*.png")) != []
    assert read("tensorboard", folder).keys() == {"vaegraph/seed-0"}


def test_one_that_is_not_installed_is_refused_before_anything_is_made(
    vaeclust: Run, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaeclust_jax.trackers.tracker.find_spec", lambda package: None)
    out = tmp_path / "runs"
    code, _, err = vaeclust(*words(files, out, "--track", "wandb"))
    assert (code, err) == (2, "vaeclust: wandb is not installed: pip install 'vaeclust_jax[wandb]'\n")
    assert not out.exists()


def test_a_tracker_belongs_to_the_run_that_is_resumed(vaeclust: Run, files: Path, tmp_path: Path) -> None:
    argv = words(files, tmp_path)[1:]
    (tmp_path / "arguments.json").write_text(json.dumps(argv))
    code, _, err = vaeclust("run", *argv, "--resume", tmp_path, "--track", "tensorboard")
    assert code == 2
    assert "was started with other settings: track was () and is ('tensorboard',)" in err
