"""What every learner promises, whatever it computes."""

from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from vaeclust_jax.methods.dec_learner import dec, graph_dec
from vaeclust_jax.methods.kmeans import vae_kmeans
from vaeclust_jax.methods.mixture import vae_mixture
from vaeclust_jax.methods.vade_learner import vade
from vaeclust_jax.methods.vae import vae
from vaeclust_jax.networks import MLP, Conv
from vaeclust_jax.training.epoch import Data, begin, epoch_program
from vaeclust_jax.training.loop import stack
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Batch, Info, Learner, Networks, State

N, K, L = 24, 3, 2
IMAGE, VECTOR = (8, 8, 1), (5,)
CONV = Conv(latent_dim=L, channels=(4, 6), kernels=(5, 3)).build(IMAGE)
MLP = MLP(latent_dim=L, hidden=(8,)).build(VECTOR)

LEARNERS: dict[str, Callable[..., Learner]] = {
    "vae": lambda networks, likelihood, **swept: vae(networks, likelihood=likelihood, **swept),
    "deterministic vae": lambda networks, likelihood, **swept: vae(
        networks, likelihood=likelihood, deterministic=True, **swept
    ),
    "vaedec": lambda networks, likelihood, **swept: dec(
        networks, num_clusters=K, num_samples=N, latent_dim=L, likelihood=likelihood, **swept
    ),
    "dec": lambda networks, likelihood, **swept: dec(
        networks,
        num_clusters=K,
        num_samples=N,
        latent_dim=L,
        likelihood=likelihood,
        deterministic=True,
        joint_reconstruction=False,
        **swept,
    ),
    "vae + mixture": lambda networks, likelihood, **swept: vae_mixture(
        networks, num_clusters=K, latent_dim=L, likelihood=likelihood, **swept
    ),
    "vae + k-means": lambda networks, likelihood, **swept: vae_kmeans(
        networks, num_clusters=K, latent_dim=L, likelihood=likelihood, **swept
    ),
    "vade": lambda networks, likelihood, **swept: vade(
        networks, num_clusters=K, num_samples=N, latent_dim=L, likelihood=likelihood, **swept
    ),
    "vaegraph": lambda networks, likelihood, **swept: graph_dec(
        networks, num_clusters=K, num_samples=N, latent_dim=L, likelihood=likelihood, **swept
    ),
    "vaedec, q from the sample": lambda networks, likelihood, **swept: dec(
        networks, num_clusters=K, num_samples=N, latent_dim=L, likelihood=likelihood, q_from="sample", **swept
    ),
}
KINDS = {"conv": (CONV, "bernoulli", IMAGE), "mlp": (MLP, "gaussian", VECTOR)}


# Every learner with the quick network; the objectives with convolutions as well.
CASES = [(name, "mlp") for name in LEARNERS]
CASES += [pytest.param((name, "conv"), marks=pytest.mark.long) for name in ("vae", "vaedec", "vade")]


@pytest.fixture(params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest) -> tuple[Learner, jax.Array]:
    name, kind = request.param
    networks, likelihood, shape = KINDS[kind]
    x = jax.random.uniform(jax.random.key(9), (N, *shape))
    return LEARNERS[name](networks, likelihood), x


def batch_of(x: jax.Array, rows: np.ndarray | slice = slice(0, 10)) -> Batch:
    index = jnp.arange(N)[rows]
    return Batch(x[index], None, index, jnp.ones(len(index)))


def started(learner: Learner, x: jax.Array, seed: int = 0) -> State:
    """A state whose target, if any, has been refreshed."""
    state = learner.init(jax.random.key(seed))
    return jax.jit(learner.end_epoch)(state, x, jnp.asarray(0), {})[0]


def relative(a: jax.Array, b: jax.Array) -> float:
    return float(jnp.max(jnp.abs(a - b)) / jnp.maximum(jnp.max(jnp.abs(b)), 1e-12))


def gradient(learner: Learner, state: State, batch: Batch) -> State:
    """The gradient that `step` follows, read off its first Adam moment: m = (1 - b1) g."""
    moved, _ = jax.jit(learner.step)(jax.random.key(5), state, batch)
    return jax.tree.map(lambda m: m / 0.1, moved.opt_state.inner_state[0].mu)


def test_state_keeps_structure_shapes_and_dtypes(case: tuple[Learner, jax.Array]) -> None:
    learner, x = case
    state = started(learner, x)
    moved, info = jax.jit(learner.step)(jax.random.key(1), state, batch_of(x))
    ended, _ = jax.jit(learner.end_epoch)(moved, x, jnp.asarray(5), info)
    for later in (moved, ended):
        chex.assert_trees_all_equal_shapes_and_dtypes(state, later)
    assert int(moved.step) == 1
    assert all(value.shape == () for value in info.values())


def test_everything_is_finite(case: tuple[Learner, jax.Array]) -> None:
    learner, x = case
    state, info = jax.jit(learner.step)(jax.random.key(1), started(learner, x), batch_of(x))
    chex.assert_tree_all_finite((state.params, state.memory, info))
    chex.assert_tree_all_finite(jax.jit(learner.evaluate)(jax.random.key(1), state, batch_of(x)))


def test_loss_falls(case: tuple[Learner, jax.Array]) -> None:
    learner, x = case
    state, step = started(learner, x), jax.jit(learner.step)
    first = step(jax.random.key(1), state, batch_of(x))[1]["loss"]
    for _ in range(60):  # the same draws every time: a fixed function to descend
        state, info = step(jax.random.key(1), state, batch_of(x))
    assert info["loss"] < first


@pytest.mark.long
def test_jit_equals_no_jit(case: tuple[Learner, jax.Array]) -> None:
    learner, x = case
    state = started(learner, x)
    _, plain = learner.step(jax.random.key(1), state, batch_of(x))
    _, jitted = jax.jit(learner.step)(jax.random.key(1), state, batch_of(x))
    for name in plain:
        assert relative(jitted[name], plain[name]) < 1e-5, name


@pytest.mark.long
def test_loss_and_gradient_under_vmap_over_seeds_equal_the_single_ones(case: tuple[Learner, jax.Array]) -> None:
    learner, x = case
    states = [started(learner, x, seed) for seed in range(3)]

    def both(state: State) -> tuple[Info, State]:
        return jax.jit(learner.step)(jax.random.key(5), state, batch_of(x))[1], gradient(learner, state, batch_of(x))

    infos, gradients = jax.jit(jax.vmap(both))(stack(states))
    for seed, state in enumerate(states):
        info, single = both(state)
        assert relative(infos["loss"][seed], info["loss"]) < 1e-5
        got, _ = ravel_pytree(jax.tree.map(lambda leaf, seed=seed: leaf[seed], gradients))
        assert relative(got, ravel_pytree(single)[0]) < 1e-5


def test_the_same_key_gives_the_same_bits_and_another_key_other_parameters(
    case: tuple[Learner, jax.Array],
) -> None:
    learner, x = case
    results = [jax.jit(learner.step)(jax.random.key(1), started(learner, x), batch_of(x)) for _ in range(2)]
    chex.assert_trees_all_equal(*results)
    other = learner.init(jax.random.key(1)).params
    assert any(
        bool(jnp.any(a != b))
        for a, b in zip(jax.tree.leaves(other), jax.tree.leaves(results[0][0].params), strict=True)
    )


def test_padding_rows_do_not_count(case: tuple[Learner, jax.Array]) -> None:
    learner, x = case
    state, batch = started(learner, x), batch_of(x)
    # Whatever padding holds, even values that overflow the loss.
    padded = Batch(
        jnp.concatenate([batch.x, jnp.full_like(batch.x[:4], 1e30)]),
        None,
        jnp.concatenate([batch.index, jnp.zeros(4, int)]),
        jnp.concatenate([batch.weight, jnp.zeros(4)]),
    )
    plain, with_padding = (jax.jit(learner.evaluate)(jax.random.key(1), state, b) for b in (batch, padded))
    # KL and cluster use no noise, so they agree to rounding; the reconstruction draws differ with the shape.
    assert relative(with_padding["kl"], plain["kl"]) < 1e-5


def test_an_empty_cluster_or_far_point_keeps_the_gradient_finite(case: tuple[Learner, jax.Array]) -> None:
    learner, x = case
    state = started(learner, x)
    if "centroids" not in state.params:
        pytest.skip("no centroids")
    params = {**state.params, "centroids": state.params["centroids"].at[0].set(1e6)}
    state, _ = jax.jit(learner.end_epoch)(state._replace(params=params), x, jnp.asarray(0), {})
    chex.assert_tree_all_finite(gradient(learner, state, batch_of(x)))


@pytest.mark.long
@pytest.mark.parametrize("name", LEARNERS)
def test_one_trace_a_config_and_none_for_swept_numbers(name: str) -> None:
    x = jax.random.uniform(jax.random.key(0), (N, *VECTOR))
    epoch_program(LEARNERS[name](MLP, "gaussian"), NEVER, 7).clear_cache()  # learners with the same steps share it
    programs = set()
    for swept in ({}, {}, {"beta": 4.0}, {"learning_rate": 1e-2}):
        learner = LEARNERS[name](MLP, "gaussian", **swept)
        program = epoch_program(learner, NEVER, 7)
        programs.add(program)
        progress = stack([begin(started(learner, x), NEVER)])
        for epoch in (1, 2):
            progress, _ = program(jax.random.key(0)[None], progress, jnp.asarray(epoch), Data(x), Data(x[:5]))
    assert len(programs) == 1
    assert programs.pop()._cache_size() == 1


@pytest.mark.parametrize("name", LEARNERS)
def test_swept_numbers_are_heeded(name: str) -> None:
    x = jax.random.uniform(jax.random.key(0), (N, *VECTOR))
    small, large = (LEARNERS[name](MLP, "gaussian", beta=beta) for beta in (1.0, 50.0))
    losses = [
        jax.jit(learner.evaluate)(jax.random.key(1), started(learner, x), batch_of(x))["loss"]
        for learner in (small, large)
    ]
    assert losses[1] > losses[0] + 1
    steps = [
        jax.jit(learner.step)(jax.random.key(1), started(learner, x), batch_of(x))[0].params["encoder"]["mean"]["bias"]
        for learner in (LEARNERS[name](MLP, "gaussian", learning_rate=rate) for rate in (1e-3, 1e-2))
    ]
    # From zero, Adam's first step is the learning rate along the sign of the gradient.
    np.testing.assert_allclose(np.abs(steps[1]) / np.abs(steps[0]), 10, rtol=1e-3)


def test_no_key_is_used_twice() -> None:
    x = jax.random.uniform(jax.random.key(0), (N, *VECTOR))
    learner = LEARNERS["vaedec"](MLP, "gaussian")
    with jax.debug_key_reuse(True):
        state = learner.init(jax.random.key(0))
        progress = stack([begin(state, NEVER)])
        epoch_program(learner, NEVER, 6)(
            jax.random.split(jax.random.key(3), 1), progress, jnp.asarray(1), Data(x), Data(x[:5])
        )


def test_an_equal_config_is_the_same_learner() -> None:
    assert vae(Networks(MLP.encoder, MLP.decoder), beta=2.0) is vae(Networks(MLP.encoder, MLP.decoder), beta=2.0)


# Sample weights --------------------------------------------------------------------------------------------------

COUNTS = np.tile([1, 2, 3], N // 3)
AGAIN = np.repeat(np.arange(N), COUNTS)
SURE = Networks(
    MLP.encoder._replace(apply=lambda params, x: (MLP.encoder.apply(params, x)[0], jnp.full((len(x), L), -60.0))),
    MLP.decoder,
)
"""Its codes are sure: what is drawn, which differs with the number of rows, does not matter."""


def repeated(state: State) -> State:
    """What the state knows of each row, as often as the row counts."""
    again = jax.tree.map(lambda leaf: leaf[AGAIN] if leaf.shape[:1] == (N,) else leaf, state)
    edges = getattr(again.memory, "edges", None)
    if edges is None:
        return again
    numbers = jnp.asarray(np.searchsorted(AGAIN, np.arange(N)))[edges.neighbours]
    return again._replace(memory=again.memory._replace(edges=edges._replace(neighbours=numbers)))


@pytest.mark.parametrize(
    "name", [name if name in ("vaedec", "vade") else pytest.param(name, marks=pytest.mark.long) for name in LEARNERS]
)
def test_a_row_of_weight_two_is_two_rows(name: str) -> None:
    """Gradient, losses, target, and the share of assignments that changed; of batches that are all rows."""
    x = jax.random.normal(jax.random.key(9), (N, *VECTOR))
    more = x[AGAIN]
    weight = jnp.asarray(COUNTS / COUNTS.mean(), jnp.float32)
    learner = LEARNERS[name](SURE, "gaussian")
    state = started(learner, x)._replace(params=learner.init(jax.random.key(1)).params)
    one, _ = jax.jit(learner.end_epoch)(state, x, jnp.asarray(5), {}, weight)
    other, _ = jax.jit(learner.end_epoch)(repeated(state), more, jnp.asarray(5), {})
    batches = (
        (one, Batch(x, None, jnp.arange(N), weight)),
        (other, Batch(more, None, jnp.arange(len(more)), jnp.ones(len(more)))),
    )
    (weighted, plain) = (jax.jit(learner.evaluate)(jax.random.key(5), *each) for each in batches)
    for part, value in plain.items():
        assert relative(weighted[part], value) < 1e-5, part
    (weighted, plain) = (ravel_pytree(gradient(learner, *each))[0] for each in batches)
    assert relative(weighted, plain) < 1e-5
    unweighted = gradient(learner, one, batches[0][1]._replace(weight=jnp.ones(N)))
    assert relative(ravel_pytree(unweighted)[0], plain) > 1e-3
    chex.assert_trees_all_close(repeated(one).memory, other.memory, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("batch_size", [7, pytest.param(N, marks=pytest.mark.long)])
def test_batches_of_an_epoch_add_up_to_the_weighted_mean(batch_size: int) -> None:
    """No batch divides by the weights that are by chance in it."""
    x = jax.random.normal(jax.random.key(9), (N, *VECTOR))
    weight = jnp.asarray(COUNTS / COUNTS.mean(), jnp.float32)
    learner = LEARNERS["vae"](SURE, "gaussian", learning_rate=0.0)
    rows, held_out = Data(x, None, weight), Data(x[:9], None, weight[:9])
    progress = stack([begin(learner.init(jax.random.key(0)), NEVER)])
    params = jax.tree.map(jnp.copy, progress.state.params)
    program = epoch_program(learner, NEVER, batch_size)
    _, info = program(jax.random.split(jax.random.key(3), 1), progress, jnp.asarray(1), rows, held_out)
    mean, _ = SURE.encoder.apply(jax.tree.map(lambda leaf: leaf[0], params)["encoder"], x)
    codes = 0.5 * (np.square(mean) + np.exp(-60.0) - 1 + 60.0).sum(axis=1)
    np.testing.assert_allclose(info["kl"], [np.average(codes, weights=COUNTS)], rtol=1e-5)
    # Held-out rows come in their order: theirs is the sum of weight times loss over their number.
    np.testing.assert_allclose(info["val_kl"], [(codes * weight)[:9].mean()], rtol=1e-5)
