"""`vaeclust run`: what it prints and writes."""

import csv
import json
import os
import pty
import re
import select
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
from vaeclust_jax.cli.run import _outliers, parse_run, planned
from vaeclust_jax.experiments import EXPERIMENTS
from vaeclust_jax.page import page

Run = Callable[..., Answer]
DIGITS = [*TINY, "--epochs", "2", "--image-size", "8", "8"]


@pytest.fixture(scope="session")
def digits(process: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, Path]:
    """The default run, made quick; two seeds."""
    out = tmp_path_factory.mktemp("work")
    answer = process("run", "vaedec", *DIGITS, "--seeds", 2, cwd=out)
    assert answer[0] == 0, answer[2]
    return answer, out / answer[1].splitlines()[-1]


def small(files: Path, out: Path, *more: object) -> list[object]:
    words = ["run", "vaedec", "--dataset", files / "vectors.npz", "--clusters", 3, "--epochs", 1, "--out", out]
    return [*words, *TINY, *more]


@pytest.mark.long
def test_a_run_ends_with_its_folder_and_says_nothing_on_stderr(digits: tuple[Answer, Path]) -> None:
    (_, out, err), folder = digits
    assert err == ""
    assert re.fullmatch(r"vaedec-\d{8}-\d{6}", folder.name)
    assert folder.parent.name == "runs"
    assert {
        "metrics.json", "config.json", "history.csv", "assignments.csv", "model", "clusters.png", "tables.json",
        "figures.json", "map.npz", "report.html",
    } <= {path.name for path in folder.iterdir()}  # fmt: skip
    metrics = json.loads((folder / "metrics.json").read_text())
    assert f"{metrics['mean']['acc']:.3f}" in out
    assert metrics["num_clusters"] == 10
    assert metrics["dataset"]["name"] == "digits"


@pytest.mark.long
def test_the_summary_is_five_answers_then_the_folder(digits: tuple[Answer, Path]) -> None:
    (_, out, _), folder = digits
    metrics = json.loads((folder / "metrics.json").read_text())
    lines, text = out.splitlines(), " ".join(out.split())
    starts = [line[:10].strip() for line in lines if line[:1].strip() and line[8:10] == "  "]
    assert starts == ["how good", "found", "how sure", "files", "next"]  # below the floor after two epochs
    assert metrics["findings"][0] in text
    assert ", ".join(str(one["samples"]) for one in metrics["clusters"]) in text
    assert f"agree on {100 * metrics['uncertainty']['agreed']:.0f} % of the samples" in text
    assert [line for line in lines if line.startswith("warning: ")] == [
        f"warning: {one}" for one in metrics["warnings"]
    ]
    assert "labels were used for: scoring alone" in lines
    assert f"{'':10}runs/{folder.name}/report.html" in lines
    assert lines[-1] == str(Path("runs") / folder.name)
    assert len(lines) < 30


@pytest.mark.long
def test_a_run_without_a_page_says_how_to_get_one(vaeclust: Run, files: Path, tmp_path: Path) -> None:
    code, out, _ = vaeclust(*small(files, tmp_path, "--no-page"))
    folder = Path(out.splitlines()[-1])
    assert code == 0
    assert not (folder / "report.html").exists()
    assert f"vaeclust report {folder}" in out
    assert vaeclust("report", folder)[0] == 0


@pytest.mark.long
def test_a_page_that_cannot_be_drawn_loses_no_run(
    vaeclust: Run, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> str:
        raise ZeroDivisionError("of the page")

    monkeypatch.setattr(page, "render", fail)
    code, out, err = vaeclust(*small(files, tmp_path, "--quiet"))
    folder = Path(out.splitlines()[-1])
    assert code == 0
    assert (folder / "timing.json").exists()
    assert err == f"vaeclust: no page was written: of the page; `vaeclust report {folder}` tries again\n"
    assert f"vaeclust report {folder}" in out


@pytest.mark.long
def test_predict_labels_new_digits_with_the_seed_asked_for(
    digits: tuple[Answer, Path], vaeclust: Run, tmp_path: Path
) -> None:
    from sklearn.datasets import load_digits

    np.savez(tmp_path / "new.npz", x=(load_digits().images[:40] / 16).astype(np.float32))
    with (digits[1] / "assignments.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if int(row["row"]) < 40]
    for more, seed in (([], "0"), (["--seed", 1], "1")):
        code, out, err = vaeclust(
            "predict", digits[1], tmp_path / "new.npz", "--out", tmp_path / "l.csv", "--overwrite", *more
        )
        assert (code, out, err) == (0, f"{tmp_path / 'l.csv'}\n", "")
        with (tmp_path / "l.csv").open() as file:
            answer = list(csv.DictReader(file))
        assert list(answer[0]) == ["row", "cluster", "probability", "entropy", "unlike"]
        expected = [row for row in rows if row["seed"] == seed]
        assert [row["cluster"] for row in answer] == [row["cluster"] for row in expected]
        np.testing.assert_allclose(
            [float(row["probability"]) for row in answer], [float(row["probability"]) for row in expected], atol=1e-5
        )


@pytest.mark.long
def test_predict_on_a_folder_of_images_names_the_files(
    digits: tuple[Answer, Path], vaeclust: Run, tmp_path: Path
) -> None:
    from PIL import Image

    folder = tmp_path / "pictures é"
    for name in ('one/b, "c".png', "one/ä.png", "two/a.png"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(len(name)).integers(0, 255, (9, 9), dtype=np.uint8)).save(path)
    code, _, err = vaeclust("predict", digits[1], folder, "--out", tmp_path / "deep" / "l.csv", "--force")
    assert code == 0
    assert f"against the labels in {folder}: ACC " in err
    with (tmp_path / "deep" / "l.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ['one/b, "c".png', "one/ä.png", "two/a.png"]


@pytest.mark.long
def test_another_data_set_is_scored_as_outliers(vaeclust: Run, files: Path, tmp_path: Path) -> None:
    code, out, err = vaeclust(*small(files, tmp_path, "--outliers", files / "unlabelled.npz"))
    assert (code, err) == (0, "")
    found = json.loads((Path(out.splitlines()[-1]) / "metrics.json").read_text())["outliers"]
    assert (found["dataset"], found["known"], found["strange"]) == ("unlabelled", 24, 120)
    assert len(found["mean"]) == 4


def test_the_outliers_of_an_experiment_are_for_its_own_data() -> None:
    assert _outliers(parse_run(["vaedec-coil20", "--dataset", "digits"]), None) is None
    for argv in (["vaedec-coil20"], ["vaedec-coil20", "--dataset", "coil20"]):
        own = _outliers(parse_run(argv), None)
        assert own is not None
        assert own.name == EXPERIMENTS["vaedec-coil20"].outliers == "digits"


@pytest.mark.long
def test_runs_never_write_over_each_other(vaeclust: Run, files: Path, tmp_path: Path, monkeypatch: Any) -> None:
    from datetime import datetime

    from vaeclust_jax.folder import run_folder

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2030, 1, 2, 3, 4, 5)

    monkeypatch.setattr(run_folder, "datetime", Stopped)
    names = ["vaedec-20300102-030405", "vaedec-20300102-030405-2"]
    for name in names:
        code, out, _ = vaeclust(*small(files, tmp_path))
        assert code == 0
        assert out.splitlines()[-1] == str(tmp_path / name)
    first, second = (tmp_path / name / "assignments.csv" for name in names)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["latest", *names]
    assert os.readlink(tmp_path / "latest") == names[1]


@pytest.mark.long
def test_divergence_exits_1_with_a_sentence_and_leaves_a_model(vaeclust: Run, files: Path, tmp_path: Path) -> None:
    code, out, err = vaeclust(*small(files, tmp_path, "--learning-rate", "1e30"))
    (folder,) = tmp_path.iterdir()
    assert code == 1
    assert out == ""
    assert f"what was written so far is in {folder}" in err
    assert "turned non-finite in epoch 1 of stage 'vae' (seed 0)" in err
    assert "Traceback" not in err
    assert {"config.json", "history.csv", "model"} <= {path.name for path in folder.iterdir()}
    assert vaeclust("predict", folder, files / "vectors.npz", "--out", tmp_path / "l.csv")[0] == 0


@pytest.mark.long
def test_sigint_while_training_says_where_things_are(environment: dict[str, str], files: Path, tmp_path: Path) -> None:
    argv = small(files, tmp_path, "--epochs", 10**7, "--patience", 10**7, "--tolerance", 0)
    command = subprocess.Popen(
        [*VAECLUST, *map(str, argv)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("*/config.json")):
        assert command.poll() is None, command.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(2)
    command.send_signal(signal.SIGINT)
    try:
        out, err = command.communicate(timeout=60)
    finally:
        command.kill()
    (folder,) = tmp_path.iterdir()
    assert command.returncode == 130
    assert out == ""
    assert err.splitlines()[1:] == [
        f"vaeclust: what was written so far is in {folder}",
        f"vaeclust: to go on from there: vaeclust run --resume {folder}",
        "vaeclust: interrupted",
    ]


def on_a_terminal(argv: list[object], environment: dict[str, str]) -> tuple[int, str]:
    """Exit code and all that a pseudo-terminal was shown on stderr."""
    ours, theirs = pty.openpty()
    command = subprocess.Popen(
        [*VAECLUST, *map(str, argv)], env={**environment, "TERM": "xterm"}, stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    shown, deadline = b"", time.monotonic() + 150
    while time.monotonic() < deadline:
        if select.select([ours], [], [], 1)[0]:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux: the other end was closed
                break
            if not piece:
                break
            shown += piece
    os.close(ours)
    return command.wait(timeout=30), shown.decode(errors="replace")


@pytest.mark.long
def test_a_terminal_shows_a_bar_a_stage_with_loss_parts(
    environment: dict[str, str], files: Path, tmp_path: Path
) -> None:
    code, shown = on_a_terminal(small(files, tmp_path), environment)
    assert code == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "120 samples, 3 clusters" in text
    for stage, parts in {"vae": ["kl"], "joint": ["kl", "cl(?:uster)?"]}.items():
        lines = [line for line in re.split(r"[\r\n]+", text) if line.strip().startswith(stage) and "1/1" in line]
        assert lines, f"no bar for {stage} in {text!r}"
        for part in ("loss", "rec(?:onstruction)?", *parts):
            assert re.search(rf"{part} -?\d", lines[-1]), lines[-1]


@pytest.mark.slow
def test_quiet_is_silent_on_a_terminal(environment: dict[str, str], files: Path, tmp_path: Path) -> None:
    assert on_a_terminal(small(files, tmp_path, "--quiet"), environment) == (0, "")


@pytest.mark.long
def test_an_input_error_after_training_keeps_what_was_written(
    vaeclust: Run, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, say, while the scores are written."""
    from vaeclust_jax.errors import InputError
    from vaeclust_jax.studies import write

    def full(*arguments: Any) -> None:
        raise InputError("no space left")

    monkeypatch.setattr(write, "save_figures", full)
    code, _, err = vaeclust(*small(files, tmp_path))
    (folder,) = tmp_path.iterdir()
    assert {"model", "history.csv", "metrics.json"} <= {path.name for path in folder.iterdir()}
    assert code == 2
    assert str(folder) in err
    assert "no space left" in err


@pytest.mark.long
def test_auto_chooses_the_number_of_clusters_and_says_why(vaeclust: Run, files: Path, tmp_path: Path) -> None:
    words = ["--epochs", 20, "--learning-rate", 0.01, "--beta", 0.1, "--joint-epochs", 1, "--out", tmp_path]
    code, out, err = vaeclust("run", "vaedec", "--dataset", files / "vectors.npz", "--clusters", "auto", *TINY, *words)
    assert code == 0, err
    folder = Path(out.splitlines()[-1])
    metrics = json.loads((folder / "metrics.json").read_text())
    choice = metrics["num_clusters_choice"]
    assert metrics["num_clusters"] == choice["num_clusters"] == choice["curve"]["best"]["bic"]
    assert choice["curve"]["candidates"] == list(range(2, 21))
    assert choice["reason"] in " ".join(out.split())
    assert (folder / "num_clusters.png").is_file()


@pytest.mark.slow
def test_auto_chooses_whether_views_are_moved_and_says_why(vaeclust: Run, files: Path, tmp_path: Path) -> None:
    x, y = squares()
    np.savez(tmp_path / "bands.npz", x=x, y=y)
    words = ["--clusters", 3, "--epochs", 2, "--image-size", 16, 16, "--out", tmp_path / "runs"]
    code, out, err = vaeclust("run", "vaegraph", "--dataset", tmp_path / "bands.npz", *TINY, *words)
    assert code == 0, err
    folder = Path(out.splitlines()[-1])
    metrics, config = (json.loads((folder / name).read_text()) for name in ("metrics.json", "config.json"))
    choice = metrics["augment_choice"]
    best = max(choice["tried"], key=lambda one: one["score"])
    assert choice["augment"] == config["config"]["method"]["augment"] == best["augment"]
    assert choice["reason"] in " ".join(out.split())
    assert choice["reason"] in metrics["findings"]


def test_auto_is_of_run_alone(vaeclust: Run, tmp_path: Path) -> None:
    code, _, err = vaeclust("tune", "--clusters", "auto", "--out", tmp_path)
    assert code == 2
    assert "clusters 'auto' is of vaeclust run: give a number here" in err


def test_what_is_run_by_default_is_our_best_on_digits_and_makes_no_choice() -> None:
    args = parse_run([])
    assert (args.experiment.name, args.experiment.dataset) == ("vaegraph", "digits")
    plan = planned(args)
    assert plan.parts.data.of(plan.config).preparation.output_shape == (8, 8, 1)
    assert (plan.config.method.augment, plan.views) == (0.0, None)
