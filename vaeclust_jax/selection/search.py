"""A search for settings that reads no label: one setting after the other, each judged by what it can be judged by.

Networks and learning rate are judged by the held-out ELBO of the VAE alone. The clustering settings cannot be: the
ELBO is best where nothing is clustered (gamma 0). They are judged by stability: how far the clusterings of different
seeds agree, and how far those of different draws of the code agree with that of its mean (adjusted Rand index, so
that a few large clusters gain nothing; a setting that leaves clusters empty is out). Stability is necessary for a
clustering one may believe, not sufficient: all seeds can agree on a wrong one. Views are judged by graphs
(`selection.augment`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vaeclust_jax.errors import InputError, TrainingDivergedError
from vaeclust_jax.fitting.callback import Callback
from vaeclust_jax.fitting.config import Config, with_method
from vaeclust_jax.fitting.fit import fit_seeds
from vaeclust_jax.fitting.resolve import models_of, prepared_for
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.keys import SEARCH, key_of
from vaeclust_jax.random import normal
from vaeclust_jax.selection.augment import STRENGTHS, check_views, judge_views
from vaeclust_jax.selection.num_clusters import vae_alone
from vaeclust_jax.uncertainty.ensemble import pairwise_agreement

_DRAWS = 10


class Axis(NamedTuple):
    """A setting and the values to try; the config's own value is always among them.

    Attributes:
        section: of the config.
        name: of the setting.
        values: tried in this order, after the own one, which wins ties.
        judge: "elbo" (lower held-out -ELBO wins), "stability" or "graph" (higher wins).
    """

    section: str
    name: str
    values: tuple[Any, ...]
    judge: Literal["elbo", "stability", "graph"]


AXES = (
    Axis("training", "learning_rate", (5e-4, 1e-3, 2e-3), "elbo"),
    Axis("network", "latent_dim", (5, 10, 20), "elbo"),
    Axis("network", "channels", ((16, 32, 64), (32, 64, 128)), "elbo"),
    Axis("method", "gamma", (1.0, 10.0, 30.0, 100.0, 300.0), "stability"),
    Axis("method", "beta", (0.5, 1.0, 2.0), "stability"),
    Axis("method", "update_target_interval", (1, 5, 10), "stability"),
)


VIEWS = Axis("method", "augment", STRENGTHS, "graph")
"""Searched where the config leaves it to a choice."""


class Trial(NamedTuple):
    """One setting tried, all others as chosen so far.

    Attributes:
        setting: its name.
        value: what was tried.
        judge: as `Axis.judge`.
        score: mean held-out -ELBO in nats (lower is better), stability in [-0.5, 1] or how well a graph shows the
            clusters (higher is better); None where clusters were left empty or training diverged.
        details: what the score is made of, or how training diverged.
        chosen: whether it won its axis.
    """

    setting: str
    value: Any
    judge: str
    score: float | None
    details: dict[str, Any]
    chosen: bool = False


def search(
    config: Config,
    x: np.ndarray,
    seeds: Sequence[int],
    *,
    axes: Sequence[Axis] = AXES,
    say: Callable[[str], None],
    callbacks: Sequence[Callback] = (),
    on_trial: Callable[[Trial], None] = lambda trial: None,
) -> tuple[Config, list[Trial]]:
    """Chooses settings one axis at a time and returns the config they make, with everything that was tried.

    Args:
        config: where the search starts.
        x: raw samples; there is no way in for labels.
        seeds: at least two: stability is between them.
        axes: in their order; an axis that the config's method or network does not have is left out.
        say: called with a line about what is tried next.
        callbacks: as in `fit`.
        on_trial: called with every trial as it ends, before the best of its axis is known.

    Raises:
        InputError: fewer than two seeds, no held-out rows to judge the ELBO by, or as `fit`.
    """
    if len(seeds) < 2:
        raise InputError(f"seeds must be at least 2, because stability is the agreement between them, got {len(seeds)}")
    if config.prepare.stratify:
        raise InputError("stratify=True needs labels, which a search does not read: set it to False")
    if not config.prepare.validation > 0:
        raise InputError("validation must be above 0, because networks are judged by the ELBO of held-out rows, got 0")
    if getattr(config.method, "augment", None) == "auto":
        config = with_method(config, augment=0.0)
        axes = (*axes, VIEWS) if np.ndim(x) > 2 else axes
    data = prepared_for(config, x)
    models_of(config, data, None, len(seeds))  # every refusal before anything is trained
    if VIEWS in axes:
        check_views(config, data)
    trials: list[Trial] = []
    scores: dict[tuple[str, Config], tuple[float | None, dict[str, Any]]] = {}
    for axis in axes:
        resolved = replace(config, network=config.network.resolved(data.preparation.output_shape))
        if not hasattr(getattr(resolved, axis.section), axis.name):
            continue
        if not hasattr(getattr(config, axis.section), axis.name):
            config = resolved
        own = getattr(getattr(config, axis.section), axis.name)
        # A layer has a kernel: as many channels as kernels, or the fit would be refused.
        values = [value for value in axis.values if axis.name != "channels" or len(value) == len(own)]
        tried = []
        for value in dict.fromkeys((own, *values)):
            candidate = _with(config, axis, value)
            if (axis.judge, candidate) not in scores:
                say(f"{axis.name} {value}")
                scores[axis.judge, candidate] = _judged(axis, candidate, x, seeds, callbacks)
            tried.append(Trial(axis.name, value, axis.judge, *scores[axis.judge, candidate]))
            on_trial(tried[-1])
        best = _best(tried, own)
        config = _with(config, axis, best.value)
        trials += [trial._replace(chosen=trial is best) for trial in tried]
    return config, trials


def _with(config: Config, axis: Axis, value: Any) -> Config:
    section = replace(getattr(config, axis.section), **{axis.name: value})
    return replace(config, **{axis.section: section})


def _best(trials: list[Trial], own: Any) -> Trial:
    """The best score; the config's own value where nothing could be judged."""
    judged = [trial for trial in trials if trial.score is not None]
    if not judged:
        return next(trial for trial in trials if trial.value == own)
    sign = 1.0 if trials[0].judge == "elbo" else -1.0
    return min(judged, key=lambda trial: sign * trial.score)  # type: ignore[operator]


def _judged(
    axis: Axis, config: Config, x: np.ndarray, seeds: Sequence[int], callbacks: Sequence[Callback]
) -> tuple[float | None, dict[str, Any]]:
    """A setting that cannot be trained is out; the search goes on."""
    try:
        judge = {"elbo": _held_out_elbo, "stability": _stability, "graph": _views}[axis.judge]
        return judge(config, x, seeds, callbacks)
    except TrainingDivergedError as error:
        return None, {"diverged": str(error)}


def _held_out_elbo(
    config: Config, x: np.ndarray, seeds: Sequence[int], callbacks: Sequence[Callback]
) -> tuple[float, dict[str, Any]]:
    """-ELBO of the held-out rows in nats, beta 1, at the best epoch of every seed: the mean over seeds."""
    alone = with_method(vae_alone(config, config.num_clusters), beta=1.0)
    runs = fit_seeds(alone, x, seeds, callbacks=callbacks)
    best = [min(row["val_loss"] for row in run.history) for run in runs]
    return float(np.mean(best)), {"negative_elbo": best}


def _views(
    config: Config, x: np.ndarray, seeds: Sequence[int], callbacks: Sequence[Callback]
) -> tuple[float | None, dict[str, Any]]:
    """As `choose_augment`, because views that make one thing of two leave no seed in doubt."""
    tried = judge_views(config, x, seeds, callbacks=callbacks)
    return tried.score, tried._asdict()


def _stability(
    config: Config, x: np.ndarray, seeds: Sequence[int], callbacks: Sequence[Callback]
) -> tuple[float | None, dict[str, Any]]:
    """The mean of two agreements: between seeds, each with a graph of its own if any, and of draws with the mean."""
    alone = with_method(config, vote=False) if hasattr(config.method, "vote") else config
    runs = fit_seeds(alone, x, seeds, callbacks=callbacks)
    labels = np.stack([run.predict(x) for run in runs])
    between_seeds = pairwise_agreement(labels)
    of_draws = [_draw_agreement(key_of(seed, SEARCH), run, x) for seed, run in zip(seeds, runs, strict=True)]
    populated = [len(np.unique(of_seed)) for of_seed in labels]
    details = {"between_seeds": between_seeds, "of_draws": of_draws, "populated_clusters": populated}
    assert between_seeds is not None
    score = float((between_seeds + np.mean(of_draws)) / 2)
    return (score if min(populated) == config.num_clusters else None), details


def _draw_agreement(key: jax.Array, run: Run, x: np.ndarray) -> float:
    """Mean adjusted Rand index of the clustering of a drawn code with that of its mean."""
    from sklearn.metrics import adjusted_rand_score

    mean, logvar = run.posterior(x)
    at_mean = run.log_assign(mean).argmax(axis=1)
    noise = normal(key, (_DRAWS, *mean.shape))
    drawn = np.asarray(mean[None] + jnp.exp(0.5 * logvar)[None] * noise)
    return float(np.mean([adjusted_rand_score(at_mean, run.log_assign(z).argmax(axis=1)) for z in drawn]))
