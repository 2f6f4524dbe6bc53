"""`vaeclust report`: what it writes and prints, and what it refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Answer
from tests.page.made_run import made_map, make_run

Run = Callable[..., Answer]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run")


def test_it_writes_the_page_and_the_tables_and_prints_the_page_last(vaeclust: Run, folder: Path) -> None:
    before = {path.name for path in folder.iterdir()}
    code, out, err = vaeclust("report", folder)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[-1] == str(folder / "report.html")
    assert sorted(lines[:-1]) == sorted(str(path) for path in (folder / "tables").iterdir())
    assert {path.suffix for path in (folder / "tables").iterdir()} == {".md", ".tex", ".csv"}
    assert all(Path(line).stat().st_size > 0 for line in lines)
    assert {path.name for path in folder.iterdir()} - before == {"report.html", "tables"}


def test_it_can_be_made_again(vaeclust: Run, folder: Path) -> None:
    vaeclust("report", folder)
    (folder / "report.html").write_text("an older page")
    assert vaeclust("report", folder)[0] == 0
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_what_a_killed_report_left_goes_with_the_next(vaeclust: Run, folder: Path) -> None:
    (folder / ".report.html.0123abcd.unfinished").write_text("half")
    (folder / ".mine.unfinished").write_text("mine")
    assert vaeclust("report", folder)[0] == 0
    assert [path.name for path in folder.glob(".*")] == [".mine.unfinished"]


def test_help(vaeclust: Run) -> None:
    code, out, err = vaeclust("report", "--help")
    assert (code, err) == (0, "")
    assert "vaeclust report" in out
    assert "Markdown, LaTeX (booktabs) and CSV" in out
    assert "\n  report RUN_DIR " in vaeclust("--help")[1]


def _remove(*names: str) -> Callable[[Path], Any]:
    return lambda folder: [(folder / name).unlink() for name in names]


def _older(folder: Path) -> None:
    _remove("tables.json", "figures.json")(folder)
    (folder / "metrics.json").write_text('{"experiment": "vaedec"}')


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_remove("metrics.json"), "did not finish: metrics.json is missing"),
        (_remove("config.json"), "holds no config.json"),
        (_older, "was written by an older vaeclust_jax: run it again"),
        (lambda folder: (folder / "map.npz").write_bytes(b"PK no map"), "map.npz cannot be read"),
        (lambda folder: (folder / "tables.json").write_text('{"format": 9}'), "tables.json: it must be a list"),
        (lambda folder: (folder / "tables").write_text("in the way"), "a file is in the way"),
    ],
    ids=["unfinished", "no run", "older", "damaged map", "other tables", "a file in the way"],
)
def test_a_mistake_is_one_sentence(vaeclust: Run, folder: Path, spoil: Callable[[Path], Any], words: str) -> None:
    spoil(folder)
    code, out, err = vaeclust("report", folder)
    assert (code, out) == (2, "")
    assert words in err
    assert len(err.splitlines()) == 1
    assert err.startswith("vaeclust: ")


@pytest.mark.parametrize("argv", [["nowhere"], [], ["a", "b"], ["--all"]])
def test_arguments_that_are_none(
    vaeclust: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = vaeclust("report", *argv)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    if argv == ["nowhere"]:
        assert "RUN_DIR must be the folder of a run, got nowhere, which does not exist" in err


def test_a_map_is_part_of_the_page(vaeclust: Run, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", latent_map=made_map().take(range(0, 1797, 20)))
    assert vaeclust("report", folder)[0] == 0
    assert 'id="cluster-9"' in (folder / "report.html").read_text(encoding="utf-8")
