"""Each campaign with a small count, so that it runs when the great one is asked for; and what they judge by."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.campaigns.__main__ import TRIALS
from tests.campaigns.campaign import bounded, run
from tests.campaigns.command import Answer, check_answer
from tests.campaigns.growth import Held, faults
from tests.campaigns.mutate import LONG, check_sentence


@pytest.mark.long
@pytest.mark.parametrize(("name", "count"), [("models", 80), ("folders", 12), ("arguments", 100)])
def test_a_few_trials(name: str, count: int, tmp_path: Path) -> None:
    report = run(name, TRIALS[name](tmp_path), count, seed=10**6)
    assert report.count == count
    assert not report.failures, report.line()


@pytest.mark.long
@pytest.mark.parametrize(("name", "count"), [
    pytest.param("kills", 1, marks=pytest.mark.slow), ("fits", 20), ("epochs", 200), ("forks", 2),
])  # fmt: skip
def test_a_few_in_a_process_of_their_own(name: str, count: int) -> None:
    command = [sys.executable, "-m", "tests.campaigns", name, "--count", str(count), "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=550)
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout.splitlines()[-1])
    assert (report["campaign"], report["seed"], report["count"]) == (name, 7, count)
    assert report["failures"] == {}


def test_a_failure_is_repeated_by_its_seed() -> None:
    def trial(rng: np.random.Generator) -> str:
        assert rng.random() < 0.9, "unlucky"
        return "well"

    report = run("dice", trial, 40, seed=5)
    assert report.failures
    assert report.count == 40
    for seed in range(5, 45):
        assert (seed in report.failures) == bool(run("dice", trial, 1, seed).failures)
    assert json.loads(report.line())["outcomes"] == {"well": 40 - len(report.failures)}


def test_memory_and_time_beyond_the_bounds_are_seen() -> None:
    with bounded(seconds=5, megabytes=30):
        assert np.ones(2**20).sum() == 2**20
    with pytest.raises(AssertionError, match=r"it took .* MB"), bounded(seconds=5, megabytes=30):
        np.ones(2**25)  # more than the memory of earlier tests that may be given back meanwhile
    with pytest.raises(AssertionError, match=r"it took .* s"), bounded(seconds=0.0, megabytes=30):
        sum(range(10**6))


@pytest.mark.parametrize("text", ["no", "two lines\nof it", f"it must be a number, got {LONG}", "word " * 300])
def test_what_is_no_sentence(text: str) -> None:
    with pytest.raises(AssertionError):
        check_sentence(text)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(1, "", "vaeclust: no such file there\n"),
        Answer(2, "", "Traceback (most recent call last):\n"),
        Answer(2, "", ""),
        Answer(2, "", "usage: vaeclust\n a flag is wrong\n"),
    ],
)
def test_what_is_no_answer(answer: Answer) -> None:
    with pytest.raises(AssertionError):
        check_answer(answer)


def test_growth_is_seen_in_noise() -> None:
    noise = np.random.default_rng(0).normal(0, 1, 100)
    flat = [Held(300 + one, 20, 30) for one in noise]
    assert faults(flat) == []
    assert "megabytes" in faults([Held(300 + number / 5 + one, 20, 30) for number, one in enumerate(noise)])[0]
    assert "descriptors" in faults([Held(300, 20 + number // 20, 30) for number in range(100)])[0]
    assert "threads" in faults([Held(300, 20, 30 + number // 20) for number in range(100)])[0]
    assert faults([Held(300, 20, 36 + 2 * (number > 60)) for number in range(100)]) == []
