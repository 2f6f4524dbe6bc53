"""The README's first screen and its examples are true."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
FIRST_SCREEN = README.partition("```python")[0]
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_the_first_screen_has_two_lines_to_copy() -> None:
    lines = [
        line for block in re.findall(r"```bash\n(.*?)```", FIRST_SCREEN, flags=re.DOTALL) for line in block.split("\n")
    ]
    run, test = [line for line in lines if line]
    assert run.startswith("python3 -m venv ")
    assert run.endswith("vaeclust run")
    assert test.startswith("python3 -m venv ")
    assert test.endswith("pytest")


def test_links_and_pictures_exist() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line[3:].lower()).replace(" ", "-")
        for line in README.split("\n")
        if line.startswith("## ")
    }
    assert set(re.findall(r"\(#([a-z-]+)\)", README)) == headings
    for picture in re.findall(r'src="([^"]+)"', README):
        assert (Path(__file__).parent.parent / picture).stat().st_size > 10_000


@pytest.mark.long
def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shorter = "vc.Config(vc.DEC(10, pretrain_epochs=1, joint_epochs=1), network=vc.MLP())"
    names: dict[str, object] = {}
    for code in PYTHON:
        exec(code.replace("vc.Config(vc.DEC(num_clusters=10))", shorter), names)
    assert names["labels"].shape == (1797,)
    assert names["images"].shape == (16, 32, 32, 1)
    assert (tmp_path / "digits.vaeclust").is_file()
    assert names["run"].predict_proba(names["digits"].x[:3]).shape == (3, 10)


def test_every_named_set_is_in_the_table() -> None:
    from vaeclust_jax.data import DATASETS

    for name in DATASETS:
        assert f"`{name}`" in README
