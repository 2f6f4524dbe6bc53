"""T7 without waiting for it: what it starts, with which cache, and what it makes of the answers."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.alone import Alone
from benchmarks.case import Effort
from benchmarks.cases import start

FULL, SMOKE = Effort("full", 3), Effort("smoke", 1)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """Every process that would have run; each takes twice as long with an empty cache folder."""
    calls: list[tuple[list[str], dict[str, str]]] = []

    def run_alone(argv: list[str], env: dict[str, str]) -> Alone:
        calls.append((argv, env))
        if "vaeclust_jax.cli" in argv:
            cache = Path(env["JAX_COMPILATION_CACHE_DIR"])
            answer = ""
        elif "enable_compilation_cache" in argv[2]:
            cache, answer = Path(argv[3]), "1.5"
        else:
            return Alone(9.0, 1, json.dumps([1.0, len(calls) / 10]) if "vaeclust" in argv[2] else "2.0")
        empty = not cache.exists()
        cache.mkdir(exist_ok=True)
        return Alone(8.0 if empty else 4.0, 5 * 10**8, answer)

    monkeypatch.setattr(start, "run_alone", run_alone)
    return calls


def test_rows_and_what_they_are_held_against(started: Sequence[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "missing", lambda name: None)
    imported, cold, warm, run, memory = start.CASES[0].run(FULL)
    assert (imported.ours.median, imported.target) == (0.2, 1.2)
    assert imported.details == {"import jax, seconds": 1.0, "import torch, seconds": 2.0}
    assert (cold.ours, cold.target) == ((8, 8, 8, 3), 10)
    assert (warm.ours, warm.target) == ((4, 4, 4, 3), 3)
    assert (run.what, run.ours.median, run.unit) == ("vaeclust run: wall time", 4, "s")
    assert (memory.ours.median, memory.unit) == (5e8, "MB")
    assert run.details["empty cache"]["seconds"] == 8


def test_every_process_has_the_cache_switched_on_and_a_short_run_has_little_to_do(
    started: list[tuple[list[str], dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "missing", lambda name: "PyTorch is not installed")
    rows = list(start.CASES[0].run(SMOKE))
    assert rows[0].details["torch"] == "PyTorch is not installed"
    assert len(started) == 1 + 2 + 1
    assert {env["JAX_ENABLE_COMPILATION_CACHE"] for _, env in started} == {"true"}
    assert started[-1][0][-8:] == ["--clusters", "10", "--epochs", "1", "--network", "mlp", "--hidden", "16"]


def test_a_read_program_that_computes_something_else_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([1.5, 1.5000001])
    monkeypatch.setattr(start, "run_alone", lambda argv, env: Alone(1.0, 1, str(next(losses))))
    with pytest.raises(AssertionError, match="compiled and read programs differ"):
        next(start._first_step_rows(SMOKE))
