"""`vaeclust study`: what a file asks for, what is refused, and that nothing is run twice."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import VAECLUST, Answer
from vaeclust_jax.cli.study.cell import Outcome, ended_run, run_cell
from vaeclust_jax.cli.study.executors import Work, submitit
from vaeclust_jax.cli.study.plan import cells_of, read_study
from vaeclust_jax.errors import InputError


def _file(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_every_method_meets_every_data_set(tmp_path: Path) -> None:
    file = _file(
        tmp_path,
        """
        methods = ["vaegraph", "vaedec --gamma 0.5"]
        datasets = ["digits", "digits --image-size 16 16"]
        seeds = 3
        flags = "--epochs 2"
        """,
    )
    cells = cells_of(read_study(file))
    seeds = ("--seeds", "3")
    assert [cell.words for cell in cells] == [
        ("vaegraph", "digits", "--epochs", "2", *seeds),
        ("vaegraph", "digits", "--image-size", "16", "16", "--epochs", "2", *seeds),
        ("vaedec", "digits", "--gamma", "0.5", "--epochs", "2", *seeds),
        ("vaedec", "digits", "--gamma", "0.5", "--image-size", "16", "16", "--epochs", "2", *seeds),
    ]
    assert len({cell.folder for cell in cells}) == 4
    assert cells[2].name == "vaedec --gamma 0.5 on digits"


def test_words_that_change_have_another_folder(tmp_path: Path) -> None:
    text = 'methods = ["vaedec"]\ndatasets = ["digits"]\nflags = "--epochs {}"'
    (one,), (other,) = (cells_of(read_study(_file(tmp_path, text.format(epochs)))) for epochs in (2, 3))
    assert one.name == other.name
    assert one.folder != other.folder


def test_a_path_is_the_same_wherever_the_job_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my data.csv").write_text("a,b\n1,2\n")
    file = _file(tmp_path, """methods = ["vaedec"]\ndatasets = ["'my data.csv' -k 2"]""")
    (cell,) = cells_of(read_study(file))
    assert cell.words[1] == str(tmp_path / "my data.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("methods = [", "is not TOML"),
        ("", 'must have methods = ["...", ...], got None'),
        ('methods = "vaedec"', "must have methods = [\"...\", ...], got 'vaedec'"),
        ("methods = []\ndatasets = []", "must have methods"),
        ('methods = ["vaedec"]\ndatasets = [3]', "must have datasets"),
        ('methods = ["vaedec"]\ndatasets = ["digits"]\nseed = 3', "has the key 'seed'; keys are methods, datasets"),
        ('methods = ["vaedec"]\ndatasets = ["digits"]\nseeds = 0', "seeds must be a whole number of at least 1"),
        ('methods = ["vaedec"]\ndatasets = ["digits"]\nseeds = true', "seeds must be a whole number"),
        ('methods = ["vaedec"]\ndatasets = ["digits"]\nflags = 3', "flags must be a line of words"),
        ('methods = ["vaedec"]\ndatasets = ["digits"]\nsubmitit = 3', "submitit must be a table"),
        ('methods = ["vaedec"]\ndatasets = [""]', "datasets must not hold an empty word"),
        ('methods = ["vaedec \'"]\ndatasets = ["digits"]', "methods must be words as a shell takes them"),
        ('methods = ["vaedec --seeds 3"]\ndatasets = ["digits"]', "methods must be without --seeds"),
        ('methods = ["vaedec"]\ndatasets = ["digits"]\nflags = "--out=a"', "flags must be without --out"),
        ('methods = ["vaedec"]\ndatasets = ["--clusters 3"]', "datasets must begin with a data set or a path"),
        ('methods = ["vaedek"]\ndatasets = ["digits"]', "vaedek on digits: "),
        ('methods = ["vaedec --gama 1"]\ndatasets = ["digits"]', "vaedec --gama 1 on digits: "),
        ('methods = ["gan"]\ndatasets = ["digits"]', "a study compares clusterings, this is of generation"),
        ('methods = ["vaedec", "vaedec"]\ndatasets = ["digits"]', "vaedec on digits stands twice"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_runs(
    text: str, said: str, tmp_path: Path, vaeclust: Callable[..., Answer]
) -> None:
    code, out, err = vaeclust("study", _file(tmp_path, text), "--out", tmp_path / "studies")
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "studies").exists()


def test_no_file_and_no_workers_are_refused(tmp_path: Path, vaeclust: Callable[..., Answer]) -> None:
    assert "cannot be read" in vaeclust("study", tmp_path / "none.toml")[2]
    assert "--workers must be at least 1" in vaeclust("study", tmp_path / "none.toml", "--workers", 0)[2]


def test_a_run_that_is_under_way_elsewhere_is_left_alone(tmp_path: Path) -> None:
    from vaeclust_jax.training.checkpoint_folder import lock

    with lock(tmp_path / "cell"):
        outcome = run_cell(["vaedec", "digits"], tmp_path / "cell")
    assert outcome.run is None
    assert "another run is writing to" in outcome.said


def test_settings_that_submitit_does_not_know_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="submitit refuses the study's settings of a job"):
        submitit(tmp_path, {"cluster": "local", "hours": 3})


_TINY = "--network mlp --hidden 16 --latent-dim 2 --batch-size 32 --epochs 2 --no-page"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(40, 4)) + 4 * group for group in range(2)]).astype(np.float32)
    np.savez(folder / "two.npz", x=x, y=np.repeat([0, 1], 40))
    return _file(
        folder,
        f"""
        methods = ["kmeans", "vaedec"]
        datasets = ["{folder}/two.npz -k 2", "{folder}/none.npz -k 2"]
        seeds = 2
        flags = "{_TINY}"
        """,
    )


@pytest.mark.long
def test_what_fails_is_said_and_what_has_ended_is_not_run_again(
    file: Path, tmp_path: Path, process: Callable[..., Answer]
) -> None:
    code, out, err = process("study", file, "--workers", 2, "--out", tmp_path)
    assert code == 1
    assert "2 of 4 runs failed; the same command tries them again" in err
    assert err.count(": failed: ") == 2
    assert "none.npz" in err
    assert out.splitlines()[-1] == str(tmp_path / "mine")
    assert "Scores on two, all rows" in out
    assert (tmp_path / "mine" / "comparison" / "tables.json").exists()
    runs = sorted(run for cell in (tmp_path / "mine").iterdir() if (run := ended_run(cell)) is not None)
    assert len(runs) == 2
    shutil.copy(file.with_name("two.npz"), file.with_name("none.npz"))
    try:
        code, _, err = process("study", file, "--out", tmp_path)
    finally:
        file.with_name("none.npz").unlink()
    assert code == 0, err
    assert "4 runs of 2 seeds; 2 have ended before" in err
    again = sorted(run for cell in (tmp_path / "mine").iterdir() if (run := ended_run(cell)) is not None)
    assert len(again) == 4
    assert set(runs) < set(again)


@pytest.mark.slow
def test_a_study_that_is_asked_to_end_passes_it_on_and_goes_on_later(
    tmp_path: Path, environment: dict[str, str], process: Callable[..., Answer]
) -> None:
    flags = f"{_TINY} --pretrain-epochs 2000 --checkpoint-epochs 20"
    file = _file(tmp_path, f'methods = ["kmeans"]\ndatasets = ["digits"]\nseeds = 1\nflags = "{flags}"')
    running = subprocess.Popen(
        [*VAECLUST, "study", str(file), "--out", str(tmp_path)], env=environment, stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + 120
    while not list(tmp_path.glob("mine/*/*/checkpoints/0/epochs/*")) and time.monotonic() < end:
        time.sleep(0.2)
    running.send_signal(signal.SIGTERM)
    assert running.stderr is not None
    err = running.stderr.read()
    assert running.wait(timeout=60) == 143
    assert f"to go on from there: vaeclust study {file}" in err
    (cell,) = (path for path in (tmp_path / "mine").iterdir() if path.is_dir())
    log = (cell / "log.txt").read_text()
    assert "stopping after this epoch" in log
    arguments = json.loads(next(cell.glob("*/arguments.json")).read_text())
    assert arguments[:2] == ["kmeans", "digits"]
    assert ended_run(cell) is None
    (early,) = (path.parent for path in cell.glob("*/arguments.json"))
    before = sorted((early / "checkpoints/0/epochs").iterdir())
    assert before, "it was kept where it was"
    code, _, err = process("study", file, "--out", tmp_path)
    assert code == 0, err
    assert ended_run(cell) == early, "the same run went on"
    assert [path.parent for path in cell.glob("*/arguments.json") if not path.parent.is_symlink()] == [early]


@pytest.mark.long
def test_jobs_of_submitit_do_the_same(file: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    before = dict(os.environ)
    os.environ.update(environment)  # jobs of the local cluster are processes that inherit it
    try:
        words = ("kmeans", str(file.with_name("two.npz")), "-k", "2", *_TINY.split(), "--seeds", "2")
        work = Work("kmeans on two", words, tmp_path / "cell")
        execute = submitit(tmp_path / "jobs", {"cluster": "local", "timeout_min": 5})
        ((cell, outcome),) = execute([work])
        assert cell == work
        assert outcome.said == ""
        assert outcome.run == ended_run(work.folder) is not None
        assert run_cell(words, work.folder) == Outcome(outcome.run)
    finally:
        os.environ.clear()
        os.environ.update(before)
