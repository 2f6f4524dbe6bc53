"""The loop, seen by a learner that counts."""

from collections.abc import Sequence

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.training.counting import counting_learner, rows_of
from vaeclust_jax.errors import TrainingDivergedError
from vaeclust_jax.methods.starts import carry_on, from_scratch
from vaeclust_jax.training.epoch import Data
from vaeclust_jax.training.loop import History, train
from vaeclust_jax.training.stopping import NEVER, assignment_change
from vaeclust_jax.types import Learner, Rows, Stage, State, Stopping

N, M = 23, 7
X = jnp.arange(N * 2.0).reshape(N, 2)
VALIDATION = Data(X[:M] + 100)


def run(
    learner: Learner, epochs: int, *, seeds: int = 2, batch_size: int = 5, stopping: Stopping = NEVER, **kwargs: object
) -> tuple[list[list[State]], History]:
    stage = Stage("only", learner, epochs, from_scratch(learner), stopping)
    keys = jax.vmap(jax.random.key)(jnp.arange(seeds))
    return train([stage], keys, rows_of(X), VALIDATION, batch_size=batch_size, names=range(10, 10 + seeds), **kwargs)


@pytest.mark.long
@pytest.mark.parametrize("batch_size", [1, 5, 23, 64])
def test_every_sample_counts_once_an_epoch_whatever_the_batch_size(batch_size: int) -> None:
    states, history = run(counting_learner(N), 3, batch_size=batch_size)
    for state in states[0]:
        np.testing.assert_array_equal(state.params["seen"], 3)
        assert int(state.step) == 3 * -(-N // batch_size)
    for row in history:
        assert row["loss"] == pytest.approx(float(X[:, 0].mean()), rel=1e-6)
        assert row["val_loss"] == pytest.approx(float(VALIDATION.x[:, 0].mean()), rel=1e-6)


def test_history_has_a_row_an_epoch_and_seed_and_callbacks_see_each_once() -> None:
    called: History = []
    _, history = run(counting_learner(N), 3, on_epoch=called.extend)
    assert {row.pop("num_epochs") for row in called} == {3}
    assert called == history
    assert [(row["seed"], row["epoch"]) for row in history] == [(s, e) for e in (1, 2, 3) for s in (10, 11)]
    assert {row["stage"] for row in history} == {"only"}
    assert all(row["beta"] == 1 and row["rows"] == N for row in history)


def test_validation_draws_are_the_same_every_epoch_and_training_draws_are_not() -> None:
    states, history = run(counting_learner(N), 3, seeds=1)
    assert len({row["val_draw"] for row in history}) == 1
    longer, _ = run(counting_learner(N), 4, seeds=1)
    assert float(longer[0][0].params["noise"]) != float(states[0][0].params["noise"])


def test_what_is_drawn_depends_on_seed_stage_and_epoch_alone() -> None:
    learner = counting_learner(N)
    keys = jax.random.key(4)[None]
    one = Stage("one", learner, 2, from_scratch(learner), NEVER)
    two = Stage("two", learner, 2, carry_on, NEVER)
    quiet, _ = train([one, two], keys, rows_of(X), VALIDATION, batch_size=5, names=[0])
    watched, _ = train([one, two], keys, rows_of(X), VALIDATION, batch_size=5, names=[0], on_epoch=lambda rows: None)
    assert float(quiet[1][0].params["noise"]) == float(watched[1][0].params["noise"])
    # The second stage draws other numbers than the first did.
    first, second = (float(states[0].params["noise"]) for states in quiet)
    assert first != pytest.approx(second - first)


def test_a_stage_starts_where_the_one_before_ended() -> None:
    learner = counting_learner(N)
    stages = [
        Stage("one", learner, 2, from_scratch(learner), NEVER),
        Stage("none", learner, 0, carry_on, NEVER),
        Stage("two", learner, 1, carry_on, NEVER),
    ]
    states, _ = train(stages, jax.random.key(0)[None], rows_of(X), VALIDATION, batch_size=5, names=[0])
    assert [float(of_seeds[0].params["seen"][0]) for of_seeds in states] == [2, 2, 3]


def test_a_stage_can_start_from_all_seeds_at_once() -> None:
    learner, asked = counting_learner(N), []

    def swapped(keys: jax.Array, before: Sequence[State | None], rows: Rows) -> list[State]:
        asked.append((keys.shape, [float(state.params["noise"]) for state in before if state is not None]))
        return [state for state in before[::-1] if state is not None]

    stages = [
        Stage("one", learner, 2, from_scratch(learner), NEVER),
        Stage("swapped", learner, 0, swapped, NEVER),
    ]
    keys = jax.vmap(jax.random.key)(jnp.arange(2))
    states, _ = train(stages, keys, rows_of(X), VALIDATION, batch_size=5, names=[0, 1])
    noise = [[float(state.params["noise"]) for state in of_seeds] for of_seeds in states]
    assert asked == [((2,), noise[0])]
    assert noise[1] == noise[0][::-1]
    assert noise[0][0] != noise[0][1]


def test_a_stopped_seed_is_frozen_while_the_others_go_on() -> None:
    learner = counting_learner(N)
    draws = [float(learner.init(key).params["w"]) for key in _start_keys(3)]
    tolerance = sorted(draws)[0] + 1e-6  # stops the seed with the smallest w at epoch 2
    states, history = run(learner, 5, seeds=3, stopping=assignment_change(tolerance))
    epochs = [sum(row["seed"] == 10 + seed for row in history) for seed in range(3)]
    expected = [2 if draw == min(draws) else 5 for draw in draws]
    assert epochs == expected
    assert [float(state.params["seen"][0]) for state in states[0]] == expected


def test_all_seeds_stopped_ends_the_stage() -> None:
    _, history = run(counting_learner(N), 50, stopping=assignment_change(2.0))
    assert len(history) == 2


def test_without_validation_rows_there_are_no_validation_losses() -> None:
    learner = counting_learner(N)
    stage = Stage("only", learner, 1, from_scratch(learner), NEVER)
    _, history = train([stage], jax.random.key(0)[None], rows_of(X), Data(X[:0]), batch_size=5, names=[0])
    assert not any(name.startswith("val_") for name in history[0])


def test_a_non_finite_loss_stops_the_run_names_its_place_and_keeps_the_last_good_state() -> None:
    seeds = 4
    learner = counting_learner(N, poison_step=7)  # 5 steps an epoch: the second epoch
    poisoned = [float(learner.init(key).params["w"]) > 0.5 for key in _start_keys(seeds)]
    assert any(poisoned)
    assert not all(poisoned)
    with pytest.raises(TrainingDivergedError) as caught:
        run(learner, 5, seeds=seeds)
    message = str(caught.value)
    assert f"seed {10 + poisoned.index(True)}" in message
    assert "reconstruction turned non-finite in epoch 2 of stage 'only'" in message
    states, history = caught.value.last_good
    assert len(history) == 2 * seeds
    for state, bad in zip(states[0], poisoned, strict=True):
        assert np.isfinite(float(state.params["w"]))
        assert float(state.params["seen"][0]) == (1 if bad else 2)


def test_a_seed_takes_a_bad_epoch_back_and_its_neighbours_never_know(caplog: pytest.LogCaptureFixture) -> None:
    seeds, epochs = 4, 5
    poisoned = [float(counting_learner(N).init(key).params["w"]) > 0.5 for key in _start_keys(seeds)]
    assert any(poisoned)
    assert not all(poisoned)
    healthy, history = run(counting_learner(N), epochs, seeds=seeds)
    cured, again = run(counting_learner(N, poison_step=7, cured_after=2), epochs, seeds=seeds, halvings=3)
    for before, after, bad in zip(healthy[0], cured[0], poisoned, strict=True):
        assert float(after.opt_state) == (0.25 if bad else 1.0)
        chex.assert_trees_all_equal(before._replace(opt_state=0.0), after._replace(opt_state=0.0))
    assert sorted(again, key=_place) == sorted(history, key=_place)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2 * sum(poisoned)
    assert "reconstruction turned non-finite in epoch 2 of stage 'only' (seed " in said[0]
    assert said[0].endswith("it is tried again with half the learning rate (2 more times at most)")


def test_the_learning_rate_is_halved_no_more_often_than_allowed(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(TrainingDivergedError, match="turned non-finite in epoch 2") as caught:
        run(counting_learner(N, poison_step=7, cured_after=4), 5, seeds=4, halvings=3)
    rates = {float(state.opt_state) for state in caught.value.last_good[0][0]}
    assert rates == {1.0, 0.125}
    assert all(float(state.params["seen"][0]) >= 1 for state in caught.value.last_good[0][0])


def _place(row: dict[str, object]) -> tuple[object, ...]:
    return row["stage"], row["epoch"], row["seed"]


def test_the_same_keys_give_the_same_bits() -> None:
    (first, history), (second, again) = (run(counting_learner(N), 2) for _ in range(2))
    assert history == again
    assert float(first[0][1].params["noise"]) == float(second[0][1].params["noise"])


def _start_keys(seeds: int) -> list[jax.Array]:
    """Those of the first stage: the loop's own derivation, so that a test can know the draws beforehand."""
    return [jax.random.split(jax.random.fold_in(jax.random.key(seed), 0))[0] for seed in range(seeds)]
