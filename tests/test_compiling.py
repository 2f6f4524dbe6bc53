"""The compilation cache: whose settings hold, what cannot be used, what is damaged, and that results are the same."""

import os
import subprocess
import sys
import warnings
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vaeclust_jax import compiling
from vaeclust_jax.compiling import (
    compilation_cache_bytes,
    compilation_cache_dir,
    enable_compilation_cache,
)

SETTINGS = (
    "jax_enable_compilation_cache",
    "jax_compilation_cache_dir",
    "jax_persistent_cache_min_compile_time_secs",
)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """jax as it starts, with a user's cache folder of its own; afterwards as it was."""
    before = {name: jax.config.values[name] for name in SETTINGS}
    monkeypatch.setenv("VAECLUST_CACHE", str(tmp_path / "cache"))
    for name, value in zip(SETTINGS, (True, None, 1.0), strict=True):
        jax.config.update(name, value)
    yield
    for name, value in before.items():
        jax.config.update(name, value)
    _forget()


def _forget() -> None:
    """As a new process: nothing compiled, no folder looked at."""
    from jax.experimental.compilation_cache import compilation_cache

    jax.clear_caches()
    compilation_cache.reset_cache()


def _program(x: jax.Array) -> jax.Array:
    return jnp.sin(x) @ jnp.cos(x).T + jax.random.normal(jax.random.key(3), (x.shape[0], x.shape[0]))


def _hits_and_answer() -> tuple[int, np.ndarray]:
    """Programs that were read, and what one of them computes."""
    events: list[str] = []

    def listen(event: str, **about: Any) -> None:
        events.append(event)

    x = np.linspace(0, 1, 35, dtype=np.float32).reshape(5, 7)
    jax.clear_caches()
    jax.monitoring.register_event_listener(listen)
    try:
        answer = np.asarray(jax.jit(_program)(x))
    finally:
        jax.monitoring.unregister_event_listener(listen)
    return events.count("/jax/compilation_cache/cache_hits"), answer


def programs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*-cache"))


# Whose settings hold ---------------------------------------------------------------------------------------------


def test_programs_are_written_once_and_read_as_the_same_bits(tmp_path: Path) -> None:
    _, plain = _hits_and_answer()
    folder = tmp_path / "made" / "here"
    assert enable_compilation_cache(folder) == folder
    hits, first = _hits_and_answer()
    assert hits == 0
    written = programs(folder)
    assert written
    assert compilation_cache_bytes(folder) == sum(path.stat().st_size for path in written)
    assert enable_compilation_cache(folder) == folder
    hits, second = _hits_and_answer()
    assert hits == len(written) == len(programs(folder))
    np.testing.assert_array_equal(plain, first)
    np.testing.assert_array_equal(first, second)


def test_the_usual_folder_is_the_persons_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert enable_compilation_cache() == tmp_path / "cache" / "compiled" == compilation_cache_dir()
    jax.config.update("jax_compilation_cache_dir", None)
    monkeypatch.delenv("VAECLUST_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    usual = compilation_cache_dir()
    assert usual is not None
    assert usual.parts[-2:] == ("vaeclust_jax", "compiled")


def test_every_program_is_kept_unless_the_person_says_otherwise(tmp_path: Path) -> None:
    enable_compilation_cache(tmp_path)
    assert jax.config.values["jax_persistent_cache_min_compile_time_secs"] == 0
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 30.0)
    enable_compilation_cache(tmp_path / "other")
    assert jax.config.values["jax_persistent_cache_min_compile_time_secs"] == 30
    assert _hits_and_answer()[0] == 0
    assert programs(tmp_path / "other") == []


def test_a_folder_of_jaxs_own_setting_is_left_to_jax(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "damaged-cache").write_bytes(b"no program")
    monkeypatch.setattr(compiling, "_BYTES_AT_MOST", 1)
    jax.config.update("jax_compilation_cache_dir", str(own))
    assert enable_compilation_cache() == own
    assert [path.name for path in own.iterdir()] == ["damaged-cache"]
    _hits_and_answer()
    assert len(programs(own)) > 1
    assert not (tmp_path / "cache").exists()


def test_one_that_is_given_comes_before_the_setting_and_may_follow_another(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert enable_compilation_cache(tmp_path / name) == tmp_path / name
        assert _hits_and_answer()[0] == 0
        assert programs(tmp_path / name)


def test_switched_off_by_jaxs_setting_nothing_happens(tmp_path: Path) -> None:
    jax.config.update("jax_enable_compilation_cache", False)
    before = dict(jax.config.values)
    assert enable_compilation_cache() is None
    assert enable_compilation_cache(tmp_path / "given") is None
    assert compilation_cache_dir() is None
    assert dict(jax.config.values) == before
    assert list(tmp_path.iterdir()) == []


# What cannot be used ---------------------------------------------------------------------------------------------

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize("why", ["is a file", "lies under a file", "disk is full", "cannot be written"])
def test_a_folder_that_cannot_be_used_is_one_warning_and_work_goes_on(
    why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("mine")
    folder = {"is a file": tmp_path / "file", "lies under a file": tmp_path / "file" / "x"}.get(why, tmp_path / "x")
    enable_compilation_cache(tmp_path / "before")
    if why == "disk is full":
        monkeypatch.setattr(compiling.shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - 5, 5))
    if why == "cannot be written":

        def refuse(**about: Any) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(compiling.tempfile, "TemporaryFile", refuse)
    with pytest.warns(UserWarning, match="compiled programs are not kept: .* cannot be used") as caught:
        assert enable_compilation_cache(folder) is None
    assert jax.config.values["jax_compilation_cache_dir"] is None
    assert len(caught) == 1
    assert str(folder) in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hits, answer = _hits_and_answer()
    assert hits == 0
    assert np.isfinite(answer).all()
    assert (tmp_path / "file").read_text() == "mine"


# What is damaged, and how much there may be ---------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["cut", "empty", "changed"])
def test_a_damaged_program_is_compiled_anew_without_a_word_and_written_again(damage: str, tmp_path: Path) -> None:
    enable_compilation_cache(tmp_path)
    _, answer = _hits_and_answer()
    written = programs(tmp_path)
    for path in written:
        content = path.read_bytes()
        middle = len(content) // 2
        changed = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
        path.write_bytes({"cut": content[:middle], "empty": b"", "changed": changed}[damage])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        enable_compilation_cache(tmp_path)
        assert programs(tmp_path) == []
        hits, again = _hits_and_answer()
    assert hits == 0
    np.testing.assert_array_equal(answer, again)
    assert programs(tmp_path) == written
    enable_compilation_cache(tmp_path)
    assert _hits_and_answer()[0] == len(written)


def test_one_that_is_damaged_meanwhile_is_a_warning_of_jax_and_compiled_anew(tmp_path: Path) -> None:
    enable_compilation_cache(tmp_path)
    _, answer = _hits_and_answer()
    for path in programs(tmp_path):
        path.write_bytes(path.read_bytes()[:20])
    with pytest.warns(UserWarning, match="Error reading persistent compilation cache"):
        hits, again = _hits_and_answer()
    assert hits == 0
    np.testing.assert_array_equal(answer, again)


def test_a_program_is_checked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enable_compilation_cache(tmp_path)
    _hits_and_answer()
    for path in programs(tmp_path):
        os.utime(path, (0, path.stat().st_mtime - 5))  # written before the stamp, not in its second
    os.utime(tmp_path / "checked", (0, 0))
    enable_compilation_cache(tmp_path)

    def never(content: bytes) -> bool:
        raise AssertionError("checked before")

    monkeypatch.setattr(compiling, "_is_whole", never)
    assert enable_compilation_cache(tmp_path) == tmp_path
    assert programs(tmp_path)


def test_programs_packed_by_zstandard_are_not_taken_for_damaged(tmp_path: Path) -> None:
    (tmp_path / "a-cache").write_bytes(b"\x28\xb5\x2f\xfd" + b"frame")
    enable_compilation_cache(tmp_path)
    assert [path.name for path in programs(tmp_path)] == ["a-cache"]


def test_beyond_the_bound_those_go_that_were_not_used_for_longest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "_BYTES_AT_MOST", 250)
    monkeypatch.setattr(compiling, "_is_whole", lambda content: True)
    for age, name in enumerate(("new", "read lately", "middle", "old"), start=1):
        (tmp_path / f"{name}-cache").write_bytes(bytes(100))
        os.utime(tmp_path / f"{name}-cache", (1000 - age, 900 - 10 * age))
    os.utime(tmp_path / "read lately-cache", (2000, 1))
    (tmp_path / "not a program").write_bytes(bytes(1000))
    enable_compilation_cache(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checked", "new-cache", "not a program", "read lately-cache"
    ]  # fmt: skip


# Processes -------------------------------------------------------------------------------------------------------

FIT = """
import sys
import zlib
import jax
import numpy as np
import vaeclust_jax as vc
from tests.fitting.made import blobs, config
assert vc.enable_compilation_cache(sys.argv[1]) is not None
events = []
jax.monitoring.register_event_listener(lambda event, **about: events.append(event))
run = vc.fit(config(joint_epochs=0), blobs()[0], jax.random.key(0))
bits = b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(run.params))
print(zlib.crc32(bits), events.count("/jax/compilation_cache/cache_hits"))
"""


def start(folder: Path) -> "subprocess.Popen[str]":
    env = {**os.environ, "JAX_ENABLE_COMPILATION_CACHE": "true", "PYTHONPATH": str(Path(__file__).parents[2])}
    argv = [sys.executable, "-c", FIT, str(folder)]
    return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_processes_share_a_folder_at_once_and_a_fit_with_read_programs_has_the_same_bits(tmp_path: Path) -> None:
    together = [start(tmp_path) for _ in range(2)]
    answers = [process.communicate(timeout=300) for process in together]
    answers.append(start(tmp_path).communicate(timeout=300))
    assert not any("Traceback" in err for _, err in answers), answers
    bits, hits = zip(*(map(int, out.split()) for out, _ in answers), strict=True)
    assert len(set(bits)) == 1
    assert hits[2] >= len(programs(tmp_path)) > min(hits[:2])
    assert any(path.name.startswith("jit_epoch") for path in programs(tmp_path))
    assert all(compiling._is_whole(path.read_bytes()) for path in programs(tmp_path))


def test_large_programs_are_quick_to_compile_unless_the_person_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    level, emitters = "xla_backend_optimization_level", "xla_cpu_use_fusion_emitters"
    monkeypatch.delenv("XLA_FLAGS")  # of the tests
    options = compiling.quick_to_compile()
    assert options == {level: 1, emitters: False}
    assert jax.jit(lambda x: x @ x, compiler_options=options)(jnp.eye(3)).sum() == 3
    monkeypatch.setenv("XLA_FLAGS", f"--{level}=2")
    assert compiling.quick_to_compile() == {emitters: False}


def test_an_option_that_this_xla_does_not_have_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLA_FLAGS")
    monkeypatch.setattr(compiling, "_EMITTERS", "xla_of_another_version")
    assert list(compiling.quick_to_compile()) == ["xla_backend_optimization_level"]
