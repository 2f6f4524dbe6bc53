"""`vaeclust run --devices N` and `--mesh seeds=4,rows=2`."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import TINY, VAECLUST, Answer
from vaeclust_jax.cli import run
from vaeclust_jax.cli.resume import ARGUMENTS, given_again
from vaeclust_jax.cli.run import parse_run
from vaeclust_jax.training.mesh import Mesh

Run = Callable[..., Answer]
RUN = ["run", "vaedec", "--clusters", "3", "--epochs", "1", "--no-page", "--quiet", *TINY, "--dataset"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--mesh", "8"], "a mesh is written like seeds=4,rows=2, got '8'"),
        (["--devices", "0"], "devices must be at least 1, got 0"),
        (["--devices", "-3"], "devices must be at least 1, got -3"),
        (["--mesh", "seeds=0"], "at least 1 device along seeds, got 0"),
        (["--devices", "8", "--mesh", "seeds=3,rows=2"], "is 6 devices, and --devices says 8: leave one of them out"),
        (["--devices", "900"], "the mesh seeds=1,rows=900 takes 900 devices, and jax has "),
        (["--mesh", "seeds=1", "--mesh", "rows=700"], "takes 700 devices"),  # the last one counts
    ],
)
def test_it_is_refused_before_anything_is_trained(
    words: list[str], sentence: str, vaeclust: Run, files: Path, tmp_path: Path
) -> None:
    code, out, err = vaeclust(*RUN, files / "vectors.npz", "--out", tmp_path, *words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("room", "expected"), [(True, Mesh(seeds=2)), (False, None)])
def test_seeds_lie_over_the_cores_where_their_rows_have_room(
    monkeypatch: pytest.MonkeyPatch, files: Path, tmp_path: Path, room: bool, expected: Mesh | None
) -> None:
    """As in a process whose jax has not begun, which this one's has."""
    monkeypatch.setattr(run, "mesh_of", lambda *asked: Mesh(seeds=2))
    monkeypatch.setattr(run, "has_room", lambda *asked: room)
    monkeypatch.setattr(Mesh, "check", lambda *asked: None)
    words = [*RUN[1:], str(files / "vectors.npz"), "--seeds", "2", "--out", str(tmp_path)]
    plan = run.planned(parse_run(words))
    assert plan.mesh == expected
    assert plan.headline("vaedec").endswith("2 seeds at a time") == room
    assert run.planned(parse_run([*words, "--devices", "2"])).mesh == Mesh(seeds=2)


def resumed(folder: Path, *words: str) -> tuple[int | None, str | None]:
    argv = ["--resume", str(folder), *words]
    flags = given_again(parse_run(argv), argv, parse_run).flags
    return flags.devices, flags.mesh


def test_a_run_goes_on_with_its_devices_or_with_others(tmp_path: Path) -> None:
    (tmp_path / ARGUMENTS).write_text(json.dumps(["vaedec", "digits", "--devices", "4", "--seeds", "2"]))
    assert resumed(tmp_path) == (4, None)
    assert resumed(tmp_path, "--devices", "2") == (2, None)
    assert resumed(tmp_path, "--mesh", "seeds=2") == (None, "seeds=2")
    assert resumed(tmp_path, "--mesh=seeds=2", "--quiet") == (None, "seeds=2")


@pytest.mark.long
@pytest.mark.slow
def test_the_clusters_are_those_of_one_device(files: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    here = [one for one in os.environ.get("XLA_FLAGS", "").split() if "device_count" not in one]

    def run(name: str, *words: str, forced: int | None = 8) -> str:
        out = tmp_path / name
        told = [] if forced is None else [f"--xla_force_host_platform_device_count={forced}"]
        argv = [*VAECLUST, *RUN, str(files / "vectors.npz"), "--seeds", "2", "--out", str(out), *words]
        done = subprocess.run(
            argv, env={**environment, "XLA_FLAGS": " ".join(here + told)}, capture_output=True, text=True, timeout=400
        )
        assert (done.returncode, done.stderr) == (0, "")
        (table,) = out.glob("*-*/assignments.csv")
        return table.read_text()

    def labels(table: str) -> list[str]:
        return [line.partition(",")[0] + line.split(",")[2] for line in table.splitlines()]

    alone = run("alone")
    assert run("seeds", "--devices", "2") == alone
    assert run("cores", forced=None) == alone
    assert run("one", "--devices", "1", forced=None) == alone
    assert labels(run("rows", "--mesh", "seeds=2,rows=4")) == labels(alone)
