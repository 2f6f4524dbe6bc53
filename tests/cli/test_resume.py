"""`vaeclust run --resume`: a killed, terminated or interrupted run ends with the files of one that was not."""

import json
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import TINY, VAECLUST, Answer
from tests.fitting.made import squares
from vaeclust_jax.cli.resume import _only_free
from vaeclust_jax.studies import write

Run = Callable[..., Answer]
RUN = ["run", "vaedec", "--dataset"]
SETTINGS = [*TINY, "--epochs", "12", "--tolerance", "0", "--seeds", "2", "--checkpoint-epochs", "1"]
SAME = ("assignments.csv", "history.csv", "metrics.json", "tables.json", "config.json", "model")


def words(files: Path, out: Path, *more: object) -> list[str]:
    return [str(word) for word in (*RUN, files / "vectors.npz", "--clusters", 3, *SETTINGS, "--out", out, *more)]


def contents(folder: Path) -> dict[str, bytes]:
    """What a run leaves behind, but for wall times and pictures."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] in SAME]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.fixture(scope="session")
def whole(process: Run, files: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a run that nothing ended."""
    out = tmp_path_factory.mktemp("whole")
    code, _, err = process(*words(files, out))
    assert (code, err) == (0, "")
    folder = (out / "latest").resolve()
    assert not (folder / "checkpoints").exists()
    found = contents(folder)
    assert len(found) == 7
    return found


def started(argv: list[str], out: Path, environment: dict[str, str]) -> tuple[subprocess.Popen[str], Path]:
    command = subprocess.Popen(
        [*VAECLUST, *argv],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not list(out.glob("*/checkpoints/0/epochs/*/_CHECKPOINT_METADATA")):
        assert command.poll() is None, command.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (folder,) = out.iterdir()
    return command, folder


def ended(command: subprocess.Popen[str], number: int) -> tuple[int, str]:
    command.send_signal(number)
    try:
        _, err = command.communicate(timeout=90)
    finally:
        command.kill()
    return command.returncode, err


@pytest.mark.long
@pytest.mark.parametrize("moment", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 20))])
def test_a_killed_run_goes_on_bit_for_bit(
    moment: int,
    whole: dict[str, bytes],
    process: Run,
    files: Path,
    tmp_path: Path,
    environment: dict[str, str],
) -> None:
    command, folder = started(words(files, tmp_path), tmp_path, environment)
    time.sleep(random.Random(moment).uniform(0, 6))
    code, _ = ended(command, signal.SIGKILL)
    if code == 0:
        pytest.skip("the run was faster than the signal")
    assert code == -signal.SIGKILL
    code, out, err = process("run", "--resume", folder)
    assert code == 0, err
    assert out.splitlines()[-1] == str(folder)
    assert contents(folder) == whole


@pytest.mark.long
@pytest.mark.parametrize(("number", "expected"), [
    pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow), (signal.SIGINT, 130),
])  # fmt: skip
def test_a_run_that_is_asked_to_end_says_how_to_go_on(
    number: int,
    expected: int,
    whole: dict[str, bytes],
    process: Run,
    files: Path,
    tmp_path: Path,
    environment: dict[str, str],
) -> None:
    command, folder = started(words(files, tmp_path), tmp_path, environment)
    code, err = ended(command, number)
    assert code == expected
    assert f"vaeclust: to go on from there: vaeclust run --resume {folder}" in err
    assert "Traceback" not in err
    # With the same settings said again, and then there is nothing left to do.
    code, _, err = process(*words(files, tmp_path), "--resume", folder, "--quiet")
    assert (code, err) == (0, "")
    assert contents(folder) == whole
    # What a kill in the last moment leaves goes then.
    (folder / "model" / ".seed-0.vaeclust.0123abcd.unfinished").write_text("half")
    (folder / "checkpoints" / "0").mkdir(parents=True)
    (folder / "checkpoints" / "0" / "fit.json").write_text("{}")
    code, _, err = process("run", "--resume", folder)
    assert code == 2
    assert "has ended: there is nothing left to do" in err
    assert not (folder / "checkpoints").exists()
    assert contents(folder) == whole


@pytest.mark.slow
def test_what_was_chosen_is_not_chosen_again(process: Run, tmp_path: Path, environment: dict[str, str]) -> None:
    np.savez(tmp_path / "bands.npz", x=squares()[0])
    out = tmp_path / "runs"
    argv = ["run", "vaegraph", "--dataset", tmp_path / "bands.npz", "--clusters", "auto", *SETTINGS, "--out", out]
    command, folder = started([*map(str, argv), "--image-size", "16", "16"], out, environment)
    assert ended(command, signal.SIGKILL)[0] == -signal.SIGKILL
    chosen = json.loads((folder / "chosen.json").read_text())
    chosen["choice"]["reason"] = "so many, because I say so."
    chosen["views"]["reason"] = "as they are, because I say so."
    (folder / "chosen.json").write_text("{")
    code, _, err = process("run", "--resume", folder)
    assert code == 2
    assert "chosen.json cannot be read; without it, the run chooses again" in err
    (folder / "chosen.json").write_text(json.dumps(chosen))
    code, out, err = process("run", "--resume", folder)
    assert code == 0, err
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["num_clusters_choice"] == chosen["choice"]
    assert metrics["augment_choice"] == chosen["views"]
    assert metrics["num_clusters"] == chosen["choice"]["num_clusters"]


@pytest.mark.long
def test_other_settings_are_refused_by_name(
    process: Run, files: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    command, folder = started(words(files, tmp_path), tmp_path, environment)
    ended(command, signal.SIGKILL)
    before = contents(folder)
    code, _, err = process(*words(files, tmp_path, "--beta", 2, "--seeds", 3), "--resume", folder)
    assert code == 2
    assert "was started with other settings: seeds was 2 and is 3, beta was auto and is 2.0" in err
    assert contents(folder) == before


@pytest.mark.long
def test_a_second_run_on_the_folder_is_refused(
    process: Run, files: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    command, folder = started(words(files, tmp_path), tmp_path, environment)
    command.send_signal(signal.SIGSTOP)  # it cannot end meanwhile
    try:
        code, _, err = process("run", "--resume", folder)
    finally:
        command.kill()
        command.communicate()
    assert code == 2
    assert f"another run is writing to {folder / 'checkpoints'}" in err
    assert folder.is_dir(), "the first run's files are not touched"


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir, Path.touch], ids=["nothing", "a folder", "a file"])
def test_a_folder_of_no_run(vaeclust: Run, tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "run")
    code, out, err = vaeclust("run", "--resume", tmp_path / "run")
    assert (code, out) == (2, "")
    assert f"{tmp_path / 'run'} is no folder of a run that can go on" in err
    assert ("it does not exist" in err) == (not (tmp_path / "run").exists())


def test_the_folder_of_all_runs_names_one(vaeclust: Run, tmp_path: Path) -> None:
    (tmp_path / "vaegraph-1").mkdir()
    (tmp_path / "vaegraph-1" / "arguments.json").write_text("[]")
    code, _, err = vaeclust("run", "--resume", tmp_path)
    assert code == 2
    assert "it holds runs, such as vaegraph-1: give one of them" in err


@pytest.mark.parametrize("content", ["5", "[1]", "{}", "[", "[" * 100_000, '["--bogus"]'], ids=lambda text: text[:9])
def test_words_that_started_no_run(vaeclust: Run, tmp_path: Path, content: str) -> None:
    (tmp_path / "arguments.json").write_text(content)
    code, out, err = vaeclust("run", "--resume", tmp_path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"{tmp_path} is no folder of a run that can go on" in err


@pytest.mark.parametrize("link", ["checkpoints/0/epochs", "model"])
def test_a_link_out_of_the_folder_ends_it_before_training(
    vaeclust: Run, files: Path, tmp_path: Path, link: str
) -> None:
    """Numbered folders where the first led were removed as damaged checkpoints."""
    folder, mine = tmp_path / "run", tmp_path / "mine"
    (mine / "7").mkdir(parents=True)
    (mine / "7" / "thesis.tex").write_text("years of work")
    (folder / link).parent.mkdir(parents=True)
    (folder / link).symlink_to(mine)
    (folder / "arguments.json").write_text(json.dumps(words(files, tmp_path)[1:]))
    code, _, err = vaeclust("run", "--resume", folder, "--quiet", "--verbose", "-o", tmp_path)
    assert code == 2
    assert f"{folder / link} is a link to somewhere else, which is left alone" in err
    assert [path.name for path in mine.rglob("*")] == ["7", "thesis.tex"]
    assert (folder / link).is_symlink()


@pytest.mark.parametrize(
    ("words", "free"),
    [
        (["--resume", "run", "--quiet"], True),
        (["--quiet", "--resume=run", "--no-page", "--out", "there"], True),
        (["--resume", "run", "--devices", "2"], True),
        (["course-rbm", "--resume", "run", "--quiet"], False),
        (["--resume", "run", "--quiet", "rows.csv"], False),
        (["--resume", "run", "--epochs", "3"], False),
    ],
)
def test_an_experiment_or_data_beside_a_run_that_goes_on_are_compared(words: list[str], free: bool) -> None:
    assert _only_free(words) is free


@pytest.mark.long
def test_who_interrupts_a_run_that_has_ended_is_not_told_to_go_on(
    vaeclust: Run, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tidy(*where: Any) -> None:
        write.sweep(where[0])
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(write, "tidy", tidy)
    code, out, err = vaeclust(*words(files, tmp_path), "--quiet")
    (folder,) = tmp_path.iterdir()
    assert (code, out) == (130, "")
    assert f"what was written so far is in {folder}" in err
    assert "--resume" not in err
    assert (folder / "timing.json").exists()


@pytest.mark.long
def test_the_arguments_are_written_down(vaeclust: Run, files: Path, tmp_path: Path) -> None:
    argv = words(files, tmp_path)
    assert vaeclust(*argv)[0] == 0
    folder = (tmp_path / "latest").resolve()
    assert json.loads((folder / "arguments.json").read_text()) == argv[1:]
    shutil.rmtree(folder)
