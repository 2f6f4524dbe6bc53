"""One epoch of any learner as one compiled program, for many seeds at once."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from vaeclust_jax.compiling import quick_to_compile
from vaeclust_jax.for_each import for_each
from vaeclust_jax.random import as_numbers
from vaeclust_jax.training.layout import Layout
from vaeclust_jax.training.shuffled import ShuffledBlocks
from vaeclust_jax.types import Batch, Info, Key, Learner, State, Stopping


class Data(NamedTuple):
    """Rows and, where there are any, classes that the method reads and what each row counts; a pytree."""

    x: Float[Array, "n ..."]
    y: Int[Array, " n"] | None = None
    weight: Float[Array, " n"] | None = None
    """1 in the mean."""
    blocks: ShuffledBlocks | None = None
    """The training rows, of which x are then a few, evenly spaced: steps see these, all else sees x."""


class Progress(NamedTuple):
    """A stage under way for one seed: with the seed's key, all that the next epoch needs."""

    state: State
    memory: Any
    """Of the stopping rule."""
    epoch: Int[Array, ""]
    """Epochs done; one that was taken back does not count."""
    halvings: Int[Array, ""]
    """How often an epoch may still be taken back and tried again with a lower learning rate."""
    stopped: Bool[Array, ""]
    """This seed is frozen: epochs of its neighbours do not change it."""
    failed: Bool[Array, ""]
    """A loss or parameter turned non-finite once too often; `state` is the one from before that epoch."""


def begin(state: State, stopping: Stopping, halvings: int = 0) -> Progress:
    """The progress of a seed before its first epoch."""
    no = jnp.zeros((), bool)
    return Progress(state, stopping.init(state), jnp.zeros((), jnp.int32), jnp.asarray(halvings, jnp.int32), no, no)


def _batches(order: Int[Array, " n"], batch_size: int) -> tuple[Int[Array, "b s"], Float[Array, "b s"]]:
    """Row numbers of all batches, and 1 for each, or 0 for those that the last one is padded with."""
    n = order.shape[0]
    padding = -n % batch_size
    index = jnp.concatenate([order, jnp.zeros(padding, order.dtype)])
    present = jnp.concatenate([jnp.ones(n), jnp.zeros(padding)])
    return index.reshape(-1, batch_size), present.reshape(-1, batch_size)


def _scan_batches(
    visit: Callable[[Key, State, Batch], tuple[State, Info]],
    key: Key,
    state: State,
    x: Float[Array, "n ..."],
    y: Int[Array, " n"] | None,
    weight: Float[Array, " n"] | None,
    order: Int[Array, " n"],
    batch_size: int,
) -> tuple[State, Info]:
    """`visit` every batch; the infos come back as means over samples, whatever the batch size."""
    index, present = _batches(order, batch_size)

    def body(state: State, inputs: tuple[Array, Array, Array]) -> tuple[State, Info]:
        number, rows, here = inputs
        counts = here if weight is None else here * weight[rows]
        batch = Batch(x[rows], None if y is None else y[rows], rows, counts)
        state, info = visit(jax.random.fold_in(key, number), state, batch)
        return state, jax.tree.map(lambda value: value * here.sum(), info)

    state, infos = lax.scan(body, state, (jnp.arange(index.shape[0]), index, present))
    return state, jax.tree.map(lambda values: values.sum() / order.shape[0], infos)


def _scan_blocks(
    visit: Callable[[Key, State, Batch], tuple[State, Info]],
    order_key: Key,
    key: Key,
    state: State,
    blocks: ShuffledBlocks,
    batch_size: int,
) -> tuple[State, Info]:
    """`_scan_batches` of rows that are read window by window."""
    num_batches = blocks.window_rows(batch_size) // batch_size
    none = jnp.zeros(batch_size, jnp.int32)  # nothing is looked up of a row

    def batch_of(state: State, inputs: tuple[Array, Array]) -> tuple[State, Info]:
        number, x = inputs
        here = (number * batch_size + jnp.arange(batch_size) < len(blocks)).astype(jnp.float32)

        def visited() -> tuple[State, Info]:
            after, info = visit(jax.random.fold_in(key, number), state, Batch(x, None, none, here))
            return after, jax.tree.map(lambda value: value * here.sum(), info)

        nothing = jax.tree.map(lambda info: jnp.zeros(info.shape, info.dtype), jax.eval_shape(visited)[1])
        return lax.cond(here[0] > 0, visited, lambda: (state, nothing))  # the last window may have none

    def window_of(state: State, number: Array) -> tuple[State, Info]:
        x = blocks.window(order_key, number, batch_size)
        numbers = number * num_batches + jnp.arange(num_batches)
        state, infos = lax.scan(batch_of, state, (numbers, x.reshape(num_batches, batch_size, *x.shape[1:])))
        return state, jax.tree.map(lambda values: values.sum(), infos)

    state, infos = lax.scan(window_of, state, jnp.arange(blocks.num_windows(batch_size)))
    return state, jax.tree.map(lambda values: values.sum() / len(blocks), infos)


def _all_finite(tree: Any) -> Bool[Array, ""]:
    return jnp.isfinite(jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(tree)])).all()


def _select(condition: Array, yes: Any, no: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)


def epoch_program(
    learner: Learner, stopping: Stopping, batch_size: int, layout: Layout | None = None
) -> Callable[..., tuple[Progress, Info]]:
    """The jitted epoch of S seeds, compiled once for learners that differ in swept numbers alone.

    Args:
        learner: of the stage.
        stopping: its rule.
        batch_size: rows a gradient step.
        layout: of the arguments over devices; None: they are on one.

    Returns:
        (keys (S,), Progress stacked over seeds [donated], number of the last epoch, `Data` of training, of validation)
        -> (Progress, Info of shape (S,) each). The seed's key is that of the stage; what an epoch draws is a function
        of (key, epoch, step) alone, so that a seed which tries an epoch again does not change its neighbours.
    """
    # `init` closes over swept numbers (learning rate, beta, ...), so it stays out of the cache's key.
    functions = (learner.step, learner.evaluate, learner.end_epoch, learner.advance, learner.gentler)
    return _program(*functions, stopping, batch_size, layout)


@lru_cache
def _program(
    step: Callable[..., tuple[State, Info]],
    evaluate: Callable[..., Info],
    end_epoch: Callable[..., tuple[State, Info]],
    advance: Callable[..., tuple[dict[str, Any], Info]],
    gentler: Callable[[State], State],
    stopping: Stopping,
    batch_size: int,
    layout: Layout | None,
) -> Callable[..., tuple[Progress, Info]]:
    @jax.jit  # traced once, however often it is called below
    def one_more(key: Key, progress: Progress, train: Data, validation: Data) -> tuple[Progress, Info]:
        number = progress.epoch + 1
        epochs_key, validation_key = jax.random.split(key)
        order_key, steps_key = jax.random.split(jax.random.fold_in(epochs_key, number))
        if train.blocks is None:
            order = jax.random.permutation(order_key, train.x.shape[0])
            state, info = _scan_batches(step, steps_key, progress.state, *train[:3], order, batch_size)
        else:
            state, info = _scan_blocks(step, order_key, steps_key, progress.state, train.blocks, batch_size)
        means = info
        if validation.x.shape[0] > 0:

            def visit(key: Key, state: State, batch: Batch) -> tuple[State, Info]:
                return state, evaluate(key, state, batch)

            # The same draws every epoch: the stopping rule then compares parameters, not noise.
            rows = jnp.arange(validation.x.shape[0])
            _, held_out = _scan_batches(visit, validation_key, state, *validation[:3], rows, batch_size)
            info = info | {f"val_{name}": value for name, value in held_out.items()}
        info = info | {name: weight.value for name, weight in state.control.items()}  # those of this epoch
        weights = () if train.weight is None else (train.weight,)
        state, found = end_epoch(state, train.x, number, means, *weights)
        control, said = advance(state.control, means)
        state, info = state._replace(control=control), info | found | said

        def done() -> Progress:
            memory, stop = stopping.update(progress.memory, state, info)
            return progress._replace(state=state, memory=memory, epoch=number, stopped=stop)

        def taken_back() -> Progress:
            again = progress.halvings > 0
            before = lax.cond(again, gentler, lambda state: state, progress.state)
            return progress._replace(state=before, halvings=progress.halvings - again, failed=~again)

        return lax.cond(_all_finite((info, state.params)), done, taken_back), info

    def unless_frozen(key: Key, progress: Progress, last: Array, *data: Data) -> tuple[Progress, Info]:
        frozen = progress.stopped | progress.failed | (progress.epoch >= last)
        infos = jax.eval_shape(one_more, key, progress, *data)[1]
        unsaid = jax.tree.map(lambda info: jnp.zeros(info.shape, info.dtype), infos)
        # Every epoch takes the key anew: what it draws differs by its number.
        numbers, key_again = as_numbers(key)
        return lax.cond(frozen, lambda: (progress, unsaid), lambda: one_more(key_again(numbers), progress, *data))

    def epoch(keys: Key, progress: Progress, *shared: Any) -> tuple[Progress, Info]:
        return for_each(lambda key, progress: unless_frozen(key, progress, *shared), keys, progress)

    # Seeds share the data; the state is donated, so that an accelerator holds S states once.
    program = epoch if layout is None else layout.program(epoch)
    return jax.jit(program, donate_argnums=1, compiler_options=quick_to_compile())
