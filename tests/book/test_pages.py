"""The book's pages hang together. `.ci/run` builds them, with warnings as errors, and checks the links."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

import vaeclust_jax as vc
from notebooks.book.links import broken

HOUSE = Path(__file__).parent.parent.parent
BOOK = HOUSE / "notebooks"
SOURCES = [path for ending in ("md", "ipynb") for path in BOOK.rglob(f"*.{ending}") if path != BOOK / "README.md"]


def test_every_page_is_in_the_reading_order_once() -> None:
    listed = []
    for path in BOOK.glob("*.md"):
        for block in re.findall(r"```\{toctree\}\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.DOTALL):
            entries = [line for line in block.split("\n") if line and not line.startswith(":")]
            listed += [re.sub(r".*<(.*)>", r"\1", entry) for entry in entries]
    assert sorted(listed) == sorted(
        str(path.relative_to(BOOK).with_suffix("")) for path in SOURCES if path != BOOK / "index.md"
    )


def test_the_first_example_is_the_readmes() -> None:
    first, start = (
        re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.DOTALL)[0]
        for path in (HOUSE / "README.md", BOOK / "start.md")
    )
    assert first == start


@pytest.mark.parametrize("path", sorted((BOOK / "methods").glob("*.md")), ids=lambda path: path.stem)
def test_the_values_on_a_methods_page_can_be_made(path: Path) -> None:
    for code in re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.DOTALL):
        exec(code, {"vc": vc})


@pytest.mark.long
def test_the_consensus_of_any_clusterer_can_be_had() -> None:
    text = (BOOK / "consensus.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL):
        packages = re.findall(r"^from (umap|bertopic) import", code, flags=re.MULTILINE)
        if "bertopic" not in packages and all(map(find_spec, packages)):  # BERTopic loads a language model
            exec(code, names)
            assert names["found"].labels.shape == (1797,)  # type: ignore[attr-defined]


def test_broken_links_and_what_a_page_loads_from_elsewhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="#here">1</a><a href="#gone">2</a><a href="inside/b.html#there">3</a>'
        '<a href="https://example.org/x">4</a><img src="gone.png"><a href="inside/b.html#here">5</a>'
        '<script src="https://example.org/x.js"></script><link rel="stylesheet" href="//example.org/x.css">'
    )
    (tmp_path / "inside" / "b.html").write_text('<a name="there" href="../a.html">1</a><a href="../c.html">2</a>')
    assert broken(tmp_path) == [
        "a.html: #gone: no such anchor",
        "a.html: gone.png: no such file",
        "a.html: inside/b.html#here: no such anchor",
        "a.html: https://example.org/x.js: loaded from a network",
        "a.html: //example.org/x.css: loaded from a network",
        "b.html: ../c.html: no such file",
    ]
