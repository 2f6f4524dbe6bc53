"""The study of memories: attractors against enumeration, capacity, and what a run of it writes."""

import itertools
import json
import subprocess
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.cli.conftest import VAECLUST
from vaeclust_jax.folder.records.memory import MemoryRecord
from vaeclust_jax.folder.records.metrics_file import read_metrics
from vaeclust_jax.studies.attractors import PATTERNS, small_net, trajectories
from vaeclust_jax.studies.capacity import capacity, capacity_by_units
from vaeclust_jax.studies.memory import _recalled


def all_fixed_points(weights: np.ndarray, bias: np.ndarray) -> set[tuple[float, ...]]:
    """Of a <- satlins(W a + b): every unit is at -1, at 1 or between, and each such case is a linear system."""
    units, found = len(bias), set()
    for case in itertools.product((-1, 0, 1), repeat=units):
        free = [i for i in range(units) if case[i] == 0]
        a = np.array(case, float)
        if free:
            system = np.eye(len(free)) - weights[np.ix_(free, free)]
            if np.linalg.matrix_rank(system) < len(free):
                continue
            a[free] = np.linalg.solve(system, (weights @ a + bias)[free])
        if np.allclose(np.clip(weights @ a + bias, -1, 1), a, atol=1e-9):
            found.add(tuple(np.round(a, 3) + 0.0))
    return found


@pytest.mark.long
@pytest.mark.parametrize("patterns", PATTERNS, ids=["plane", "space"])
def test_starts_on_a_grid_find_every_attractor_and_no_place_that_is_none(
    patterns: tuple[tuple[float, ...], ...],
) -> None:
    net = vc.Saturating()
    params = {name: np.asarray(value, float) for name, value in net.write(np.asarray(patterns, np.float32)).items()}
    known = all_fixed_points(np.round(params["weights"], 6), np.round(params["bias"], 6))
    found = small_net(patterns, net)
    near = [min(np.abs(np.subtract(point.place, one)).max() for one in known) for point in found.resting]
    assert max(near) < 2e-3
    # An attractor takes a whole neighbourhood, which a grid cannot miss: perturbed, it comes back.
    jacobian = params["weights"]
    stable = {
        one for one in known
        if not (inside := [i for i, value in enumerate(one) if abs(value) < 1])
        or np.abs(np.linalg.eigvals(jacobian[np.ix_(inside, inside)])).max() < 1
    }  # fmt: skip
    assert {point.place for point in found.resting if point.stable} == stable
    assert {point.place for point in found.resting if point.stored} == {tuple(map(float, one)) for one in patterns}
    assert sum(point.share for point in found.resting) == pytest.approx(1)


def test_the_plane_has_one_spurious_attractor_and_space_none() -> None:
    plane, space = (
        [point.place for point in small_net(one, vc.Saturating()).resting if point.stable and not point.stored]
        for one in PATTERNS
    )
    assert plane == [(-1.0, 1.0)]
    assert space == []


def test_trajectories_go_to_the_plane_of_the_patterns() -> None:
    first, *others = np.array(PATTERNS[1], float)
    normal = np.cross(*(one - first for one in others))
    starts = np.random.default_rng(0).uniform(-0.2, 0.2, (20, 3))
    paths = trajectories(PATTERNS[1], vc.Saturating(), starts, 3)
    away = np.abs((paths - 1.1 * first) @ normal / np.linalg.norm(normal))  # the design draws to (1 + 1 / tau) x
    assert (away[3] < 0.05 * away[0].max()).all()


@pytest.mark.long
def test_the_classical_net_forgets_beyond_its_bound_and_the_modern_one_does_not() -> None:
    classical, modern = (
        {point.load: point.recalled for point in capacity(net, jax.random.key(3))}
        for net in (vc.Classical(), vc.Modern())
    )
    assert classical[0.02] > 0.99
    assert classical[0.08] > 0.9 > 0.4 > classical[0.2]
    assert classical[0.3] < 0.05
    assert min(modern.values()) > 0.99
    assert 10.0 in modern


def recalled_by_hand(units: int, patterns: int, sets: int) -> float:
    """Hebb's rule and one unit after the other, in NumPy: the share that comes back in 99 % of the units."""
    rng, right = np.random.default_rng(0), []
    for _ in range(sets):
        x = rng.choice([-1.0, 1.0], (patterns, units))
        weights = x.T @ x
        np.fill_diagonal(weights, 0)
        state = x[0].copy()
        state[rng.permutation(units)[: units // 10]] *= -1
        for _ in range(30):
            for unit in range(units):
                state[unit] = np.sign(weights[unit] @ state) or state[unit]
        right.append((state == x[0]).mean() >= 0.99)
    return float(np.mean(right))


@pytest.mark.slow
def test_the_more_units_the_steeper_the_fall_at_the_bound() -> None:
    found = {
        name: {point.load: point.recalled for point in points}
        for name, points in capacity_by_units(jax.random.key(3)).items()
    }
    assert list(found) == ["50 units", "100 units", "200 units", "400 units"]
    fall = [points[0.1] - points[0.2] for points in found.values()]
    assert fall == sorted(fall)
    by_hand = recalled_by_hand(50, 7, 300)
    assert found["50 units"][0.14] == pytest.approx(by_hand, abs=4 * (by_hand * (1 - by_hand) / 300) ** 0.5)


@pytest.mark.slow
def test_the_command_measures_and_draws_all_three_nets(tmp_path: Path) -> None:
    command = [*VAECLUST, "run", "course-hopfield", "--out", str(tmp_path), "--quiet", "--no-page", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    folder = next(path for path in tmp_path.iterdir() if path.name != "latest")
    record = read_metrics(folder / "metrics.json")
    assert isinstance(record, MemoryRecord)
    at = {(arm, point.noise, point.most): point.recalled for arm, points in record.noise.items() for point in points}
    assert at["saturating", 1.0, 4] > 0.95 > at["saturating", 5.0, 4]
    assert at["saturating", 5.0, 100] > at["saturating", 5.0, 4]
    assert {path.stem for path in folder.glob("*.png")} == {
        "attractors", "capacity", "capacity_by_units", "noise", "recalled",
    }  # fmt: skip
    notes = {table["name"]: table["note"] for table in json.loads((folder / "tables.json").read_text(encoding="utf-8"))}
    assert set(notes) == {"scores", "noise", "capacity", "capacity_by_units", "attractors"}
    assert "at most 1% wrong units after 30 iterations" in notes["capacity"]


def test_a_mean_of_all_patterns_is_no_recall_of_any(tmp_path: Path) -> None:
    """Values of 0 and 1: of a beta of nothing, every row comes to rest at the mean, less than 1 away from all."""
    x = (np.random.default_rng(0).uniform(size=(12, 20)) > 0.5).astype(np.float32)
    config = vc.PrepareConfig(scaling="none", validation=0.0)
    for beta, share in ((1e-6, 0.0), (50.0, 1.0)):
        run = vc.fit(vc.Config(vc.Hopfield(vc.Modern(beta)), config), x, 0)
        found = _recalled(run, jnp.asarray(x), 0)
        assert found[0.0, 100][0].mean() == share


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["course-hopfield", "--on", "pixels"], "--on must be latents of course-hopfield, got 'pixels'"),
        (["course-hopfield", "--on"], "--on must be latents of course-hopfield, got ''"),
        (["vaegraph", "--on=latents"], "--on follows an experiment that has forms, such as course-hopfield"),
        (["--on", "latents"], "--on follows an experiment that has forms, such as course-hopfield"),
    ],
)
def test_a_form_that_there_is_not_is_refused(words: list[str], sentence: str) -> None:
    from vaeclust_jax.cli.run import parse_run

    with pytest.raises(vc.InputError, match=f"^{sentence}$"):
        parse_run(words)


def test_a_form_is_an_experiment_of_its_own() -> None:
    from vaeclust_jax.cli.run import parse_run

    parsed = parse_run(["course-hopfield", "--on", "latents", "--num-memories", "50"])
    assert parsed.experiment.name == "course-hopfield-on-latents"
    assert parsed.experiment.method.num_memories == 50
