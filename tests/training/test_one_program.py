"""An epoch is one program: nothing returns to the host inside, buffers are donated, equal configs compile once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import blobs, config, squares
from tests.training.counting import counting_learner, rows_of
from vaeclust_jax.errors import TrainingDivergedError
from vaeclust_jax.methods.starts import carry_on, from_scratch, of_each_seed
from vaeclust_jax.training import loop
from vaeclust_jax.training.epoch import Data, Progress
from vaeclust_jax.training.loop import train
from vaeclust_jax.training.stopping import NEVER, validation_patience
from vaeclust_jax.types import Batch, Info, Key, Learner, Stage, State

N, M = 23, 7
X = jnp.arange(N * 2.0).reshape(N, 2)
VALIDATION = Data(X[:M] + 100)

Call = Callable[..., tuple[Progress, Info]]


@pytest.fixture
def each_epoch(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Replaces every call of an epoch's program by `around(program, *arguments)`."""
    original = loop.epoch_program

    def replace_by(around: Callable[..., Any]) -> None:
        def epoch_program(*settings: Any) -> Call:
            program = original(*settings)
            return lambda *arguments: around(program, *arguments)

        monkeypatch.setattr(loop, "epoch_program", epoch_program)

    return replace_by


def fit(seeds: int, x: np.ndarray, **changes: Any) -> list[vc.Run]:
    return vc.fit_seeds(config(**changes), x, range(seeds))


def one_stage(learner: Learner, epochs: int, seeds: int, stopping: Any = NEVER) -> list[State]:
    stage = Stage("only", learner, epochs, from_scratch(learner), stopping)
    keys = jax.vmap(jax.random.key)(jnp.arange(seeds))
    return train([stage], keys, rows_of(X), VALIDATION, batch_size=5, names=range(seeds))[0][0]


# Nothing returns to the host ------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize(("seeds", "made"), [(1, squares), (3, blobs)], ids=["images", "vectors, 3 seeds"])
def test_both_stages_run_without_transfers_or_callbacks_inside_an_epoch(
    each_epoch: Any, seeds: int, made: Callable[[], tuple[np.ndarray, np.ndarray]]
) -> None:
    texts = []

    def guarded(program: Any, *arguments: Any) -> Any:
        texts.append(program.lower(*arguments).as_text())
        with jax.transfer_guard("disallow"):
            return jax.block_until_ready(program(*arguments))

    each_epoch(guarded)
    fit(seeds, made()[0], tolerance=0.0)
    assert len(texts) == 4
    for text in texts:
        assert [word for word in ("callback", "infeed", "outfeed", "send", "recv") if word in text.lower()] == []


def test_the_guard_and_the_search_see_what_they_look_for(each_epoch: Any) -> None:
    learner = counting_learner(N)

    def step(key: Key, state: State, batch: Batch) -> tuple[State, Info]:
        jax.debug.callback(lambda loss: None, state.params["w"])
        return learner.step(key, state, batch)

    texts = []
    each_epoch(lambda program, *arguments: texts.append(program.lower(*arguments).as_text()) or program(*arguments))
    one_stage(learner._replace(step=step), 1, 1)
    assert "callback" in texts[0]

    def from_host(program: Any, keys: Key, progress: Progress, number: Any, *rows: Any) -> Any:
        with jax.transfer_guard("disallow"):
            return program(keys, progress, np.asarray(number), *rows)

    each_epoch(from_host)
    with pytest.raises(Exception, match="Disallowed host-to-device transfer"):
        one_stage(learner, 1, 1)


# Donation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds", [1, 3])
def test_what_an_epoch_changes_is_donated_and_nothing_else(each_epoch: Any, seeds: int) -> None:
    calls = []

    def watched(program: Any, *arguments: Any) -> Any:
        result = program(*arguments)
        keys, progress, *shared = arguments
        donated = (progress.state, progress.memory)  # the host has read the others, which keeps them
        calls.append(([leaf.is_deleted() for leaf in jax.tree.leaves(donated)], (keys, shared)))
        return result

    each_epoch(watched)
    one_stage(counting_learner(N), 3, seeds, validation_patience(5))
    assert len(calls) == 3
    for gone, kept in calls:
        assert all(gone)
        assert not any(leaf.is_deleted() for leaf in jax.tree.leaves(kept))


def loss_by_epoch(*losses: float) -> Learner:
    """The counting learner with a validation loss that is known for every epoch."""
    known = jnp.asarray([0.0, *losses])

    def evaluate(key: Key, state: State, batch: Batch) -> Info:
        return {"loss": known[state.params["seen"][0].astype(int)]}

    return counting_learner(N)._replace(evaluate=evaluate)


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_best_state_outlives_the_epochs_after_it(seeds: int) -> None:
    for state in one_stage(loss_by_epoch(3, 1, 2, 2, 2), 5, seeds, validation_patience(4)):
        np.testing.assert_array_equal(state.params["seen"], 2)
        assert int(state.step) == 5 * 5  # of the last epoch: parameters alone are handed back


@pytest.mark.long
@pytest.mark.parametrize("seeds", [1, 3])
def test_all_states_of_a_failed_run_can_be_read_and_none_is_shared(seeds: int) -> None:
    first, second = counting_learner(N), counting_learner(N, poison_step=10)  # its third epoch

    def above_one_half(key: Key, state: State | None, rows: Any) -> State:
        assert state is not None
        return state._replace(params={**state.params, "w": jnp.asarray(0.75)}, step=jnp.zeros((), jnp.int32))

    stages = [
        Stage("one", first, 2, from_scratch(first), validation_patience(5)),
        Stage("none", first, 0, carry_on, NEVER),
        Stage("two", second, 9, of_each_seed(above_one_half), validation_patience(5)),
    ]
    keys = jax.vmap(jax.random.key)(jnp.arange(seeds))
    with pytest.raises(TrainingDivergedError, match="epoch 3 of stage 'two'") as caught:
        train(stages, keys, rows_of(X), VALIDATION, batch_size=5, names=range(seeds))
    states, _ = caught.value.last_good
    seen = [[float(state.params["seen"][0]) for state in of_stage] for of_stage in states]
    assert seen[:2] == [[1] * seeds] * 2  # the best of equals is the first
    assert seen[2] == [2] * seeds  # 1 before, and the best of its own is the first again
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(states))


# One compilation ------------------------------------------------------------------------------------------------


@contextmanager
def counted(what: str) -> Iterator[list[str]]:
    """Every program of that name that is compiled meanwhile."""
    names: list[str] = []

    def listen(event: str, seconds: float, **about: Any) -> None:
        if event.endswith("backend_compile_duration") and about.get("fun_name") == f"jit({what})":
            names.append(what)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield names
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


@pytest.mark.long
def test_an_epoch_compiles_once_for_a_config_whatever_is_swept() -> None:
    x, _ = blobs(90)  # a shape of its own
    with counted("epoch") as compiled:
        fit(1, x)
        assert len(compiled) == 2  # one a stage
        for same in (
            {},
            {"learning_rate": 3e-4},
            {"beta": 2.0, "gamma": 7.0},
            {"pretrain_epochs": 3, "joint_epochs": 1},
        ):
            fit(1, x, **same)
            assert len(compiled) == 2, same
        vc.fit_seeds(config(), x, [17])
        assert len(compiled) == 2
        fit(1, x, batch_size=16)  # and the counter does count
        assert len(compiled) == 4


@pytest.mark.long
def test_other_seeds_do_not_compile_and_another_number_of_them_does() -> None:
    learner = counting_learner(N)
    with counted("epoch") as compiled:
        for seeds, programs in ((1, 1), (2, 2), (3, 3), (1, 3), (2, 3)):
            one_stage(learner, 2, seeds)
            assert len(compiled) == programs
