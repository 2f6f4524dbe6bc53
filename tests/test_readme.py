"""The README is short, and what it shows is true."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from benchmarks.results import FOLDER
from benchmarks.table import cells

HOUSE = Path(__file__).parent.parent
README = (HOUSE / "README.md").read_text(encoding="utf-8")
FIRST_SCREEN = README.partition("```python")[0]
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
PAGES = [HOUSE / "README.md", *sorted((HOUSE / ".github").glob("*.md")), *sorted((HOUSE / "benchmarks").glob("*.md"))]


def test_it_is_at_most_8_kilobytes() -> None:
    assert len(README.encode()) <= 8192


def test_the_first_screen_has_two_lines_to_copy() -> None:
    lines = [
        line for block in re.findall(r"```bash\n(.*?)```", FIRST_SCREEN, flags=re.DOTALL) for line in block.split("\n")
    ]
    run, test = [line for line in lines if line]
    assert run.startswith("python3 -m venv ")
    assert run.endswith("vaeclust run")
    assert test.startswith("python3 -m venv ")
    assert test.endswith("pytest")


def anchors(text: str) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_links_and_pictures_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text):
        name, _, anchor = link.partition("#")
        if name.startswith(("http://", "https://")):
            continue
        target = path.parent / name if name else path
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


def rows_below(heading: str) -> dict[str, list[str]]:
    """The table whose first line begins so, by its first column."""
    lines = README[README.index(heading) :].split("\n\n")[0].split("\n")[2:]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name.strip("*"): rest for name, *rest in table}


def test_its_accuracies_are_those_of_the_committed_rows() -> None:
    rows = json.loads((HOUSE / "benchmarks/results/quality/rows.json").read_text(encoding="utf-8"))
    sets = ["digits", "coil20", "mnist-test", "usps", "fashion-mnist", "pendigits"]
    for name, shown in rows_below("| method | digits").items():
        method = name.removesuffix(" on pixels").partition("[")[0]
        for dataset, figure in zip(sets, shown, strict=True):
            if not figure:  # not measured
                assert not any((row["method"], row["dataset"]) == (method, dataset) for row in rows)
                continue
            own = [row["acc"] for row in rows if (row["method"], row["dataset"]) == (method, dataset)]
            assert figure == f"{sum(own) / len(own):.3f}"


def test_its_times_are_those_of_the_committed_results() -> None:
    measured = [cells(row) for row in json.loads((FOLDER / "cpu-2.json").read_text(encoding="utf-8"))["rows"]]
    for ours, peer, ratio in rows_below("| what | ours | peer").values():
        theirs = peer.partition(",")[0]
        assert any(
            row[2].startswith(f"{ours} (") and row[3].startswith(f"{theirs} (") and row[4] == ratio for row in measured
        ), (ours, peer, ratio)


def test_the_citation_has_the_version_of_the_package() -> None:
    version = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"\nversion: {version}\n" in (HOUSE / ".github" / "CITATION.cff").read_text(encoding="utf-8")


@pytest.mark.long
def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the README, and of the pages that go on where it ends."""
    monkeypatch.chdir(tmp_path)
    shorter = "vc.Config(vc.DEC(10, pretrain_epochs=1, joint_epochs=1), network=vc.MLP())"
    names: dict[str, object] = {}
    pages = [
        (HOUSE / "notebooks" / page).read_text("utf-8") for page in ("python.md", "uncertainty.md", "add/network.md")
    ]
    further = [code for page in pages for code in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)]
    assert len(further) == 6
    for code in PYTHON + further:
        exec(code.replace("vc.Config(vc.DEC(num_clusters=10))", shorter), names)
    assert names["labels"].shape == (1797,)
    assert names["fine"].max() == 29
    assert names["images"].shape == (16, 8, 8, 1)
    assert (tmp_path / "digits.vaeclust").is_file()
    assert names["run"].predict_proba(names["digits"].x[:3]).shape == (3, 10)
