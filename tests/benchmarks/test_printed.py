"""Every figure of the README and of the book has a committed row, or says that none is kept."""

import pytest

from benchmarks import printed
from benchmarks.machine import CHECKOUT
from benchmarks.printed import FIGURE, figures, without_row
from benchmarks.runs import Run
from vaeclust_jax.metrics import t_interval

PAGES = ["README.md", "benchmarks/README.md", "benchmarks/aims.md"]
PAGES += sorted(str(path.relative_to(CHECKOUT)) for path in (CHECKOUT / "notebooks").rglob("*.md"))
"""The other pages of `benchmarks` are of a command each, which writes them from its rows."""


def row(name: str = "made", **changes: object) -> Run:
    scores = {"vaegraph": {"all": {"acc": [0.91, 0.93, 0.95], "nmi": [0.5, 0.5, 0.5], "silhouette": [None] * 3}}}
    fields = {
        "name": name, "command": "run", "commit": "0123456789ab", "machine": "one", "threads": 2, "cpu_seconds": 9.0,
        "versions": {"jax": "0.10.2"}, "dataset": "digits", "seeds": [0, 1, 2], "scores": scores,
    }  # fmt: skip
    return Run(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_has_a_row_or_says_that_none_is_kept(page: str) -> None:
    text = (CHECKOUT / page).read_text(encoding="utf-8")
    assert page not in PAGES[:3] or len(FIGURE.findall(text)) > 30
    assert without_row(text) == []


def test_what_may_be_printed_of_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printed, "read", lambda: {"made": row(classified={"k-means": [0.25, 0.75, 0.5]})})
    low, high = t_interval([0.91, 0.93, 0.95]) or (0, 0)
    of_scores = {"0.930", "0.020", f"{low:.3f}", f"{high:.3f}", "0.500", "0.000"}
    assert figures("made / vaegraph") == of_scores
    assert figures("made") - of_scores == {"0.250", "-0.121", "1.000"}  # of the accuracies as a classifier
    with pytest.raises(KeyError):
        figures("another")


def test_of_groups_the_spread_between_their_means_may_be_printed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    one = row(scores={"ours": {"all": {"acc": [0.5, 0.52, 0.54, 0.56, 0.52, 0.5]}}}, groups=3)
    monkeypatch.setattr(printed, "read", lambda: {"made": one})
    low, high = t_interval([0.51, 0.55, 0.51]) or (0, 0)
    assert {"0.523", "0.023", f"{low:.3f}", f"{high:.3f}"} <= figures("made")


def test_a_figure_without_a_row_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"made": {"0.930", "0.020"}, "other": {"0.111"}}
    monkeypatch.setattr(printed, "figures", lambda asked: made[asked.strip()])
    good = ["It has 0.930 ± 0.020, or .930.", "| reported | 0.85 ± 0.015 |", "| 0.777[^norow] |", "2.345 and 0.93"]
    wrong = ["It has 0.931 ± 0.020.", "other is 0.111", "a coefficient of .777"]
    text = "\n".join(["# A", "<!-- rows: made -->", *good, *wrong])
    assert without_row(text) == wrong
    both = text.replace("rows: made", "rows: made; other")
    assert without_row(both) == [wrong[0], wrong[2]]
    assert without_row(f"{text}\n## B\nIt has 0.930.")[-1] == "It has 0.930.", "a comment ends with its section"
    assert without_row(f"# A\n{printed.NO_ROW}\n\n{wrong[0]}") == []
    assert without_row(f"# A\n{printed.NO_ROWS}\n# B\n{wrong[0]}") == []
    assert without_row(f"# A\n{wrong[0]}\n# B\n{printed.NO_ROW}") == [wrong[0]]
