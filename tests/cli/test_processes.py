"""`vaeclust run --coordinator HOST:PORT --process-id I --num-processes N`: one run, done by several processes."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import vaeclust_jax as vc
from tests.cli.conftest import TINY, VAECLUST, Answer
from tests.training.test_processes import free_port
from vaeclust_jax.cli.processes import _warn_of_loopback, join

RUN = ["run", "vaedec", "--clusters", "3", "--seeds", "2", "--no-page", *TINY, "--checkpoint-epochs", "1"]
EPOCHS = ["--pretrain-epochs", "60", "--joint-epochs", "2"]


Process = Callable[..., Answer]
Beginner = Callable[..., list["subprocess.Popen[str]"]]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("here:80", None, 2), "needs --process-id and --num-processes"),
        (("here:80", 0, None), "needs --process-id and --num-processes"),
        ((None, 0, 2), "need --coordinator HOST:PORT"),
        (("here", 0, 2), "must be HOST:PORT or auto, got 'here'"),
        ((":80", 0, 2), "must be HOST:PORT or auto"),
        (("here:99999", 0, 2), "must be HOST:PORT or auto"),
        (("here:80", 2, 2), "process_id must lie in 0 to num_processes - 1, got 2 with num_processes 2"),
        (("here:80", -1, 2), "process_id must lie in 0"),
        (("here:80", 0, 0), "process_id must lie in 0"),
        (("auto", 0, 2), "leave --process-id and --num-processes out"),
    ],
)
def test_words_that_do_not_belong_together_are_refused(
    words: tuple[str | None, int | None, int | None], sentence: str
) -> None:
    with pytest.raises(vc.InputError, match=sentence):
        join(*words, [])


def test_a_host_whose_name_leads_to_itself_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("socket.gethostbyname", lambda name: "10.0.0.1" if name == "host0" else "127.0.1.1")
    _warn_of_loopback("host0:80")
    assert "leads to 127.0.1.1: CPUs of other hosts will not find it there" in capsys.readouterr().err
    for quiet in ("127.0.0.1:80", "auto"):
        _warn_of_loopback(quiet)
        assert capsys.readouterr().err == ""


def test_nobody_asked_and_nobody_joins() -> None:
    assert not join(None, None, None, [])


@pytest.fixture
def begin(files: Path, tmp_path: Path, environment: dict[str, str]) -> Callable[..., list["subprocess.Popen[str]"]]:
    """Starts so many processes of one run."""

    def begin(
        number: int, *words: object, alone: int | None = None, by_mpi: bool = False
    ) -> list[subprocess.Popen[str]]:
        port = free_port()

        def begun(index: int) -> subprocess.Popen[str]:
            flags = ["--coordinator", f"127.0.0.1:{port}", "--process-id", index, "--num-processes", number]
            env = environment
            if by_mpi:  # what Open MPI sets, and how jax finds a port in it
                flags = ["--coordinator", "auto"]
                env = env | {
                    "OMPI_MCA_orte_hnp_uri": f"{port % 4096 * 4096}.0;tcp://127.0.0.1:1",
                    "OMPI_COMM_WORLD_SIZE": str(number), "OMPI_COMM_WORLD_RANK": str(index),
                    "OMPI_COMM_WORLD_LOCAL_RANK": str(index),
                }  # fmt: skip
            argv = [*VAECLUST, *RUN, "--dataset", files / "vectors.npz", "--out", tmp_path, *words, *flags]
            return subprocess.Popen(
                list(map(str, argv)), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )

        return [begun(index) for index in (range(number) if alone is None else [alone])]

    return begin


def ended(processes: list["subprocess.Popen[str]"], within: float = 200) -> list[Answer]:
    try:
        said = [process.communicate(timeout=within) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, *both) for process, both in zip(processes, said, strict=True)]


def only_folder(out: Path) -> Path:
    [folder] = (path for path in out.iterdir() if path.is_dir() and not path.is_symlink())
    return folder


def wait_for_checkpoints(out: Path) -> Path:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if list(out.glob("*/checkpoints/0/epochs/[0-9]*")):
            return only_folder(out)
        time.sleep(0.1)
    raise AssertionError("no checkpoint within two minutes")


def child_of(process: "subprocess.Popen[str]") -> int:
    """The one that computes; the other watches it."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])


@pytest.fixture(scope="module")
def uninterrupted(files: Path, tmp_path_factory: pytest.TempPathFactory, process: Process) -> bytes:
    """The assignments of one process that nobody ended."""
    out = tmp_path_factory.mktemp("uninterrupted")
    code, _, err = process(*RUN, "--dataset", files / "vectors.npz", *EPOCHS, "--out", out)
    assert code == 0, err
    return (only_folder(out) / "assignments.csv").read_bytes()


@pytest.mark.long
@pytest.mark.parametrize("by_mpi", [pytest.param(False, marks=pytest.mark.slow), True])
def test_one_of_them_writes_what_one_alone_would(
    begin: Beginner, tmp_path: Path, uninterrupted: bytes, by_mpi: bool
) -> None:
    (first, out, err), (other, *silent) = ended(begin(2, *EPOCHS, "--checkpoint-epochs", "50", by_mpi=by_mpi))
    assert (first, other) == (0, 0), err
    assert [line for text in silent for line in text.splitlines() if not line.startswith("[Gloo]")] == []
    folder = only_folder(tmp_path)
    assert str(folder) in out
    assert (folder / "assignments.csv").read_bytes() == uninterrupted
    assert not (folder / "checkpoints").exists()


@pytest.mark.long
@pytest.mark.parametrize("killed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_one_that_is_killed_ends_the_others_and_the_run_goes_on_with_fewer(
    begin: Beginner, tmp_path: Path, process: Process, killed: int, uninterrupted: bytes
) -> None:
    both = begin(2, *EPOCHS)
    folder = wait_for_checkpoints(tmp_path)
    if killed:
        os.kill(child_of(both[killed]), signal.SIGKILL)
    else:
        both[killed].send_signal(signal.SIGKILL)  # its child sees it
    answers = ended(both, within=60)
    code, _, err = answers[1 - killed]
    assert code == 1, err
    assert "another process of this run has ended or cannot be reached" in err
    assert "Traceback" not in err
    if killed:
        assert answers[1] == (1, answers[1][1], "vaeclust: the process was ended by signal 9\n")
    code, _, err = process("run", "--resume", folder)
    assert code == 0, err
    assert (folder / "assignments.csv").read_bytes() == uninterrupted


@pytest.mark.slow
def test_one_that_is_asked_to_end_ends_all_after_the_same_epoch_and_all_go_on(
    begin: Beginner, tmp_path: Path, uninterrupted: bytes
) -> None:
    both = begin(2, *EPOCHS)
    folder = wait_for_checkpoints(tmp_path)
    both[1].send_signal(signal.SIGTERM)
    (first, _, err), (other, *_) = ended(both, within=60)
    assert (first, other) == (143, 143), err
    assert f"vaeclust run --resume {folder}" in err
    answers = ended(begin(2, *EPOCHS, "--resume", folder))
    assert [code for code, *_ in answers] == [0, 0], answers
    assert (folder / "assignments.csv").read_bytes() == uninterrupted


@pytest.mark.long
def test_a_process_or_a_coordinator_that_does_not_come_is_a_sentence(begin: Beginner) -> None:
    [first, other] = ended([*begin(2, alone=0), *begin(2, alone=1)], within=90)  # each with a port of its own
    assert (first[:2], other[:2]) == ((2, ""), (2, "")), first[2]
    assert "vaeclust: not all processes joined at 127.0.0.1:" in first[2]
    assert "vaeclust: no coordinator answers at 127.0.0.1:" in other[2]
    assert other[2].count("\n") == 1
