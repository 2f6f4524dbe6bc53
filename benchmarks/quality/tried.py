"""Ideas of other papers around the library's own stages: each wraps a learner, and none is in the library.

An idea acts on the VAE, which needs a training of its own, or on the joint stage: then all start from one graph.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.graph.neighbours import nearest
from vaeclust_jax.methods.dec import GraphDEC
from vaeclust_jax.methods.dec_learner import around_prototypes, joint_loss
from vaeclust_jax.methods.information import NEIGHBOURS
from vaeclust_jax.methods.method import About
from vaeclust_jax.methods.vae import first_state, gradient_step, vae_losses, weighted_mean, with_numbers
from vaeclust_jax.networks.views import moving
from vaeclust_jax.objectives.dec import assignment_entropy, kl_divergence
from vaeclust_jax.objectives.elbo import LIKELIHOODS
from vaeclust_jax.objectives.information import adversarial_move, instability, marginal_entropy
from vaeclust_jax.random import normal
from vaeclust_jax.training.layout import rows_of
from vaeclust_jax.training.rows import by_chunk
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Batch, Info, Key, Learner, Params, Rows, Stage, State
from vaeclust_jax.uncertainty import align

Stages = list[Stage]
Move = Callable[[Key, Array], Array]
Term = Callable[[Key, Params, Array, State, Batch], Array]
"""(key, params, log q of the batch, state, batch) -> what is added to the joint loss, in units of gamma."""

RESET_EPOCHS, KEPT = 20, 0.8
_CRITIC, _ACAI = 256, 0.5
SURE, NOISE, SURE_EPOCHS = 0.9, 0.1, 20
_OF_TERM = 2**31 - 1  # beyond what the library folds in or splits off
WEIGHT, BALANCE, RADIUS, NEGATIVES = 0.1, 4.0, 0.25, 5


@dataclass(frozen=True)
class Tried(GraphDEC):
    """`GraphDEC` with other stages: (its own, what they are made of, the method) -> those that are run."""

    tried: Callable = lambda stages, about, method: stages  # type: ignore[type-arg]

    def stages(self, about: About) -> Stages:  # noqa: D102
        return self.tried(super().stages(about), about, self)


def soft_resets(learner: Learner, every: int) -> Learner:
    """BRB (Miklautz et al. 2025): every so many steps the encoder's hidden layers are .8 of what they are, .2 fresh."""

    def step(key: Key, state: State, batch: Batch) -> tuple[State, Info]:
        fresh_key, key = jax.random.split(key)
        fresh = learner.init(fresh_key).params["encoder"]
        due = (state.step > 0) & (state.step % every == 0)

        def mixed(path: object, old: Array, new: Array) -> Array:
            reset = due & ("trunk" in jax.tree_util.keystr(path))  # type: ignore[arg-type]  # not the embedding
            return jnp.where(reset, KEPT * old + (1 - KEPT) * new, old)

        encoder = jax.tree_util.tree_map_with_path(mixed, state.params["encoder"], fresh)
        return learner.step(key, state._replace(params={**state.params, "encoder": encoder}), batch)

    return learner._replace(step=step)


def brb(stages: Stages, about: About, method: Tried) -> Stages:  # noqa: D103
    every = RESET_EPOCHS * -(-about.num_samples // about.batch_size)
    return [stages[0]._replace(**_begun(soft_resets(stages[0].learner, every))), *stages[1:]]


def _begun(learner: Learner) -> dict[str, object]:
    return {"learner": learner, "start": lambda keys, before, rows: [jax.jit(learner.init)(key) for key in keys]}


def with_critic(learner: Learner, about: About, method: GraphDEC) -> Learner:
    """ACAI (Berthelot et al. 2019): a critic reads how two codes were mixed off what they decode to; the VAE hides it.

    Its weight of .5 is of a mean over pixels there; here reconstruction is their sum, and so is this.
    """
    likelihood, networks, size = LIKELIHOODS[method.likelihood], about.networks, int(np.prod(about.shape))
    controller = method.controller_of("beta")

    def critic(weights: Params, x: Array) -> Array:
        hidden = jax.nn.relu(x.reshape(x.shape[0], -1) @ weights["in"] + weights["bias"][None])
        return (hidden @ weights["out"])[:, 0]

    def init(key: Key) -> State:
        key, *keys = jax.random.split(key, 3)
        weights = {
            "in": normal(keys[0], (size, _CRITIC)) * (2 / size) ** 0.5,
            "bias": jnp.zeros(_CRITIC),
            "out": normal(keys[1], (_CRITIC, 1)) * (1 / _CRITIC) ** 0.5,
        }
        params = {**learner.init(key).params, "critic": weights}
        return with_numbers(first_state(params), about.learning_rate, beta=controller)

    def loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, Info]:
        key, share_key, order_key = jax.random.split(key, 3)
        codes, parts = vae_losses(networks, likelihood, False, key, params, batch)
        share = 0.5 * jax.random.uniform(share_key, (len(codes.mean),))
        other = jax.random.permutation(order_key, codes.mean)

        def decoded(z: Array) -> Array:
            return likelihood.mean(networks.decoder.apply(params["decoder"], z))

        mixed = decoded(share[:, None] * other + (1 - share[:, None]) * codes.mean)
        fooled = critic(jax.lax.stop_gradient(params["critic"]), mixed) ** 2
        real = jax.lax.stop_gradient(0.2 * batch.x + 0.8 * decoded(codes.mean))
        told = (critic(params["critic"], jax.lax.stop_gradient(mixed)) - share) ** 2 + critic(
            params["critic"], real
        ) ** 2
        parts["fooled"], parts["critic"] = weighted_mean(fooled, batch.weight), weighted_mean(told, batch.weight)
        total = parts["reconstruction"] + state.control["beta"].value * parts["kl"]
        return total + _ACAI * size * parts["fooled"] + parts["critic"], {"loss": total, **parts}

    return learner._replace(init=init, step=gradient_step(loss))


def acai(stages: Stages, about: About, method: Tried) -> Stages:  # noqa: D103
    def without_critic(keys: Key, before: Sequence[State | None], rows: Rows) -> list[State]:
        bare = [s and s._replace(params={k: v for k, v in s.params.items() if k != "critic"}) for s in before]
        return stages[1].start(keys, bare, rows)

    learner = with_critic(stages[0].learner, about, method)
    return [stages[0]._replace(**_begun(learner)), stages[1]._replace(start=without_critic), *stages[2:]]


def log_assignment(about: About, method: GraphDEC) -> Callable[[Params, Array], Array]:
    """(params, x) -> log q."""
    assign, encoder = around_prototypes(method.degrees), about.networks.encoder
    return lambda params, x: assign(params, encoder.apply(params["encoder"], x)[0])


def with_term(learner: Learner, about: About, method: GraphDEC, term: Term) -> Learner:
    """The joint loss + gamma term."""
    likelihood, assign = LIKELIHOODS[method.likelihood], around_prototypes(method.degrees)

    def loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, Info]:
        term_key = jax.random.fold_in(key, _OF_TERM)  # so that a term of zero is the library's own step
        codes, parts = vae_losses(about.networks, likelihood, False, key, params, batch)
        log_q = assign(params, codes.mean)
        cluster = kl_divergence(rows_of(state.memory.p, batch.index), log_q)
        parts["cluster"] = weighted_mean(cluster, batch.weight)
        beta, gamma = state.control["beta"].value, state.control["gamma"].value
        parts["term"] = term(term_key, params, log_q, state, batch)
        total = joint_loss(parts, beta, gamma)[0] + gamma * parts["term"]
        return total, {"loss": total, **parts}

    return learner._replace(step=gradient_step(loss))


def information(about: About, method: GraphDEC, x: np.ndarray) -> Term:
    """.1 (H(c|x) - 4 H(c)) (Hu et al. 2017)."""

    def term(key: Key, params: Params, log_q: Array, state: State, batch: Batch) -> Array:
        there = (batch.weight > 0)[:, None]
        marginal = marginal_entropy(jnp.where(there, log_q, 0.0), batch.weight)
        return WEIGHT * (weighted_mean(assignment_entropy(log_q), batch.weight) - BALANCE * marginal)

    return term


def adversarial(about: About, method: GraphDEC, x: np.ndarray) -> Term:
    """How much q changes under the worst move by a quarter of the distance to the tenth neighbour (Hu et al. 2017)."""
    distance = jnp.asarray(nearest(x.reshape(len(x), -1), NEIGHBOURS)[0][:, -1], jnp.float32)
    log_q_of = log_assignment(about, method)

    def term(key: Key, params: Params, log_q: Array, state: State, batch: Batch) -> Array:
        radius = RADIUS * jnp.where(batch.weight > 0, distance[batch.index], 0.0)
        own = partial(log_q_of, params)
        return weighted_mean(
            instability(own, log_q, batch.x + adversarial_move(key, own, batch.x, radius)), batch.weight
        )

    return term


def both(about: About, method: GraphDEC, x: np.ndarray) -> Term:
    """IMSAT's whole loss."""
    parts = information(about, method, x), adversarial(about, method, x)
    return lambda *args: parts[0](*args) + parts[1](*args)


def embedding(about: About, method: GraphDEC, x: np.ndarray) -> Term:
    """Parametric UMAP (Sainburg et al. 2021): cross-entropy of the graph's edges, five negatives of the batch each."""
    rows, encoder = jnp.asarray(x), about.networks.encoder

    def term(key: Key, params: Params, log_q: Array, state: State, batch: Batch) -> Array:
        edge_key, *keys = jax.random.split(key, 1 + NEGATIVES)
        neighbours, weights = (rows_of(part, batch.index) for part in state.memory.edges)
        chosen = jax.random.categorical(edge_key, jnp.log(jnp.maximum(weights, 1e-30)))
        other = rows[jnp.take_along_axis(neighbours, chosen[:, None], axis=1)[:, 0]]
        z, near = (encoder.apply(params["encoder"], part)[0] for part in (batch.x, other))
        found = jnp.log1p(jnp.sum((z - near) ** 2, axis=1))
        for one in keys:
            square = jnp.sum((z - jax.random.permutation(one, z)) ** 2, axis=1)
            found = found + jnp.where(square > 0, jnp.log1p(square) - jnp.log(square + 1e-3), 0.0)
        return WEIGHT * weighted_mean(found, batch.weight)

    return term


def sure_rows(probabilities: Float[np.ndarray, "s n k"]) -> Float[np.ndarray, " n"]:
    """1 where all seeds agree on the cluster, each with more than .9 (Gupta et al. 2020, Kingdra); else 0."""
    aligned = np.asarray(align(list(probabilities)))
    labels = aligned.argmax(axis=2)
    return ((labels == labels[:1]).all(axis=0) & (aligned.max(axis=2) > SURE).all(axis=0)).astype(np.float32)


def sure_points(name: str, move: Move, before: Stage, about: About, method: GraphDEC) -> Stage:
    """The encoder alone learns of a changed input what it said of the clean one, of sure rows (DEC-DA, ASPC-DA)."""
    base, heads, log_q_of = before.learner, method.heads(about.networks), log_assignment(about, method)
    assert heads.assign is not None

    def start(keys: Key, trained: Sequence[State | None], rows: Rows) -> list[State]:
        seeds = [state for state in trained if state is not None]
        q = [np.exp(by_chunk(heads.assign, one.params, rows.encode(heads, one.params)[0])) for one in seeds]
        sure = sure_rows(np.stack(q))[:, np.newaxis]
        states = []
        for key, state, own in zip(keys, seeds, q, strict=True):
            p = jnp.asarray(np.eye(own.shape[1], dtype=np.float32)[own.argmax(axis=1)] * sure)
            fresh = base.init(key)  # its optimiser has no momentum that would move the rest
            states.append(fresh._replace(params=state.params, memory=state.memory._replace(p=p)))
        return states

    def loss(key: Key, params: Params, state: State, batch: Batch) -> tuple[Array, Info]:
        frozen = {**jax.lax.stop_gradient(params), "encoder": params["encoder"]}
        log_q = log_q_of(frozen, move(key, batch.x))
        p = rows_of(state.memory.p, batch.index)
        total = weighted_mean(-jnp.sum(p * log_q, axis=1), batch.weight)
        return total, {"loss": total}

    learner = Learner(init=base.init, step=gradient_step(loss), evaluate=base.evaluate)
    return Stage(name, learner, SURE_EPOCHS, start, NEVER, method)


def noisy(key: Key, x: Array) -> Array:
    """With noise of a tenth of the range of pixels."""
    return x + NOISE * normal(key, x.shape)


TERMS = {"IM": information, "VAT": adversarial, "IM and VAT": both, "edges": embedding}
MOVES: dict[str, Move] = {"sure points, noise": noisy, "sure points, views": moving(1.0)}


def from_one_graph(x: np.ndarray, asked: Sequence[str]) -> Callable[[Stages, About, Tried], Stages]:
    """The joint stage, those with another loss and those after it, each from the states that it belongs behind."""

    def stages_of(stages: Stages, about: About, method: Tried) -> Stages:
        kept: dict[str, Sequence[State | None]] = {}

        def keeping(name: str, stage: Stage) -> Stage:
            def start(keys: Key, before: Sequence[State | None], rows: Rows) -> list[State]:
                return stage.start(keys, kept.setdefault(name, before), rows)

            return stage._replace(start=start)

        *first, joint = stages
        found = [*first, keeping("graph", joint)]
        for name in (one for one in MOVES if one in asked):
            found.append(keeping("joint", sure_points(name, MOVES[name], joint, about, method)))
        for name in (one for one in TERMS if one in asked):
            learner = with_term(joint.learner, about, method, TERMS[name](about, method, x))
            found.append(keeping("graph", joint._replace(name=name, learner=learner)))
        return found

    return stages_of
