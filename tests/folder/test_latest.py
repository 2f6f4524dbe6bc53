"""The link to the last run: ours is moved, anything else of the name is left alone."""

import os
from pathlib import Path
from typing import Any

import pytest

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.latest import point_latest, run_at


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of runs of somebody who works in `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    for name in ("first", "second"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    return tmp_path / "runs"


def test_the_link_leads_to_the_last_run_and_moves_with_the_folder(runs: Path, tmp_path: Path) -> None:
    for name in ("first", "second", "second"):
        point_latest(runs / name)
        assert (runs / "latest").resolve() == runs / name
    assert sorted(path.name for path in runs.iterdir()) == ["first", "latest", "second"]
    runs.rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "latest").resolve() == tmp_path / "moved" / "second"


def test_a_link_whose_run_was_removed_is_moved(runs: Path) -> None:
    point_latest(runs / "first")
    (runs / "first").rmdir()
    point_latest(runs / "second")
    assert (runs / "latest").resolve() == runs / "second"


@pytest.mark.parametrize(
    "make",
    [
        lambda latest: latest.write_text("mine"),
        Path.mkdir,
        lambda latest: latest.symlink_to("../elsewhere"),
        lambda latest: latest.symlink_to(Path.home()),
    ],
    ids=["a file", "a folder", "a link up", "a link to a full path"],
)
def test_what_is_not_ours_is_left_alone(runs: Path, make: Any) -> None:
    latest = runs / "latest"
    make(latest)
    before = (latest.lstat().st_ino, latest.is_symlink() and os.readlink(latest))
    point_latest(runs / "first")
    assert (latest.lstat().st_ino, latest.is_symlink() and os.readlink(latest)) == before
    assert sorted(path.name for path in runs.iterdir()) == ["first", "latest", "second"]


def test_without_links_nothing_happens(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: Any, **named: Any) -> None:
        raise OSError("Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refused)
    point_latest(runs / "first")
    assert sorted(path.name for path in runs.iterdir()) == ["first", "second"]


def test_the_word_stands_for_the_folder_that_it_leads_to(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="runs/latest is not there: start a run, or give the folder of one"):
        run_at(Path("latest"))
    point_latest(runs / "second")
    assert run_at(Path("latest")) == Path("runs/second")
    assert run_at(runs / "latest") == runs / "second"
    assert run_at(Path("runs/first")) == Path("runs/first")
    (tmp_path / "latest").mkdir()
    assert run_at(Path("latest")) == Path("latest"), "a folder here comes first"
    (runs / "second").rmdir()
    (runs / "first" / "config.json").write_text("{}")
    with pytest.raises(InputError, match=r"is not there: the newest run beside it is .*/first"):
        run_at(runs / "latest")


def test_of_several_repetitions_it_is_the_last(runs: Path) -> None:
    for name in ("split-0", "split-1"):
        (runs / "second" / name).mkdir()
        point_latest(runs / "second" / name)
    point_latest(runs / "second")
    assert run_at(Path("latest")).resolve() == runs / "second" / "split-1"
    assert run_at(runs / "second") == runs / "second"
