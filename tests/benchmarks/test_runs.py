"""Every figure of the README and of the page of reproductions has a committed row, or says that none is kept."""

import re
from pathlib import Path

import pytest

from benchmarks import runs
from benchmarks.machine import CHECKOUT
from benchmarks.runs import FIGURE, Run, figures, read, without_row
from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import t_interval

PAGES = ("README.md", "notebooks/reproductions.md")
"""With the headlines."""
BOOK = [f"notebooks/{name}.md" for name in ("wingbeats", "uncertainty", "hints")]
METHODS = sorted(f"notebooks/methods/{path.name}" for path in (CHECKOUT / "notebooks" / "methods").glob("*.md"))


def row(name: str = "made", **changes: object) -> Run:
    scores = {"vaegraph": {"all": {"acc": [0.91, 0.93, 0.95], "nmi": [0.5, 0.5, 0.5], "silhouette": [None] * 3}}}
    fields = {
        "name": name, "command": "run", "commit": "0123456789ab", "machine": "one", "threads": 2, "cpu_seconds": 9.0,
        "versions": {"jax": "0.10.2"}, "dataset": "digits", "seeds": [0, 1, 2], "scores": scores,
    }  # fmt: skip
    return Run(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("page", [*PAGES, *BOOK, *METHODS])
def test_every_figure_has_a_row_or_says_that_none_is_kept(page: str) -> None:
    text = (CHECKOUT / page).read_text(encoding="utf-8")
    assert page not in PAGES or len(FIGURE.findall(text)) > 50
    assert without_row(text) == []


def test_the_rows_say_all_that_makes_them_again() -> None:
    found = read()
    assert set(found) <= set(runs.RUNS)
    for name, one in found.items():
        assert one.command == runs.RUNS[name]
        assert re.fullmatch("[0-9a-f]{12}", one.commit or ""), "of code that is committed"
        assert one.threads >= 1
        assert one.cpu_seconds > 0
        assert {"python", "jax", "flax", "numpy", "scikit-learn"} <= set(one.versions)
        assert all(
            len(values) in (1, len(one.seeds))
            for of in one.scores.values()
            for by in of.values()
            for values in by.values()
        )


def test_what_may_be_printed_of_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "read", lambda: {"made": row(classified={"k-means": [0.25, 0.75, 0.5]})})
    low, high = t_interval([0.91, 0.93, 0.95]) or (0, 0)
    of_scores = {"0.930", "0.020", f"{low:.3f}", f"{high:.3f}", "0.500", "0.000"}
    assert figures("made / vaegraph") == of_scores
    assert figures("made") - of_scores == {"0.250", "-0.121", "1.000"}  # of the accuracies as a classifier
    with pytest.raises(KeyError):
        figures("another")


def test_of_groups_the_spread_between_their_means_may_be_printed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    one = row(scores={"ours": {"all": {"acc": [0.5, 0.52, 0.54, 0.56, 0.52, 0.5]}}}, groups=3)
    monkeypatch.setattr(runs, "read", lambda: {"made": one})
    low, high = t_interval([0.51, 0.55, 0.51]) or (0, 0)
    assert {"0.523", "0.023", f"{low:.3f}", f"{high:.3f}"} <= figures("made")


def test_a_figure_without_a_row_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"made": {"0.930", "0.020"}, "other": {"0.111"}}
    monkeypatch.setattr(runs, "figures", lambda asked: made[asked.strip()])
    good = ["It has 0.930 ± 0.020, or .930.", "| reported | 0.85 ± 0.015 |", "| 0.777[^norow] |", "2.345 and 0.93"]
    wrong = ["It has 0.931 ± 0.020.", "other is 0.111", "a coefficient of .777"]
    text = "\n".join(["# A", "<!-- rows: made -->", *good, *wrong])
    assert without_row(text) == wrong
    both = text.replace("rows: made", "rows: made; other")
    assert without_row(both) == [wrong[0], wrong[2]]
    assert without_row(f"{text}\n## B\nIt has 0.930.")[-1] == "It has 0.930.", "a comment ends with its section"
    assert without_row(f"# A\n{runs.NO_ROW}\n\n{wrong[0]}") == []
    assert without_row(f"# A\n{runs.NO_ROWS}\n# B\n{wrong[0]}") == []
    assert without_row(f"# A\n{wrong[0]}\n# B\n{runs.NO_ROW}") == [wrong[0]]


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    assert read(tmp_path / "none.json") == {}
    (tmp_path / "bad.json").write_text('[{"name": "x"}]')
    with pytest.raises(InputError, match="cannot be read as rows of runs"):
        read(tmp_path / "bad.json")


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        runs.main(["no-such-run"])
    assert "names must be among digits, " in capsys.readouterr().err
