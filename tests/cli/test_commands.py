"""The other commands, and what `predict` refuses."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import vaeclust_jax as vc
from tests.cli.conftest import Answer
from vaeclust_jax import cli
from vaeclust_jax.data import DATASETS
from vaeclust_jax.experiments import EXPERIMENTS
from vaeclust_jax.methods.registry import METHODS

Run = Callable[..., Answer]
COMMANDS = ("run", "predict", "report", "compare", "tune", "check", "list", "data", "info", "completion")


@pytest.fixture(scope="session")
def model(fitted_model: vc.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "saved.vaeclust"
    fitted_model.save(path)
    return path


@pytest.fixture(scope="session")
def fitted_model() -> vc.Run:
    import jax

    from tests.fitting.made import blobs, config

    return vc.fit(config(joint_epochs=0), blobs()[0], jax.random.key(0))


@pytest.fixture(autouse=True)
def _no_data_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VAECLUST_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VAECLUST_DATA", raising=False)


def test_list_shows_every_experiment(vaeclust: Run) -> None:
    code, out, err = vaeclust("list")
    assert (code, err) == (0, "")
    experiments, methods = out.split("\n\nmethods, each alone:\n")
    assert [line.split()[0] for line in experiments.splitlines()] == list(EXPERIMENTS)
    assert [line.split()[0] for line in methods.splitlines()] == list(METHODS)
    assert out.count("(default)") == 1


def test_data_list_shows_every_set_and_where_it_is(vaeclust: Run, tmp_path: Path) -> None:
    code, out, _ = vaeclust("data", "list")
    assert code == 0
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[::2]] == list(DATASETS)
    assert "1797 x 8 x 8 x 1" in lines[0]
    assert lines[1].strip() == "embedded"
    assert not (tmp_path / "cache").exists()


def test_data_get_of_an_embedded_set(vaeclust: Run) -> None:
    assert vaeclust("data", "get", "digits") == (0, "embedded\n", "")


def test_info_names_devices_versions_and_folders(vaeclust: Run, tmp_path: Path) -> None:
    code, out, _ = vaeclust("info")
    assert code == 0
    for word in ("cpu", version("jax"), version("vaeclust_jax"), str(tmp_path / "cache"), "VAECLUST_DATA"):
        assert word in out


def test_version(vaeclust: Run) -> None:
    assert vaeclust("--version") == (0, version("vaeclust_jax") + "\n", "")


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"], ["help"]])
def test_help_names_every_command(vaeclust: Run, argv: list[str]) -> None:
    code, out, _ = vaeclust(*argv)
    assert code == 0
    for command in COMMANDS:
        assert f"\n  {command}" in out


def test_usage_names_what_is_asked_for(vaeclust: Run) -> None:
    for command, words in (("check", "DATA"), ("predict", "RUN_DIR INPUT"), ("study", "FILE"), ("data", "[NAME]")):
        for argv in ((command, "--help"), ("help", command)):
            code, out, _ = vaeclust(*argv)
            assert code == 0
            assert out.split("\n")[0].endswith(f" {words}")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("run", ["--dataset", "--clusters", "--outliers", "--seeds", "--epochs", "--gamma", "--image-size", "--out"]),
        ("predict", ["--out", "--seed", "--overwrite"]),
        ("report", []),
        ("compare", []),
        ("tune", ["--dataset", "--clusters", "--seeds", "--epochs", "--out"]),
        ("list", ["experiments"]),
        ("data", ["list", "get"]),
        ("info", ["Devices"]),
    ],
)
def test_every_command_has_help(vaeclust: Run, command: str, words: list[str]) -> None:
    code, out, err = vaeclust(command, "--help")
    assert (code, err) == (0, "")
    assert [word for word in (f"vaeclust {command}", *words) if word not in out] == []


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["rum"], ["'rum'", "did you mean run?"]),
        (["zzz"], ["'zzz'", "commands are run, predict"]),
        (["data", "get"], ["data get needs the name"]),
        (["data", "get", "mnist-tset"], ["'mnist-tset'", "did you mean", "mnist-test"]),
        (["data", "lst"], ["lst"]),
        (["data"], ["vaeclust data needs list or get"]),
        (["list", "more"], ["more"]),
        (["info", "--all"], ["--all"]),
        (["predict"], ["vaeclust predict needs RUN_DIR and INPUT"]),
        (["predict", "{model}"], ["needs RUN_DIR and INPUT"]),
        (["predict", "{files}/empty", "{files}/vectors.npz"], ["empty holds no model"]),
        (["predict", "latest", "{files}/vectors.npz"], ["runs/latest is not there"]),
        (["report", "latest"], ["runs/latest is not there"]),
        (["predict", "nowhere", "{files}/vectors.npz"], ["nowhere holds no model"]),
        (["predict", "{model}", "{files}/narrow.npz"], ["(5,)", "(4,)"]),
        (["predict", "{model}", "{files}/nan.npz"], ["finite"]),
        (["predict", "{model}", "{files}/empty"], ["holds no images"]),
        (["predict", "{model}", "digits"], ["(5,)", "(8, 8, 1)"]),
        (["predict", "{model}", "digit"], ["did you mean digits"]),
        (["predict", "{model}", "{files}/vectors.npz", "--out", "{files}"], ["--out must be a file"]),
        (["predict", "{model}", "{files}/vectors.npz", "--out", "{files}/cut.npz/l.csv"], ["a file is in the way"]),
        (["predict", "{model}", "{files}/vectors.npz", "--seed", "x"], ["--seed", "x"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_exits_2_without_a_traceback(
    vaeclust: Run, files: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    argv: list[str], words: list[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    code, out, err = vaeclust(*(word.format(files=files, model=model) for word in argv))
    assert code == 2, err
    assert out == ""
    assert [word for word in words if word not in err] == [], err
    assert "Traceback" not in err
    assert not (tmp_path / "labels.csv").exists()


def test_predict_writes_labels_csv_here_and_scores_where_there_are_labels(
    vaeclust: Run, files: Path, model: Path, fitted_model: vc.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = vaeclust("predict", model, files / "unlabelled.npz")
    assert (code, out, err) == (0, "labels.csv\n", "")
    with np.load(files / "unlabelled.npz") as arrays:
        expected = fitted_model.predict(arrays["x"])
    table = np.genfromtxt(tmp_path / "labels.csv", delimiter=",", names=True)
    np.testing.assert_array_equal(table["cluster"], expected)
    (tmp_path / "labels.csv").write_text("mine")
    code, out, err = vaeclust("predict", model, files / "vectors.npz")
    assert (code, out) == (2, "")
    assert err == "vaeclust: labels.csv is there already: --overwrite replaces it, --out FILE writes another\n"
    assert (tmp_path / "labels.csv").read_text() == "mine"
    code, _, err = vaeclust("predict", model, files / "vectors.npz", "--overwrite")
    assert code == 0
    assert (tmp_path / "labels.csv").read_text().startswith("row,cluster")
    assert "ACC" in err
    assert "ARI" in err


def test_predict_writes_to_devices_and_through_links(vaeclust: Run, files: Path, model: Path, tmp_path: Path) -> None:
    assert vaeclust("predict", model, files / "unlabelled.npz", "--out", "/dev/null")[0] == 0
    assert Path("/dev/null").is_char_device()
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    assert vaeclust("predict", model, files / "unlabelled.npz", "--out", tmp_path / "link.csv")[0] == 2
    argv = ("predict", model, files / "unlabelled.npz", "--out", tmp_path / "link.csv", "--overwrite")
    assert vaeclust(*argv)[0] == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("row,cluster")


def test_text_that_a_spreadsheet_would_run_is_quoted(tmp_path: Path) -> None:
    from vaeclust_jax.folder import write_assignments

    write_assignments(tmp_path / "a.csv", {"row": [-1, 2], "file": ["=HYPERLINK(1)", "-a.png"]})
    assert (tmp_path / "a.csv").read_text() == "row,file\n-1,'=HYPERLINK(1)\n2,'-a.png\n"


def test_a_file_name_that_is_no_utf_8_does_not_stop_a_run(
    vaeclust: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vaeclust_jax.folder import write_assignments

    write_assignments(tmp_path / "a.csv", {"row": [0], "file": ["\udcff.png"]})
    assert b"\xff.png" in (tmp_path / "a.csv").read_bytes()


@pytest.mark.parametrize(("place", "said"), [(None, ""), ("runs/x", ": runs/x")])
def test_a_full_disk_is_a_sentence_with_the_file_if_there_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str | None, said: str
) -> None:
    def full(argv: list[str]) -> None:
        raise OSError(28, "No space left on device", place)

    monkeypatch.setattr("vaeclust_jax.cli.commands.dispatch", full)
    assert cli._status(["run"]) == 2
    assert capsys.readouterr().err == f"vaeclust: No space left on device{said}\n"


@pytest.mark.parametrize(
    "error", [MemoryError("of NumPy"), RuntimeError("RESOURCE_EXHAUSTED: 9 bytes")], ids=["numpy", "xla"]
)
def test_too_little_memory_is_a_sentence(vaeclust: Run, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def dispatch(argv: list[str]) -> None:
        raise error

    monkeypatch.setattr("vaeclust_jax.cli.commands.dispatch", dispatch)
    code, _, err = vaeclust("run")
    assert code == 1
    assert err == f"vaeclust: there is not enough memory ({error}): make the model or the batches smaller\n"
