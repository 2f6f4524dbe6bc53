"""A run that was ended goes on bit for bit; damage, a full disk and a second run are met with a sentence."""

import gc
import json
import logging
import multiprocessing
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.training.counting import counting_learner, rows_of
from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.starts import carry_on, from_scratch
from vaeclust_jax.training import loop
from vaeclust_jax.training.checkpoint import Checkpoint, Keeper
from vaeclust_jax.training.checkpoint_folder import lock, remove
from vaeclust_jax.training.epoch import Data
from vaeclust_jax.training.loop import History, train
from vaeclust_jax.training.stopping import NEVER, assignment_change
from vaeclust_jax.types import Stage, State

N, SEEDS = 23, 3
X = jnp.arange(N * 2.0).reshape(N, 2)
KEYS = jax.vmap(jax.random.key)(jnp.arange(SEEDS))
IDENTITY = {"config": {"epochs": 3, "name": "counting"}, "seeds": [0, 1, 2]}


class Killed(BaseException):
    """As if the power had gone, between two epochs."""


def stages() -> list[Stage]:
    learner = counting_learner(N)
    return [
        Stage("one", learner, 3, from_scratch(learner), NEVER),
        Stage("none", learner, 0, carry_on, NEVER),
        Stage("two", learner, 4, carry_on, assignment_change(0.5)),  # some seeds stop before the others
    ]


def run(keeper: Keeper | None = None, die_after: int = 1000) -> tuple[list[list[State]], History]:
    epochs: list[int] = []

    def on_epoch(rows: History) -> None:
        epochs.append(1)
        if len(epochs) == die_after:
            raise Killed

    return train(
        stages(), KEYS, rows_of(X), Data(X[:5]), batch_size=5, names=range(SEEDS), keeper=keeper, on_epoch=on_epoch
    )


def kept(folder: Path, **settings: Any) -> Keeper:
    return Keeper(Checkpoint(folder, **settings), IDENTITY)


def numbers(folder: Path) -> list[int]:
    return sorted(int(path.name) for path in (folder / "epochs").iterdir() if path.name.isdecimal())


def assert_same(one: tuple[list[list[State]], History], other: tuple[list[list[State]], History]) -> None:
    chex.assert_trees_all_equal(one[0], other[0])
    assert one[1] == other[1]


@pytest.fixture(scope="module")
def whole() -> tuple[list[list[State]], History]:
    return run()


@pytest.mark.parametrize("die_after", [1, 4, *(pytest.param(number, marks=pytest.mark.long) for number in (3, 5))])
def test_it_goes_on_bit_for_bit_from_any_epoch(whole: Any, tmp_path: Path, die_after: int) -> None:
    with kept(tmp_path) as keeper, pytest.raises(Killed):
        run(keeper, die_after)
    with kept(tmp_path) as keeper:
        assert_same(run(keeper), whole)


def test_it_goes_on_from_the_last_checkpoint_after_a_death_without_notice(whole: Any, tmp_path: Path) -> None:
    """The folder as it was while training went on: what a killed process leaves behind."""
    with kept(tmp_path, every_epochs=2) as keeper:
        keeper.keep = lambda *place: None  # type: ignore[method-assign]
        with pytest.raises(Killed):
            run(keeper, 5)
    assert numbers(tmp_path) == [2, 4]
    with kept(tmp_path) as keeper:
        assert_same(run(keeper), whole)


def test_a_run_that_ended_is_read_and_not_run_again(
    whole: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with kept(tmp_path) as keeper:
        run(keeper)
    monkeypatch.setattr(loop, "epoch_program", lambda *_: pytest.fail)
    with kept(tmp_path) as keeper:
        assert_same(run(keeper), whole)


def test_the_last_ones_and_the_best_stay(tmp_path: Path) -> None:
    with kept(tmp_path, every_epochs=1, keep=2) as keeper:
        for epoch, loss in enumerate([5.0, 2.0, 4.0, 3.0, 6.0], start=1):
            keeper.offer(0, lambda: jnp.ones(3), [{"stage": "vae", "epoch": epoch, "loss": 0.0, "val_loss": loss}])
    assert numbers(tmp_path) == [2, 4, 5]


@pytest.mark.parametrize("part", ["arrays", "record"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    whole: Any, tmp_path: Path, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    with kept(tmp_path, every_epochs=1) as keeper, pytest.raises(Killed):
        run(keeper, 5)
    newest = max(numbers(tmp_path))
    for path in (tmp_path / "epochs" / str(newest) / part).rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with kept(tmp_path, every_epochs=1) as keeper, caplog.at_level(logging.WARNING):
        assert_same(run(keeper), whole)
    assert f"checkpoint {newest} is damaged, the one before is taken" in caplog.text
    assert (tmp_path / f"damaged-{newest}-1" / part).is_dir(), "what cannot be read is put aside, not removed"


@pytest.mark.long
@pytest.mark.parametrize("changes", [{"stage": "x"}, {"stage": 9}, {"history": [None]}, {"history": 3}], ids=str)
def test_a_record_that_was_edited_gives_way_to_the_one_before(
    whole: Any, tmp_path: Path, changes: dict[str, Any]
) -> None:
    with kept(tmp_path, every_epochs=1) as keeper, pytest.raises(Killed):
        run(keeper, 5)
    newest = max(numbers(tmp_path))
    path = tmp_path / "epochs" / str(newest) / "record" / "metadata"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with kept(tmp_path, every_epochs=1) as keeper:
        assert_same(run(keeper), whole)
    assert (tmp_path / f"damaged-{newest}-1").is_dir()


@pytest.mark.long
def test_damage_to_all_starts_afresh(whole: Any, tmp_path: Path) -> None:
    with kept(tmp_path, every_epochs=1) as keeper, pytest.raises(Killed):
        run(keeper, 3)
    for number in numbers(tmp_path):
        shutil.rmtree(tmp_path / "epochs" / str(number) / "arrays")
    with kept(tmp_path) as keeper:
        assert_same(run(keeper), whole)


def test_a_disk_that_is_full_is_said_and_training_goes_on(
    whole: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import orbax.checkpoint as ocp

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    with kept(tmp_path, every_epochs=1) as keeper, monkeypatch.context() as patch:
        patch.setattr(ocp.CheckpointManager, "save", full)
        assert_same(run(keeper), whole)
    assert "no checkpoint could be written, training goes on without it: [Errno 28]" in caplog.text


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "vaeclust", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_up_leaves_the_earlier_checkpoints_whole(
    whole: Any, tiny_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with kept(tiny_disk, every_epochs=1) as keeper, pytest.raises(Killed):
        run(keeper, 2)
    before = numbers(tiny_disk)
    with open(tiny_disk / "others", "wb", buffering=0) as others, suppress(OSError):
        while True:
            others.write(bytes(4096))
    with kept(tiny_disk, every_epochs=1) as keeper:
        assert_same(run(keeper), whole)
    assert "no checkpoint could be written, training goes on without it" in caplog.text
    assert "No space left on device" in caplog.text
    assert [record.name for record in caplog.records if "orbax" in record.pathname] == []
    assert logging.getLogger("absl").filters == [], "others hear orbax again"
    assert set(before) <= set(numbers(tiny_disk))
    (tiny_disk / "others").unlink()
    with kept(tiny_disk, every_epochs=1) as keeper:  # from an earlier checkpoint, and with room to write
        assert_same(run(keeper), whole)
    assert "is damaged" not in caplog.text


def test_many_arrays_on_a_full_disk_are_one_warning(
    tiny_disk: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each of them failed by itself, in a thread that nobody waited for, and said so."""
    arrays = [np.random.default_rng(at).normal(size=500) for at in range(400)]
    with kept(tiny_disk, every_epochs=1) as keeper:
        keeper.due()
        keeper.keep(0, lambda: arrays, [])
    gc.collect()  # of what failed unseen is said when it goes
    assert {record.name for record in caplog.records} == {"vaeclust_jax.training.checkpoint"}
    assert "No space left on device" in caplog.text
    assert "Traceback" not in capfd.readouterr().err


def test_arrays_of_any_type_and_shape_come_back(tmp_path: Path) -> None:
    arrays = [
        np.float32(3.5), np.zeros((0, 3), np.int16), np.array([[True, False]]), np.array([-7], np.int64),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)), jnp.arange(4, dtype=jnp.bfloat16),
    ]  # fmt: skip
    with kept(tmp_path, every_epochs=1) as keeper:
        keeper.due()
        keeper.keep(0, lambda: arrays, [])
    with kept(tmp_path, every_epochs=1) as keeper:
        found = keeper.restore()
    assert found is not None
    chex.assert_trees_all_equal(found.leaves, [np.asarray(one) for one in arrays])
    chex.assert_trees_all_equal_dtypes(found.leaves, [np.asarray(one) for one in arrays])


def test_a_kill_amid_a_removal_leaves_nothing_that_the_next_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first deletion may be the very file that tells a checkpoint."""
    fit = tmp_path / "0"
    arrays = [np.arange(5)]
    with kept(fit, every_epochs=1) as keeper:
        for epoch in range(3):
            keeper.settle()
            keeper.due()
            keeper.write(0, arrays, [{"stage": "one", "epoch": epoch, "loss": 1.0 / (1 + epoch)}])

        def killed(path: Path, **settings: Any) -> None:
            if path.exists():
                (path / "_CHECKPOINT_METADATA").unlink()
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(shutil, "rmtree", killed)
            with pytest.raises(Killed):
                keeper.settle()  # the third, once it is there, sends the first away
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(Killed):
            remove(tmp_path)
    remove(tmp_path)
    assert list(tmp_path.rglob("*")) == []


def _hold(folder: str, held: Any, release: Any) -> None:
    mine = lock(Path(folder))
    held.set()
    release.wait(60)
    mine.release()


def test_a_second_process_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    held, release = spawn.Event(), spawn.Event()
    other = spawn.Process(target=_hold, args=(str(tmp_path), held, release))
    other.start()
    try:
        assert held.wait(60)
        with pytest.raises(InputError, match=f"another run is writing to {tmp_path}"):
            kept(tmp_path)
        other.kill()
        other.join(60)
        kept(tmp_path).__exit__()
    finally:
        other.kill()


def test_another_fit_is_refused_with_what_differs(tmp_path: Path) -> None:
    kept(tmp_path).__exit__()
    other = {"config": {"epochs": 5, "name": "counting"}, "seeds": [0, 1]}
    with pytest.raises(InputError) as caught:
        Keeper(Checkpoint(tmp_path), other)
    assert str(caught.value) == (
        f"{tmp_path} holds checkpoints of another fit: config.epochs was 3 and is 5, seeds was [0, 1, 2] and is [0, 1]"
    )
    kept(tmp_path).__exit__()  # the refused one left no lock
    with Keeper(Checkpoint(tmp_path / "data"), {"data": {"train": "a" * 64}}):
        pass
    with pytest.raises(InputError, match=r"of another fit: data\.train is another$"):
        Keeper(Checkpoint(tmp_path / "data"), {"data": {"train": "b" * 64}})
    with pytest.raises(InputError) as caught:
        Keeper(Checkpoint(tmp_path), {f"{number} {'long' * 1000}": "\n" * 99 for number in range(50)})
    assert str(caught.value).endswith(" and 47 more")
    assert len(str(caught.value)) < 900 + len(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_fit_of_other_shapes_is_refused(tmp_path: Path) -> None:
    with kept(tmp_path) as keeper, pytest.raises(Killed):
        run(keeper, 2)
    learner = counting_learner(N + 1)
    stage = Stage("one", learner, 3, from_scratch(learner), NEVER)
    with kept(tmp_path) as keeper, pytest.raises(InputError, match="the checkpoint is of another fit"):
        train(
            [stage], KEYS, rows_of(jnp.ones((N + 1, 2))), Data(X[:5]), batch_size=5, names=range(SEEDS), keeper=keeper
        )


@pytest.mark.parametrize("link", ["epochs", "epochs/7", "fit.json", ".lock"])
def test_a_link_out_of_the_folder_is_refused_and_what_it_leads_to_left_alone(tmp_path: Path, link: str) -> None:
    mine = tmp_path / "mine"
    (mine / "7").mkdir(parents=True)
    (mine / "7" / "thesis.tex").write_text("years of work")
    folder = tmp_path / "checkpoints"
    kept(folder).__exit__()
    (folder / link).parent.mkdir(exist_ok=True)
    (folder / link).unlink(missing_ok=True)
    (folder / link).symlink_to(mine)
    with pytest.raises(InputError, match=f"{link} is a link to somewhere else, which is left alone"):
        kept(folder)
    remove(tmp_path)
    assert (mine / "7" / "thesis.tex").read_text() == "years of work"


def test_numbered_folders_of_somebody_else_are_refused(tmp_path: Path) -> None:
    (tmp_path / "epochs" / "2025").mkdir(parents=True)
    with pytest.raises(InputError, match="holds what no fit has written: choose another folder"):
        kept(tmp_path)
    assert (tmp_path / "epochs" / "2025").is_dir()


def test_what_fits_kept_is_removed_and_nothing_else(tmp_path: Path) -> None:
    def keep(name: str) -> Path:
        with kept(tmp_path / "kept" / name, every_epochs=1) as keeper:
            keeper.restore()
            for _ in range(3):
                keeper.offer(0, lambda: jnp.ones(3), [])
        return tmp_path / "kept" / name

    damaged = keep("0") / "epochs" / "3" / "arrays"
    shutil.rmtree(damaged)
    keep("0")  # puts it aside
    keep("1")
    assert (tmp_path / "kept" / "0" / "damaged-3-1").is_dir()
    remove(tmp_path / "kept")
    assert not (tmp_path / "kept").exists()

    mine = [
        keep("0") / "notes.txt",
        keep("1") / "epochs" / "2025" / "thesis.tex",
        keep("1") / "damaged-9-1" / "letters",
    ]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    keep("2")
    remove(tmp_path / "kept")
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(mine)


def test_a_folder_that_somebody_put_among_checkpoints_is_not_lost(whole: Any, tmp_path: Path) -> None:
    with kept(tmp_path, every_epochs=1) as keeper, pytest.raises(Killed):
        run(keeper, 3)
    (tmp_path / "epochs" / "2025").mkdir()
    (tmp_path / "epochs" / "0").mkdir()  # older than what need not stay
    for name in ("2025", "0"):
        (tmp_path / "epochs" / name / "thesis.tex").write_text("years of work")
    with kept(tmp_path, every_epochs=1) as keeper:
        assert_same(run(keeper), whole)
    assert len(list(tmp_path.rglob("thesis.tex"))) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"every_epochs": 0}, "every_epochs must be at least 1, got 0"),
        ({"every_minutes": 0.0}, "every_minutes must be positive, got 0.0"),
        ({"every_minutes": float("nan")}, "every_minutes must be positive, got nan"),
        ({"keep": 0}, "keep must be at least 1, got 0"),
        ({"keep": None}, "keep must be a whole number, got None"),
        ({"every_epochs": 2.5}, "every_epochs must be a whole number or None, got 2.5"),
        ({"every_epochs": np.ones(2)}, "every_epochs must be a whole number or None, got array"),
        ({"every_minutes": "5"}, "every_minutes must be a number, got '5'"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Checkpoint(tmp_path, **settings)


def test_a_folder_may_be_text_and_must_be_a_place() -> None:
    assert Checkpoint("runs/mine").folder == Path("runs/mine")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="folder must be a Path, got 5"):
        Checkpoint(5)  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="cannot be written to"):
        kept(tmp_path / "file" / "below")


def test_what_is_kept_is_a_copy(tmp_path: Path) -> None:
    """Training gives its buffers away in the next epoch, while the writer may still be at work."""
    array = np.zeros(1000)
    with kept(tmp_path, every_epochs=1) as keeper:
        keeper.offer(0, lambda: array, [])
        array += 1
    with kept(tmp_path) as keeper:
        saved = keeper.restore()
    assert saved is not None
    np.testing.assert_array_equal(saved.leaves[0], 0)
