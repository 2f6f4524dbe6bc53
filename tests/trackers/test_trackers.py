"""Every tracker, in its local form: each epoch of each seed once, whatever ended the fit and however often."""

import os
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vaeclust_jax as vc
from tests.fitting.made import assert_same_bits, blobs, config
from tests.fitting.test_resume import EndedError, ending_after
from tests.trackers.stores import INSTALLED, read
from vaeclust_jax.trackers import TRACKERS, tracker

SEEDS = [3, 5]
TRACKER = pytest.mark.parametrize("name", INSTALLED)


@pytest.fixture(scope="module")
def runs() -> list[vc.Run]:
    return vc.fit_seeds(config(), blobs()[0], SEEDS)


def expected(runs: Sequence[vc.Run], fit: str = "") -> dict[str, dict[int, dict[str, float]]]:
    """What the history says."""
    return {
        f"{fit}seed-{seed}": {
            step: {f"{row['stage']}/{key}": value for key, value in row.items() if isinstance(value, float)}
            for step, row in enumerate(run.history, start=1)
        }
        for seed, run in zip(SEEDS, runs, strict=True)
    }


@TRACKER
def test_it_has_the_history_of_every_seed_and_changes_no_bit(name: str, runs: list[vc.Run], folder: Path) -> None:
    tracked = vc.fit_seeds(config(), blobs()[0], SEEDS, callbacks=[TRACKERS[name](folder)])
    assert read(name, folder) == expected(runs)
    for one, other in zip(tracked, runs, strict=True):
        assert_same_bits(one, other)


@pytest.mark.long
@TRACKER
@pytest.mark.parametrize("first", [True, False], ids=["it hears the last epoch", "it does not"])
def test_a_fit_that_goes_on_repeats_and_loses_no_epoch(
    name: str, runs: list[vc.Run], folder: Path, tmp_path: Path, first: bool
) -> None:
    checkpoint = vc.Checkpoint(tmp_path / "checkpoints")
    for end_after in (1, 3):
        both = [TRACKERS[name](folder, resume=end_after > 1), ending_after(end_after)]
        with pytest.raises(EndedError):
            vc.fit_seeds(config(), blobs()[0], SEEDS, checkpoint=checkpoint, callbacks=both if first else both[::-1])
    vc.fit_seeds(config(), blobs()[0], SEEDS, checkpoint=checkpoint, callbacks=[TRACKERS[name](folder, resume=True)])
    assert read(name, folder) == expected(runs)


@TRACKER
def test_a_fit_that_lost_its_last_checkpoints_repeats_no_epoch(name: str, runs: list[vc.Run], folder: Path) -> None:
    with pytest.raises(EndedError):
        vc.fit_seeds(config(), blobs()[0], SEEDS, callbacks=[TRACKERS[name](folder), ending_after(3)])
    vc.fit_seeds(config(), blobs()[0], SEEDS, callbacks=[TRACKERS[name](folder, resume=True)])
    assert read(name, folder) == expected(runs)


def test_a_record_that_a_kill_cut_short_is_written_again(runs: list[vc.Run], folder: Path) -> None:
    vc.fit_seeds(config(), blobs()[0], SEEDS, callbacks=[TRACKERS["tensorboard"](folder)])
    for path in (folder / "tensorboard").rglob("events.out.tfevents.*"):
        path.write_bytes(path.read_bytes()[:-3])
    vc.fit_seeds(config(), blobs()[0], SEEDS, callbacks=[TRACKERS["tensorboard"](folder, resume=True)])
    assert read("tensorboard", folder) == expected(runs)


@TRACKER
def test_two_fits_of_a_run_stand_side_by_side_and_a_third_of_the_same_name_is_refused(
    name: str, runs: list[vc.Run], folder: Path
) -> None:
    whole = TRACKERS[name](folder)
    vc.fit_seeds(config(), blobs()[0], SEEDS, callbacks=[whole.of("a")])
    vc.fit_seeds(config(), blobs()[0], SEEDS, callbacks=[whole.of("b")])
    assert read(name, folder) == expected(runs, "a/") | expected(runs, "b/")
    with pytest.raises(vc.InputError, match=f"{name} has a/seed-3 of .* already: choose another, or resume=True"):
        vc.fit_seeds(config(), blobs()[0], SEEDS, callbacks=[whole.of("a")])


@TRACKER
def test_figures_and_models_are_kept(name: str, folder: Path) -> None:
    (folder / "model").mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "map.png")
    (folder / "model" / "seed-0.vaeclust").write_bytes(b"weights")
    TRACKERS[name](folder).keep()
    picture, model = (folder / "map.png").read_bytes(), b"weights"
    if name == "tensorboard":
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        (image,) = EventAccumulator(str(folder / "tensorboard" / "files")).Reload().Images("map")
        assert (image.width, image.height, image.encoded_image_string) == (6, 4, picture)
        return
    top = {"trackio": Path(os.environ["TRACKIO_DIR"]), "wandb": folder / "wandb", "mlflow": folder / "mlartifacts"}[
        name
    ]
    kept = [path.read_bytes() for path in top.rglob("*") if path.is_file()]
    assert picture in kept
    assert model in kept


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize("found", [None, ModuleSpec("of a folder", None)], ids=["nothing", "a folder of that name"])
def test_one_that_is_not_installed_says_how_to_get_it(
    name: str, found: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker, "find_spec", lambda package: found)
    with pytest.raises(vc.InputError, match=rf"{name} is not installed: pip install 'vaeclust_jax\[{name}\]'"):
        TRACKERS[name](tmp_path)
