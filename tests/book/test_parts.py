"""The generated parts of the book say what the code and the committed results say."""

import inspect
import json
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import vaeclust_jax as vc
from notebooks.book.api import api, as_rst
from notebooks.book.commands import said
from notebooks.book.controllers import controllers
from notebooks.book.datasets import named_sets
from notebooks.book.methods import scores_of, settings, stages
from notebooks.book.parts import PARTS
from notebooks.book.quality import CHOICES, accuracies, decision
from vaeclust_jax.control.parse import KINDS
from vaeclust_jax.methods.registry import METHODS

BOOK = Path(__file__).parent.parent.parent / "notebooks"
ROWS = json.loads((BOOK.parent / "benchmarks/results/quality/rows.json").read_text(encoding="utf-8"))
SETS = list(dict.fromkeys(row["dataset"] for row in ROWS))
THERE = {(row["method"], row["dataset"]) for row in ROWS}
SHALLOW = (
    *("k-means", "PCA + mixture", "Ward", "spectral", "neighbour graph"),
    *("UMAP + mixture", "UMAP + HDBSCAN", "Leiden", "EVoC"),
)


def mean(method: str, dataset: str, score: str = "acc") -> float:
    return np.mean([row[score] for row in ROWS if (row["method"], row["dataset"]) == (method, dataset)])


def floor(dataset: str) -> float:
    return max(mean(name, dataset) for name in SHALLOW if (name, dataset) in THERE)


def over_vaegraph(method: str) -> dict[str, float]:
    """By how much the method's ACC is above that of vaegraph, on all sets that both have."""
    both = [name for name in SETS if {(method, name), ("vaegraph", name)} <= THERE]
    return {name: mean(method, name) - mean("vaegraph", name) for name in both}


def lines(table: str) -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in table.strip().split("\n")[2:]]
    return {name: rest for name, *rest in rows}


def page(name: str) -> str:
    return (BOOK / name).read_text(encoding="utf-8")


def asked(text: str) -> list[list[str]]:
    return [words.split() for words in re.findall(r"^```\{generated\} (.*)$", text, flags=re.MULTILINE)]


def test_accuracies_are_means_of_the_committed_rows() -> None:
    shown = lines(accuracies("nmi"))
    expected = [f"{mean('VAE+DEC', name, 'nmi'):.3f}" if ("VAE+DEC", name) in THERE else "" for name in SETS]
    assert shown["VAE+DEC"] == expected
    assert shown["VaDE, autoencoder first"][2:] == [""] * (len(SETS) - 2), "not measured"
    assert set(shown) == {row["method"] for row in ROWS}


def test_the_decision_table_counts_where_a_method_is_ahead_of_the_floor() -> None:
    shown = [line for line in decision().split("\n") if line.startswith("| [VaDE]")]
    scored = [name for name in SETS if ("VaDE", name) in THERE]
    ahead = sum(mean("VaDE", name) > floor(name) for name in scored)
    shared = ["digits", "coil20", "mnist-test", "usps", "fashion-mnist", "pendigits"]  # which every method has
    shared += ["iris", "wine", "breast-cancer", "movement_libras", "vowel"]
    shared += ["segment", "texture", "optdigits", "satimage"]
    reached = [mean("VaDE", name) for name in shared]
    seconds = " / ".join(f"{mean('VaDE', name, 'seconds'):.0f}" for name in ("digits", "mnist-test"))
    expected = f"{np.mean(reached):.2f} ({min(reached):.2f} to {max(reached):.2f})"
    assert [line.split(" | ")[2:] for line in shown] == [[expected, f"{ahead} of {len(scored)}", f"{seconds} |"]]
    assert len(decision().strip().split("\n")) == 2 + len(CHOICES)


def test_the_method_that_the_book_advises_is_where_the_book_says() -> None:
    scored = [name for name in SETS if ("vaegraph", name) in THERE]
    ahead = {name: mean("vaegraph", name) - floor(name) for name in scored}
    assert len(scored) == 17
    assert {name for name, by in ahead.items() if by < -0.01} == {
        "usps",
        "iris",
        "wine",
        "breast-cancer",
        "vowel",
        "segment",
        "texture",
        "satimage",
    }
    drawn = ["digits", "coil20", "mnist-test", "fashion-mnist", "optdigits"]
    drawn += ["mnist-whole", "fashion-mnist-whole"]
    assert all(ahead[name] > 0 for name in drawn)
    variant = over_vaegraph("vaegraph, posterior alone")
    assert (len(variant), sum(by > 0 for by in variant.values())) == (15, 9)
    assert max(variant.values()) < 0.03
    assert min(variant, key=variant.__getitem__) == "optdigits"
    assert round(variant["optdigits"], 2) == -0.14
    peer = over_vaegraph("N2D")
    assert (len(peer), sum(by > 0 for by in peer.values())) == (15, 11)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_a_page_with_its_settings_stages_and_figures(name: str) -> None:
    for part in ("settings", "stages"):
        assert [part, name] in asked(page(f"methods/{name}.md"))
    assert [cell.partition("<br>")[0].strip("`") for cell in lines(settings(name))] == [
        one.name for one in fields(METHODS[name])
    ]
    assert stages(name).count("\n") >= 3
    for heading in ("Equation", "Source", "Stages", "Settings", "Expected figures", "When it fails"):
        assert f"\n## {heading}\n" in page(f"methods/{name}.md")


def test_every_controller_is_listed_with_its_arguments() -> None:
    shown = lines(controllers())
    assert set(shown) == {f"`{name}`" for name in KINDS}
    assert shown["`pid`"][1] == "`target_kl`, `kp=0.01`, `ki=0.002`, `low=0.0`, `high=1.0`"


def test_defaults_are_those_of_the_class() -> None:
    shown = {cell.partition("<br>")[0].strip("`"): rest for cell, *rest in lines(settings("dec")).items()}
    assert shown["gamma"][0][0] == f"`{vc.DEC(10).gamma!r}`"
    assert shown["stopping"][0][0] == f"`{vc.DEC(10).stopping!r}`"
    assert shown["num_clusters"][0][0] == "`needed`"


def test_the_scores_of_a_method_are_its_own() -> None:
    accs = [row["acc"] for row in ROWS if (row["method"], row["dataset"]) == ("IDEC", "usps")]
    assert f"| usps | IDEC | {np.mean(accs):.3f} ± {np.std(accs, ddof=1):.3f} |" in scores_of("dec")
    assert "VaDE" not in scores_of("dec")
    assert re.search(r"\| mnist-whole \| vaegraph \| 0\.\d{3} \|", scores_of("graph")), "one seed has no spread"
    assert "VAE + mixture" in scores_of("mixture")
    assert "VAE + k-means" not in scores_of("mixture")


def test_every_public_name_is_on_the_page_of_the_api() -> None:
    parts = [api(*names) for part, *names in asked(page("api.md")) if part == "api"]
    shown = re.findall(r"^\.\. \S+:: vaeclust_jax\.(\S+)$", "\n".join(parts), flags=re.MULTILINE)
    assert len(shown) == len(set(shown))
    modules = [name for name in vc.__all__ if inspect.ismodule(getattr(vc, name))]
    expected = set(vc.__all__) - set(modules)
    for module in modules:
        room = getattr(vc, module)
        expected |= {f"{module}.{one}" for one in room.__all__ if getattr(room, one) is not getattr(vc, one, None)}
    assert "estimators.VaDE" in expected
    expected.add("estimators.base.DeepClusterer")  # whose methods they all have
    assert set(shown) == expected


def test_docstrings_are_made_safe_for_rst() -> None:
    lines = ["|z - c|^2 of `codes`, *all*; val_...", "    first, second: of a thing.", "    latents: L."]
    as_rst(lines)
    assert lines == [
        r"\|z - c\|^2 of ``codes``, \*all\*; val\_...",
        "    first: see ``second``.",
        "    second: of a thing.",
        r"    latents: \L.",
    ]


def test_every_command_is_on_its_page() -> None:
    commands = re.findall(r"^  ([a-z]+) ", said([]), flags=re.MULTILINE)
    assert {"run", "predict"} < set(commands)
    shown = [words[0] for part, *words in asked(page("command_line.md")) if part == "command"]
    assert set(shown) == set(commands)
    assert "--joint-epochs" in said(["run", "--help"])
    assert "\x1b" not in said(["run", "--help-all"])


def test_every_named_set_is_in_the_table() -> None:
    assert {name.strip("`") for name in lines(named_sets())} == set(vc.data.DATASETS)


def test_every_part_is_used_and_every_part_used_is_there() -> None:
    used = {words[0] for path in BOOK.rglob("*.md") for words in asked(path.read_text(encoding="utf-8"))}
    assert used == set(PARTS)
