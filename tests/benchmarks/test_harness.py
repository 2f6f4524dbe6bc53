"""The benchmark's harness: times in turn, memory alone, rows kept and merged, what a person reads and is refused."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import cases as case_list
from benchmarks import machine as machine_module
from benchmarks import readme as readme_module
from benchmarks.__main__ import FULL, SMOKE, main
from benchmarks.alone import run_alone
from benchmarks.case import Case, Effort, Measured, Row
from benchmarks.execute import execute
from benchmarks.machine import CHECKOUT, Machine, commit, this_machine
from benchmarks.readme import README, filled
from benchmarks.results import FOLDER, Results, as_record, merged, read, share_of_peak
from benchmarks.table import cells, head, number, verdicts
from benchmarks.timing import measure

WITHOUT_PEERS = """if True:
    import importlib.machinery, runpy, sys
    find = importlib.machinery.PathFinder.find_spec

    def without_peers(name, *rest):
        return None if name.partition(".")[0] in ("torch", "torchvision", "clustpy") else find(name, *rest)

    importlib.machinery.PathFinder.find_spec = without_peers
    sys.argv = ["benchmarks", *sys.argv[1:]]
    runpy.run_module("benchmarks", run_name="__main__")
"""


def once(value: float) -> Measured:
    return Measured(value, value, value, 1)


def row(what: str = "step", case: str = "T1", ours: float = 2.0, **more: Any) -> Row:
    return Row(case, what, more.pop("unit", "s"), once(ours), **more)


def a_run(date: str = "2026-01-02T03:04:05+00:00", **more: Any) -> dict[str, Any]:
    return {
        "date": date,
        "command": "python -m benchmarks",
        "effort": "full",
        "commit": "0123456789ab",
        "load": 0.0,
        "machine": {
            "name": "A processor",
            "cores": 2,
            "memory_gb": 8.0,
            "system": "Linux",
            "platform": "cpu",
            "device": "cpu",
        },
        "versions": {"jax": "0.10.2", "torch": None},
        "peak": {"size": 2000, "ours": 250e9, "torch": None},
        **more,
    }


def a_case(name: str, *rows: Row, then: BaseException | None = None) -> Case:
    def run(effort: Effort) -> Iterator[Row]:
        yield from rows
        if then is not None:
            raise then

    return Case(name, f"title of {name}", run)


@pytest.fixture
def two_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    every = {"T1": a_case("T1", row()), "T2": a_case("T2", row(case="T2"))}
    monkeypatch.setattr(case_list, "all_cases", lambda: every)


def test_functions_are_timed_in_turn_and_waited_for() -> None:
    calls: list[str] = []

    class Late:
        def __init__(self, name: str) -> None:
            self.name = name

        def block_until_ready(self) -> None:
            calls.append(f"waited for {self.name}")

    def function(name: str) -> Callable[[], Late]:
        return lambda: (calls.append(name), Late(name))[1]

    taken = measure({"a": function("a"), "b": function("b")}, repetitions=2, warmup=1)
    assert calls == 3 * ["a", "waited for a", "b", "waited for b"]
    assert {name: value.repetitions for name, value in taken.items()} == {"a": 2, "b": 2}


def test_a_time_is_the_median_without_the_warmup(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([100.0, 5.0, 1.0, 2.0])
    now = [0.0]

    def work() -> None:
        now[0] += next(seconds)

    monkeypatch.setattr("benchmarks.timing.time.perf_counter", lambda: now[0])
    assert measure({"a": work}, repetitions=3) == {"a": Measured(2.0, 1.0, 5.0, 3)}


def test_a_command_is_charged_its_own_memory_and_not_ours() -> None:
    ours = np.ones(40_000_000)  # 320 MB that we hold
    small = run_alone([sys.executable, "-c", "import os; print(os.environ['GIVEN'])"], {"GIVEN": "7"})
    large = run_alone([sys.executable, "-c", "import time; x = bytearray(200_000_000); time.sleep(0.3)"])
    assert ours.nbytes == 320_000_000
    assert small.stdout == "7\n"
    assert 1e6 < small.peak_bytes < 100e6
    assert 200e6 < large.peak_bytes < 300e6
    assert 0.3 < large.seconds < 30


@pytest.mark.parametrize(("argv", "told"), [(["-c", "1/0"], "ZeroDivisionError"), (["no-such-file"], "code 2")])
def test_a_command_that_fails_says_why(argv: list[str], told: str) -> None:
    with pytest.raises(RuntimeError, match=told):
        run_alone([sys.executable, *argv])


@pytest.mark.parametrize(
    ("given", "met"),
    [
        (row(ours=2.0), None),
        (row(ours=2.0, peer=once(3.0), target=1.5), True),
        (row(ours=2.0, peer=once(2.9), target=1.5), False),
        (row(ours=2.0, peer=once(3.0), target=1.5, condition=False), False),
        (row(ours=2.0, peer_name="PyTorch eager", target=1.5), None),  # not installed: 2.0 is no ratio
        (row(ours=2.0, target=2.0), True),
        (row(ours=2.0, target=1.9), False),
    ],
)
def test_a_target_is_met_or_missed_or_not_judged(given: Row, met: bool | None) -> None:
    assert given.met is met
    (said,) = verdicts([as_record(given, a_run())])[1:] or ["nothing"]
    words = {True: "met ", False: "MISSED ", None: "not measured " if given.target else "nothing"}
    assert said.startswith(words[met])


def test_the_share_is_of_the_measured_rate() -> None:
    assert share_of_peak(row(ours=0.02, flops=3.6e9), 360e9) == pytest.approx(0.5)  # 180 of 360 GFLOP/s
    assert share_of_peak(row(), 360e9) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (31.16, "31.2"), (1, "1.00"), (99.99, "100"), (1234.5, "1234"), (0.0123, "0.0123"), (2e-5, "2.0e-05")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_a_row_is_read_in_its_unit() -> None:
    timed = row(unit="ms", ours=0.031, peer=Measured(0.0403, 0.04, 0.05, 3), peer_name="PyTorch eager", target=1.1)
    held = row(unit="MB", ours=3e8, target=4e8)
    absent = row(unit="ms", peer_name="PyTorch eager", target=1.1)
    shown = [cells(as_record(given, a_run()))[2:] for given in (timed, held, absent)]
    assert shown[0] == ("31.0 ms", "40.3 ms (40.0-50.0) PyTorch eager", "1.30", "", ">= 1.1 met")
    assert shown[1] == ("300 MB", "", "", "", "<= 400 MB met")
    assert shown[2] == ("2000 ms", "not measured: PyTorch eager", "", "", ">= 1.1 not measured")


def test_the_first_lines_warn_of_a_busy_machine_and_of_smoke() -> None:
    assert not any("warning" in line for line in head(a_run()))
    assert any("not idle" in line for line in head(a_run(load=1.3)))
    assert any("mean nothing" in line for line in head(a_run(effort="smoke")))


def test_new_rows_replace_old_ones_and_the_others_keep_their_run() -> None:
    old_run, run = a_run("2026-01-01"), a_run("2026-02-02")
    before = [row("a"), row("b"), row("a", "T2"), row("gone", "T2"), row("a", "T3", peer_name="x")]
    old = {"runs": {"2026-01-01": old_run}, "rows": [as_record(given, old_run) for given in before]}
    new = [as_record(given, run) for given in (row("a", "T2", ours=9.0), row("a", ours=9.0))]
    found = merged(old, run, new, {"T2"}, ["T1", "T2", "T3"])
    assert [(given["case"], given["what"], given["run"]) for given in found["rows"]] == [
        ("T1", "a", "2026-02-02"),
        ("T1", "b", "2026-01-01"),  # T1 has not finished
        ("T2", "a", "2026-02-02"),  # T2 has: what it does not measure any more is gone
        ("T3", "a", "2026-01-01"),
    ]
    assert found["runs"] == {"2026-01-01": old_run, "2026-02-02": run}
    other_peer = [as_record(row("a", "T3", peer_name="y"), run)]
    assert len(merged(old, run, other_peer, set(), [])["rows"]) == 6
    everything = merged(old, run, new, {"T1", "T2", "T3"}, ["T1", "T2", "T3"])
    assert list(everything["runs"]) == ["2026-02-02"]


def test_a_case_that_fails_lets_the_others_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = [a_case("T1", row(), then=AssertionError("losses differ")), a_case("T2", row(case="T2"))]
    results = Results(tmp_path / "x.json", a_run(), ["T1", "T2"])
    failed = execute(cases, FULL, results)
    assert failed == ["T1: title of T1: AssertionError"]
    assert "losses differ" in capsys.readouterr().err
    assert [given["case"] for given in read(tmp_path / "x.json")["rows"]] == ["T1", "T2"]


def test_an_interrupted_run_leaves_what_it_had_and_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    execute([a_case("T1", row("a"), row("b")), a_case("T2", row("a", "T2"))], FULL, Results(path, a_run("1"), []))
    interrupted = a_case("T1", row("a"), then=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        execute([interrupted], FULL, Results(path, a_run("2"), ["T1", "T2"]))
    kept = [(given["case"], given["what"], given["run"]) for given in read(path)["rows"]]
    assert kept == [("T1", "a", "2"), ("T1", "b", "1"), ("T2", "a", "1")]


def test_a_killed_run_leaves_whole_json(tmp_path: Path) -> None:
    code = """if True:
        import os, pathlib, signal, sys
        from benchmarks.execute import execute
        from benchmarks.results import Results
        from tests.benchmarks.test_harness import FULL, a_case, a_run, row

        def run(effort):
            yield row("a")
            os.kill(os.getpid(), signal.SIGKILL)

        case = a_case("T1")._replace(run=run)
        execute([case], FULL, Results(pathlib.Path(sys.argv[1]), a_run(), ["T1"]))
    """
    with pytest.raises(RuntimeError, match="code -9"):
        run_alone([sys.executable, "-c", code, str(tmp_path / "x.json")], {"PYTHONPATH": str(CHECKOUT)})
    assert [given["what"] for given in read(tmp_path / "x.json")["rows"]] == ["a"]


def test_the_figures_stand_between_the_comments_alone() -> None:
    text = README.read_text(encoding="utf-8")
    run = a_run()
    rows = [as_record(row(ours=0.01, flops=1e9, note="a | b", peer=once(0.02), peer_name="x", target=3), run)]
    written = filled(text, {"cpu-2": {"runs": {run["date"]: run}, "rows": rows}})
    assert "### cpu-2" in written
    assert "- T1: 2026-01-02, commit 0123456789ab, `python -m benchmarks`; A processor, 2 cores; jax 0.10.2;" in written
    assert "| T1 | step | 0.0100 s | 0.0200 s x | 2.00 | 40% | &gt;= 3 MISSED | a \\| b |" in written
    assert filled(written, {"cpu-2": {"runs": {run["date"]: run}, "rows": rows}}) == written
    outside = [(found.partition("<!--")[0], found.rpartition("-->")[2]) for found in (text, written)]
    assert outside[0] == outside[1]


def test_the_readme_shows_the_files_beside_it() -> None:
    contents = {path.stem: read(path) for path in sorted(FOLDER.glob("*.json"))}
    text = README.read_text(encoding="utf-8")
    assert filled(text, contents) == text, "python -m benchmarks --write-readme"


@pytest.mark.usefixtures("two_cases")
def test_the_command_measures_what_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "x.json"
    assert main(["--smoke", "--cases", "T2", "--out", str(out)]) == 0
    assert [given["case"] for given in read(out)["rows"]] == ["T2"]
    assert main(["--smoke", "--cases", "T1", "--out", str(out)]) == 0
    content = read(out)
    assert [given["case"] for given in content["rows"]] == ["T1", "T2"]
    (only,) = {json.dumps(run["machine"]) for run in content["runs"].values()}
    assert json.loads(only)["cores"] == this_machine().cores
    assert all(run["peak"]["ours"] > 1e6 for run in content["runs"].values())
    printed = capsys.readouterr()
    assert "title of T1 ..." in printed.err
    assert "targets met: 0 of 0" in printed.out


@pytest.mark.usefixtures("two_cases")
@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--cases", "T1", "T10"], "benchmarks: --cases must be of T1, T2, got 'T10'"),
        (["--quick", "--smoke"], "benchmarks: --quick or --smoke must be given, got both"),
        (["--write-readme", "--quick"], "benchmarks: --write-readme must be given alone, got other flags"),
        (["--smoke", "--out", "{}/damaged.json"], "damaged.json cannot be read as figures of a benchmark"),
        (["--smoke", "--out", "{}"], "cannot be read as figures of a benchmark"),
        (["--smoke", "--out", "{}/damaged.json/x.json"], "benchmarks: the output folder must be one that can"),
        (["--smoke", "--out", "{}/other.json"], "benchmarks: --out must be a new file or one of the same machine"),
    ],
)
def test_mistakes_get_one_sentence(
    argv: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "damaged.json").write_text('{"rows": [{"ours": 3}]}')
    execute([a_case("T1", row())], FULL, Results(tmp_path / "other.json", a_run(effort="smoke"), []))
    capsys.readouterr()
    assert main([word.replace("{}", str(tmp_path)) for word in argv]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_help_lists_the_cases(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert not end.value.code
    shown = capsys.readouterr().out
    for case in case_list.all_cases().values():
        assert f"  {case.name + '*' * (not case.in_quick):4}{case.title}" in shown


@pytest.mark.long
@pytest.mark.parametrize(
    ("argv", "run"),
    [(["--quick"], ["T1"]), (["--quick", "--cases", "T2"], ["T2"]), (["--smoke"], ["T1", "T2"]), ([], ["T1", "T2"])],
)
def test_quick_leaves_out_what_is_marked_unless_it_is_named(
    argv: list[str], run: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = {"T1": a_case("T1", row()), "T2": a_case("T2", row(case="T2"))._replace(in_quick=False)}
    monkeypatch.setattr(case_list, "all_cases", lambda: every)
    ran: list[str] = []
    monkeypatch.setattr(
        "benchmarks.execute.execute", lambda cases, *rest: (ran.extend(case.name for case in cases), [])[1]
    )
    assert main([*argv, "--out", str(tmp_path / "figures.json")]) == 0
    assert ran == run


def test_an_accelerator_names_the_file() -> None:
    assert Machine("x", 2, None, "Linux", "cpu", "cpu").label == "cpu-2"
    assert Machine("x", 16, None, "Linux", "gpu", "NVIDIA H200").label == "gpu-nvidia-h200"


def test_outside_a_checkout_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module, "CHECKOUT", tmp_path)
    assert commit() is None


@pytest.mark.usefixtures("two_cases")
def test_write_readme_reads_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "README.md"
    copy.write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
    execute([a_case("T1", row())], SMOKE, Results(tmp_path / "made.json", a_run(), []))
    monkeypatch.setattr(readme_module, "README", copy)
    monkeypatch.setattr(readme_module, "FOLDER", tmp_path)
    assert main(["--write-readme"]) == 0
    assert "### made" in copy.read_text(encoding="utf-8")
    assert "made.json" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("peers", [False, True], ids=["without peers", "with peers"])
def test_every_case_runs(peers: bool, tmp_path: Path) -> None:
    if peers:
        pytest.importorskip("torch")
    out = tmp_path / "smoke.json"
    start = ["-m", "benchmarks"] if peers else ["-c", WITHOUT_PEERS]  # also where they are installed
    run_alone([sys.executable, *start, "--smoke", "--out", str(out)], {"PYTHONPATH": str(CHECKOUT)})
    content = read(out)
    (run,) = content["runs"].values()
    assert (run["versions"]["torch"] is not None) is peers
    assert {given["case"] for given in content["rows"]} == set(case_list.all_cases())
    assert len({(given["case"], given["what"]) for given in content["rows"]}) == len(content["rows"])
    for given in content["rows"]:
        assert given["ours"]["median"] is not None
        if not peers and given["peer"] is None and given["peer_name"] is not None:
            assert "not installed" in given["note"]
