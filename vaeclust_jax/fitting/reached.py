"""The models that a training reached, as what a person asks."""

from collections.abc import Sequence
from dataclasses import replace

from vaeclust_jax.fitting.components import components
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.packed import check_leaves
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.graph.tree import tree_of
from vaeclust_jax.training.loop import History
from vaeclust_jax.training.rows import by_chunk
from vaeclust_jax.types import Networks, Stage, State


def models_reached(
    config: Config,
    data: Prepared,
    networks: Networks,
    stages: Sequence[Stage],
    states: Sequence[Sequence[State]],
    names: Sequence[int],
    history: History,
    hints: Hints | None,
) -> dict[str, list[Run]]:
    """A `Run` a seed for every stage reached that ends with a model; those whose method takes hints have them."""
    of_seed = {name: [row for row in history if row["seed"] == name] for name in names}
    return {
        stage.name: [
            _run(replace(config, method=stage.model), data, networks, state, of_seed[name], hints)
            for state, name in zip(of_stage, names, strict=True)
        ]
        for stage, of_stage in zip(stages, states, strict=False)
        if stage.model is not None
    }


def _run(
    config: Config, data: Prepared, networks: Networks, state: State, history: History, hints: Hints | None
) -> Run:
    heads, params = config.method.heads(networks), state.params
    check_leaves(config, params)
    run = Run(
        config, data.preparation, heads, params, history=history, hints=hints if config.method.takes_hints else None,
        train_index=data.train_index, validation_index=data.validation_index,
    )  # fmt: skip
    if heads.assign is None:
        return run
    all_means, all_logvar = data.encodings.of(heads, params)
    mean, logvar = all_means[data.train_index], all_logvar[data.train_index]
    merges = config.method.merges(state.memory)
    tree = None if merges is None else tree_of(merges, all_means, data.train_index)
    log_q = by_chunk(heads.assign, params, mean)
    mean, scale, share = components(heads, params, mean, logvar, log_q, data.train_weight)
    starts = config.method.could_begin(state.memory)
    return replace(run, cluster_mean=mean, cluster_scale=scale, cluster_share=share, tree_=tree, starts_=starts)
