"""Who listens to a fit: hears all of it, and changes no bit of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import BURNING, assert_same_bits, calling, config


class Listener(vc.Callback):
    """Writes down what it hears; ends the fit after so many epochs."""

    def __init__(self, end_after: int = 1000):
        self.heard: list[tuple[str, Any]] = []
        self._end_after = end_after

    def on_start(self, config: vc.Config, seeds: Sequence[int]) -> None:
        self.heard.append(("start", (config, list(seeds))))

    def on_epoch(self, rows: list[dict[str, Any]]) -> None:
        self.heard.append(("epoch", rows))
        if len(self.epochs) == self._end_after:
            raise EOFError

    def on_end(self, runs: Sequence[vc.Run]) -> None:
        self.heard.append(("end", list(runs)))

    @property
    def epochs(self) -> list[list[dict[str, Any]]]:
        return [what for when, what in self.heard if when == "epoch"]

    def ended_with(self) -> list[vc.Run]:
        (runs,) = [what for when, what in self.heard if when == "end"]
        return runs


@pytest.mark.long
def test_a_listener_hears_start_epochs_and_end_and_changes_no_bit(vectors: np.ndarray) -> None:
    first, second = Listener(), Listener()
    runs = vc.fit_seeds(config(), vectors, [3, 5], callbacks=[first, second])
    for run, alone in zip(runs, vc.fit_seeds(config(), vectors, [3, 5]), strict=True):
        assert_same_bits(run, alone)
    assert [when for when, _ in first.heard] == ["start", *["epoch"] * 4, "end"]
    assert first.heard[:-1] == second.heard[:-1]
    assert first.heard[0][1] == (runs[0].config, [3, 5])
    assert all(one is other for one, other in zip(first.ended_with(), runs, strict=True))
    told = [
        {name: value for name, value in row.items() if name != "num_epochs"} for rows in first.epochs for row in rows
    ]
    assert [row for row in told if row["seed"] == 5] == runs[1].history


@pytest.mark.long
def test_a_fit_that_goes_on_tells_every_epoch_in_order(vectors: np.ndarray, tmp_path: Path) -> None:
    whole, ended, after = Listener(), Listener(end_after=3), Listener()
    expected = vc.fit_seeds(config(), vectors, [3, 5], callbacks=[whole])
    checkpoint = vc.Checkpoint(tmp_path)
    with pytest.raises(EOFError):
        vc.fit_seeds(config(), vectors, [3, 5], checkpoint=checkpoint, callbacks=[ended])
    assert ended.ended_with() == []
    runs = vc.fit_seeds(config(), vectors, [3, 5], checkpoint=checkpoint, callbacks=[after])
    assert after.heard[:-1] == whole.heard[:-1]
    assert after.epochs[:3] == ended.epochs
    for run, other in zip(runs, expected, strict=True):
        assert_same_bits(run, other)


def test_training_that_diverges_ends_with_no_models(vectors: np.ndarray) -> None:
    listener = Listener()
    with pytest.raises(vc.TrainingDivergedError):
        vc.fit(config(pretrain_epochs=5), vectors, 7, networks=BURNING, callbacks=[listener])
    assert listener.ended_with() == []


def test_nothing_is_told_of_a_fit_that_is_refused(vectors: np.ndarray, tmp_path: Path) -> None:
    listener, checkpoint = Listener(), vc.Checkpoint(tmp_path)
    with pytest.raises(vc.InputError):
        vc.fit(config(), vectors[:2], 0, callbacks=[listener])
    vc.fit(config(joint_epochs=0), vectors, 0, checkpoint=checkpoint)
    with pytest.raises(vc.InputError, match="checkpoints of another fit"):
        vc.fit(config(joint_epochs=0), vectors, 1, checkpoint=checkpoint, callbacks=[listener])
    assert listener.heard == []


@pytest.mark.parametrize(
    "callbacks",
    [print, [print], Listener(), [Listener], None],
    ids=["function", "list of functions", "callback", "list of classes", "none"],
)
def test_what_is_no_callback_is_refused(vectors: np.ndarray, callbacks: Any) -> None:
    with pytest.raises(vc.InputError, match=r"callbacks must be a list of objects of vaeclust_jax\.Callback"):
        vc.fit(config(), vectors, jax.random.key(0), callbacks=callbacks)


def test_a_choice_of_clusters_tells_its_fit(vectors: np.ndarray) -> None:
    epochs: list[Any] = []
    vc.choose_num_clusters(
        config(pretrain_epochs=1), vectors, jax.random.key(0), candidates=(2, 3), callbacks=[calling(epochs.append)]
    )
    assert [len(rows) for rows in epochs] == [3]
