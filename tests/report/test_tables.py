import io

from rich.console import Console

from vaeclust_jax.metrics import summarise
from vaeclust_jax.report import score_table


def rendered(results, width=140):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(score_table(results))
    return console.file.getvalue()


def result(*rows):
    return {**summarise(rows), "seeds": list(range(len(rows)))}


LOW = {"acc": 0.7, "nmi": 0.6, "ari": 0.5, "ami": 0.6, "silhouette": None}
HIGH = {"acc": 0.9, "nmi": 0.6, "ari": 0.5, "ami": 0.6, "silhouette": 0.1}
RESULTS = {
    "vade": {"train": result(LOW, HIGH), "[test]": result(HIGH)},
    "k-means": {"train": result(dict.fromkeys(HIGH))},
}


def test_columns_and_rows():
    table = score_table(RESULTS)
    headers = [column.header for column in table.columns]
    assert headers == ["method", "protocol", "ACC", "NMI", "ARI", "AMI", "silhouette", "seeds"]
    assert table.row_count == 3


def test_mean_and_spread_are_written():
    lines = [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in rendered(RESULTS).splitlines()
        if line.startswith("│")
    ]
    dash = "\N{EN DASH}"
    assert lines[0] == [
        "vade",
        "train",
        "0.800 ± 0.141",
        "0.600 ± 0.000",
        "0.500 ± 0.000",
        "0.600 ± 0.000",
        dash,
        "2",
    ]
    assert lines[1] == ["", "[test]", "0.900", "0.600", "0.500", "0.600", "0.100", "1"]
    assert lines[2] == ["k-means", "train", *[dash] * 5, "1"]


def test_names_are_kept_whole_on_a_narrow_terminal():
    text = rendered(RESULTS, width=80)
    assert "k-means" in text
    assert "[test]" in text
    assert max(map(len, text.splitlines())) <= 80
