"""T8: exponents of known growth, sizes that are what they say, and the rows made from them."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import grow
from benchmarks.alone import Alone
from benchmarks.case import Effort, Measured, Row
from benchmarks.cases import scaling
from benchmarks.cases.scaling import CASES, FULL, QUICK, SMOKE, Axis, memory_row, time_row
from benchmarks.grow import FEATURES, Size, peak_bytes, rows_of, slope, slope_beyond_first
from benchmarks.growth_figure import Line, write_growth

ROWS = Axis("epoch", "rows", (10, 100, 300, 1000), "1", "why")


@given(st.floats(-2, 3), st.floats(1e-6, 1e6), st.lists(st.integers(1, 10**6), min_size=2, max_size=8, unique=True))
def test_the_slope_is_the_exponent(exponent: float, factor: float, sizes: list[int]) -> None:
    sizes = [*sorted(sizes), 9 * max(sizes)]
    assert slope(sizes, [factor * float(size) ** exponent for size in sizes]) == pytest.approx(exponent, abs=1e-6)


def test_the_slope_is_that_of_the_top_decade() -> None:
    sizes = [1, 10, 100, 300, 1000]
    assert slope(sizes, [5, 5, 100, 300, 1000]) == pytest.approx(1)  # 100 counts, 10 does not
    assert slope(sizes, [5, 5, 10_000, 90_000, 1_000_000]) == pytest.approx(2)
    assert slope([1, 10], [3, 30]) == pytest.approx(1)


@pytest.mark.parametrize("exponent", [1, 2])
def test_what_is_there_at_any_size_does_not_count(exponent: int) -> None:
    sizes = np.array([1, 4, 8, 16, 32])
    found = slope_beyond_first(sizes, 1e9 + 7e6 * sizes**exponent)
    assert found == pytest.approx(1, abs=1e-9) if exponent == 1 else 1.8 < found < 2
    assert slope(sizes, 1e9 + 7e6 * sizes**exponent) < 1  # hides most of it


def test_rows_are_seeded_and_made_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.asarray(rows_of(25))
    assert whole.shape == (25, FEATURES)
    assert whole.min() >= 0
    assert whole.max() <= 1
    np.testing.assert_array_equal(whole, rows_of(25))
    monkeypatch.setattr(grow, "_ROWS_AT_ONCE", 10)
    parts = np.asarray(rows_of(25))
    assert len(np.unique(parts, axis=0)) == 25  # the last part, of five rows, covers none before it
    assert parts.min(axis=1).max() > 0


@pytest.mark.long
@pytest.mark.parametrize("size", [Size(300, 3, 2, 2), Size(40)])
def test_a_size_is_trained(size: Size) -> None:
    training = grow.epochs(size).__self__  # type: ignore[attr-defined]
    info = training.epoch()
    state = training.progress.state
    assert state.params["centroids"].shape == (size.seeds, size.clusters, size.latent_dim)
    assert state.memory.p.shape == (size.seeds, size.rows, size.clusters)
    assert np.isfinite(info["loss"]).all()
    assert (np.asarray(state.memory.assigned.assignment) >= 0).all()  # refreshed in the first epoch


@pytest.mark.long
def test_a_fit_is_of_the_size() -> None:
    assert grow.fits(Size(300, 3, 2))()["centroids"].shape == (3, 2)


def test_a_process_does_the_work_twice_and_tells_of_its_device(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = []
    monkeypatch.setitem(grow.WORK, "epoch", lambda size: lambda: done.append(size))
    grow.main("epoch", Size(7))
    assert done == 2 * [Size(7)]
    assert (json.loads(capsys.readouterr().out) is None) is (jax.default_backend() == "cpu")


@pytest.mark.parametrize(("on_device", "peak"), [("null", 123), ("456", 456)])
def test_memory_is_the_device_s_where_it_has_its_own(
    on_device: str, peak: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []

    def run_alone(argv: list[str], env: dict[str, str]) -> Alone:
        commands.append(argv)
        return Alone(1.0, 123, f"{on_device}\n")

    monkeypatch.setattr(grow, "run_alone", run_alone)
    assert peak_bytes("fit", Size(7, seeds=2)) == peak
    assert commands[0][1:4] == ["-m", "benchmarks.grow", "fit"]
    assert Size(**json.loads(commands[0][4])) == Size(7, seeds=2)


@pytest.mark.slow
def test_memory_is_that_of_the_rows() -> None:
    small, large = (peak_bytes("epoch", Size(rows)) for rows in (1000, 41_000))
    rows = 40_000 * 4 * FEATURES
    assert 0.8 * rows < large - small < 4 * rows


@pytest.mark.parametrize(("exponent", "met"), [(1.0, True), (1.05, True), (1.2, False)])
def test_a_time_is_judged_by_its_exponent(exponent: float, met: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes_made, repeated = [], []

    def measure(functions: dict, repetitions: int) -> dict[str, Measured]:
        repeated.append(repetitions)
        seconds = [function() ** exponent for function in functions.values()]
        return {name: Measured(s, s, 2 * s, 3) for name, s in zip(functions, seconds, strict=True)}

    def epoch(size: Size):
        sizes_made.append(size)
        return lambda: float(size.rows)

    monkeypatch.setitem(scaling.WORK, "epoch", epoch)
    monkeypatch.setattr(scaling, "measure", measure)
    row = time_row(ROWS, Effort("full", 15))
    assert sizes_made == [Size(rows) for rows in ROWS.sizes]
    assert repeated == [3]
    assert row.ours == Measured(*(3 * [pytest.approx(exponent)]), 3)
    assert row.met is met
    assert row.what == "exponent of time: epoch against rows (expected 1)"
    assert row.note == f"why; {10**exponent:.2g} s at 10, {1000**exponent:.2g} s at 1000"


def test_memory_is_judged_by_its_exponent() -> None:
    linear = memory_row(ROWS, [10**9 + 6272 * 10**3 * size for size in ROWS.sizes])
    assert linear.ours.median == pytest.approx(1)
    assert linear.met is True
    assert "6,272,000 bytes for each of the rows (3136 of them the row itself); 1063 MB at 10" in linear.note
    assert memory_row(ROWS, [10**9 + 10**3 * size**2 for size in ROWS.sizes]).met is False
    little = memory_row(ROWS, [10**9, 10**9 + 5, 10**9 - 5, 10**9 + 2 * 10**6])
    assert (little.unit, little.ours.median, little.met) == ("MB", 2e6, None)


def test_the_axes_end_in_a_decade_or_as_much_as_quick_allows() -> None:
    assert {(axis.work, axis.varied) for axis in FULL} >= {("epoch", field) for field in Size._fields}
    for axis in FULL:
        assert axis.sizes == tuple(sorted(axis.sizes))
        assert sum(size >= axis.sizes[-1] / 10 for size in axis.sizes) >= 3
    for axis in (*QUICK, *SMOKE):
        assert sum(size >= axis.sizes[-1] / 10 for size in axis.sizes) >= 2


@pytest.mark.long
def test_smoke_gives_a_row() -> None:
    (case,) = CASES
    (row,) = case.run(Effort("smoke", 1))
    assert row.case == case.name
    assert row.details["sizes"] == SMOKE[0].sizes
    assert len(row.details["seconds"]) == 2


def test_the_figure_shows_what_grows(tmp_path: Path) -> None:
    seconds = [Measured(size / 10, 0, 0, 3)._asdict() for size in ROWS.sizes]
    time = Row("T8", "time", "", Measured(1.01, 1, 1.1, 3), details={"seconds": seconds})
    little = memory_row(ROWS._replace(varied="latent_dim"), [10**9] * 4)
    much = memory_row(ROWS, [10**9 + 10**6 * size for size in ROWS.sizes])
    panels = scaling._panels([ROWS, ROWS._replace(varied="latent_dim")], [time, much, time, little])
    times, memories = panels.values()
    assert times == [
        Line("epoch against rows", ROWS.sizes, [1, 10, 30, 100], 1.01),
        Line("epoch against latent_dim", ROWS.sizes, [1, 10, 30, 100], 1.01),
    ]
    assert memories == [Line("epoch against rows", (100, 300, 1000), [0.09, 0.29, 0.99], pytest.approx(1))]
    write_growth(tmp_path / "new" / "x.png", panels)
    assert (tmp_path / "new" / "x.png").read_bytes()[:4] == b"\x89PNG"
