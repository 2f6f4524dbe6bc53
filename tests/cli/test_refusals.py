"""What `vaeclust run` refuses, with a sentence and before anything is trained."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import TINY, Answer
from tests.fitting.made import squares

Run = Callable[..., Answer]


@pytest.mark.parametrize(
    "flags",
    [
        ["--clusters", "auto", "--batch-size", "0"],
        ["--clusters", "auto", "--outliers", "{files}/narrow.npz"],
        ["--clusters", "auto", "--beta", "dynamc"],
        ["--clusters", "auto", "--augment", "1"],
        ["--clusters", "auto", "--checkpoint-epochs", "0"],
        ["--clusters", "auto", "--checkpoint-minutes", "0"],
        ["--clusters", "auto", "--out", "{files}/notes.txt"],
        ["--clusters", "auto", "--first-seed", "4294967296"],
        ["--clusters", "auto", "--tolerance", "2"],
        ["--clusters", "auto", "--network", "conv"],
        ["--clusters", "auto", "--hidden", "16"],
    ],
    ids=" ".join,
)
def test_every_refusal_comes_before_a_choice_trains(
    vaeclust: Run, files: Path, tmp_path: Path, flags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaeclust_jax.training.loop.epoch_program", lambda *given: pytest.fail("it trains"))
    words = [flag.format(files=files) for flag in flags]
    code, _, err = vaeclust("run", "vaedec", "--dataset", files / "vectors.npz", "--out", tmp_path / "runs", *words)
    assert code == 2
    assert err.count("\n") == 1
    assert err.startswith("vaeclust: ")
    assert not list(tmp_path.glob("runs/*"))


def test_views_that_no_graph_can_judge_are_refused_before_clusters_are_counted(
    vaeclust: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaeclust_jax.training.loop.epoch_program", lambda *given: pytest.fail("it trains"))
    np.savez(tmp_path / "few.npz", x=squares()[0][:8].repeat(2, axis=1).repeat(2, axis=2))
    words = ["--clusters", "auto", "--augment", "auto", "--validation", 0.4, "--out", tmp_path / "runs"]
    code, _, err = vaeclust("run", "vaedec", "--dataset", tmp_path / "few.npz", *words)
    assert (code, err) == (2, "vaeclust: a choice of views needs more than 5 training samples, got 5\n")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["vaedec-coil2"], ["'vaedec-coil2'", "did you mean vaedec-coil20"]),
        (["zzz"], ["'zzz'", "there are vaedec, "]),
        (["--dataset", "digit"], ["'digit'", "did you mean digits"]),
        (["--outliers", "digit"], ["'digit'", "did you mean digits"]),
        (["--outliers", "{files}/vectors.npz"], ["outliers must be samples like those of digits, (8, 8, 1), got "]),
        (["--dataset", "{files}/vectors.npz", "--clusters", "3", "--outliers", "{files}/narrow.npz"], ["(5,)", "(4,)"]),
        (["--dataset", "no/such.npz"], ["no/such.npz does not exist"]),
        (["--dataset", ""], ["''"]),
        (["--dataset", "{files}/vectors.npz"], ["--clusters is needed", "vectors"]),
        (["--dataset", "{files}/nan.npz", "--clusters", "2"], ["finite", "50 NaN"]),
        (["--dataset", "{files}/nox.npz", "--clusters", "2"], ["named x", "'z'"]),
        (["--dataset", "{files}/mixed.npz", "--clusters", "2"], ["7 labels", "120 samples"]),
        (["--dataset", "{files}/cut.npz", "--clusters", "2"], ["damaged or cut short"]),
        (["--dataset", "{files}/empty", "--clusters", "2"], ["holds no images"]),
        (["--dataset", "{files}/notes.txt", "--clusters", "2"], ["notes.txt must hold at least one row of numbers"]),
        (["--clusters", "1"], ["--clusters must be at least 2", "got 1"]),
        (["--clusters", "5000"], ["5000 clusters", "samples"]),
        (["--seeds", "0"], ["seeds", "at least 1", "got 0"]),
        (["--first-seed", "-1"], ["first_seed", "got -1"]),
        (["--first-seed", "4294967296"], ["seed", "4294967296"]),
        (["--clustering", "vade"], ["there is no flag --clustering"]),
        (["--epochs", "0"], ["pretrain_epochs", "at least 1", "got 0"]),
        (["--beta", "nan"], ["beta", "got nan"]),
        (["--network", "custom"], ["network must be one of", "'custom'"]),
        (["--scaling", "minmax"], ["scaling='minmax' is for vectors"]),
        (["--validation", "1.5"], ["validation", "got 1.5"]),
        (
            ["vaegmm-mnist", "--dataset", "digits", "--validation", "0", "--clusters", "auto"],
            ["naming clusters needs validation rows"],
        ),
        (["--seeds", "1000000000"], ["seeds", "at most 65536", "got 1000000000"]),
        (["--clusters", "3.5"], ["--clusters", "3.5", "see vaeclust run --help"]),
        (["--clusters", "x" * 3000], ["--clusters", "xxx"]),
        (["x" * 3000], ["xxx..."]),
        (["--dataset", "x" * 3000], ["cannot be read", "name too long"]),
        (["--resume", "x" * 3000], ["no folder of a run that can go on"]),
        (["--likelihood", "poisson"], ["poisson", "gaussian"]),
        (["--bogus", "1"], ["--bogus"]),
    ],
    ids=lambda value: " ".join(value)[:80] if isinstance(value, list) else None,
)
def test_a_mistake_exits_2_and_leaves_nothing(
    vaeclust: Run, files: Path, tmp_path: Path, argv: list[str], words: list[str]
) -> None:
    given = [word.format(files=files) for word in argv]
    code, out, err = vaeclust("run", *TINY, *given, "--out", tmp_path / "runs")
    assert code == 2, err
    assert out == ""
    assert [word for word in words if word not in err] == [], err
    assert "Traceback" not in err
    said = err.splitlines()[-1]
    assert said.startswith("vaeclust: ")
    assert len(said) < 1100
    assert not any((tmp_path / "runs").glob("*"))


@pytest.mark.parametrize("out", ["{files}/notes.txt", "{files}/notes.txt/below", "/proc/nothing"])
def test_an_out_that_cannot_be_written_is_refused(vaeclust: Run, files: Path, out: str) -> None:
    out = out.format(files=files)
    code, _, err = vaeclust("run", "--out", out)
    assert code == 2
    assert out in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ("predict", "vaeclust predict needs RUN_DIR and INPUT; see vaeclust predict --help"),
        ("completion", "vaeclust completion needs bash or zsh or fish; see vaeclust completion --help"),
        ("run digits --clusters three", "--clusters must be none or a whole number or auto, got 'three'; see vaeclust"),
        ("run digits --image-size a b", "--image-size must be none or two whole numbers or auto, got 'a', 'b'; see"),
        ("run digits --latent-dim 2.5", "--latent-dim must be a whole number, got '2.5'; see vaeclust run --help"),
        ("run digits --lr x", "--learning-rate must be a number, got 'x'; see vaeclust run --help"),
        ("run digits -k", "Missing value for argument '--clusters'. Expected one value; see vaeclust run --help"),
    ],
)
def test_values_that_do_not_fit_are_named_without_a_parser_s_words(vaeclust: Run, argv: str, sentence: str) -> None:
    code, out, err = vaeclust(*argv.split())
    assert (code, out) == (2, "")
    assert err.startswith(f"vaeclust: {sentence}")
    assert err.count("\n") == 1
