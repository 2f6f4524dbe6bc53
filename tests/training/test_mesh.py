"""Seeds and rows over devices: what a mesh is, what it refuses, and the same clusters as on one device."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vaeclust_jax as vc
from tests.fitting.made import K, blobs, config
from vaeclust_jax.cli.execution import has_room
from vaeclust_jax.errors import InputError
from vaeclust_jax.machine import memory, num_cores
from vaeclust_jax.training.layout import rows_of
from vaeclust_jax.training.mesh import Mesh

EIGHT = "--xla_force_host_platform_device_count=8"


def lines_of(module: str, *words: str) -> list[dict[str, Any]]:
    """What a module prints, in a process with eight devices."""
    environment = {**os.environ, "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {EIGHT}", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-m", module, *words], env=environment, capture_output=True, text=True, timeout=550
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@given(st.integers(1, 50), st.integers(1, 50))
def test_a_mesh_is_the_text_of_itself(seeds: int, rows: int) -> None:
    assert Mesh.of_text(str(Mesh(seeds, rows))) == Mesh(seeds, rows)


def test_what_is_left_out_of_the_text_is_one() -> None:
    assert Mesh.of_text("rows=3") == Mesh(1, 3)
    assert Mesh.of_text(" rows=2, seeds=4") == Mesh(4, 2)


MALFORMED = ("", "8", "seeds", "seeds=", "seeds=x", "seeds=-1", "seeds=2.5", "seeds=²", "seeds=2;rows=2", "seeds=2,")


@pytest.mark.parametrize("text", [*MALFORMED, "seeds=2,seeds=2", "devices=8", "SEEDS=2"])
def test_a_malformed_mesh_is_a_sentence(text: str) -> None:
    with pytest.raises(InputError, match="a mesh is written like seeds=4,rows=2, got "):
        Mesh.of_text(text)


@pytest.mark.parametrize("sizes", [(0, 1), (1, 0), (-2, 1)])
def test_an_axis_has_a_device(sizes: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="at least 1 device along"):
        Mesh(*sizes)


@given(st.integers(1, 64), st.integers(1, 64))
def test_devices_multiply_out_with_seeds_first(devices: int, seeds: int) -> None:
    mesh = Mesh.of_devices(devices, seeds)
    assert mesh.num_devices == devices
    assert mesh.seeds <= seeds
    assert not any(devices % more == 0 for more in range(mesh.seeds + 1, min(devices, seeds) + 1))


def test_no_device_is_a_sentence() -> None:
    with pytest.raises(InputError, match="devices must be at least 1, got 0"):
        Mesh.of_devices(0, 3)


OF_CORES = """
import os, sys
import jax
import numpy as np
import vaeclust_jax as vc
from tests.fitting.made import blobs, config
from vaeclust_jax.cli.execution import mesh_of
from vaeclust_jax.machine import num_cores
"""


def said_of_cores(lines: str, flags: str = "") -> str:
    """What a process prints whose jax has not begun, and was not told how many devices a CPU is."""
    told = " ".join(one for one in os.environ.get("XLA_FLAGS", "").split() if "device_count" not in one)
    done = subprocess.run(
        [sys.executable, "-c", OF_CORES + lines], capture_output=True, text=True, timeout=300,
        env={**os.environ, "XLA_FLAGS": f"{told} {flags}", "JAX_PLATFORMS": "cpu"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.long
@pytest.mark.skipif(num_cores() < 2, reason="one core is one device")
def test_seeds_over_the_cores_have_the_same_bits() -> None:
    lines = """
mesh = vc.Mesh.of_cores(3)
assert mesh == vc.Mesh.of_cores(3) == mesh_of(None, None, 3) == vc.Mesh(seeds=min(3, num_cores())), mesh
assert jax.device_count() == mesh.seeds
settings, x = config(3, "kmeans"), blobs()[0]
over, alone = (vc.fit_seeds(settings, x, range(3), mesh=one) for one in (mesh, None))
for one, other in zip(over, alone, strict=True):
    np.testing.assert_array_equal(one.predict_proba(x), other.predict_proba(x))
print("well")
"""
    assert said_of_cores(lines) == "well"


@pytest.mark.long
@pytest.mark.parametrize(
    ("lines", "flags", "expected"),
    [
        ("jax.devices()", "", "seeds=1,rows=1 None"),
        ("os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})", "", "seeds=1,rows=1 None"),
        ("", EIGHT, "seeds=1,rows=1 None"),
        ("jax.config.update('jax_num_cpu_devices', 1)", "", "seeds=1,rows=1 None"),
        ("mesh_of(2, None, 1)", "", "seeds=2,rows=1 seeds=2,rows=1"),
    ],
)
def test_cores_are_devices_only_before_jax_begins_and_where_nobody_said_how_many(
    lines: str, flags: str, expected: str
) -> None:
    if "2" in lines and num_cores() < 2:
        pytest.skip("one core is one device")
    assert said_of_cores(f"{lines}\nprint(vc.Mesh.of_cores(9), mesh_of(None, None, 9))", flags) == expected


def test_every_device_of_cores_has_room_for_the_rows() -> None:
    room = memory()
    assert room is not None
    assert has_room(Mesh(seeds=2), 1000, (28, 28, 1))
    assert not has_room(Mesh(seeds=2), room // 8, (2,))


def test_more_devices_than_there_are() -> None:
    with pytest.raises(InputError, match=r"takes 999 devices, and jax has \d+ \(cpu\); XLA_FLAGS"):
        vc.fit_seeds(config(K), blobs()[0], range(999), mesh=Mesh(seeds=999))


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> None:
    """jax says that it has four devices."""
    monkeypatch.setattr(jax, "devices", lambda: [SimpleNamespace(device_kind="A", platform="gpu")] * 4)


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("mesh", "seeds", "batch_size", "sentence"),
    [
        (Mesh(8), 8, 32, r"takes 8 devices, and jax has 4 \(gpu\)$"),
        (Mesh(4), 3, 32, "lays seeds over 4 devices, and there are 3: give as many seeds, or seeds=3"),
        (Mesh(1, 4), 3, 30, "each batch over 4 devices, and a batch_size of 30 does not divide: give 28"),
        (Mesh(1, 4), 3, 3, "a batch_size of 3 does not divide: give 4"),
    ],
)
def test_what_does_not_go_over_the_devices(mesh: Mesh, seeds: int, batch_size: int, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        mesh.check(seeds, batch_size)


@pytest.mark.usefixtures("four")
def test_seeds_that_do_not_divide_are_allowed() -> None:
    Mesh(4).check(5, 7)


def test_devices_of_different_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = [SimpleNamespace(device_kind=kind, platform="gpu") for kind in ("H100", "H100", "A100")]
    monkeypatch.setattr(jax, "devices", lambda: kinds)
    Mesh(2).check(2, 32)
    with pytest.raises(InputError, match="must be of one kind, got A100 and H100: hide the others"):
        Mesh(3).check(3, 32)


@pytest.mark.usefixtures("four")
def test_a_method_whose_rows_stay_together() -> None:
    with pytest.raises(
        InputError, match=r"RBM cannot lay rows over devices \(stage '\w+'\), got the mesh seeds=1,rows=2"
    ):
        vc.fit(vc.Config(vc.RBM(4), vc.PrepareConfig(scaling="minmax")), blobs()[0], 0, mesh=Mesh(rows=2))


@pytest.mark.parametrize("mesh", ["seeds=2", 8, (4, 2)])
def test_a_mesh_is_a_mesh(mesh: object) -> None:
    with pytest.raises(InputError, match=r"mesh must be Mesh\(seeds=..., rows=...\), got "):
        vc.fit_seeds(config(K), blobs()[0], range(2), mesh=mesh)  # type: ignore[arg-type]


def test_without_a_mesh_an_index_is_an_index() -> None:
    array, index = np.arange(12.0).reshape(6, 2), np.array([3, 0, 3])
    np.testing.assert_array_equal(rows_of(array, index), array[index])  # type: ignore[arg-type]


@pytest.mark.long
def test_rows_on_eight_devices_are_those_of_numpy() -> None:
    (line,) = lines_of("tests.training.laid_rows")
    assert line["devices"] == 8
    assert line["failed"] == []
    assert len(line["checked"]) >= 20


METHODS = ("dec", "graph", "kmeans", "vade", "mixture")


@pytest.mark.long
@pytest.mark.parametrize("method", [METHODS[0], *(pytest.param(one, marks=pytest.mark.slow) for one in METHODS[1:])])
def test_many_devices_find_the_clusters_of_one_and_others_go_on(method: str) -> None:
    """Each fit on a mesh is killed, and goes on with one that has a device more along seeds."""
    meshes = [Mesh(2), Mesh(1, 4)][method == "graph" :]  # its compiling takes twice as long
    alone, *lines = lines_of("tests.training.eight_devices", method, *map(str, meshes))
    assert alone["bytes_of_rows"] == 47 * 6 * 4  # of 59, 12 are held out
    assert alone["bytes_of_p"] == (3 * 47 * K * 4 if method in ("dec", "graph") else 0)
    for line, mesh in zip(lines, [Mesh(one.seeds + 1, one.rows) for one in meshes], strict=True):
        seeds_of_one, rows_of_one = -(-3 // mesh.seeds), -(-47 // mesh.rows)
        assert line["bytes_of_rows"] == rows_of_one * 6 * 4
        assert line["bytes_of_p"] == (seeds_of_one * rows_of_one * K * 4 if method in ("dec", "graph") else 0)
        assert line["epochs"]
        assert line["agreement"] == 1.0
        if method not in ("vade", "mixture"):  # EM of sums in another order may number its components otherwise
            assert line["renumbered"] == 0
            assert line["probability"] < 1e-5
        if mesh.rows == 1 and method != "graph":
            assert line["bits"]
            assert line["histories"]
