"""`vaeclust compare`, on folders of runs written by hand."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Answer
from tests.folder.made_record import GENERATED, made_record, made_scores

Run = Callable[..., Answer]

METHODS = {"vaedec": 0.1, "vae-kmeans": 0.0, "k-means on pixels": -0.1}
SEEDS = ("results", "vaedec", "all", "seeds")
AGAIN = "was written by another version of vaeclust_jax: run it again"


def make(folder: Path, *, gamma: float = 100.0, level: float = 0.6, dataset: str = "digits") -> Path:
    """The folder of a run that finished, as far as it is read."""
    prepare = {"image_size": [32, 32], "validation": 0.2, "stratify": False, "split_seed": 0}
    model = {"likelihood": "bernoulli", "gamma": gamma}
    config = {"num_clusters": 10, "prepare": prepare, "network": {"hidden": [64]}, "model": model, "training": {}}
    step = 0.01 if gamma == 100 else 0.012  # differences of equal steps would have no spread
    results = {
        method: {
            protocol: [made_scores(level + better + lower + step * seed**2, seed) for seed in range(3)]
            for protocol, lower in {"all": 0.0, "validation": -0.05}.items()
        }
        for method, better in METHODS.items()
    }
    metrics = made_record(results, dataset=dataset, shallow=("k-means on pixels",)).record()
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"experiment": "vaedec", "seeds": [0, 1, 2], "config": config}))
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder


def change(path: Path, *keys: Any, value: Any = None) -> None:
    """Puts a value into a JSON file, or takes it out if there is none."""
    content = json.loads(path.read_text())
    inner = content
    for key in keys[:-1]:
        inner = inner[key]
    if value is None:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = value
    path.write_text(json.dumps(content))


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    return [make(tmp_path / "high"), make(tmp_path / "low", gamma=10.0, level=0.4)]


@pytest.mark.long
def test_two_runs_in_a_process_of_its_own(process: Run, runs: list[Path], tmp_path: Path) -> None:
    code, out, err = process("compare", "low", "high", "--out", "side", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "Scores on digits, all rows" in out
    assert "Pairs on digits: NMI, all rows" in out
    assert "On digits, vaedec (gamma 100) has the highest NMI, 0.717 ± 0.021: told apart from vaedec (gamma 10)" in out
    assert out.splitlines()[-1] == "side"
    endings = ("csv", "md", "tex")
    tables = {path.name for path in (tmp_path / "side" / "tables").iterdir()}
    assert tables == {f"{name}-digits.{ending}" for name in ("scores", "pairs") for ending in endings}
    assert not (tmp_path / "side" / "ranks.png").exists()
    with (tmp_path / "side" / "tables" / "pairs-digits.csv").open(newline="") as file:
        (pair,) = csv.DictReader(file)
    assert (pair["first"], pair["second"]) == ("vaedec (gamma 10)", "vaedec (gamma 100)")
    assert float(pair["difference"]) == pytest.approx(-0.2 + 0.002 * 5 / 3)


def test_without_out_nothing_is_written(vaeclust: Run, runs: list[Path], tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    code, out, err = vaeclust("compare", *runs)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].startswith("On digits,")
    assert sorted(tmp_path.rglob("*")) == before


def test_every_method_over_data_sets_is_ranked(vaeclust: Run, tmp_path: Path) -> None:
    folders = [make(tmp_path / name, dataset=name) for name in ("digits", "coil20", "mnist", "fashion")]
    code, out, err = vaeclust(
        "compare", *folders, "--every-method", "--score", "ari", "--out", tmp_path / "new" / "out"
    )
    assert (code, err) == (0, "")
    assert "Average rank by ARI over 4 data sets" in out
    assert "Over 4 data sets, vaedec has the best average rank by ARI, 1.00 of 3" in out
    assert (tmp_path / "new" / "out" / "ranks.png").read_bytes().startswith(b"\x89PNG\r\n")
    with (tmp_path / "new" / "out" / "tables" / "ranks.csv").open(newline="") as file:
        ranked = [(line["method"], float(line["average rank"])) for line in csv.DictReader(file)]
    assert ranked == [("vaedec", 1), ("vaedec: vae-kmeans", 2), ("k-means on pixels", 3)]


def test_the_protocol_is_chosen(vaeclust: Run, runs: list[Path]) -> None:
    code, out, _ = vaeclust("compare", *runs, "--protocol", "validation")
    assert code == 0
    assert "vaedec (gamma 100) has the highest NMI, 0.667 ± 0.021" in out


def test_folders_of_one_name_are_told_apart_by_their_path(vaeclust: Run, tmp_path: Path) -> None:
    first, second = make(tmp_path / "x" / "run"), make(tmp_path / "y" / "run")
    code, out, _ = vaeclust("compare", first, second, make(tmp_path / "z"))
    assert code == 0
    assert "vaedec in z" in out
    change(second / "metrics.json", "versions", "vaeclust_jax", value="9.0")
    out = vaeclust("compare", first, second)[1]
    assert out.splitlines()[-1] == (
        f"warning: the runs are of different versions of vaeclust_jax: 0.1.0 in {first}; 9.0 in {second}"
    )


def test_a_folder_may_be_the_one_we_are_in(vaeclust: Run, runs: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    change(runs[1] / "config.json", "config", "model", "gamma", value=100.0)
    monkeypatch.chdir(runs[0])
    code, out, _ = vaeclust("compare", ".", "../low")
    assert code == 0
    assert "vaedec in high" in out
    assert (
        vaeclust("compare", ".", runs[0])[2] == f"vaeclust: RUN_DIR must be different folders, got {runs[0]} 2 times\n"
    )


def test_help_and_usage_name_the_command(vaeclust: Run) -> None:
    assert "\n  compare RUN_DIR..." in vaeclust("--help")[1]
    code, out, _ = vaeclust("compare", "--help")
    assert code == 0
    for option in ("--score", "--protocol", "--every-method", "--out"):
        assert option in out


def refused(answer: Answer, sentence: str) -> None:
    assert answer == (2, "", f"vaeclust: {sentence}\n")


def test_folders_that_cannot_be_compared_are_refused(vaeclust: Run, runs: list[Path], tmp_path: Path) -> None:
    high, low = runs
    refused(vaeclust("compare"), "RUN_DIR must be the folders of at least two runs, got 0")
    refused(vaeclust("compare", high), "RUN_DIR must be the folders of at least two runs, got 1")
    must = "RUN_DIR must be the folder of a run, got"
    refused(vaeclust("compare", high, tmp_path / "none"), f"{must} {tmp_path / 'none'}, which does not exist")
    refused(vaeclust("compare", high, low / "config.json"), f"{must} {low / 'config.json'}, which is a file")
    refused(vaeclust("compare", high, tmp_path), f"{must} {tmp_path}, which holds no config.json")
    (low / "metrics.json").unlink()
    refused(vaeclust("compare", high, low), f"the run in {low} did not finish: metrics.json is missing")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"\xff\xfe", b"null"])
@pytest.mark.parametrize("name", ["config.json", "metrics.json"])
def test_damaged_files_are_refused(vaeclust: Run, runs: list[Path], name: str, content: bytes) -> None:
    (runs[1] / name).write_bytes(content)
    code, out, err = vaeclust("compare", *runs)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(
        (
            f"vaeclust: {runs[1] / name} cannot be read as JSON of a run: ",
            f"vaeclust: {runs[1] / name} must hold an object, got ",
        )
    )


@pytest.mark.parametrize(
    ("keys", "value"),
    [(["config"], None), (["config", "prepare", "split_seed"], None)],
)
def test_configs_of_another_form_are_refused(vaeclust: Run, runs: list[Path], keys: list[Any], value: Any) -> None:
    change(runs[0] / "config.json", *keys, value=value)
    refused(vaeclust("compare", *runs), f"{runs[0]} {AGAIN}")


def test_a_config_that_is_none_is_refused(vaeclust: Run, runs: list[Path]) -> None:
    path = runs[0] / "config.json"
    change(path, "config", value=[1])
    refused(vaeclust("compare", *runs), f"{path}: config must be an object, got [1]")


@pytest.mark.parametrize(
    ("keys", "value", "fault"),
    [
        (["experiment"], None, "experiment is missing"),
        (["method"], None, "method is missing"),
        (["method"], "gone", "results must have the named method on all rows"),
        (["dataset"], "digits", "dataset must be an object, got 'digits'"),
        (["dataset", "shape"], 3, "dataset.shape must be a list, got 3"),
        (["dataset", "name"], 3, "dataset.name must be text, got 3"),
        (["versions", "vaeclust_jax"], None, "versions.vaeclust_jax is missing"),
        (["results"], None, "results is missing"),
        (["results", "vaedec", "all"], None, "results must have the named method on all rows"),
        ([*SEEDS], [], "seeds of the results must be of different seeds, at least one"),
        ([*SEEDS, 0, "nmi"], None, "results.vaedec.all.seeds.0.nmi is missing"),
        ([*SEEDS, 0, "nmi"], "0.5", "results.vaedec.all.seeds.0.nmi must be a finite number, got '0.5'"),
        ([*SEEDS, 0, "nmi"], float("nan"), "results.vaedec.all.seeds.0.nmi must be a finite number, got nan"),
        ([*SEEDS, 0, "seed"], 1, "seeds of the results must be of different seeds, at least one"),
    ],
)
def test_records_of_another_form_are_refused(
    vaeclust: Run, runs: list[Path], keys: list[Any], value: Any, fault: str
) -> None:
    path = runs[0] / "metrics.json"
    change(path, *keys, value=value)
    refused(vaeclust("compare", *runs), f"{path}: {fault}")


def test_an_older_run_is_read_if_nothing_is_missing_and_a_newer_one_is_not(vaeclust: Run, runs: list[Path]) -> None:
    path = runs[0] / "metrics.json"
    for key in ("schema", "task"):
        change(path, key)
    assert vaeclust("compare", *runs)[0] == 0
    change(path, "uncertainty")
    refused(vaeclust("compare", *runs), f"{path} was written by an older vaeclust_jax: run it again")
    change(path, "schema", value=3)
    newer = "was written by a newer vaeclust_jax, whose records this one cannot read: upgrade it"
    refused(vaeclust("compare", *runs), f"{path} {newer}")


def test_a_run_that_does_not_cluster_is_refused(vaeclust: Run, runs: list[Path]) -> None:
    (runs[0] / "metrics.json").write_text(json.dumps(GENERATED.record()))
    refused(
        vaeclust("compare", *runs), f"RUN_DIR must be the folders of clusterings, got {runs[0]}, which is of generation"
    )


def test_other_data_of_the_same_name_are_refused(vaeclust: Run, runs: list[Path]) -> None:
    change(runs[1] / "metrics.json", "dataset", "shape", value=[1797, 64])
    sentence = "runs on digits must have the same data, got shape (1797, 8, 8, 1) in high and (1797, 64) in low"
    refused(vaeclust("compare", *runs), sentence)


def test_a_folder_with_files_is_not_written_to(vaeclust: Run, runs: list[Path], tmp_path: Path) -> None:
    high = runs[0]
    before = (high / "metrics.json").read_bytes()
    refused(
        vaeclust("compare", *runs, "--out", high), f"out must be a new or empty folder, got {high}, which holds files"
    )
    assert (high / "metrics.json").read_bytes() == before
    (tmp_path / "file").write_text("mine")
    code, out, err = vaeclust("compare", *runs, "--out", tmp_path / "file")
    assert (code, out) == (2, "")
    assert "output folder must be one that can be written to" in err


@pytest.mark.parametrize("flags", [["--score", "silhouette"], ["--protocol", "train"], ["--no-such-flag"]])
def test_flags_out_of_range_are_refused(vaeclust: Run, runs: list[Path], flags: list[str]) -> None:
    assert vaeclust("compare", *runs, *flags)[0] == 2
